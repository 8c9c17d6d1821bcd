import { z } from 'zod';
import type { BrexParts } from '../app.js';
import { limitOf, pageOfTimeline } from '../paging.js';
import { type BrexReply, badRequest, notFound, ok, Refusal } from '../replies.js';
import { bodyOf, type Call, pageQuery, type Route } from '../routing.js';
import { accountingRecord, sourceType } from '../shapes/records.js';
import type { RecordView } from '../store.js';
import { type Micros, parseMicros } from '../units.js';

const DAY: Micros = 86_400_000_000;
const IDS_MAX = 500;
const READ = ['accounting.record.read', 'accounting.record.write'];
const STATUSES = ['PREPARE', 'REVIEW', 'READY_FOR_EXPORT', 'EXPORTED'];
const SOURCE_TYPES = ['CARD', 'REIMBURSEMENT', 'BILL'];

/** Records and export results of the v3 Accounting API (§7.3, §7.4). */
export function accountingRoutes(parts: BrexParts): Route[] {
  return [
    {
      ...{ method: 'GET', pattern: '/v3/accounting/records', scopes: READ },
      handle: (call) => queryRecords(parts, call),
    },
    {
      ...{ method: 'GET', pattern: '/v3/accounting/records/:id', scopes: READ },
      handle: (call) => {
        const record = parts.store.record(call.params.id ?? '');
        if (!record) throw notFound('The requested accounting record was not found.');
        return ok(accountingRecord(parts.shapes, record, flag(call, 'single_entry')));
      },
    },
    {
      ...{ method: 'POST', pattern: '/v3/accounting/records/export-results', scopes: ['accounting.record.write'] },
      handle: (call) => reportResults(parts, call),
    },
  ];
}

function flag(call: Call, name: string): boolean {
  const text = call.query.get(name);
  if (text !== null && text !== 'true' && text !== 'false') throw badRequest(call.path, `${name} must be a boolean`);
  return text === 'true';
}

function oneOf(call: Call, name: string, allowed: readonly string[]): string | null {
  const texts = call.query.getAll(name);
  if (texts.length === 0) return null;
  const [text = ''] = texts;
  if (texts.length > 1 || !allowed.includes(text)) {
    throw badRequest(call.path, `${name} must be one of ${allowed.join(', ')}`);
  }
  return text;
}

function queryRecords(parts: BrexParts, call: Call): BrexReply {
  const { store, settings } = parts;
  const status = oneOf(call, 'review_status', STATUSES);
  const source = oneOf(call, 'source_type', SOURCE_TYPES);
  if (status !== null && source === 'BILL') {
    throw badRequest(call.path, 'review_status is only supported with CARD and REIMBURSEMENT source types');
  }
  const ids = call.query.getAll('ids');
  if (ids.length > IDS_MAX) throw badRequest(call.path, `ids must contain at most ${IDS_MAX} elements`);
  const query = pageQuery(call, 500, settings);
  const single = flag(call, 'single_entry');
  const wanted = ids.length > 0 ? new Set(ids) : null;
  const window = updatedWindow(call, store.now, wanted ? null : settings.defaultRecordWindowDays);
  const matches = (record: RecordView): boolean => {
    const type = sourceType(record.purchase.seed);
    if (wanted && !wanted.has(record.id)) return false;
    if (source !== null && type !== source) return false;
    return status === null || (record.reviewStatus === status && type !== 'BILL');
  };
  limitOf(query);
  const page = pageOfTimeline(query, store.records, window, matches);
  const filters = JSON.stringify([status, source, ids, window]);
  return ok({
    items: page.items.map((record) => accountingRecord(parts.shapes, record, single)),
    next_cursor: page.nextCursor,
    has_next_page: page.nextCursor !== null,
    total_count: parts.counts.count(filters, store.revision, () => countMatches(parts, window, matches)),
  });
}

function countMatches(
  { store }: BrexParts,
  window: { from: Micros; until: Micros },
  matches: (r: RecordView) => boolean,
) {
  let count = 0;
  for (let index = store.records.firstFrom(window.from); ; index += 1) {
    const record = store.records.get(index);
    if (!record || record.at > window.until) return count;
    if (matches(record)) count += 1;
  }
}

/**
 * The bounds of `updated_at`. Without any bound the real system looks only a little way back and says nothing about it:
 * a client that forgets the bound sees an empty list and believes that there is no work.
 */
function updatedWindow(call: Call, now: Micros, defaultDays: number | null): { from: Micros; until: Micros } {
  const bound = (name: string): Micros | null => {
    const text = call.query.get(`updated_at[${name}]`);
    if (text === null) return null;
    const at = parseMicros(text);
    if (at === null) throw badRequest(call.path, `updated_at.${name} must be a valid ISO 8601 date string`);
    return at;
  };
  const [gt, gte, lt, lte] = [bound('gt'), bound('gte'), bound('lt'), bound('lte')];
  const isBounded = [gt, gte, lt, lte].some((at) => at !== null);
  const from = isBounded || defaultDays === null ? 0 : now - defaultDays * DAY;
  return {
    from: Math.max(from, gte ?? 0, gt === null ? 0 : gt + 1),
    until: Math.min(now, lte ?? now, lt === null ? now : lt - 1),
  };
}

// `success: null` and `failure: null` count as absent; `deep_link_url: null` is refused, as the schema says.
const RESULT = z.object({
  accounting_record_id: z.string().min(1),
  success: z.object({ reference_id: z.string().nullish(), deep_link_url: z.string().optional() }).nullish(),
  failure: z.object({ error_message: z.string().min(1) }).nullish(),
});
const RESULTS = z.object({
  results: z
    .array(
      RESULT.refine((result) => Boolean(result.success) !== Boolean(result.failure), {
        message: 'exactly one of success and failure must be given',
      }),
    )
    .min(1),
});

/** Everything is checked before anything is changed: one bad entry refuses the whole call. */
function reportResults({ store, settings }: BrexParts, call: Call): BrexReply {
  const { results } = bodyOf(call, RESULTS);
  const ids = results.map((result) => result.accounting_record_id);
  const unique = new Set(ids);
  if (unique.size < ids.length) {
    const repeated = [...unique].filter((id) => ids.indexOf(id) !== ids.lastIndexOf(id));
    const message = 'Duplicate accounting record ids found across success and failure results.';
    throw new Refusal(422, 'DUPLICATE_ACCOUNTING_RECORD_IDS', message, { duplicate_accounting_record_ids: repeated });
  }
  const unknown = ids.filter((id) => !store.record(id));
  if (unknown.length > 0) {
    const message = `Accounting record source IDs not found: ${unknown.join(', ')}`;
    throw new Refusal(404, 'NOT_FOUND', message, { not_found_export_entry_source_ids: unknown });
  }
  const notReady = ids.filter((id) => store.record(id)?.reviewStatus !== 'READY_FOR_EXPORT');
  if (notReady.length > 0) {
    const message = 'Only accounting records with review status READY_FOR_EXPORT can be updated via this endpoint.';
    const details = { not_ready_for_export_accounting_record_ids: notReady };
    throw new Refusal(422, 'ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT', message, details);
  }
  for (const { accounting_record_id: id, success, failure } of results) {
    const record = store.record(id);
    if (!record) continue;
    store.touchRecord(record, success ? 'EXPORTED' : settings.failureStatus, store.stamp());
    record.lastExport = {
      referenceId: success?.reference_id ?? null,
      deepLinkUrl: success?.deep_link_url ?? null,
      errorMessage: failure?.error_message ?? null,
    };
  }
  return ok({ updated_accounting_record_ids: ids });
}
