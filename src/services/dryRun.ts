import type { ReadWindow, SpendPage } from '../connectors/contract.js';
import type { LocalDate } from '../domain/localDate.js';
import type { PostingStatus } from '../domain/postingState.js';
import type { PreviewDocument } from '../domain/preview.js';
import type { DocumentType, Hold, SpendStream } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { ConfigurationError } from '../errors.js';
import type { Caller, Engine } from './engine.js';
import { ingestInto } from './ingest.js';
import type { PipelineRow } from './pipelines.js';
import { planChunk } from './planning.js';
import { linesOf } from './postingStore.js';

export interface Preview {
  readonly read: number;
  readonly created: number;
  readonly changed: number;
  readonly documents: readonly PreviewDocument[];
}

/** What one dry run holds in memory and in one transaction. A longer window is previewed in pieces. */
const OBJECTS_MAX = 20_000;
const CHUNK = 20_000;

/** Carries the preview out of the transaction that must not be kept. */
class RolledBack extends Error {
  constructor(readonly preview: Preview) {
    super('A dry run keeps nothing.');
  }
}

/**
 * Shows the exact documents that a sync of this window would make now. It is the real path, reading, joining, matching and
 * planning, in a transaction that is rolled back: nothing is stored, nothing is sent, no number is used up.
 * @throws ConfigurationError the window holds more than a preview can show at once.
 */
export async function previewPipeline(
  engine: Engine,
  caller: Caller,
  pipeline: PipelineRow,
  window: ReadWindow,
): Promise<Preview> {
  const { connection } = await engine.connections.spend(caller.tenantId, pipeline.source_id);
  const ledger = await engine.connections.ledger(caller.tenantId, pipeline.ledger_id);
  const rules = await ledger.connection.rules();
  const pages: { stream: SpendStream; page: SpendPage }[] = [];
  let objects = 0;
  for (const stream of pipeline.streams) {
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const page: SpendPage = await connection.readPage(stream, window, cursor);
      pages.push({ stream, page });
      objects += page.objects.length;
      if (objects > OBJECTS_MAX) {
        throw new ConfigurationError(
          `The window holds more than ${OBJECTS_MAX} objects. Give a shorter one with from and to.`,
          { code: 'WINDOW_TOO_LONG' },
        );
      }
      cursor = page.nextCursor;
    }
  }
  try {
    await engine.db.tenant(caller.tenantId, async (tx) => {
      const counts = { read: 0, created: 0, changed: 0 };
      for (const { stream, page } of pages) {
        const one = await ingestInto(engine, caller, tx, pipeline.source_id, stream, page);
        counts.read += one.read;
        counts.created += one.created;
        counts.changed += one.changed;
      }
      const before = await touchedBefore(tx, pipeline.id);
      for (let taken = CHUNK; taken === CHUNK; ) {
        ({ taken } = await planChunk(engine, caller, tx, pipeline, rules, null, CHUNK));
      }
      throw new RolledBack({ ...counts, documents: await plannedSince(tx, pipeline.id, before) });
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.preview;
    throw error;
  }
  throw new ConfigurationError('The dry run ended without a preview.');
}

/** Every posting's plan as it was, so that only what the dry run made or changed is shown. */
async function touchedBefore(tx: Tx, pipelineId: string): Promise<Map<string, string>> {
  const rows = await tx.query<{ id: string; mark: string }>(
    `select id, plan_hash || status as mark from postings where tenant_id = $1 and pipeline_id = $2
     and status in ('PLANNED', 'HELD', 'AWAITING_APPROVAL', 'READY', 'REJECTED', 'CANCELLED')`,
    [tx.tenantId, pipelineId],
  );
  return new Map(rows.map((row) => [row.id, row.mark]));
}

interface PlannedRow {
  id: string;
  status: PostingStatus;
  document_type: DocumentType;
  reference: string;
  plan_hash: string;
  posting_date: LocalDate;
  currency: string;
  total: string;
  supplier_code: string | null;
  mapping_version: number | null;
  holds: Hold[];
  reverses_id: string | null;
}

async function plannedSince(
  tx: Tx,
  pipelineId: string,
  before: ReadonlyMap<string, string>,
): Promise<PreviewDocument[]> {
  const rows = await tx.query<PlannedRow>(
    `select id, status, document_type, reference, plan_hash, posting_date, currency, total, supplier_code, mapping_version,
       holds, reverses_id
     from postings where tenant_id = $1 and pipeline_id = $2
       and status in ('PLANNED', 'HELD', 'AWAITING_APPROVAL', 'READY') order by posting_date, id`,
    [tx.tenantId, pipelineId],
  );
  const changed = rows.filter((row) => before.get(row.id) !== row.plan_hash + row.status);
  const lines = await linesOf(
    tx,
    changed.map((row) => row.id),
  );
  return changed.map((row) => ({
    status: row.status,
    documentType: row.document_type,
    reference: row.reference,
    planHash: row.plan_hash,
    postingDate: row.posting_date,
    currency: row.currency,
    total: row.total,
    supplierCode: row.supplier_code,
    mappingVersion: row.mapping_version,
    holds: row.holds,
    reversesId: row.reverses_id,
    lines: (lines.get(row.id) ?? []).map((line) => ({
      lineNumber: line.line_number,
      glAccount: line.gl_account,
      costCentre: line.cost_centre,
      dimensions: line.dimensions,
      taxCode: line.tax_code,
      debit: line.debit,
      credit: line.credit,
      memo: line.memo,
      spendRecordIds: line.spend_record_ids,
      explanation: line.explanation,
      role: line.role,
    })),
  }));
}
