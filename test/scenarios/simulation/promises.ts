import { type LocalDate, localDate } from '../../../src/domain/localDate.js';
import type { LedgerDocumentView } from '../../../src/sandbox/kit/ledger.js';
import { GENESIS_HASH, verifyAuditChain } from '../../../src/services/audit.js';
import { reconcile } from '../../../src/services/reconciliation.js';
import { CLEARING, PAYABLES } from './ledgers.js';
import type { World } from './world.js';

interface PostingRow {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly total: string;
  readonly currency: string;
  readonly reverses_id: string | null;
  readonly holds: readonly { code: string }[];
  /** What it books for its purchases, by record. */
  readonly amounts: Readonly<Record<string, string>>;
  readonly document_type: string;
}

const SENT = ['POSTED', 'REVERSED'];
/** Of these nobody knows yet whether they are there, but never more than once. */
const UNSURE = ['POSTING', 'IN_DOUBT'];
const WINDOW: { from: LocalDate; to: LocalDate } = { from: localDate('2026-01-01'), to: localDate('2026-12-31') };

/**
 * Looks whether every promise is kept. What the ledgers hold is looked at after every step; what only our own tables can
 * say is asked for again when something was written since the last look.
 */
export class Promises {
  private readonly world: World;
  private writesSeen = -1;
  private postings: readonly PostingRow[] = [];
  private records: readonly RecordRow[] = [];
  private audit: AuditEnd = { sequence: 0n, hash: GENESIS_HASH };

  constructor(world: World) {
    this.world = world;
  }

  /** What is to be kept at every moment. @returns what was not. */
  async brokenNow(): Promise<string[]> {
    const { world } = this;
    const hasChanged = this.writesSeen !== world.writes;
    if (hasChanged) {
      this.writesSeen = world.writes;
      this.postings = await postingsOf(world);
      this.records = await recordsOf(world);
    }
    const documents = world.ledger.sandbox.documents();
    return [
      ...world.broken.splice(0),
      ...documentFaults(this.postings, documents),
      ...twiceInBooks(world, this.records, this.postings, documents),
      ...(hasChanged ? await reconciliationFaults(world) : []),
      ...(hasChanged ? await this.newAuditFaults() : []),
    ];
  }

  /** What is to be kept besides once no fault happens any more and all is done that can be. */
  async brokenAtTheEnd(): Promise<string[]> {
    const { world } = this;
    const kept = await this.brokenNow();
    return [
      ...kept,
      ...(await unfinished(world)),
      ...(await purchaseFaults(world, this.records, this.postings, world.ledger.sandbox.documents())),
      ...(await reportFaults(world)),
      ...(await auditFaults(world)),
    ];
  }

  /** The links of what was added to the trail; at the end the product's own check computes every hash. */
  private async newAuditFaults(): Promise<string[]> {
    const rows = await this.world.rows<{ sequence: string; previous_hash: string; hash: string }>(
      'select sequence, previous_hash, hash from audit_events where tenant_id = $1 and sequence > $2 order by sequence',
      this.audit.sequence.toString(),
    );
    for (const { sequence, previous_hash, hash } of rows) {
      const isNext = BigInt(sequence) === this.audit.sequence + 1n && previous_hash === this.audit.hash;
      if (!isNext) return [`The audit chain is broken at ${sequence}`];
      this.audit = { sequence: BigInt(sequence), hash };
    }
    return [];
  }
}

interface AuditEnd {
  readonly sequence: bigint;
  readonly hash: string;
}

function postingsOf(world: World): Promise<PostingRow[]> {
  return world.rows<PostingRow>(
    `select p.id, p.reference, p.status, p.total::text as total, p.currency, p.reverses_id, p.holds, p.document_type,
       (select coalesce(jsonb_object_agg(ps.spend_record_id, ps.amount::text), '{}') from posting_spend ps
         where ps.tenant_id = p.tenant_id and ps.posting_id = p.id) as amounts
     from postings p where p.tenant_id = $1 order by p.id`,
  );
}

interface RecordRow {
  readonly id: string;
  readonly status: string;
  readonly waiting_reason: string | null;
  readonly keys: readonly string[];
}

function recordsOf(world: World): Promise<RecordRow[]> {
  return world.rows<RecordRow>(
    `select r.id, r.status, r.waiting_reason, array(select external_id from source_objects o
       where o.tenant_id = r.tenant_id and o.spend_record_id = r.id) as keys
     from spend_records r where r.tenant_id = $1 order by r.id`,
  );
}

// ── documents ────────────────────────────────────────────────────────────────────────────────

function documentFaults(postings: readonly PostingRow[], documents: readonly LedgerDocumentView[]): string[] {
  const told: string[] = [];
  const inBooks = Map.groupBy(
    documents.filter(({ posted }) => posted),
    ({ reference }) => reference.trim(),
  );
  const known = new Map(postings.map((posting) => [posting.reference, posting]));
  if (known.size !== postings.length) told.push('Two postings have one reference');
  for (const [reference, found] of inBooks) {
    if (found.length > 1) told.push(`${reference} is in the ledger ${found.length} times`);
    if (!known.has(reference)) told.push(`No posting explains ${reference}, which is in the ledger`);
  }
  for (const posting of postings) told.push(...postingFaults(posting, inBooks.get(posting.reference) ?? []));
  return told;
}

function postingFaults(posting: PostingRow, found: readonly LedgerDocumentView[]): string[] {
  const { reference, status } = posting;
  const isSent = SENT.includes(status);
  const [document] = found;
  if (!document) return isSent ? [`${reference} is ${status} and not in the ledger`] : [];
  if (!isSent && !UNSURE.includes(status)) return [`${reference} is ${status} and in the ledger`];
  const told: string[] = [];
  const total = minorOf(posting.total);
  if (minorOf(document.debit) !== total || minorOf(document.credit) !== total) {
    told.push(`${reference} is over ${posting.total} and in the ledger ${document.debit} to ${document.credit}`);
  }
  const balance = document.lines.reduce((sum, { debit, credit }) => sum + minorOf(debit) - minorOf(credit), 0n);
  if (balance !== 0n) told.push(`${reference} does not balance in the ledger by ${balance}`);
  const planned = Object.values(posting.amounts).reduce((sum, amount) => sum + minorOf(amount), 0n);
  if (spendIn(document) !== planned) {
    told.push(`${reference} books ${spendIn(document)} for purchases over ${planned}`);
  }
  return told;
}

/** What a document books as spend: all that is not the clearing or the payables side. */
function spendIn(document: LedgerDocumentView): bigint {
  return document.lines
    .filter(({ account }) => account !== CLEARING && account !== PAYABLES)
    .reduce((sum, { debit, credit }) => sum + minorOf(debit) - minorOf(credit), 0n);
}

function minorOf(text: string): bigint {
  const match = /^([+-]?)(\d*)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) throw new Error(`"${text}" is no amount`);
  const fraction = (match[3] ?? '').replace(/0+$/, '').padEnd(2, '0');
  if (fraction.length > 2) throw new Error(`"${text}" has more than two decimals`);
  const minor = BigInt(`${match[2] || '0'}${fraction}`);
  return match[1] === '-' ? -minor : minor;
}

// ── reports ──────────────────────────────────────────────────────────────────────────────────

async function reconciliationFaults(world: World): Promise<string[]> {
  const { engine } = world.anyLooker();
  const answer = await reconcile(engine, world.tenantId, { pipelineId: world.pipelineId, ...WINDOW });
  if (!answer) return ['There is no reconciliation'];
  return answer.totals
    .filter(({ difference }) => minorOf(difference) !== 0n)
    .map((total) => `The reconciliation differs: ${JSON.stringify(total)}`);
}

async function auditFaults(world: World): Promise<string[]> {
  const { engine } = world.anyLooker();
  const { ok, firstBrokenSequence } = await verifyAuditChain(engine.db, world.tenantId);
  return ok ? [] : [`The audit chain is broken at ${firstBrokenSequence}`];
}

// ── at the end ───────────────────────────────────────────────────────────────────────────────

async function unfinished(world: World): Promise<string[]> {
  const postings = await world.rows<{ reference: string; status: string }>(
    `select reference, status from postings p where tenant_id = $1 and (status in ('PLANNED', 'POSTING', 'IN_DOUBT')
       or (status = 'READY' and (after_id is null or exists (select from postings a
         where a.tenant_id = p.tenant_id and a.id = p.after_id and a.status = 'POSTED'))))`,
  );
  const runs = await world.rows<{ status: string }>(
    `select status from sync_runs where tenant_id = $1 and status in ('QUEUED', 'RUNNING')`,
  );
  const queued = await world.rows<{ reason: string }>('select reason from planning_queue where tenant_id = $1');
  return [
    ...postings.map(({ reference, status }) => `${reference} is ${status} for ever`),
    ...runs.map(({ status }) => `A run is ${status} for ever`),
    ...queued.map(({ reason }) => `A purchase waits to be planned for ever (${reason})`),
  ];
}

/** Net in the books of each purchase, by record: what the ledger's own documents add up to. */
function netInBooks(
  postings: readonly PostingRow[],
  documents: readonly LedgerDocumentView[],
): ReadonlyMap<string, bigint> {
  const inBooks = new Set(documents.filter(({ posted }) => posted).map(({ reference }) => reference.trim()));
  const booked = new Map<string, bigint>();
  for (const { reference, amounts } of postings) {
    if (!inBooks.has(reference)) continue;
    for (const [id, amount] of Object.entries(amounts)) booked.set(id, (booked.get(id) ?? 0n) + minorOf(amount));
  }
  return booked;
}

/** Net of each purchase against what the source says it is. */
async function purchaseFaults(
  world: World,
  records: readonly RecordRow[],
  postings: readonly PostingRow[],
  documents: readonly LedgerDocumentView[],
): Promise<string[]> {
  const booked = netInBooks(postings, documents);
  const told: string[] = [];
  for (const record of records) {
    const net = booked.get(record.id) ?? 0n;
    world.endings[record.status] = (world.endings[record.status] ?? 0) + 1;
    const purchases = world.source.purchasesBehind(record.keys);
    const due = purchases.reduce((sum, purchase) => sum + world.source.dueOf(purchase), 0n);
    const isBooked = record.status === 'POSTED' || record.status === 'CORRECTED';
    const name = purchases.map(({ id }) => id).join('+') || record.id;
    if (isBooked && record.waiting_reason === null && net !== due) {
      told.push(`${name} is ${record.status}: the source says ${due}, the ledger books ${net}`);
    }
    if (record.status === 'EXCLUDED' && net !== 0n && !(await hasOpenDocument(world, record.id))) {
      told.push(`${name} is EXCLUDED and the ledger books ${net}`);
    }
    if (record.status === 'NEW' && net !== 0n) told.push(`${name} is NEW and the ledger books ${net}`);
  }
  return told;
}

/** No purchase is ever in the books with more than what the source has said of it at some time. */
function twiceInBooks(
  world: World,
  records: readonly RecordRow[],
  postings: readonly PostingRow[],
  documents: readonly LedgerDocumentView[],
): string[] {
  const booked = netInBooks(postings, documents);
  return records.flatMap((record) => {
    const net = booked.get(record.id) ?? 0n;
    const [purchase, other] = world.source.purchasesBehind(record.keys);
    if (net === 0n || !purchase || other || purchase.amounts.has(net)) return [];
    return [`${purchase.id} is in the ledger with ${net}, and was never more than ${[...purchase.amounts].join(', ')}`];
  });
}

/** A reversal that waits for a person. */
async function hasOpenDocument(world: World, recordId: string): Promise<boolean> {
  const rows = await world.rows(
    `select 1 as one from posting_spend ps join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
     where ps.tenant_id = $1 and ps.spend_record_id = $2 and p.status in ('HELD', 'AWAITING_APPROVAL', 'REJECTED')`,
    recordId,
  );
  return rows.length > 0;
}

/** The source was told of what is in the ledger and of nothing else, and of all that stands there. */
async function reportFaults(world: World): Promise<string[]> {
  const rows = await world.rows<{ external_id: string; document: string; status: string; is_linked: boolean }>(
    `select e.external_id, e.ledger_document_id as document, p.status,
       exists (select from posting_spend ps join source_objects o on o.tenant_id = ps.tenant_id
         and o.spend_record_id = ps.spend_record_id where ps.tenant_id = e.tenant_id and ps.posting_id = e.posting_id
         and o.external_id = e.external_id) as is_linked
     from source_exports e join postings p on p.tenant_id = e.tenant_id and p.id = e.posting_id
     where e.tenant_id = $1 and e.outcome = 'SUCCESS' and p.ledger_document_id = e.ledger_document_id
     order by e.external_id`,
  );
  const told: string[] = [];
  for (const [id, outcomes] of world.source.told) {
    for (const outcome of outcomes) {
      if (outcome.kind !== 'SUCCESS') continue;
      const { ledgerDocumentId } = outcome;
      const isTrue = rows.some(
        ({ external_id, document, status }) =>
          external_id === id && document === ledgerDocumentId && SENT.includes(status),
      );
      if (!isTrue) told.push(`The source was told ${ledgerDocumentId} for ${id}, which is not its document`);
    }
  }
  // Brex takes one result for a record until somebody edits it, and none for one that is not ready.
  if (world.source.kind !== 'MEMORY') return told;
  for (const { external_id, document, status, is_linked } of rows) {
    if (status !== 'POSTED' || !is_linked) continue;
    const last = world.source.told.get(external_id)?.at(-1);
    if (last?.kind === 'SUCCESS' && last.ledgerDocumentId === document) continue;
    told.push(`The source was last told ${JSON.stringify(last ?? null)} for ${external_id}, which is in ${document}`);
  }
  return told;
}
