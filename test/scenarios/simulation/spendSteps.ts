import { DAYS, MERCHANTS } from './ledgers.js';
import { CATEGORIES, describedPurchase, type Purchase, VIEWS } from './purchase.js';
import type { World } from './world.js';

/** What people do at the spend system. */

const FOREIGN = ['EUR', 'JPY', 'GBP'];

export function addPurchases(world: World): string {
  const { random, source } = world;
  const count = random.int(1, 3);
  for (let index = 0; index < count; index += 1) {
    source.add(newPurchase(world, BigInt(random.int(100, 90_000))));
  }
  return source.purchases.slice(-count).map(describedPurchase).join('; ');
}

function newPurchase(world: World, minor: bigint): Purchase {
  const { random, source } = world;
  const shown = random.chance(0.6) ? VIEWS : [random.pick(VIEWS)];
  const isForeign = random.chance(0.15);
  const isBilledAbroad = source.kind === 'MEMORY' && random.chance(0.08);
  const taxPercent = random.chance(0.25) ? random.int(1, 17) : 0;
  if (isForeign) world.note('foreign purchase');
  if (isBilledAbroad) world.note('billed in another currency');
  if (taxPercent > 0) world.note('tax stated');
  return {
    id: `p${source.purchases.length + 1}`,
    minor,
    amounts: new Set(),
    currency: isBilledAbroad ? 'EUR' : 'USD',
    original: isForeign ? { minor: (minor * 10n) / 11n, currency: random.pick(FOREIGN) } : null,
    taxPercent,
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

export function anyPurchase({ random, source }: World): Purchase | null {
  return source.purchases.length === 0 ? null : random.pick(source.purchases);
}

export function showMore(world: World): string {
  const back = putBack(world);
  if (back !== null) return back;
  const purchase = anyPurchase(world);
  if (!purchase) return 'nothing there';
  world.source.show(purchase, world.random.pick(VIEWS));
  return describedPurchase(purchase);
}

/** A purchase that was withdrawn comes back, where there is one. */
function putBack(world: World): string | null {
  const { source } = world;
  const gone = source.purchases.find(({ isWithdrawn }) => isWithdrawn);
  if (!gone || !source.withdraw(gone)) return null;
  world.note('put back');
  return `${gone.id} is back`;
}

export function edit(world: World): string {
  const back = world.random.chance(0.5) ? putBack(world) : null;
  if (back !== null) return back;
  const purchase = anyPurchase(world);
  if (!purchase) return 'nothing there';
  const { random, source } = world;
  if (random.chance(0.6)) {
    const late = random.chance(0.25) ? random.pick(VIEWS) : null;
    const minor = purchase.minor + BigInt(random.int(1, 500));
    if (minor !== 0n && source.changeAmount(purchase, minor, late)) world.note('amount changed');
  } else if (random.chance(0.5)) {
    if (source.recode(purchase, random.pick(CATEGORIES))) world.note('coded anew');
  } else if (source.rename(purchase, random.pick(MERCHANTS))) world.note('merchant changed');
  return `${describedPurchase(purchase)}, ${purchase.category} at ${purchase.merchant}`;
}

export function split(world: World): string {
  const purchase = anyPurchase(world);
  if (!purchase) return 'nothing there';
  const first = (purchase.minor * BigInt(world.random.int(10, 90))) / 100n;
  if (!world.source.split(purchase, [first, purchase.minor - first])) return `${purchase.id} cannot be split`;
  world.note('split');
  return `${purchase.id} into ${purchase.parts.join(' and ')}`;
}

export function refund(world: World): string {
  const { random, source } = world;
  const of = anyPurchase(world);
  const minor = of && of.minor > 0n ? (of.minor * BigInt(random.int(20, 140))) / 100n : BigInt(random.int(100, 5_000));
  const purchase = newPurchase(world, -minor);
  source.add(purchase);
  world.note(of && minor > of.minor ? 'refund larger than its purchase' : 'refund');
  return describedPurchase(purchase);
}

export function withdraw(world: World): string {
  const purchase = anyPurchase(world);
  if (!purchase) return 'nothing there';
  if (!world.source.withdraw(purchase)) return `${purchase.id} cannot be taken back`;
  world.note(purchase.isWithdrawn ? 'withdrawn' : 'put back');
  return `${purchase.id} ${purchase.isWithdrawn ? 'is gone' : 'is back'}`;
}
