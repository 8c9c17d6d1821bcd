import { LedgergateError } from '../../errors.js';
import type { CheckResult } from '../contract.js';
import type { BrexClient } from './client.js';

/** The steps of testing a connection. Reads only; the first two must pass before the others mean anything. */

interface Step {
  readonly name: string;
  /** @returns what was found. */
  run(): Promise<string>;
}

const ONE = { limit: 1, cursor: null } as const;

function loginSteps(client: BrexClient): Step[] {
  return [
    { name: 'log in', run: async () => `logged in as user ${(await client.me()).id}` },
    {
      name: 'company',
      run: async () => {
        const company = await client.company();
        return company.name ? `company ${company.name} (${company.id})` : `company ${company.id}`;
      },
    },
  ];
}

function streamSteps(client: BrexClient, recentFrom: Date): Step[] {
  const found = (what: string, items: readonly unknown[]) =>
    items.length > 0 ? `${what} can be read` : `${what} can be read; there are none yet`;
  return [
    {
      name: 'card transactions',
      run: async () => found('card transactions', (await client.cardTransactions({ ...ONE, postedFrom: null })).items),
    },
    {
      name: 'expenses',
      run: async () =>
        found('expenses', (await client.expenses({ ...ONE, updatedFrom: recentFrom, updatedTo: null })).items),
    },
    {
      name: 'accounting records',
      run: async () => {
        const query = { ...ONE, updatedFrom: recentFrom, updatedBefore: null, source: 'CARD' };
        return found('accounting records', (await client.records(query)).items);
      },
    },
    {
      name: 'cash transactions',
      run: async () => {
        const [account] = await client.cashAccounts();
        if (!account) return 'there is no cash account';
        const page = await client.cashTransactions(account.id, { ...ONE, postedFrom: null });
        return found('cash transactions', page.items);
      },
    },
  ];
}

/**
 * A failed login ends the test. The streams are independent permissions: each is tried, so that one visit to Brex's
 * dashboard can grant all that is missing.
 */
export async function runChecks(
  client: BrexClient,
  recentFrom: Date,
  monotonicMs: () => number,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const step of loginSteps(client)) {
    const result = await runStep(step, monotonicMs);
    results.push(result);
    if (!result.ok) return results;
  }
  for (const step of streamSteps(client, recentFrom)) results.push(await runStep(step, monotonicMs));
  return results;
}

async function runStep(step: Step, monotonicMs: () => number): Promise<CheckResult> {
  const startedMs = monotonicMs();
  const latencyMs = () => Math.round(monotonicMs() - startedMs);
  try {
    const detail = await step.run();
    return { name: step.name, ok: true, detail, latencyMs: latencyMs() };
  } catch (error) {
    const detail = error instanceof LedgergateError ? error.userMessage : 'an unexpected failure; see the log';
    return { name: step.name, ok: false, detail, latencyMs: latencyMs() };
  }
}
