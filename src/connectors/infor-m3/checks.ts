import { ConfigurationError, LedgergateError } from '../../errors.js';
import type { CheckResult, LedgerPeriod } from '../contract.js';
import type { M3Client } from './client.js';
import { parsed } from './client.js';
import type { M3Discovery } from './discovery.js';
import { isNotFound, readRefused, TITLE } from './failures.js';
import { authorityRow, userRow } from './wire.js';

/** The steps of testing a connection. Each says what was found, or what to do when it failed. Nothing is written. */

export interface CheckFacts {
  readonly client: M3Client;
  readonly discovery: M3Discovery;
  localCurrency(): Promise<string>;
  /** Reads the first page only. */
  accounts(): AsyncIterable<readonly unknown[]>;
  suppliers(): AsyncIterable<readonly unknown[]>;
  periods(): readonly LedgerPeriod[];
  today(): string;
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
    return { name: step.name, ok: false, detail: `${what} ${step.whenFailed}`.trim(), latencyMs: latencyMs() };
  }
}

function stepsOf(facts: CheckFacts): Step[] {
  const { client } = facts;
  return [
    {
      name: 'Reach the gateway',
      run: async () => {
        await client.reach();
        return 'The ION API gateway answers.';
      },
      whenFailed: 'Check the base URL (iu of the .ionapi file), and that this machine may reach it.',
    },
    {
      name: 'Log in',
      run: async () => {
        await client.tokens.current();
        return 'The authorization server issued an access token.';
      },
      whenFailed: 'Download the .ionapi file again, with its service account, and reconnect.',
    },
    {
      name: 'M3 user',
      run: () => whoAmI(client),
      whenFailed: 'Link the service account to an M3 user, and check cono, divi, apiPath and apiVersion.',
    },
    {
      name: 'Discover the release',
      run: () => release(facts),
      whenFailed: 'Give the M3 user the right to MRS001MI, and to the programs that are named.',
    },
    {
      name: 'Local currency',
      run: async () => `The books are kept in ${await facts.localCurrency()}.`,
      whenFailed: 'Check cono and divi, or enter the setting localCurrency.',
    },
    {
      name: 'Read GL accounts',
      run: () => firstPage(facts.accounts(), 'GL accounts'),
      whenFailed: 'Give the M3 user the right to CRS630MI.',
    },
    {
      name: 'Read suppliers',
      run: () => firstPage(facts.suppliers(), 'suppliers'),
      whenFailed: 'Give the M3 user the right to CRS620MI.',
    },
    {
      name: 'Find the period of today',
      run: async () => {
        const today = facts.today();
        const period = facts.periods().find(({ startsOn, endsOn }) => startsOn <= today && today <= endsOn);
        if (!period) throw new ConfigurationError(`No fiscal period holds ${today}.`);
        return `${period.label} (${period.startsOn} to ${period.endsOn}) is ${period.open ? 'open' : 'closed'}${client.settings.fiscalPeriods ? '' : ', by the calendar; M3 itself decides when it is posted to'}.`;
      },
      whenFailed: 'Enter the calendar of this year in the setting fiscalPeriods.',
    },
    {
      name: 'Right to post',
      run: () => rightToPost(client),
      whenFailed: 'Give the M3 user the right to the programs that are named, in SES400.',
    },
  ];
}

async function whoAmI(client: M3Client): Promise<string> {
  const answer = await client.ask('MNS100MI', 'GetUserInfo', {});
  if (answer.kind === 'REFUSED')
    throw readRefused('MNS100MI.GetUserInfo', answer.refusal, client.settings.errorPatterns);
  const { ZZUSID, ZDCONO, ZDDIVI } = parsed(userRow, answer.records[0] ?? {}, 'MNS100MI.GetUserInfo');
  return `M3 knows the service account as ${ZZUSID || 'a user without a name'}, at home in company ${ZDCONO || '?'}, division "${ZDDIVI}".`;
}

async function release({ client, discovery }: CheckFacts): Promise<string> {
  discovery.forget();
  const { gl, invoice, invoiceProgram, journalInterface } = client.settings;
  const line = gl.usage === 'field' ? 'AddBatchLineFld' : 'AddBatchLine';
  const journals = await discovery.has('GLS840MI', line);
  const invoiceLine = await discovery.fieldsOf('APS450MI', 'AddLine');
  const findings = [
    journalInterface === undefined
      ? 'Journals wait for the setting journalInterface.'
      : journals
        ? `Journals go by GLS840MI.${line}.`
        : `Journals are not possible: this release has no GLS840MI.${line}.`,
    invoiceLine === null
      ? 'Supplier invoices are not possible by APS450MI.'
      : invoiceLine.inputs.has('AIT1') || invoice.coding === 'm3-derived'
        ? `Supplier invoices go by ${invoiceProgram}${invoiceLine.inputs.has('AIT1') ? ' with accounts on their lines' : ', accounts as M3 derives them'}.`
        : 'Supplier invoices wait for the setting invoice.coding: lines take no accounts in this release.',
  ];
  if (!journals && invoiceLine === null)
    throw new ConfigurationError(`${TITLE} has neither way of posting. ${findings.join(' ')}`);
  return findings.join(' ');
}

async function firstPage(pages: AsyncIterable<readonly unknown[]>, what: string): Promise<string> {
  for await (const rows of pages) return `The user may read ${what} (${rows.length} in the first page).`;
  return `The user may read ${what}; there are none yet.`;
}

/** AUTCHKMI tells the right to a function. A tenant without it can only show the right by a posting. */
async function rightToPost(client: M3Client): Promise<string> {
  const { invoiceProgram, journalInterface } = client.settings;
  const functions = [
    ...(journalInterface === undefined ? [] : ['GLS840']),
    ...(invoiceProgram === 'APS450MI' ? ['APS450', 'APS455'] : []),
  ];
  const lacking: string[] = [];
  for (const name of functions) {
    const answer = await client.ask('AUTCHKMI', 'ChkAuthority', { APGM: name });
    if (answer.kind === 'REFUSED') {
      if (isNotFound(answer.refusal, client.settings.errorPatterns)) {
        return 'This M3 cannot be asked for the right to post (no AUTCHKMI): the first document shows it.';
      }
      throw readRefused('AUTCHKMI.ChkAuthority', answer.refusal, client.settings.errorPatterns);
    }
    const { ALPG } = parsed(authorityRow, answer.records[0] ?? {}, 'AUTCHKMI.ChkAuthority');
    if (ALPG === '0') lacking.push(name);
  }
  if (lacking.length > 0) throw new ConfigurationError(`The M3 user may not use ${lacking.join(', ')}.`);
  return functions.length === 0 ? 'Nothing is set up to be posted yet.' : `The user may use ${functions.join(', ')}.`;
}
