/** The page as the dashboard asks for it, and the same by hand. */
export const PAGE_SIZE = 50;

export const PAGE_QUERY = `{
  glPostings(first: ${PAGE_SIZE}) {
    nodes {
      id reference status documentType currency totalDebit totalCredit postingDate ledgerDocumentId createdAt postedAt
      lines { lineNumber glAccount costCentre debit credit memo explanation }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

export interface RawPosting {
  id: string;
  reference: string;
  status: string;
  documentType: string;
  currency: string;
  total: string;
  postingDate: string;
  ledgerDocumentId: string | null;
  createdAt: Date;
  postedAt: Date | null;
  lines: Record<string, unknown>[];
}

export const PAGE_SQL = `
  select p.id, p.reference, p.status, p.document_type as "documentType", p.currency, p.total::numeric(20, 2)::text as total,
    p.posting_date::text as "postingDate", p.ledger_document_id as "ledgerDocumentId", p.created_at as "createdAt",
    p.posted_at as "postedAt", l.lines
  from (select * from postings where tenant_id = $1 order by id desc limit ${PAGE_SIZE + 1}) p
  left join lateral (
    select json_agg(json_build_object('lineNumber', line_number, 'glAccount', gl_account, 'costCentre', cost_centre,
      'debit', debit::numeric(20, 2)::text, 'credit', credit::numeric(20, 2)::text, 'memo', memo,
      'explanation', explanation) order by line_number) as lines
    from posting_lines where tenant_id = $1 and posting_id = p.id
  ) l on true
  order by p.id desc`;

export function pageOf(rows: readonly RawPosting[]): unknown {
  const shown = rows.slice(0, PAGE_SIZE);
  const nodes = shown.map(({ total, ...row }) => ({
    id: row.id,
    reference: row.reference,
    status: row.status,
    documentType: row.documentType,
    currency: row.currency,
    totalDebit: total,
    totalCredit: total,
    postingDate: row.postingDate,
    ledgerDocumentId: row.ledgerDocumentId,
    createdAt: row.createdAt,
    postedAt: row.postedAt,
    lines: row.lines,
  }));
  const last = shown.at(-1)?.id;
  const endCursor = last ? Buffer.from(JSON.stringify(['glPostings', last]), 'utf8').toString('base64url') : null;
  return { data: { glPostings: { nodes, pageInfo: { hasNextPage: rows.length > PAGE_SIZE, endCursor } } } };
}
