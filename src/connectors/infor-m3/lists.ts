import type { ZodType } from 'zod';
import { UnreadableReplyError } from '../../errors.js';
import type { Inputs } from './address.js';
import { type M3Client, parsed, type ReadOptions } from './client.js';
import { isNotFound, readRefused, TITLE } from './failures.js';
import type { MiRecord } from './wire.js';

/**
 * Lists of M3. There is no offset: a list goes on by asking again from its last key, which comes once more. Where a list
 * is cut is not told either, so each of these knows whether it has seen the end, and says so loudly when it cannot.
 */

/** What a server sends when it ignores `maxrecs`, and what one grid gives at most. */
const SERVER_DEFAULT = 100;
const GRID_CAP = 1000;
/** Far above any list of a company: a list that never ends is not waited for. */
const PAGES_MAX = 5000;

export interface ListCall<T> {
  readonly program: string;
  readonly transaction: string;
  readonly inputs: Inputs;
  readonly schema: ZodType<T>;
  readonly division?: string;
}

/** The rows of one answer; no rows, or a "not found", are an empty list. */
async function answerOf(client: M3Client, call: Omit<ListCall<unknown>, 'schema'>, maxrecs: number) {
  const options: ReadOptions = { maxrecs, ...(call.division === undefined ? {} : { division: call.division }) };
  const answer = await client.ask(call.program, call.transaction, call.inputs, options);
  if (answer.kind === 'OK') return answer.records;
  const { errorPatterns } = client.settings;
  if (isNotFound(answer.refusal, errorPatterns)) return [];
  throw readRefused(`${call.program}.${call.transaction}`, answer.refusal, errorPatterns);
}

/**
 * Pages of a list that starts at a key. Only a page without anything new ends it: whatever number of rows a server gives
 * at most, a full page and a last page look alike.
 * @param ends whether a record is behind the end of what was asked for.
 */
export async function* pagesFrom<T>(
  client: M3Client,
  call: ListCall<T>,
  startField: string,
  keyOf: (row: T) => string,
  ends: (record: MiRecord) => boolean = () => false,
): AsyncIterable<T[]> {
  const operation = `${call.program}.${call.transaction}`;
  const seen = new Set<string>();
  // A blank comes before every key, in whichever order the server's machine sorts.
  let start = call.inputs[startField] ?? ' ';
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const inputs = { ...call.inputs, [startField]: start };
    const records = await answerOf(client, { ...call, inputs }, client.settings.listCap);
    const within = untilEnd(records, ends);
    const rows = within.map((record) => parsed(call.schema, record, operation));
    const fresh = rows.filter((row) => !seen.has(keyOf(row)));
    if (fresh.length > 0) yield fresh;
    for (const row of fresh) seen.add(keyOf(row));
    const final = rows.at(-1);
    const [first] = rows;
    // Beyond the first page, rows that are all known and do not begin with the last key are the list's beginning again.
    if (page > 0 && fresh.length === 0 && first !== undefined && keyOf(first) !== start) break;
    if (fresh.length === 0 || final === undefined || within.length < records.length) return;
    if (keyOf(final) === start) break;
    start = keyOf(final);
  }
  throw new UnreadableReplyError(`${TITLE}'s list ${operation} does not go on from its last key.`, {
    code: 'LIST_ENDLESS',
    detail: { operation },
  });
}

function untilEnd(records: readonly MiRecord[], ends: (record: MiRecord) => boolean): readonly MiRecord[] {
  const end = records.findIndex(ends);
  return end < 0 ? records : records.slice(0, end);
}

/**
 * A list that cannot go on from a key, whole or not at all.
 * @throws UnreadableReplyError LIST_TRUNCATED it may have been cut off, so that nothing may be concluded from an absence.
 */
export async function wholeList<T>(client: M3Client, call: ListCall<T>): Promise<T[]> {
  const { rows, isWhole } = await listAsFarAs(client, call);
  if (isWhole) return rows;
  throw truncated(call, rows.length);
}

/** Like `wholeList`, for callers that can use the rows of a list that was cut off. */
export async function listAsFarAs<T>(client: M3Client, call: ListCall<T>): Promise<{ rows: T[]; isWhole: boolean }> {
  const asked = client.settings.listCap;
  const records = await answerOf(client, call, asked);
  const operation = `${call.program}.${call.transaction}`;
  const rows = records.map((record) => parsed(call.schema, record, operation));
  if (rows.length >= asked || rows.length === GRID_CAP) return { rows, isWhole: false };
  if (rows.length !== SERVER_DEFAULT) return { rows, isWhole: true };
  // So many rows are the whole list, or the server does not look at maxrecs: one row fewer tells which.
  const fewer = await answerOf(client, call, SERVER_DEFAULT - 1);
  return { rows, isWhole: fewer.length < SERVER_DEFAULT };
}

export function truncated(
  call: Pick<ListCall<unknown>, 'program' | 'transaction'>,
  rows: number,
): UnreadableReplyError {
  const operation = `${call.program}.${call.transaction}`;
  return new UnreadableReplyError(
    `${TITLE} gave ${rows} rows of ${operation}, which is where it cuts lists off. Raise listCap if the grid allows more.`,
    { code: 'LIST_TRUNCATED', detail: { operation, rows } },
  );
}

/** The one record of a `Get…`; null when M3 does not have it. */
export async function one<T>(client: M3Client, call: ListCall<T>): Promise<T | null> {
  const operation = `${call.program}.${call.transaction}`;
  const answer = await client.ask(
    call.program,
    call.transaction,
    call.inputs,
    call.division === undefined ? {} : { division: call.division },
  );
  if (answer.kind === 'REFUSED') {
    if (isNotFound(answer.refusal, client.settings.errorPatterns)) return null;
    throw readRefused(operation, answer.refusal, client.settings.errorPatterns);
  }
  const [record] = answer.records;
  return record === undefined ? null : parsed(call.schema, record, operation);
}
