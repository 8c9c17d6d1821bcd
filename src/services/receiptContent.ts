import type { Database } from '../entities/database.js';

/** A stored receipt, whole. */
export interface ReceiptContent {
  readonly id: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly sha256: string;
  readonly content: Buffer;
}

/** null = this tenant has no such receipt. */
export async function receiptContent(db: Database, tenantId: string, id: string): Promise<ReceiptContent | null> {
  const [row] = await db.tenant(tenantId, (tx) =>
    tx.query<ReceiptContent>(
      `select r.id, r.content_type as "contentType", r.sha256, r.content, coalesce((select min(l.file_name)
         from receipt_links l where l.tenant_id = r.tenant_id and l.sha256 = r.sha256), r.id) as "fileName"
       from receipts r where r.tenant_id = $1 and r.id = $2`,
      [tenantId, id],
    ),
  );
  return row ?? null;
}

/** The receipts of the document with this reference in any of the tenant's ledgers, by id; the newest document counts. */
export async function receiptsOfReference(
  db: Database,
  tenantId: string,
  reference: string,
): Promise<{ id: string; fileName: string; contentType: string; size: number }[]> {
  return db.tenant(tenantId, (tx) =>
    tx.query(
      `select distinct on (r.id) r.id, coalesce(l.file_name, r.id) as "fileName", r.content_type as "contentType", r.size
       from postings p
       join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
       join source_objects o on o.tenant_id = ps.tenant_id and o.spend_record_id = ps.spend_record_id
       join receipt_links l on l.tenant_id = o.tenant_id and l.source_id = o.source_id and l.stream = o.stream
         and l.external_id = o.external_id
       join receipts r on r.tenant_id = l.tenant_id and r.sha256 = l.sha256
       where p.tenant_id = $1 and p.reference = $2 order by r.id, l.file_name`,
      [tenantId, reference],
    ),
  );
}
