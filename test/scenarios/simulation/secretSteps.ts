import { updateCredentials, updateSystem } from '../../../src/services/systems.js';
import { answered } from './asking.js';
import { callerOf } from './workers.js';
import type { World } from './world.js';

/** Secrets that change while everything runs. */

/** The ledger's credential is entered again: mostly the right one, sometimes with a slip of the hand. */
export async function enterLedgerCredential(world: World): Promise<string> {
  const { tenantId, ledgerId, ledger, random } = world;
  const isWrong = random.chance(0.4);
  const credentials = isWrong ? ledger.wrongCredentials : ledger.credentials;
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => updateCredentials(engine, caller, ledgerId, credentials));
  if (outcome.ok) world.isLedgerCredentialWrong = isWrong;
  const what = isWrong ? 'wrong ledger credential entered' : 'ledger credential entered';
  return `${isWrong ? 'wrong' : 'right'}: ${answered(world, what, outcome)}`;
}

/** The source gives out another credential and takes the old one no more; a person enters it at once or later. */
export async function changeSourceCredential(world: World): Promise<string> {
  if (!world.source.changeCredential()) return 'the source has only one';
  world.note('source credential changed');
  world.isSourceCredentialOld = true;
  if (world.random.chance(0.4)) return 'changed; nobody enters it yet';
  return enterSourceCredential(world);
}

export async function enterSourceCredential(world: World): Promise<string> {
  const { tenantId, sourceId, source } = world;
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => updateCredentials(engine, caller, sourceId, source.access.credentials));
  if (outcome.ok) world.isSourceCredentialOld = false;
  return answered(world, 'source credential entered', outcome);
}

export async function changeWebhookSecret(world: World): Promise<string> {
  const settings = world.source.changeWebhookSecret();
  if (settings === null) return 'the source does not push';
  const { tenantId, sourceId } = world;
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => updateSystem(engine, caller, sourceId, { settings }));
  return answered(world, 'webhook secret changed', outcome);
}

/** Everything is sealed under a new master key while the processes go on; one that is hit half way is begun again later. */
export async function rotateMasterKey(world: World): Promise<string> {
  const worker = world.anyWorker();
  const failure = await world.underMishap(worker, () => world.secrets.rotate(worker.engine, world.tenantId));
  if (failure !== null) {
    world.note('master key rotation interrupted');
    return `interrupted: ${String(failure)}`;
  }
  world.note('master key rotated');
  return 'done';
}
