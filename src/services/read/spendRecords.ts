import type { LocalDate } from '../../domain/localDate.js';
import { decimalOfMinor } from '../../domain/money.js';
import type * as words from '../../domain/vocabulary.js';
import { type Amount, amountOf } from './amounts.js';
import { containing, type ListSpec, type Page, pageRequest } from './pages.js';
import type { ReadSession } from './session.js';
import { type StoredMoney, unifiedSpend } from './stored.js';

export interface SpendPartRow {
  readonly amount: Amount;
  readonly tax: Amount | null;
  readonly category: string | null;
  readonly glAccount: string | null;
  readonly costCentre: string | null;
  readonly dimensions: unknown;
  readonly memo: string | null;
}

export interface SpendRecordRow {
  readonly id: string;
  readonly sourceId: string;
  readonly vendorMatchId: string | null;
  readonly status: words.SpendStatus;
  readonly revision: number;
  readonly kind: string;
  readonly amount: Amount;
  readonly originalAmount: Amount | null;
  readonly exchangeRate: string | null;
  readonly rateOrigin: string | null;
  readonly tax: Amount | null;
  readonly parts: readonly SpendPartRow[];
  readonly merchantName: string | null;
  readonly merchantDescriptor: string | null;
  readonly mcc: string | null;
  readonly category: string | null;
  readonly dimensions: unknown;
  readonly spender: string | null;
  readonly memo: string | null;
  readonly transactionDate: string;
  readonly postedDate: string | null;
  readonly receiptUrls: readonly string[];
  readonly excludedReason: string | null;
  readonly waitingReason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface SourceRefRow {
  readonly stream: words.SpendStream;
  readonly id: string;
}

export interface SpendRecordFilterFacts {
  readonly pipelineId?: string | null | undefined;
  readonly sourceId?: string | null | undefined;
  readonly statuses?: readonly words.SpendStatus[] | null | undefined;
  readonly from?: LocalDate | null | undefined;
  readonly to?: LocalDate | null | undefined;
  readonly merchant?: string | null | undefined;
  readonly currency?: string | null | undefined;
}

interface RawRecord {
  id: string;
  amount: string;
  currency: string;
  unified: unknown;
}

const COLUMNS = `t.id, t.source_id as "sourceId", t.vendor_match_id as "vendorMatchId", t.status, t.revision, t.kind,
  t.amount, t.currency, t.merchant_name as "merchantName", t.transaction_date as "transactionDate",
  t.posted_date as "postedDate", t.unified, t.excluded_reason as "excludedReason",
  t.waiting_reason as "waitingReason", t.created_at as "createdAt", t.updated_at as "updatedAt"`;

const RECORDS: ListSpec<SpendRecordRow> = {
  name: 'spendRecords',
  from: 'spend_records t',
  columns: COLUMNS,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
  toRow: (raw) => toRow(raw as unknown as RawRecord & SpendRecordRow),
};

const RECORDS_OF_POSTING: ListSpec<SpendRecordRow> = {
  ...RECORDS,
  name: 'glPosting.spendRecords',
  from: 'posting_spend ps join spend_records t on t.tenant_id = ps.tenant_id and t.id = ps.spend_record_id',
  belongs: 'ps.posting_id = parent.id',
};

function toRow(raw: RawRecord & Omit<SpendRecordRow, 'amount'>): SpendRecordRow {
  const unified = unifiedSpend(raw.unified);
  return {
    id: raw.id,
    sourceId: raw.sourceId,
    vendorMatchId: raw.vendorMatchId,
    status: raw.status,
    revision: raw.revision,
    kind: raw.kind,
    amount: amountOf(raw.amount, raw.currency),
    originalAmount: amountIn(unified.originalAmount),
    exchangeRate: unified.exchangeRate,
    rateOrigin: unified.rateOrigin,
    tax: amountIn(unified.tax),
    parts: unified.parts.map((part) => ({
      ...part,
      amount: amountIn(part.amount) ?? amountOf('0', raw.currency),
      tax: amountIn(part.tax),
    })),
    merchantName: raw.merchantName,
    merchantDescriptor: unified.merchantDescriptor,
    mcc: unified.mcc,
    category: unified.category,
    dimensions: unified.dimensions,
    spender: unified.spender,
    memo: unified.memo,
    transactionDate: raw.transactionDate,
    postedDate: raw.postedDate,
    receiptUrls: unified.receiptUrls,
    excludedReason: raw.excludedReason,
    waitingReason: raw.waitingReason,
    createdAt: raw.createdAt,
    updatedAt: raw.updatedAt,
  };
}

function amountIn(money: StoredMoney | null): Amount | null {
  return money && { amount: decimalOfMinor(BigInt(money.minor), money.currency), currency: money.currency };
}

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** Purchases, newest first. */
export class SpendRecordReads {
  constructor(private readonly session: ReadSession) {}

  byId(id: string): Promise<SpendRecordRow | null> {
    return this.session.one(RECORDS, id);
  }

  async list(filter: SpendRecordFilterFacts | null | undefined, page: PageArguments): Promise<Page<SpendRecordRow>> {
    return this.session.page(RECORDS, pageRequest(RECORDS, page.first, page.after), (where) =>
      where
        .and('t.source_id = $?', filter?.sourceId)
        .and(OF_PIPELINE, filter?.pipelineId)
        .and('t.status = any($?::text[])', filter?.statuses)
        .and('t.transaction_date >= $?::date', filter?.from)
        .and('t.transaction_date <= $?::date', filter?.to)
        .and('t.merchant_name ilike $?', containing(filter?.merchant))
        .and('t.currency = $?', filter?.currency),
    );
  }

  async ofPosting(postingId: string, page: PageArguments): Promise<Page<SpendRecordRow>> {
    return this.session.pageOf(RECORDS_OF_POSTING, postingId, pageRequest(RECORDS_OF_POSTING, page.first, page.after));
  }

  /** The source's objects that show a purchase. */
  sourceRefs(recordId: string): Promise<readonly SourceRefRow[]> {
    return this.session.children<SourceRefRow>(
      'source refs',
      recordId,
      `select spend_record_id as parent, stream, external_id as id
       from source_objects where tenant_id = $1 and spend_record_id = any($2::text[]) order by stream, external_id`,
    );
  }
}

/** A purchase is a pipeline's when one of the pipeline's streams of its source has shown it. */
const OF_PIPELINE = `exists (
  select 1 from pipelines p
  where p.tenant_id = t.tenant_id and p.id = $? and p.source_id = t.source_id and exists (
    select 1 from source_objects o
    where o.tenant_id = t.tenant_id and o.spend_record_id = t.id and o.source_id = p.source_id
      and o.stream = any(p.streams)))`;
