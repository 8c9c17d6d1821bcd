import { InputError } from '../../errors.js';
import type { ParsedCompanySeed } from '../kit/index.js';
import type { SageX3Settings } from './settings.js';
import { Table } from './table.js';

export interface Account {
  readonly chart: string;
  readonly code: string;
  readonly name: string;
  readonly kind: string;
  /** A control account needs a partner. */
  readonly control: boolean;
  /** Types of which every line needs a dimension. */
  readonly mandatoryTypes: readonly string[];
  active: boolean;
  updatedAt: string;
}

export interface Dimension {
  readonly type: string;
  readonly code: string;
  readonly name: string;
  readonly postable: boolean;
  active: boolean;
}

export interface Supplier {
  readonly code: string;
  /** By X3's names, all that was entered. */
  readonly fields: ReadonlyMap<string, string>;
  readonly addresses: readonly ReadonlyMap<string, string>[];
  active: boolean;
  readonly createdAt: string;
  updatedAt: string;
}

export interface Period {
  readonly year: number;
  readonly number: number;
  readonly startsOn: string;
  readonly endsOn: string;
  open: boolean;
}

export interface Analytic {
  readonly number: number;
  /** Dimension by its type, in the order of the slots. */
  readonly codes: ReadonlyMap<string, string>;
  readonly amount: bigint;
}

export interface EntryLine {
  readonly number: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly account: string;
  readonly sign: 1 | -1;
  /** Positive, in the smallest unit of the transaction's currency; the sign says the side. */
  readonly amount: bigint;
  /** In the smallest unit of the ledger's currency. */
  readonly ledgerAmount: bigint;
  readonly analytics: readonly Analytic[];
}

/** One row of GACCENTRY with its lines. */
export interface Entry {
  readonly type: string;
  readonly number: string;
  /** By X3's names: FCY, JOU, ACCDAT, CUR, DESVCR, REFINT and so on. Dates are yyyy-mm-dd. */
  readonly fields: ReadonlyMap<string, string>;
  readonly year: number;
  readonly period: number;
  readonly origin: 1 | 3;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lines: readonly EntryLine[];
}

export const entryField = (entry: Entry, name: string): string => entry.fields.get(name) ?? '';

/** The folder's data. Everything that is looked up by a request stands in a table with a key or an index. */
export class X3Company {
  accounts!: Table<Account>;
  dimensions!: Table<Dimension>;
  suppliers!: Table<Supplier>;
  entries!: Table<Entry>;
  dimensionTypes!: ReadonlyMap<string, string>;
  periods!: readonly Period[];
  /** Set-up that only a reset takes over. */
  codes!: Pick<SageX3Settings, 'endpoint' | 'company' | 'site' | 'chart' | 'secondChart' | 'costCentreType'>;
  /** Journals in the order in which they were written first. */
  written: string[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(
    readonly seed: ParsedCompanySeed,
    readonly settings: SageX3Settings,
    private readonly clock: { now(): Date },
  ) {
    this.reset();
  }

  reset(): void {
    const { endpoint, company, site, chart, secondChart, costCentreType, secondType } = this.settings;
    this.codes = { endpoint, company, site, chart, secondChart, costCentreType };
    this.dimensionTypes = new Map([
      [costCentreType, 'Cost centres'],
      [secondType.code, secondType.name],
    ]);
    this.accounts = new Table((account) => `${account.chart}~${account.code}`, { ACC: (account) => account.code });
    this.dimensions = new Table((dimension) => `${dimension.type}~${dimension.code}`);
    this.suppliers = new Table((supplier) => supplier.code, {
      BPSREM: (supplier) => supplier.fields.get('BPSREM') ?? '',
    });
    this.entries = new Table((entry) => `${entry.type}~${entry.number}`, {
      REFINT: (entry) => entryField(entry, 'REFINT'),
      NUM: (entry) => entry.number,
      BPRVCR: (entry) => entryField(entry, 'BPRVCR'),
      ACCDAT: (entry) => entryField(entry, 'ACCDAT'),
    });
    this.written = [];
    this.numbers.clear();
    this.periods = this.seed.periods.map((period, index) => ({
      year: Number(period.startsOn.slice(0, 4)),
      number: index + 1,
      ...period,
    }));
    this.fill(costCentreType);
  }

  get now(): string {
    return this.clock.now().toISOString();
  }

  get ledgerCurrency(): string {
    return this.seed.currency;
  }

  /** @returns the rate to the ledger's currency as exact text; undefined for a currency that is not set up. */
  rate(currency: string): string | undefined {
    return currency === this.seed.currency ? '1' : this.seed.rates[currency];
  }

  account(code: string): Account | undefined {
    return this.accounts.get(`${this.codes.chart}~${code}`);
  }

  dimension(type: string, code: string): Dimension | undefined {
    return this.dimensions.get(`${type}~${code}`);
  }

  periodOf(day: string): Period | undefined {
    return this.periods.find((period) => period.startsOn <= day && day <= period.endsOn);
  }

  /** @returns the next number of a sequence that starts at 1. */
  next(sequence: string): number {
    const number = (this.numbers.get(sequence) ?? 0) + 1;
    this.numbers.set(sequence, number);
    return number;
  }

  write(entry: Entry): void {
    const key = this.entries.keyOf(entry);
    if (this.entries.get(key) === undefined) this.written.push(key);
    this.entries.put(entry);
  }

  setPeriodOpen(day: string, open: boolean): void {
    const period = this.periodOf(day);
    if (period === undefined) throw new InputError(`on: no period holds ${day}.`, ['on']);
    period.open = open;
  }

  setAccountActive(code: string, active: boolean): void {
    const account = this.account(code);
    if (account === undefined) throw new InputError(`code: the chart has no account '${code}'.`, ['code']);
    account.active = active;
    account.updatedAt = this.now;
  }

  setSupplierActive(code: string, active: boolean): void {
    const supplier = this.suppliers.get(code);
    if (supplier === undefined) throw new InputError(`code: there is no supplier '${code}'.`, ['code']);
    supplier.active = active;
    supplier.updatedAt = this.now;
  }

  setDimensionActive(type: string, code: string, active: boolean): void {
    const dimension = this.dimension(type, code);
    if (dimension === undefined) throw new InputError(`code: there is no dimension '${type} ${code}'.`, ['code']);
    dimension.active = active;
  }

  private fill(costCentreType: string): void {
    const { chart, secondChart } = this.codes;
    const at = this.now;
    for (const { code, name, kind, active, control, needsCostCentre } of this.seed.accounts) {
      const mandatoryTypes = needsCostCentre ? [costCentreType] : [];
      this.accounts.put({ chart, code, name, kind, active, control, mandatoryTypes, updatedAt: at });
      // The same code in another chart is another account: who leaves the chart out of the question gets both.
      if (secondChart === null) continue;
      const name2 = `${name} (${secondChart})`;
      this.accounts.put({
        chart: secondChart,
        code,
        name: name2,
        kind,
        active: false,
        control,
        mandatoryTypes,
        updatedAt: at,
      });
    }
    for (const { code, name, active } of this.seed.costCentres) {
      this.dimensions.put({ type: costCentreType, code, name, active, postable: true });
    }
    const { secondType } = this.settings;
    for (const value of secondType.values) this.dimensions.put({ type: secondType.code, ...value });
    for (const { code, name, active, currency } of this.seed.suppliers) {
      const fields = new Map([
        ['BPSNUM', code],
        ['BPSNAM', name],
        ['BPSSHO', name.slice(0, 10)],
        ['BSGCOD', this.settings.supplierCategories[0]?.code ?? ''],
        ['CUR', currency ?? this.seed.currency],
      ]);
      this.suppliers.put({ code, fields, addresses: [], active, createdAt: at, updatedAt: at });
    }
  }
}
