import type { LocalDate } from '../../domain/localDate.js';
import { LedgergateError } from '../../errors.js';
import type { CheckResult, LedgerPeriod } from '../contract.js';
import type { SageX3Settings } from './config.js';
import { readsCalendar } from './periods.js';
import type { Row, X3Reader } from './reader.js';
import type { JournalWriter } from './writers.js';

/** The steps of testing a connection. Each says what was found, or what to do when it failed. */

export interface CheckFacts {
  readonly settings: SageX3Settings;
  readonly reader: X3Reader;
  readonly writer: JournalWriter;
  /** Any answer at all, without a login. */
  reach(): Promise<string>;
  periods(): Promise<readonly LedgerPeriod[]>;
  today(): LocalDate;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<string>;
  readonly whenFailed: string;
}

/** No document can have this reference: references are 15 characters. */
const NO_REFERENCE = 'LEDGERGATE-TEST';

/** Runs the steps in order; what comes after a failed one is left out. */
export async function runChecks(facts: CheckFacts): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const step of stepsOf(facts)) {
    const result = await runStep(step);
    results.push(result);
    if (!result.ok) break;
  }
  return results;
}

async function runStep(step: Step): Promise<CheckResult> {
  const startedAt = performance.now();
  const latencyMs = () => Math.round(performance.now() - startedAt);
  try {
    return { name: step.name, ok: true, detail: await step.run(), latencyMs: latencyMs() };
  } catch (error) {
    // Messages of other errors were not written for this place and could hold anything.
    const what = error instanceof LedgergateError ? error.userMessage : 'An unexpected error happened.';
    return { name: step.name, ok: false, detail: `${what} ${step.whenFailed}`, latencyMs: latencyMs() };
  }
}

function stepsOf({ settings, reader, writer, reach, periods, today }: CheckFacts): Step[] {
  const isMapped = Object.keys(settings.dimensionTypes).length > 0;
  return [
    {
      name: 'Reach Sage X3',
      run: reach,
      whenFailed:
        'Check the base URL and port (8124 by default) with whoever runs X3, and that this machine may reach them.',
    },
    {
      name: 'Log in',
      run: () => reader.login(),
      whenFailed: 'Check the credentials, the endpoint, and that X3 allows this way to log in.',
    },
    {
      name: 'Read GL accounts',
      run: async () => foundIn(await firstPage(reader.accounts()), 'ACC', 'GL accounts'),
      whenFailed: 'Check the names for accounts in the settings, and that the user may read them.',
    },
    {
      name: 'Read suppliers',
      run: async () => foundIn(await firstPage(reader.suppliers()), 'BPSNUM', 'suppliers'),
      whenFailed: 'Check the names for suppliers in the settings, and that the user may read them.',
    },
    ...(isMapped
      ? [
          {
            name: 'Read dimensions',
            run: async () => foundIn(await firstPage(reader.dimensions()), 'CCE', 'dimension values'),
            whenFailed: 'Check the names for dimensions in the settings, and that the user may read them.',
          },
        ]
      : []),
    {
      name: 'Search journals by reference',
      run: async () => {
        const found = await reader.journalsOf({ reference: NO_REFERENCE, postingDate: today() });
        return found.length === 0 ? 'Journals can be looked up by reference.' : 'Journals can be looked up.';
      },
      whenFailed:
        'Let the user read journals, and show REFINT, TYP and NUM: without them a lost reply can never be cleared up.',
    },
    {
      name: 'Find the period of today',
      run: async () => `${periodOf(await periods(), today())}${calendarNote(settings)}`,
      whenFailed: 'Enter the names in periodFields, or the calendar itself in fiscalPeriods.',
    },
    {
      name: 'Check the right to post',
      run: () => writer.probe(),
      whenFailed:
        'Publish the web service or class that journalMode names, start its pool, and let the user use it. Nothing was posted.',
    },
  ];
}

async function firstPage(pages: AsyncIterable<Row[]>): Promise<Row[]> {
  for await (const page of pages) return page;
  return [];
}

function foundIn(rows: readonly Row[], key: string, what: string): string {
  if (rows.length === 0) return `The user may read ${what}; there are none yet.`;
  if (rows.every((row) => row[key])) return `The user may read ${what}.`;
  return `The user may read ${what}, but not every row shows ${key}: check the names in the settings.`;
}

function calendarNote(settings: SageX3Settings): string {
  return settings.fiscalPeriods || readsCalendar(settings)
    ? ''
    : ' This is the calendar’s month: X3 itself decides when it is posted to, unless company or fiscalPeriods is set.';
}

function periodOf(periods: readonly LedgerPeriod[], today: string): string {
  const period = periods.find(({ startsOn, endsOn }) => startsOn <= today && today <= endsOn);
  if (!period) return `No fiscal period holds ${today}: everything dated today will be held until one does.`;
  if (period.open) return `${period.label} is open until ${period.endsOn}.`;
  return `${period.label} (until ${period.endsOn}) is closed: everything dated today will be held until it is opened.`;
}
