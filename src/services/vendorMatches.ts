import { newId } from '../domain/ids.js';
import type { VendorFact } from '../domain/plan.js';
import { type MatchDecision, type Memory, matchVendors } from '../domain/vendor/index.js';
import type { VendorMatchMethod, VendorMatchStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { record, recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { involve } from './involvement.js';

import { doubtfulLists } from './masterDataTrust.js';
import { wakeMasterData } from './masterDataWake.js';
import { done, type Outcome, refused } from './outcome.js';
import { raiseMasterVersion } from './storedMasterData.js';
import type { UseCases } from './useCases.js';
import { loadThresholds, supplierIndex } from './vendorIndex.js';

interface MatchRow {
  id: string;
  ledger_id: string;
  merchant_key: string;
  merchant_name: string;
  status: VendorMatchStatus;
  supplier_code: string | null;
  method: VendorMatchMethod;
  explanation: string;
  rejected_codes: string[];
  create_as: string | null;
  /** The supplier that a person chose, also while it cannot be posted to. */
  alias_code: string | null;
}

/** What a person decided stands until that person decides otherwise. */
const DECIDED: readonly VendorMatchStatus[] = ['CONFIRMED', 'CREATED'];

const CANDIDATES_KEPT = 5;

/**
 * Matches merchants with the ledger's suppliers and remembers the result. Decisions of people are kept; what the
 * program decided itself is decided again, because suppliers and memory may have changed.
 * @returns by merchant key.
 */
export async function matchMerchants(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  ledgerId: string,
  merchants: ReadonlyMap<string, string>,
): Promise<Map<string, VendorFact>> {
  if (merchants.size === 0) return new Map();
  const known = await tx.query<MatchRow>(
    `select id, ledger_id, merchant_key, merchant_name, status, supplier_code, method, explanation, rejected_codes, create_as,
       alias_code
     from vendor_matches where tenant_id = $1 and ledger_id = $2 and merchant_key = any($3)`,
    [tx.tenantId, ledgerId, [...merchants.keys()]],
  );
  const byKey = new Map(known.map((row) => [row.merchant_key, row]));
  const stands = await standingDecisions(tx, ledgerId, known);
  const open = [...merchants].filter(([key]) => !stands.has(key));
  const facts = new Map([...stands].map(([key, row]) => [key, factOf(row)]));
  if (open.length === 0) return facts;

  const index = await supplierIndex(tx, ledgerId);
  const now = engine.clock.now();
  const changed: Record<string, unknown>[] = [];
  const decisions = matchVendors(
    open.map(([, name]) => name),
    index,
    (place) => memoryOf(byKey.get(open[place]?.[0] ?? '')),
    await loadThresholds(tx, ledgerId),
  );
  for (const [place, decision] of decisions.entries()) {
    const [key = '', name = ''] = open[place] ?? [];
    const old = byKey.get(key);
    const status = statusOf(decision, old);
    const next: MatchRow = {
      id: old?.id ?? newId('vm'),
      ledger_id: ledgerId,
      merchant_key: key,
      merchant_name: old?.merchant_name ?? name,
      status,
      supplier_code: status === 'AUTO_MATCHED' || status === 'CONFIRMED' ? decision.supplierCode : null,
      method: decision.method,
      explanation: decision.explanation,
      rejected_codes: old?.rejected_codes ?? [],
      create_as: null,
      alias_code: old?.alias_code ?? null,
    };
    facts.set(key, factOf(next));
    const isSame =
      old?.status === status && old.supplier_code === next.supplier_code && old.explanation === next.explanation;
    if (isSame) continue;
    changed.push({ ...next, ...shownOf(decision) });
    record(tx, now, {
      actor: 'system:matching',
      action: `vendor.${TOLD[status]}`,
      subjectType: 'VendorMatch',
      subjectId: next.id,
      summary: `${next.merchant_name}: ${decision.explanation}`,
      before: old ? { status: old.status, supplierCode: old.supplier_code } : null,
      after: { status, supplierCode: next.supplier_code, score: decision.score },
      correlationId: caller.correlationId,
    });
  }
  await storeMatches(tx, now, changed);
  return facts;
}

/**
 * A person's word on a match: CONFIRM the proposal, ASSIGN another supplier, REJECT (it is none of the proposed), or
 * CREATE a supplier. What was held for it is planned again; decisions are remembered for every later purchase.
 */
export async function resolveVendorMatch(
  engine: Engine,
  caller: Caller,
  input: Parameters<UseCases['resolveVendorMatch']>[1],
): Promise<Outcome<{ id: string; releasedPostings: number }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const [match] = await tx.query<MatchRow & { candidates: { supplierCode: string }[] }>(
      'select * from vendor_matches where tenant_id = $1 and id = $2 for update',
      [tx.tenantId, input.id],
    );
    if (!match) return refused('NOT_FOUND', 'There is no such vendor match.', { path: ['input', 'id'] });
    const now = engine.clock.now();
    const next = await decide(tx, match, input);
    if (!next.ok) return next;
    const { status, supplierCode, method, rejected, sentence, createAs } = next.value;
    const isRepeat =
      match.status === status &&
      match.supplier_code === supplierCode &&
      match.method === method &&
      match.create_as === createAs;
    if (isRepeat) return done({ id: match.id, releasedPostings: 0 });
    await tx.execute(
      `update vendor_matches set status = $3, supplier_code = $4, method = $5, rejected_codes = $6, explanation = $7,
         decided_by = $8, updated_at = $9, create_as = $10, alias_code = $4, create_now = false where tenant_id = $1 and id = $2`,
      [tx.tenantId, match.id, status, supplierCode, method, rejected, sentence, caller.actor, now, createAs],
    );
    recordFor(tx, caller, now, {
      action: `vendor.${input.decision === 'REJECT' ? 'rejected' : 'confirmed'}`,
      subjectType: 'VendorMatch',
      subjectId: match.id,
      summary: `${match.merchant_name}: ${sentence}`,
      before: { status: match.status, supplierCode: match.supplier_code },
      after: { status, supplierCode },
    });
    await wakeMasterData(engine, tx, match.ledger_id, 'ALWAYS');
    const released = await releaseHeld(engine, tx, match, caller);
    return done({ id: match.id, releasedPostings: released });
  });
}

/** A supplier was made in the ledger for this match. Called by the posting engine. */
export async function noteSupplierCreated(
  engine: Engine,
  tx: Tx,
  matchId: string,
  supplier: { code: string; name: string; currency: string | null },
  correlationId: string,
): Promise<void> {
  const now = engine.clock.now();
  const [match] = await tx.query<MatchRow>(
    `update vendor_matches set status = 'CREATED', method = 'CREATED', supplier_code = $3, decided_by = 'system:posting',
       create_as = null, create_now = false, alias_code = $3, explanation = $4, updated_at = $5 where tenant_id = $1 and id = $2 and status <> 'CREATED' returning *`,
    [tx.tenantId, matchId, supplier.code, `The supplier ${supplier.code} was created for it.`, now],
  );
  if (!match) return;
  await tx.execute(
    `insert into suppliers (tenant_id, system_id, code, name, active, currency) values ($1, $2, $3, $4, true, $5)
     on conflict (tenant_id, system_id, code) do nothing`,
    [tx.tenantId, match.ledger_id, supplier.code, supplier.name, supplier.currency],
  );
  await raiseMasterVersion(tx, match.ledger_id);
  await wakeMasterData(engine, tx, match.ledger_id, 'IF_CHANGED');
  record(tx, now, {
    actor: 'system:posting',
    action: 'supplier.created',
    subjectType: 'VendorMatch',
    subjectId: matchId,
    summary: `The supplier ${supplier.code} "${supplier.name}" was created for ${match.merchant_name}.`,
    after: supplier,
    correlationId,
  });
}

// ── inside ───────────────────────────────────────────────────────────────────────────────────

const TOLD: Readonly<Record<VendorMatchStatus, string>> = {
  AUTO_MATCHED: 'matched',
  CONFIRMED: 'matched',
  CREATED: 'matched',
  NEEDS_REVIEW: 'needsReview',
  REJECTED: 'unmatched',
  UNMATCHED: 'unmatched',
};

/**
 * The decisions of people that can be followed, by merchant key: a new supplier is to be made, or the supplier is there and
 * active. One that is missing from a list of which nobody knows whether it was read whole stands too; its postings wait.
 */
async function standingDecisions(tx: Tx, ledgerId: string, known: readonly MatchRow[]): Promise<Map<string, MatchRow>> {
  const decided = known.filter((row) => DECIDED.includes(row.status) || row.create_as !== null);
  const codes = decided.flatMap((row) => row.supplier_code ?? []);
  if (decided.length === 0) return new Map();
  const found = await tx.query<{ code: string; active: boolean }>(
    'select code, active from suppliers where tenant_id = $1 and system_id = $2 and code = any($3)',
    [tx.tenantId, ledgerId, codes],
  );
  const active = new Map(found.map((supplier) => [supplier.code, supplier.active]));
  const isDoubtful = codes.some((code) => !active.has(code)) && (await doubtfulLists(tx, ledgerId)).has('suppliers');
  const stands = decided.filter(
    (row) => row.create_as !== null || row.supplier_code === null || (active.get(row.supplier_code) ?? isDoubtful),
  );
  return new Map(stands.map((row) => [row.merchant_key, row]));
}

function memoryOf(row: MatchRow | undefined): Memory[] {
  const memory: Memory[] = [];
  if (!row) return memory;
  if (row.alias_code !== null) memory.push({ kind: 'ALIAS', supplierCode: row.alias_code });
  if (row.rejected_codes.length > 0) memory.push({ kind: 'REJECTED', supplierCodes: row.rejected_codes });
  return memory;
}

function factOf(row: MatchRow): VendorFact {
  return {
    matchId: row.id,
    status: row.status,
    supplierCode: row.supplier_code,
    explanation: row.explanation,
    createAs: row.create_as,
  };
}

function statusOf(decision: MatchDecision, old: MatchRow | undefined): VendorMatchStatus {
  // What a person chose is that person's decision again as soon as it can be followed.
  if (decision.decision === 'auto') return decision.method === 'ALIAS' ? 'CONFIRMED' : 'AUTO_MATCHED';
  if (decision.decision === 'review') return 'NEEDS_REVIEW';
  // "It is none of these" stays a person's answer until something new turns up.
  return old?.status === 'REJECTED' ? 'REJECTED' : 'UNMATCHED';
}

function shownOf(decision: MatchDecision) {
  return {
    score: decision.score,
    evidence: { ...decision.evidence, margin: decision.margin },
    candidates: decision.candidates.slice(0, CANDIDATES_KEPT).map((candidate) => ({
      supplierCode: candidate.supplier.code,
      supplierName: candidate.supplier.name,
      active: candidate.supplier.active,
      score: candidate.score,
      evidence: candidate.evidence,
    })),
  };
}

async function storeMatches(tx: Tx, now: Date, rows: readonly Record<string, unknown>[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(
    `insert into vendor_matches (tenant_id, id, ledger_id, merchant_key, merchant_name, status, supplier_code, score,
       method, evidence, candidates, explanation, created_at, updated_at)
     select $1, id, ledger_id, merchant_key, merchant_name, status, supplier_code, score, method, evidence, candidates,
       explanation, $3::timestamptz, $3::timestamptz
     from jsonb_to_recordset($2::jsonb) as r(id text, ledger_id text, merchant_key text, merchant_name text, status text,
       supplier_code text, score double precision, method text, evidence jsonb, candidates jsonb, explanation text)
     on conflict (tenant_id, ledger_id, merchant_key) do update set status = excluded.status,
       supplier_code = excluded.supplier_code, score = excluded.score, method = excluded.method,
       evidence = excluded.evidence, candidates = excluded.candidates, explanation = excluded.explanation,
       updated_at = excluded.updated_at`,
    [tx.tenantId, JSON.stringify(rows), now],
  );
}

interface Decided {
  status: VendorMatchStatus;
  supplierCode: string | null;
  method: VendorMatchMethod;
  rejected: string[];
  sentence: string;
  createAs: string | null;
}

async function decide(
  tx: Tx,
  match: MatchRow & { candidates: { supplierCode: string }[] },
  input: Parameters<UseCases['resolveVendorMatch']>[1],
): Promise<Outcome<Decided>> {
  switch (input.decision) {
    case 'CONFIRM':
    case 'ASSIGN': {
      const code =
        input.supplierCode ??
        match.supplier_code ??
        (input.decision === 'CONFIRM' ? match.candidates[0]?.supplierCode : undefined);
      if (code === undefined || code === null) {
        return refused('BAD_INPUT', 'Say which supplier it is.', { path: ['input', 'supplierCode'] });
      }
      const [supplier] = await tx.query<{ name: string; active: boolean }>(
        'select name, active from suppliers where tenant_id = $1 and system_id = $2 and code = $3',
        [tx.tenantId, match.ledger_id, code],
      );
      if (!supplier) {
        return refused('SUPPLIER_UNKNOWN', `The ledger has no supplier ${code}.`, {
          path: ['input', 'supplierCode'],
          resolution: 'Choose a supplier from `suppliers`, or refresh the master data if it is new.',
        });
      }
      if (!supplier.active) {
        return refused('SUPPLIER_INACTIVE', `The supplier ${code} is inactive: nothing can be posted to it.`, {
          path: ['input', 'supplierCode'],
          resolution: 'Choose an active supplier, or activate this one in the ledger and refresh the master data.',
        });
      }
      return done({
        status: 'CONFIRMED',
        supplierCode: code,
        method: 'MANUAL',
        rejected: match.rejected_codes.filter((one) => one !== code),
        sentence: `A person decided that it is ${supplier.name} (${code}).`,
        createAs: null,
      });
    }
    case 'REJECT': {
      const proposed = match.candidates.map((candidate) => candidate.supplierCode);
      return done({
        status: 'REJECTED',
        supplierCode: null,
        method: 'MANUAL',
        rejected: [
          ...new Set([...match.rejected_codes, ...proposed, ...(match.supplier_code ? [match.supplier_code] : [])]),
        ],
        sentence: 'A person decided that it is none of the proposed suppliers.',
        createAs: null,
      });
    }
    case 'CREATE': {
      const createAs = (input.supplierName ?? match.merchant_name).trim();
      if (createAs === '') return refused('BAD_INPUT', 'A supplier needs a name.', { path: ['input', 'supplierName'] });
      return done({
        status: 'UNMATCHED',
        supplierCode: null,
        method: 'MANUAL',
        rejected: match.rejected_codes,
        sentence: `A person asked for a new supplier named "${createAs}"; it is made before the first posting that needs it.`,
        createAs,
      });
    }
  }
}

/** What waits for this merchant is planned again; answers with how many documents that is. */
async function releaseHeld(engine: Engine, tx: Tx, match: MatchRow, caller: Caller): Promise<number> {
  const held = await tx.query<{ posting_id: string; pipeline_id: string; spend_record_id: string }>(
    `select p.id as posting_id, p.pipeline_id, s.id as spend_record_id
     from spend_records s
     join posting_spend ps on ps.tenant_id = s.tenant_id and ps.spend_record_id = s.id
     join postings p on p.tenant_id = s.tenant_id and p.id = ps.posting_id
     where s.tenant_id = $1 and s.merchant_key = $2 and p.ledger_id = $3 and p.status = 'HELD'
       and exists (select from jsonb_array_elements(p.holds) h
         where h ->> 'code' in ('VENDOR_UNMATCHED', 'VENDOR_REVIEW', 'SUPPLIER_INACTIVE'))`,
    [tx.tenantId, match.merchant_key, match.ledger_id],
  );
  for (const pipelineId of new Set(held.map((row) => row.pipeline_id))) {
    await tx.execute(
      `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
       select distinct $1, $2, unnest($3::text[]), 'vendor decided', $4
       on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
      [
        tx.tenantId,
        pipelineId,
        held.filter((row) => row.pipeline_id === pipelineId).map((row) => row.spend_record_id),
        caller.correlationId,
      ],
    );
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId });
  }
  const released = held.map((row) => row.spend_record_id);
  await involve(tx, caller, engine.clock.now(), 'VENDOR', released);
  return new Set(held.map((row) => row.posting_id)).size;
}
