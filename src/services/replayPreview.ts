import { decimalOfMinor, moneyFromDecimal } from '../domain/money.js';
import type { PostingStatus } from '../domain/postingState.js';
import { type Hold, REPLAY_OUTCOMES, type ReplayOutcome } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { InputError, InvariantError, LedgergateError } from '../errors.js';
import type { Caller, Engine } from './engine.js';
import { readPeriods } from './masterData.js';
import { loadPipeline } from './pipelines.js';
import { planWaiting } from './planning.js';
import { REPLAYABLE, type ReplayRow, replayThese, selectPostings } from './replays.js';
import type { PostingFilter } from './useCases.js';

/** What one posting would become. */
export interface ReplayFate {
  readonly postingId: string;
  readonly outcome: ReplayOutcome;
  /** The first of its holds, or the state that cannot be replayed. */
  readonly code: string | null;
  readonly holds: readonly Hold[];
  readonly postingDate: string;
  readonly currency: string;
  /** Exact decimal. */
  readonly total: string;
}

export interface ReplayCount {
  readonly outcome: ReplayOutcome;
  readonly code: string | null;
  readonly count: number;
  readonly totals: readonly { readonly amount: string; readonly currency: string }[];
}

export interface ReplayPreview {
  /** Postings that the filter selects. */
  readonly count: number;
  readonly outcomes: readonly ReplayCount[];
  readonly examples: readonly ReplayFate[];
}

/** What one preview plans in one transaction. */
const POSTINGS_MAX = 20_000;
const EXAMPLES_MAX = 200;

/** Carries the answer out of the transaction that must not be kept. */
class RolledBack extends Error {
  constructor(readonly fates: readonly ReplayFate[]) {
    super('A preview keeps nothing.');
  }
}

/**
 * What `replayPostings` of the same filter would do now. It is the real path, replaying and planning, in a transaction that
 * is rolled back. What a source or a ledger changes afterwards, and what the ledger answers about documents in doubt,
 * nobody can know.
 * @throws InputError more postings than one preview can plan, or more examples than one answer holds.
 */
export async function previewReplay(
  engine: Engine,
  caller: Caller,
  filter: PostingFilter,
  examples: number,
): Promise<ReplayPreview> {
  if (!Number.isInteger(examples) || examples < 0 || examples > EXAMPLES_MAX) {
    throw new InputError(`examples must be from 0 to ${EXAMPLES_MAX}.`, ['examples']);
  }
  const fates = await replayFates(engine, caller, filter);
  return { count: fates.length, outcomes: counted(fates), examples: fates.slice(0, examples) };
}

/** What each selected posting would become, oldest first. */
export async function replayFates(engine: Engine, caller: Caller, filter: PostingFilter): Promise<ReplayFate[]> {
  const wanted = (filter.statuses ?? REPLAYABLE) as readonly PostingStatus[];
  const selected = await engine.db.tenant(caller.tenantId, (tx) => selectPostings(tx, filter, wanted));
  if (selected.length > POSTINGS_MAX) {
    throw new InputError(`The filter selects ${selected.length} postings; a preview takes ${POSTINGS_MAX}.`, [
      'filter',
    ]);
  }
  const planned = selected.filter(({ status }) => REPLAYABLE.includes(status) && status !== 'IN_DOUBT');
  await readCalendars(engine, caller.tenantId, planned);
  const after = new Map((await tryOut(engine, caller, planned)).map((fate) => [fate.postingId, fate]));
  return selected.map((posting) => after.get(posting.id) ?? unplanned(posting));
}

function unplanned(posting: ReplayRow): ReplayFate {
  const isDoubtful = posting.status === 'IN_DOUBT';
  return fateOf(posting, isDoubtful ? 'LOOKED_FOR' : 'NOT_REPLAYABLE', [], isDoubtful ? null : posting.status);
}

function fateOf(
  posting: ReplayRow,
  outcome: ReplayOutcome,
  holds: readonly Hold[],
  code: string | null = holds[0]?.code ?? null,
): ReplayFate {
  const { id: postingId, posting_date: postingDate, currency, total } = posting;
  return { postingId, outcome, code, holds, postingDate, currency, total };
}

/** Planning reads a ledger's calendar before it begins; one that is away is planned with as it was. */
async function readCalendars(engine: Engine, tenantId: string, postings: readonly ReplayRow[]): Promise<void> {
  for (const ledgerId of new Set(postings.map((posting) => posting.ledger_id))) {
    try {
      await readPeriods(engine, tenantId, ledgerId);
    } catch (error) {
      if (!(error instanceof LedgergateError) || error.decision !== 'RETRY') throw error;
    }
  }
}

async function tryOut(engine: Engine, caller: Caller, postings: readonly ReplayRow[]): Promise<readonly ReplayFate[]> {
  if (postings.length === 0) return [];
  const rules = new Map(
    await Promise.all(
      [...new Set(postings.map((posting) => posting.ledger_id))].map(async (ledgerId) => {
        const { connection } = await engine.connections.ledger(caller.tenantId, ledgerId);
        return [ledgerId, await connection.rules()] as const;
      }),
    ),
  );
  try {
    await engine.db.tenant(caller.tenantId, async (tx) => {
      await replayThese(engine, caller, tx, postings, null);
      const planner = { ...caller, actor: 'system:planning', keyId: null };
      for (const pipelineId of [...new Set(postings.map((posting) => posting.pipeline_id))].sort()) {
        const pipeline = await loadPipeline(tx, pipelineId);
        const own = pipeline && rules.get(pipeline.ledger_id);
        if (pipeline && own) await planWaiting(engine, planner, tx, pipeline, own);
      }
      throw new RolledBack(await fatesAfter(tx, postings));
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.fates;
    throw error;
  }
  throw new InvariantError('The preview of a replay ended without an answer.');
}

interface AfterRow extends ReplayRow {
  holds: Hold[];
  is_queued: boolean;
}

async function fatesAfter(tx: Tx, postings: readonly ReplayRow[]): Promise<ReplayFate[]> {
  const ids = postings.map((posting) => posting.id);
  const rows = await tx.query<AfterRow>(
    `select p.*, exists (select from posting_spend ps join planning_queue q on q.tenant_id = ps.tenant_id
         and q.pipeline_id = p.pipeline_id and q.spend_record_id = ps.spend_record_id
         where ps.tenant_id = $1 and ps.posting_id = p.id) as is_queued
     from postings p where p.tenant_id = $1 and p.id = any($2)`,
    [tx.tenantId, ids],
  );
  const after = new Map(rows.map((row) => [row.id, row]));
  const heirs = await heirsOf(
    tx,
    rows.filter((row) => row.status === 'CANCELLED').map((row) => row.id),
  );
  return postings.map((before) => {
    const now = after.get(before.id);
    if (!now) throw new InvariantError(`Posting ${before.id} went missing in a preview.`);
    if (now.is_queued) return fateOf(before, 'POSTPONED', []);
    if (now.status !== 'CANCELLED') return standing(now, now.status, now.holds);
    // Its purchases are in other documents now: a day that was put together anew. The worst of these is its fate.
    const heir = worstOf(heirs.get(before.id) ?? []);
    return heir ? standing(before, heir.status, heir.holds) : fateOf(before, 'CANCELLED', []);
  });
}

function standing(posting: ReplayRow, status: PostingStatus, holds: readonly Hold[]): ReplayFate {
  if (status === 'READY' || status === 'AWAITING_APPROVAL') return fateOf(posting, status, []);
  return fateOf(posting, 'HELD', holds);
}

interface Heir {
  readonly posting_id: string;
  readonly status: PostingStatus;
  readonly holds: Hold[];
}

async function heirsOf(tx: Tx, cancelled: readonly string[]): Promise<Map<string, Heir[]>> {
  const heirs = new Map<string, Heir[]>();
  if (cancelled.length === 0) return heirs;
  const rows = await tx.query<Heir>(
    `select distinct on (old.posting_id, p.id) old.posting_id, p.status, p.holds
     from posting_spend old
     join postings was on was.tenant_id = $1 and was.id = old.posting_id
     join posting_spend new on new.tenant_id = $1 and new.spend_record_id = old.spend_record_id
     join postings p on p.tenant_id = $1 and p.id = new.posting_id and p.pipeline_id = was.pipeline_id
       and p.reverses_id is null and p.status in ('READY', 'AWAITING_APPROVAL', 'HELD', 'REJECTED')
     where old.tenant_id = $1 and old.posting_id = any($2)`,
    [tx.tenantId, cancelled],
  );
  for (const row of rows) heirs.set(row.posting_id, [...(heirs.get(row.posting_id) ?? []), row]);
  return heirs;
}

function worstOf(heirs: readonly Heir[]): Heir | undefined {
  const rank = ({ status }: Heir) => (status === 'READY' ? 2 : status === 'AWAITING_APPROVAL' ? 1 : 0);
  return [...heirs].sort((a, b) => rank(a) - rank(b))[0];
}

function counted(fates: readonly ReplayFate[]): ReplayCount[] {
  const groups = new Map<string, ReplayFate[]>();
  for (const fate of fates) {
    const key = `${REPLAY_OUTCOMES.indexOf(fate.outcome)} ${fate.code ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(fate);
    else groups.set(key, [fate]);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, group]) => countOf(group));
}

function countOf(group: readonly ReplayFate[]): ReplayCount[] {
  const [first] = group;
  if (!first) return [];
  const sums = new Map<string, bigint>();
  for (const { currency, total } of group) {
    sums.set(currency, (sums.get(currency) ?? 0n) + moneyFromDecimal(total, currency).minor);
  }
  const totals = [...sums].sort().map(([currency, minor]) => ({ amount: decimalOfMinor(minor, currency), currency }));
  return [{ outcome: first.outcome, code: first.code, count: group.length, totals }];
}
