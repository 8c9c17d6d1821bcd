import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/domain/ids.js';
import { InputError, InvariantError } from '../../../src/errors.js';
import { authenticate, ensureBootstrapAdmin } from '../../../src/services/apiKeys.js';
import { done, refused } from '../../../src/services/outcome.js';
import type { UseCases } from '../../../src/services/useCases.js';
import { Gateway, type PipelineIds, seedPipeline, seedPosting } from '../../support/graphqlFixtures.js';

// Mutations through the server with use cases that write down what they are asked. Would catch: an argument that gets
// lost or renamed on its way, a stale row after a change, a refusal that arrives as an exception, a key that outlives
// its end.

type Calls = { name: string; args: unknown[] }[];

function recording(calls: Calls, answers: Partial<Record<keyof UseCases, (...args: never[]) => unknown>>): UseCases {
  return new Proxy({} as UseCases, {
    get:
      (_target, name: keyof UseCases) =>
      async (...args: never[]) => {
        calls.push({ name, args: args.slice(1) });
        return answers[name]?.(...args);
      },
  });
}

describe('mutations', () => {
  const calls: Calls = [];
  const answers: Partial<Record<keyof UseCases, (...args: never[]) => unknown>> = {};
  let gateway: Gateway;
  let ids: PipelineIds;
  let admin: string;
  let now = new Date('2026-11-20T10:00:00Z');

  beforeAll(async () => {
    gateway = await Gateway.start({ useCases: recording(calls, answers), clock: { now: () => now } });
    ids = await seedPipeline(gateway);
    admin = await gateway.key('ADMIN');
  });
  afterAll(() => gateway.stop());

  it('hand every argument over and answer with the row as it is afterwards', async () => {
    answers.updatePipeline = async () => {
      await gateway.db.tenant('acme', (tx) =>
        tx.execute("update pipelines set name = 'New' where id = $1", [ids.pipeline]),
      );
      return done({ id: ids.pipeline });
    };
    const { updatePipeline } = await gateway.data(
      admin,
      'mutation ($id: ID!) { updatePipeline(id: $id, input: { name: "New", schedule: null, enabled: null, streams: [EXPENSES] }) { pipeline { id name } userErrors { code } } }',
      { id: ids.pipeline },
    );
    expect(updatePipeline).toEqual({ pipeline: { id: ids.pipeline, name: 'New' }, userErrors: [] });
    // null clears the schedule, and leaves alone what cannot be empty.
    expect(calls.at(-1)).toEqual({
      name: 'updatePipeline',
      args: [ids.pipeline, { name: 'New', streams: ['EXPENSES'], schedule: null }],
    });
  });

  it('fill in the defaults of a new pipeline', async () => {
    answers.createPipeline = () => done({ id: ids.pipeline });
    await gateway.data(
      admin,
      'mutation ($s: ID!, $l: ID!) { createPipeline(input: { name: "P", sourceId: $s, ledgerId: $l, streams: [CARD_TRANSACTIONS], documentType: JOURNAL, offsetAccount: "2100", timeZone: null }) { pipeline { id } } }',
      { s: ids.source, l: ids.ledger },
    );
    expect(calls.at(-1)?.args[0]).toEqual({
      name: 'P',
      sourceId: ids.source,
      ledgerId: ids.ledger,
      streams: ['CARD_TRANSACTIONS'],
      documentType: 'JOURNAL',
      grouping: 'PER_RECORD',
      schedule: null,
      timeZone: 'UTC',
      offsetAccount: '2100',
      defaultAccount: null,
      unmatchedVendor: 'HOLD',
      postingDate: 'TRANSACTION_DATE',
      closedPeriod: 'HOLD',
      coding: 'RICHEST',
      correction: 'REVERSE_AND_REPLACE',
      requireApproval: false,
      exportMasterData: false,
      roundingAccount: null,
      taxCodes: {},
      duplicateCheck: 'ACROSS_SOURCES',
      duplicateDays: 0,
      duplicateImportDays: 2,
      enabled: true,
    });
  });

  it('tell the caller who he is and carry the correlation id', async () => {
    const seen: unknown[] = [];
    answers.cancelSync = (...args: unknown[]) => {
      seen.push(args[0]);
      return refused('NOT_FOUND', 'There is no such run.', { path: ['id'], resolution: 'Look at syncRuns.' });
    };
    const { body } = await gateway.ask(
      admin,
      'mutation { cancelSync(id: "run_1") { syncRun { id } userErrors { code message path resolution } } }',
      {},
      { 'x-correlation-id': 'abc' },
    );
    expect(body.data.cancelSync).toEqual({
      syncRun: null,
      userErrors: [
        { code: 'NOT_FOUND', message: 'There is no such run.', path: ['id'], resolution: 'Look at syncRuns.' },
      ],
    });
    expect(seen).toEqual([
      {
        tenantId: 'acme',
        actor: 'user:admin',
        keyId: expect.stringMatching(/^key_/),
        role: 'ADMIN',
        correlationId: 'abc',
      },
    ]);
  });

  it('turn expected failures that are thrown into userErrors, and bugs into errors', async () => {
    const change =
      'mutation { replayPostings(filter: { statuses: [HELD] }, note: "n") { count syncRun { id } userErrors { code path } } }';
    answers.replayPostings = () => {
      throw new InputError('Too wide.', ['filter']);
    };
    expect((await gateway.data(admin, change)).replayPostings).toEqual({
      count: 0,
      syncRun: null,
      userErrors: [{ code: 'BAD_INPUT', path: ['filter'] }],
    });
    expect(calls.at(-1)?.args).toEqual([{ statuses: ['HELD'] }, 'n']);
    answers.replayPostings = () => {
      throw new InvariantError('A bug.');
    };
    expect((await gateway.ask(admin, change)).body.errors[0].extensions.code).toBe('INTERNAL');
  });

  it('see what an earlier mutation of the same request changed', async () => {
    const { id } = await seedPosting(gateway, ids);
    const set = (status: string) =>
      gateway.db.tenant('acme', (tx) => tx.execute('update postings set status = $2 where id = $1', [id, status]));
    answers.replayPosting = async () => {
      await set('READY');
      return done({ id });
    };
    answers.cancelPosting = async () => {
      await set('CANCELLED');
      return done({ id });
    };
    const data = await gateway.data(
      admin,
      'mutation ($id: ID!) { a: replayPosting(id: $id) { posting { status } } b: cancelPosting(id: $id, reason: "r") { posting { status } } }',
      { id },
    );
    expect(data).toEqual({ a: { posting: { status: 'READY' } }, b: { posting: { status: 'CANCELLED' } } });
  });

  it('reconcile, and refuse a window that ends before it begins', async () => {
    const total = {
      currency: 'USD',
      source: '10.00',
      posted: '10.00',
      held: '0',
      excluded: '0',
      rejected: '0',
      inFlight: '0',
      unknown: '0',
      difference: '0.00',
      recordCount: 1,
    };
    answers.reconcile = () => ({
      from: '2026-11-01',
      to: '2026-11-30',
      complete: true,
      generatedAt: now,
      totals: [total],
      unknowns: [],
    });
    const query =
      'query ($f: Date!, $t: Date!) { reconciliation(pipelineId: "pipe_1", from: $f, to: $t) { complete totals { currency source difference recordCount } } }';
    expect((await gateway.data(admin, query, { f: '2026-11-01', t: '2026-11-30' })).reconciliation.totals).toEqual([
      { currency: 'USD', source: '10.00', difference: '0.00', recordCount: 1 },
    ]);
    const backwards = await gateway.ask(admin, query, { f: '2026-11-30', t: '2026-11-01' });
    expect(backwards.body.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'to' });
    answers.reconcile = () => null;
    const unknown = await gateway.ask(admin, query, { f: '2026-11-01', t: '2026-11-01' });
    expect(unknown.body.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'pipelineId' });
  });

  it('never reach a use case without the role', async () => {
    const before = calls.length;
    const auditor = await gateway.key('AUDITOR');
    const operator = await gateway.key('OPERATOR');
    const sync = await gateway.ask(auditor, 'mutation { triggerSync(input: { pipelineId: "p" }) { syncRun { id } } }');
    expect(sync.body.errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', requiredRole: 'OPERATOR' });
    expect(sync.body.errors[0].message).toContain('OPERATOR');
    const connect = await gateway.ask(operator, 'mutation { disableSystem(id: "s") { system { id } } }');
    expect(connect.body.errors[0].extensions.requiredRole).toBe('ADMIN');
    const node = await gateway.ask(operator, 'query ($id: ID!) { node(id: $id) { id } }', { id: newId('key') });
    expect(node.body.errors[0].extensions.requiredRole).toBe('ADMIN');
    expect(calls).toHaveLength(before);
  });

  describe('of API keys', () => {
    it('show a secret once, keep its hash, and write the trail', async () => {
      const { createApiKey } = await gateway.data(
        admin,
        'mutation { createApiKey(name: "bi", role: AUDITOR, expiresAt: "2026-11-20T12:00:00Z") { secret apiKey { id name role prefix lastUsedAt } userErrors { code } } }',
      );
      expect(createApiKey.secret).toMatch(/^lgk_[A-Za-z0-9_-]{43}$/);
      expect(createApiKey.apiKey).toMatchObject({
        name: 'bi',
        role: 'AUDITOR',
        prefix: createApiKey.secret.slice(0, 8),
        lastUsedAt: null,
      });
      expect((await gateway.data(createApiKey.secret, '{ viewer { name role } }')).viewer).toEqual({
        name: 'bi',
        role: 'AUDITOR',
      });
      const dump = await gateway.db.engine((tx) => tx.query('select * from api_keys'));
      expect(JSON.stringify(dump)).not.toContain(createApiKey.secret);
      const { auditEvents } = await gateway.data(
        admin,
        'query ($id: ID!) { auditEvents(filter: { subjectId: $id }) { nodes { action actor after } } }',
        { id: createApiKey.apiKey.id },
      );
      expect(auditEvents.nodes).toMatchObject([
        { action: 'apiKey.created', actor: 'user:admin', after: { name: 'bi' } },
      ]);
      expect(JSON.stringify(auditEvents)).not.toContain(createApiKey.secret);
    });

    it('refuse a name that is none and an end in the past', async () => {
      const make = (name: string, expiresAt: string | null) =>
        gateway.data(
          admin,
          'mutation ($n: String!, $e: DateTime) { createApiKey(name: $n, role: VIEWER, expiresAt: $e) { secret apiKey { id } userErrors { path } } }',
          { n: name, e: expiresAt },
        );
      expect((await make(' ', null)).createApiKey).toEqual({
        secret: null,
        apiKey: null,
        userErrors: [{ path: ['name'] }],
      });
      expect((await make('x', '2020-01-01T00:00:00Z')).createApiKey.userErrors).toEqual([{ path: ['expiresAt'] }]);
    });

    it('end at once when revoked or expired', async () => {
      const secret = await gateway.key('VIEWER', 'acme', 'short');
      const facts = await authenticate(gateway.db, secret, now);
      const revoke = () =>
        gateway.data(
          admin,
          'mutation ($id: ID!) { revokeApiKey(id: $id) { apiKey { revokedAt } userErrors { code } } }',
          { id: facts?.keyId },
        );
      expect((await revoke()).revokeApiKey).toEqual({ apiKey: { revokedAt: now.toISOString() }, userErrors: [] });
      expect((await gateway.ask(secret, '{ viewer { name } }')).status).toBe(401);
      // Again: nothing changes.
      expect((await revoke()).revokeApiKey.userErrors).toEqual([]);
      const other = await gateway.key('VIEWER');
      await gateway.db.engine((tx) =>
        tx.execute('update api_keys set expires_at = $1 where name = $2', [now.toISOString(), 'viewer']),
      );
      expect((await gateway.ask(other, '{ viewer { name } }')).status).toBe(401);
      const none = await gateway.data(admin, 'mutation { revokeApiKey(id: "key_none") { userErrors { code path } } }');
      expect(none.revokeApiKey.userErrors).toEqual([{ code: 'NOT_FOUND', path: ['id'] }]);
    });

    it('write down their last use at most once a minute', async () => {
      const secret = await gateway.key('VIEWER', 'acme', 'minute');
      const lastUsed = async () => {
        const { apiKeys } = await gateway.data(admin, '{ apiKeys { name lastUsedAt } }');
        return apiKeys.find(({ name }: { name: string }) => name === 'minute').lastUsedAt;
      };
      const start = now;
      await gateway.ask(secret, '{ viewer { name } }');
      now = new Date(start.getTime() + 59_000);
      await gateway.ask(secret, '{ viewer { name } }');
      expect(await lastUsed()).toBe(start.toISOString());
      now = new Date(start.getTime() + 60_000);
      await gateway.ask(secret, '{ viewer { name } }');
      expect(await lastUsed()).toBe(now.toISOString());
    });

    it('put the administrator of the environment in place, once, however many processes start', async () => {
      const secret = 'from-the-environment';
      await Promise.all([1, 2, 3].map(() => ensureBootstrapAdmin(gateway.db, secret, now)));
      const facts = await authenticate(gateway.db, secret, now);
      expect(facts).toMatchObject({ tenantId: 'default', role: 'ADMIN' });
      expect((await gateway.data(secret, '{ apiKeys { name role prefix } }')).apiKeys).toEqual([
        { name: 'bootstrap', role: 'ADMIN', prefix: 'bootstrap' },
      ]);
      expect(
        await gateway.data(secret, '{ auditEvents { nodes { action } } verifyAuditChain { ok eventsChecked } }'),
      ).toEqual({
        auditEvents: { nodes: [{ action: 'apiKey.created' }] },
        verifyAuditChain: { ok: true, eventsChecked: '1' },
      });
      await gateway.db.engine((tx) =>
        tx.execute('update api_keys set revoked_at = $1 where id = $2', [now.toISOString(), facts?.keyId]),
      );
      expect(await authenticate(gateway.db, secret, now)).toBeNull();
      await ensureBootstrapAdmin(gateway.db, secret, now);
      expect(await authenticate(gateway.db, secret, now)).toMatchObject({ keyId: facts?.keyId });
      const foreign = await gateway.key('VIEWER', 'acme', 'foreign');
      await expect(ensureBootstrapAdmin(gateway.db, foreign, now)).rejects.toThrow('another tenant');
      await expect(ensureBootstrapAdmin(gateway.db, ' ', now)).rejects.toThrow('LEDGERGATE_BOOTSTRAP_ADMIN_KEY');
    });
  });
});
