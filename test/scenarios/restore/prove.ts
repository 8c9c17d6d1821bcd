import type { Documents } from '../crash/ledger.js';
import { exported } from '../crash/watch.js';
import { triggerSync } from '../support/gateway.js';
import type { PlainWorld } from '../support/plainWorld.js';
import { until } from '../support/wait.js';

/** A copy of the gateway's database at one moment. Nobody is connected while it is made, restored or dropped. */
export interface Backup {
  restore(): Promise<void>;
  drop(): Promise<void>;
}

/** At the start; so that there is more than what each step adds. */
export const PURCHASES = 6;
/** Released since the backup, and two that were new; where corrections are possible also two pairs of them. */
const ADOPTED = 3;
const ADOPTED_WITH_CORRECTIONS = 7;

export interface Case {
  readonly name: string;
  readonly ledger: string;
  readonly documents: Documents;
  /** An account of the ledger that is closed for a while, and its cost centre. */
  readonly account: { readonly glAccount: string; readonly costCentre: string; readonly code: string };
  /** Whether what was posted can be corrected without a person; an invoice needs a credit note by hand. */
  readonly corrects: boolean;
}

const TRAVEL = { glAccount: '6200', costCentre: '30' };
export const CASES: readonly Case[] = [
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

async function sync(world: PlainWorld): Promise<void> {
  await triggerSync(world.client, world.flow.pipelineId);
}

async function work(world: PlainWorld): Promise<void> {
  await world.startApi();
  await world.startWorker('worker');
}

/** Posted, held, and one whose answer is not in when its process dies: what the backup knows. */
async function before(world: PlainWorld, { account }: Case): Promise<string> {
  await work(world);
  await world.connect();
  const posted = world.addPurchase();
  await sync(world);
  await world.comesToRest();
  world.ledger.sandbox.setAccountActive(account.code, false);
  await refreshMasterData(world);
  world.addPurchase(account);
  await sync(world);
  await world.comesToRest();
  await mustBe(world, 'HELD', 1);
  await leaveOneOnItsWay(world);
  return posted;
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
  await until('a document on its way', 60_000, async () => (await countOf(world, 'POSTING')) > 0);
  worker.signal('SIGKILL');
  await worker.ended;
  world.ledger.sandbox.faults.clear();
  await world.stopProcesses();
}

async function countOf(world: PlainWorld, status: string): Promise<number> {
  const [row] = await world.sql<{ count: number }>('select count(*)::int from postings where status = $1', [status]);
  return row?.count ?? 0;
}

/** The proof would be about something else. */
async function mustBe(world: PlainWorld, status: string, count: number): Promise<void> {
  const found = await countOf(world, status);
  if (found === count) return;
  const holds = await world.sql<{ message: string }>(
    `select distinct h ->> 'message' as message from postings, jsonb_array_elements(holds) h where status = 'HELD'`,
  );
  const reasons = holds.map(({ message }) => message).join(' ');
  throw new Error(`${found} postings are ${status} instead of ${count}. ${reasons}`);
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
  await mustBe(world, 'HELD', 0);
  if (!corrects) return;
  world.changeAmount(posted, 77_701);
  world.changeAmount(fresh, 77_702);
  await sync(world);
  await world.comesToRest();
  await mustBe(world, 'REVERSED', 2);
}

/**
 * Lets the gateway work, backs its database up, lets it go on working, and puts the database back.
 * @returns what differs from before, and from what the ledger and the source hold; empty when every promise was kept.
 */
export async function proveRestore(world: PlainWorld, backUp: () => Promise<Backup>, one: Case): Promise<string[]> {
  const posted = await before(world, one);
  const backup = await backUp();
  try {
    await since(world, one, posted);
    const known = await picture(world);
    const { decided } = world.watch;
    await world.stopProcesses();

    await backup.restore();
    await work(world);
    await sync(world);
    await world.comesToRest();
    const broken = differences(known, await picture(world));
    if (world.watch.decided !== decided)
      broken.push(`${world.watch.decided - decided} documents were put into the books`);
    broken.push(...world.ledger.sandbox.summary().duplicates.map((reference) => `${reference} is there twice`));
    broken.push(...(await unproven(world, one)), ...world.complaints());
    return broken;
  } finally {
    await world.stopProcesses();
    await backup.drop();
  }
}

interface Picture {
  readonly postings: readonly string[];
  readonly documents: readonly string[];
  readonly told: readonly string[];
  readonly suppliers: number;
}

async function picture(world: PlainWorld): Promise<Picture> {
  return {
    postings: await story(world),
    documents: documentsOf(world),
    told: [...exported(world.brex, new Set(world.recordIds))].map((pair) => pair.join(' ')).sort(),
    suppliers: world.ledger.sandbox.summary().suppliers,
  };
}

function differences(was: Picture, is: Picture): string[] {
  const between = (what: string, a: readonly string[], b: readonly string[]) => [
    ...a.filter((one) => !b.includes(one)).map((one) => `${what}, not any more: ${one}`),
    ...b.filter((one) => !a.includes(one)).map((one) => `${what}, new: ${one}`),
  ];
  return [
    ...between('posting', was.postings, is.postings),
    ...between('document', was.documents, is.documents),
    ...between('result at Brex', was.told, is.told),
    ...(was.suppliers === is.suppliers ? [] : [`${is.suppliers} suppliers instead of ${was.suppliers}`]),
  ];
}

/** What the gateway says of itself after the restore. */
async function unproven(world: PlainWorld, { corrects }: Case): Promise<string[]> {
  const broken: string[] = [];
  const [adopted] = await world.sql<{ count: number }>(
    `select count(*)::int from audit_events where action = 'posting.posted' and after ->> 'adopted' = 'true'`,
  );
  if ((adopted?.count ?? 0) < (corrects ? ADOPTED_WITH_CORRECTIONS : ADOPTED)) {
    broken.push(`only ${adopted?.count} documents are said to be adopted`);
  }
  const { report, chain } = await world.client.ask<{
    report: { complete: boolean; totals: { difference: string; held: string }[] };
    chain: { ok: boolean };
  }>(
    `query ($id: ID!) { report: reconciliation(pipelineId: $id, from: "2000-01-01", to: "2100-01-01") {
       complete totals { difference held } } chain: verifyAuditChain { ok } }`,
    { id: world.flow.pipelineId },
  );
  const isWhole = report.complete && report.totals.length === 1 && chain.ok;
  const isZero = report.totals.every(({ difference, held }) => difference === '0.00' && held === '0.00');
  if (!isWhole || !isZero) broken.push(`reconciliation and trail: ${JSON.stringify({ report, chain })}`);
  return broken;
}
