import { LedgergateError } from '../../errors.js';
import type { CheckResult, LedgerPeriod } from '../contract.js';
import type { SysproClient } from './client.js';
import type { SysproSettings } from './config.js';
import { missingDefaults } from './suppliers.js';
import { anyRow } from './wire.js';

/** The steps of testing a connection. Each says what was found, or what to do when it failed. */

export interface CheckFacts {
  readonly client: SysproClient;
  readonly settings: SysproSettings;
  localCurrency(): Promise<string>;
  periods(): Promise<readonly LedgerPeriod[]>;
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
    return { name: step.name, ok: false, detail: `${what} ${step.whenFailed}`, latencyMs: latencyMs() };
  }
}

function stepsOf({ client, settings, localCurrency, periods, today }: CheckFacts): Step[] {
  return [
    {
      name: 'Reach the e.net service',
      run: async () => `The service answers as version ${await client.version()}.`,
      whenFailed: 'Check the base URL and port with whoever runs SYSPRO, and that this machine may reach them.',
    },
    {
      name: 'Log in',
      run: async () => {
        const { companyname, operatorcode } = await client.logonProfile();
        return `Logged on to ${companyname || 'the company'} as ${operatorcode || 'the operator'}.`;
      },
      whenFailed: 'Check operator, company and passwords, and that the operator has an e.net licence.',
    },
    {
      name: 'Local currency',
      run: async () => `The books are kept in ${await localCurrency()}.`,
      whenFailed: 'Enter the ISO code of the ledger’s own code in the setting localCurrency.',
    },
    {
      name: 'Read GL accounts',
      run: () => readOneRow(client, 'GenMaster', 'GlCode', 'GL accounts'),
      whenFailed: 'Give the operator access to the query COMFND on GenMaster.',
    },
    {
      name: 'Search journals by reference',
      run: () => readOneRow(client, 'GenJournalCtl', 'Reference', 'journals'),
      whenFailed:
        'Give the operator access to COMFND on GenJournalCtl: without it a lost reply can never be cleared up.',
    },
    {
      name: 'Read suppliers',
      run: () => readOneRow(client, 'ApSupplier', 'Supplier', 'suppliers'),
      whenFailed: 'Give the operator access to the query COMFND on ApSupplier.',
    },
    {
      name: 'Find the current period',
      run: async () => {
        const current = (await periods()).findLast((period) => period.open && period.startsOn <= today());
        if (!current) return 'No period that has begun is open: everything will be held until one is.';
        return `${current.label} is open until ${current.endsOn}.`;
      },
      whenFailed: 'Enter the element names in periodElements, or the calendar itself in fiscalPeriods.',
    },
    {
      name: 'Supplier defaults',
      run: async () => {
        const missing = missingDefaults(settings.supplierDefaults);
        return missing.length === 0
          ? 'Suppliers can be created.'
          : `Suppliers cannot be created until ${missing.join(', ')} are set; everything else works.`;
      },
      whenFailed: '',
    },
  ];
}

async function readOneRow(client: SysproClient, table: string, key: string, what: string): Promise<string> {
  const rows = await client.find({ table, columns: [key], where: [], orderBy: [key], rows: 1 }, anyRow);
  return rows.length > 0 ? `The operator may read ${what}.` : `The operator may read ${what}; there are none yet.`;
}
