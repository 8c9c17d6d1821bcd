import { approvePosting, replayPostings } from '../../../src/services/postings.js';
import { triggerSync } from '../../../src/services/syncs.js';
import { updateCredentials } from '../../../src/services/systems.js';
import { EXPENSE_ACCOUNTS } from './ledgers.js';
import { callerOf } from './workers.js';
import { done, type World } from './world.js';

/** More jobs than any history leaves; one that always makes another would run for ever. */
const JOBS_MAX = 400;
const ROUNDS = 3;
/** What is to be done later than that waits for a person: a result, say, for a record that nobody finishes. */
const HORIZON_MS = 3 * 60 * 60_000;
const APPROVER = 'user:zoe';

/** No more faults: everybody goes on, the ledger is open again, and all is done that can be done without a decision. */
export async function settle(world: World): Promise<void> {
  world.faults.isOn = false;
  world.mishapsOn = false;
  for (const { clock } of world.everyWorker) clock.skewMs = 0;
  while (await world.resume());
  await enterSecrets(world);
  world.source.catchUp();
  await runAll(world);
  const wasClosed = reopen(world);
  // Master data is read again when it is old, and days that were still running have ended.
  if (wasClosed || world.pipeline.grouping === 'DAILY') await world.time.advance(24 * 60 * 60_000);
  const caller = callerOf(world.tenantId, 'user:ana');
  const sync = async () => {
    done(await triggerSync(world.anyWorker().engine, caller, { pipelineId: world.pipelineId, dryRun: false }));
    await runAll(world);
  };
  await sync();
  // That a login cannot be renewed any more is only seen by whoever uses it.
  if (await enterSecrets(world)) await sync();
  for (let round = 0, before = await waiting(world); before !== null && round < ROUNDS; round += 1) {
    const { engine } = world.anyWorker();
    done(await replayPostings(engine, caller, { pipelineId: world.pipelineId }, null));
    await runAll(world);
    await approveAll(world);
    await runAll(world);
    const now = await waiting(world);
    if (now === before) break;
    before = now;
  }
  world.documents = world.ledger.sandbox.documents().length;
}

/** @returns whether anything was closed or blocked. */
function reopen(world: World): boolean {
  const { sandbox } = world.ledger;
  if (!world.wasLedgerChanged) return false;
  for (const day of ['2026-10-31', '2026-11-30']) sandbox.setPeriodOpen(day, true);
  for (const code of EXPENSE_ACCOUNTS) sandbox.setAccountActive(code, true);
  for (const { code } of sandbox.suppliers()) sandbox.setSupplierActive(code, true);
  return true;
}

/**
 * Whoever has the right secrets enters them where others are stored, and a rotation that was broken off is ended.
 * @returns whether any were entered.
 */
async function enterSecrets(world: World): Promise<boolean> {
  const { engine } = world.anyWorker();
  const caller = callerOf(world.tenantId, 'user:ana');
  if (world.secrets.isHalfWay) await world.secrets.rotate(engine, world.tenantId);
  const unusable = await world.rows<{ id: string }>(
    `select id from systems where tenant_id = $1 and status = 'NEEDS_REAUTHORISATION'`,
  );
  const isNeeded = (id: string, isWrong: boolean) => isWrong || unusable.some((one) => one.id === id);
  const [isLedger, isSource] = [
    isNeeded(world.ledgerId, world.isLedgerCredentialWrong),
    isNeeded(world.sourceId, world.isSourceCredentialOld),
  ];
  if (isLedger) {
    done(await updateCredentials(engine, caller, world.ledgerId, world.ledger.credentials));
    world.isLedgerCredentialWrong = false;
  }
  if (isSource) {
    done(await updateCredentials(engine, caller, world.sourceId, world.source.credentialToEnter()));
    world.isSourceCredentialOld = false;
  }
  return isLedger || isSource;
}

/** The documents that wait for something, with their state; null = none does. The same again: for a person's decision. */
async function waiting(world: World): Promise<string | null> {
  const [row] = await world.rows<{ digest: string | null }>(
    `select md5(string_agg(id || status || coalesce(plan_hash, ''), ' ' order by id)) as digest from postings
     where tenant_id = $1 and status not in ('POSTED', 'REVERSED', 'CANCELLED')`,
  );
  return row?.digest ?? null;
}

async function approveAll(world: World): Promise<void> {
  const waiting = await world.rows<{ id: string; plan_hash: string }>(
    `select id, plan_hash from postings where tenant_id = $1 and status = 'AWAITING_APPROVAL' order by id`,
  );
  const caller = callerOf(world.tenantId, APPROVER);
  for (const { id, plan_hash } of waiting) {
    const outcome = await approvePosting(world.anyWorker().engine, caller, id, plan_hash);
    if (outcome.ok) continue;
    // It was planned again for the approval and says something else now: that is looked at and approved.
    const [again] = await world.rows<{ plan_hash: string }>(
      `select plan_hash from postings where tenant_id = $1 and status = 'AWAITING_APPROVAL' and id = '${id}'`,
    );
    if (again) done(await approvePosting(world.anyWorker().engine, caller, id, again.plan_hash));
  }
}

async function runAll(world: World): Promise<void> {
  const until = world.time.nowMs + HORIZON_MS;
  for (let ran = 0; ran < JOBS_MAX; ) {
    if (await world.runJob()) {
      ran += 1;
      continue;
    }
    const next = Math.min((await world.queue.nextStartMs()) ?? Number.POSITIVE_INFINITY, world.time.nextEventMs);
    if (next > until) return;
    await world.time.moveTo(Math.max(next, world.time.nowMs + 1));
  }
  throw new Error(`The queue was not empty after ${JOBS_MAX} jobs.`);
}
