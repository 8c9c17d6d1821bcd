import { group, leaf } from './xml.js';

/** An answer that is text and not XML, with HTTP status 200 (SYSPRO e.net REST: text errors). */
export class EnetError extends Error {
  constructor(readonly body: string) {
    super(body);
    this.name = 'EnetError';
  }
}

/** Texts that recorded traffic or several public clients show. */
export const OBSERVED = {
  badPassword: 'ERROR: Invalid operator password',
  badSession:
    'ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. You will need to logon again.',
  noBusinessObject: 'ERROR: e.net exception raised: 100000',
} as const;

/** PLACEHOLDERS: SYSPRO answers with some `ERROR…` text here, but no public source shows the words. */
export const PLACEHOLDER_TEXTS = {
  badOperator: 'ERROR: The operator code is not on file',
  badCompany: 'ERROR: The company is not on file',
  badCompanyPassword: 'ERROR: The company password is not valid',
  noSeat: 'ERROR: All licensed e.net sessions are in use',
  loggedInElsewhere: 'ERROR: The operator is logged in elsewhere',
  badXml: 'ERROR: The XML string passed cannot be read',
  badRoot: 'ERROR: The XML string passed has the wrong root element',
  badTable: 'ERROR: The table cannot be queried',
  badColumn: 'ERROR: The table does not have such a column',
  badWhere: 'ERROR: The where clause cannot be read',
} as const;

/**
 * PLACEHOLDERS: the numbers and words of SYSPRO's ledger and payables messages are not public. The numbers are out of
 * SYSPRO's own range so that nobody mistakes them; no test and no connector may depend on a number or on wording.
 */
const MESSAGES = {
  accountMissing: [990001, "Ledger code '{}' not found"],
  accountOnHold: [990002, "Ledger code '{}' is on hold"],
  accountPassword: [990003, "Ledger code '{}' is invalid: its password was not given"],
  accountStatistical: [990004, "Ledger code '{}' is invalid: statistical and financial entries cannot be mixed"],
  accountTemplate: [990005, "Ledger code '{}' is invalid: it is a template"],
  accountControl: [990006, "Ledger code '{}' is a control account"],
  amountNotNumeric: [990010, "Value '{}' is not numeric"],
  amountNotPositive: [990011, "Value '{}' must be above zero"],
  dateInvalid: [990012, "Date '{}' is not a valid date"],
  flagInvalid: [990013, "'{}' is not one of the values allowed"],
  periodInvalid: [990020, "Posting period '{}' is not open: no such period"],
  periodClosed: [990021, "Posting period '{}' is closed"],
  periodFuture: [990022, "Posting period '{}' is a future period"],
  yearOutOfWindow: [990023, "Posting year '{}' is neither the current nor the previous year: period not open"],
  journalUnbalanced: [990030, "Journal does not balance: '{}' is undistributed"],
  journalEmpty: [990031, 'Journal has no entries'],
  journalManyItems: [990032, 'Only one journal per document'],
  journalNumberGiven: [990033, "Journal number '{}' must be blank when adding"],
  journalMissing: [990034, "Journal '{}' not found"],
  journalFinished: [990035, "Journal '{}' is posted or cancelled and cannot be maintained"],
  journalType: [990036, "Journal type '{}' is not available"],
  journalLinesMaintained: [990037, 'Entries of a journal cannot be maintained here'],
  rightToAuthorise: [990040, 'Operator may not authorise journals'],
  rightToPost: [990041, 'Operator may not post journals'],
  notAuthorised: [990042, "Journal '{}' was not posted: it is not authorised"],
  notPosted: [990043, "Journal '{}' was created but could not be posted"],
  supplierMissing: [990050, "Supplier '{}' not found"],
  supplierOnHold: [990051, "Supplier '{}' is on hold"],
  supplierExists: [990052, "Supplier '{}' already exists"],
  supplierInUse: [990053, "Supplier '{}' has invoices and cannot be deleted"],
  required: [990054, 'A value is required'],
  referenceMissing: [990055, "'{}' not found in its set-up table"],
  textTooLong: [990056, "'{}' is too long"],
  invoiceExists: [990060, "Invoice '{}' already exists for the supplier"],
  transactionCode: [990061, "Transaction code '{}' is not available"],
  distributionDiffers: [990062, "Distribution differs from the net value by '{}'"],
  taxNotSetUp: [990063, "Tax '{}' cannot be posted: no tax ledger code is set up"],
  apPeriod: [990064, "Posting period '{}' is not C, P or B"],
  glJournalFailed: [990065, 'The ledger journal could not be created'],
  keyMissing: [990070, "Key '{}' not found"],
} as const satisfies Record<string, readonly [number, string]>;

export type FailureCode = keyof typeof MESSAGES;

export interface Failure {
  /** The element it is about; undefined is about the whole item. */
  element?: string | undefined;
  code: FailureCode;
  value: string;
}

export function failure(code: FailureCode, value: string, element?: string): Failure {
  return { code, value, element };
}

export function messageNumber(code: FailureCode): number {
  return MESSAGES[code][0];
}

export function messageText(code: FailureCode, value: string): string {
  return MESSAGES[code][1].replace('{}', value);
}

/** @returns the text of a message number with its parameter put in; undefined when there is no such number. */
export function translateNumber(number: string, parameter: string): string | undefined {
  const found = Object.values(MESSAGES).find(([candidate]) => String(candidate) === number.replace(/^0+/, ''));
  return found?.[1].replace('{}', parameter);
}

/** The error inside the element it is about, or in `ErrorMessages` (SYSPRO e.net: output conventions). */
export function errorXml({ element, code, value }: Failure): string {
  return group(
    element ?? 'ErrorMessages',
    ...(element === undefined ? [] : [leaf('Value', value)]),
    leaf('ErrorNumber', String(messageNumber(code))),
    leaf('ErrorDescription', messageText(code, value)),
  );
}

export function warningXml({ element, code, value }: Failure): string {
  return group(
    element ?? 'WarningMessages',
    ...(element === undefined ? [] : [leaf('Value', value)]),
    leaf('WarningNumber', String(messageNumber(code))),
    leaf('WarningDescription', messageText(code, value)),
  );
}
