import type { ParsedCompanySeed } from '../kit/index.js';
import { COMPANY_ID } from './access.js';
import { Chart, COA_CODE } from './chart.js';
import { Database } from './database.js';
import { refusal } from './failures.js';
import { currencyPlaces, multiply, parseUnits, UNIT } from './numbers.js';
import { flag, type Row, text, whole } from './rows.js';
import { Selector } from './selection.js';
import type { KineticSettings } from './settings.js';
import { BOOK, BOOK_PERIODS, COMPANY, PERIODS, VENDOR } from './tables.js';

export const BOOK_ID = 'MAIN';
export const SECOND_BOOK_ID = 'TAX';
export const CALENDAR_ID = 'MAIN';
export const JOURNAL_CODE = 'GJ';
export const AP_JOURNAL_CODE = 'PJ';
export const TERMS_CODE = 'N30';
const FIRST_VENDOR_NUM = 101;

/** Counts of the next thing that goes wrong by itself; each is used up by one call. */
export interface Scenarios {
  /** `UpdateMaster` answers 200 with a prompt and `lUpdateRan: false`, and saves nothing. */
  promptedSaves: number;
  /** `UpdateExt` answers 200 with `errorsOccurred: true` and saves nothing. */
  failedRows: number;
  /** A posting run leaves a text in `PostErrorLog` and posts nothing. */
  failedPostings: number;
  /** A posting run ends half way: the group keeps `PostInProcess`. */
  stuckPostings: number;
  /** A list comes cut in the middle of its JSON. */
  truncatedLists: number;
  /** `Update` of a journal or invoice line answers 500 after it was saved. */
  brokenAnswers: number;
}

export interface Task {
  dueAtMs: number | null;
  run(): void;
}

/** One company of the server: its rows, its chart and calendar, and what waits for the agent. */
export class KineticCompany {
  database: Database;
  selector: Selector;
  chart: Chart;
  readonly scenarios: Scenarios = {
    ...{ promptedSaves: 0, failedRows: 0, failedPostings: 0, stuckPostings: 0, truncatedLists: 0, brokenAnswers: 0 },
  };
  /** Sum of the invoices of each payables group, by group in upper case. */
  readonly groupTotals = new Map<string, bigint>();
  private counters = new Map<string, number>();
  /** When each document was first saved, by its SysRowID. */
  private written = new Map<string, number>();
  private tasks: Task[] = [];

  constructor(
    readonly seed: ParsedCompanySeed,
    readonly settings: KineticSettings,
    private readonly clock: { now(): Date },
  ) {
    this.database = this.freshDatabase();
    this.selector = new Selector(this.database);
    this.chart = this.fill();
  }

  get today(): string {
    return this.clock.now().toISOString().slice(0, 10);
  }

  get baseCurrency(): string {
    return this.seed.currency;
  }

  reset(): void {
    this.groupTotals.clear();
    this.counters.clear();
    this.written.clear();
    this.tasks = [];
    for (const name of Object.keys(this.scenarios) as (keyof Scenarios)[]) this.scenarios[name] = 0;
    this.database = this.freshDatabase();
    this.selector = new Selector(this.database);
    this.chart = this.fill();
  }

  /** The next number of a counter that begins at 1 (or `first`). Numbers of a change that failed are lost, as usual. */
  next(counter: string, first = 1): number {
    const value = this.counters.get(counter) ?? first;
    this.counters.set(counter, value + 1);
    return value;
  }

  noteWritten(row: Row): void {
    const id = text(row, 'SysRowID');
    if (!this.written.has(id)) this.written.set(id, this.written.size);
  }

  writtenAt(row: Row): number {
    return this.written.get(text(row, 'SysRowID')) ?? 0;
  }

  /** @returns true and uses it up when the next such thing is to go wrong. */
  strikes(scenario: keyof Scenarios): boolean {
    if (this.scenarios[scenario] === 0) return false;
    this.scenarios[scenario] -= 1;
    return true;
  }

  /** The book period that holds the day. */
  periodOf(day: string): Row | undefined {
    for (const period of this.database.table(BOOK_PERIODS).all()) {
      if (text(period, 'StartDate') <= day && day <= text(period, 'EndDate')) return period;
    }
    return undefined;
  }

  isOpen(day: string): boolean {
    const period = this.periodOf(day);
    return period !== undefined && !flag(period, 'ClosedPeriod');
  }

  /** The columns that say in which period a day is. @throws KineticError 400 no period holds it, or it is closed. */
  periodColumns(day: string, table: string): Row {
    const period = this.periodOf(day);
    if (period === undefined) throw refusal(`No fiscal period is set up for ${day}.`, { table, field: 'ApplyDate' });
    if (flag(period, 'ClosedPeriod') && this.settings.closedPeriodRefusedAt === 'save') {
      throw refusal(`The fiscal period for ${day} is closed.`, { table, field: 'ApplyDate' });
    }
    return {
      FiscalYear: whole(period, 'FiscalYear'),
      FiscalYearSuffix: '',
      FiscalPeriod: whole(period, 'FiscalPeriod'),
      FiscalCalendarID: CALENDAR_ID,
    };
  }

  setPeriodOpen(day: string, open: boolean): boolean {
    const period = this.periodOf(day);
    if (period === undefined) return false;
    this.database.table(BOOK_PERIODS).put({ ...period, ClosedPeriod: !open });
    return true;
  }

  vendorByCode(code: string): Row | undefined {
    const [found] = this.database.table(VENDOR).where('VendorID', code);
    return found;
  }

  /** Base currency for one of the document's. @throws KineticError 400 the company does not know the currency. */
  rateOf(currency: string): bigint {
    if (currency === this.baseCurrency) return UNIT;
    const rate = parseUnits(this.seed.rates[currency] ?? '');
    if (rate === undefined) throw refusal(`Currency ${currency} is not valid.`, { field: 'CurrencyCode' });
    return rate;
  }

  toBase(value: bigint, currency: string): bigint {
    return multiply(value, this.rateOf(currency), currencyPlaces(this.baseCurrency));
  }

  nextVendorNum(): number {
    return this.next('vendor', FIRST_VENDOR_NUM);
  }

  /** Leaves work for the agent. */
  queue(run: () => void): void {
    const { agentDelayMs } = this.settings;
    this.tasks.push({ dueAtMs: agentDelayMs === null ? null : this.clock.now().getTime() + agentDelayMs, run });
  }

  /** Runs what the agent has to do by now, or all of it. @returns how many tasks ran. */
  runAgent(everything = false): number {
    const now = this.clock.now().getTime();
    const due = this.tasks.filter(({ dueAtMs }) => everything || (dueAtMs !== null && dueAtMs <= now));
    this.tasks = this.tasks.filter((task) => !due.includes(task));
    for (const task of due) this.database.transaction(() => task.run());
    return due.length;
  }

  private freshDatabase(): Database {
    return new Database({ company: COMPANY_ID, firstRevision: BigInt(this.settings.firstRevision) });
  }

  private fill(): Chart {
    return this.database.transaction(() => {
      this.database.table(COMPANY).put({ Name: this.seed.name, CurrencyCode: this.baseCurrency });
      const chart = new Chart(this.database, this.seed, this.settings);
      this.fillBooks();
      this.fillPeriods();
      for (const supplier of this.seed.suppliers) {
        this.database.table(VENDOR).put({
          ...{ VendorNum: this.nextVendorNum(), VendorID: supplier.code, Name: supplier.name },
          ...{ Inactive: !supplier.active, Approved: true, TermsCode: TERMS_CODE, GroupCode: 'AP' },
          CurrencyCode: supplier.currency ?? this.baseCurrency,
        });
      }
      return chart;
    });
  }

  private fillBooks(): void {
    for (const [id, isMain] of [
      [BOOK_ID, true],
      [SECOND_BOOK_ID, false],
    ] as const) {
      if (!isMain && !this.settings.secondBook) continue;
      this.database.table(BOOK).put({
        ...{ BookID: id, Description: `${id} book`, MainBook: isMain, COACode: COA_CODE },
        ...{ CurrencyCode: this.baseCurrency, FiscalCalendarID: CALENDAR_ID },
      });
    }
  }

  /** A fiscal year is named after the year that its periods end in; no other calendar can be told from the seed. */
  private fillPeriods(): void {
    const counts = new Map<number, number>();
    const sorted = [...this.seed.periods].sort((one, other) => (one.startsOn < other.startsOn ? -1 : 1));
    for (const { startsOn, endsOn, open } of sorted) {
      const year = Number(endsOn.slice(0, 4));
      const number = (counts.get(year) ?? 0) + 1;
      counts.set(year, number);
      const period = {
        ...{ FiscalCalendarID: CALENDAR_ID, FiscalYear: year, FiscalPeriod: number },
        ...{ StartDate: startsOn, EndDate: endsOn },
      };
      this.database.table(PERIODS).put(period);
      this.database.table(BOOK_PERIODS).put({ ...period, BookID: BOOK_ID, ClosedPeriod: !open });
    }
  }
}
