import type { ParsedCompanySeed } from '../kit/index.js';
import type { Database } from './database.js';
import type { Row } from './rows.js';
import type { KineticSettings } from './settings.js';
import { COA, GL_ACCOUNT, GL_ACCT_DISP, SEGMENT, SEGMENT_VALUE } from './tables.js';

export const COA_CODE = 'MAIN';
type Account = ParsedCompanySeed['accounts'][number];
type CostCentre = ParsedCompanySeed['costCentres'][number];
type Segment = KineticSettings['segments'][number];

/** What an account string means. */
export interface CodedAccount {
  /** Segment values in physical order joined by `|`, without empty ones at the end. */
  stored: string;
  display: string;
  description: string;
  account: string;
  costCentre: string | null;
  segments: Record<string, string>;
}

/**
 * The chart of accounts. One account has two spellings: stored, its segments in physical order joined by `|`, and shown,
 * in display order joined by the chart's separator (Epicor REST: GL accounts).
 */
export class Chart {
  private readonly accounts = new Map<string, Account>();
  private readonly costCentres = new Map<string, CostCentre>();
  private readonly segments: readonly Segment[];
  private readonly separator: string;

  constructor(
    private readonly database: Database,
    private readonly seed: ParsedCompanySeed,
    settings: KineticSettings,
  ) {
    this.segments = settings.segments.map((segment) => ({ ...segment }));
    this.separator = settings.segmentSeparator;
    for (const account of seed.accounts) this.accounts.set(account.code.toUpperCase(), { ...account });
    for (const centre of seed.costCentres) this.costCentres.set(centre.code.toUpperCase(), { ...centre });
    this.fill();
  }

  /** The stored spelling of an account of the company, with or without a cost centre. */
  stored(account: string, costCentre = ''): string {
    const values = this.segments.map((segment) => segmentValue(segment, account, costCentre));
    return trimmed(values);
  }

  /** The first account that expenses go to by themselves. */
  firstExpenseAccount(): string | undefined {
    const found = this.seed.accounts.find(({ kind, control, code }) => {
      return kind === 'EXPENSE' && !control && this.account(code)?.active === true;
    });
    if (found === undefined) return undefined;
    const centre = found.needsCostCentre ? this.seed.costCentres.find(({ active }) => active)?.code : undefined;
    return this.stored(found.code, centre);
  }

  account(code: string): Account | undefined {
    return this.accounts.get(code.toUpperCase());
  }

  /** @returns false when there is no such account. */
  setActive(code: string, active: boolean): boolean {
    const account = this.account(code);
    if (account === undefined) return false;
    account.active = active;
    this.listAccount(account);
    return true;
  }

  /** Reads the stored spelling; values that the chart does not have are kept. */
  read(stored: string): CodedAccount {
    const values = stored.split('|');
    const pick = (holds: Segment['holds']): string => {
      const index = this.segments.findIndex((segment) => segment.holds === holds);
      return index < 0 ? '' : (values[index] ?? '');
    };
    const [account, costCentre] = [pick('account'), pick('costCentre')];
    const shown = this.segments
      .map((segment, index) => ({ order: segment.displayOrder, value: values[index] ?? '' }))
      .sort((one, other) => one.order - other.order)
      .map(({ value }) => value);
    const names = [this.account(account)?.name, this.costCentres.get(costCentre.toUpperCase())?.name];
    return {
      stored: trimmed(values),
      display: shown.join(this.separator).replace(new RegExp(`[${this.separator}]+$`), ''),
      description: names.filter((name) => name !== undefined).join(' / '),
      account,
      costCentre: costCentre === '' ? null : costCentre,
      segments: Object.fromEntries(values.map((value, index) => [`SegValue${index + 1}`, value])),
    };
  }

  /** @returns why the account cannot be used; undefined when it can. The words are PLACEHOLDERS. */
  problemOf(stored: string, use: 'JOURNAL' | 'PAYABLES'): string | undefined {
    const values = stored.split('|');
    if (stored === '') return 'GL Account is required.';
    if (values.length > this.segments.length) return `GL Account ${stored} is not valid.`;
    for (const [index, segment] of this.segments.entries()) {
      const value = values[index] ?? '';
      if (segment.holds === 'fixed' && value !== segment.value) return `GL Account ${stored} is not valid.`;
    }
    const { account: natural, costCentre } = this.read(stored);
    const account = this.account(natural);
    if (account === undefined) return `GL Account ${stored} is not valid.`;
    if (!account.active) return `GL Account ${stored} is inactive.`;
    if (account.control && use === 'JOURNAL') return `GL Account ${stored} is a control account.`;
    if (costCentre === null) {
      return account.needsCostCentre ? `GL Account ${stored} is not valid: a segment value is required.` : undefined;
    }
    const centre = this.costCentres.get(costCentre.toUpperCase());
    if (centre === undefined) return `GL Account ${stored} is not valid.`;
    return centre.active ? undefined : `GL Account ${stored} is inactive.`;
  }

  /** The account as a row shows it: one column for the whole and one for each segment. */
  columnsOf(stored: string): Row {
    return { COACode: COA_CODE, GLAccount: stored, ...this.read(stored).segments };
  }

  private fill(): void {
    this.database.table(COA).put({
      COACode: COA_CODE,
      Description: 'Main chart',
      SeparatorChar: this.separator,
      NbrSegments: this.segments.length,
    });
    for (const [index, segment] of this.segments.entries()) this.listSegment(segment, index + 1);
    for (const account of this.accounts.values()) this.listAccount(account);
    for (const centre of this.costCentres.values()) {
      this.listValue('costCentre', centre.code, centre.name, centre.active, {});
    }
  }

  private listSegment(segment: Segment, number: number): void {
    const codes = {
      account: this.seed.accounts.map(({ code }) => code.length),
      costCentre: this.seed.costCentres.map(({ code }) => code.length),
      fixed: [segment.value.length],
    }[segment.holds];
    const isOptional = segment.holds === 'costCentre';
    this.database.table(SEGMENT).put({
      COACode: COA_CODE,
      SegmentNbr: number,
      SegmentName: segment.name,
      MinLength: codes.reduce((least, length) => Math.min(least, length), 50),
      MaxLength: codes.reduce((most, length) => Math.max(most, length), 1),
      Dynamic: segment.dynamic,
      // By natural account where some account needs it.
      EntryControl: isOptional ? (this.seed.accounts.some(({ needsCostCentre }) => needsCostCentre) ? 1 : 3) : 0,
      DisplayOrder: segment.displayOrder,
    });
    if (segment.holds === 'fixed') this.listValue('fixed', segment.value, segment.name, true, {});
  }

  private listValue(holds: Segment['holds'], code: string, name: string, active: boolean, more: Row): void {
    for (const [index, segment] of this.segments.entries()) {
      if (segment.holds !== holds || (holds === 'fixed' && segment.value !== code)) continue;
      this.database.table(SEGMENT_VALUE).put({
        ...{ COACode: COA_CODE, SegmentNbr: index + 1, SegmentCode: code, SegmentName: name, SegmentDesc: name },
        ...{ ActiveFlag: active, ...more },
      });
    }
  }

  private listAccount(account: Account): void {
    const isDebit = account.kind === 'ASSET' || account.kind === 'EXPENSE';
    this.listValue('account', account.code, account.name, account.active, {
      Category: account.kind,
      NormalBalance: isDebit ? 'D' : 'C',
    });
    const centres = this.segments.some(({ holds, dynamic }) => holds === 'costCentre' && !dynamic)
      ? [...this.costCentres.values()]
      : [];
    const hasBare = !account.needsCostCentre || centres.length === 0;
    for (const centre of [...(hasBare ? [undefined] : []), ...centres]) {
      const coded = this.read(this.stored(account.code, centre?.code));
      const active = account.active && (centre?.active ?? true);
      const common = { COACode: COA_CODE, GLAccount: coded.stored, AccountDesc: coded.description, Active: active };
      this.database
        .table(GL_ACCOUNT)
        .put({ ...common, ...coded.segments, GLAcctDispGLAcctDisp: coded.display, MultiCompany: false });
      this.database
        .table(GL_ACCT_DISP)
        .put({ ...common, GLAcctDisp: coded.display, IsGLAccount: true, IsBalanceAcct: !isExpenseOrRevenue(account) });
    }
  }
}

/** Why the whole and the segments of a row's account do not fit together: they are written together. */
export function segmentsDiffer(row: Row): string | undefined {
  const segments = Array.from({ length: 20 }, (_, index) => String(row[`SegValue${index + 1}`] ?? ''));
  const joined = trimmed(segments);
  const account = trimmed(String(row.GLAccount ?? '').split('|'));
  if (joined.toUpperCase() === account.toUpperCase()) return undefined;
  return `GL Account ${account} and its segments ${joined} differ.`;
}

function segmentValue(segment: Segment, account: string, costCentre: string): string {
  return { account, costCentre, fixed: segment.value }[segment.holds];
}

function trimmed(values: readonly string[]): string {
  return values.join('|').replace(/\|+$/, '');
}

function isExpenseOrRevenue({ kind }: Account): boolean {
  return kind === 'EXPENSE' || kind === 'REVENUE';
}
