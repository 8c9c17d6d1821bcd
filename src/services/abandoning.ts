import type { Clearance, FoundDocument, LedgerConnection, LedgerDocument } from '../connectors/contract.js';
import type { Tx } from '../entities/database.js';
import { ConfigurationError, ErpRejectedError, OutcomeUnknownError, PermissionError } from '../errors.js';
import { raiseAlert, settleAlert } from './alerts.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';
import { type ClaimedPosting, differenceOf, loadDocuments, stillOurs } from './ledgerWork.js';
import { type ExportStreams, settle } from './settle.js';

/**
 * Clears away what attempts left in a ledger of a posting that is not sent any more: held, waiting for a person, rejected
 * or given up. The ledger is asked first. What it has in its books under our reference is adopted, and nothing is removed.
 */

export interface VisitParts {
  readonly engine: Engine;
  readonly tenantId: string;
  readonly connection: LedgerConnection;
  readonly exports: ExportStreams;
}

/** Visits that end without a clear word, after which a person is asked to look. */
const VISITS_MAX = 5;
const VISIT_PAUSE_MIN_MS = 1_000;

/** @throws what makes the ledger unusable; the posting is visited again by a later drain. */
export async function clearRemainsOf(parts: VisitParts, posting: ClaimedPosting): Promise<void> {
  const { engine, tenantId, connection } = parts;
  // A ledger that takes a document in one step, or shows nothing of its steps, has nothing to clear away.
  if (connection.abandon === undefined) return end(parts, posting, { kind: 'NOTHING' });
  const documents = await engine.db.tenant(tenantId, (tx) => documentsOf(tx, posting));
  const found = await connection.findByReference(documents);
  if (found.length > 0) return adopt(parts, posting, found);
  try {
    for (const document of documents) {
      const clearance = await connection.abandon(document, posting.status === 'CANCELLED' ? 'GIVEN_UP' : 'WAITING');
      await tell(parts, posting, clearance);
    }
  } catch (error) {
    if (error instanceof ErpRejectedError) return end(parts, posting, { kind: 'LEFT', advice: error.userMessage });
    if (error instanceof OutcomeUnknownError) return later(parts, posting, error);
    // A missing right or setting that only the clearing away needs must not keep documents from being posted.
    if (error instanceof PermissionError || error instanceof ConfigurationError) {
      return end(parts, posting, { kind: 'LEFT', advice: error.userMessage });
    }
    throw error;
  }
  return end(parts, posting, { kind: 'NOTHING' });
}

/**
 * The document as it is planned now, once for each supplier that it was ever sent for: ledgers know an invoice by supplier
 * and number, and it may have been planned again with another one, or none.
 */
async function documentsOf(tx: Tx, posting: ClaimedPosting): Promise<LedgerDocument[]> {
  const document = (await loadDocuments(tx, [posting])).get(posting.id);
  if (!document) return [];
  if (posting.document_type !== 'SUPPLIER_INVOICE') return [document];
  const sent = await tx.query<{ code: string }>(
    `select distinct after->>'supplierCode' as code from audit_events
     where tenant_id = $1 and subject_type = 'GlPosting' and subject_id = $2 and action = 'posting.sent'
       and after->>'supplierCode' is not null`,
    [tx.tenantId, posting.id],
  );
  const codes = new Set([...sent.map(({ code }) => code), ...(posting.supplier_code ? [posting.supplier_code] : [])]);
  return [...codes].map((supplierCode) => ({ ...document, supplierCode }));
}

/** The books have it: that is what counts, as long as it is this posting's plan and no other posting took its place. */
async function adopt(parts: VisitParts, posting: ClaimedPosting, found: readonly FoundDocument[]): Promise<void> {
  const { engine, tenantId, exports } = parts;
  const [first, ...others] = found;
  await engine.db.tenant(tenantId, async (tx) => {
    const isSame = first !== undefined && others.length === 0 && differenceOf(posting, first) === null;
    if (isSame && (await isAsSent(tx, posting)) && !(await isReplaced(tx, posting))) {
      const { ledgerDocumentId } = first;
      const result = { kind: 'POSTED', how: 'FOUND', ledgerDocumentId, warnings: [] } as const;
      // The books say otherwise than whoever excluded the purchases; a reversal is the way to take them back.
      if (await settle(engine, tx, posting, result, exports)) await includeAgain(tx, posting);
      return;
    }
    if (!(await leave(engine, tx, posting))) return;
    const names = found.map((one) => one.ledgerDocumentId).join(', ');
    await raiseAlert(tx, engine.clock.now(), {
      severity: 'WARNING',
      code: 'LEDGER_HOLDS_UNSENT',
      message: `The ledger holds ${names} under ${posting.reference}, and the posting ${posting.description} is ${posting.status} with another plan, or was replaced. Look at ${names} in the ledger: take it back there if it should not stand.`,
      systemId: posting.ledger_id,
      pipelineId: posting.pipeline_id,
      dedupeKey: `remains:${posting.id}`,
    });
  });
}

async function isAsSent(tx: Tx, { id, plan_hash }: ClaimedPosting): Promise<boolean> {
  const [last] = await tx.query<{ plan_hash: string }>(
    'select plan_hash from posting_attempts where tenant_id = $1 and posting_id = $2 order by number desc limit 1',
    [tx.tenantId, id],
  );
  return last?.plan_hash === plan_hash;
}

/** Whether another document carries one of its purchases now, in the ledger or on its way there. */
async function isReplaced(tx: Tx, { id, reverses_id }: ClaimedPosting): Promise<boolean> {
  if (reverses_id !== null) return false;
  const rows = await tx.query(
    `select 1 from posting_spend ps join posting_spend o on o.tenant_id = ps.tenant_id
       and o.spend_record_id = ps.spend_record_id and o.posting_id <> ps.posting_id
     join postings p on p.tenant_id = o.tenant_id and p.id = o.posting_id
     where ps.tenant_id = $1 and ps.posting_id = $2 and p.reverses_id is null and p.status not in ('CANCELLED', 'REVERSED')
     limit 1`,
    [tx.tenantId, id],
  );
  return rows.length > 0;
}

async function includeAgain(tx: Tx, { id }: ClaimedPosting): Promise<void> {
  await tx.execute(
    `update spend_records r set excluded_by = null, excluded_reason = null from posting_spend ps
     where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id`,
    [tx.tenantId, id],
  );
}

/** Nobody knows yet whether it is gone: the ledger is asked again, and after some visits a person is. */
async function later(parts: VisitParts, posting: ClaimedPosting, error: OutcomeUnknownError): Promise<void> {
  const { engine, tenantId, connection } = parts;
  const visits = posting.absent_count + 1;
  if (visits >= VISITS_MAX) return end(parts, posting, { kind: 'LEFT', advice: error.userMessage });
  const pauseMs = Math.max(connection.settlingMs, VISIT_PAUSE_MIN_MS) * visits;
  await engine.db.tenant(tenantId, async (tx) => {
    if ((await stillOurs(tx, posting)) === null) return;
    await tx.execute(
      `update postings set absent_count = $3, next_attempt_at = $4, lease_owner = null, lease_until = null
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, posting.id, visits, new Date(engine.clock.now().getTime() + pauseMs)],
    );
  });
}

async function end(parts: VisitParts, posting: ClaimedPosting, clearance: Clearance): Promise<void> {
  await tell(parts, posting, clearance);
  await parts.engine.db.tenant(parts.tenantId, (tx) => leave(parts.engine, tx, posting));
}

/** @returns false when the posting was planned again meanwhile: its next attempt meets whatever is left. */
async function leave(engine: Engine, tx: Tx, posting: ClaimedPosting): Promise<boolean> {
  if ((await stillOurs(tx, posting)) === null) return false;
  await tx.execute(
    `update postings set next_attempt_at = null, absent_count = 0, lease_owner = null, lease_until = null, updated_at = $3
     where tenant_id = $1 and id = $2`,
    [tx.tenantId, posting.id, engine.clock.now()],
  );
  return true;
}

/** What the ledger did is told whoever has the posting by now. */
async function tell({ engine, tenantId }: VisitParts, posting: ClaimedPosting, clearance: Clearance): Promise<void> {
  if (clearance.kind === 'NOTHING') return;
  await engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const isGone = clearance.kind === 'REMOVED';
    record(tx, now, {
      actor: 'system:posting',
      action: isGone ? 'posting.remainsRemoved' : 'posting.remainsLeft',
      subjectType: 'GlPosting',
      subjectId: posting.id,
      summary: isGone
        ? `${posting.description}: what an attempt had left of ${posting.reference} outside the books was removed from the ledger: ${clearance.what}.`
        : `${posting.description}: an attempt may have left something of ${posting.reference} in the ledger, outside the books. ${clearance.advice}`,
      after: { reference: posting.reference, status: posting.status },
      correlationId: posting.correlation_id,
    });
    const dedupeKey = `remains:${posting.id}`;
    if (isGone) return settleAlert(tx, now, dedupeKey, 'system:posting');
    await raiseAlert(tx, now, {
      severity: 'INFO',
      code: 'LEFT_IN_LEDGER',
      message: `${posting.reference} is not sent any more, and an attempt may have left something of it in the ledger, outside the books. ${clearance.advice}`,
      systemId: posting.ledger_id,
      pipelineId: posting.pipeline_id,
      dedupeKey,
    });
  });
}
