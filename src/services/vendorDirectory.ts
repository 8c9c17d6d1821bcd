import type { ReadsVendors, SourceVendor } from '../connectors/contract.js';
import { hashOf } from '../domain/keys.js';
import {
  type DirectoryAction,
  type DirectoryDecision,
  type DirectoryVendor,
  openDirectory,
  type VendorWord,
} from '../domain/vendor/directory.js';
import { DEFAULT_THRESHOLDS, normaliseMerchant } from '../domain/vendor/index.js';
import type { Tx } from '../entities/database.js';
import { ConfigurationError, InputError } from '../errors.js';
import type { Caller, Engine } from './engine.js';
import { type Claim, renew } from './masterDataLease.js';
import { type DoneAction, loadLinks, storeLinks, summariseConflicts } from './vendorLinks.js';
import { matchMerchants } from './vendorMatches.js';

export interface Alignment {
  readonly claim: Claim;
  readonly caller: Caller;
  readonly vendors: ReadsVendors;
  /** Asked between steps. @throws LeaseLost */
  keepGoing(): Promise<boolean>;
}

/** Vendors created or renamed in one run: the next one follows at once, and other work of the process gets its turn. */
const WRITES_MAX = 300;
/** Calls between two commits. If the process dies, so many are found again by their names at the most. */
const WRITE_BATCH = 25;
/** Vendors matched, and links stored, in one transaction. */
const BATCH = 500;

/**
 * Keeps the source's vendors and the ledger's suppliers in step; see `domain/vendor/directory.ts` for what is decided.
 * The source is listed anew each time, because it tells nobody what changed there.
 * @returns whether all is done that can be done without a person.
 */
export async function alignVendors(engine: Engine, alignment: Alignment): Promise<boolean> {
  const vendors = await listVendors(alignment);
  if (vendors === null) return false;
  const decided = await decide(engine, alignment, vendors);
  if (decided === null) return false;
  const { decision, revisions } = decided;
  const isWrite = ({ kind }: DirectoryAction) => kind === 'CREATE' || kind === 'RENAME';
  const writes = decision.actions.filter(isWrite);
  const others = decision.actions.filter((action) => !isWrite(action));
  for (const batch of batches(others, BATCH)) await store(engine, alignment, batch.map(withoutCall));
  for (const batch of batches(writes.slice(0, WRITES_MAX), WRITE_BATCH)) {
    if (!(await alignment.keepGoing())) return false;
    await write(engine, alignment, batch, revisions);
  }
  await engine.db.tenant(alignment.claim.tenantId, (tx) => summariseConflicts(engine, tx, alignment.claim));
  return writes.length <= WRITES_MAX;
}

async function listVendors({ vendors, keepGoing }: Alignment): Promise<SourceVendor[] | null> {
  const all: SourceVendor[] = [];
  for await (const page of vendors.list()) {
    all.push(...page);
    if (!(await keepGoing())) return null;
  }
  return all;
}

// ── what is to be done ───────────────────────────────────────────────────────────────────────

interface Decided {
  readonly decision: DirectoryDecision;
  /** How often each supplier's link has changed so far. */
  readonly revisions: ReadonlyMap<string, number>;
}

/** @returns null when the process is stopping. */
async function decide(
  engine: Engine,
  { claim, caller, keepGoing }: Alignment,
  vendors: readonly DirectoryVendor[],
): Promise<Decided | null> {
  const { suppliers, links } = await engine.db.tenant(claim.tenantId, async (tx) => ({
    suppliers: await tx.query<{ code: string; name: string; active: boolean }>(
      'select code, name, active from suppliers where tenant_id = $1 and system_id = $2',
      [tx.tenantId, claim.ledgerId],
    ),
    links: await loadLinks(tx, claim),
  }));
  refuseEmpty(suppliers.length, vendors.length, links.filter(({ vendorId }) => vendorId !== null).length);
  const directory = openDirectory({ suppliers, vendors, links, createsSuppliers: claim.createsSuppliers });
  const decided = new Map<string, VendorWord>();
  for (const batch of batches(directory.inQuestion(), BATCH)) {
    const words = await engine.db.tenant(claim.tenantId, (tx) => loadWords(tx, claim.ledgerId, batch, 'PERSON'));
    for (const [id, word] of words) decided.set(id, word);
  }
  const words = new Map(decided);
  for (const batch of batches(directory.toMatch(decided), BATCH)) {
    if (!(await keepGoing())) return null;
    const matched = await engine.db.tenant(claim.tenantId, async (tx) => {
      await matchMerchants(engine, caller, tx, claim.ledgerId, merchantsOf(batch));
      return loadWords(tx, claim.ledgerId, batch, 'ANYBODY');
    });
    for (const [id, word] of matched) words.set(id, word);
  }
  const revisions = new Map(links.map((link) => [link.supplierCode, link.revision]));
  return { decision: directory.decide(words), revisions };
}

/** Fewer links than this may well have lost all their vendors to one person in a minute. */
const LINKS_FEW = 10;

/** A list that came back empty is a right that was taken away or a filter, and not the end of all business. */
function refuseEmpty(suppliers: number, vendors: number, links: number): void {
  const side = suppliers === 0 && links > 0 ? 'ledger' : vendors === 0 && links >= LINKS_FEW ? 'spend system' : null;
  if (side === null) return;
  const what = side === 'ledger' ? 'no supplier' : 'no vendor';
  throw new ConfigurationError(
    `The ${side} shows ${what} at all, although ${links} are linked, so nothing was changed. Look at what its login may see.`,
    { code: 'DIRECTORY_EMPTY' },
  );
}

/** By merchant key, as purchases are matched: a person's answer about a merchant holds for the vendor of that name. */
function merchantsOf(vendors: readonly DirectoryVendor[]): Map<string, string> {
  const named = vendors.map(({ name }): [string, string] => [normaliseMerchant(name), name]);
  return new Map(named.filter(([key]) => key !== ''));
}

interface MatchRow {
  id: string;
  merchant_key: string;
  status: string;
  supplier_code: string | null;
  rejected_codes: string[];
  create_as: string | null;
  candidates: { supplierCode: string; score: number }[];
}

async function loadWords(
  tx: Tx,
  ledgerId: string,
  vendors: readonly DirectoryVendor[],
  by: 'PERSON' | 'ANYBODY',
): Promise<Map<string, VendorWord>> {
  const rows = await tx.query<MatchRow>(
    `select id, merchant_key, status, supplier_code, rejected_codes, create_as, candidates from vendor_matches
     where tenant_id = $1 and ledger_id = $2 and merchant_key = any($3)
       and ($4 or status in ('CONFIRMED', 'CREATED', 'REJECTED') or create_as is not null or rejected_codes <> '{}')`,
    [tx.tenantId, ledgerId, [...merchantsOf(vendors).keys()], by === 'ANYBODY'],
  );
  const byKey = new Map(rows.map((row) => [row.merchant_key, row]));
  const words = new Map<string, VendorWord>();
  for (const vendor of vendors) {
    const row = byKey.get(normaliseMerchant(vendor.name));
    if (row) words.set(vendor.id, wordOf(row));
  }
  return words;
}

function wordOf(row: MatchRow): VendorWord {
  const isDecided = ['CONFIRMED', 'CREATED', 'REJECTED'].includes(row.status) || row.create_as !== null;
  const isAsked = row.status === 'NEEDS_REVIEW';
  const likely = row.candidates.filter(({ score }) => score >= DEFAULT_THRESHOLDS.reviewScore);
  return {
    by: isDecided ? 'PERSON' : 'MATCHER',
    supplierCode: row.supplier_code,
    candidates: isAsked ? likely.map(({ supplierCode }) => supplierCode) : [],
    rejected: row.rejected_codes,
    create: row.create_as === null ? null : { matchId: row.id, name: row.create_as },
  };
}

// ── doing it ─────────────────────────────────────────────────────────────────────────────────

function withoutCall(action: DirectoryAction): DoneAction {
  return { action, vendor: null };
}

/** Makes and renames vendors, then writes down what came of it; also when one of the calls ends the run. */
async function write(
  engine: Engine,
  alignment: Alignment,
  actions: readonly DirectoryAction[],
  revisions: Decided['revisions'],
): Promise<void> {
  const done: DoneAction[] = [];
  try {
    for (const action of actions) {
      const revision = ('supplierCode' in action && revisions.get(action.supplierCode)) || 0;
      done.push(await call(alignment, action, [revision, engine.clock.now().toISOString().slice(0, 10)]));
    }
  } finally {
    if (done.length > 0) await store(engine, alignment, done);
  }
}

/**
 * A name that the source refuses is a conflict of this one supplier; all other trouble ends the run.
 * @param occasion is part of the idempotency key. A repeat within the day has the same key; the same change on a later
 * occasion has another one, or the source would answer with what it did the first time.
 */
async function call(
  { claim, vendors }: Alignment,
  action: DirectoryAction,
  occasion: readonly unknown[],
): Promise<DoneAction> {
  if (action.kind !== 'CREATE' && action.kind !== 'RENAME') return withoutCall(action);
  const { supplierCode, supplierName, name } = action;
  const fact = [claim.tenantId, claim.sourceId, claim.ledgerId, action.kind, supplierCode, name, ...occasion];
  const key = `ledgergate-vendor-${hashOf(fact).slice(0, 32)}`;
  try {
    if (action.kind === 'RENAME') return { action, vendor: await vendors.rename(action.vendorId, name, key) };
    return { action, vendor: await vendors.ensure(name, key) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const isRename = action.kind === 'RENAME';
    const wish = isRename ? `be renamed from "${action.vendorName}" to "${name}"` : `be made as "${name}"`;
    return withoutCall({
      ...{ kind: 'CONFLICT', supplierCode, vendorId: isRename ? action.vendorId : null },
      ...{ supplierName, vendorName: isRename ? action.vendorName : null },
      note: `The vendor of supplier ${supplierCode} "${supplierName}" could not ${wish}: ${error.userMessage}`,
    });
  }
}

async function store(engine: Engine, { claim, caller }: Alignment, done: readonly DoneAction[]): Promise<void> {
  await engine.db.tenant(claim.tenantId, async (tx) => {
    await renew(engine, tx, claim);
    await storeLinks(engine, tx, { claim, caller }, done);
  });
}

function batches<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
