import { endSessions, moveAccount, movePeriod, moveSupplier, outage, readMasterData } from './ledgerSteps.js';
import {
  approve,
  cancel,
  changeMapping,
  changePolicy,
  exclude,
  include,
  replay,
  replayAll,
  resolveVendor,
  reverse,
} from './peopleSteps.js';
import {
  changeSourceCredential,
  changeWebhookSecret,
  enterLedgerCredential,
  enterSourceCredential,
  rotateMasterKey,
} from './secretSteps.js';
import { addPurchases, edit, refund, showMore, split, withdraw } from './spendSteps.js';
import { kill, moveClock, resume, skewClock, stopSync, sync, webhook, workAll, workSome } from './workSteps.js';
import type { World } from './world.js';

type Step = (world: World) => Promise<string> | string;

/** What may happen next, and how often compared with the others. */
export const STEPS: Readonly<Record<string, readonly [weight: number, step: Step]>> = {
  purchase: [10, addPurchases],
  show: [5, showMore],
  edit: [6, edit],
  split: [2, split],
  refund: [3, refund],
  withdraw: [4, withdraw],
  sync: [14, sync],
  webhook: [8, webhook],
  work: [22, workSome],
  workAll: [14, workAll],
  time: [6, moveClock],
  skew: [2, skewClock],
  resume: [4, resume],
  kill: [2, kill],
  period: [4, movePeriod],
  account: [3, moveAccount],
  supplier: [1, moveSupplier],
  session: [2, endSessions],
  masterData: [2, readMasterData],
  exclude: [3, exclude],
  include: [5, include],
  approve: [4, approve],
  cancel: [2, cancel],
  reverse: [2, reverse],
  replay: [3, replay],
  replayAll: [2, replayAll],
  vendor: [3, resolveVendor],
  mapping: [3, changeMapping],
  stopSync: [2, stopSync],
  credentials: [2, enterLedgerCredential],
  sourceCredential: [1, changeSourceCredential],
  sourceCredentialEntered: [1, enterSourceCredential],
  webhookSecret: [1, changeWebhookSecret],
  masterKey: [2, rotateMasterKey],
  outage: [3, outage],
  policy: [1, changePolicy],
};

const TOTAL = Object.values(STEPS).reduce((sum, [weight]) => sum + weight, 0);
/** A history begins with something to post, and with somebody who asks for it. */
const OPENING = ['purchase', 'sync', 'workAll'];

export function drawStep(world: World, index: number): string {
  const opening = OPENING[index - 1];
  if (opening !== undefined) return opening;
  let left = world.random.next() * TOTAL;
  for (const [name, [weight]] of Object.entries(STEPS)) {
    left -= weight;
    if (left < 0) return name;
  }
  return 'work';
}
