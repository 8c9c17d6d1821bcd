import { refreshMasterData } from '../../../src/services/masterData.js';
import { answered } from './asking.js';
import { EXPENSE_ACCOUNTS } from './ledgers.js';
import { callerOf } from './workers.js';
import type { World } from './world.js';

/** What happens in the ledger without us. */

const SECOND_MS = 1_000;

export function endSessions(world: World): string {
  const ended = world.ledger.sandbox.expireSessions();
  if (ended > 0) world.note('sessions ended');
  return `${ended} sessions ended`;
}

export function movePeriod(world: World): string {
  const { random, ledger } = world;
  const day = random.pick(['2026-10-31', '2026-11-30']);
  const open = random.chance(0.55);
  world.wasLedgerChanged = true;
  ledger.sandbox.setPeriodOpen(day, open);
  world.note(open ? 'period opened' : 'period closed');
  return `${day} ${open ? 'opens' : 'closes'}`;
}

export function moveAccount(world: World): string {
  const { random, ledger } = world;
  const code = random.pick(EXPENSE_ACCOUNTS);
  const active = random.chance(0.6);
  world.wasLedgerChanged = true;
  ledger.sandbox.setAccountActive(code, active);
  if (!active) world.note('account blocked');
  return `${code} ${active ? 'active' : 'blocked'}`;
}

export function moveSupplier(world: World): string {
  const { random, ledger } = world;
  const { code } = random.pick(ledger.sandbox.suppliers());
  const active = random.chance(0.6);
  world.wasLedgerChanged = true;
  ledger.sandbox.setSupplierActive(code, active);
  if (!active) world.note('supplier blocked');
  return `${code} ${active ? 'active' : 'blocked'}`;
}

export async function readMasterData(world: World): Promise<string> {
  const caller = callerOf(world.tenantId, 'user:ana');
  return answered(
    world,
    'master data read',
    await world.ask((engine) => refreshMasterData(engine, caller, world.ledgerId)),
  );
}

/** The ledger answers nobody for a while. */
export function outage(world: World): string {
  const { random, faults, time } = world;
  const ms = random.spread(5 * SECOND_MS, 30 * 60 * SECOND_MS);
  world.note('ledger away');
  faults.awayUntilMs = time.nowMs + ms;
  return `the ledger is away for ${Math.round(ms / SECOND_MS)} s`;
}
