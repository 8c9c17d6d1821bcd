import type { AttachesReceipts, DocumentQuery, LedgerConnection } from '../connectors/contract.js';
import { receiptFileName } from '../domain/receiptType.js';
import type { Tx } from '../entities/database.js';
import { ErpRejectedError, InputError, LedgergateError } from '../errors.js';
import { raiseAlert } from './alerts.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';

interface DueRow {
  posting_id: string;
  sha256: string;
  attempts: number;
  content_type: string;
  file_name: string | null;
  ledger_document_id: string;
  document_type: DocumentQuery['documentType'];
  reference: string;
  supplier_code: string | null;
  posting_date: DocumentQuery['postingDate'];
  correlation_id: string;
}

const BATCH = 20;
const MINUTE_MS = 60_000;
const PAUSE_MAX_MS = 6 * 60 * MINUTE_MS;

/**
 * Attaches the stored receipts of posted documents, where the ledger takes attachments. A work of its own, after the
 * posting: it neither delays nor fails one. Before each file the ledger is asked whether it has it, so that a lost answer
 * or a crash attaches nothing twice.
 */
export async function attachReceipts(
  engine: Engine,
  tenantId: string,
  ledgerId: string,
  { isStopping }: { readonly isStopping: () => boolean },
): Promise<void> {
  let connection: LedgerConnection;
  try {
    ({ connection } = await engine.connections.ledger(tenantId, ledgerId));
  } catch (error) {
    // Disabled: the next drain after somebody changed that comes back here.
    if (error instanceof LedgergateError && error.decision === 'HOLD') return;
    throw error;
  }
  const { attachments } = connection;
  if (!attachments) return;
  await engine.db.tenant(tenantId, (tx) => owe(engine, tx, ledgerId));
  for (
    let due = await dueOnes(engine, tenantId, ledgerId);
    due.length > 0;
    due = await dueOnes(engine, tenantId, ledgerId)
  ) {
    for (const row of due) {
      if (isStopping()) return planNext(engine, tenantId, ledgerId);
      await attachOne(engine, tenantId, ledgerId, attachments, row);
    }
  }
  await planNext(engine, tenantId, ledgerId);
}

/** What is posted and has receipts: the pairs that nobody has noted yet. */
async function owe(engine: Engine, tx: Tx, ledgerId: string): Promise<void> {
  await tx.execute(
    `insert into receipt_attachments (tenant_id, posting_id, sha256, state, next_attempt_at)
     select distinct $1, p.id, l.sha256, 'PENDING', $3::timestamptz
     from postings p
     join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     join source_objects o on o.tenant_id = ps.tenant_id and o.spend_record_id = ps.spend_record_id
     join receipt_links l on l.tenant_id = o.tenant_id and l.source_id = o.source_id and l.stream = o.stream
       and l.external_id = o.external_id and l.sha256 is not null
     where p.tenant_id = $1 and p.ledger_id = $2 and p.status = 'POSTED' and p.reverses_id is null
     on conflict (tenant_id, posting_id, sha256) do nothing`,
    [tx.tenantId, ledgerId, engine.clock.now()],
  );
}

function dueOnes(engine: Engine, tenantId: string, ledgerId: string): Promise<DueRow[]> {
  return engine.db.tenant(tenantId, (tx) =>
    tx.query<DueRow>(
      `select a.posting_id, a.sha256, a.attempts, r.content_type, p.ledger_document_id, p.document_type, p.reference,
         p.supplier_code, p.posting_date, p.correlation_id,
         (select min(l.file_name) from receipt_links l where l.tenant_id = $1 and l.sha256 = a.sha256) as file_name
       from receipt_attachments a join receipts r on r.tenant_id = a.tenant_id and r.sha256 = a.sha256
       join postings p on p.tenant_id = a.tenant_id and p.id = a.posting_id
       where a.tenant_id = $1 and p.ledger_id = $2 and a.state = 'PENDING' and a.next_attempt_at <= $3
         and p.status = 'POSTED' and p.ledger_document_id is not null
       order by a.next_attempt_at, a.posting_id, a.sha256 limit $4`,
      [tenantId, ledgerId, engine.clock.now(), BATCH],
    ),
  );
}

async function attachOne(
  engine: Engine,
  tenantId: string,
  ledgerId: string,
  attachments: AttachesReceipts,
  row: DueRow,
): Promise<void> {
  const fileName = attachmentName(row);
  const query: DocumentQuery = {
    documentType: row.document_type,
    reference: row.reference,
    supplierCode: row.supplier_code,
    postingDate: row.posting_date,
  };
  try {
    if (!(await attachments.has(row.ledger_document_id, query, fileName))) {
      const content = await contentOf(engine, tenantId, row.sha256);
      await attachments.attach(row.ledger_document_id, query, { fileName, contentType: row.content_type, content });
    }
    await settle(engine, tenantId, row, fileName);
  } catch (error) {
    if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
    await fail(engine, tenantId, ledgerId, row, error);
  }
}

/** The content's hash is part of the name, so that the ledger can be asked for exactly this file. */
function attachmentName({ file_name, sha256, content_type }: DueRow): string {
  const stem = (file_name ?? 'receipt').replace(/\.[A-Za-z0-9]{1,5}$/, '').slice(0, 40);
  return receiptFileName(`${stem}-${sha256.slice(0, 12)}`, sha256, content_type);
}

async function contentOf(engine: Engine, tenantId: string, sha256: string): Promise<Buffer> {
  const [row] = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ content: Buffer }>('select content from receipts where tenant_id = $1 and sha256 = $2', [
      tenantId,
      sha256,
    ]),
  );
  return row?.content ?? Buffer.alloc(0);
}

async function settle(engine: Engine, tenantId: string, row: DueRow, fileName: string): Promise<void> {
  const now = engine.clock.now();
  await engine.db.tenant(tenantId, async (tx) => {
    await tx.execute(
      `update receipt_attachments set state = 'DONE', attached_at = $4, note = null
       where tenant_id = $1 and posting_id = $2 and sha256 = $3`,
      [tenantId, row.posting_id, row.sha256, now],
    );
    record(tx, now, {
      actor: 'system:receipts',
      correlationId: row.correlation_id,
      action: 'receipt.attached',
      subjectType: 'GlPosting',
      subjectId: row.posting_id,
      summary: `The receipt ${fileName} was attached to ${row.ledger_document_id}.`,
      after: { sha256: row.sha256, ledgerDocumentId: row.ledger_document_id },
    });
  });
}

async function fail(
  engine: Engine,
  tenantId: string,
  ledgerId: string,
  row: DueRow,
  error: LedgergateError,
): Promise<void> {
  const now = engine.clock.now();
  const isFinal = error instanceof ErpRejectedError || error instanceof InputError;
  const againAt = new Date(now.getTime() + Math.min(MINUTE_MS * 2 ** Math.min(row.attempts, 12), PAUSE_MAX_MS));
  await engine.db.tenant(tenantId, async (tx) => {
    await tx.execute(
      `update receipt_attachments set state = $4, note = $5, attempts = attempts + 1, next_attempt_at = $6
       where tenant_id = $1 and posting_id = $2 and sha256 = $3`,
      [tenantId, row.posting_id, row.sha256, isFinal ? 'REFUSED' : 'PENDING', error.userMessage, againAt],
    );
    if (!isFinal) return;
    await raiseAlert(tx, now, {
      severity: 'INFO',
      code: 'RECEIPT_NOT_ATTACHED',
      message: `The ledger would not take a receipt of ${row.ledger_document_id}; the document itself is posted. ${error.userMessage}`,
      systemId: ledgerId,
      pipelineId: null,
      dedupeKey: `attachments:${ledgerId}`,
    });
  });
}

async function planNext(engine: Engine, tenantId: string, ledgerId: string): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const [row] = await tx.query<{ due: Date | null }>(
      `select min(a.next_attempt_at) as due from receipt_attachments a
       join postings p on p.tenant_id = a.tenant_id and p.id = a.posting_id
       where a.tenant_id = $1 and p.ledger_id = $2 and a.state = 'PENDING' and p.status = 'POSTED'`,
      [tenantId, ledgerId],
    );
    if (!row?.due) return;
    await engine.jobs.send(tx, 'ledger.attach', { tenantId, ledgerId }, { startAfter: row.due });
  });
}
