import type { ReadSession } from './session.js';

export interface ReceiptRow {
  readonly id: string;
  readonly fileName: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** The stored receipts of purchases, each content once. Contents themselves are read by `receiptContent`. */
export class ReceiptReads {
  constructor(private readonly session: ReadSession) {}

  ofSpendRecord(recordId: string): Promise<readonly ReceiptRow[]> {
    return this.session.children<ReceiptRow>(
      'receipts of record',
      recordId,
      `select distinct on (o.spend_record_id, r.sha256) o.spend_record_id as parent, r.id,
         coalesce(l.file_name, r.id) as "fileName", r.content_type as "contentType", r.size, r.sha256
       from source_objects o ${LINKED}
       where o.tenant_id = $1 and o.spend_record_id = any($2::text[])
       order by o.spend_record_id, r.sha256, l.file_name`,
    );
  }

  ofPosting(postingId: string): Promise<readonly ReceiptRow[]> {
    return this.session.children<ReceiptRow>(
      'receipts of posting',
      postingId,
      `select distinct on (ps.posting_id, r.sha256) ps.posting_id as parent, r.id,
         coalesce(l.file_name, r.id) as "fileName", r.content_type as "contentType", r.size, r.sha256
       from posting_spend ps
       join source_objects o on o.tenant_id = ps.tenant_id and o.spend_record_id = ps.spend_record_id ${LINKED}
       where ps.tenant_id = $1 and ps.posting_id = any($2::text[])
       order by ps.posting_id, r.sha256, l.file_name`,
    );
  }
}

const LINKED = `
       join receipt_links l on l.tenant_id = o.tenant_id and l.source_id = o.source_id and l.stream = o.stream
         and l.external_id = o.external_id
       join receipts r on r.tenant_id = l.tenant_id and r.sha256 = l.sha256`;
