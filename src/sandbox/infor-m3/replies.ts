import { json, type SandboxReply } from '../kit/index.js';
import type { MiError } from './failures.js';
import { type DateFormat, type Field, formatDate, type Values } from './fields.js';
import type { InforM3Settings } from './settings.js';

/** How one call wants its answer. */
export interface ReplyOptions {
  columns: ReadonlySet<string> | null;
  excludeEmpty: boolean;
  rightTrim: boolean;
  dates: DateFormat;
  extended: boolean;
  metadata: boolean;
  pretty: boolean;
  /** v1 answers XML to those that do not ask for JSON. */
  wantsJson: boolean;
}

/** What became of one transaction. */
export type Outcome =
  | { transaction: string; input: Values; output: readonly Field[]; rows: Values[] }
  | { transaction: string; input: Values; error: MiError }
  | { transaction: string; input: Values; notProcessed: true };

/** One row as text: missing values are blank, dates as asked for, padded to the field's length unless trimmed. */
function cells(output: readonly Field[], row: Values, options: ReplyOptions, padded: boolean): [string, string][] {
  const shown: [string, string][] = [];
  for (const field of output) {
    if (options.columns !== null && !options.columns.has(field.name)) continue;
    const plain = row[field.name] ?? '';
    const text = field.type === 'D' ? formatDate(plain, options.dates) : plain;
    if (options.excludeEmpty && text === '') continue;
    shown.push([field.name, padded ? text.padEnd(field.length) : text]);
  }
  return shown;
}

/** @returns the v2 answer (Infor M3: v2 response; the misspelt name is the vendor's). */
export function replyV2(outcomes: readonly Outcome[], settings: InforM3Settings, options: ReplyOptions): SandboxReply {
  const [only] = outcomes;
  if (outcomes.length === 1 && only !== undefined && 'error' in only && settings.errorMode === 'BAD_REQUEST') {
    return badRequest(only.error, options);
  }
  const failed = outcomes.find((outcome) => 'error' in outcome);
  const skipped = outcomes.filter((outcome) => 'notProcessed' in outcome).length;
  const body = {
    results: outcomes.map((outcome) => resultOf(outcome, options)),
    wasTerminated: skipped > 0,
    ...(skipped > 0 ? { terminationReason: failed?.error.packed ?? 'The call was terminated' } : {}),
    ...(skipped > 0 ? { terminationErrorType: failed === undefined ? 'Terminated' : 'ServerReturnedNOK' } : {}),
    nrOfSuccessfullTransactions: outcomes.filter((outcome) => 'rows' in outcome).length,
    nrOfFailedTransactions: outcomes.filter((outcome) => 'error' in outcome).length,
    nrOfNotProcessedTransactions: skipped,
  };
  return document(200, body, options);
}

/** The other form of a v2 failure: the same fields at the top level. */
export function badRequest(error: MiError, options: Pick<ReplyOptions, 'pretty'>): SandboxReply {
  return document(400, errorFields(error), options);
}

function resultOf(outcome: Outcome, options: ReplyOptions): unknown {
  const { transaction, input } = outcome;
  const head = { transaction, ...(options.extended ? { parameters: input } : {}) };
  if ('error' in outcome) return { ...head, ...errorFields(outcome.error), records: [] };
  if ('notProcessed' in outcome) return { ...head, notProcessed: true, records: [] };
  const { output, rows } = outcome;
  const records = rows.map((row) => Object.fromEntries(cells(output, row, options, !options.rightTrim)));
  return { ...head, records };
}

function errorFields(error: MiError): Record<string, string> {
  return {
    ...{ errorMessage: error.packed, errorCode: error.code, errorField: error.field },
    ...{ errorType: 'ServerReturnedNOK', errorCfg: '' },
  };
}

/** @returns the v1 answer: padded values, failures under HTTP 200 (Infor M3: v1 response). */
export function replyV1(
  program: string,
  outcome: Outcome,
  settings: InforM3Settings,
  options: ReplyOptions,
): SandboxReply {
  if ('error' in outcome) return failureV1(outcome.error, settings, options);
  const output = 'output' in outcome ? outcome.output : [];
  const rows = 'rows' in outcome ? outcome.rows : [];
  const records = rows.map((row) => cells(output, row, options, true));
  if (!options.wantsJson) return xmlV1(program, outcome.transaction, records);
  const metadata = output.map(({ name, type, length }) => ({
    ...{ '@name': name, '@type': type, '@length': String(length), '@description': `Field ${name}` },
  }));
  return document(
    200,
    {
      ...{ Program: program, Transaction: outcome.transaction },
      ...(options.metadata ? { Metadata: { Field: metadata } } : {}),
      MIRecord: records.map((record, index) => ({
        RowIndex: String(index),
        NameValue: record.map(([Name, Value]) => ({ Name, Value })),
      })),
    },
    options,
  );
}

function failureV1(error: MiError, settings: InforM3Settings, options: ReplyOptions): SandboxReply {
  const { code, field, packed } = error;
  if (!options.wantsJson) {
    const attributes = `type="ServerReturnedNOK" code="${escapeXml(code)}" field="${escapeXml(field)}"`;
    return xml(`<ErrorMessage ${attributes}><Message>${escapeXml(packed)}</Message></ErrorMessage>`);
  }
  const body = { '@type': 'ServerReturnedNOK', '@code': code, '@field': field, Message: packed };
  return document(200, settings.v1Errors === 'WRAPPED' ? { ErrorMessage: body } : body, options);
}

function xmlV1(program: string, transaction: string, records: readonly [string, string][][]): SandboxReply {
  const rows = records.map((record, index) => {
    const values = record.map(
      ([name, text]) => `<NameValue><Name>${name}</Name><Value>${escapeXml(text)}</Value></NameValue>`,
    );
    return `<MIRecord><RowIndex>${index}</RowIndex>${values.join('')}</MIRecord>`;
  });
  const head = `<Program>${program}</Program><Transaction>${transaction}</Transaction>`;
  return xml(`<miResult xmlns="http://lawson.com/m3/miaccess">${head}${rows.join('')}</miResult>`);
}

function xml(body: string): SandboxReply {
  const headers = { 'content-type': 'application/xml; charset=utf-8' };
  return { status: 200, headers, body: `<?xml version="1.0" encoding="UTF-8"?>${body}` };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function document(status: number, body: unknown, { pretty }: Pick<ReplyOptions, 'pretty'>): SandboxReply {
  const reply = json(status, body);
  return pretty ? { ...reply, body: JSON.stringify(body, null, 2) } : reply;
}
