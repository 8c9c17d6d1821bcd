import { LedgerCalendar } from './calendar.js';
import { type Account, JournalBook, totalsOf } from './journals.js';
import { Payables } from './payables.js';
import type { ParsedSysproSeed } from './seed.js';

export interface CompanySummary {
  journals: number;
  posted: number;
  unposted: number;
  /** Posted journals whose debits and credits differ; anything but 0 is a fault of the sandbox. */
  unbalanced: number;
  invoices: number;
  suppliers: number;
  /** References carried by more than one journal. */
  duplicates: { reference: string; count: number }[];
}

/** Everything one SYSPRO company holds. Starts as the seed says; `reset` goes back there. */
export class SysproCompany {
  calendar: LedgerCalendar;
  journals: JournalBook;
  payables: Payables;
  companyDate: string;
  /** How many of the next journals are created but left unposted although they could be posted. */
  leaveUnposted = 0;
  /** How many of the next payables documents are posted without their ledger journal. */
  failGlJournals = 0;
  private accountsByCode: Map<string, Account>;

  constructor(readonly seed: ParsedSysproSeed) {
    this.calendar = new LedgerCalendar(seed);
    this.journals = new JournalBook();
    this.payables = new Payables(seed);
    this.companyDate = seed.companyDate;
    this.accountsByCode = accountMap(seed);
  }

  reset(): void {
    this.calendar = new LedgerCalendar(this.seed);
    this.journals = new JournalBook();
    this.payables = new Payables(this.seed);
    this.companyDate = this.seed.companyDate;
    this.accountsByCode = accountMap(this.seed);
    this.leaveUnposted = 0;
    this.failGlJournals = 0;
  }

  account(code: string): Account | undefined {
    return this.accountsByCode.get(code);
  }

  accounts(): Iterable<Account> {
    return this.accountsByCode.values();
  }

  addAccount(account: Account): void {
    this.accountsByCode.set(account.code, account);
  }

  /** @returns the account that payables are credited to; undefined where none is set up. */
  apControlAccount(): Account | undefined {
    if (this.seed.apControlAccount !== undefined) return this.account(this.seed.apControlAccount);
    for (const account of this.accounts()) if (account.control && account.type === 'L') return account;
    return undefined;
  }

  /** @returns the account's balance at the end of the period, entries of earlier years included. */
  balance(code: string, year: number, period: number): bigint {
    let balance = 0n;
    for (const known of this.seed.periods) {
      if (known.year > year || (known.year === year && known.period > period)) continue;
      const { debit, credit } = this.journals.movement(code, known.year, known.period);
      balance += debit - credit;
    }
    return balance;
  }

  summary(): CompanySummary {
    let posted = 0;
    let unbalanced = 0;
    for (const journal of this.journals.all) {
      if (journal.state !== 'POSTED') continue;
      posted += 1;
      const { debit, credit } = totalsOf(journal);
      if (journal.type !== 'S' && debit !== credit) unbalanced += 1;
    }
    return {
      journals: this.journals.all.length,
      posted,
      unposted: this.journals.all.length - posted,
      unbalanced,
      invoices: this.payables.invoiceCount,
      suppliers: this.payables.supplierCount,
      duplicates: this.journals.duplicates(),
    };
  }
}

function accountMap(seed: ParsedSysproSeed): Map<string, Account> {
  return new Map(seed.accounts.map((account) => [account.code, { ...account }]));
}
