import { z } from 'zod';
import { entryRow, type RestClass, supplierRow } from './classes.js';
import type { X3Company } from './company.js';
import { analyticDraft, type EntryDraft, type LineDraft, writeEntry } from './entries.js';
import { writeSupplier } from './suppliers.js';
import type { Row } from './where.js';
import { isRefusal, type Refusal, words } from './words.js';

export interface Created {
  key: string;
  resource: Row;
}

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const bodySchema = z.record(z.string(), z.unknown());
type Body = z.output<typeof bodySchema>;

/**
 * Creates by POST what this installation lets REST create.
 * @returns undefined when the class is a classic one, which REST only reads.
 */
export function createByRest(company: X3Company, className: string, text: string): Created | Refusal | undefined {
  const { classes, journalClass, supplierCreate } = company.settings;
  const isJournal = journalClass !== null && className === journalClass;
  if (!isJournal && !(className === classes.supplier && supplierCreate)) return undefined;
  const body = readJson(text);
  if (body === undefined) return { refused: [words.badDocument] };
  return isJournal ? createJournal(company, body) : createSupplier(company, body);
}

function createJournal(company: X3Company, body: Body): Created | Refusal {
  const { lineCollection, analyticCollection } = company.settings;
  const lines: LineDraft[] = rowsOf(body, lineCollection).map((row) => {
    const fields = cells(row);
    const nested = rowsOf(row, analyticCollection).map((child) => {
      const columns = cells(child);
      return analyticDraft(columns, columns.get('AMTCUR') ?? '');
    });
    // A class of one level has the dimensions in the line, which then carry all of its amount.
    const flat = nested.length > 0 ? [] : [analyticDraft(fields, fields.get('AMTCUR') ?? '')];
    return { fields, analytics: [...nested, ...flat].filter((draft) => draft !== undefined) };
  });
  const draft: EntryDraft = { fields: cells(body), lines, origin: 1 };
  const outcome = writeEntry(company, draft);
  if (isRefusal(outcome)) return outcome;
  return { key: company.entries.keyOf(outcome.entry), resource: entryRow(company, outcome.entry) };
}

function createSupplier(company: X3Company, body: Body): Created | Refusal {
  const addresses = rowsOf(body, 'BPSADDRESSES').map(cells);
  const outcome = writeSupplier(company, { fields: cells(body), addresses });
  return isRefusal(outcome) ? outcome : { key: outcome.code, resource: supplierRow(outcome) };
}

/** Default values as `$template` gives them, among them keys with `$` that a client must not send back. */
export function templateOf(company: X3Company, className: string): Record<string, unknown> {
  const head = { $uuid: '00000000-0000-4000-8000-000000000000', $actions: {} };
  if (className === company.settings.classes.supplier)
    return { ...head, BPSTYP: 1, ENAFLG: 2, CUR: company.ledgerCurrency };
  return { ...head, FCY: company.codes.site, CUR: company.ledgerCurrency, CAT: 1, STA: 1 };
}

const LENGTHS: Record<string, number> = {
  BPSNUM: 15,
  BPSNAM: 35,
  BPSREM: 250,
  REFINT: 25,
  BPRVCR: 20,
  DESVCR: 30,
  DES: 30,
};

export function prototypeOf(company: X3Company, found: RestClass | undefined): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  const shown = found ?? { fields: new Map([['REFINT', 'string']]), name: company.settings.journalClass ?? '' };
  for (const [name, kind] of shown.fields) {
    properties[name] = {
      $type: `application/x-${kind}`,
      ...(kind === 'string' ? { $maxLength: LENGTHS[name] ?? 20 } : {}),
      $isMandatory: false,
      $isExcluded: false,
      $capabilities: 'filter,sort',
      $x3Format: '',
    };
  }
  return { $baseUrl: `/${company.codes.endpoint}`, $type: 'application/json', $properties: properties };
}

function readJson(text: string): Body | undefined {
  try {
    // Numbers stay as they were written: an amount must not pass through binary fractions.
    const quoted = text.replace(
      /("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)(?=\s*[,}\]])/g,
      (_all, string?: string, number?: string) => (string === undefined ? `"${number}"` : string),
    );
    return bodySchema.safeParse(JSON.parse(quoted)).data;
  } catch {
    return undefined;
  }
}

function cells(body: Body): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(body)) {
    const parsed = cell.safeParse(value);
    if (!name.startsWith('$') && parsed.success && parsed.data !== null) found.set(name, String(parsed.data));
  }
  return found;
}

function rowsOf(body: Body, name: string): Body[] {
  return z.array(bodySchema).safeParse(body[name]).data ?? [];
}
