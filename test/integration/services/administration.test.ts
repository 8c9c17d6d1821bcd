// What administrators set up: systems, pipelines, mappings, keys and alerts, each one row of a class. What would surprise:
// a repeated request that makes a second thing, a change that reaches a neighbour's row or another column, a value that can
// be set but never emptied, a thing of another tenant that can be touched by its id.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlertRow } from '../../../src/entities/alert.js';
import { CredentialRow } from '../../../src/entities/credential.js';
import { MappingVersionRow } from '../../../src/entities/mappingVersion.js';
import { PipelineRow } from '../../../src/entities/pipeline.js';
import { SystemRow } from '../../../src/entities/system.js';
import { CredentialsError, UpstreamUnavailableError } from '../../../src/errors.js';
import { raiseAlert, resolveAlert } from '../../../src/services/alerts.js';
import { authenticate, createApiKey, revokeApiKey } from '../../../src/services/apiKeys.js';
import { createPipeline, setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import {
  connectSystem,
  disableSystem,
  noteReachability,
  registerWebhooks,
  testSystem,
  updateCredentials,
  updateSystem,
} from '../../../src/services/systems.js';
import type { PipelineRequest } from '../../../src/services/useCases.js';
import { openBundle } from '../../../src/services/vault.js';
import { type Company, callerOf, done, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';

let engine: TestEngine;
let company: Company;
const stranger = callerOf('other', 'user:stranger');
beforeEach(async () => {
  engine = await makeTestEngine({ tenants: ['other'] });
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

const NOT_FOUND = { ok: false, problems: [{ code: 'NOT_FOUND' }] };
const NAME_TAKEN = { ok: false, problems: [{ code: 'NAME_TAKEN' }] };

function systems(): Promise<SystemRow[]> {
  return engine.db.engine((tx) => tx.manager.find(SystemRow, { order: { id: 'ASC' } }));
}

async function system(id: string): Promise<SystemRow | undefined> {
  return (await systems()).find((row) => row.id === id);
}

function actions(): Promise<string[]> {
  return engine
    .rows<{ action: string }>('select action from audit_events order by sequence')
    .then((rows) => rows.map((row) => row.action));
}

describe('a system', () => {
  const cards = { kind: 'BREX', name: ' Cards ', credentials: { token: 'source-token' } } as const;

  it('is the same one when it is connected again, and another under its name is refused', async () => {
    const before = await systems();
    expect(done(await connectSystem(engine, company.caller, cards)).id).toBe(company.sourceId);
    const other = await connectSystem(engine, company.caller, { ...cards, credentials: { token: 'another' } });
    expect(other).toMatchObject(NAME_TAKEN);
    expect(await systems()).toEqual(before);
    expect(before).toMatchObject([
      { name: 'Cards', role: 'SPEND', status: 'ACTIVE', settings: {}, companyId: null, masterVersion: '0' },
      { name: 'Books', role: 'LEDGER' },
    ]);
  });

  it('is changed alone, in what was given only', async () => {
    const [source, ledger] = await systems();
    const baseUrl = 'http://elsewhere.test';
    done(
      await updateSystem(engine, company.caller, company.sourceId, { name: 'Company cards', baseUrl: `${baseUrl}/` }),
    );
    expect(await systems()).toEqual([{ ...source, name: 'Company cards', baseUrl }, ledger]);
    expect(await updateSystem(engine, company.caller, company.sourceId, { name: 'Books' })).toMatchObject(NAME_TAKEN);
  });

  it('takes a new credential and keeps its secret settings', async () => {
    done(await registerWebhooks(engine, company.caller, company.sourceId, 'https://gateway.test'));
    expect(await system(company.sourceId)).toMatchObject({ companyId: 'company-1', settings: {} });
    const stored = () =>
      engine.db.tenant('default', (tx) => tx.manager.findBy(CredentialRow, { systemId: company.sourceId }));
    const [before] = await stored();
    done(await updateCredentials(engine, company.caller, company.sourceId, { token: 'new-token' }));
    const [after] = await stored();
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    expect(after?.fingerprint).not.toBe(before?.fingerprint);
    const bundle = openBundle(engine.sealer, after?.sealed ?? Buffer.alloc(0), 'default', company.sourceId);
    expect(bundle).toEqual({ credential: { token: 'new-token' }, settings: { webhookSecret: ['secret-a'] } });
  });

  it('that cannot be reached or no longer lets us in says so, until a test passes', async () => {
    const broken = new UpstreamUnavailableError('No answer.');
    const locked = new CredentialsError('The token was revoked.');
    const statusAfter = async (error: Error | null) => {
      await noteReachability(engine, 'default', company.ledgerId, error);
      return (await system(company.ledgerId))?.status;
    };
    expect(await statusAfter(broken)).toBe('UNREACHABLE');
    expect(await statusAfter(null)).toBe('ACTIVE');
    expect(await statusAfter(locked)).toBe('NEEDS_REAUTHORISATION');
    expect(done(await testSystem(engine, company.caller, company.ledgerId)).ok).toBe(true);
    expect(await system(company.ledgerId)).toMatchObject({ status: 'ACTIVE', lastCheckedAt: engine.clock.now() });
    done(await disableSystem(engine, company.caller, company.ledgerId));
    expect(await statusAfter(broken)).toBe('DISABLED');
    expect((await system(company.sourceId))?.status).toBe('ACTIVE');
  });

  it('of another tenant is not there', async () => {
    const before = await systems();
    expect(await updateSystem(engine, stranger, company.sourceId, { name: 'Mine' })).toMatchObject(NOT_FOUND);
    expect(await updateCredentials(engine, stranger, company.sourceId, { token: 'mine' })).toMatchObject(NOT_FOUND);
    expect(await disableSystem(engine, stranger, company.sourceId)).toMatchObject(NOT_FOUND);
    expect(await systems()).toEqual(before);
  });
});

describe('a pipeline', () => {
  const pipelines = () => engine.db.engine((tx) => tx.manager.find(PipelineRow, { order: { id: 'ASC' } }));
  const request = (over: Partial<PipelineRequest> = {}): PipelineRequest => ({
    name: 'Second',
    sourceId: company.sourceId,
    ledgerId: company.ledgerId,
    streams: ['EXPENSES', 'CARD_TRANSACTIONS'],
    documentType: 'JOURNAL',
    grouping: 'DAILY',
    schedule: '0 6 * * *',
    timeZone: 'Europe/London',
    offsetAccount: ' 2200 ',
    defaultAccount: '6999',
    unmatchedVendor: 'DEFAULT_ACCOUNT',
    postingDate: 'POSTED_DATE',
    closedPeriod: 'NEXT_OPEN_PERIOD',
    coding: 'FIRST',
    correction: 'HOLD',
    requireApproval: true,
    exportMasterData: false,
    enabled: false,
    roundingAccount: ' 6990 ',
    taxCodes: { V7: { treatment: 'PARTLY_RECOVERABLE', recoverablePercent: 50 } },
    ...over,
  });

  it('is stored as it was asked for, and is the same one when it is asked for again', async () => {
    const { id } = done(await createPipeline(engine, company.caller, request()));
    const stored = {
      ...request(),
      ...{ offsetAccount: '2200', tenantId: 'default', id, createdAt: engine.clock.now(), roundingAccount: '6990' },
      ...{ duplicateCheck: 'ACROSS_SOURCES', duplicateDays: 0, duplicateImportDays: 2, receiptLinkBase: null },
      taxCodes: {
        V7: {
          ...{ treatment: 'PARTLY_RECOVERABLE', basis: 'INCLUSIVE', recoverablePercent: '50' },
          ...{ rate: null, account: null, outputAccount: null },
        },
      },
    };
    expect((await pipelines())[1]).toEqual(stored);
    expect(done(await createPipeline(engine, company.caller, request())).id).toBe(id);
    const other = await createPipeline(engine, company.caller, request({ coding: 'RICHEST' }));
    expect(other).toMatchObject(NAME_TAKEN);
    expect(await pipelines()).toHaveLength(2);
  });

  it('with tax codes that contradict themselves is refused by the name of the field', async () => {
    const taxCodes = { RC: { treatment: 'REVERSE_CHARGE', rate: '19' } };
    expect(await createPipeline(engine, company.caller, request({ taxCodes }))).toMatchObject({
      ok: false,
      problems: [{ code: 'BAD_INPUT', path: ['input', 'taxCodes', 'RC', 'outputAccount'] }],
    });
    expect(await updatePipeline(engine, company.caller, company.pipelineId, { taxCodes: 'V7' })).toMatchObject({
      ok: false,
      problems: [{ code: 'BAD_INPUT', path: ['input', 'taxCodes'] }],
    });
    expect(await pipelines()).toHaveLength(1);
  });

  it('is changed alone, in what was given only, and can be emptied again', async () => {
    const { id } = done(await createPipeline(engine, company.caller, request()));
    const [first, second] = await pipelines();
    const change = { schedule: null, defaultAccount: null, unmatchedVendor: 'HOLD', streams: ['EXPENSES'] } as const;
    // Where money comes from and goes to never changes under what was posted.
    const moved = { ...change, ledgerId: company.sourceId };
    done(await updatePipeline(engine, company.caller, id, moved));
    expect(await pipelines()).toEqual([first, { ...second, ...change }]);
    expect(await updatePipeline(engine, company.caller, id, { name: ' Cards to books ' })).toMatchObject(NAME_TAKEN);
    expect(await updatePipeline(engine, stranger, id, change)).toMatchObject(NOT_FOUND);
  });

  it('gets a new mapping version for new rules and none for the same', async () => {
    const { pipelineId, caller } = company;
    const versions = () =>
      engine.db.tenant('default', (tx) => tx.manager.find(MappingVersionRow, { order: { version: 'ASC' } }));
    const [first] = await versions();
    expect(first).toMatchObject({ version: 1, effectiveFrom: '1900-01-01', note: null, createdBy: 'user:test' });
    const rules = [{ merchant: 'acme*', glAccount: ' 6200 ', dimensions: { Team: 'R&D' } }];
    const { id } = done(await setMappingRules(engine, caller, { pipelineId, rules, note: 'Acme' }));
    expect(done(await setMappingRules(engine, caller, { pipelineId, rules })).id).toBe(id);
    expect(await versions()).toMatchObject([
      first ?? {},
      {
        id,
        version: 2,
        effectiveFrom: '2026-11-20',
        note: 'Acme',
        rules: [{ merchant: 'acme*', glAccount: '6200', dimensions: { Team: 'R&D' }, category: null }],
      },
    ]);
    expect(await setMappingRules(engine, stranger, { pipelineId, rules })).toMatchObject(NOT_FOUND);
  });
});

describe('an alert', () => {
  it('is resolved once, by the first person who does', async () => {
    const alert = { severity: 'WARNING', code: 'TEST', message: 'Look.', systemId: null, pipelineId: null } as const;
    await engine.db.tenant('default', (tx) => raiseAlert(tx, engine.clock.now(), { ...alert, dedupeKey: 'a' }));
    await engine.db.tenant('default', (tx) => raiseAlert(tx, engine.clock.now(), { ...alert, dedupeKey: 'b' }));
    const alerts = () => engine.db.tenant('default', (tx) => tx.manager.find(AlertRow, { order: { id: 'ASC' } }));
    const [first, second] = await alerts();
    if (!first) throw new Error('There is no alert.');
    expect(await resolveAlert(engine, stranger, first.id)).toMatchObject(NOT_FOUND);
    done(await resolveAlert(engine, company.caller, first.id));
    const resolvedAt = engine.clock.now();
    engine.clock.advance(60_000);
    done(await resolveAlert(engine, { ...company.caller, actor: 'user:late' }, first.id));
    expect(await alerts()).toEqual([{ ...first, resolvedAt, resolvedBy: 'user:test' }, second]);
    expect((await actions()).filter((action) => action === 'alert.resolved')).toHaveLength(1);
  });
});

describe('an API key', () => {
  it('ends for good when it is revoked, by its own tenant only', async () => {
    const { db, clock } = engine;
    const input = { name: 'robot', role: 'OPERATOR', expiresAt: null } as const;
    const { id, secret } = done(await createApiKey(db, company.caller, input, clock.now()));
    expect(await revokeApiKey(db, stranger, id, clock.now())).toMatchObject(NOT_FOUND);
    expect(await authenticate(db, secret, clock.now())).toMatchObject({ keyId: id, role: 'OPERATOR' });
    done(await revokeApiKey(db, company.caller, id, clock.now()));
    done(await revokeApiKey(db, company.caller, id, clock.now()));
    expect(await authenticate(db, secret, clock.now())).toBeNull();
    expect((await actions()).filter((action) => action === 'apiKey.revoked')).toHaveLength(1);
  });
});
