import type { PostingStatus } from '../domain/postingState.js';
import { isUnsent } from '../domain/postingState.js';
import type { SpendStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import { planTwinsAgain } from './duplicates.js';
import type { Caller, Engine } from './engine.js';
import { exportStreamOf, oweFailures } from './exports.js';
import { queuePlanning } from './ingest.js';
import { involve } from './involvement.js';
import { done, type Outcome, refused } from './outcome.js';
import { cancelUnsent } from './postingStore.js';

interface RecordRow {
  id: string;
  source_id: string;
  status: SpendStatus;
  excluded_by: string | null;
  excluded_reason: string | null;
}

/** Keeps a purchase out of every ledger, for a reason that its audit trail shows. What is in the books must be reversed. */
export async function excludeSpendRecord(
  engine: Engine,
  caller: Caller,
  id: string,
  reason: string,
): Promise<Outcome<{ id: string }>> {
  if (reason.trim() === '') return refused('BAD_INPUT', 'Say why.', { path: ['reason'] });
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const spend = await lockRecord(tx, id);
    if (!spend) return refused('NOT_FOUND', 'There is no such spend record.', { path: ['id'] });
    if (spend.excluded_by !== null && spend.excluded_reason === reason.trim()) return done({ id });
    const postings = await postingsOf(tx, id);
    // A document that is being reversed needs no second reversal: its replacement, which is not sent yet, is given up.
    const atLedger = postings.find((posting) => !isUnsent(posting.status) && posting.reversed_by_id === null);
    if (atLedger) {
      return refused('IN_LEDGER', `It is in document ${atLedger.reference}, which is ${atLedger.status}.`, {
        path: ['id'],
        resolution: atLedger.status === 'POSTED' ? 'Reverse that posting.' : 'Wait until the ledger has answered.',
      });
    }
    const unsent = postings.filter((posting) => isUnsent(posting.status));
    const shared = unsent.filter((posting) => posting.record_count > 1);
    const now = engine.clock.now();
    await tx.execute(
      `update spend_records set status = 'EXCLUDED', excluded_by = $3, excluded_reason = $4, updated_at = $5
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, caller.actor, reason.trim(), now],
    );
    await planOthersAgain(engine, caller, tx, shared, id);
    await cancelUnsent(engine, caller, tx, unsent, `Its purchase was excluded. ${reason.trim()}`);
    await planTwinsAgain(engine, tx, [id], caller.correlationId);
    recordFor(tx, caller, now, {
      action: 'spend.excluded',
      subjectType: 'SpendRecord',
      subjectId: id,
      summary: `Excluded: ${reason.trim()}`,
      before: { status: spend.status },
      after: { status: 'EXCLUDED', reason: reason.trim() },
    });
    await oweFailures(engine, tx, caller, {
      sourceId: spend.source_id,
      stream: await exportStreamOf(engine, tx, spend.source_id),
      spendRecordIds: [id],
      postingId: unsent[0]?.id ?? null,
      message: reason.trim(),
    });
    return done({ id });
  });
}

/** Takes an exclusion back: the purchase is planned again. */
export async function includeSpendRecord(engine: Engine, caller: Caller, id: string): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const spend = await lockRecord(tx, id);
    if (!spend) return refused('NOT_FOUND', 'There is no such spend record.', { path: ['id'] });
    if (spend.excluded_by === null) {
      if (spend.status !== 'EXCLUDED') return done({ id });
      return refused('NOT_EXCLUDED_BY_A_PERSON', `It is not posted because of what it is: ${spend.excluded_reason}`, {
        path: ['id'],
      });
    }
    const now = engine.clock.now();
    await tx.execute(
      `update spend_records set status = 'NEW', excluded_by = null, excluded_reason = null, updated_at = $3
       where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, now],
    );
    await tx.execute(
      `delete from source_exports e using source_objects o
       where e.tenant_id = $1 and o.tenant_id = $1 and o.spend_record_id = $2 and e.source_id = o.source_id
         and e.external_id = o.external_id and e.outcome = 'FAILURE' and e.state = 'PENDING'`,
      [tx.tenantId, id],
    );
    recordFor(tx, caller, now, {
      action: 'spend.included',
      subjectType: 'SpendRecord',
      subjectId: id,
      summary: 'Included again.',
      before: { status: spend.status, reason: spend.excluded_reason },
      after: { status: 'NEW' },
    });
    await involve(tx, caller, now, 'INCLUDE', [id]);
    await queuePlanning(tx, spend.source_id, [id], 'included', caller.correlationId);
    const pipelines = await tx.query<{ pipeline_id: string }>(
      'select pipeline_id from planning_queue where tenant_id = $1 and spend_record_id = $2',
      [tx.tenantId, id],
    );
    for (const { pipeline_id } of pipelines) {
      await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: pipeline_id });
    }
    return done({ id });
  });
}

async function lockRecord(tx: Tx, id: string): Promise<RecordRow | null> {
  const [row] = await tx.query<RecordRow>(
    'select id, source_id, status, excluded_by, excluded_reason from spend_records where tenant_id = $1 and id = $2 for update',
    [tx.tenantId, id],
  );
  return row ?? null;
}

interface RecordPosting {
  id: string;
  pipeline_id: string;
  reference: string;
  status: PostingStatus;
  record_count: number;
  reversed_by_id: string | null;
}

function postingsOf(tx: Tx, recordId: string): Promise<RecordPosting[]> {
  return tx.query<RecordPosting>(
    `select p.id, p.pipeline_id, p.reference, p.status, p.reversed_by_id,
       (select count(*)::int from posting_spend o where o.tenant_id = p.tenant_id and o.posting_id = p.id) as record_count
     from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     where p.tenant_id = $1 and ps.spend_record_id = $2 and p.status not in ('CANCELLED', 'REVERSED')
       and p.reverses_id is null for update of p`,
    [tx.tenantId, recordId],
  );
}

/** A daily document goes without the excluded purchase: its other purchases are planned anew. */
async function planOthersAgain(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  postings: readonly RecordPosting[],
  excludedId: string,
): Promise<void> {
  for (const posting of postings) {
    await tx.execute(
      `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
       select $1, $2, spend_record_id, 'excluded from its day', $4 from posting_spend
       where tenant_id = $1 and posting_id = $3 and spend_record_id <> $5
       on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
      [tx.tenantId, posting.pipeline_id, posting.id, caller.correlationId, excludedId],
    );
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: posting.pipeline_id });
  }
}
