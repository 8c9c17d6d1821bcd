/**
 * What would be caught here: an export result that is reported twice or never, one bad record that blocks the other
 * ninety-nine, and a lost answer that is taken for a failure.
 */
import { describe, expect, it } from 'vitest';
import type { ExportReport } from '../../../src/connectors/contract.js';
import { OutcomeUnknownError } from '../../../src/errors.js';
import { type Answer, type Asked, connectTo, fakeBrex, page } from './brexHarness.js';

const success = (externalId: string): ExportReport => ({
  externalId,
  outcome: { kind: 'SUCCESS', ledgerDocumentId: `2027/05/${externalId}` },
});
const failure = (externalId: string): ExportReport => ({
  externalId,
  outcome: { kind: 'FAILURE', message: 'on hold' },
});

interface Sent {
  accounting_record_id: string;
  success?: { reference_id: string };
  failure?: { error_message: string };
}

/** Records with a status, refusing a whole call as Brex is taken to do. `lose` answers nothing although it applied. */
async function recordsBrex(
  statuses: Record<string, string>,
  lose: (call: number) => 'before' | 'after' | null = () => null,
) {
  const sent: Sent[][] = [];
  const brex = await fakeBrex((asked): Answer => {
    if (asked.method === 'GET') return readRecords(asked, statuses);
    const results = (JSON.parse(asked.body) as { results: Sent[] }).results;
    sent.push(results);
    const loss = lose(sent.length);
    if (loss === 'before') return { breaks: true };
    const ids = results.map((result) => result.accounting_record_id);
    const refusal = refuse(ids, statuses);
    if (refusal) return refusal;
    for (const result of results) statuses[result.accounting_record_id] = result.success ? 'EXPORTED' : 'REVIEW';
    return loss === 'after' ? { breaks: true } : { body: { updated_accounting_record_ids: ids } };
  });
  return { connection: connectTo(brex.url), sent, brex };
}

function readRecords(asked: Asked, statuses: Record<string, string>): Answer {
  const known = (id: string) => ({ id, review_status: statuses[id] });
  const single = asked.path.split('/records/')[1];
  if (single) return statuses[single] ? { body: known(single) } : { status: 404, body: '' };
  const ids = asked.query.filter(([name]) => name === 'ids').map(([, id]) => id);
  return { body: { ...page(ids.filter((id) => statuses[id]).map(known)), has_next_page: false } };
}

function refuse(ids: string[], statuses: Record<string, string>): Answer | null {
  const missing = ids.filter((id) => !statuses[id]);
  if (missing.length > 0) {
    const details = { not_found_export_entry_source_ids: missing };
    return { status: 404, body: { error_code: 'NOT_FOUND', message: 'not found', details } };
  }
  const unready = ids.filter((id) => statuses[id] !== 'READY_FOR_EXPORT');
  if (unready.length === 0) return null;
  const details = { not_ready_for_export_accounting_record_ids: unready };
  return { status: 422, body: { error_code: 'ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT', message: 'no', details } };
}

const READY = 'READY_FOR_EXPORT';

describe('export results', () => {
  it('carry the ledger’s number or the message, never deep_link_url, and each id once', async () => {
    const { connection, sent } = await recordsBrex({ a: READY, b: READY });
    const answers = await connection.exports.report([success('a'), success('a'), failure('b')]);
    expect(answers.map((answer) => answer.kind)).toEqual(['REPORTED', 'REPORTED']);
    expect(sent).toEqual([
      [
        { accounting_record_id: 'a', success: { reference_id: '2027/05/a' } },
        { accounting_record_id: 'b', failure: { error_message: 'on hold' } },
      ],
    ]);
  });

  it('records that stand in the way are answered for themselves, and the rest is reported', async () => {
    const statuses = { ok1: READY, done: 'EXPORTED', back: 'REVIEW', ok2: READY };
    const { connection, sent } = await recordsBrex(statuses);
    const answers = await connection.exports.report(['ok1', 'done', 'gone', 'back', 'ok2'].map(success));
    expect(Object.fromEntries(answers.map((answer) => [answer.externalId, answer.kind]))).toEqual({
      gone: 'UNKNOWN_AT_SOURCE',
      done: 'ALREADY_REPORTED',
      back: 'NOT_READY',
      ok1: 'REPORTED',
      ok2: 'REPORTED',
    });
    expect(sent).toHaveLength(3);
    expect(statuses).toMatchObject({ ok1: 'EXPORTED', ok2: 'EXPORTED', back: 'REVIEW' });
  });

  it('after an answer lost behind the change, reading shows that it worked; nothing is sent again', async () => {
    const { connection, sent } = await recordsBrex({ a: READY }, (call) => (call === 1 ? 'after' : null));
    expect(await connection.exports.report([success('a')])).toMatchObject([{ kind: 'ALREADY_REPORTED' }]);
    expect(sent).toHaveLength(1);
  });

  it('after a call lost before the change, reading shows that it did not, and it is sent once more', async () => {
    const { connection, sent } = await recordsBrex({ a: READY }, (call) => (call === 1 ? 'before' : null));
    expect(await connection.exports.report([success('a')])).toMatchObject([{ kind: 'REPORTED' }]);
    expect(sent).toHaveLength(2);
  });

  it('a second unclear answer is left to the engine, which may repeat the whole report', async () => {
    const { connection, sent } = await recordsBrex({ a: READY }, () => 'before');
    await expect(connection.exports.report([success('a')])).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(sent).toHaveLength(2);
  });

  it('a success that leaves an id out is not believed for that id', async () => {
    const brex = await fakeBrex((asked) =>
      asked.method === 'GET'
        ? readRecords(asked, { a: 'EXPORTED', b: 'EXPORTED' })
        : { body: { updated_accounting_record_ids: ['a'] } },
    );
    const answers = await connectTo(brex.url).exports.report([success('a'), success('b')]);
    expect(answers.map((answer) => answer.kind)).toEqual(['REPORTED', 'REPORTED']);
    expect(brex.asked.filter((asked) => asked.method === 'GET')).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['a refusal without a body', { status: 422, body: '' }],
    [
      'a refusal that names strangers',
      { status: 404, body: { details: { not_found_export_entry_source_ids: ['x'] } } },
    ],
    [
      'a refusal of a ready record',
      { status: 422, body: { details: { not_ready_for_export_accounting_record_ids: ['a'] } } },
    ],
  ])('%s ends, with an answer for each id', async (_, answer) => {
    const brex = await fakeBrex((asked) => (asked.method === 'GET' ? readRecords(asked, { a: READY }) : answer));
    expect(await connectTo(brex.url).exports.report([success('a')])).toMatchObject([
      { externalId: 'a', kind: 'NOT_READY' },
    ]);
  });

  it('never more than a hundred travel in one call', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `r${index}`);
    const { connection, sent } = await recordsBrex(Object.fromEntries(ids.map((id) => [id, READY])));
    expect(await connection.exports.report(ids.map(success))).toHaveLength(250);
    expect(sent.map((results) => results.length)).toEqual([100, 100, 50]);
    expect(connection.exports.batchMax).toBe(100);
  });
});
