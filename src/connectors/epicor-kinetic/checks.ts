import type { LocalDate } from '../../domain/localDate.js';
import { ConfigurationError, ErpRejectedError, LedgergateError } from '../../errors.js';
import type { CheckResult, LedgerPeriod } from '../contract.js';
import type { KineticClient, ListQuery } from './client.js';
import type { KineticSettings } from './config.js';
import { AP_GROUPS, GL_GROUPS } from './groups.js';
import { isRecord, parseExact } from './json.js';
import { findInvoices, findPostedJournals } from './lookup.js';
import { accountsQuery, readBook, vendorsQuery } from './masterData.js';
import { Work } from './work.js';

/** The steps of testing a connection. Each says what was found, or what to do when it failed. Nothing is stored. */

export interface CheckFacts {
  readonly client: KineticClient;
  readonly settings: KineticSettings;
  localCurrency(): Promise<string>;
  periods(): Promise<readonly LedgerPeriod[]>;
  today(): LocalDate;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<string>;
  readonly whenFailed: string;
}

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

/** A reference that no document has. */
const NOBODY = 'LEDGERGATECHECK';

function stepsOf(facts: CheckFacts): Step[] {
  const { client, settings, localCurrency, periods, today } = facts;
  return [
    {
      name: 'Reach the server',
      run: () => reach(client),
      whenFailed:
        'Check the base URL (up to and including the instance, before /api), and that this machine may reach it.',
    },
    {
      name: 'Log in',
      run: async () => {
        const book = await readBook(client, settings);
        return `Logged in to company ${settings.company}; its book ${book.BookID} is kept in ${await localCurrency()}.`;
      },
      whenFailed:
        'Check user and password (or the client of the identity provider), the API key with its companies and expiry, the Company ID and the setting bookId.',
    },
    {
      name: 'Read GL accounts',
      run: () => firstRow(client, accountsQuery(settings), `accounts of the chart ${settings.coaCode}`),
      whenFailed: 'Allow Erp.BO.GLAccountSvc to the user and in the access scope of the API key, and check coaCode.',
    },
    {
      name: 'Read suppliers',
      run: () => firstRow(client, vendorsQuery(), 'suppliers'),
      whenFailed: 'Allow Erp.BO.VendorSvc to the user and in the access scope of the API key.',
    },
    {
      name: 'Find the current period',
      run: async () => {
        const day = today();
        const current = (await periods()).find((period) => period.startsOn <= day && day <= period.endsOn);
        if (!current) throw new ConfigurationError(`No fiscal period of book ${settings.bookId} holds ${day}.`);
        const state = current.open ? 'open' : 'closed: everything dated in it will be held';
        return `${current.label} (${current.startsOn} to ${current.endsOn}) is ${state}.`;
      },
      whenFailed: 'Check bookId and fiscalCalendarId, or set periodSource to calendar.',
    },
    {
      name: 'Search by reference',
      run: async () => {
        await findInvoices(client, settings, [NOBODY]);
        const query = { documentType: 'JOURNAL', reference: NOBODY, supplierCode: null, postingDate: today() } as const;
        await findPostedJournals(client, settings, [query]);
        return 'Invoices and posted journals can be searched.';
      },
      whenFailed:
        'Allow Erp.BO.APInvoiceSvc (or the service in invoiceLookup) and Erp.BO.GLJrnDtlSvc: without them a lost reply can never be cleared up.',
    },
    {
      name: 'Right to post',
      run: () => rightToPost(client, settings),
      whenFailed:
        'Allow APInvGrpSvc, APInvoiceSvc, GLJrnGrpSvc and GLJournalEntrySvc (Erp.BO) and, with autoPost, Erp.PROC.APInvoicePostSvc.',
    },
  ];
}

/** Nobody is logged in for this: any answer of Epicor's, a refusal first of all, shows that it is there. */
async function reach(client: KineticClient): Promise<string> {
  const reply = await client.probe();
  const body = parseExact(reply.body.toString('utf8'))?.value;
  const isEpicor = isRecord(body) && reply.status !== 404;
  if (reply.status === 401 || reply.status === 403 || (isEpicor && reply.status < 500))
    return 'The REST service answers.';
  throw new ConfigurationError(
    `Whatever answers at this address (HTTP ${reply.status}), it is not the REST service of Epicor Kinetic, or it is out of order.`,
    { code: 'WRONG_ADDRESS', detail: { httpStatus: reply.status } },
  );
}

async function firstRow<T>(client: KineticClient, query: ListQuery<T>, what: string): Promise<string> {
  for await (const rows of client.list(query)) if (rows.length > 0) return `The user may read ${what}.`;
  return `The user may read ${what}; there are none yet.`;
}

/** Asks for new rows that are then not saved: whoever may not post is refused already here. */
async function rightToPost(client: KineticClient, settings: KineticSettings): Promise<string> {
  const work = new Work(settings.readTimeoutSeconds * 1000);
  await client.ask(AP_GROUPS.service, 'GetNewAPInvGrpNoLock', { ds: { APInvGrp: [] } }, work);
  await client.ask(GL_GROUPS.service, 'GetNewGLJrnGrpNoLock', { ds: {} }, work);
  if (!settings.autoPost) return 'The user may enter invoices and journals; accountants post them (autoPost is off).';
  if ((await client.read('Erp.PROC.APInvoicePostSvc', 'GetNewParameters', {}, work)) === null) {
    throw new ErpRejectedError('Epicor Kinetic gave no parameters for posting invoices.');
  }
  return 'The user may enter and post invoices and journals.';
}
