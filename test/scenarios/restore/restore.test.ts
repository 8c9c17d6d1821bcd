// The whole program against simulated vendors: its database is put back to what it was before the last postings, while
// ledger and source keep what they have. What would surprise: a write to the ledger after the restore, a document that
// nobody knows, a purchase of which Brex is told another document, or money that the reconciliation cannot place.
// The procedure is that of docs/operation.md; the copy of the database stands for pg_dump, which is not installed everywhere.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import type { Documents } from '../crash/ledger.js';
import { exported } from '../crash/watch.js';
import { triggerSync } from '../support/gateway.js';
import { PlainWorld } from '../support/plainWorld.js';
import { buildProduct, type Product } from '../support/product.js';
import { until } from '../support/wait.js';

const WITHIN_MS = 300_000;

interface Case {
  readonly name: string;
  readonly ledger: string;
  readonly documents: Documents;
  /** An account of the ledger that is closed for a while, and its cost centre. */
  readonly account: { readonly glAccount: string; readonly costCentre: string; readonly code: string };
  /** Whether what was posted can be corrected without a person; an invoice needs a credit note by hand. */
  readonly corrects: boolean;
}

const TRAVEL = { glAccount: '6200', costCentre: '30' };
const CASES: readonly Case[] = [
  {
    ...{ name: 'SYSPRO, journals', ledger: 'syspro', documents: 'journal', corrects: true },
    account: { ...TRAVEL, code: '30-6200' },
  },
  {
    ...{ name: 'Epicor Kinetic, journals that are staged', ledger: 'epicor-kinetic', documents: 'journal' },
    ...{ corrects: true, account: { ...TRAVEL, code: '6200' } },
  },
  {
    ...{ name: 'Epicor Kinetic, invoices with new suppliers', ledger: 'epicor-kinetic', documents: 'invoice' },
    ...{ corrects: false, account: { ...TRAVEL, code: '6200' } },
  },
];

let product: Product;
beforeAll(async () => {
  product = await buildProduct();
}, WITHIN_MS);
afterAll(() => product.remove());

/** Reference, state and document of every posting. */
async function story(world: PlainWorld): Promise<string[]> {
  const rows = await world.sql<{ what: string }>(
    `select reference || ' ' || status || ' ' || coalesce(ledger_document_id, '-') as what from postings order by 1`,
  );
  return rows.map(({ what }) => what);
}

function documentsOf(world: PlainWorld): string[] {
  const posted = world.ledger.sandbox.documents().filter((document) => document.posted);
  return posted.map(({ reference, number, debit }) => `${reference.trim()} ${number} ${debit}`).sort();
}

const told = (world: PlainWorld) => [...exported(world.brex, new Set(world.recordIds))].sort();

async function sync(world: PlainWorld): Promise<void> {
  await triggerSync(world.client, world.flow.pipelineId);
}

async function work(world: PlainWorld): Promise<void> {
  await world.startApi();
  await world.startWorker('worker');
}

/** Posted, held, and one whose answer is not in when its process dies: what the backup knows. */
async function before(world: PlainWorld, { account }: Case): Promise<{ posted: string; held: string }> {
  await work(world);
  await world.connect();
  const posted = world.addPurchase();
  await sync(world);
  await world.comesToRest();
  world.ledger.sandbox.setAccountActive(account.code, false);
  await refreshMasterData(world);
  const held = world.addPurchase(account);
  await sync(world);
  await world.comesToRest();
  expect(await statuses(world)).toContain('HELD');
  await leaveOneOnItsWay(world);
  return { posted, held };
}

async function leaveOneOnItsWay(world: PlainWorld): Promise<void> {
  const slow = { kind: 'SLOW', probability: 1, delayMs: 1_500 } as const;
  const matches = world.ledger.faults
    .filter(({ kind }) => kind === 'LOSE_REPLY_AFTER_COMMIT')
    .map(({ match }) => match);
  world.ledger.sandbox.faults.set([...new Set(matches)].map((match) => ({ ...slow, match })));
  world.addPurchase();
  const worker = await world.startWorker('dying');
  await world.stopAllBut(worker);
  await world.startApi();
  await sync(world);
  await until('a document on its way', 60_000, async () => (await statuses(world)).includes('POSTING'));
  worker.signal('SIGKILL');
  await worker.ended;
  world.ledger.sandbox.faults.clear();
  await world.stopProcesses();
}

async function statuses(world: PlainWorld): Promise<string[]> {
  return (await world.sql<{ status: string }>('select status from postings')).map(({ status }) => status);
}

async function refreshMasterData(world: PlainWorld): Promise<void> {
  await world.client.change(
    `mutation ($id: ID!) { done: refreshMasterData(systemId: $id) { userErrors { code message path } } }`,
    { id: world.flow.ledgerId },
  );
}

/** What happens after the backup, and is forgotten by the database only. */
async function since(world: PlainWorld, { account, corrects }: Case, posted: string): Promise<void> {
  await work(world);
  await world.comesToRest();
  world.ledger.sandbox.setAccountActive(account.code, true);
  await refreshMasterData(world);
  await world.client.change(
    `mutation ($filter: GlPostingFilter!) { done: replayPostings(filter: $filter) { userErrors { code message path } } }`,
    { filter: { pipelineId: world.flow.pipelineId, statuses: ['HELD'] } },
  );
  world.addPurchase();
  const fresh = world.addPurchase();
  await sync(world);
  await world.comesToRest();
  expect(await statuses(world)).not.toContain('HELD');
  if (!corrects) return;
  world.changeAmount(posted, 77_701);
  world.changeAmount(fresh, 77_702);
  await sync(world);
  await world.comesToRest();
  expect((await statuses(world)).filter((status) => status === 'REVERSED')).toHaveLength(2);
}

async function reconciliation(world: PlainWorld) {
  const { report, chain } = await world.client.ask<{
    report: { complete: boolean; totals: { difference: string; held: string }[] };
    chain: { ok: boolean };
  }>(
    `query ($id: ID!) { report: reconciliation(pipelineId: $id, from: "2000-01-01", to: "2100-01-01") {
       complete totals { difference held } } chain: verifyAuditChain { ok } }`,
    { id: world.flow.pipelineId },
  );
  return { ...report, chain };
}

describe('after a restore from a backup that is older than the last postings', () => {
  it.concurrent.each(CASES)(
    '$name: what the ledger holds is adopted, nothing is written, and Brex knows what it knew',
    async (one) => {
      const database = await freshDatabase();
      const world = await PlainWorld.start({
        ...{ product, databaseUrl: database.connectionString, purchases: 6 },
        ...{ ledger: one.ledger, documents: one.documents },
      });
      try {
        await proveRestore(world, database, one);
      } finally {
        await world.close();
        await database.drop();
      }
    },
    WITHIN_MS,
  );
});

async function proveRestore(world: PlainWorld, database: FreshDatabase, one: Case): Promise<void> {
  const { posted } = await before(world, one);
  const backup = await database.backUp();
  try {
    await since(world, one, posted);
    const known = { story: await story(world), documents: documentsOf(world), told: told(world) };
    const suppliers = world.ledger.sandbox.summary().suppliers;
    await world.stopProcesses();

    await backup.restore();
    const { decided } = world.watch;
    await work(world);
    await sync(world);
    await world.comesToRest();
    expect(await story(world)).toEqual(known.story);
    expect(documentsOf(world)).toEqual(known.documents);
    expect(told(world)).toEqual(known.told);
    expect(world.watch.decided).toBe(decided);
    expect(world.ledger.sandbox.summary()).toMatchObject({ suppliers, duplicates: [] });
    const [adopted] = await world.sql<{ count: number }>(
      `select count(*)::int from audit_events where action = 'posting.posted' and after ->> 'adopted' = 'true'`,
    );
    expect(adopted?.count).toBeGreaterThanOrEqual(one.corrects ? 7 : 3);
    expect(await reconciliation(world)).toMatchObject({
      complete: true,
      totals: [{ difference: '0.00', held: '0.00' }],
      chain: { ok: true },
    });
    expect(world.complaints()).toEqual([]);
  } finally {
    await world.stopProcesses();
    await backup.drop();
  }
}
