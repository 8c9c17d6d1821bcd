// What a person has to hear of before it hurts. What would surprise: an alert that comes every minute, one that stays
// after its fault is gone, or a token that dies although the gateway used it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialsError } from '../../../src/errors.js';
import { resolveAlert } from '../../../src/services/alerts.js';
import { keepAlive, watch } from '../../../src/services/monitoring.js';
import { triggerSync } from '../../../src/services/syncs.js';
import { registerWebhooks } from '../../../src/services/systems.js';
import { receiveWebhook } from '../../../src/services/webhooks.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

const DAY_MS = 86_400_000;

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine({ tenants: ['other'] });
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

const open = () =>
  engine.rows<{ id: string; code: string; severity: string }>(
    'select id, code, severity from alerts where resolved_at is null order by code',
  );
const codes = async () => (await open()).map(({ code, severity }) => `${code} ${severity}`);

describe('a credential that ends', () => {
  it('is announced two weeks and again three days before, once each, and settles when it is used', async () => {
    await watch(engine);
    expect(await codes()).toEqual([]);
    engine.clock.advance(77 * DAY_MS);
    await watch(engine);
    await watch(await engine.another());
    expect(await codes()).toEqual(['RENEWAL_DUE WARNING']);
    engine.clock.advance(11 * DAY_MS);
    await watch(engine);
    expect(await codes()).toEqual(['RENEWAL_DUE CRITICAL']);
    await sync(engine, company);
    await watch(engine);
    expect(await codes()).toEqual([]);
    const told = await engine.rows(`select from audit_events where action like 'alert.%'`);
    expect(told).toHaveLength(4);
  });

  it('of which a person took note is announced again a day later, not a minute later', async () => {
    engine.clock.advance(80 * DAY_MS);
    await watch(engine);
    const [alert] = await open();
    done(await resolveAlert(engine, company.caller, alert?.id ?? ''));
    engine.clock.advance(60_000);
    await watch(engine);
    expect(await codes()).toEqual([]);
    engine.clock.advance(DAY_MS);
    await watch(engine);
    expect(await codes()).toEqual(['RENEWAL_DUE WARNING']);
  });

  it('lives on with every use, written down at most once an hour', async () => {
    const used = () =>
      engine.rows<{ last_used_at: Date; renew_by: Date; version: number }>(
        'select last_used_at, renew_by, version from credentials where system_id = $1',
        [company.sourceId],
      );
    await sync(engine, company);
    const [first] = await used();
    expect(first?.renew_by).toEqual(new Date(engine.clock.now().getTime() + 90 * DAY_MS));
    engine.clock.advance(30 * 60_000);
    await sync(engine, company);
    expect(await used()).toEqual([first]);
    engine.clock.advance(31 * 60_000);
    await sync(engine, company);
    const [later] = await used();
    expect(later?.last_used_at).toEqual(engine.clock.now());
    expect(later?.version).toBe(first?.version);
  });

  it('and is not used is called once every twenty days, so that it does not end', async () => {
    engine.clock.advance(19 * DAY_MS);
    await keepAlive(engine);
    expect(engine.source.keptAlive).toBe(0);
    engine.clock.advance(2 * DAY_MS);
    await keepAlive(engine);
    await keepAlive(engine);
    expect(engine.source.keptAlive).toBe(1);
  });

  it('and is refused when it is kept alive raises the alert that a person must act', async () => {
    engine.clock.advance(21 * DAY_MS);
    engine.source.failures.push({ on: 'keepAlive', error: new CredentialsError('Revoked.') });
    await keepAlive(engine);
    expect(await codes()).toEqual(['NEEDS_REAUTHORISATION CRITICAL']);
    await watch(engine);
    expect(await codes()).toEqual(['NEEDS_REAUTHORISATION CRITICAL']);
  });
});

describe('webhooks that fall silent', () => {
  it('are noticed when polling finds what they should have announced, and settle with the next delivery', async () => {
    done(await registerWebhooks(engine, company.caller, company.sourceId, 'https://gateway.test'));
    engine.clock.advance(25 * 3_600_000);
    await watch(engine);
    expect(await codes()).toEqual([]);
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.clock.advance(20 * 60_000);
    await watch(engine);
    expect(await codes()).toEqual(['WEBHOOK_SILENCE WARNING']);
    const delivery = engine.source.delivery('msg-1', { event: 'NEWS', company: 'company-1' });
    await receiveWebhook(engine, { systemId: company.sourceId, kind: null, ...delivery });
    await watch(engine);
    expect(await codes()).toEqual([]);
  });

  it('were never asked for are not missed', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.clock.advance(3 * DAY_MS);
    await watch(engine);
    expect(await codes()).toEqual([]);
  });
});

describe('what stays unclear', () => {
  it('is raised when a posting is in doubt for more than a quarter of an hour, and settles with it', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.ledger.settlingMs = 60 * 60_000;
    engine.ledger.faults.push({ kind: 'LATE_COMMIT', afterMs: 30 * 60_000 });
    const until = new Date(engine.clock.now().getTime() + 60_000);
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs({ until });
    await watch(engine);
    expect(await codes()).toEqual([]);
    engine.clock.advance(16 * 60_000);
    await watch(engine);
    expect(await codes()).toEqual(['IN_DOUBT_OLD CRITICAL']);
    await engine.runJobs();
    await watch(engine);
    expect(await codes()).toEqual([]);
  });

  it('is raised when the source sends what nobody can read, and settles when it can be read', async () => {
    engine.source.unreadable = [{ externalId: 'record_1', reason: 'It has no amount.', raw: {} }];
    await sync(engine, company);
    await watch(engine);
    expect(await codes()).toEqual(['SOURCE_UNREADABLE WARNING']);
    engine.source.unreadable = [];
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await watch(engine);
    expect(await codes()).toEqual([]);
  });
});
