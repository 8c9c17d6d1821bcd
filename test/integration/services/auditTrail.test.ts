// The trail of what happened, and what must leave none. What would surprise: a gap or a repeat in the sequence, an
// event that can be changed unnoticed, a dry run that stores anything, or a tenant that sees another one's data.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { record, verifyAuditChain } from '../../../src/services/audit.js';
import { drainLedger } from '../../../src/services/drain.js';
import { reportToSource } from '../../../src/services/exports.js';
import { reconcile } from '../../../src/services/reconciliation.js';
import { runSync } from '../../../src/services/syncRunner.js';
import { cancelSync, triggerSync } from '../../../src/services/syncs.js';
import { disableSystem, testSystem, updateCredentials } from '../../../src/services/systems.js';
import { processWebhook } from '../../../src/services/webhooks.js';
import {
  type Company,
  callerOf,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine({ tenants: ['other'] });
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

describe('the audit chain', () => {
  beforeEach(async () => {
    engine.source.put(views('1', '100.00').record, views('2', '50.00').record);
    await sync(engine, company);
  });

  it('verifies, and counts from one without a gap', async () => {
    const verification = await verifyAuditChain(engine.db, 'default');
    const rows = await engine.rows<{ sequence: string }>(
      `select sequence from audit_events where tenant_id = 'default' order by sequence`,
    );
    expect(rows.map(({ sequence }) => Number(sequence))).toEqual(rows.map((_row, index) => index + 1));
    expect(verification).toMatchObject({ ok: true, firstBrokenSequence: null, eventsChecked: BigInt(rows.length) });
  });

  it.each([
    ['sequence', 'sequence + 1000'],
    ['id', `id || 'x'`],
    ['occurred_at', `occurred_at + interval '1 second'`],
    ['actor', `'user:somebody'`],
    ['action', `'posting.cancelled'`],
    ['subject_type', `'Alert'`],
    ['subject_id', `subject_id || 'x'`],
    ['summary', `summary || ' '`],
    ['before', `'{"status": "HELD"}'`],
    ['after', `jsonb_set(after, '{reference}', '"X"')`],
    ['correlation_id', `'another'`],
    ['previous_hash', `repeat('0', 64)`],
    ['hash', `repeat('0', 64)`],
  ])('shows a changed %s', async (column, value) => {
    const [target] = await engine.rows<{ sequence: string }>(
      `select sequence from audit_events where action = 'posting.posted' order by sequence limit 1`,
    );
    await engine.rows(`update audit_events set ${column} = ${value} where sequence = $1`, [target?.sequence]);
    const verification = await verifyAuditChain(engine.db, 'default');
    expect(verification).toMatchObject({ ok: false, firstBrokenSequence: BigInt(target?.sequence ?? 0) });
  });

  it.each([
    ['removed from its middle', 'delete from audit_events where sequence = 3'],
    ['removed from its end', 'delete from audit_events where sequence = (select max(sequence) from audit_events)'],
    ['removed whole', 'delete from audit_events'],
    ['given another head', `update audit_heads set hash = repeat('1', 64)`],
    ['given a lower head', 'update audit_heads set sequence = sequence - 1'],
  ])('shows when it was %s', async (_what, statement) => {
    await engine.rows(statement);
    expect((await verifyAuditChain(engine.db, 'default')).ok).toBe(false);
  });

  it('cannot be changed by the application itself', async () => {
    const attempt = (statement: string) => engine.db.tenant('default', (tx) => tx.execute(statement));
    await expect(attempt(`update audit_events set summary = ''`)).rejects.toThrow(/permission denied/);
    await expect(attempt('delete from audit_events')).rejects.toThrow(/permission denied/);
  });

  it('has no gap when eight writers add to it at once and some of them fail', async () => {
    const before = (await verifyAuditChain(engine.db, 'default')).eventsChecked;
    const other = await engine.another();
    const write = async (writer: number): Promise<number> => {
      let kept = 0;
      for (let n = 0; n < 15; n += 1) {
        const { db, clock } = writer % 2 === 0 ? engine : other;
        const fails = (writer + n) % 5 === 0;
        await db
          .tenant('default', async (tx) => {
            const entry = {
              actor: `writer:${writer}`,
              action: 'test.wrote',
              subjectType: 'Test',
              subjectId: String(n),
            };
            record(tx, clock.now(), { ...entry, summary: 'One.', correlationId: 'c' });
            record(tx, clock.now(), { ...entry, summary: 'Two.', correlationId: 'c' });
            if (fails) throw new Error('rolled back');
          })
          .catch(() => undefined);
        if (!fails) kept += 2;
      }
      return kept;
    };
    const kept = await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
    const total = kept.reduce((sum, count) => sum + count, 0);
    const verification = await verifyAuditChain(engine.db, 'default');
    expect(verification).toMatchObject({ ok: true, eventsChecked: before + BigInt(total) });
  });
});

describe('a dry run', () => {
  const UNTOUCHED = `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'
    and table_name not in ('sync_runs', 'audit_events', 'audit_heads', 'posting_events') order by table_name`;

  async function fingerprints(): Promise<Record<string, unknown>> {
    const tables = await engine.rows<{ table_name: string }>(UNTOUCHED);
    const all: Record<string, unknown> = {};
    for (const { table_name: table } of tables) {
      const [row] = await engine.rows(
        `select count(*), md5(string_agg(t::text, '|' order by t::text)) as hash from ${table} t`,
      );
      all[table] = row;
    }
    return all;
  }

  it('shows the documents that the sync then makes, and changes no row', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '130.00').record, views('2', '50.00').record, views('3', '9.00').card);
    const before = await fingerprints();
    const { id } = done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: true }));
    await engine.runJobs();
    expect(await fingerprints()).toEqual(before);
    expect(engine.ledger.documents).toHaveLength(1);
    const [run] = await engine.rows<{ status: string; preview: { reference: string; lines: unknown[] }[] }>(
      'select status, preview from sync_runs where id = $1',
      [id],
    );
    expect(run?.status).toBe('SUCCEEDED');
    const shown = run?.preview.map((document) => document.reference).sort();
    expect(shown).toHaveLength(3);

    const known = new Set((await postings(engine)).map((posting) => posting.reference));
    await sync(engine, company);
    const made = (await postings(engine)).map((posting) => posting.reference).filter((one) => !known.has(one));
    expect(made.sort()).toEqual(shown);
  });
});

describe('another tenant', () => {
  it('sees and changes nothing through the same services', async () => {
    engine.source.put(views('1', '100.00').record);
    const { id: runId } = done(
      await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }),
    );
    const stranger = callerOf('other', 'user:stranger');
    const { sourceId, ledgerId, pipelineId } = company;
    const window = { from: localDate('2026-01-01'), to: localDate('2026-12-31') };
    const going = { isStopping: () => false };
    const before = await engine.rows(
      `select md5(string_agg(t::text, '' order by t::text)) as hash from audit_events t where tenant_id = 'default'`,
    );

    const refusals = [
      await triggerSync(engine, stranger, { pipelineId, dryRun: false }),
      await cancelSync(engine, stranger, runId),
      await disableSystem(engine, stranger, sourceId),
      await updateCredentials(engine, stranger, sourceId, { token: 'stolen' }),
      await testSystem(engine, stranger, ledgerId),
    ];
    expect(refusals.map((outcome) => !outcome.ok && outcome.problems[0]?.code)).toEqual(
      refusals.map(() => 'NOT_FOUND'),
    );
    expect(await reconcile(engine, 'other', { pipelineId, ...window })).toBeNull();
    await runSync(engine, 'other', runId, going);
    await drainLedger(engine, 'other', ledgerId, going);
    await reportToSource(engine, 'other', sourceId, going);
    await processWebhook(engine, 'other', sourceId, 'msg-1');
    expect(engine.source.reads).toEqual([]);
    expect(engine.ledger.submitted).toEqual([]);
    expect(
      await engine.rows(
        `select md5(string_agg(t::text, '' order by t::text)) as hash from audit_events t where tenant_id = 'default'`,
      ),
    ).toEqual(before);
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('with the same source data has books and references of its own', async () => {
    const theirs = await makeCompany(engine, {}, 'other');
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await sync(engine, theirs);
    const [ours] = await postings(engine);
    const [other] = await postings(engine, 'other');
    expect(ours?.status).toBe('POSTED');
    expect(other?.status).toBe('POSTED');
    expect(ours?.reference).not.toBe(other?.reference);
    expect((await verifyAuditChain(engine.db, 'other')).ok).toBe(true);
  });
});
