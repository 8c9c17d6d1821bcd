import type { LedgerDocument } from '../connectors/contract.js';
import type { LedgerRules, MasterData } from '../domain/plan.js';
import { LedgerChecks } from '../domain/planChecks.js';
import type { ClosedPeriodPolicy } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import type { Engine } from './engine.js';
import { involveRunners } from './involvement.js';
import { type ClaimedPosting, move } from './ledgerWork.js';
import { loadMasterData } from './masterData.js';
import { queuePosting } from './planningQueue.js';

/**
 * The last look before documents are sent. Between planning and this moment a period may have been closed, an account or
 * a supplier deactivated, or the pipeline may have begun to ask for approval. Such a document is planned again instead:
 * that holds it with its reason, or moves it to a day that is open, and takes back an approval of the plan as it was.
 *
 * It looks at what was last read from the ledger. What changed there since is for the ledger to refuse.
 * @returns those that may go.
 */
export async function passGate(
  engine: Engine,
  tx: Tx,
  ledgerId: string,
  rules: LedgerRules,
  postings: readonly ClaimedPosting[],
  documents: ReadonlyMap<string, LedgerDocument>,
): Promise<ClaimedPosting[]> {
  if (postings.length === 0) return [];
  const masterData = await loadMasterData(tx, ledgerId);
  const unapproved = new Set(await withoutApproval(tx, postings));
  const passed: ClaimedPosting[] = [];
  for (const posting of postings) {
    const document = documents.get(posting.id);
    const reason = unapproved.has(posting.id)
      ? 'Its pipeline asks for an approval, and this plan has none.'
      : document
        ? problemOf(posting, document, masterData, rules)
        : null;
    if (reason === null) passed.push(posting);
    else await planAgain(engine, tx, posting, reason);
  }
  return passed;
}

/** An approval counts for the plan that it was given for. */
async function withoutApproval(tx: Tx, postings: readonly ClaimedPosting[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select p.id from postings p join pipelines l on l.tenant_id = p.tenant_id and l.id = p.pipeline_id
     where p.tenant_id = $1 and p.id = any($2) and l.require_approval
       and p.approved_plan_hash is distinct from p.plan_hash`,
    [tx.tenantId, postings.map((posting) => posting.id)],
  );
  return rows.map((row) => row.id);
}

/** Only the day itself is asked for here: where it moves to is planning's business. */
const AS_DATED: ClosedPeriodPolicy = 'HOLD';

/** Nothing that planning would not hold for as well, or a document would go round in circles. */
function problemOf(
  posting: ClaimedPosting,
  document: LedgerDocument,
  masterData: MasterData,
  rules: LedgerRules,
): string | null {
  const checks = new LedgerChecks(masterData, rules, AS_DATED);
  const { hold } = checks.postingDay(document.postingDate);
  if (hold) return hold.message;
  const isReversal = posting.reverses_id !== null;
  for (const line of document.lines) {
    const holds =
      line.role === 'EXPENSE' ? checks.line(line) : line.role === 'OFFSET' && !isReversal ? offsetOf(line) : [];
    const [first] = holds;
    if (first) return first.message;
  }
  const supplier =
    isReversal || posting.supplier_code === null ? undefined : masterData.supplier(posting.supplier_code);
  return supplier && !supplier.active ? `Supplier ${supplier.code} (${supplier.name}) is not active any more.` : null;

  function offsetOf(line: { readonly glAccount: string }) {
    return checks.offset(line.glAccount, document.documentType);
  }
}

async function planAgain(engine: Engine, tx: Tx, posting: ClaimedPosting, reason: string): Promise<void> {
  const now = engine.clock.now();
  const moved = await move(tx, now, posting, {
    to: 'PLANNED',
    action: 'posting.heldBack',
    summary: `${posting.description}: not sent, because something changed since it was planned. ${reason} It is planned again.`,
    set: {
      lease_owner: null,
      lease_until: null,
      approved_by: null,
      approved_key: null,
      approved_at: null,
      approved_plan_hash: null,
    },
    after: { reason },
  });
  if (!moved) return;
  await involveRunners(tx, now, posting.pipeline_id, posting.run_id, [posting.id]);
  await queuePosting(tx, posting, 'something changed before it was sent');
  await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: posting.pipeline_id });
}
