import { setTimeout as pause } from 'node:timers/promises';
import { POSTING_STATUSES, type PostingStatus } from '../domain/postingState.js';
import {
  HOLD_CODES,
  SPEND_STATUSES,
  type SpendStatus,
  VENDOR_MATCH_STATUSES,
  type VendorMatchStatus,
} from '../domain/vocabulary.js';
import type { Api } from './api.js';
import type { Connected, Days } from './flow.js';
import type { LedgerDocuments, LedgerTotals } from './sandboxControl.js';
import type { Stage } from './stage.js';

export interface Held {
  readonly code: string;
  readonly count: number;
  readonly resolution: string;
  /** Messages of a few of them. */
  readonly examples: readonly string[];
}

export interface Total {
  readonly currency: string;
  readonly recordCount: number;
  readonly source: string;
  readonly posted: string;
  readonly held: string;
  readonly excluded: string;
  readonly rejected: string;
  readonly inFlight: string;
  readonly unknown: string;
  readonly difference: string;
}

export interface Facts {
  readonly spend: Readonly<Record<SpendStatus, number>>;
  readonly postings: Readonly<Record<PostingStatus, number>>;
  readonly matches: Readonly<Record<VendorMatchStatus, number>>;
  readonly held: readonly Held[];
  readonly excluded: readonly { readonly reason: string; readonly count: number }[];
  readonly waiting: readonly { readonly reason: string; readonly count: number }[];
  readonly reconciliation: {
    readonly complete: boolean;
    readonly unknowns: readonly string[];
    readonly totals: readonly Total[];
  };
  readonly audit: { readonly ok: boolean; readonly eventsChecked: string };
  readonly exported: number;
  readonly ledger: LedgerTotals;
  /** What the ledger said to documents that it turned down. */
  readonly rejections: readonly string[];
}

/** Asks the gateway, and the simulated ledger behind it, what came of it all. */
export async function gatherFacts(stage: Stage, { pipelineId, ledgerId }: Connected, days: Days): Promise<Facts> {
  const { api, ledger } = stage;
  const exported = await exportsAtRest(stage);
  const { counts } = await countAll(api, pipelineId, ledgerId);
  const { reconciliation } = await api.query<Pick<Facts, 'reconciliation'>>(
    `query ($id: ID!, $from: Date!, $to: Date!) {
      reconciliation(pipelineId: $id, from: $from, to: $to) {
        complete unknowns
        totals { currency recordCount source posted held excluded rejected inFlight unknown difference }
      }
    }`,
    { id: pipelineId, ...days },
  );
  const { verifyAuditChain } = await api.query<{ verifyAuditChain: Facts['audit'] }>(
    '{ verifyAuditChain { ok eventsChecked } }',
  );
  return {
    ...counts,
    held: await heldByCode(api, pipelineId),
    excluded: await reasonsOf(api, pipelineId, 'EXCLUDED', 'excludedReason'),
    waiting: await reasonsOf(api, pipelineId, 'NEW', 'waitingReason'),
    reconciliation,
    audit: verifyAuditChain,
    exported,
    ledger: await ledger.get<LedgerTotals>('summary'),
    rejections: await wordsOfRejections(api, pipelineId),
  };
}

const LOOK_MS = 250;
const STILL_LOOKS = 12;

/** Results are reported to the source after the postings, in their own time: waits until nothing moves any more. */
async function exportsAtRest({ flow, source }: Stage): Promise<number> {
  let last = -1;
  let still = 0;
  // Results are gathered for two seconds before they go out: what stands still for less may not have begun.
  for (let look = 0; look < 240 && still < STILL_LOOKS; look += 1) {
    const now = flow.source.exported(await source.get('summary'));
    still = now === last ? still + 1 : 0;
    last = now;
    await pause(LOOK_MS);
  }
  return last;
}

async function countAll(api: Api, pipelineId: string, ledgerId: string) {
  const many = (prefix: string, names: readonly string[], field: (name: string) => string) =>
    names.map((name) => `${prefix}${name}: ${field(name)} { totalCount }`).join('\n');
  const data = await api.query<Record<string, { totalCount: number }>>(
    `query ($p: ID!, $l: ID!) {
      ${many('s', SPEND_STATUSES, (name) => `spendRecords(first: 1, filter: { pipelineId: $p, statuses: [${name}] })`)}
      ${many('p', POSTING_STATUSES, (name) => `glPostings(first: 1, filter: { pipelineId: $p, statuses: [${name}] })`)}
      ${many('m', VENDOR_MATCH_STATUSES, (name) => `vendorMatches(first: 1, filter: { ledgerId: $l, statuses: [${name}] })`)}
    }`,
    { p: pipelineId, l: ledgerId },
  );
  const of = <Name extends string>(prefix: string, names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, data[`${prefix}${name}`]?.totalCount ?? 0])) as Record<Name, number>;
  return {
    counts: {
      spend: of('s', SPEND_STATUSES),
      postings: of('p', POSTING_STATUSES),
      matches: of('m', VENDOR_MATCH_STATUSES),
    },
  };
}

interface HeldPage {
  readonly totalCount: number;
  readonly nodes: readonly { holds: { code: string; message: string; resolution: string }[] }[];
}

async function heldByCode(api: Api, pipelineId: string): Promise<Held[]> {
  const held: Held[] = [];
  for (const code of HOLD_CODES) {
    const { glPostings } = await api.query<{ glPostings: HeldPage }>(
      `query ($filter: GlPostingFilter!) {
        glPostings(first: 3, filter: $filter) { totalCount nodes { holds { code message resolution } } }
      }`,
      { filter: { pipelineId, statuses: ['HELD'], holdCodes: [code] } },
    );
    const holds = glPostings.nodes.flatMap((node) => node.holds.filter((hold) => hold.code === code));
    if (glPostings.totalCount === 0) continue;
    held.push({
      code,
      count: glPostings.totalCount,
      resolution: holds[0]?.resolution ?? '',
      examples: [...new Set(holds.map((hold) => hold.message))],
    });
  }
  return held.sort((a, b) => b.count - a.count);
}

async function reasonsOf(
  api: Api,
  pipelineId: string,
  status: string,
  field: 'excludedReason' | 'waitingReason',
): Promise<{ reason: string; count: number }[]> {
  const counts = new Map<string, number>();
  let after: string | null = null;
  do {
    const page: {
      spendRecords: {
        nodes: Record<string, string | null>[];
        pageInfo: { hasNextPage: boolean; endCursor: string | null };
      };
    } = await api.query(
      `query ($filter: SpendRecordFilter!, $after: String) {
        spendRecords(first: 200, after: $after, filter: $filter) { nodes { ${field} } pageInfo { hasNextPage endCursor } }
      }`,
      { filter: { pipelineId, statuses: [status] }, after },
    );
    for (const node of page.spendRecords.nodes) {
      const reason = node[field] ?? 'no reason given';
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    after = page.spendRecords.pageInfo.hasNextPage ? page.spendRecords.pageInfo.endCursor : null;
  } while (after !== null);
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
}

/** What the ledger said to documents that it turned down; the same words once. */
export async function wordsOfRejections(api: Api, pipelineId: string): Promise<string[]> {
  const { glPostings } = await api.query<{
    glPostings: { nodes: readonly { attempts: readonly { message: string | null }[] }[] };
  }>(
    `query ($filter: GlPostingFilter!) {
      glPostings(first: 50, filter: $filter) { nodes { attempts { message } } }
    }`,
    { filter: { pipelineId, statuses: ['REJECTED'] } },
  );
  return [...new Set(glPostings.nodes.flatMap(({ attempts }) => attempts.at(-1)?.message ?? []))];
}

/** How often the ledger got a document of an earlier day after one of a later day. Corrections are dated as they must be. */
export async function daysOutOfOrder({ ledger }: Stage): Promise<number> {
  let last = '';
  let outOfOrder = 0;
  for (let offset = 0; ; offset += 1000) {
    const { documents, total } = await ledger.get<LedgerDocuments>(`documents?offset=${offset}&limit=1000`);
    for (const { date } of documents) {
      if (date < last) outOfOrder += 1;
      else last = date;
    }
    if (offset + documents.length >= total || documents.length === 0) return outOfOrder;
  }
}
