import type { SourceVendor } from '../connectors/contract.js';
import type { DirectoryAction, DirectoryLink, LinkBasis } from '../domain/vendor/directory.js';
import { normaliseMerchant } from '../domain/vendor/index.js';
import type { Tx } from '../entities/database.js';
import { raiseAlert, settleAlert } from './alerts.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import type { Export } from './masterDataLease.js';
import { conflictAlertKey } from './masterDataWake.js';

export interface StoredLink extends DirectoryLink {
  /** Counts the changes. */
  readonly revision: number;
}

export function loadLinks(tx: Tx, { sourceId, ledgerId }: Export): Promise<StoredLink[]> {
  return tx.query<StoredLink>(
    `select supplier_code as "supplierCode", vendor_id as "vendorId", supplier_name as "supplierName",
       vendor_name as "vendorName", state, note, revision
     from vendor_links where tenant_id = $1 and source_id = $2 and ledger_id = $3`,
    [tx.tenantId, sourceId, ledgerId],
  );
}

/** What was decided, and the vendor that the source answered with where it was asked to make or rename one. */
export interface DoneAction {
  readonly action: DirectoryAction;
  readonly vendor: (SourceVendor & { readonly created?: boolean }) | null;
}

export interface Doer {
  readonly claim: Export;
  readonly caller: Caller;
}

interface LinkRow {
  supplier_code: string;
  vendor_id: string;
  supplier_name: string;
  vendor_name: string;
  linked_by: string;
}

/** Writes down what was done, with its audit events, in the order of the actions' kinds. */
export async function storeLinks(engine: Engine, tx: Tx, doer: Doer, done: readonly DoneAction[]): Promise<void> {
  const { claim, caller } = doer;
  const keys = [tx.tenantId, claim.sourceId, claim.ledgerId];
  const now = engine.clock.now();
  const ended = done.flatMap(({ action }) => (action.kind === 'END' ? [action.supplierCode] : []));
  if (ended.length > 0) {
    await tx.execute(
      'delete from vendor_links where tenant_id = $1 and source_id = $2 and ledger_id = $3 and supplier_code = any($4)',
      [...keys, ended],
    );
  }
  const deciders = await loadDeciders(tx, doer, done);
  const rows = done.flatMap((one) => linkRowOf(one, caller.actor, deciders));
  // A vendor that another supplier has by now is left to the next run, which sees both.
  const stored = await tx.query<{ supplier_code: string; was: string | null }>(
    `with given as (select r.*, o.state as was from jsonb_to_recordset($4::jsonb) as r(supplier_code text, vendor_id text,
         supplier_name text, vendor_name text, linked_by text)
       left join vendor_links o on o.tenant_id = $1 and o.source_id = $2 and o.ledger_id = $3 and o.supplier_code = r.supplier_code
       where not exists (select from vendor_links v where v.tenant_id = $1 and v.source_id = $2 and v.ledger_id = $3
         and v.vendor_id = r.vendor_id and v.supplier_code <> r.supplier_code)
     ), kept as (
       insert into vendor_links as l (tenant_id, source_id, ledger_id, supplier_code, vendor_id, supplier_name, vendor_name,
         state, linked_at, linked_by, updated_at)
       select $1, $2, $3, supplier_code, vendor_id, supplier_name, vendor_name, 'LINKED', $5::timestamptz, linked_by, $5::timestamptz
       from given
       on conflict (tenant_id, source_id, ledger_id, supplier_code) do update set vendor_id = excluded.vendor_id,
         supplier_name = excluded.supplier_name, vendor_name = excluded.vendor_name, state = 'LINKED', note = null,
         linked_at = case when l.vendor_id = excluded.vendor_id then l.linked_at else excluded.linked_at end,
         linked_by = case when l.vendor_id = excluded.vendor_id then l.linked_by else excluded.linked_by end,
         revision = l.revision + 1, updated_at = excluded.updated_at
     ) select supplier_code, was from given`,
    [...keys, JSON.stringify(rows), now],
  );
  const before = new Map(stored.map((row) => [row.supplier_code, row.was]));
  const conflicts = done.flatMap(({ action }) => (action.kind === 'CONFLICT' ? [action] : []));
  const told = new Set(await storeConflicts(tx, keys, conflicts, now));
  await askForSuppliers(engine, tx, claim, done);
  const events = done.filter(({ action }) => {
    if (action.kind === 'CREATE_SUPPLIER') return false;
    if (action.kind === 'END') return true;
    if (action.kind === 'CONFLICT') return told.has(action.supplierCode);
    // That both sides agree is worth a word after a conflict only.
    return action.kind === 'AGREE' ? before.get(action.supplierCode) === 'CONFLICT' : before.has(action.supplierCode);
  });
  tell(tx, now, doer, events);
}

function linkRowOf({ action, vendor }: DoneAction, actor: string, deciders: ReadonlyMap<string, string>): LinkRow[] {
  const row = (vendorId: string, vendorName: string, linkedBy = actor): LinkRow[] => {
    if (!('supplierName' in action)) return [];
    const { supplierCode, supplierName } = action;
    return [
      {
        ...{ supplier_code: supplierCode, supplier_name: supplierName, vendor_id: vendorId, vendor_name: vendorName },
        linked_by: linkedBy,
      },
    ];
  };
  if (action.kind === 'LINK') {
    const decider = action.basis === 'PERSON' ? deciders.get(normaliseMerchant(action.vendorName)) : undefined;
    return row(action.vendorId, action.vendorName, decider);
  }
  if (action.kind === 'AGREE') return row(action.vendorId, action.vendorName);
  if ((action.kind === 'CREATE' || action.kind === 'RENAME') && vendor) return row(vendor.id, vendor.name);
  return [];
}

/** Who decided, by merchant key. */
async function loadDeciders(tx: Tx, { claim }: Doer, done: readonly DoneAction[]): Promise<Map<string, string>> {
  const keys = done.flatMap(({ action }) =>
    action.kind === 'LINK' && action.basis === 'PERSON' ? [normaliseMerchant(action.vendorName)] : [],
  );
  if (keys.length === 0) return new Map();
  const rows = await tx.query<{ merchant_key: string; decided_by: string }>(
    `select merchant_key, decided_by from vendor_matches
     where tenant_id = $1 and ledger_id = $2 and merchant_key = any($3) and decided_by is not null`,
    [tx.tenantId, claim.ledgerId, keys],
  );
  return new Map(rows.map((row) => [row.merchant_key, row.decided_by]));
}

/** The names stay those by which both sides last agreed. @returns the suppliers whose conflict is new or another one. */
async function storeConflicts(
  tx: Tx,
  keys: readonly unknown[],
  conflicts: readonly Extract<DirectoryAction, { kind: 'CONFLICT' }>[],
  now: Date,
): Promise<string[]> {
  if (conflicts.length === 0) return [];
  const rows = conflicts.map((one) => ({
    ...{ supplier_code: one.supplierCode, supplier_name: one.supplierName, note: one.note },
  }));
  const changed = await tx.query<{ supplier_code: string }>(
    `insert into vendor_links as l (tenant_id, source_id, ledger_id, supplier_code, supplier_name, state, note, updated_at)
     select $1, $2, $3, supplier_code, supplier_name, 'CONFLICT', note, $5::timestamptz
     from jsonb_to_recordset($4::jsonb) as r(supplier_code text, supplier_name text, note text)
     on conflict (tenant_id, source_id, ledger_id, supplier_code) do update set state = 'CONFLICT', note = excluded.note,
       revision = l.revision + 1, updated_at = excluded.updated_at
       where l.state <> 'CONFLICT' or l.note is distinct from excluded.note
     returning supplier_code`,
    [...keys, JSON.stringify(rows), now],
  );
  return changed.map((row) => row.supplier_code);
}

/** Suppliers are made with the ledger's other writes, one at a time. */
async function askForSuppliers(engine: Engine, tx: Tx, claim: Export, done: readonly DoneAction[]): Promise<void> {
  const matches = done.flatMap(({ action }) => (action.kind === 'CREATE_SUPPLIER' ? [action.matchId] : []));
  if (matches.length === 0) return;
  await tx.execute(
    `update vendor_matches set create_now = true where tenant_id = $1 and id = any($2) and create_as is not null`,
    [tx.tenantId, matches],
  );
  await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: claim.ledgerId });
}

// ── what people are told ─────────────────────────────────────────────────────────────────────

/** More than this in one transaction are told in one event: the first alignment of a ledger links thousands. */
const SINGLE_EVENTS_MAX = 20;

const BASES: Readonly<Record<LinkBasis, string>> = {
  NAME: 'they have the same name',
  MATCH: 'its name was matched with certainty',
  PERSON: 'a person decided so',
};

const DONE: Readonly<Record<DirectoryAction['kind'], string>> = {
  END: 'ended',
  LINK: 'linked',
  AGREE: 'agreed',
  CONFLICT: 'conflict',
  RENAME: 'renamed',
  CREATE: 'created',
  CREATE_SUPPLIER: 'asked',
};

function tell(tx: Tx, now: Date, { claim, caller }: Doer, events: readonly DoneAction[]): void {
  if (events.length > SINGLE_EVENTS_MAX) {
    const kinds = [...new Set(events.map(({ action }) => DONE[action.kind]))].sort();
    const counts = Object.fromEntries(
      kinds.map((kind) => [kind, events.filter(({ action }) => DONE[action.kind] === kind).length]),
    );
    const sums = kinds.map((kind) => `${counts[kind]} ${kind}`).join(', ');
    recordFor(tx, caller, now, {
      ...{ action: 'vendorLinks.changed', subjectType: 'Pipeline', subjectId: claim.pipelineId },
      summary: `Suppliers and the vendors of "${claim.sourceName}" were brought in step: ${sums}.`,
      after: { counts, links: events.map((event) => factsOf(event)) },
    });
    return;
  }
  for (const event of events) {
    const { supplierCode } = event.action as { supplierCode: string };
    recordFor(tx, caller, now, {
      action: `vendorLink.${DONE[event.action.kind]}`,
      ...{ subjectType: 'VendorLink', subjectId: `${claim.sourceId}/${claim.ledgerId}/${supplierCode}` },
      summary: sentenceOf(event, claim),
      after: factsOf(event),
    });
  }
}

function factsOf({ action, vendor }: DoneAction): Record<string, unknown> {
  const vendorId = 'vendorId' in action ? action.vendorId : (vendor?.id ?? null);
  const vendorName = vendor?.name ?? ('vendorName' in action ? action.vendorName : null);
  const supplierCode = 'supplierCode' in action ? action.supplierCode : null;
  return { kind: DONE[action.kind], supplierCode, vendorId, vendorName };
}

function sentenceOf({ action, vendor }: DoneAction, { sourceName }: Export): string {
  switch (action.kind) {
    case 'END':
      return `Supplier ${action.supplierCode} and its vendor in "${sourceName}" are both gone: their link ended.`;
    case 'LINK':
      return `Supplier ${action.supplierCode} "${action.supplierName}" is vendor "${action.vendorName}" in "${sourceName}": ${BASES[action.basis]}.`;
    case 'AGREE':
      return `Supplier ${action.supplierCode} "${action.supplierName}" and vendor "${action.vendorName}" in "${sourceName}" agree again.`;
    case 'CONFLICT':
      return action.note;
    case 'RENAME':
      return `Vendor "${action.vendorName}" in "${sourceName}" was renamed to "${vendor?.name ?? action.name}", as supplier ${action.supplierCode} was in the ledger.`;
    case 'CREATE':
      return vendor?.created === false
        ? `Vendor "${vendor.name}" was there in "${sourceName}" for supplier ${action.supplierCode} "${action.supplierName}" and was linked.`
        : `Vendor "${vendor?.name ?? action.name}" was made in "${sourceName}" for supplier ${action.supplierCode} "${action.supplierName}".`;
    case 'CREATE_SUPPLIER':
      return `A supplier "${action.name}" was asked for.`;
  }
}

/** A person who took note of the summary is told again a day later, or when something is new. */
const REMIND_AFTER_MS = 24 * 60 * 60_000;
const ACTOR = 'system:masterData';

/** One alert for all conflicts of a source and a ledger; settled when none is left. */
export async function summariseConflicts(engine: Engine, tx: Tx, claim: Export): Promise<void> {
  const now = engine.clock.now();
  const dedupeKey = conflictAlertKey(claim);
  const [row] = await tx.query<{ count: number; example: string | null; newest: Date | null }>(
    `select count(*)::int as count, min(note) as example, max(updated_at) as newest from vendor_links
     where tenant_id = $1 and source_id = $2 and ledger_id = $3 and state = 'CONFLICT'`,
    [tx.tenantId, claim.sourceId, claim.ledgerId],
  );
  if (!row || row.count === 0) {
    await settleAlert(tx, now, dedupeKey, ACTOR);
    return;
  }
  const what = row.count === 1 ? 'One supplier and its vendor' : `${row.count} suppliers and their vendors`;
  const message = `${what} in "${claim.sourceName}" need a person${row.count === 1 ? '' : ', for example'}: ${row.example}`;
  await tx.execute('update alerts set message = $3 where tenant_id = $1 and dedupe_key = $2 and resolved_at is null', [
    tx.tenantId,
    dedupeKey,
    message,
  ]);
  const [noted] = await tx.query<{ resolved_at: Date }>(
    `select resolved_at from alerts where tenant_id = $1 and dedupe_key = $2 and resolved_at > $3 and resolved_by <> $4
     order by resolved_at desc limit 1`,
    [tx.tenantId, dedupeKey, new Date(now.getTime() - REMIND_AFTER_MS), ACTOR],
  );
  if (noted && row.newest && row.newest <= noted.resolved_at) return;
  await raiseAlert(tx, now, {
    severity: 'WARNING',
    code: 'VENDOR_CONFLICT',
    message,
    systemId: claim.sourceId,
    pipelineId: claim.pipelineId,
    dedupeKey,
  });
}
