/**
 * ASSUMED NAMES. The reference names these outputs but not all of their elements; a customer's own schema files decide.
 * Whoever reads them must keep the same names in one table too, so that a difference is one change on each side.
 */

/** Most periods that a SYSPRO ledger year can have. */
export const PERIODS_MAX = 15;

/** GENQSO, "General Ledger set-up options". Dates are the period's last day, flags `O` open or `C` closed. */
export const GENQSO = {
  root: 'GeneralLedgerOptions',
  year: 'GlYear',
  period: 'GlPeriod',
  yearStart: 'GlYearStartDate',
  date: (period: number): string => `GlCurrYrDatePeriod${period}`,
  flag: (period: number): string => `GlCurrYrFlagPeriod${period}`,
} as const;

/** GENQPP, "previous-year periods". `PreviousYear` 1 is last year, 2 the year before. */
export const GENQPP = {
  root: 'GlPostPreviousQuery',
  group: 'Periods',
  year: 'GlPreviousYear',
  date: (period: number): string => `GlPrevYrDatePeriod${period}`,
  flag: (period: number): string => `GlPrevYrFlagPeriod${period}`,
} as const;

/** GENQ08, the chart of accounts: the name of a row is assumed, its columns are those of GenMaster. */
export const GENQ08 = { root: 'GlListOfAccounts', row: 'Account' } as const;

/** NextKey and PreviousKey. */
export const COMKEY = { root: 'Keys' } as const;

/** `Jnlstatus`: only `P` for posted is known. */
export const JOURNAL_STATUS = { POSTED: 'P', UNPOSTED: 'N', HELD: 'H', CANCELLED: 'C' } as const;
