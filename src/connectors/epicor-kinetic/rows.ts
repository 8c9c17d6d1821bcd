import { UnreadableReplyError } from '../../errors.js';
import type { Row } from './json.js';
import type { MethodReply, Tables } from './replies.js';

/** Handling of rows that go back and forth whole: `RowMod` says what is to be done with each. */

/**
 * The row that a GetNew method added.
 * @throws UnreadableReplyError there is none.
 */
export function newRow(reply: MethodReply, table: string): Row {
  const rows = reply.tables[table] ?? [];
  const row = rows.findLast(({ RowMod }) => RowMod === 'A') ?? rows.at(-1);
  if (row) return row;
  throw new UnreadableReplyError(`Epicor Kinetic gave no new row of ${table}.`, { detail: { table } });
}

/** The only row of a table, as a method left it. @throws UnreadableReplyError there is none. */
export function rowIn(reply: MethodReply, table: string): Row {
  return newRow(reply, table);
}

/** The tables of a reply, or those that were sent when it has none. */
export function tablesAfter(reply: MethodReply, table: string, before: Tables): Tables {
  return (reply.tables[table]?.length ?? 0) > 0 ? reply.tables : before;
}

/** A row to be added. */
export function added(row: Row, columns: Row): Row {
  return { ...row, ...columns, RowMod: 'A' };
}

/** A stored row to be changed; it carries the revision that it was read with. */
export function updated(row: Row, columns: Row = {}): Row {
  return { ...row, ...columns, RowMod: 'U' };
}
