import type { SyncStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';

/** Payload: `<tenant>:<run>`. Says "look", nothing more. */
export const RUNS_CHANNEL = 'ledgergate_runs';

export async function tellRun(tx: Tx, runId: string): Promise<void> {
  await tx.wake(RUNS_CHANNEL, `${tx.tenantId}:${runId}`);
}

/**
 * Brings the counts of the unfinished runs of a ledger up to date, and ends those whose postings have all had their
 * chance: sent and answered, held, or stopped by trouble that is not theirs. What waits then is sent when the trouble is
 * over; the run does not wait for it.
 */
export async function finishRuns(engine: Engine, tenantId: string, ledgerId: string, trouble: unknown): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const runs = await tx.query<{ id: string }>(
      `select r.id from sync_runs r join pipelines p on p.tenant_id = r.tenant_id and p.id = r.pipeline_id
       where r.tenant_id = $1 and p.ledger_id = $2 and r.status = 'RUNNING' and r.planned_at is not null for update of r`,
      [tx.tenantId, ledgerId],
    );
    for (const run of runs) await finishRun(engine, tx, run.id, trouble);
  });
}

export async function finishRun(engine: Engine, tx: Tx, runId: string, trouble: unknown): Promise<void> {
  const counts = await countRun(tx, runId);
  await tx.execute(
    'update sync_runs set postings_posted = $3, postings_held = $4, postings_failed = $5 where tenant_id = $1 and id = $2',
    [tx.tenantId, runId, counts.posted, counts.held, counts.failed],
  );
  await tellRun(tx, runId);
  const isWaiting = counts.open > 0;
  if (isWaiting && trouble === null) return;
  const [run] = await tx.query<{ error: string | null; again: boolean; correlation_id: string }>(
    'select error, again, correlation_id from sync_runs where tenant_id = $1 and id = $2',
    [tx.tenantId, runId],
  );
  if (!run || run.again) return;
  const problems = [run.error, isWaiting ? waitingSentence(counts.open, trouble) : null].filter(
    (text) => text !== null,
  );
  const status: SyncStatus = problems.length > 0 || counts.failed > 0 ? 'PARTIAL' : 'SUCCEEDED';
  await endRun(engine, tx, runId, status, problems.join(' ') || null, run.correlation_id, counts);
}

export async function endRun(
  engine: Engine,
  tx: Tx,
  runId: string,
  status: SyncStatus,
  error: string | null,
  correlationId: string,
  counts: { posted: number; held: number; failed: number },
): Promise<void> {
  const now = engine.clock.now();
  await tx.execute('update sync_runs set status = $3, error = $4, finished_at = $5 where tenant_id = $1 and id = $2', [
    tx.tenantId,
    runId,
    status,
    error,
    now,
  ]);
  await tellRun(tx, runId);
  record(tx, now, {
    actor: 'system:sync',
    action: 'sync.finished',
    subjectType: 'SyncRun',
    subjectId: runId,
    summary: `The sync ended: ${counts.posted} posted, ${counts.held} held, ${counts.failed} refused.${error ? ` ${error}` : ''}`,
    after: { status, ...counts, error },
    correlationId,
  });
}

async function countRun(
  tx: Tx,
  runId: string,
): Promise<{ posted: number; held: number; failed: number; open: number }> {
  const [row] = await tx.query<{ posted: number; held: number; failed: number; open: number }>(
    `select count(*) filter (where status in ('POSTED', 'REVERSED'))::int as posted,
       count(*) filter (where status in ('HELD', 'AWAITING_APPROVAL'))::int as held,
       count(*) filter (where status = 'REJECTED')::int as failed,
       count(*) filter (where status in ('READY', 'POSTING', 'IN_DOUBT')
         -- What follows a reversal that a person has to release first is not on its way.
         and not exists (select from postings a where a.tenant_id = p.tenant_id and a.id = p.after_id
           and a.status not in ('READY', 'POSTING', 'IN_DOUBT', 'POSTED')))::int as open
     from postings p where tenant_id = $1 and run_id = $2`,
    [tx.tenantId, runId],
  );
  return row ?? { posted: 0, held: 0, failed: 0, open: 0 };
}

function waitingSentence(open: number, trouble: unknown): string {
  const why = trouble instanceof LedgergateError ? trouble.userMessage : 'An unexpected error; see the log.';
  return `${open} postings wait for the ledger: ${why}`;
}
