import { z } from 'zod';
import { invalid, malformed, Refusal } from './replies.js';
import { REPORT_STATES, type ReportState } from './store.js';

const YEAR_MS = 366 * 86_400_000;
const ENDINGS = ['csv', 'txt', 'json', 'xml'] as const;

/** What an exporter job asks for, checked. Days are `yyyy-MM-dd`. */
export interface ExportRequest {
  readonly states: ReadonlySet<ReportState>;
  readonly limit: number | null;
  readonly reportIDs: ReadonlySet<string> | null;
  readonly policyIDs: ReadonlySet<string> | null;
  readonly startDate: string | null;
  readonly endDate: string | null;
  readonly approvedAfter: string | null;
  /** Reports that carry this label are left out. */
  readonly notMarked: string | null;
  readonly basename: string;
  readonly ending: string;
  /** Labels to set when the job has finished; none in a test. */
  readonly labels: readonly string[];
  readonly mails: readonly string[];
  readonly isTest: boolean;
}

// Loose on purpose: what the vendor does not expect in a place it presumably ignores, `reportState` in `filters` for one.
const jobSchema = z.looseObject({
  onReceive: z.looseObject({ immediateResponse: z.unknown().optional() }).optional(),
  inputSettings: z.looseObject({
    reportState: z.unknown().optional(),
    limit: z.unknown().optional(),
    employeeEmail: z.unknown().optional(),
    filters: z.record(z.string(), z.unknown()).optional(),
  }),
  outputSettings: z
    .looseObject({ fileExtension: z.unknown().optional(), fileBasename: z.unknown().optional() })
    .optional(),
  onFinish: z.unknown().optional(),
  test: z.unknown().optional(),
});
const actionsSchema = z.array(z.looseObject({ actionName: z.string() }));

/**
 * Checks an exporter job as the vendor's manual describes it.
 * @param nowMs the account's "now", which decides what is over a year ago.
 * @throws Refusal naming the field.
 */
export function parseExportRequest(job: unknown, nowMs: number): ExportRequest {
  const parsed = jobSchema.safeParse(job);
  if (!parsed.success) throw malformed(String(parsed.error.issues[0]?.path.join('.') ?? 'inputSettings'));
  const { inputSettings, onFinish, onReceive, outputSettings, test } = parsed.data;
  const wished = onReceive?.immediateResponse;
  if (!Array.isArray(wished) || wished.length !== 1 || wished[0] !== 'returnRandomFileName') {
    throw malformed('immediateResponse');
  }
  if (inputSettings.employeeEmail !== undefined) {
    throw new Refusal(500, `Not authorized to authenticate as user ${String(inputSettings.employeeEmail)}`);
  }
  const filters = inputSettings.filters ?? {};
  const dates = {
    startDate: dayOf(filters.startDate, 'startDate'),
    endDate: dayOf(filters.endDate, 'endDate'),
    approvedAfter: dayOf(filters.approvedAfter, 'approvedAfter'),
  };
  const reportIDs = listOf(filters.reportIDList, 'reportIDList');
  if (reportIDs === null && dates.startDate === null && dates.approvedAfter === null) {
    throw invalid("At least one of 'reportIDList', 'startDate' and 'approvedAfter' is required");
  }
  checkSpan(dates, nowMs);
  const isTest = testOf(test);
  const actions = actionsOf(onFinish);
  return {
    ...{ ...dates, reportIDs, policyIDs: listOf(filters.policyIDList, 'policyIDList') },
    notMarked: textOf(filters.markedAsExported, 'markedAsExported'),
    states: statesOf(inputSettings.reportState),
    limit: limitOf(inputSettings.limit),
    basename: textOf(outputSettings?.fileBasename, 'fileBasename') ?? 'export',
    ending: endingOf(outputSettings?.fileExtension),
    ...{ ...(isTest ? { labels: [], mails: [] } : actions), isTest },
  };
}

function textOf(value: unknown, name: string): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw malformed(name);
  return value;
}

/** A comma-separated text here, where the policy getter wants a JSON array. */
function listOf(value: unknown, name: string): ReadonlySet<string> | null {
  const text = textOf(value, name);
  if (text === null) return null;
  return new Set(
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  );
}

export function dayOf(value: unknown, name: string): string | null {
  const text = textOf(value, name);
  if (text !== null && !z.iso.date().safeParse(text).success) {
    throw invalid(`Malformed date '${text}'. Expected format is yyyy-MM-dd`);
  }
  return text;
}

function statesOf(value: unknown): ReadonlySet<ReportState> {
  const names = listOf(value, 'reportState') ?? new Set(REPORT_STATES);
  const states = REPORT_STATES.filter((state) => names.has(state));
  if (states.length !== names.size) throw malformed('reportState');
  return new Set(states);
}

/** Documented as a text; whether a JSON number works is not known, so it does not here. */
function limitOf(value: unknown): number | null {
  const text = textOf(value, 'limit');
  if (text === null) return null;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw malformed('limit');
  return Number(text);
}

function endingOf(value: unknown): string {
  const text = textOf(value, 'fileExtension') ?? 'csv';
  if (['xls', 'xlsx', 'pdf'].includes(text)) {
    throw new Refusal(500, `The sandbox does not make ${text} files; it makes ${ENDINGS.join(', ')}.`);
  }
  if (!ENDINGS.some((ending) => ending === text)) throw malformed('fileExtension');
  return text;
}

function testOf(value: unknown): boolean {
  if (value === undefined) return false;
  if (value !== 'true' && value !== 'false') throw malformed('test');
  return value === 'true';
}

function actionsOf(value: unknown): { labels: string[]; mails: string[] } {
  if (value === undefined) return { labels: [], mails: [] };
  const actions = actionsSchema.safeParse(value);
  if (!actions.success) throw malformed('onFinish');
  const [labels, mails]: [string[], string[]] = [[], []];
  for (const { actionName, label, recipients } of actions.data) {
    if (actionName === 'markAsExported') labels.push(textOf(label, 'label') ?? refuse('label'));
    else if (actionName === 'email') mails.push(textOf(recipients, 'recipients') ?? refuse('recipients'));
    else if (actionName === 'sftpUpload') throw new Refusal(500, 'The sandbox uploads nothing by SFTP.');
    else throw malformed('actionName');
  }
  return { labels, mails };
}

function refuse(name: string): never {
  throw malformed(name);
}

/** A year is the most, and what begins longer ago needs an end. */
function checkSpan(
  { approvedAfter, endDate, startDate }: Pick<ExportRequest, 'approvedAfter' | 'endDate' | 'startDate'>,
  nowMs: number,
): void {
  const starts = [startDate, approvedAfter].flatMap((day) => (day === null ? [] : [Date.parse(day)]));
  if (starts.length === 0) return;
  const begin = Math.min(...starts);
  if (endDate === null && nowMs - begin > YEAR_MS) throw invalid("Required parameter 'endDate' is missing");
  if (endDate !== null && Date.parse(endDate) - begin > YEAR_MS)
    throw invalid('The date range is longer than one year');
}
