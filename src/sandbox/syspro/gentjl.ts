import { formatAmount, isDate, JOURNAL_DIGITS, PERIOD_DIGITS, parseAmount, zeros } from './amounts.js';
import { isFailure, type LedgerPeriod } from './calendar.js';
import {
  type BusinessContext,
  checkAccount,
  readFlag,
  readWriteParameters,
  type WriteParameters,
} from './documents.js';
import { JOURNAL_STATUS } from './elements.js';
import { errorXml, type Failure, failure, warningXml } from './failures.js';
import { type Journal, type JournalLine, type JournalState, totalsOf } from './journals.js';
import { answerDocument, group, leaf, leaves, type XmlElement } from './xml.js';

const REFERENCE_LENGTH = 30;
const NOTATION_LENGTH = 100;
const LINE_REFERENCE_LENGTH = 50;
const COMMENT_LENGTH = 250;

interface LineCheck {
  element: XmlElement;
  line: JournalLine | undefined;
  errors: Failure[];
  warnings: Failure[];
}

interface Outcome {
  journal: Journal | undefined;
  /** XML of errors and warnings, in the place of what they are about. */
  findings: string;
  invalid: boolean;
  posted: boolean;
  postingFailed: boolean;
}

/**
 * GENTJL, post a journal (SYSPRO e.net: GENTJL). `ActionType` A adds, M finishes a journal that was created but not
 * posted: it posts, authorises, holds or cancels it, and does not change entries.
 */
export function postGlJournal(context: BusinessContext, parameters: XmlElement, document: XmlElement): string {
  const common = readWriteParameters(parameters, true);
  const action = readFlag(parameters, 'ActionType', 'A', 'AM', common.failures);
  const passwords = readFlag(parameters, 'ValidatePasswords', 'Y', 'YN', common.failures) === 'Y';
  const items = document.all('Item');
  const [item] = items;
  if (item === undefined) return answer(rejected([failure('journalEmpty', '')]));
  if (items.length > 1) return answer(rejected([failure('journalManyItems', '')]));
  if (common.failures.length > 0) return answer(rejected(common.failures));
  return answer(action === 'M' ? maintain(context, common, item) : add(context, common, item, passwords));
}

function add(context: BusinessContext, parameters: WriteParameters, item: XmlElement, passwords: boolean): Outcome {
  const errors: Failure[] = [];
  const type = item.value('JournalType') || 'N';
  if (type !== 'N' && type !== 'S') errors.push(failure('journalType', type, 'JournalType'));
  const given = item.value('JournalNumber');
  if (given !== '') errors.push(failure('journalNumberGiven', given, 'JournalNumber'));
  const date = item.value('JournalDate') || context.company.companyDate;
  if (!isDate(date)) errors.push(failure('dateInvalid', date, 'JournalDate'));
  const period = context.company.calendar.resolve(item.value('PostingYear'), item.value('PostingPeriod'));
  if (isFailure(period)) errors.push(period);
  const flags = readJournalFlags(context, item, errors);
  const checks = item.all('JournalDetails').map((element) => checkLine(context, element, type === 'S', passwords));
  const lines = acceptedLines(checks, parameters, type, errors);
  const refused =
    errors.length > 0 || (parameters.wholeDocument && checks.some((check) => isRefused(check, parameters)));
  const findings = findingsXml(errors, checks, parameters);
  if (refused || isFailure(period)) return { ...rejected([]), findings };
  if (parameters.validateOnly) {
    return { journal: undefined, findings, invalid: false, posted: false, postingFailed: false };
  }
  return create(context, item, { type, date, period, lines, ...flags }, findings);
}

interface JournalFlags {
  authorise: string;
  post: boolean;
  hold: boolean;
}

function readJournalFlags(context: BusinessContext, item: XmlElement, errors: Failure[]): JournalFlags {
  const authorise = readFlag(item, 'AuthorizeJournal', 'D', 'DAU', errors);
  // The trap of this object: leaving PostJournal out posts the journal.
  const post = readFlag(item, 'PostJournal', 'Y', 'YN', errors) === 'Y';
  const hold = readFlag(item, 'HoldJournal', 'N', 'YN', errors) === 'Y';
  if (authorise !== 'D' && !context.operator.mayAuthorise)
    errors.push(failure('rightToAuthorise', '', 'AuthorizeJournal'));
  if (post && !context.operator.mayPost) errors.push(failure('rightToPost', '', 'PostJournal'));
  return { authorise, post, hold };
}

interface Draft extends JournalFlags {
  type: string;
  date: string;
  period: LedgerPeriod;
  lines: JournalLine[];
}

function create(context: BusinessContext, item: XmlElement, draft: Draft, findings: string): Outcome {
  const { company, settings, operator } = context;
  const authorised = draft.authorise === 'A';
  const wanted = draft.post && !draft.hold;
  const blocked = wanted ? postingObstacle(context, authorised) : undefined;
  const posted = wanted && blocked === undefined;
  const state: JournalState = draft.hold ? 'HELD' : posted ? 'POSTED' : 'UNPOSTED';
  const journal = company.journals.add(
    {
      year: draft.period.year,
      period: draft.period.period,
      date: draft.date,
      reference: item.value('JournalReference').slice(0, REFERENCE_LENGTH).trim(),
      notation: item.value('Notation').slice(0, NOTATION_LENGTH).trim(),
      source: 'JE',
      type: draft.type,
      state,
      authorised,
      operator: operator.name,
      postedOn: posted ? company.companyDate : null,
      lines: draft.lines,
    },
    settings.journalNumbering,
  );
  const note = blocked === undefined ? '' : warningXml(failure(blocked, zeros(journal.number, JOURNAL_DIGITS)));
  return { journal, findings: findings + note, invalid: false, posted, postingFailed: blocked !== undefined };
}

/** Why a journal that was created cannot be posted. */
function postingObstacle(context: BusinessContext, authorised: boolean): 'notAuthorised' | 'notPosted' | undefined {
  if (context.settings.authorisationRequired && !authorised) return 'notAuthorised';
  if (context.company.leaveUnposted <= 0) return undefined;
  context.company.leaveUnposted -= 1;
  return 'notPosted';
}

function checkLine(context: BusinessContext, element: XmlElement, statistical: boolean, passwords: boolean): LineCheck {
  const code = element.value('LedgerCode');
  const password = passwords ? element.value('LedgerCodePassword') : null;
  const { errors, warnings } = checkAccount(context, code, password, statistical, 'LedgerCode');
  const date = element.value('Date') || context.company.companyDate;
  if (!isDate(date)) errors.push(failure('dateInvalid', date, 'Date'));
  const amountText = element.value('EntryAmount');
  const amount = parseAmount(amountText);
  if (amount === undefined) errors.push(failure('amountNotNumeric', amountText, 'EntryAmount'));
  if (amount === undefined || errors.length > 0) return { element, line: undefined, errors, warnings };
  const line = {
    entry: 0,
    account: code,
    amount,
    date,
    reference: element.value('Reference').slice(0, LINE_REFERENCE_LENGTH).trim(),
    comment: element.value('Comment').slice(0, COMMENT_LENGTH).trim(),
  };
  return { element, line, errors, warnings };
}

/** A warning refuses a line unless the caller said otherwise: `IgnoreWarnings` is N by default. */
function isRefused(check: LineCheck, parameters: WriteParameters): boolean {
  return check.errors.length > 0 || (parameters.warnings === 'N' && check.warnings.length > 0);
}

/** The lines that would be booked. Lines of zero are dropped without a word, as the entry program does. */
function acceptedLines(
  checks: readonly LineCheck[],
  parameters: WriteParameters,
  type: string,
  errors: Failure[],
): JournalLine[] {
  const lines: JournalLine[] = [];
  let balance = 0n;
  for (const check of checks) {
    if (check.line === undefined || isRefused(check, parameters) || check.line.amount === 0n) continue;
    balance += check.line.amount;
    lines.push({ ...check.line, entry: lines.length + 1 });
  }
  const allRead = checks.every((check) => !isRefused(check, parameters));
  if (lines.length === 0 && allRead) errors.push(failure('journalEmpty', ''));
  // Where a line was refused and the whole document must be valid, the balance of the rest says nothing.
  const mustBalance = type !== 'S' && (allRead || !parameters.wholeDocument);
  if (mustBalance && balance !== 0n) errors.push(failure('journalUnbalanced', formatAmount(balance)));
  if (lines.length === 0 && !allRead && !parameters.wholeDocument) errors.push(failure('journalEmpty', ''));
  return lines;
}

function findingsXml(errors: readonly Failure[], checks: readonly LineCheck[], parameters: WriteParameters): string {
  let xml = errors.map(errorXml).join('');
  for (const { element, errors: lineErrors, warnings } of checks) {
    const shown = parameters.warnings === 'Y' ? [] : warnings;
    if (lineErrors.length + shown.length === 0) continue;
    xml += group(
      'JournalDetails',
      leaf('EntryAmount', element.value('EntryAmount')),
      ...lineErrors.map(errorXml),
      ...shown.map(warningXml),
    );
  }
  return xml;
}

function maintain(context: BusinessContext, parameters: WriteParameters, item: XmlElement): Outcome {
  const errors: Failure[] = [];
  const numberText = item.value('JournalNumber');
  const period = context.company.calendar.resolve(item.value('PostingYear'), item.value('PostingPeriod'));
  if (isFailure(period)) return rejected([period]);
  const number = /^\d{1,10}$/.test(numberText) ? Number(numberText) : 0;
  const journal = context.company.journals.find(period.year, period.period, number);
  if (journal === undefined) return rejected([failure('journalMissing', numberText, 'JournalNumber')]);
  if (journal.state === 'POSTED' || journal.state === 'CANCELLED') {
    return rejected([failure('journalFinished', numberText, 'JournalNumber')]);
  }
  if (item.child('JournalDetails') !== undefined) errors.push(failure('journalLinesMaintained', '', 'JournalDetails'));
  const flags = readJournalFlags(context, item, errors);
  const cancel = readFlag(item, 'CancelJournal', 'N', 'YN', errors) === 'Y';
  if (errors.length > 0) return rejected(errors);
  if (parameters.validateOnly) return { ...rejected([]), invalid: false };
  return finish(context, journal, flags, cancel);
}

function finish(context: BusinessContext, journal: Journal, flags: JournalFlags, cancel: boolean): Outcome {
  if (flags.authorise !== 'D') journal.authorised = flags.authorise === 'A';
  const outcome: Outcome = { journal, findings: '', invalid: false, posted: false, postingFailed: false };
  if (cancel || flags.hold || !flags.post) {
    journal.state = cancel ? 'CANCELLED' : flags.hold ? 'HELD' : 'UNPOSTED';
    return outcome;
  }
  const blocked = postingObstacle(context, journal.authorised);
  if (blocked !== undefined) {
    const note = warningXml(failure(blocked, zeros(journal.number, JOURNAL_DIGITS)));
    return { ...outcome, findings: note, postingFailed: true };
  }
  context.company.journals.post(journal, context.company.companyDate);
  return { ...outcome, posted: true };
}

function rejected(failures: readonly Failure[]): Outcome {
  const findings = failures.map(errorXml).join('');
  return { journal: undefined, findings, invalid: true, posted: false, postingFailed: false };
}

function answer(outcome: Outcome): string {
  const { journal, findings, invalid, posted, postingFailed } = outcome;
  return answerDocument(
    'postgljournal',
    group('Item', journal === undefined ? '' : transactionXml(journal), findings),
    group(
      'StatusOfItems',
      leaves({
        JournalsProcessed: journal === undefined ? '' : '1',
        JournalsInvalid: invalid ? '1' : '',
        PostingsProcessed: posted ? '1' : '',
        PostingsInvalid: postingFailed ? '1' : '',
      }),
    ),
  );
}

function transactionXml(journal: Journal): string {
  const { debit, credit } = totalsOf(journal);
  return group(
    'Transaction',
    group(
      'Key',
      leaves({
        GlYear: String(journal.year),
        GlPeriod: zeros(journal.period, PERIOD_DIGITS),
        GlJournal: zeros(journal.number, JOURNAL_DIGITS),
      }),
    ),
    leaves({
      JournalDate: journal.date.replaceAll('-', ''),
      NumOfEntries: zeros(journal.lines.length, JOURNAL_DIGITS),
      DebitAmount: formatAmount(debit),
      CreditAmount: formatAmount(credit),
      JnlPostingType: journal.type,
      Jnlstatus: JOURNAL_STATUS[journal.state],
      Currency: '',
      Authorised: journal.authorised ? 'Y' : 'N',
    }),
  );
}
