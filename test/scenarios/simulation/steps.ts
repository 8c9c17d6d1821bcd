import { refreshMasterData } from '../../../src/services/masterData.js';
import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import {
  approvePosting,
  cancelPosting,
  replayPosting,
  replayPostings,
  reversePosting,
} from '../../../src/services/postings.js';
import { excludeSpendRecord, includeSpendRecord } from '../../../src/services/spendRecords.js';
import { cancelSync, triggerSync } from '../../../src/services/syncs.js';
import { updateCredentials } from '../../../src/services/systems.js';
import { resolveVendorMatch } from '../../../src/services/vendorMatches.js';
import { receiveWebhook } from '../../../src/services/webhooks.js';
import { DAYS, EXPENSE_ACCOUNTS, MERCHANTS } from './ledgers.js';
import { objectId, type Purchase, VIEWS } from './source.js';
import { callerOf } from './workers.js';
import { CATEGORIES, type World } from './world.js';

type Step = (world: World) => Promise<string> | string;

const PEOPLE = ['user:ana', 'user:ben', 'service:erp'];
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** What may happen next, and how often compared with the others. */
export const STEPS: Readonly<Record<string, readonly [weight: number, step: Step]>> = {
  purchase: [10, addPurchases],
  show: [5, showMore],
  edit: [6, edit],
  split: [2, split],
  refund: [3, refund],
  withdraw: [3, withdraw],
  sync: [14, sync],
  webhook: [6, webhook],
  work: [22, workSome],
  workAll: [14, workAll],
  time: [6, moveClock],
  resume: [4, resume],
  kill: [2, kill],
  period: [4, movePeriod],
  account: [3, moveAccount],
  supplier: [1, moveSupplier],
  session: [2, (world) => `${world.ledger.sandbox.expireSessions()} sessions ended`],
  masterData: [2, readMasterData],
  exclude: [3, exclude],
  include: [3, include],
  approve: [4, approve],
  cancel: [2, cancel],
  reverse: [2, reverse],
  replay: [3, replay],
  replayAll: [2, replayAll],
  vendor: [3, resolveVendor],
  mapping: [3, changeMapping],
  stopSync: [1, stopSync],
  credentials: [1, enterCredentials],
  outage: [1, outage],
  policy: [1, changePolicy],
};

const TOTAL = Object.values(STEPS).reduce((sum, [weight]) => sum + weight, 0);

export function drawStep(world: World): string {
  let left = world.random.next() * TOTAL;
  for (const [name, [weight]] of Object.entries(STEPS)) {
    left -= weight;
    if (left < 0) return name;
  }
  return 'work';
}

// ── the source ───────────────────────────────────────────────────────────────────────────────

function addPurchases(world: World): string {
  const { random, source } = world;
  const count = random.int(1, 3);
  for (let index = 0; index < count; index += 1) {
    source.purchases.push(newPurchase(world, BigInt(random.int(100, 90_000))));
  }
  return source.purchases.slice(-count).map(described).join('; ');
}

function newPurchase({ random, source }: World, minor: bigint): Purchase {
  const shown = random.chance(0.6) ? VIEWS : [random.pick(VIEWS)];
  return {
    id: `p${source.purchases.length + 1}`,
    minor,
    category: random.pick(CATEGORIES),
    merchant: random.pick(MERCHANTS),
    day: random.pick(DAYS),
    parts: [],
    isWithdrawn: false,
    isFinal: random.chance(0.85),
    shown: new Set(shown),
    before: null,
    version: 1,
  };
}

function described(purchase: Purchase): string {
  const { id, minor, day, shown } = purchase;
  return `${id} over ${minor} on ${day} in ${[...shown].map((view) => view[0]).join('')}`;
}

function any({ random, source }: World): Purchase | null {
  return source.purchases.length === 0 ? null : random.pick(source.purchases);
}

function showMore(world: World): string {
  const purchase = any(world);
  if (!purchase) return 'nothing there';
  purchase.shown.add(world.random.pick(VIEWS));
  purchase.isFinal = true;
  purchase.before = null;
  purchase.version += 1;
  return described(purchase);
}

function edit(world: World): string {
  const purchase = any(world);
  if (!purchase) return 'nothing there';
  const { random } = world;
  purchase.version += 1;
  if (random.chance(0.6)) {
    purchase.before = random.chance(0.25) ? { minor: purchase.minor, view: random.pick(VIEWS) } : null;
    purchase.minor += BigInt(random.int(1, 500));
    purchase.parts = [];
  } else if (random.chance(0.5)) purchase.category = random.pick(CATEGORIES);
  else purchase.merchant = random.pick(MERCHANTS);
  return `${described(purchase)}, ${purchase.category} at ${purchase.merchant}`;
}

function split(world: World): string {
  const purchase = any(world);
  if (!purchase) return 'nothing there';
  const first = (purchase.minor * BigInt(world.random.int(10, 90))) / 100n;
  purchase.parts = [first, purchase.minor - first];
  purchase.before = null;
  purchase.version += 1;
  return `${purchase.id} into ${purchase.parts.join(' and ')}`;
}

function refund(world: World): string {
  const { random, source } = world;
  const of = any(world);
  const minor = of && of.minor > 0n ? (of.minor * BigInt(random.int(20, 120))) / 100n : BigInt(random.int(100, 5_000));
  const purchase = newPurchase(world, -minor);
  source.purchases.push(purchase);
  return described(purchase);
}

function withdraw(world: World): string {
  const purchase = any(world);
  if (!purchase) return 'nothing there';
  purchase.isWithdrawn = !purchase.isWithdrawn;
  purchase.version += 1;
  return `${purchase.id} ${purchase.isWithdrawn ? 'is gone' : 'is back'}`;
}

// ── callers ──────────────────────────────────────────────────────────────────────────────────

async function sync(world: World): Promise<string> {
  const { random, tenantId, pipelineId } = world;
  const told: string[] = [];
  const key = random.chance(0.4) ? `key-${random.int(1, 20)}` : undefined;
  for (let count = random.int(1, 3); count > 0; count -= 1) {
    const caller = callerOf(tenantId, random.pick(PEOPLE));
    const window = random.chance(0.2) ? { from: new Date('2026-10-01') } : {};
    const request = { pipelineId, dryRun: random.chance(0.1), ...window, ...(key ? { idempotencyKey: key } : {}) };
    const outcome = await world.ask((engine) => triggerSync(engine, caller, request));
    told.push(outcome.ok ? caller.actor : `${caller.actor} refused: ${outcome.problems[0]?.code}`);
  }
  return `${key ?? 'no key'}: ${told.join(', ')}`;
}

async function webhook(world: World): Promise<string> {
  const { random, sourceId, source } = world;
  const purchase = any(world);
  if (!purchase) return 'nothing there';
  const view = random.pick(VIEWS);
  // Few numbers, so that deliveries repeat and overtake each other.
  const id = `message-${random.int(1, 12)}`;
  const delivery = source.delivery(id, view, [objectId(purchase, view)]);
  const request = { systemId: sourceId, kind: null, ...delivery };
  const { status } = await world.ask((engine) => receiveWebhook(engine, request));
  if (status !== 200) world.broken.push(`A genuine delivery was answered with ${status}`);
  return `${id} about ${objectId(purchase, view)}`;
}

async function stopSync(world: World): Promise<string> {
  const [run] = await world.rows<{ id: string }>(
    `select id from sync_runs where tenant_id = $1 and status in ('QUEUED', 'RUNNING') order by id limit 1`,
  );
  if (!run) return 'no run';
  return answered(await world.ask((engine) => cancelSync(engine, callerOf(world.tenantId, 'user:ana'), run.id)));
}

// ── processes and time ───────────────────────────────────────────────────────────────────────

async function workSome(world: World): Promise<string> {
  const wanted = world.random.int(1, 4);
  let ran = 0;
  while (ran < wanted && (await world.runJob())) ran += 1;
  return `${ran} jobs`;
}

const JOBS_MAX = 60;

/** Everything that is due, and what becomes due within a few minutes. */
async function workAll(world: World): Promise<string> {
  const until = world.time.nowMs + 10 * 60 * SECOND_MS;
  let ran = 0;
  while (ran < JOBS_MAX) {
    if (await world.runJob()) {
      ran += 1;
      continue;
    }
    const next = await world.queue.nextStartMs();
    if (next === null || next > until) break;
    if (next <= world.time.nowMs) break;
    await world.time.moveTo(next);
  }
  return `${ran} jobs`;
}

async function moveClock(world: World): Promise<string> {
  const ms = world.random.spread(SECOND_MS, 2 * DAY_MS);
  await world.time.advance(ms);
  return `${Math.round(ms / SECOND_MS)} s, now ${world.time.now().toISOString()}`;
}

async function resume(world: World): Promise<string> {
  return (await world.resume()) ? 'goes on' : 'nobody is paused';
}

async function kill(world: World): Promise<string> {
  const worker = world.anyWorker();
  await world.bury(worker);
  return worker.name;
}

// ── the ledger ───────────────────────────────────────────────────────────────────────────────

function movePeriod({ random, ledger }: World): string {
  const day = random.pick(['2026-10-31', '2026-11-30']);
  const open = random.chance(0.55);
  ledger.sandbox.setPeriodOpen(day, open);
  return `${day} ${open ? 'opens' : 'closes'}`;
}

function moveAccount({ random, ledger }: World): string {
  const code = random.pick(EXPENSE_ACCOUNTS);
  const active = random.chance(0.6);
  ledger.sandbox.setAccountActive(code, active);
  return `${code} ${active ? 'active' : 'blocked'}`;
}

function moveSupplier({ random, ledger }: World): string {
  const { code } = random.pick(ledger.sandbox.suppliers());
  const active = random.chance(0.6);
  ledger.sandbox.setSupplierActive(code, active);
  return `${code} ${active ? 'active' : 'blocked'}`;
}

async function readMasterData(world: World): Promise<string> {
  const caller = callerOf(world.tenantId, 'user:ana');
  return answered(await world.ask((engine) => refreshMasterData(engine, caller, world.ledgerId)));
}

async function enterCredentials(world: World): Promise<string> {
  const { tenantId, ledgerId, ledger } = world;
  const caller = callerOf(tenantId, 'user:ana');
  return answered(await world.ask((engine) => updateCredentials(engine, caller, ledgerId, ledger.credentials)));
}

/** The ledger answers nobody for a while. */
function outage({ random, faults, time }: World): string {
  const ms = random.spread(5 * SECOND_MS, 30 * 60 * SECOND_MS);
  faults.awayUntilMs = time.nowMs + ms;
  return `the ledger is away for ${Math.round(ms / SECOND_MS)} s`;
}

// ── people ───────────────────────────────────────────────────────────────────────────────────

interface PostingFacts {
  readonly id: string;
  readonly reference: string;
  readonly plan_hash: string;
}

async function anyPosting(world: World, statuses: readonly string[]): Promise<PostingFacts | null> {
  const found = await world.rows<PostingFacts>(
    'select id, reference, plan_hash from postings where tenant_id = $1 and status = any($2) order by id',
    statuses,
  );
  return found.length === 0 ? null : world.random.pick(found);
}

function answered(outcome: { ok: boolean; problems?: readonly { code: string }[] }): string {
  return outcome.ok ? 'done' : `refused: ${outcome.problems?.[0]?.code}`;
}

function person(world: World) {
  return callerOf(world.tenantId, world.random.pick(PEOPLE));
}

async function exclude(world: World): Promise<string> {
  const found = await world.rows<{ id: string }>('select id from spend_records where tenant_id = $1 order by id');
  if (found.length === 0) return 'nothing there';
  const { id } = world.random.pick(found);
  const caller = person(world);
  return answered(await world.ask((engine) => excludeSpendRecord(engine, caller, id, 'Private.')));
}

async function include(world: World): Promise<string> {
  const found = await world.rows<{ id: string }>(
    `select id from spend_records where tenant_id = $1 and status = 'EXCLUDED' order by id`,
  );
  if (found.length === 0) return 'nothing there';
  const { id } = world.random.pick(found);
  const caller = person(world);
  return answered(await world.ask((engine) => includeSpendRecord(engine, caller, id)));
}

async function approve(world: World): Promise<string> {
  const posting = await anyPosting(world, ['AWAITING_APPROVAL']);
  if (!posting) return 'nothing waits';
  const caller = person(world);
  return answered(await world.ask((engine) => approvePosting(engine, caller, posting.id, posting.plan_hash)));
}

async function cancel(world: World): Promise<string> {
  const posting = await anyPosting(world, ['HELD', 'READY', 'AWAITING_APPROVAL', 'REJECTED']);
  if (!posting) return 'nothing to cancel';
  const caller = person(world);
  return answered(await world.ask((engine) => cancelPosting(engine, caller, posting.id, 'Not ours.')));
}

async function reverse(world: World): Promise<string> {
  const posting = await anyPosting(world, ['POSTED']);
  if (!posting) return 'nothing is posted';
  const caller = person(world);
  return answered(await world.ask((engine) => reversePosting(engine, caller, posting.id, 'Wrong company.')));
}

async function replay(world: World): Promise<string> {
  const posting = await anyPosting(world, ['HELD', 'REJECTED', 'IN_DOUBT']);
  if (!posting) return 'nothing to replay';
  const caller = person(world);
  return answered(await world.ask((engine) => replayPosting(engine, caller, posting.id, null)));
}

async function replayAll(world: World): Promise<string> {
  const caller = person(world);
  const filter = { pipelineId: world.pipelineId };
  return answered(await world.ask((engine) => replayPostings(engine, caller, filter, null)));
}

async function resolveVendor(world: World): Promise<string> {
  const { random, tenantId, ledger } = world;
  const found = await world.rows<{ id: string }>('select id from vendor_matches where tenant_id = $1 order by id');
  if (found.length === 0) return 'nothing there';
  const { id } = random.pick(found);
  const supplierCode = random.pick(ledger.sandbox.suppliers()).code;
  const decision = random.pick(['CONFIRM', 'REJECT', 'ASSIGN'] as const);
  const input = { id, decision, ...(decision === 'ASSIGN' ? { supplierCode } : {}) };
  const caller = callerOf(tenantId, 'user:ana');
  return `${decision} ${answered(await world.ask((engine) => resolveVendorMatch(engine, caller, input)))}`;
}

async function changeMapping(world: World): Promise<string> {
  const { random, tenantId, pipelineId } = world;
  const some = CATEGORIES.slice(0, random.int(1, 3));
  const rules = some.map((category) => ({ category, glAccount: random.pick(EXPENSE_ACCOUNTS) }));
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => setMappingRules(engine, caller, { pipelineId, rules }));
  return `${rules.map(({ category, glAccount }) => `${category} to ${glAccount}`).join(', ')}: ${answered(outcome)}`;
}

async function changePolicy(world: World): Promise<string> {
  const { random, tenantId, pipelineId } = world;
  const change = random.pick([
    { closedPeriod: 'HOLD' },
    { closedPeriod: 'NEXT_OPEN_PERIOD' },
    { coding: 'FIRST' },
    { coding: 'RICHEST' },
    { correction: 'HOLD' },
    { correction: 'REVERSE_AND_REPLACE' },
    { requireApproval: true },
    { requireApproval: false },
  ] as const);
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => updatePipeline(engine, caller, pipelineId, change));
  return `${JSON.stringify(change)}: ${answered(outcome)}`;
}
