import type { ExportAnswer, ExportReport, ReportsExports } from '../connectors/contract.js';
import type { SpendStream, SystemKind } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { ConfigurationError, CredentialsError, LedgergateError, RateLimitedError } from '../errors.js';
import { raiseAlert, settleAlert } from './alerts.js';
import { record, recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { noteReachability } from './systems.js';

export interface ReportOptions {
  /** Asked between batches. */
  readonly isStopping: () => boolean;
}

/** How long a batch may be at the source before another process reports it again, which is safe. */
const LEASE_MS = 60_000;
const BACKOFF_FIRST_MS = 30_000;
const BACKOFF_MAX_MS = 60 * 60_000;
/** A source that is wrongly set up is asked again this much later; a person's change wakes the work at once. */
const HOLD_PAUSE_MS = 60 * 60_000;
/** No source takes more in one call, whatever its connector says. */
const BATCH_LIMIT = 500;

interface ExportRow {
  external_id: string;
  posting_id: string;
  outcome: 'SUCCESS' | 'FAILURE';
  ledger_document_id: string | null;
  message: string | null;
  /** Counts claims, so it is the claim's fencing number as well. */
  attempts: number;
  correlation_id: string;
  created_at: Date;
}

/**
 * Tells a source what became of its objects, as far as that is due.
 *
 * A success is sent only for what is in the ledger at the moment of the claim, a failure only for what a person gave up
 * and nobody has planned again; what is neither any more is withdrawn unsent. A report may reach the source twice after
 * a lost answer or a dead process: it says then that it knows, and that is as good.
 */
export async function reportToSource(
  engine: Engine,
  tenantId: string,
  sourceId: string,
  options: ReportOptions,
): Promise<void> {
  const { exports } = await open(engine, tenantId, sourceId);
  if (!exports) return;
  const trouble = await reportAll(engine, tenantId, sourceId, exports, options);
  // A refused credential is entered anew by a person, and that wakes this work (see `updateCredentials`).
  if (trouble instanceof CredentialsError) return;
  await engine.db.tenant(tenantId, (tx) => planNextReport(engine, tx, sourceId));
}

async function open(engine: Engine, tenantId: string, sourceId: string): Promise<{ exports: ReportsExports | null }> {
  try {
    const { connection } = await engine.connections.spend(tenantId, sourceId);
    return { exports: connection.exports ?? null };
  } catch (error) {
    // A disabled system: what is owed to it waits until somebody enables it again.
    if (error instanceof ConfigurationError) return { exports: null };
    throw error;
  }
}

async function reportAll(
  engine: Engine,
  tenantId: string,
  sourceId: string,
  exports: ReportsExports,
  options: ReportOptions,
): Promise<LedgergateError | null> {
  const take = Math.max(1, Math.min(exports.batchMax, BATCH_LIMIT));
  while (!options.isStopping()) {
    const rows = await engine.db.tenant(tenantId, async (tx) => {
      await withdrawOutdated(engine, tx, sourceId);
      return claim(engine, tx, sourceId, take);
    });
    if (rows.length === 0) return null;
    try {
      const answers = await exports.report(rows.map(reportOf));
      await engine.db.tenant(tenantId, (tx) => settleAnswers(engine, tx, sourceId, rows, answers));
      await noteReachability(engine, tenantId, sourceId, null);
    } catch (error) {
      if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
      await postpone(engine, tenantId, sourceId, rows, error);
      return error;
    }
  }
  return null;
}

// ── what is sent ─────────────────────────────────────────────────────────────────────────────

/** The purchase's document is what the report says it is. */
const IS_TRUE = `exists (select from postings p where p.tenant_id = e.tenant_id and p.id = e.posting_id
    and p.status = case e.outcome when 'SUCCESS' then 'POSTED' else 'CANCELLED' end)
  or (e.outcome = 'FAILURE' and exists (select from spend_records r where r.tenant_id = e.tenant_id
    and r.id = e.posting_id and r.excluded_by is not null))`;

/** Nothing older is still owed for the same object. */
const IS_FIRST = `not exists (select from source_exports o where o.tenant_id = e.tenant_id and o.source_id = e.source_id
  and o.external_id = e.external_id and o.state = 'PENDING' and (o.created_at, o.posting_id) < (e.created_at, e.posting_id))`;

/** What was reversed, or planned again, before its report went out is not reported any more. */
async function withdrawOutdated(engine: Engine, tx: Tx, sourceId: string): Promise<void> {
  const now = engine.clock.now();
  const rows = await tx.query<ExportRow>(
    `update source_exports e set state = 'DONE',
       answer = 'Not sent: the document was reversed or planned again before this was reported.'
     where e.tenant_id = $1 and e.source_id = $2 and e.state = 'PENDING' and e.next_attempt_at <= $3 and not (${IS_TRUE})
     returning external_id, posting_id, outcome, ledger_document_id, message, attempts, correlation_id, created_at`,
    [tx.tenantId, sourceId, now],
  );
  for (const row of rows) {
    tell(
      tx,
      now,
      row,
      'export.withdrawn',
      `The result for ${row.external_id} was not reported: it is not true any more.`,
      {},
    );
  }
}

/**
 * Takes due rows, one an object: a source refuses a call that names an object twice. The next attempt is set to the end
 * of the claim, so a process that dies with it is followed by another one.
 */
function claim(engine: Engine, tx: Tx, sourceId: string, take: number): Promise<ExportRow[]> {
  const now = engine.clock.now();
  return tx.query<ExportRow>(
    `update source_exports e set next_attempt_at = $5, attempts = attempts + 1
     where tenant_id = $1 and source_id = $2 and (external_id, posting_id) in (
       select external_id, posting_id from source_exports e
       where tenant_id = $1 and source_id = $2 and state = 'PENDING' and next_attempt_at <= $3 and (${IS_TRUE})
         and ${IS_FIRST}
       order by created_at, external_id limit $4 for update skip locked)
     returning external_id, posting_id, outcome, ledger_document_id, message, attempts, correlation_id, created_at`,
    [tx.tenantId, sourceId, now, take, new Date(now.getTime() + LEASE_MS)],
  );
}

function reportOf(row: ExportRow): ExportReport {
  return {
    externalId: row.external_id,
    outcome:
      row.outcome === 'SUCCESS'
        ? { kind: 'SUCCESS', ledgerDocumentId: row.ledger_document_id ?? '' }
        : { kind: 'FAILURE', message: row.message ?? 'It was given up.' },
  };
}

// ── what came back ───────────────────────────────────────────────────────────────────────────

async function settleAnswers(
  engine: Engine,
  tx: Tx,
  sourceId: string,
  rows: readonly ExportRow[],
  answers: readonly ExportAnswer[],
): Promise<void> {
  const now = engine.clock.now();
  const byId = new Map(answers.map((answer) => [answer.externalId, answer]));
  const settled = rows.map((row) => ({ row, ...judge(row, byId.get(row.external_id), now) }));
  const changed = await tx.query<{ external_id: string; posting_id: string }>(
    `update source_exports e set state = r.state, answer = r.answer, next_attempt_at = r.again_at,
       reported_at = case when r.state = 'DONE' then $4::timestamptz end
     from jsonb_to_recordset($3::jsonb) as r(external_id text, posting_id text, attempts integer, state text, answer text,
       again_at timestamptz)
     where e.tenant_id = $1 and e.source_id = $2 and e.external_id = r.external_id and e.posting_id = r.posting_id
       and e.state = 'PENDING' and e.attempts = r.attempts returning e.external_id, e.posting_id`,
    [
      tx.tenantId,
      sourceId,
      JSON.stringify(
        settled.map(({ row, state, answer, againAt }) => ({
          external_id: row.external_id,
          posting_id: row.posting_id,
          attempts: row.attempts,
          state,
          answer,
          again_at: againAt,
        })),
      ),
      now,
    ],
  );
  const ours = new Set(changed.map((row) => `${row.external_id} ${row.posting_id}`));
  for (const { row, state, answer } of settled) {
    if (state === 'PENDING' || !ours.has(`${row.external_id} ${row.posting_id}`)) continue;
    if (state === 'REFUSED') await refusedBySource(tx, now, sourceId, row, answer);
    else {
      const what = row.outcome === 'SUCCESS' ? `document ${row.ledger_document_id}` : 'that it was given up';
      tell(tx, now, row, 'export.reported', `Reported to the source for ${row.external_id}: ${what}. ${answer}`, {
        answer,
      });
    }
  }
  await settleAlert(tx, now, `exports:${sourceId}`, 'system:exports');
}

function judge(
  row: ExportRow,
  answer: ExportAnswer | undefined,
  now: Date,
): { state: 'DONE' | 'REFUSED' | 'PENDING'; answer: string; againAt: Date } {
  const later = new Date(now.getTime() + backoffMs(row.attempts));
  switch (answer?.kind) {
    case 'REPORTED':
      return { state: 'DONE', answer: 'The source took it.', againAt: now };
    case 'ALREADY_REPORTED':
      return { state: 'DONE', answer: answer.detail, againAt: now };
    case 'UNKNOWN_AT_SOURCE':
      return { state: 'REFUSED', answer: answer.detail, againAt: now };
    case 'NOT_READY':
      return { state: 'PENDING', answer: answer.detail, againAt: later };
    case undefined:
      return { state: 'PENDING', answer: 'The source gave no answer for it.', againAt: later };
  }
}

async function refusedBySource(tx: Tx, now: Date, sourceId: string, row: ExportRow, answer: string): Promise<void> {
  const summary = `The source does not know ${row.external_id}, so its result could not be reported. ${answer}`;
  tell(tx, now, row, 'export.refused', summary, { answer });
  await raiseAlert(tx, now, {
    severity: 'WARNING',
    code: 'EXPORT_REFUSED',
    message: summary,
    systemId: sourceId,
    pipelineId: null,
    dedupeKey: `export:${sourceId}:${row.external_id}`,
  });
}

function tell(
  tx: Tx,
  now: Date,
  row: ExportRow,
  action: 'export.reported' | 'export.refused' | 'export.withdrawn',
  summary: string,
  more: Readonly<Record<string, unknown>>,
): void {
  const isPosting = row.posting_id.startsWith('post_');
  record(tx, now, {
    actor: 'system:exports',
    action,
    subjectType: isPosting ? 'GlPosting' : 'SpendRecord',
    subjectId: row.posting_id,
    summary,
    after: { externalId: row.external_id, outcome: row.outcome, ledgerDocumentId: row.ledger_document_id, ...more },
    correlationId: row.correlation_id,
  });
}

/** Gives claimed rows back after a failed call, to be tried when that makes sense. Repeating a report is safe. */
async function postpone(
  engine: Engine,
  tenantId: string,
  sourceId: string,
  rows: readonly ExportRow[],
  error: LedgergateError,
): Promise<void> {
  engine.logger.warn({ sourceId, code: error.code, count: rows.length }, 'results could not be reported');
  const now = engine.clock.now();
  const attempts = Math.max(...rows.map((row) => row.attempts));
  await engine.db.tenant(tenantId, async (tx) => {
    await tx.execute(
      `update source_exports e set next_attempt_at = $4, answer = $5
       from jsonb_to_recordset($3::jsonb) as r(external_id text, posting_id text, attempts integer)
       where e.tenant_id = $1 and e.source_id = $2 and e.external_id = r.external_id and e.posting_id = r.posting_id
         and e.state = 'PENDING' and e.attempts = r.attempts`,
      [
        tx.tenantId,
        sourceId,
        JSON.stringify(rows),
        new Date(now.getTime() + pauseFor(error, attempts)),
        error.userMessage,
      ],
    );
    if (error.decision !== 'HOLD') return;
    await raiseAlert(tx, now, {
      severity: 'WARNING',
      code: 'EXPORTS_BLOCKED',
      message: `Results cannot be reported to the source: ${error.userMessage}`,
      systemId: sourceId,
      pipelineId: null,
      dedupeKey: `exports:${sourceId}`,
    });
  });
  if (error.decision === 'PAUSE_CONNECTION' || error.decision === 'RETRY') {
    await noteReachability(engine, tenantId, sourceId, error);
  }
}

function pauseFor(error: LedgergateError, attempts: number): number {
  if (error instanceof CredentialsError) return 0;
  if (error instanceof RateLimitedError && error.retryAfterMs !== null) return error.retryAfterMs;
  return error.decision === 'HOLD' ? HOLD_PAUSE_MS : backoffMs(attempts);
}

function backoffMs(attempts: number): number {
  const full = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(Math.max(attempts - 1, 0), 20), BACKOFF_MAX_MS);
  // Half of it is chance, so that many customers of one source do not come back in one moment.
  return full / 2 + Math.random() * (full / 2);
}

/**
 * Sees to it that somebody comes back when the next report of this source is due. What waits behind an older result for
 * the same object is not due before that one, whenever it was made.
 */
async function planNextReport(engine: Engine, tx: Tx, sourceId: string): Promise<void> {
  const [row] = await tx.query<{ due: Date | null }>(
    `select min(next_attempt_at) as due from source_exports e
     where tenant_id = $1 and source_id = $2 and state = 'PENDING' and ${IS_FIRST}`,
    [tx.tenantId, sourceId],
  );
  if (!row?.due) return;
  await engine.jobs.send(tx, 'source.report', { tenantId: tx.tenantId, sourceId }, { startAfter: row.due });
}

// ── what is owed ─────────────────────────────────────────────────────────────────────────────

export interface GivenUp {
  readonly sourceId: string;
  /** The stream whose objects take results (`exportStream` of the connector); null = the source wants none. */
  readonly stream: SpendStream | null;
  readonly spendRecordIds: readonly string[];
  /** The cancelled posting; null when a record was excluded that had none. */
  readonly postingId: string | null;
  /** Why, in the person's words; the source shows it. */
  readonly message: string;
}

/** The stream of a connected source whose objects take results; null = it wants none. */
export async function exportStreamOf(engine: Engine, tx: Tx, sourceId: string): Promise<SpendStream | null> {
  const [system] = await tx.query<{ kind: SystemKind }>('select kind from systems where tenant_id = $1 and id = $2', [
    tx.tenantId,
    sourceId,
  ]);
  const connector = system ? engine.connectors.find(system.kind) : undefined;
  return connector?.role === 'SPEND' ? connector.exportStream : null;
}

/** Owes the source a failure for each object of purchases that a person gave up, in that person's transaction. */
export async function oweFailures(engine: Engine, tx: Tx, caller: Caller, given: GivenUp): Promise<void> {
  if (given.stream === null || given.spendRecordIds.length === 0) return;
  const now = engine.clock.now();
  const { sourceId, stream, spendRecordIds } = given;
  await oweGroups(engine, tx, { sourceId, stream, spendRecordIds, correlationId: caller.correlationId });
  const owed = await tx.query<{ external_id: string; posting_id: string }>(
    `insert into source_exports (tenant_id, source_id, external_id, posting_id, outcome, message, state, next_attempt_at,
       correlation_id, created_at)
     select $1, $2, o.external_id, coalesce($3, o.spend_record_id), 'FAILURE', $4, 'PENDING', $5, $6, $5
     from source_objects o where o.tenant_id = $1 and o.source_id = $2 and o.stream = $7 and o.spend_record_id = any($8)
       and o.kind <> 'NOT_SPEND' and o.export_id is null
     on conflict (tenant_id, source_id, external_id, posting_id) do update set state = 'PENDING', outcome = 'FAILURE',
       message = excluded.message, next_attempt_at = excluded.next_attempt_at, correlation_id = excluded.correlation_id
       where source_exports.outcome = 'FAILURE'
     returning external_id, posting_id`,
    [
      tx.tenantId,
      given.sourceId,
      given.postingId,
      given.message,
      now,
      caller.correlationId,
      given.stream,
      given.spendRecordIds,
    ],
  );
  if (owed.length === 0) return;
  const isPosting = given.postingId !== null;
  recordFor(tx, caller, now, {
    action: 'export.owed',
    subjectType: isPosting ? 'GlPosting' : 'SpendRecord',
    subjectId: given.postingId ?? owed[0]?.posting_id ?? '',
    summary: `The source will be told that ${owed.length} of its objects were given up: ${given.message}`,
    after: { externalIds: owed.map((row) => row.external_id) },
  });
  await engine.jobs.send(tx, 'source.report', { tenantId: tx.tenantId, sourceId: given.sourceId });
}

export interface SettledPurchases {
  readonly sourceId: string;
  readonly stream: SpendStream;
  readonly spendRecordIds: readonly string[];
  readonly correlationId: string;
}

/**
 * Owes the source the result of those groups of objects (`exportId`, say an expense report) that have become complete:
 * each purchase is in the ledger or excluded, and at least one is in the ledger. To be called when purchases were posted
 * or excluded, in that transaction.
 */
export async function oweGroups(engine: Engine, tx: Tx, settled: SettledPurchases): Promise<void> {
  const now = engine.clock.now();
  const { sourceId, stream, spendRecordIds, correlationId } = settled;
  // One at a time a source: of two transactions that each settle the last but one purchase, the later sees the earlier.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`exports:${tx.tenantId}:${sourceId}`]);
  const owed = await tx.query<{ external_id: string }>(
    `insert into source_exports (tenant_id, source_id, external_id, posting_id, outcome, ledger_document_id, state,
       next_attempt_at, correlation_id, created_at)
     select $1, $2, g.export_id, last.id, 'SUCCESS', last.ledger_document_id, 'PENDING', $5, $6, $5
     from (select distinct export_id from source_objects
       where tenant_id = $1 and source_id = $2 and stream = $3 and spend_record_id = any($4) and export_id is not null) g
     cross join lateral (
       select p.id, p.ledger_document_id from source_objects o
       join posting_spend ps on ps.tenant_id = o.tenant_id and ps.spend_record_id = o.spend_record_id
       join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
       where o.tenant_id = $1 and o.source_id = $2 and o.stream = $3 and o.export_id = g.export_id
         and p.status = 'POSTED' and p.reverses_id is null
       order by p.posted_at desc, p.id desc limit 1
     ) last
     where not exists (select from source_objects o join spend_records r on r.tenant_id = o.tenant_id and r.id = o.spend_record_id
       where o.tenant_id = $1 and o.source_id = $2 and o.stream = $3 and o.export_id = g.export_id
         and r.status not in ('POSTED', 'CORRECTED', 'EXCLUDED'))
     on conflict (tenant_id, source_id, external_id, posting_id) do nothing
     returning external_id`,
    [tx.tenantId, sourceId, stream, spendRecordIds, now, correlationId],
  );
  if (owed.length > 0) await engine.jobs.send(tx, 'source.report', { tenantId: tx.tenantId, sourceId });
}
