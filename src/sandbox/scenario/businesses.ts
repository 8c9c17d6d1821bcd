import type { SeedMerchant } from '../brex/index.js';
import type { SysproSeed } from '../syspro/seed.js';
import { CATEGORIES, type Category, LEGAL_FORMS, OWNERS, TRADING_NAMES } from './catalogue.js';
import type { Dice } from './dice.js';

/** How a merchant's name relates to the supplier behind it. */
export type MatchKind =
  /** The name is the supplier's, apart from case. */
  | 'exact'
  /** Another trading name: only a list of aliases can know. */
  | 'alias'
  /** Store numbers, cut-off names, payment prefixes. */
  | 'fuzzy'
  /** The supplier list does not have it. */
  | 'unknown'
  /** The supplier behind it is on hold. */
  | 'supplierOnHold'
  /** Two suppliers have nearly this name. */
  | 'nearTwin';

export interface Business {
  kind: MatchKind;
  category: Category;
  /** Index into the account's merchants. */
  merchant: number;
  /** The cleaned name that Brex shows. */
  name: string;
  /** As card networks send it; several for one business. */
  descriptors: string[];
  /** The right supplier, null where there is none or nobody could decide. */
  supplier: string | null;
}

type Supplier = NonNullable<SysproSeed['suppliers']>[number];

export interface Market {
  businesses: Business[];
  merchants: SeedMerchant[];
  suppliers: Supplier[];
}

const COUNTS: Readonly<Record<Exclude<MatchKind, 'alias' | 'nearTwin'>, number>> = {
  exact: 40,
  fuzzy: 36,
  unknown: 24,
  supplierOnHold: 2,
};
/** Suppliers that no card merchant belongs to. */
const IDLE_SUPPLIERS = 58;
const IDLE_ON_HOLD_EACH = 8;
const DESCRIPTOR_LENGTH = 22;

/** The businesses that the company buys from, and the supplier list of its ledger: about 150 suppliers. */
export function makeMarket(dice: Dice): Market {
  const names = legalNames(dice);
  const market: Market = { businesses: [], merchants: [], suppliers: [] };
  const next = () => {
    const name = names.pop();
    if (name === undefined) throw new Error('The catalogue has no more names.');
    return name;
  };
  for (const [kind, count] of Object.entries(COUNTS) as [keyof typeof COUNTS, number][]) {
    for (let index = 0; index < count; index += 1) addBusiness(market, dice, kind, next());
  }
  for (const trading of TRADING_NAMES) addBusiness(market, dice, 'alias', next(), trading);
  addTwins(market);
  for (let index = 0; index < IDLE_SUPPLIERS; index += 1) {
    addSupplier(market, dice, next().full, index % IDLE_ON_HOLD_EACH === 0);
  }
  return market;
}

interface LegalName {
  category: Category;
  /** `Kessler Tool & Supply` */
  short: string;
  /** `Kessler Tool & Supply Co.` */
  full: string;
}

// An owner names at most one business, so that only the twins look alike.
function legalNames(dice: Dice): LegalName[] {
  return dice.shuffle([...OWNERS]).map((owner) => {
    const category = dice.pick(CATEGORIES);
    const short = `${owner} ${dice.pick(category.trades)}`;
    return { category, short, full: `${short} ${dice.pick(LEGAL_FORMS)}` };
  });
}

function addBusiness(market: Market, dice: Dice, kind: MatchKind, legal: LegalName, trading?: string): void {
  const isUnknown = kind === 'unknown';
  const supplier = isUnknown ? null : addSupplier(market, dice, legal.full, kind === 'supplierOnHold');
  const name = trading ?? (kind === 'fuzzy' || isUnknown ? legal.short : legal.full);
  const descriptors = kind === 'fuzzy' ? messy(dice, legal.short) : [upper(name)];
  addMerchant(market, { kind, category: legal.category, name, descriptors, supplier });
}

function addTwins(market: Market): void {
  const category = CATEGORIES.find((one) => one.account === '6110');
  if (!category) throw new Error('The catalogue has no shop consumables.');
  market.suppliers.push({ code: 'HALDEN1', name: 'Halden Industrial Supply Inc.', currency: 'USD' });
  market.suppliers.push({ code: '0007731', name: 'Halden Industrial Supplies LLC', currency: 'USD' });
  const descriptors = ['HALDEN INDUSTRIAL SUPP'];
  addMerchant(market, { kind: 'nearTwin', category, name: 'Halden Industrial Suppl', descriptors, supplier: null });
}

function addMerchant(market: Market, business: Omit<Business, 'merchant'>): void {
  const merchant = market.merchants.length;
  market.merchants.push({
    ...{ id: `pmch_sbx${merchant + 1}`, name: business.name, mcc: business.category.mcc, country: 'USA' },
  });
  market.businesses.push({ ...business, merchant });
}

/** Most codes are numbers with leading zeros, which a client must not lose; the others are letters and digits. */
function addSupplier(market: Market, dice: Dice, name: string, onHold: boolean): string {
  const number = market.suppliers.length + 1;
  const code = dice.chance(0.7)
    ? String(number * 37).padStart(7, '0')
    : `${name
        .replace(/[^A-Za-z]/g, '')
        .slice(0, 6)
        .toUpperCase()}${String(number).padStart(3, '0')}`;
  market.suppliers.push({ code, name, onHold, currency: 'USD' });
  return code;
}

function upper(name: string): string {
  return name.toUpperCase().replace(/\.$/, '');
}

function messy(dice: Dice, short: string): string[] {
  const name = upper(short);
  const store = `${name.slice(0, DESCRIPTOR_LENGTH - 6)} #${String(dice.int(1, 9_999)).padStart(4, '0')}`;
  const squeezed = name.replace(/[^A-Z0-9]/g, '').slice(0, 14);
  return dice.shuffle([
    store,
    name.slice(0, Math.min(DESCRIPTOR_LENGTH, name.length - 2)),
    `SQ *${name}`.slice(0, DESCRIPTOR_LENGTH + 3),
    `PAYPAL *${squeezed}`,
  ]);
}
