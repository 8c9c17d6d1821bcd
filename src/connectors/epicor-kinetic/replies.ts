import type { ZodType } from 'zod';
import { UnreadableReplyError } from '../../errors.js';
import type { HttpReply } from '../http.js';
import { type FailureFacts, refusedUnder200 } from './failures.js';
import { isRecord, parseExact, type Row } from './json.js';

/** What business methods answer, and rows out of it. */

export type Tables = Record<string, Row[]>;

/** What a business method answers: its return value, its out parameters and the rows to go on with. */
export interface MethodReply {
  readonly returnObj: unknown;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly tables: Tables;
  /** The body was empty: of a method that answers nothing, that is no yes by itself. */
  readonly isEmpty?: boolean;
}

export const emptyReply: MethodReply = { returnObj: undefined, parameters: {}, tables: {} };

/** null = not the JSON object that methods answer with. */
export function methodReply(reply: HttpReply): MethodReply | null {
  const body = parseExact(reply.body.toString('utf8'))?.value;
  if (!isRecord(body)) return null;
  const parameters = isRecord(body.parameters) ? body.parameters : {};
  return { returnObj: body.returnObj, parameters, tables: tablesOf(parameters.ds ?? body.ds ?? body.returnObj) };
}

/**
 * A reply with HTTP 200 that says that nothing, or not all, was saved.
 * @throws ErpRejectedError, PeriodClosedError in the words of the ledger.
 */
export function saved(answer: MethodReply, facts: FailureFacts): MethodReply {
  const { parameters, returnObj } = answer;
  if (parameters.errorsOccurred === true) {
    const errors = isRecord(returnObj) && Array.isArray(returnObj.BOUpdError) ? returnObj.BOUpdError : [];
    throw refusedUnder200(
      errors.filter(isRecord).map(({ ErrorText }) => String(ErrorText ?? '')),
      facts,
    );
  }
  if (parameters.lUpdateRan === false) throw refusedUnder200(promptsOf(parameters), facts);
  return answer;
}

const PROMPTS =
  /^(opMessage|opMsgChkBankRef|opChkRevMsg|opDUAMsg|OpMessage|confirmMsg|cMessageText|DateMessage|ReturnMessage|VarianceMessage)$/;

/** What a screen would have asked or told the user. */
export function promptsOf(parameters: Readonly<Record<string, unknown>>): string[] {
  const texts = Object.entries(parameters).flatMap(([name, value]) =>
    PROMPTS.test(name) && typeof value === 'string' && value.trim() !== '' ? [value.trim()] : [],
  );
  const needsInput = parameters.requiresUserInput === true || parameters.RequiresUserInput === true;
  return needsInput ? [...texts, 'It asks for input of a user (requiresUserInput)'] : texts;
}

function tablesOf(value: unknown): Tables {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, rows]) => (Array.isArray(rows) ? [[name, rows.filter(isRecord)]] : [])),
  );
}

/** @throws UnreadableReplyError a column that is needed is not there; names the columns, never their values. */
export function parsedRow<T>(schema: ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const columns = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new UnreadableReplyError(`Epicor Kinetic's ${what} comes without ${columns}.`, { detail: { what, columns } });
}

/** Rows of a table, each parsed. */
export function rowsOf<T>(tables: Tables, table: string, schema: ZodType<T>): T[] {
  return (tables[table] ?? []).map((row) => parsedRow(schema, row, table));
}
