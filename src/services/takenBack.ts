import type { DocumentQuery, FoundDocument, LedgerConnection } from '../connectors/contract.js';
import { newId } from '../domain/ids.js';
import { documentReference, hashOf } from '../domain/keys.js';
import { assertMove } from '../domain/postingState.js';
import { reversalReference } from '../domain/reversal.js';
import type { Tx } from '../entities/database.js';
import { raiseAlert } from './alerts.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';
import { type ClaimedPosting, finishAttempt, tellMove } from './ledgerWork.js';

// What a ledger may hold beyond a document that this database never sent. Its memory ends at the backup it was restored
// from; the purchase may have been posted, corrected and posted anew since then. The names of all these documents follow
// from the purchase, so the ledger can be asked for them.

/** A document that the ledger holds together with its reversal: what it booked is not in the books any more. */
export interface TakenBack {
  readonly original: FoundDocument;
  readonly reversal: FoundDocument;
  readonly reversalReference: string;
  readonly spendRecordId: string;
  /** What was posted of the purchase after the reversal; null = nothing. */
  readonly next: FoundDocument | null;
}

export type History =
  | { readonly kind: 'STANDS' }
  | ({ readonly kind: 'TAKEN_BACK' } & TakenBack)
  /** It was taken back, and what followed cannot be told from its name alone. */
  | { readonly kind: 'UNCLEAR'; readonly found: readonly FoundDocument[]; readonly difference: string };

const STANDS: History = { kind: 'STANDS' };

interface PurchaseRow {
  posting_id: string;
  spend_record_id: string;
  revision: number;
  origin_key: string;
  count: number;
}

interface Names {
  readonly reversal: string;
  /** Of the replacement; null where it cannot be named: a document of many purchases, or a part of a long one. */
  readonly next: string | null;
  readonly purchase: PurchaseRow | undefined;
}

/**
 * What became of documents that the ledger holds and this database never sent.
 * @throws like a read.
 */
export async function historiesOf(
  engine: Engine,
  tenantId: string,
  connection: LedgerConnection,
  adopted: readonly { readonly posting: ClaimedPosting; readonly document: FoundDocument }[],
): Promise<Map<string, History>> {
  const originals = adopted.filter(({ posting }) => posting.reverses_id === null);
  if (originals.length === 0) return new Map();
  const ids = originals.map(({ posting }) => posting.id);
  const purchases = await engine.db.tenant(tenantId, (tx) => purchasesOf(tx, ids));
  const { documentTypes } = await connection.rules();
  const names = new Map(originals.map(({ posting }) => [posting.id, namesOf(posting, purchases)]));
  const found = await connection.findByReference(
    originals.flatMap(({ posting }): DocumentQuery[] => {
      const { reversal, next } = names.get(posting.id) ?? { reversal: '', next: null };
      const query = {
        documentType: posting.document_type,
        supplierCode: posting.supplier_code,
        postingDate: posting.posting_date,
      };
      const reversing = documentTypes.includes('JOURNAL') ? ('JOURNAL' as const) : posting.document_type;
      return [
        { ...query, documentType: reversing, reference: reversal },
        ...(next === null ? [] : [{ ...query, reference: next }]),
      ];
    }),
  );
  const byReference = new Map(found.map((one) => [one.reference, one]));
  return new Map(
    originals.map(({ posting, document }) => [posting.id, historyOf(document, names.get(posting.id), byReference)]),
  );
}

function historyOf(
  original: FoundDocument,
  names: Names | undefined,
  found: ReadonlyMap<string, FoundDocument>,
): History {
  if (!names) return STANDS;
  const reversal = found.get(names.reversal) ?? null;
  const next = names.next === null ? null : (found.get(names.next) ?? null);
  if (reversal === null && next === null) return STANDS;
  if (reversal?.isPosted && names.next !== null && names.purchase) {
    const { spend_record_id: spendRecordId } = names.purchase;
    return { kind: 'TAKEN_BACK', original, reversal, reversalReference: names.reversal, spendRecordId, next };
  }
  const other = reversal ?? next;
  return {
    kind: 'UNCLEAR',
    found: [original],
    difference: `it also holds ${other?.ledgerDocumentId}, which ${reversal ? 'reverses' : 'replaces'} it and which this database does not know`,
  };
}

function purchasesOf(tx: Tx, postingIds: readonly string[]): Promise<PurchaseRow[]> {
  return tx.query<PurchaseRow>(
    `select ps.posting_id, ps.spend_record_id, ps.revision, r.origin_key,
       (count(*) over (partition by ps.posting_id))::int as count
     from posting_spend ps join spend_records r on r.tenant_id = ps.tenant_id and r.id = ps.spend_record_id
     where ps.tenant_id = $1 and ps.posting_id = any($2)`,
    [tx.tenantId, postingIds],
  );
}

function namesOf(posting: ClaimedPosting, purchases: readonly PurchaseRow[]): Names {
  const { ledger_id: ledgerId, pipeline_id: pipelineId, reference } = posting;
  const purchase = purchases.find((one) => one.posting_id === posting.id);
  const named = (revision: number) =>
    documentReference({ ledgerId, pipelineId, fact: purchase?.origin_key ?? '', revision, role: 'ORIGINAL' });
  const isAlone = purchase?.count === 1 && named(purchase.revision) === reference;
  return {
    reversal: reversalReference(ledgerId, pipelineId, reference),
    next: isAlone ? named(purchase.revision + 1) : null,
    purchase,
  };
}

// ── storing it ───────────────────────────────────────────────────────────────────────────────

/**
 * Takes a document and its reversal into the memory as the ledger has them. Their lines are not known here, so neither gets
 * any: together they book nothing. Where the ledger holds what followed, the purchase is planned again, under the name
 * that this has. Where it holds nothing more, somebody may have taken the purchase back for good, so that it is excluded
 * until a person includes it again.
 * @returns false when another process has taken the posting over.
 */
export async function settleTakenBack(
  engine: Engine,
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  history: TakenBack,
): Promise<boolean> {
  assertMove('POSTING', 'POSTED');
  assertMove('POSTED', 'REVERSED');
  const reversalId = await storePair(tx, now, posting, history);
  if (reversalId === null) return false;
  await finishAttempt(tx, posting, now, 'FOUND', 'Found in the ledger, with its reversal.');
  const { original, reversal, next } = history;
  tellMove(tx, now, posting, 'POSTING', 'POSTED', {
    action: 'posting.posted',
    summary: `${posting.description}: found in the ledger as ${original.ledgerDocumentId} and adopted: this database had not sent it. What it booked there, ${original.totalDebit}, may differ from what is planned today.`,
    after: { ledgerDocumentId: original.ledgerDocumentId, adopted: true, total: original.totalDebit },
  });
  tellMove(tx, now, posting, 'POSTED', 'REVERSED', {
    action: 'posting.reversed',
    summary: `${posting.description}: the ledger holds its reversal ${reversal.ledgerDocumentId} as well; adopted.`,
    after: { reversedBy: reversalId, adopted: true },
  });
  record(tx, now, {
    actor: 'system:posting',
    action: 'posting.posted',
    subjectType: 'GlPosting',
    subjectId: reversalId,
    summary: `Reversal of ${posting.reference}: found in the ledger as ${reversal.ledgerDocumentId} and adopted.`,
    after: { status: 'POSTED', reference: history.reversalReference, adopted: true },
    correlationId: posting.correlation_id,
    posting: { pipelineId: posting.pipeline_id, from: null, to: 'POSTED' },
  });
  if (next !== null) await planAgain(engine, tx, posting, history);
  else await leaveToPerson(tx, now, posting, history);
  return true;
}

/** @returns the reversal's id; null when the posting is not ours any more. */
async function storePair(tx: Tx, now: Date, posting: ClaimedPosting, history: TakenBack): Promise<string | null> {
  const { original, reversal, reversalReference: reference } = history;
  const reversalId = newId('post');
  const taken = await tx.query(
    `with taken as (
       update postings set status = 'REVERSED', ledger_document_id = $4, total = $5, posted_at = $6, updated_at = $6,
         holds = '[]', reversed_by_id = $7, next_attempt_at = null, doubt_since = null, lease_owner = null, lease_until = null
       where tenant_id = $1 and id = $2 and fence = $3 and status = 'POSTING' returning *)
     insert into postings (tenant_id, id, pipeline_id, ledger_id, status, document_type, reference, plan_hash,
       ledger_document_id, posting_date, first_planned_for, period_key, currency, total, supplier_code, description,
       reverses_id, correlation_id, triggered_by, run_id, created_at, updated_at, posted_at)
     select tenant_id, $7, pipeline_id, ledger_id, 'POSTED', document_type, $8, $9, $10, posting_date, posting_date,
       period_key, currency, $11, supplier_code, left('Reversal of ' || reference || ' ' || description, 100), id,
       correlation_id, 'system:posting', run_id, $6, $6, $6 from taken returning id`,
    [
      tx.tenantId,
      posting.id,
      posting.fence,
      original.ledgerDocumentId,
      original.totalDebit,
      now,
      reversalId,
      reference,
      hashOf(['adopted/1', reference, reversal.ledgerDocumentId, reversal.totalDebit]),
      reversal.ledgerDocumentId,
      reversal.totalDebit,
    ],
  );
  if (taken.length === 0) return null;
  await tx.execute('delete from posting_lines where tenant_id = $1 and posting_id = $2', [tx.tenantId, posting.id]);
  await tx.execute('update posting_spend set amount = 0 where tenant_id = $1 and posting_id = $2', [
    tx.tenantId,
    posting.id,
  ]);
  await tx.execute(
    `insert into posting_spend (tenant_id, posting_id, spend_record_id, revision, amount, accounting_hash)
     select tenant_id, $3, spend_record_id, revision, 0, '' from posting_spend where tenant_id = $1 and posting_id = $2`,
    [tx.tenantId, posting.id, reversalId],
  );
  return reversalId;
}

async function planAgain(engine: Engine, tx: Tx, posting: ClaimedPosting, { spendRecordId }: TakenBack): Promise<void> {
  const { pipeline_id: pipelineId } = posting;
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     values ($1, $2, $3, 'adopted', $4) on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, pipelineId, spendRecordId, posting.correlation_id],
  );
  await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId });
}

async function leaveToPerson(tx: Tx, now: Date, posting: ClaimedPosting, history: TakenBack): Promise<void> {
  const { original, reversal, spendRecordId } = history;
  const reason = `The ledger holds ${original.ledgerDocumentId} and its reversal ${reversal.ledgerDocumentId}, and nothing after that. Include the purchase again if it is to be posted anew.`;
  await tx.execute(
    `update spend_records set status = 'EXCLUDED', excluded_by = 'system:posting', excluded_reason = $3, updated_at = $4,
       waiting_reason = null, waiting_until = null where tenant_id = $1 and id = $2`,
    [tx.tenantId, spendRecordId, reason, now],
  );
  record(tx, now, {
    actor: 'system:posting',
    action: 'spend.excluded',
    subjectType: 'SpendRecord',
    subjectId: spendRecordId,
    summary: `Not posted: ${reason}`,
    after: { status: 'EXCLUDED', reason },
    correlationId: posting.correlation_id,
  });
  await raiseAlert(tx, now, {
    severity: 'WARNING',
    code: 'TAKEN_BACK_IN_LEDGER',
    message: `${posting.description}: ${reason}`,
    systemId: posting.ledger_id,
    pipelineId: posting.pipeline_id,
    dedupeKey: `takenBack:${posting.id}`,
  });
}
