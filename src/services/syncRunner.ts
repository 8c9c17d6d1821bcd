import type { ReadWindow, SpendConnection, SpendPage } from '../connectors/contract.js';
import type { SpendStream, SyncStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { ConfigurationError, CredentialsError, LedgergateError } from '../errors.js';
import { recordFor } from './audit.js';
import { previewPipeline } from './dryRun.js';
import type { Caller, Engine } from './engine.js';
import { type IngestCounts, ingestPage } from './ingest.js';
import { freshenMasterData } from './masterData.js';
import { loadPipeline, type PipelineRow } from './pipelines.js';
import { planPipeline } from './planning.js';
import { endRun, finishRun, tellRun } from './runProgress.js';
import { noteReachability } from './systems.js';

interface RunRow {
  id: string;
  pipeline_id: string;
  dry_run: boolean;
  status: SyncStatus;
  planned_at: Date | null;
  again: boolean;
  window_from: Date | null;
  window_to: Date | null;
  correlation_id: string;
  requested_by: string;
  reading: Reading;
}

/** How far a run has read each stream: the next page's cursor, null at the end; and when its first page was asked for. */
type Reading = { readonly [S in SpendStream]?: { readonly cursor: string | null; readonly begunAt: string } };

/**
 * The order in which a pipeline reads its streams: the plain ones first, so that a record's purchase is mostly known
 * when its coding arrives. Nothing depends on it.
 */
const READ_ORDER: readonly SpendStream[] = [
  'CARD_TRANSACTIONS',
  'CASH_TRANSACTIONS',
  'EXPENSES',
  'EXPENSE_REPORTS',
  'ACCOUNTING_RECORDS',
];

/** A source that never ends its pages is cut off rather than read for ever: 200 million objects at 1,000 a page. */
const PAGES_MAX = 200_000;

export interface SyncOptions {
  readonly isStopping: () => boolean;
}

/**
 * Runs one sync: reads what is new, stores it, plans it. The postings that come of it are sent by the ledger's own job,
 * which also ends the run. Safe to start again after a crash: pages already stored change nothing.
 */
export async function runSync(engine: Engine, tenantId: string, runId: string, options: SyncOptions): Promise<void> {
  const started = await start(engine, tenantId, runId);
  if (!started) return;
  const { run, pipeline, caller } = started;
  if (run.dry_run) {
    await runDry(engine, caller, run, pipeline);
    return;
  }
  const problems: string[] = [];
  // A process that died while it read left word of how far it came; what was asked for since then is read from the start.
  let reading: Reading = run.again ? {} : run.reading;
  do {
    await engine.db.tenant(tenantId, (tx) =>
      // Not planned any more: the ledger's job must not end the run while it reads again.
      tx.execute(
        'update sync_runs set again = false, planned_at = null, reading = $3 where tenant_id = $1 and id = $2',
        [tenantId, runId, JSON.stringify(reading)],
      ),
    );
    problems.length = 0;
    problems.push(...(await readAll(engine, caller, { ...run, reading }, pipeline, options)));
    reading = {};
    if (options.isStopping()) {
      await handBack(engine, tenantId, runId);
      return;
    }
    problems.push(...(await planAll(engine, caller, run, pipeline)));
  } while (await wasAskedAgain(engine, tenantId, runId));
  await refreshStatistics(engine, tenantId, runId);
  await leaveToLedger(engine, tenantId, run, pipeline, problems);
}

/** The process is stopping, not the run: another process, or this one's successor, reads on. */
async function handBack(engine: Engine, tenantId: string, runId: string): Promise<void> {
  await engine.db.tenant(tenantId, (tx) => engine.jobs.send(tx, 'sync.run', { tenantId, runId }));
}

/** From so many new purchases on, the database's own idea of its tables is too old to find good plans. */
const MANY_RECORDS = 300;

/**
 * Tells the database how much there is now. It would find out by itself a minute later; until then a first month would be
 * posted with plans that were made for empty tables.
 */
async function refreshStatistics(engine: Engine, tenantId: string, runId: string): Promise<void> {
  const [run] = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ records_new: number }>('select records_new from sync_runs where tenant_id = $1 and id = $2', [
      tenantId,
      runId,
    ]),
  );
  if ((run?.records_new ?? 0) < MANY_RECORDS) return;
  await engine.db.engine((tx) =>
    tx.query(
      'analyze source_objects, spend_keys, spend_records, planning_queue, postings, posting_lines, posting_spend, audit_events',
    ),
  );
}

async function start(
  engine: Engine,
  tenantId: string,
  runId: string,
): Promise<{ run: RunRow; pipeline: PipelineRow; caller: Caller } | null> {
  return engine.db.tenant(tenantId, async (tx) => {
    const [run] = await tx.query<RunRow>('select * from sync_runs where tenant_id = $1 and id = $2 for update', [
      tenantId,
      runId,
    ]);
    if (!run || (run.status !== 'QUEUED' && run.status !== 'RUNNING')) return null;
    // A job too many: it was read and planned, and nobody asked again.
    if (run.planned_at !== null && !run.again) return null;
    const pipeline = await loadPipeline(tx, run.pipeline_id);
    if (!pipeline) return null;
    const caller: Caller = {
      tenantId,
      actor: 'system:sync',
      keyId: null,
      role: 'OPERATOR',
      correlationId: run.correlation_id,
    };
    if (run.status === 'QUEUED') {
      const now = engine.clock.now();
      await tx.execute(`update sync_runs set status = 'RUNNING', started_at = $3 where tenant_id = $1 and id = $2`, [
        tenantId,
        runId,
        now,
      ]);
      await tellRun(tx, runId);
      recordFor(tx, caller, now, {
        action: 'sync.started',
        subjectType: 'SyncRun',
        subjectId: runId,
        summary: `The ${run.dry_run ? 'dry run' : 'sync'} of "${pipeline.name}" started.`,
        after: { requestedBy: run.requested_by },
      });
    }
    return { run, pipeline, caller };
  });
}

async function isCancelled(engine: Engine, tenantId: string, runId: string): Promise<boolean> {
  const [row] = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ status: SyncStatus }>('select status from sync_runs where tenant_id = $1 and id = $2', [
      tenantId,
      runId,
    ]),
  );
  return row?.status === 'CANCELLED';
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

/** Reads every stream to its end. One that fails does not keep the others from being read. Answers with what failed. */
async function readAll(
  engine: Engine,
  caller: Caller,
  run: RunRow,
  pipeline: PipelineRow,
  options: SyncOptions,
): Promise<string[]> {
  const { tenantId } = caller;
  const problems: string[] = [];
  let connection: SpendConnection;
  try {
    ({ connection } = await engine.connections.spend(tenantId, pipeline.source_id));
  } catch (error) {
    if (error instanceof ConfigurationError) return [error.userMessage];
    throw error;
  }
  for (const stream of READ_ORDER.filter((one) => pipeline.streams.includes(one))) {
    try {
      const isWhole = await readStream(engine, caller, run, pipeline, connection, stream, options);
      if (!isWhole) return [...problems, 'The reading was stopped before its end; what was read stays.'];
      await noteReachability(engine, tenantId, pipeline.source_id, null);
    } catch (error) {
      if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
      engine.logger.warn(
        { runId: run.id, stream, code: error.code, detail: error.detail },
        'a stream could not be read',
      );
      problems.push(`${stream}: ${error.userMessage}`);
      if (error.decision === 'PAUSE_CONNECTION' || error.decision === 'RETRY') {
        await noteReachability(engine, tenantId, pipeline.source_id, error);
      }
      await noteUnread(engine, caller, run, pipeline, stream, error);
      if (error instanceof CredentialsError) break;
    }
  }
  return problems;
}

/** @returns false when the process is stopping or the run was cancelled; the checkpoint has not moved then. */
async function readStream(
  engine: Engine,
  caller: Caller,
  run: RunRow,
  pipeline: PipelineRow,
  connection: SpendConnection,
  stream: SpendStream,
  options: SyncOptions,
): Promise<boolean> {
  const before = run.reading[stream];
  if (before?.cursor === null) return true;
  const readUntil = before ? new Date(before.begunAt) : engine.clock.now();
  const since =
    run.window_from ?? (run.window_to ? null : await checkpointOf(engine, caller.tenantId, pipeline.id, stream));
  const window = { since, until: run.window_to };
  let cursor: string | null = before?.cursor ?? null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    if (options.isStopping() || (await isCancelled(engine, caller.tenantId, run.id))) return false;
    const page: SpendPage = await readPage(connection, stream, window, cursor, before !== undefined && pages === 0);
    const counts = await ingestPage(engine, caller, pipeline.source_id, stream, page);
    cursor = page.nextCursor;
    const progress = { cursor, begunAt: readUntil.toISOString() };
    await engine.db.tenant(caller.tenantId, (tx) => countRead(tx, run.id, counts, stream, progress));
    if (cursor === null) break;
  }
  if (run.window_from === null && run.window_to === null) {
    // Moved only now that every page is stored; the connectors overlap their reads, so what was late is read again.
    await engine.db.tenant(caller.tenantId, (tx) => moveCheckpoint(tx, pipeline.id, stream, readUntil));
  }
  return true;
}

/** How long a vendor keeps a cursor is not known: one that an earlier process left may be refused, and then the start is read. */
async function readPage(
  connection: SpendConnection,
  stream: SpendStream,
  window: ReadWindow,
  cursor: string | null,
  isLeftOver: boolean,
): Promise<SpendPage> {
  if (!isLeftOver) return connection.readPage(stream, window, cursor);
  try {
    return await connection.readPage(stream, window, cursor);
  } catch (error) {
    if (!(error instanceof LedgergateError) || error.decision === 'PAUSE_CONNECTION') throw error;
    return connection.readPage(stream, window, null);
  }
}

async function checkpointOf(
  engine: Engine,
  tenantId: string,
  pipelineId: string,
  stream: SpendStream,
): Promise<Date | null> {
  const [row] = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ read_until: Date }>(
      'select read_until from checkpoints where tenant_id = $1 and pipeline_id = $2 and stream = $3',
      [tenantId, pipelineId, stream],
    ),
  );
  return row?.read_until ?? null;
}

function moveCheckpoint(tx: Tx, pipelineId: string, stream: SpendStream, readUntil: Date): Promise<number> {
  return tx.execute(
    `insert into checkpoints (tenant_id, pipeline_id, stream, read_until) values ($1, $2, $3, $4)
     on conflict (tenant_id, pipeline_id, stream) do update set read_until = greatest(checkpoints.read_until, excluded.read_until)`,
    [tx.tenantId, pipelineId, stream, readUntil],
  );
}

async function countRead(
  tx: Tx,
  runId: string,
  counts: IngestCounts,
  stream: SpendStream,
  progress: NonNullable<Reading[SpendStream]>,
): Promise<void> {
  await tx.execute(
    `update sync_runs set records_read = records_read + $3, records_new = records_new + $4, records_changed = records_changed + $5,
       reading = reading || jsonb_build_object($6::text, $7::jsonb)
     where tenant_id = $1 and id = $2`,
    [tx.tenantId, runId, counts.read, counts.created, counts.changed, stream, JSON.stringify(progress)],
  );
  await tellRun(tx, runId);
}

async function noteUnread(
  engine: Engine,
  caller: Caller,
  run: RunRow,
  pipeline: PipelineRow,
  stream: SpendStream,
  error: LedgergateError,
): Promise<void> {
  await engine.db.tenant(caller.tenantId, async (tx) => {
    recordFor(tx, caller, engine.clock.now(), {
      action: 'sync.streamUnread',
      subjectType: 'SyncRun',
      subjectId: run.id,
      summary: `${stream} of "${pipeline.name}" could not be read: ${error.userMessage}`,
      after: { stream, code: error.code, from: run.window_from, to: run.window_to },
    });
  });
}

// ── planning ─────────────────────────────────────────────────────────────────────────────────

async function planAll(engine: Engine, caller: Caller, run: RunRow, pipeline: PipelineRow): Promise<string[]> {
  try {
    await freshenMasterData(engine, caller, pipeline.ledger_id);
    await planPipeline(engine, caller, pipeline.id, run.id);
    return [];
  } catch (error) {
    if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
    if (error.decision === 'PAUSE_CONNECTION' || error.decision === 'RETRY') {
      await noteReachability(engine, caller.tenantId, pipeline.ledger_id, error);
    }
    // What was read stays in the planning queue; the next run plans it.
    return [`The ledger could not be asked, so nothing was planned: ${error.userMessage}`];
  }
}

async function wasAskedAgain(engine: Engine, tenantId: string, runId: string): Promise<boolean> {
  const [row] = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ again: boolean; status: SyncStatus }>(
      'select again, status from sync_runs where tenant_id = $1 and id = $2',
      [tenantId, runId],
    ),
  );
  return row?.again === true && row.status === 'RUNNING';
}

/** Reading and planning are over; the run ends when its postings have had their chance. */
async function leaveToLedger(
  engine: Engine,
  tenantId: string,
  run: RunRow,
  pipeline: PipelineRow,
  problems: readonly string[],
): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const [current] = await tx.query<{ status: SyncStatus; again: boolean; records_read: number }>(
      'select status, again, records_read from sync_runs where tenant_id = $1 and id = $2 for update',
      [tenantId, run.id],
    );
    if (current?.status !== 'RUNNING') return;
    if (current.again) {
      // Asked again between the last look and this lock: the run goes through the queue once more.
      await engine.jobs.send(tx, 'sync.run', { tenantId, runId: run.id });
      return;
    }
    const error = problems.length > 0 ? problems.join(' ') : null;
    await tx.execute('update sync_runs set planned_at = $3, error = $4 where tenant_id = $1 and id = $2', [
      tenantId,
      run.id,
      engine.clock.now(),
      error,
    ]);
    if (error !== null && current.records_read === 0) {
      await endRun(engine, tx, run.id, 'FAILED', error, run.correlation_id, { posted: 0, held: 0, failed: 0 });
      return;
    }
    await finishRun(engine, tx, run.id, null);
    await engine.jobs.send(tx, 'ledger.drain', { tenantId, ledgerId: pipeline.ledger_id });
  });
}

// ── dry runs ─────────────────────────────────────────────────────────────────────────────────

async function runDry(engine: Engine, caller: Caller, run: RunRow, pipeline: PipelineRow): Promise<void> {
  const { tenantId } = caller;
  let preview: Awaited<ReturnType<typeof previewPipeline>> | null = null;
  let error: string | null = null;
  try {
    await freshenMasterData(engine, caller, pipeline.ledger_id);
    preview = await previewPipeline(engine, caller, pipeline, { since: run.window_from, until: run.window_to });
  } catch (caught) {
    if (!(caught instanceof LedgergateError) || caught.decision === 'STOP') throw caught;
    error = caught.userMessage;
  }
  await engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    await tx.execute(
      `update sync_runs set status = $3, preview = $4, error = $5, finished_at = $6, records_read = $7, records_new = $8,
         records_changed = $9, postings_held = $10 where tenant_id = $1 and id = $2 and status = 'RUNNING'`,
      [
        tenantId,
        run.id,
        error === null ? 'SUCCEEDED' : 'FAILED',
        preview ? JSON.stringify(preview.documents) : null,
        error,
        now,
        preview?.read ?? 0,
        preview?.created ?? 0,
        preview?.changed ?? 0,
        preview?.documents.filter((document) => document.status === 'HELD').length ?? 0,
      ],
    );
    await tellRun(tx, run.id);
    const total = preview?.documents.length ?? 0;
    recordFor(tx, caller, now, {
      action: 'sync.previewed',
      subjectType: 'SyncRun',
      subjectId: run.id,
      summary: error ?? `The dry run of "${pipeline.name}" shows ${total} documents. Nothing was stored or sent.`,
      after: { documents: total, error },
    });
  });
}
