/** A simulated Expensify with a year of reports, and connections to it that wait without waiting. */
import { onTestFinished } from 'vitest';
import type { QuotaWindow, ReadWindow, SpendConnection, SpendPage } from '../../src/connectors/contract.js';
import type { ExpensifyRuntime } from '../../src/connectors/expensify/client.js';
import { settingsSchema } from '../../src/connectors/expensify/config.js';
import { connectExpensify } from '../../src/connectors/expensify/index.js';
import { decimalOf, type Money, sum } from '../../src/domain/money.js';
import type { SourceObject } from '../../src/domain/spend.js';
import {
  type ExpensifySandboxOptions,
  type ExpensifySeed,
  type SeedExpense,
  type SeedReport,
  startExpensifySandbox,
} from '../../src/sandbox/expensify/index.js';
import { contextFor, OpenQuota } from '../support/connectorContext.js';

export const NOW = '2026-11-20T12:00:00Z';
export const USD = '0123456789ABCDEF';
export const EUR = 'FEDCBA9876543210';
const DAY_MS = 86_400_000;
export const LABEL = 'ledgergate';
export const ALL: ReadWindow = { since: null, until: null };

// ── an account ───────────────────────────────────────────────────────────────────────────────

const COMMENTS = ['', 'Trade fair', 'a "quote"\nand a line', 'back\\slash </b> 🧾', 'naïve, €'];

function expenseOf(index: number, isEuro: boolean): SeedExpense {
  const home = isEuro ? 'EUR' : 'USD';
  const isForeign = index % 5 === 4;
  const cents = index % 7 === 6 ? -1500 - index : 2000 + index * 37;
  const rate = isEuro ? '0.92' : '1.085';
  return {
    transactionID: String(4056343049275634494n + BigInt(index)),
    amount: cents,
    currency: isForeign ? (isEuro ? 'USD' : 'EUR') : home,
    ...(isForeign ? { convertedAmount: Math.round(cents * Number(rate)), conversionRate: rate } : {}),
    ...(index % 6 === 5 ? { modifiedAmount: cents + 100, ...(isForeign ? { convertedAmount: cents + 77 } : {}) } : {}),
    merchant: `Merchant ${index % 11}`,
    created: new Date(Date.parse('2025-12-01') + (index % 300) * DAY_MS).toISOString().slice(0, 10),
    category: ['Meals', 'Travel', 'Gifts', ''][index % 4] ?? '',
    tags: isEuro ? ['Berlin'] : [index % 3 === 0 ? '' : 'Dayton plant', 'Line 4: rebuild'],
    comment: COMMENTS[index % COMMENTS.length] ?? '',
    reimbursable: index % 4 !== 1,
    ...(index % 8 === 0 && !isForeign ? { tax: { rateID: 'tax_1', amount: Math.trunc(cents / 10) } } : {}),
    ...(index % 9 === 0 ? { receipt: { receiptID: `w_${index}`, filename: `w_${index}.jpg` } } : {}),
  };
}

/** Reports of a year in all states, of two workspaces; every third is reimbursed, every seventh not approved. */
export function account(reportCount: number, more: Partial<ExpensifySeed> = {}): ExpensifySeed {
  let expenses = 0;
  const reports = Array.from({ length: reportCount }, (_, index): SeedReport => {
    const isEuro = index % 4 === 3;
    const at = Date.parse(NOW) - Math.round(((reportCount - index) * 330 * DAY_MS) / reportCount);
    const moment = (days: number) => new Date(at + days * DAY_MS).toISOString();
    const list = Array.from({ length: index % 4 }, () => expenseOf(expenses++, isEuro));
    return {
      reportID: `R00report${index}`,
      name: `Report "${index}"`,
      policyID: isEuro ? EUR : USD,
      submitter: 'ana@halvorsen.example',
      approver: 'cfo@halvorsen.example',
      createdAt: moment(-9),
      submittedAt: moment(-5),
      approvedAt: index % 7 === 6 ? null : moment(0),
      reimbursedAt: index % 7 !== 6 && index % 3 === 0 ? moment(0.2) : null,
      expenses: list,
    };
  });
  const tax = { name: 'VAT', default: 'tax_1', rates: [{ rateID: 'tax_1', name: 'Standard', rate: '10' }] };
  const categories = [{ name: 'Meals', glCode: '6220' }, { name: 'Travel', glCode: '6200' }, { name: 'Gifts' }];
  const owner = 'cfo@halvorsen.example';
  return {
    now: NOW,
    policies: [
      {
        ...{ id: USD, name: 'Halvorsen Inc.', outputCurrency: 'USD', owner, categories, tax },
        tags: {
          shape: 'levels',
          levels: [
            { name: 'Department', tags: [{ name: 'Dayton plant', glCode: '10' }] },
            { name: 'Project', tags: [{ name: 'Line 4: rebuild', glCode: 'P-100' }] },
          ],
        },
      },
      {
        ...{ id: EUR, name: 'Halvorsen GmbH', outputCurrency: 'EUR', owner, categories, tax },
        tags: { shape: 'flat', tags: [{ name: 'Berlin', glCode: '90' }] },
      },
    ],
    employees: [
      { email: 'ana@halvorsen.example', firstName: 'Ana', lastName: 'Ruiz', accountID: 11 },
      { email: owner, firstName: 'Ingrid', lastName: 'Solberg', accountID: 1, role: 'admin' },
    ],
    reports,
    ...more,
  };
}

// ── connections ──────────────────────────────────────────────────────────────────────────────

/** One clock for the connector's waits, the quota and the simulator's limits. Waiting moves it. */
export class VirtualTime implements ExpensifyRuntime {
  private ms = Date.parse(NOW);
  readonly delay = async (ms: number): Promise<void> => {
    this.ms += ms;
  };
  readonly random = (): number => 0.5;
  readonly monotonicMs = (): number => this.ms;
  readonly now = (): Date => new Date(this.ms);
}

/** Counts calls as the engine's shared quota does. */
class CountingQuota extends OpenQuota {
  private calls: number[] = [];
  constructor(private readonly time: VirtualTime) {
    super();
  }
  override async take(windows: readonly QuotaWindow[] = []): Promise<void> {
    for (;;) {
      const now = this.time.monotonicMs();
      const waits = windows.map(({ calls, perMs }) => {
        const inside = this.calls.filter((at) => at > now - perMs);
        const oldest = inside[inside.length - calls];
        return oldest === undefined ? 0 : oldest + perMs - now;
      });
      const waitMs = Math.max(0, ...waits);
      if (waitMs === 0) break;
      await this.time.delay(waitMs);
    }
    this.calls.push(this.time.monotonicMs());
    await super.take();
  }
}

export async function start(seed: ExpensifySeed, settings: ExpensifySandboxOptions['settings'] = {}) {
  const time = new VirtualTime();
  const sandbox = await startExpensifySandbox({ seed, settings: { rateLimits: null, ...settings }, clock: time });
  onTestFinished(() => sandbox.close());
  const { partnerUserID, partnerUserSecret } = sandbox.access;
  const quota = new CountingQuota(time);
  const connect = (connectorSettings: Record<string, unknown> = {}, secret = partnerUserSecret): SpendConnection => {
    const parsed = settingsSchema.parse({
      costCentreTag: 1,
      tagNames: ['Department', 'Project'],
      ...connectorSettings,
    });
    const credentials = { partnerUserID, partnerUserSecret: secret };
    const options = { quota, now: () => new Date(sandbox.now()) };
    const connection = connectExpensify(contextFor(sandbox.baseUrl, credentials, parsed, options), time);
    onTestFinished(() => connection.disconnect());
    return connection;
  };
  return { sandbox, connect, quota, time };
}

export async function readAll(connection: SpendConnection, window: ReadWindow = ALL) {
  const objects = new Map<string, SourceObject>();
  const unreadable: SpendPage['unreadable'][number][] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const page: SpendPage = await connection.readPage('EXPENSE_REPORTS', window, cursor);
    for (const object of page.objects) objects.set(object.externalId, object);
    unreadable.push(...page.unreadable);
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== null && pages < 500);
  return { objects: [...objects.values()], unreadable, pages };
}

export function totals(objects: readonly SourceObject[]): Record<string, string> {
  const byCurrency = Map.groupBy(objects, ({ amount }) => amount.currency);
  const text = (amounts: Money[], currency: string) => decimalOf(sum(amounts, currency));
  return Object.fromEntries(
    [...byCurrency].map(([code, list]) => [
      code,
      text(
        list.map(({ amount }) => amount),
        code,
      ),
    ]),
  );
}

/** What the ledger would see of each expense, in one order. */
export function contentOf(objects: readonly SourceObject[]) {
  return objects
    .map(({ version, raw, postedDate, receiptUrls, ...rest }) => rest)
    .sort((a, b) => (a.externalId < b.externalId ? -1 : 1));
}

type Sandbox = Awaited<ReturnType<typeof start>>['sandbox'];

/** The account's own sums of what may be posted. */
export function accountTotals(sandbox: Sandbox) {
  const { APPROVED, REIMBURSED } = sandbox.summary().byState;
  const cents = (text = '0.00') => BigInt(text.replace('.', ''));
  const add = (code: string) => ({
    minor: cents(APPROVED.totals[code]) + cents(REIMBURSED.totals[code]),
    currency: code,
  });
  return {
    expenses: APPROVED.expenses + REIMBURSED.expenses,
    totals: { EUR: decimalOf(add('EUR')), USD: decimalOf(add('USD')) },
  };
}
