/**
 * The decision about one merchant: post to this supplier, ask a person, or there is no supplier. Earlier decisions of
 * people come first, then a certain match, and everything in between goes to a person with good candidates.
 */
import { type Descriptor, takeApart } from './descriptor.js';
import type { ScoredCandidate, SharedWork, SupplierIndex } from './supplierIndex.js';

export interface VendorThresholds {
  /** An automatic match has at least this score. */
  autoScore: number;
  /** and is at least this far ahead of the next active supplier. */
  autoMargin: number;
  /** From this score on a person is asked; below it there is no supplier. */
  reviewScore: number;
}

/** Tuned on labelled descriptors by cross-validation; see `ledgergate vendors score --folds`. */
export const DEFAULT_THRESHOLDS: Readonly<VendorThresholds> = { autoScore: 0.84, autoMargin: 0.03, reviewScore: 0.5 };

export type Memory = { kind: 'ALIAS'; supplierCode: string } | { kind: 'REJECTED'; supplierCodes: readonly string[] };

export interface MatchDecision {
  readonly decision: 'auto' | 'review' | 'none';
  readonly method: 'EXACT' | 'ALIAS' | 'FUZZY' | 'NONE';
  /** The supplier to post to (`auto`) or proposed first (`review`). Never an inactive or rejected one. */
  readonly supplierCode: string | null;
  readonly score: number;
  /** Distance to the next active supplier. */
  readonly margin: number;
  readonly candidates: readonly ScoredCandidate[];
  readonly evidence: Record<string, unknown>;
  /** One sentence for a finance person. */
  readonly explanation: string;
}

/** Candidates shown to a person. */
const SHOWN = 8;

/**
 * Decides about one descriptor.
 * @param memory what people decided about this merchant before (looked up under `normaliseMerchant(raw)`).
 */
export function matchVendor(
  raw: string,
  index: SupplierIndex,
  memory: readonly Memory[],
  thresholds: VendorThresholds = DEFAULT_THRESHOLDS,
): MatchDecision {
  return decide(raw, index, memory, thresholds);
}

/**
 * Decides about many descriptors, each exactly as `matchVendor` does whatever stands beside it. Look-ups are shared, and
 * a text without memory that comes again is not matched again.
 * @param memoryOf what people decided about the merchant at this place of `raws`; nothing by default.
 */
export function matchVendors(
  raws: readonly string[],
  index: SupplierIndex,
  memoryOf: (place: number) => readonly Memory[] = () => [],
  thresholds: VendorThresholds = DEFAULT_THRESHOLDS,
): MatchDecision[] {
  const shared: SharedWork = new Map();
  const decided = new Map<string, MatchDecision>();
  return raws.map((raw, place) => {
    const memory = memoryOf(place);
    const known = memory.length === 0 ? decided.get(raw) : undefined;
    if (known !== undefined) return known;
    const decision = decide(raw, index, memory, thresholds, shared);
    if (memory.length === 0) decided.set(raw, decision);
    return decision;
  });
}

function decide(
  raw: string,
  index: SupplierIndex,
  memory: readonly Memory[],
  thresholds: VendorThresholds,
  shared?: SharedWork,
): MatchDecision {
  const descriptor = takeApart(raw);
  const rejected = new Set(memory.flatMap((item) => (item.kind === 'REJECTED' ? item.supplierCodes : [])));
  const aliases = [...new Set(memory.flatMap((item) => (item.kind === 'ALIAS' ? [item.supplierCode] : [])))].sort();
  const all = index
    .candidates(descriptor, SHOWN + 4 + rejected.size, shared)
    .filter(({ supplier }) => !rejected.has(supplier.code));
  const remembered = aliases.length === 0 ? null : decideByAlias(descriptor, index, aliases, rejected, all);
  return remembered ?? decideByScore(descriptor, all, thresholds, () => index.looksDamaged(descriptor));
}

function evidenceOf(descriptor: Descriptor, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { normalised: descriptor.normalised, parts: descriptor.parts, ...more };
}

function decideByAlias(
  descriptor: Descriptor,
  index: SupplierIndex,
  aliases: readonly string[],
  rejected: ReadonlySet<string>,
  all: readonly ScoredCandidate[],
): MatchDecision {
  const code = aliases[0] ?? '';
  const entry = index.find(code);
  const candidates = all.filter(({ supplier }) => supplier.active).slice(0, SHOWN);
  const ask = (reason: string): MatchDecision => ({
    decision: 'review',
    method: 'ALIAS',
    supplierCode: null,
    score: 0,
    margin: 0,
    candidates,
    evidence: evidenceOf(descriptor, { alias: code, aliases, reason }),
    explanation: reason,
  });
  if (aliases.length > 1) {
    return ask(
      `Earlier decisions name several suppliers for “${descriptor.raw}” (${aliases.join(', ')}), so a person must choose.`,
    );
  }
  if (rejected.has(code)) {
    return ask(`Supplier ${code} was both confirmed and rejected for “${descriptor.raw}”, so a person must choose.`);
  }
  if (entry === null) {
    return ask(
      `“${descriptor.raw}” was matched to supplier ${code} before, but the ledger no longer has that supplier.`,
    );
  }
  if (!entry.active) {
    return ask(`“${descriptor.raw}” was matched to ${entry.name} (${code}) before, but that supplier is inactive now.`);
  }
  const own: ScoredCandidate = { supplier: entry, score: 1, evidence: { how: 'earlier decision' } };
  return {
    decision: 'auto',
    method: 'ALIAS',
    supplierCode: code,
    score: 1,
    margin: 1,
    candidates: [own, ...candidates.filter(({ supplier }) => supplier.code !== code)].slice(0, SHOWN),
    evidence: evidenceOf(descriptor, { alias: code }),
    explanation: `“${descriptor.raw}” was matched to ${entry.name} (${code}) by an earlier decision.`,
  };
}

function decideByScore(
  descriptor: Descriptor,
  all: readonly ScoredCandidate[],
  thresholds: VendorThresholds,
  looksDamaged: () => boolean,
): MatchDecision {
  const active = all.filter(({ supplier }) => supplier.active);
  const inactive = all.filter(({ supplier }) => !supplier.active);
  const top = active[0];
  const second = active[1];
  const score = top?.score ?? 0;
  const margin = top === undefined ? 0 : score - (second?.score ?? 0);
  const closed = inactive[0];
  const outcome = (
    decision: MatchDecision['decision'],
    method: MatchDecision['method'],
    explanation: string,
  ): MatchDecision => ({
    decision,
    method,
    supplierCode: decision === 'none' ? null : (top?.supplier.code ?? null),
    score,
    margin,
    candidates: active.slice(0, SHOWN),
    evidence: evidenceOf(descriptor, {
      thresholds,
      best: top?.evidence ?? null,
      inactive: inactive
        .slice(0, 3)
        .map(({ supplier, score: reached }) => ({ code: supplier.code, name: supplier.name, score: reached })),
    }),
    explanation,
  });
  const named = top === undefined ? '' : `${top.supplier.name} (${top.supplier.code})`;
  const isExact = top !== undefined && top.evidence.how === 'equal';
  if (top !== undefined && score >= thresholds.autoScore && margin >= thresholds.autoMargin) {
    const method = isExact ? 'EXACT' : 'FUZZY';
    return outcome(
      'auto',
      method,
      `“${descriptor.raw}” ${isExact ? 'is the name of' : 'names'} ${named}; ${reasonOf(top)}.`,
    );
  }
  if (closed !== undefined && closed.score >= thresholds.autoScore && closed.score > score) {
    return outcome(
      'review',
      'FUZZY',
      `“${descriptor.raw}” fits only ${closed.supplier.name} (${closed.supplier.code}), which is inactive: reactivate it or choose another supplier.`,
    );
  }
  if (top !== undefined && score >= thresholds.reviewScore) {
    const reason =
      score >= thresholds.autoScore && second !== undefined
        ? `${second.supplier.name} (${second.supplier.code}) fits almost as well`
        : 'it is not certain enough to post without a person';
    return outcome('review', isExact ? 'EXACT' : 'FUZZY', `“${descriptor.raw}” may be ${named}; ${reason}.`);
  }
  if (descriptor.parts.nameless === null && looksDamaged()) {
    const ask = `“${descriptor.raw}” fits no active supplier, but some of its letters seem to be wrong, so a person should look before a supplier is made of it.`;
    return { ...outcome('review', 'NONE', ask), supplierCode: null };
  }
  return outcome(
    'none',
    'NONE',
    `No active supplier fits “${descriptor.raw}”${closed !== undefined && closed.score >= thresholds.reviewScore ? `; ${closed.supplier.name} (${closed.supplier.code}) is similar but inactive` : ''}.`,
  );
}

function reasonOf(candidate: ScoredCandidate): string {
  const { how, comparedWith, rules } = candidate.evidence;
  const limits = Array.isArray(rules) && rules.length > 0 ? `, ${rules.join(', ')}` : '';
  return `compared with “${String(comparedWith)}”: ${String(how)}${limits}`;
}
