import { readFile } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { normaliseMerchant } from '../domain/vendor/index.js';
import { VENDOR_DECISIONS, type VendorDecision } from '../domain/vocabulary.js';
import { InputError } from '../errors.js';
import type { Work } from './ground.js';

/** One line of a file of decisions about merchants. */
export interface GivenDecision {
  readonly line: number;
  readonly merchant: string;
  readonly decision: VendorDecision;
  readonly supplierCode: string | null;
  readonly supplierName: string | null;
}

/** A decision that can be carried out, or why it cannot. */
export interface CheckedDecision extends GivenDecision {
  readonly matchId: string | null;
  readonly problem: string | null;
}

const cell = z
  .string()
  .trim()
  .optional()
  .transform((text) => (text === undefined || text === '' ? null : text));

const ROW = z
  .strictObject({
    merchant: z.string({ error: 'the column is missing' }).trim().min(1, 'it is empty'),
    decision: cell,
    supplier_code: cell,
    supplier_name: cell,
  })
  .transform(({ merchant, decision, supplier_code: supplierCode, supplier_name: supplierName }, context) => {
    const word = decision?.toUpperCase() ?? (supplierCode === null ? null : 'ASSIGN');
    const known = VENDOR_DECISIONS.find((one) => one === word);
    if (known === undefined) {
      const message = `“${decision ?? ''}” is none of ${VENDOR_DECISIONS.join(', ')}`;
      context.addIssue({ code: 'custom', path: ['decision'], message });
      return z.NEVER;
    }
    if (known === 'ASSIGN' && supplierCode === null) {
      context.addIssue({ code: 'custom', path: ['supplier_code'], message: 'ASSIGN needs it' });
      return z.NEVER;
    }
    return { merchant, decision: known, supplierCode, supplierName };
  });

/**
 * Decisions from a CSV with the columns merchant, decision, supplier_code and supplier_name; without a decision, a supplier
 * code means ASSIGN.
 * @throws InputError naming the file, the line and the column.
 */
export async function readDecisions(path: string): Promise<GivenDecision[]> {
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new InputError(`The file ${path} cannot be read.`, ['file'], { cause });
  });
  let rows: { record: Record<string, string>; info: { lines: number } }[];
  try {
    rows = parse(content, { columns: true, bom: true, skip_empty_lines: true, info: true });
  } catch (cause) {
    const why = cause instanceof CsvError ? cause.message : 'it is not CSV';
    throw new InputError(`The file ${path} cannot be read: ${why}.`, ['file'], { cause });
  }
  return rows.map(({ record, info }) => {
    const parsed = ROW.safeParse(record);
    if (parsed.success) return { line: info.lines, ...parsed.data };
    const [issue] = parsed.error.issues;
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : null;
    const column = unknown ?? (issue?.path.map(String).join('.') || 'row');
    const why = unknown === null ? (issue?.message ?? 'unusable') : 'the column is not known here';
    throw new InputError(`${path}, line ${info.lines}, column ${column}: ${why}.`, ['file']);
  });
}

/** Finds the match of each merchant and looks whether its decision can be carried out. Changes nothing. */
export async function checkDecisions(
  { ground, caller }: Work,
  ledgerId: string,
  given: readonly GivenDecision[],
): Promise<CheckedDecision[]> {
  return ground.db.tenant(caller.tenantId, async (tx) => {
    const keys = given.map(({ merchant }) => normaliseMerchant(merchant));
    const matches = await tx.query<{ id: string; merchant_key: string; proposed: string | null }>(
      `select id, merchant_key, coalesce(supplier_code, candidates -> 0 ->> 'supplierCode') as proposed
       from vendor_matches where tenant_id = $1 and ledger_id = $2 and merchant_key = any($3)`,
      [tx.tenantId, ledgerId, keys],
    );
    const matchOf = new Map(matches.map((match) => [match.merchant_key, match]));
    const codes = [...given.flatMap((one) => one.supplierCode ?? []), ...matches.flatMap((one) => one.proposed ?? [])];
    const suppliers = await tx.query<{ code: string; active: boolean }>(
      'select code, active from suppliers where tenant_id = $1 and system_id = $2 and code = any($3)',
      [tx.tenantId, ledgerId, codes],
    );
    const isActive = new Map(suppliers.map(({ code, active }) => [code, active]));
    const seen = new Map<string, number>();
    return given.map((one, place) => {
      const key = keys[place] ?? '';
      const match = matchOf.get(key);
      const earlier = seen.get(key);
      seen.set(key, one.line);
      const problem =
        earlier !== undefined
          ? `line ${earlier} is about the same merchant`
          : match === undefined
            ? 'no purchase of this merchant has been seen'
            : supplierProblem(one, match.proposed, isActive);
      return { ...one, matchId: match?.id ?? null, problem };
    });
  });
}

function supplierProblem(
  { decision, supplierCode }: GivenDecision,
  proposed: string | null,
  isActive: ReadonlyMap<string, boolean>,
): string | null {
  if (decision === 'REJECT' || decision === 'CREATE') return null;
  const code = supplierCode ?? proposed;
  if (code === null) return 'no supplier is proposed that could be confirmed';
  const active = isActive.get(code);
  if (active === undefined) return `the ledger has no supplier ${code}`;
  return active ? null : `supplier ${code} is inactive`;
}

/** The id of a ledger given by id or by name; the only one when none is given. @throws InputError naming those there are. */
export async function ledgerIdOf({ ground, caller }: Work, given: string | undefined): Promise<string> {
  const all = await ground.db.tenant(caller.tenantId, (tx) =>
    tx.query<{ id: string; name: string }>(
      `select id, name from systems where tenant_id = $1 and role = 'LEDGER' order by name`,
      [tx.tenantId],
    ),
  );
  const found =
    given === undefined && all.length === 1
      ? all[0]
      : (all.find((one) => one.id === given) ?? all.find((one) => one.name === given));
  if (found) return found.id;
  const known =
    all.length > 0 ? `There are: ${all.map((one) => `${one.name} (${one.id})`).join(', ')}.` : 'There is none yet.';
  const what = given === undefined ? 'Name the ledger with --ledger.' : `There is no ledger "${given}".`;
  throw new InputError(`${what} ${known}`, ['--ledger']);
}
