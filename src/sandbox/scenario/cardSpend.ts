import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type CsvError, parse } from 'csv-parse';
import { InputError } from '../../errors.js';
import { field } from '../brex/blankAccount.js';
import { type BrexSeed, blankAccount, type SeedPurchase } from '../brex/index.js';
import type { SysproSeed } from '../syspro/seed.js';
import { fiscalOf, fiscalPeriods } from './calendar.js';
import { CARD_SPEND_ROW, type CardSpendRow, minorUnits, SUPPLIER_ROW } from './cardSpendRow.js';
import { BALANCE_SHEET, SYSPRO_ACCESS } from './monthLedger.js';

export interface CardSpendOptions {
  /** CSV `supplier_code,name,active,city,postcode,currency`, plain or .gz. */
  suppliers?: string | Readable;
  /** The Brex account's "now" at the start. Default: ten days after the last purchase. */
  now?: string;
}

/** A line that could not be used, and why. Lines count from 1, the header's. */
export interface LineProblem {
  file: 'purchases' | 'suppliers';
  line: number;
  message: string;
}

export interface CardSpendScenario {
  brex: BrexSeed;
  syspro: SysproSeed;
  /** Rows that are in neither; a caller that needs all rows checks that this is empty. */
  problems: LineProblem[];
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
const LOCAL = 'GBP';
/** Financial years of public bodies in the United Kingdom run from April to March. */
const APRIL = 4;

/**
 * Real purchase card spend as a Brex account and the ledger it was coded for: one purchase a row, seen as transaction,
 * expense and accounting record.
 * @param source path of a CSV (plain or .gz) or a stream of plain CSV.
 * @throws InputError the file is no CSV with these columns, or has no usable row.
 */
export async function fromCardSpend(
  source: string | Readable,
  options: CardSpendOptions = {},
): Promise<CardSpendScenario> {
  const builder = new SpendBuilder();
  const problems: LineProblem[] = [];
  for await (const { row, line } of rowsOf(source, CARD_SPEND_ROW, 'purchases', problems)) {
    const message = builder.add(row);
    if (message !== null) problems.push({ file: 'purchases', line, message });
  }
  const suppliers: NonNullable<SysproSeed['suppliers']> = [];
  if (options.suppliers !== undefined) {
    for await (const { row } of rowsOf(options.suppliers, SUPPLIER_ROW, 'suppliers', problems)) {
      suppliers.push({
        ...{ code: row.supplier_code, name: row.name, onHold: row.active === 'false' },
        ...(row.currency ? { currency: row.currency } : {}),
      });
    }
  }
  return { ...builder.build(suppliers, options.now), problems };
}

async function* rowsOf<Row>(
  source: string | Readable,
  schema: { safeParse(value: unknown): { success: true; data: Row } | { success: false; error: { issues: Issue[] } } },
  file: LineProblem['file'],
  problems: LineProblem[],
): AsyncGenerator<{ row: Row; line: number }> {
  const parser = parse({ columns: true, bom: true, info: true, skip_empty_lines: true, relax_column_count: true });
  const input = typeof source === 'string' ? createReadStream(source) : source;
  const fail = (error: Error) => parser.destroy(error);
  input.on('error', fail);
  if (typeof source === 'string' && source.endsWith('.gz')) {
    input.pipe(createGunzip()).on('error', fail).pipe(parser);
  } else input.pipe(parser);
  try {
    for await (const item of parser as AsyncIterable<{ record: unknown; info: { lines: number } }>) {
      const parsed = schema.safeParse(item.record);
      if (parsed.success) yield { row: parsed.data, line: item.info.lines };
      else {
        const [issue] = parsed.error.issues;
        const message = `${issue?.path.join('.') ?? 'row'}: ${issue?.message ?? 'unusable'}`;
        problems.push({ file, line: item.info.lines, message });
      }
    }
  } catch (error) {
    const { lines, message } = error as CsvError & { lines?: number };
    throw new InputError(`The ${file} file cannot be read${lines ? ` at line ${lines}` : ''}: ${message}`, [file]);
  }
}

interface Issue {
  path: PropertyKey[];
  message: string;
}

/** Numbers the distinct values of a column. */
class Distinct {
  readonly values = new Map<string, { index: number; label: string }>();

  add(code: string, label = code): number {
    const known = this.values.get(code);
    if (known) return known.index;
    const index = this.values.size;
    this.values.set(code, { index, label });
    return index;
  }

  get pairs(): [code: string, label: string][] {
    return [...this.values].map(([code, { label }]) => [code, label]);
  }
}

class SpendBuilder {
  private readonly purchases: SeedPurchase[] = [];
  private readonly keys = new Set<string>();
  private readonly cards = new Distinct();
  private readonly merchants = new Distinct();
  private readonly accounts = new Distinct();
  private readonly centres = new Distinct();
  private readonly vat = new Distinct();
  private readonly cac = new Distinct();
  private readonly directorates = new Distinct();
  private readonly pairs = new Distinct();
  private firstDay = '9999-12-31';
  private lastDay = '0000-01-01';

  /** @returns why the row cannot be used, or null. */
  add(row: CardSpendRow): string | null {
    const key = `${row.source_file}-${row.source_row}`.replace(/[^A-Za-z0-9-]/g, '-');
    if (this.keys.has(key)) return `source_row: ${row.source_file} has row ${row.source_row} twice`;
    const originalCurrency = row.original_currency || LOCAL;
    const currency = row.billing_currency || (row.billing_amount === '' ? originalCurrency : LOCAL);
    const originalMinor = minorUnits(row.original_amount, originalCurrency);
    const amountMinor = minorUnits(row.billing_amount || row.original_amount, currency);
    if (originalMinor === null) return `original_amount: more decimals than ${originalCurrency} has`;
    if (amountMinor === null) return `billing_amount: more decimals than ${currency} has`;
    this.keys.add(key);
    if (row.transaction_date < this.firstDay) this.firstDay = row.transaction_date;
    if (row.transaction_date > this.lastDay) this.lastDay = row.transaction_date;
    const isForeign = originalCurrency !== currency || originalMinor !== amountMinor;
    this.purchases.push({
      ...{ key, kind: 'CARD', amountMinor, currency, ...timesOf(row.transaction_date, this.purchases.length) },
      ...{ user: this.cards.add(row.card_number_masked) + 1, merchant: this.merchants.add(row.merchant_name) },
      ...{ descriptor: row.merchant_name, ...(isForeign ? { originalMinor, originalCurrency } : {}) },
      ...(row.directorate ? { memo: row.directorate } : {}),
      lines: [{ amountMinor, coding: this.coding(row) }],
    });
    return null;
  }

  build(suppliers: NonNullable<SysproSeed['suppliers']>, now?: string): { brex: BrexSeed; syspro: SysproSeed } {
    if (this.purchases.length === 0) throw new InputError('The purchases file has no usable row.', ['purchases']);
    const end = new Date(Date.parse(`${this.lastDay}T00:00:00Z`) + 10 * DAY).toISOString();
    return { brex: this.brex(now ?? end), syspro: this.ledger(suppliers) };
  }

  private coding(row: CardSpendRow): Record<string, string | null> {
    const { account_code: account, cost_centre_code: centre } = row;
    if (account && centre) {
      // A stop, because cost centres hold hyphens themselves and a code must come apart in one way only.
      this.pairs.add(`${centre}.${account}`, `${row.account_description}, ${row.cost_centre_description}`);
    }
    const coded = (column: Distinct, code: string, label = code): string | null => {
      if (code === '') return null;
      column.add(code, label || code);
      return code;
    };
    return {
      gl_account: coded(this.accounts, account, `${account} ${row.account_description}`),
      cost_center: coded(this.centres, centre, `${centre} ${row.cost_centre_description}`),
      vat: coded(this.vat, row.vat_description),
      cac: coded(this.cac, row.cac_code_3),
      directorate: coded(this.directorates, row.directorate),
    };
  }

  private brex(now: string): BrexSeed {
    const blank = blankAccount(now);
    const holders = this.cards.pairs.map(([card], index) => ({
      ...{ id: `cuuser_card${index + 1}`, firstName: 'Card', lastName: card.slice(-4), role: 'EMPLOYEE' },
      ...{ email: `card${index + 1}@council.example`, departmentId: 'dept_sbx1', locationId: 'loc_sbx1' },
    }));
    return {
      ...blank,
      company: { ...blank.company, legalName: 'City Council' },
      users: [...blank.users, ...holders],
      legalEntities: [{ id: 'le_sbx1', name: 'City Council', currency: LOCAL, isDefault: true }],
      fields: [
        field('gl_account', 'GL Account', this.accounts.pairs),
        field('cost_center', 'Cost center', this.centres.pairs),
        field('vat', 'VAT', this.vat.pairs),
        field('cac', 'CAC', this.cac.pairs),
        field('directorate', 'Directorate', this.directorates.pairs),
      ],
      merchants: this.merchants.pairs.map(([name], index) => ({
        ...{ id: `pmch_sbx${index + 1}`, name, mcc: '5999', country: 'GBR' },
      })),
      purchases: this.purchases,
    };
  }

  private ledger(suppliers: NonNullable<SysproSeed['suppliers']>): SysproSeed {
    const settled = new Date(Date.parse(`${this.lastDay}T00:00:00Z`) + 3 * DAY).toISOString().slice(0, 10);
    const first = fiscalOf(this.firstDay.slice(0, 7), APRIL);
    const current = fiscalOf(settled.slice(0, 7), APRIL);
    const years = { from: Math.min(first.year, current.year - 1), to: current.year };
    return {
      ...{ companyId: SYSPRO_ACCESS.companyId, companyPassword: SYSPRO_ACCESS.companyPassword },
      companyName: 'City Council',
      operators: [{ name: SYSPRO_ACCESS.operator, password: SYSPRO_ACCESS.password }],
      localCurrency: LOCAL,
      companyDate: settled,
      accounts: [
        ...BALANCE_SHEET,
        ...this.pairs.pairs.map(([code, description]) => ({ code, description, type: 'E' as const })),
      ],
      suppliers,
      supplierKeyLength: 7,
      branches: ['00'],
      termsCodes: ['30'],
      banks: ['1'],
      currencies: [LOCAL],
      periods: fiscalPeriods(years, APRIL, () => true),
      ...{ currentYear: current.year, currentPeriod: current.period },
      ...{ apControlAccount: '00-2100', taxAccount: '00-1450' },
    };
  }
}

/** Settled two days after the purchase; the views follow some hours apart. The row number keeps the moments distinct. */
function timesOf(
  day: string,
  index: number,
): Pick<SeedPurchase, 'purchasedAt' | 'postedAt' | 'expenseAt' | 'recordAt'> {
  const bought = Date.parse(`${day}T08:00:00Z`) + (index % 36_000) * 1_000;
  const settled = new Date(bought + 2 * DAY).toISOString();
  const micros = String(index % 1_000).padStart(3, '0');
  const precise = (at: number) => `${new Date(at).toISOString().slice(0, -1)}${micros}Z`;
  return {
    purchasedAt: new Date(bought).toISOString(),
    postedAt: settled,
    expenseAt: precise(bought + 2 * DAY + HOUR),
    recordAt: precise(bought + 3 * DAY),
  };
}
