// Deliveries from outside. What would surprise: an unsigned body that changes anything, a repeat that works twice, work
// before the answer, or somebody who can make us call the vendor as often as they like.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamUnavailableError } from '../../../src/errors.js';
import { registerWebhooks, testSystem, updateSystem } from '../../../src/services/systems.js';
import { receiveWebhook } from '../../../src/services/webhooks.js';
import { type Company, done, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine({ tenants: ['other'] });
  company = await makeCompany(engine);
  done(await registerWebhooks(engine, company.caller, company.sourceId, 'https://gateway.test'));
});
afterEach(() => engine.close());

const ready = {
  event: 'RECORD_READY',
  company: 'company-1',
  objects: [{ stream: 'ACCOUNTING_RECORDS', id: 'record_1' }],
};
type Delivery = ReturnType<TestEngine['source']['delivery']>;
const own = (delivery: Delivery, systemId = company.sourceId) =>
  receiveWebhook(engine, { systemId, kind: null, ...delivery });
const shared = (delivery: Delivery) => receiveWebhook(engine, { systemId: null, kind: 'BREX', ...delivery });
const deliveries = () =>
  engine.rows('select message_id, processed_at, error from webhook_deliveries order by message_id');
const events = (action: string) => engine.rows('select from audit_events where action = $1', [action]);

describe('a delivery', () => {
  it('is stored, answered and only then worked on: its pipeline syncs, under one correlation id', async () => {
    engine.source.put(views('1', '100.00').record);
    const answer = await own(engine.source.delivery('msg-1', ready));
    expect(answer.status).toBe(200);
    expect(engine.source.reads).toEqual([]);
    expect(await deliveries()).toEqual([{ message_id: 'msg-1', processed_at: null, error: null }]);
    const [system] = await engine.rows<{ last_webhook_at: Date }>('select last_webhook_at from systems where id = $1', [
      company.sourceId,
    ]);
    expect(system?.last_webhook_at).toEqual(engine.clock.now());

    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
    const runs = await engine.rows('select trigger, status, correlation_id, requested_by from sync_runs');
    expect(runs).toEqual([
      { trigger: 'WEBHOOK', status: 'SUCCEEDED', correlation_id: 'webhook:msg-1', requested_by: 'webhook:brex' },
    ]);
    const told = await engine.rows<{ action: string }>(
      `select action from audit_events where correlation_id = 'webhook:msg-1' order by sequence`,
    );
    expect(told.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['webhook.received', 'sync.queued', 'spend.recorded', 'posting.posted']),
    );
  });

  it('that is repeated is answered alike and does nothing, even ten times at once', async () => {
    const delivery = engine.source.delivery('msg-1', ready);
    const answers = await Promise.all(Array.from({ length: 10 }, () => own(delivery)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await deliveries()).toHaveLength(1);
    expect(await events('webhook.received')).toHaveLength(1);
    expect(engine.jobs.sent.filter(({ name }) => name === 'webhook.process')).toHaveLength(1);
    await engine.runJobs();
    expect((await own(delivery)).status).toBe(200);
    await engine.runJobs();
    expect(await engine.rows('select from sync_runs')).toHaveLength(1);
  });

  it.each([
    ['a wrong signature', () => engine.source.delivery('msg-1', ready, 'somebody else’s secret')],
    ['no signature', () => ({ ...engine.source.delivery('msg-1', ready), headers: {} })],
    ['a body changed by one byte', () => ({ ...engine.source.delivery('msg-1', ready), rawBody: Buffer.from('{}') })],
  ])('with %s is 401 and leaves no trace', async (_what, make) => {
    expect((await own(make())).status).toBe(401);
    expect(await deliveries()).toEqual([]);
    expect(engine.jobs.pending).toEqual([]);
    expect(await events('webhook.received')).toHaveLength(0);
  });

  it('for an unknown system, a ledger or a disabled source is 404', async () => {
    const delivery = engine.source.delivery('msg-1', ready);
    expect((await own(delivery, 'sys_unknown')).status).toBe(404);
    expect((await own(delivery, company.ledgerId)).status).toBe(404);
    await engine.rows(`update systems set status = 'DISABLED' where id = $1`, [company.sourceId]);
    expect((await own(delivery)).status).toBe(404);
  });

  it('over 1 MiB is 413, at 1 MiB it is looked at', async () => {
    const large = { headers: {}, rawBody: Buffer.alloc(1024 * 1024 + 1) };
    expect((await own(large)).status).toBe(413);
    expect((await own({ ...large, rawBody: large.rawBody.subarray(1) })).status).toBe(401);
  });

  it('of an unknown event type is marked processed and starts nothing', async () => {
    expect((await own(engine.source.delivery('msg-1', { event: 'NEWS', company: 'company-1' }))).status).toBe(200);
    await engine.runJobs();
    expect(await deliveries()).toMatchObject([{ processed_at: expect.any(Date), error: null }]);
    expect(await engine.rows('select from sync_runs')).toHaveLength(0);
  });

  it.each([['{"not": "an event"}'], ['no JSON at all \u0000'], ['{"event": 1, "text": "\\u0000 \\ud800"}']])(
    'that is genuine but unreadable (%j) is kept with what is wrong with it',
    async (body) => {
      expect((await own(engine.source.delivery('msg-1', body))).status).toBe(200);
      await engine.runJobs();
      expect(await deliveries()).toMatchObject([
        { processed_at: expect.any(Date), error: expect.stringContaining('not') },
      ]);
      expect(await events('webhook.unreadable')).toHaveLength(1);
    },
  );

  it('starts no sync of a disabled pipeline or of one that does not read the stream', async () => {
    await engine.rows(`update pipelines set streams = array['CARD_TRANSACTIONS']`);
    await own(engine.source.delivery('msg-1', ready));
    await engine.runJobs();
    expect(await engine.rows('select from sync_runs')).toHaveLength(0);
  });
});

describe('secrets', () => {
  it('that the vendor rotated are fetched once and kept', async () => {
    engine.source.secrets = ['secret-b'];
    const asked = engine.source.secretsAsked;
    expect((await own(engine.source.delivery('msg-1', ready))).status).toBe(200);
    expect((await own(engine.source.delivery('msg-2', ready))).status).toBe(200);
    expect(engine.source.secretsAsked).toBe(asked + 1);
    expect(await events('webhooks.secretsRenewed')).toHaveLength(1);
    const other = await engine.another();
    const delivery = engine.source.delivery('msg-3', ready);
    expect((await receiveWebhook(other, { systemId: company.sourceId, kind: null, ...delivery })).status).toBe(200);
    expect(engine.source.secretsAsked).toBe(asked + 1);
  });

  it('are asked for at most once in five minutes, however many forged deliveries arrive', async () => {
    const asked = engine.source.secretsAsked;
    const forged = () => own(engine.source.delivery('msg-1', ready, 'forged'));
    await Promise.all([forged(), forged(), forged()]);
    expect(engine.source.secretsAsked).toBe(asked + 1);
    engine.clock.advance(5 * 60_000);
    await forged();
    expect(engine.source.secretsAsked).toBe(asked + 2);
  });

  it('that cannot be fetched now leave the delivery unaccepted, for the vendor to repeat', async () => {
    engine.source.secrets = ['secret-b'];
    engine.source.failures.push({ on: 'secrets', error: new UpstreamUnavailableError('Down.') });
    expect((await own(engine.source.delivery('msg-1', ready))).status).toBe(401);
  });

  it('are in no log, answer or audit event, and survive a change of other settings', async () => {
    done(await updateSystem(engine, company.caller, company.sourceId, { name: 'Renamed' }));
    expect((await own(engine.source.delivery('msg-1', ready))).status).toBe(200);
    const [found] = await engine.rows(
      `select 1 from audit_events where coalesce(after::text, '') || coalesce(before::text, '') || summary like '%secret-a%'`,
    );
    expect(found).toBeUndefined();
  });
});

describe('the address that a partner app’s customers share', () => {
  it('finds the system by the company in the body, among all tenants, and takes the signature as the proof', async () => {
    const theirs = await makeCompany(engine, {}, 'other');
    engine.source.companyId = 'company-2';
    engine.source.secrets = ['secret-theirs'];
    done(await registerWebhooks(engine, theirs.caller, theirs.sourceId, 'https://gateway.test'));
    const body = { ...ready, company: 'company-2' };
    expect((await shared(engine.source.delivery('msg-1', body))).status).toBe(200);
    // Signed by one company in the name of another one.
    engine.source.secrets = ['secret-a'];
    expect((await shared(engine.source.delivery('msg-2', ready, 'secret-theirs'))).status).toBe(401);
    const stored = await engine.rows('select tenant_id, system_id, message_id from webhook_deliveries');
    expect(stored).toEqual([{ tenant_id: 'other', system_id: theirs.sourceId, message_id: 'msg-1' }]);
  });

  it('answers 404 for a company that is not connected here, and for a body that names none', async () => {
    expect((await shared(engine.source.delivery('msg-1', { ...ready, company: 'company-9' }))).status).toBe(404);
    expect((await shared(engine.source.delivery('msg-1', { event: 'NEWS', company: null }))).status).toBe(404);
    expect((await shared(engine.source.delivery('msg-1', 'rubbish'))).status).toBe(404);
  });

  it('knows a company from the connection test already', async () => {
    const theirs = await makeCompany(engine, {}, 'other');
    engine.source.companyId = 'company-3';
    done(await testSystem(engine, theirs.caller, theirs.sourceId));
    expect((await shared(engine.source.delivery('msg-1', { ...ready, company: 'company-3' }))).status).toBe(200);
  });
});
