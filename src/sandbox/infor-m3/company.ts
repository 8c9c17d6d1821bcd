import { InputError } from '../../errors.js';
import type { ParsedCompanySeed } from '../kit/index.js';
import { COMPANY, DIVISION, TEMPLATE_SUPPLIER } from './access.js';
import { isDay, parseRate } from './amounts.js';
import { GlBatches } from './batches.js';
import type { Values } from './fields.js';
import { InvoiceStage } from './invoices.js';
import { Jobs } from './jobs.js';
import type { InforM3Settings } from './settings.js';
import { SortedMap } from './sorted.js';
import { VoucherBook } from './vouchers.js';

/** A value of a dimension; dimension 1 is the accounts (Infor M3: accounts and dimensions). */
export interface AccountId {
  dimension: string;
  code: string;
  name: string;
  blocked: boolean;
  /** Only postings of M3's own sub-ledgers may use it. */
  manualBlocked: boolean;
  kind: ParsedCompanySeed['accounts'][number]['kind'] | null;
  isPayables: boolean;
  needsCostCentre: boolean;
  /** yyyy-mm-dd; null = without end. */
  validFrom: string | null;
  validTo: string | null;
  changes: number;
  changedAtMs: number;
}

export interface Supplier {
  code: string;
  name: string;
  status: string;
  /** '9' is a template. */
  type: string;
  currency: string;
  country: string;
  payee: string;
  /** Further fields as they were sent. */
  fields: Record<string, string>;
  addresses: Values[];
  changedAtMs: number;
}

export type Period = ParsedCompanySeed['periods'][number];

/** A message that ION took in, and what became of it. */
export interface Acknowledgement {
  documentId: string;
  messageId: string;
  state: 'PENDING' | 'ACCEPTED' | 'REJECTED';
  reason: string;
}

/** Everything the simulated M3 company holds. Starts as the seed says; `reset` goes back there. */
export class M3Company {
  readonly jobs: Jobs;
  /** Dimensions 1 to 7 by their number. */
  dimensions = new Map<string, SortedMap<AccountId>>();
  suppliers = new SortedMap<Supplier>();
  periods: Period[] = [];
  taxCodes: { code: string; seedCode: string; name: string; percent: string }[] = [];
  rates = new Map<string, bigint>();
  vouchers = new VoucherBook();
  batches = new GlBatches();
  invoices = new InvoiceStage();
  messages: Acknowledgement[] = [];
  private lastOrder = 0;

  constructor(
    readonly seed: ParsedCompanySeed,
    readonly settings: InforM3Settings,
    readonly nowMs: () => number,
  ) {
    this.jobs = new Jobs(nowMs);
    this.reset();
  }

  reset(): void {
    this.jobs.clear();
    this.vouchers = new VoucherBook();
    this.batches = new GlBatches();
    this.invoices = new InvoiceStage();
    this.messages = [];
    this.periods = this.seed.periods
      .map((period) => ({ ...period }))
      .sort((a, b) => (a.startsOn < b.startsOn ? -1 : 1));
    this.taxCodes = this.seed.taxCodes.map(({ code, name, percent }, index) => ({
      ...{ name, percent, seedCode: code },
      code: /^\d{1,2}$/.test(code) ? code : String(index + 1),
    }));
    this.rates = new Map(
      Object.entries(this.seed.rates).map(([currency, text]) => [currency, readRate(currency, text)]),
    );
    this.rates.set(this.seed.currency, 1_000_000_000n);
    this.fillDimensions();
    this.fillSuppliers();
  }

  /** @returns where in the order of writing the next document stands. */
  nextOrder(): number {
    this.lastOrder += 1;
    return this.lastOrder;
  }

  account(code: string): AccountId | undefined {
    return this.dimension('1', code);
  }

  dimension(dimension: string, code: string): AccountId | undefined {
    return this.values(dimension).get(code);
  }

  values(dimension: string): SortedMap<AccountId> {
    return this.dimensions.get(dimension) ?? new SortedMap<AccountId>();
  }

  period(day: string): Period | undefined {
    return this.periods.find(({ startsOn, endsOn }) => startsOn <= day && day <= endsOn);
  }

  /** @returns the financial year that holds the day. */
  yearOf(day: string): number {
    const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))];
    const first = this.settings.fiscalYearFirstMonth;
    return first > 1 && month >= first ? year + 1 : year;
  }

  /** @returns yyyypp. */
  periodNumber(day: string): string {
    const offset = (Number(day.slice(5, 7)) - this.settings.fiscalYearFirstMonth + 12) % 12;
    return `${this.yearOf(day)}${String(offset + 1).padStart(2, '0')}`;
  }

  /** @returns where M3 puts an invoice line that names no account. */
  derivedAccount(): string {
    if (this.settings.derivedAccount !== null) return this.settings.derivedAccount;
    return (
      this.seed.accounts.find(({ kind, active }) => kind === 'EXPENSE' && active)?.code ?? this.seed.payablesAccount
    );
  }

  private fillDimensions(): void {
    this.dimensions = new Map(['1', '2', '3', '4', '5', '6', '7'].map((key) => [key, new SortedMap<AccountId>()]));
    const add = (dimension: string, code: string, name: string, more: Partial<AccountId>): void => {
      checkLength('code', code, 10);
      this.dimensions.get(dimension)?.set(code.toUpperCase(), {
        ...{ dimension, code: code.toUpperCase(), name, blocked: false, manualBlocked: false, kind: null },
        ...{ isPayables: false, needsCostCentre: false, validFrom: null, validTo: null, changes: 1 },
        ...{ changedAtMs: this.nowMs(), ...more },
      });
    };
    for (const { code, name, kind, active, control, needsCostCentre } of this.seed.accounts) {
      const isPayables = code === this.seed.payablesAccount;
      add('1', code, name, { kind, blocked: !active, manualBlocked: control, needsCostCentre, isPayables });
    }
    for (const { code, name, active } of this.seed.costCentres) add('2', code, name, { blocked: !active });
    for (const [dimension, values] of Object.entries(this.settings.dimensions)) {
      for (const { code, name, active } of values) add(dimension, code, name, { blocked: !active });
    }
  }

  private fillSuppliers(): void {
    this.suppliers = new SortedMap<Supplier>();
    const add = (code: string, name: string, status: string, type: string, currency: string): void => {
      checkLength('suppliers', code, 10);
      const key = code.toUpperCase();
      this.suppliers.set(key, {
        ...{ code: key, name, status, type, currency, country: 'US', payee: key },
        ...{ fields: {}, addresses: [], changedAtMs: this.nowMs() },
      });
    };
    for (const { code, name, active, currency } of this.seed.suppliers) {
      add(code, name, active ? '20' : '90', '0', currency ?? this.seed.currency);
    }
    add(TEMPLATE_SUPPLIER, 'Template', '20', '9', this.seed.currency);
  }
}

export { COMPANY, DIVISION };

function readRate(currency: string, text: string): bigint {
  const rate = parseRate(text);
  if (rate === undefined) throw new InputError(`rates.${currency}: must be a positive decimal`, ['rates', currency]);
  return rate;
}

function checkLength(field: string, code: string, length: number): void {
  if (code.length > length) throw new InputError(`${field}: '${code}' is longer than ${length} characters`, [field]);
}

/** @throws InputError naming what M3 could not hold. */
export function checkSeed(seed: ParsedCompanySeed): void {
  for (const { startsOn, endsOn } of seed.periods) {
    if (!isDay(startsOn) || !isDay(endsOn))
      throw new InputError('periods: a date is none of the calendar', ['periods']);
  }
  for (const field of ['payablesAccount', 'taxAccount'] as const) {
    if (seed.accounts.every(({ code }) => code !== seed[field])) {
      throw new InputError(`${field}: the accounts do not hold it`, [field]);
    }
  }
}
