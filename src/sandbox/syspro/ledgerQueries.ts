import { formatAmount, JOURNAL_DIGITS, PERIOD_DIGITS, zeros } from './amounts.js';
import type { LedgerPeriod } from './calendar.js';
import { type BusinessContext, checkAccount, type QueryObject } from './documents.js';
import { GENQ08, GENQPP, GENQSO, JOURNAL_STATUS, PERIODS_MAX } from './elements.js';
import { errorXml, failure } from './failures.js';
import { type Account, type Journal, totalsOf } from './journals.js';
import { answerDocument, group, leaf, leaves, type XmlElement } from './xml.js';

/** GENQGL, one account with the checks that posting would make (SYSPRO e.net: GENQGL). Its `key` is lower-case. */
export const queryLedgerCode: QueryObject = (context, document) => {
  const key = document.child('key');
  const code = key?.value('LedgerCode') ?? '';
  const root = 'GLStructureQuery';
  const account = context.company.account(code);
  if (account === undefined) return answerDocument(root, errorXml(failure('accountMissing', code, 'LedgerCode')));
  if (key?.value('SecurityType') === 'P' && key.value('ValidateFlags') === 'Y') {
    const { errors } = checkAccount(context, code, null, account.type === 'S', 'LedgerCode');
    if (errors.length > 0) return answerDocument(root, ...errors.map(errorXml));
  }
  return answerDocument(
    root,
    group('SystemInformation', leaf('Company', context.company.seed.companyId)),
    group(
      'LedgerDetails',
      leaves({
        LedgerCode: account.code,
        Description: account.description,
        AccountType: account.type,
        GlGroup: '',
        ExpenseType: account.type === 'E' ? 'G' : '',
        ControlAccFlag: account.control ? 'Y' : 'N',
        AltCurIndicator: '',
        BudgetMethod: '',
        TaxCode: '',
        IntegrationMethod: '',
        AccountPassword: account.password === '' ? 'N' : 'Y',
      }),
    ),
  );
};

/** GENQRY, balances and entries of one account (SYSPRO e.net: GENQRY). */
export const queryLedger: QueryObject = (context, document) => {
  const { company } = context;
  const code = document.value('Key', 'LedgerCode');
  const account = company.account(code);
  if (account === undefined)
    return answerDocument('LedgerQuery', errorXml(failure('accountMissing', code, 'LedgerCode')));
  const option = document.child('Option');
  if (account.password !== '' && account.password !== option?.value('LedgerCodePassword')) {
    return answerDocument('LedgerQuery', errorXml(failure('accountPassword', code, 'LedgerCode')));
  }
  const year = Number(option?.value('GlYear') || company.calendar.currentYear);
  const { currentPeriod } = company.calendar;
  const movement = company.journals.movement(code, year, currentPeriod);
  const balances: Record<string, string> = { BeginYearBalance: formatAmount(company.balance(code, year, 0)) };
  for (let period = 1; period <= PERIODS_MAX; period += 1) {
    balances[`Period${period}`] = formatAmount(company.balance(code, year, period));
  }
  return answerDocument(
    'LedgerQuery',
    leaves({
      GlCode: code,
      Description: account.description,
      Currency: company.seed.localCurrency,
      GlYear: String(year),
      GlPeriod: zeros(currentPeriod, PERIOD_DIGITS),
      AccountType: account.type,
      GlGroup: '',
      ControlAccFlag: account.control ? 'Y' : 'N',
      AccOnHldFlag: account.onHold ? 'Y' : '',
      PasswordInUse: account.password === '' ? 'N' : 'Y',
      PrevPerEndBal: formatAmount(company.balance(code, year, currentPeriod - 1)),
      PtdDrValue: formatAmount(movement.debit),
      PtdCrValue: formatAmount(movement.credit),
      CurrentBalance: formatAmount(company.balance(code, year, currentPeriod)),
    }),
    group('BalancesAtPeriodEnd', leaves(balances)),
    option?.value('IncludeTransactions') === 'Y' ? entriesXml(context, account, year, option) : '',
  );
};

/** Pages forward through one year's entries, in the order of period and line. */
function entriesXml(context: BusinessContext, account: Account, year: number, option: XmlElement): string {
  const request = option.child('Transactions');
  const limit = Number(request?.value('MaxRowsToReturn') || 100);
  const from = {
    period: Number(request?.value('StartAtKey', 'Period') || 0),
    line: Number(request?.value('StartAtKey', 'Line') || 0),
  };
  const entries = context.company.journals
    .entriesOf(account.code)
    .filter(({ journal }) => journal.year === year)
    .map((entry, index) => ({ ...entry, line: entry.line, position: index + 1 }))
    .sort((a, b) => a.journal.period - b.journal.period || a.position - b.position);
  const start = entries.findIndex(
    ({ journal, position }) =>
      journal.period > from.period || (journal.period === from.period && position >= from.line),
  );
  const page = start < 0 ? [] : entries.slice(start, start + limit);
  const next = start < 0 ? undefined : entries[start + limit];
  const items = page.map(({ journal, line }) =>
    group(
      'Item',
      leaves({
        GlPeriod: zeros(journal.period, PERIOD_DIGITS),
        Source: journal.source,
        Journal: zeros(journal.number, JOURNAL_DIGITS),
        JnlDate: line.date,
        Reference: line.reference,
        EntryValue: formatAmount(line.amount),
        MaintainedFlag: '',
        Comment: line.comment,
      }),
    ),
  );
  const nextKey = next === undefined ? {} : { Period: String(next.journal.period), Line: String(next.position) };
  return group(
    'Transactions',
    ...items,
    group('NextPrevKey', leaf('Forward', next === undefined ? 'N' : 'Y'), group('NextKey', leaves(nextKey))),
  );
}

const TYPE_OPTIONS: Record<Account['type'], string> = {
  A: 'IncludeAssets',
  L: 'IncludeLiabilities',
  C: 'IncludeCapital',
  R: 'IncludeRevenue',
  E: 'IncludeExpenses',
  S: 'IncludeStatistical',
  T: 'IncludeTemplate',
};

/** GENQ08, the chart of accounts. Only filter type `A` (all) is known, so every filter is read as that one. */
export const listAccounts: QueryObject = ({ company }, document) => {
  const option = document.child('Option');
  let rows = '';
  for (const account of company.accounts()) {
    const byDefault = account.type === 'S' || account.type === 'T' ? 'N' : 'Y';
    if ((option?.value(TYPE_OPTIONS[account.type]) || byDefault) !== 'Y') continue;
    rows += group(
      GENQ08.row,
      leaves({
        GlCode: account.code,
        Description: account.description,
        AccountType: account.type,
        ControlAccFlag: account.control ? 'Y' : 'N',
        AccOnHldFlag: account.onHold ? 'Y' : '',
      }),
    );
  }
  return answerDocument(GENQ08.root, rows);
};

/** GENQZM, one journal by its key, for the check after posting (SYSPRO e.net: GENQZM). */
export const zoomJournal: QueryObject = (context, document) => {
  const request = document.child('Option')?.child('GeneralLedgerJournal');
  const number = request?.value('GlJournal') ?? '';
  const journal = context.company.journals.find(
    Number(request?.value('GlYear') ?? ''),
    Number(request?.value('GlPer') ?? ''),
    Number(number),
  );
  const content =
    journal === undefined ? errorXml(failure('journalMissing', number, 'GlJournal')) : zoomXml(context, journal);
  return answerDocument('LedgerQueryZoom', group('GeneralLedgerJournal', content));
};

function zoomXml({ company, settings }: BusinessContext, journal: Journal): string {
  const fill = settings.blankPadding ? ' ' : '0';
  const { debit, credit } = totalsOf(journal);
  const details = journal.lines.map((line) =>
    group(
      'GeneralLedgerJournalDetail',
      leaves({
        EntryNumber: String(line.entry).padStart(JOURNAL_DIGITS, fill),
        GlCode: line.account,
        Description: company.account(line.account)?.description ?? '',
        EntryDate: line.date,
        Reference: line.reference,
        EntryValue: formatAmount(line.amount),
        EntryType: line.amount >= 0n ? 'D' : 'C',
        Comment: line.comment,
      }),
    ),
  );
  return (
    leaves({
      GlYear: String(journal.year),
      GlPeriod: String(journal.period).padStart(PERIOD_DIGITS, fill),
      GlJournal: String(journal.number).padStart(JOURNAL_DIGITS, fill),
      JournalDate: journal.date,
      Reference: journal.reference,
      Notation: journal.notation,
      DebitAmount: formatAmount(debit),
      CreditAmount: formatAmount(credit),
      NumOfEntries: String(journal.lines.length).padStart(JOURNAL_DIGITS, fill),
      Source: journal.source,
      JnlStatus: JOURNAL_STATUS[journal.state],
      Operator: journal.operator,
    }) + details.join('')
  );
}

function periodLeaves(
  periods: readonly LedgerPeriod[],
  date: (period: number) => string,
  flag: (period: number) => string,
): string {
  let xml = '';
  for (let number = 1; number <= PERIODS_MAX; number += 1) {
    const period = periods.find((candidate) => candidate.period === number);
    xml += `${leaf(date(number), period?.endsOn ?? '')}\n`;
    xml += `${leaf(flag(number), period === undefined ? '' : period.open ? 'O' : 'C')}\n`;
  }
  return xml;
}

/** GENQSO, ledger set-up with the current year's periods. Element names are assumed, see `elements.ts`. */
export const queryLedgerSetup: QueryObject = ({ company: { calendar } }) => {
  const periods = calendar.year(calendar.currentYear);
  return answerDocument(
    GENQSO.root,
    leaves({
      [GENQSO.year]: String(calendar.currentYear),
      [GENQSO.period]: zeros(calendar.currentPeriod, PERIOD_DIGITS),
      [GENQSO.yearStart]: periods[0]?.startsOn ?? '',
    }),
    periodLeaves(periods, GENQSO.date, GENQSO.flag),
  );
};

/** GENQPP, the periods of an earlier year: 1 last year, 2 the year before (assumed). */
export const queryPreviousPeriods: QueryObject = ({ company: { calendar } }, document) => {
  const back = document.value('Options', 'PreviousYear') || '1';
  const year = calendar.currentYear - Number(back);
  const periods = back === '1' || back === '2' ? calendar.year(year) : [];
  const content =
    periods.length === 0
      ? errorXml(failure('periodInvalid', back, 'PreviousYear'))
      : leaf(GENQPP.year, String(year)) + periodLeaves(periods, GENQPP.date, GENQPP.flag);
  return answerDocument(GENQPP.root, group(GENQPP.group, content));
};

/** GENQSI, how payables reach the ledger. */
export const queryIntegration: QueryObject = ({ company, settings }) => {
  const makes = settings.apIntegration && company.apControlAccount() !== undefined ? 'Y' : 'N';
  return answerDocument(
    'GlIntegrationQuery',
    group('GeneralLedger', leaves({ ApIntegrationLevel: 'D', CreateApGlJournal: makes, PostApGlJournal: makes })),
  );
};
