import { addMonths, dayIn, type LocalDate } from '../domain/localDate.js';
import { type CodingChange, MappingComparison, type PreviewItem, PreviewTotals } from '../domain/mappingPreview.js';
import type { LedgerRules, MappingVersion } from '../domain/plan.js';
import { unifiedFromJson } from '../domain/spendJson.js';
import type { Hold, VendorMatchStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import type { Caller, Engine } from './engine.js';
import { beginningOf, checkedRules } from './mappingRules.js';
import { done, type Outcome, type Problem, refused, refusedBy } from './outcome.js';
import { loadPipeline, type PipelineRow } from './pipelines.js';
import { loadPlanningContext } from './planningContext.js';
import { cursorOf, type Page, pageRequest } from './read/pages.js';
import { loadMappings } from './storedMappings.js';
import type { MappingRequest } from './useCases.js';

export interface PreviewRequest extends Pick<MappingRequest, 'pipelineId' | 'rules' | 'effectiveFrom'> {
  /** How far back to look, 1 to 36. */
  readonly months: number;
}

/** A purchase that the new version would change. */
export interface PreviewedChange extends CodingChange {
  /** Whether saving the version plans it again: it waits for a person, and the version would decide it. */
  readonly isReplanned: boolean;
}

export interface PreviewSummary {
  readonly totals: PreviewTotals;
  readonly replanned: number;
}

const MONTHS_MAX = 36;
/** Purchases that are read and compared at a time; what is kept of them does not grow with their number. */
const BATCH = 1_000;

/**
 * What a mapping version would have changed, before it is saved. Reads only.
 * The purchases of the window are compared when somebody asks for them: `summary` reads all, `page` as far as it needs.
 */
export async function previewMapping(
  engine: Engine,
  caller: Caller,
  request: PreviewRequest,
): Promise<Outcome<MappingPreview>> {
  const checked = checkedRules(request.rules);
  const problems: Problem[] = checked.ok ? [] : [...checked.problems];
  if (!Number.isInteger(request.months) || request.months < 1 || request.months > MONTHS_MAX) {
    const message = `A preview looks back 1 to ${MONTHS_MAX} months.`;
    problems.push({ code: 'BAD_INPUT', message, path: ['months'], resolution: null });
  }
  if (!checked.ok || problems.length > 0) return { ok: false, problems };
  const { tenantId } = caller;
  const pipeline = await engine.db.tenant(tenantId, (tx) => loadPipeline(tx, request.pipelineId));
  if (!pipeline) return refused('NOT_FOUND', 'There is no such pipeline.', { path: ['pipelineId'] });
  try {
    const { connection } = await engine.connections.ledger(tenantId, pipeline.ledger_id);
    const rules = await connection.rules();
    const versions = await engine.db.tenant(tenantId, (tx) => loadMappings(tx, pipeline.id));
    const to = dayIn(pipeline.time_zone, engine.clock.now());
    const next: MappingVersion = {
      version: (versions[0]?.version ?? 0) + 1,
      effectiveFrom: beginningOf(request.effectiveFrom, versions.length === 0, to),
      rules: checked.value,
    };
    const window = { from: addMonths(to, -request.months), to };
    return done(new MappingPreview(engine, tenantId, pipeline, rules, versions, next, window));
  } catch (error) {
    return refusedBy(error);
  }
}

interface Place {
  readonly day: LocalDate;
  readonly id: string;
}

interface Row {
  id: string;
  origin_key: string;
  unified: unknown;
  transaction_date: LocalDate;
  match_id: string | null;
  match_status: VendorMatchStatus | null;
  supplier_code: string | null;
  explanation: string | null;
  create_as: string | null;
  posted_on: LocalDate | null;
  waiting_holds: Hold[] | null;
}

const LIST = { name: 'mappingPreview', from: '', columns: '', direction: 'asc' } as const;
const PAGES = {
  ...LIST,
  keys: [
    { sql: 'transaction_date', type: 'text' },
    { sql: 'id', type: 'text' },
  ],
} as const;

export class MappingPreview {
  private whole: Promise<PreviewSummary> | null = null;
  private comparison: MappingComparison | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly tenantId: string,
    private readonly pipeline: PipelineRow,
    private readonly rules: LedgerRules,
    private readonly versions: readonly MappingVersion[],
    /** As it would be saved. */
    readonly next: MappingVersion,
    /** Transaction dates, both inclusive. */
    readonly window: { readonly from: LocalDate; readonly to: LocalDate },
  ) {}

  /** Adds up the whole window, once however often it is asked for. */
  summary(): Promise<PreviewSummary> {
    this.whole ??= this.addUp();
    return this.whole;
  }

  private async addUp(): Promise<PreviewSummary> {
    const totals = new PreviewTotals();
    let replanned = 0;
    for await (const batch of this.batches(null)) {
      for (const { change } of batch) {
        totals.add(change);
        if (change?.isReplanned) replanned += 1;
      }
    }
    return { totals, replanned };
  }

  /**
   * A page of the purchases that would change, by transaction date.
   * @throws InputError naming `first` or `after`.
   */
  async page(first: number | null | undefined, after: string | null | undefined): Promise<Page<PreviewedChange>> {
    const request = pageRequest(PAGES, first, after);
    const [day, id] = request.after ?? [];
    const found: { place: Place; change: PreviewedChange }[] = [];
    for await (const batch of this.batches(day && id ? { day: day as LocalDate, id } : null)) {
      for (const { place, change } of batch) if (change) found.push({ place, change });
      if (found.length > request.first) break;
    }
    const edges = found.slice(0, request.first).map(({ place, change }) => ({
      cursor: cursorOf(PAGES.name, [place.day, place.id]),
      node: change,
    }));
    return {
      edges,
      nodes: edges.map(({ node }) => node),
      pageInfo: {
        hasNextPage: found.length > request.first,
        // The purchase of the cursor would change, or it would not have been given out.
        hasPreviousPage: request.after !== null,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      },
      countAll: async () => (await this.summary()).totals.changed,
    };
  }

  private async *batches(
    after: Place | null,
  ): AsyncGenerator<readonly { place: Place; change: PreviewedChange | null }[]> {
    for (let place = after; ; ) {
      // A transaction a batch: a preview of years must not keep the database from cleaning up behind everybody else.
      const batch = await this.engine.db.tenant(this.tenantId, (tx) => this.compare(tx, place));
      yield batch;
      if (batch.length < BATCH) return;
      place = batch.at(-1)?.place ?? null;
    }
  }

  private async compare(tx: Tx, after: Place | null): Promise<{ place: Place; change: PreviewedChange | null }[]> {
    const comparison = await this.comparing(tx);
    const rows = await this.read(tx, after);
    return rows.map((row) => {
      const change = comparison.changeOf(itemOf(row));
      const isReplanned = change?.isInForce === true && row.waiting_holds !== null;
      return {
        place: { day: row.transaction_date, id: row.id },
        change: change && { ...change, isReplanned },
      };
    });
  }

  /** One a preview: all of its batches are compared by the same master data. */
  private async comparing(tx: Tx): Promise<MappingComparison> {
    if (!this.comparison) {
      const planning = await loadPlanningContext(tx, this.engine.clock.now(), this.pipeline, this.rules);
      this.comparison = new MappingComparison(planning.on(this.window.to), this.versions, this.next);
    }
    return this.comparison;
  }

  /** Purchases of the window with what is known of their merchant, their document in the ledger and the one that waits. */
  private read(tx: Tx, after: Place | null): Promise<Row[]> {
    return tx.query<Row>(
      `select r.id, r.origin_key, r.unified, r.transaction_date, m.id as match_id, m.status as match_status,
         m.supplier_code, m.explanation, m.create_as, posted.posting_date as posted_on, waiting.holds as waiting_holds
       from spend_records r
       left join vendor_matches m on m.tenant_id = r.tenant_id and m.ledger_id = $3 and m.merchant_key = r.merchant_key
       left join lateral (
         select p.posting_date from posting_spend ps join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
         where ps.tenant_id = $1 and ps.spend_record_id = r.id and p.pipeline_id = $4 and p.reverses_id is null
           and p.reversed_by_id is null and p.status = 'POSTED' order by p.id desc limit 1
       ) posted on true
       left join lateral (
         select p.holds from posting_spend ps join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
         where ps.tenant_id = $1 and ps.spend_record_id = r.id and p.pipeline_id = $4 and p.reverses_id is null
           and p.status in ('HELD', 'AWAITING_APPROVAL') order by p.id desc limit 1
       ) waiting on true
       where r.tenant_id = $1 and r.source_id = $2 and r.excluded_by is null
         and r.transaction_date between $5 and $6 and ($7::date is null or (r.transaction_date, r.id) > ($7::date, $8))
       order by r.transaction_date, r.id limit ${BATCH}`,
      [
        tx.tenantId,
        this.pipeline.source_id,
        this.pipeline.ledger_id,
        this.pipeline.id,
        this.window.from,
        this.window.to,
        after?.day ?? null,
        after?.id ?? null,
      ],
    );
  }
}

function itemOf(row: Row): PreviewItem {
  const { match_id: matchId, match_status: status } = row;
  return {
    postedOn: row.posted_on,
    item: {
      id: row.id,
      originKey: row.origin_key,
      revision: 1,
      spend: unifiedFromJson(row.unified),
      vendor:
        matchId === null || status === null
          ? null
          : {
              ...{ matchId, status, supplierCode: row.supplier_code, createAs: row.create_as },
              explanation: row.explanation ?? '',
            },
      // A person's question that no mapping answers.
      holds: (row.waiting_holds ?? []).filter(({ code }) => code === 'SUSPECTED_DUPLICATE'),
    },
  };
}
