import { InputError } from '../../errors.js';
import type {
  ControlledLedger,
  LedgerDocumentView,
  LedgerLineView,
  LedgerSummary,
  ParsedCompanySeed,
} from '../kit/index.js';
import { formatAmount } from './amounts.js';
import type { SysproCompany } from './company.js';
import type { Journal } from './journals.js';
import type { Invoice } from './payables.js';
import type { SysproSeed } from './seed.js';
import { SysproLedgerView } from './views.js';

/** What every company made from a `CompanySeed` is logged on to with. Opens nothing real. */
export const COMPANY_ACCESS = {
  companyId: 'HPW1',
  companyPassword: '',
  operator: 'GATEWAY',
  password: 'sandbox-operator',
} as const;

const TYPES = { ASSET: 'A', LIABILITY: 'L', CAPITAL: 'C', REVENUE: 'R', EXPENSE: 'E' } as const;

/**
 * SYSPRO's set-up of a company: ledger codes hold the cost centre (`10-6100`), and the financial year is the calendar
 * year. The current period is the last that is open.
 */
export function sysproSeedOf(company: ParsedCompanySeed): SysproSeed {
  const given = company.periods.map(({ startsOn, endsOn, open }) => ({
    ...{ year: Number(startsOn.slice(0, 4)), period: Number(startsOn.slice(5, 7)) },
    ...{ startsOn, endsOn, open },
  }));
  const periods = [...closedYearsBefore(given[0]?.year ?? 0), ...given];
  const current = periods.filter(({ open }) => open).at(-1) ?? periods.at(-1);
  if (current === undefined) throw new InputError('periods: the company has none.', ['periods']);
  return {
    ...{ companyId: COMPANY_ACCESS.companyId, companyPassword: COMPANY_ACCESS.companyPassword },
    companyName: company.name,
    operators: [{ name: COMPANY_ACCESS.operator, password: COMPANY_ACCESS.password }],
    localCurrency: company.currency,
    companyDate: current.endsOn,
    accounts: company.accounts.flatMap(({ code, name, kind, active, control, needsCostCentre }) => {
      const account = { type: TYPES[kind], onHold: !active, control };
      if (!needsCostCentre) return [{ ...account, code, description: name }];
      return company.costCentres.map((centre) => ({
        ...account,
        code: `${centre.code}-${code}`,
        description: `${name}, ${centre.name}`,
      }));
    }),
    suppliers: company.suppliers.map(({ code, name, active }) => ({ code, name, onHold: !active })),
    branches: ['00'],
    termsCodes: ['30'],
    banks: ['1'],
    currencies: Object.keys(company.rates),
    periods,
    currentYear: current.year,
    currentPeriod: current.period,
    apControlAccount: company.payablesAccount,
    taxAccount: company.taxAccount,
  };
}

/** SYSPRO keeps the calendars of two years before its current one, and a company's description begins where it likes. */
function closedYearsBefore(first: number): SysproSeed['periods'] {
  return [first - 2, first - 1].flatMap((year) =>
    Array.from({ length: 12 }, (_, index) => {
      const day = (month: number, date: number) => new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10);
      return { year, period: index + 1, startsOn: day(index, 1), endsOn: day(index + 1, 0), open: false };
    }),
  );
}

/** SYSPRO's ledger in the words that all simulated ledgers share. */
export class SysproAsLedger implements Omit<ControlledLedger, 'reset' | 'expireSessions'> {
  private readonly view: SysproLedgerView;

  constructor(
    private readonly company: SysproCompany,
    private readonly requests: ReadonlyMap<string, number>,
  ) {
    this.view = new SysproLedgerView(company);
  }

  documents(reference?: string): LedgerDocumentView[] {
    const { journals, payables } = this.company;
    const own = reference === undefined ? journals.all : journals.withReference(reference);
    const invoices = reference === undefined ? [...payables.invoices()] : payables.withNumber(reference);
    return [
      ...own.filter(({ source }) => source === 'JE').map(journalDocument),
      ...invoices.map((invoice) => this.invoiceDocument(invoice)),
    ];
  }

  summary(): LedgerSummary {
    const { journals, posted, unbalanced, invoices, suppliers, duplicates } = this.company.summary();
    return {
      ...{ journals, invoices, posted, unbalanced, suppliers },
      duplicates: duplicates.map(({ reference }) => reference),
      requests: Object.fromEntries(this.requests),
    };
  }

  suppliers(): { code: string; name: string; active: boolean }[] {
    return this.view.suppliers().map(({ code, name, onHold }) => ({ code, name, active: !onHold }));
  }

  setPeriodOpen(day: string, open: boolean): void {
    const period = this.company.seed.periods.find(({ startsOn, endsOn }) => startsOn <= day && day <= endsOn);
    if (period === undefined) throw new InputError(`on: no period holds ${day}.`, ['on']);
    this.company.calendar.setOpen(period.year, period.period, open);
  }

  setAccountActive(code: string, active: boolean): void {
    const account = this.company.account(code);
    if (account === undefined) throw new InputError(`code: the company has no '${code}'.`, ['code']);
    this.company.addAccount({ ...account, onHold: !active });
  }

  setSupplierActive(code: string, active: boolean): void {
    const supplier = this.company.payables.supplier(code);
    if (supplier === undefined) throw new InputError(`code: the company has no '${code}'.`, ['code']);
    supplier.onHold = !active;
  }

  private invoiceDocument({ supplier, invoice, value, date }: Invoice): LedgerDocumentView {
    const amount = formatAmount(value < 0n ? -value : value);
    const shown = this.view.supplier(supplier)?.code ?? supplier;
    const entries = this.company.journals
      .withLineReference(invoice)
      .filter(({ source }) => source === 'AP')
      .flatMap(({ lines }) => lines.filter((line) => line.reference === invoice));
    return {
      ...{ type: 'SUPPLIER_INVOICE', reference: invoice, number: `${shown}/${invoice}`, supplier: shown, date },
      currency: this.company.seed.localCurrency,
      ...{ debit: amount, credit: amount, posted: true },
      lines: entries.map(({ account, amount: signed, comment }) => lineView(account, signed, comment)),
    };
  }
}

function journalDocument(journal: Journal): LedgerDocumentView {
  const lines = journal.lines.map(({ account, amount, comment }) => lineView(account, amount, comment));
  const sum = (sign: 1 | -1) =>
    formatAmount(
      journal.lines.reduce(
        (total, { amount }) => (amount > 0n === sign > 0 ? total + (sign > 0 ? amount : -amount) : total),
        0n,
      ),
    );
  return {
    type: 'JOURNAL',
    reference: journal.reference,
    number: `${journal.year}/${String(journal.period).padStart(2, '0')}/${journal.number}`,
    supplier: null,
    date: journal.date,
    currency: '',
    ...{ debit: sum(1), credit: sum(-1), posted: journal.state === 'POSTED' },
    lines,
  };
}

/** Ledger codes hold the cost centre before a hyphen. */
function lineView(account: string, signed: bigint, text: string): LedgerLineView {
  const [, centre, natural] = /^(\w+)-(\w+)$/.exec(account) ?? [];
  return {
    account: natural ?? account,
    costCentre: centre ?? null,
    dimensions: {},
    debit: formatAmount(signed > 0n ? signed : 0n),
    credit: formatAmount(signed < 0n ? -signed : 0n),
    text,
  };
}
