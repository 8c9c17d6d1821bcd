import { newId } from '../domain/ids.js';
import { hashOf } from '../domain/keys.js';
import type { SyncStatus, SyncTrigger } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { involve } from './involvement.js';
import { done, type Outcome, refused } from './outcome.js';
import { loadPipeline, type PipelineRow } from './pipelines.js';
import { tellRun } from './runProgress.js';
import type { SyncRequest } from './useCases.js';

/**
 * Queues a sync, or gives back the one that is on its way already: a schedule, a webhook and a person who ask for the same
 * pipeline and window at once get one run. A run that was met while it was reading reads once more, so nothing that
 * arrived meanwhile waits for the next one.
 */
export async function triggerSync(
  engine: Engine,
  caller: Caller,
  input: SyncRequest & { trigger?: SyncTrigger | undefined },
): Promise<Outcome<{ id: string }>> {
  if (input.from && input.to && input.from >= input.to) {
    return refused('BAD_INPUT', 'from must be before to.', { path: ['input', 'from'] });
  }
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const pipeline = await loadPipeline(tx, input.pipelineId);
    if (!pipeline) return refused('NOT_FOUND', 'There is no such pipeline.', { path: ['input', 'pipelineId'] });
    if (!pipeline.enabled) {
      return refused('PIPELINE_DISABLED', `The pipeline "${pipeline.name}" is disabled.`, {
        path: ['input', 'pipelineId'],
        resolution: 'Enable it with updatePipeline.',
      });
    }
    if (input.idempotencyKey !== undefined) {
      const repeat = await findRepeat(tx, input);
      if (repeat) return repeat;
    }
    return done({ id: await queueRun(engine, caller, tx, pipeline, input) });
  });
}

/** Stops a run between two pages; what it stored stays, and what it planned is still posted. */
export async function cancelSync(engine: Engine, caller: Caller, id: string): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const [run] = await tx.query<{ status: SyncStatus }>(
      'select status from sync_runs where tenant_id = $1 and id = $2 for update',
      [tx.tenantId, id],
    );
    if (!run) return refused('NOT_FOUND', 'There is no such sync run.', { path: ['id'] });
    if (run.status === 'CANCELLED') return done({ id });
    if (run.status !== 'QUEUED' && run.status !== 'RUNNING') {
      return refused('ALREADY_FINISHED', 'The run has ended already.', { path: ['id'] });
    }
    const now = engine.clock.now();
    await tx.execute(`update sync_runs set status = 'CANCELLED', finished_at = $3 where tenant_id = $1 and id = $2`, [
      tx.tenantId,
      id,
      now,
    ]);
    await tellRun(tx, id);
    recordFor(tx, caller, now, {
      action: 'sync.cancelled',
      subjectType: 'SyncRun',
      subjectId: id,
      summary: 'The sync was cancelled.',
      before: { status: run.status },
      after: { status: 'CANCELLED' },
    });
    return done({ id });
  });
}

async function findRepeat(tx: Tx, input: SyncRequest): Promise<Outcome<{ id: string }> | null> {
  const [run] = await tx.query<{ id: string; request_hash: string }>(
    'select id, request_hash from sync_runs where tenant_id = $1 and idempotency_key = $2',
    [tx.tenantId, input.idempotencyKey],
  );
  if (!run) return null;
  if (run.request_hash === requestHash(input)) return done({ id: run.id });
  return refused('IDEMPOTENCY_CONFLICT', 'This idempotencyKey was used for another request.', {
    path: ['input', 'idempotencyKey'],
    resolution: 'Use a new key for a new request.',
  });
}

function requestHash(input: SyncRequest): string {
  return hashOf({
    pipelineId: input.pipelineId,
    from: input.from?.toISOString() ?? null,
    to: input.to?.toISOString() ?? null,
    dryRun: input.dryRun,
  });
}

async function queueRun(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  pipeline: PipelineRow,
  input: SyncRequest & { trigger?: SyncTrigger | undefined },
): Promise<string> {
  const now = engine.clock.now();
  const trigger: SyncTrigger = input.trigger ?? (input.from || input.to ? 'BACKFILL' : 'MANUAL');
  const id = newId('run');
  const [row] = await tx.query<{ id: string; planned_at: Date | null }>(
    `insert into sync_runs (tenant_id, id, pipeline_id, trigger, dry_run, status, window_from, window_to, idempotency_key,
       request_hash, correlation_id, requested_by, created_at)
     values ($1, $2, $3, $4, $5, 'QUEUED', $6, $7, $8, $9, $10, $11, $12)
     on conflict (tenant_id, pipeline_id, dry_run, (coalesce(window_from, '-infinity')), (coalesce(window_to, 'infinity')))
       where status in ('QUEUED', 'RUNNING')
     do update set again = sync_runs.again or sync_runs.status = 'RUNNING'
     returning id, planned_at`,
    [
      tx.tenantId,
      id,
      pipeline.id,
      trigger,
      input.dryRun,
      input.from ?? null,
      input.to ?? null,
      input.idempotencyKey ?? null,
      requestHash(input),
      caller.correlationId,
      caller.actor,
      now,
    ],
  );
  const runId = row?.id ?? id;
  const isNew = runId === id;
  recordFor(tx, caller, now, {
    action: isNew ? 'sync.queued' : 'sync.joined',
    subjectType: 'SyncRun',
    subjectId: runId,
    summary: isNew
      ? `A ${input.dryRun ? 'dry run' : 'sync'} of "${pipeline.name}" was queued (${trigger.toLowerCase()}).`
      : `A ${trigger.toLowerCase()} trigger joined the run of "${pipeline.name}" that was on its way.`,
    after: { trigger, dryRun: input.dryRun, from: input.from ?? null, to: input.to ?? null },
  });
  if (!input.dryRun) await involve(tx, caller, now, 'SYNC', [runId]);
  // One that is still reading looks again by itself; one that only waits for its postings has to be woken.
  const hasRead = row?.planned_at != null;
  if (hasRead) {
    await tx.execute('update sync_runs set planned_at = null where tenant_id = $1 and id = $2', [tx.tenantId, runId]);
  }
  if (isNew || hasRead) await engine.jobs.send(tx, 'sync.run', { tenantId: tx.tenantId, runId });
  return runId;
}
