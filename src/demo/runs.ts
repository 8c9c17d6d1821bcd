import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from './api.js';

export interface Run {
  readonly id: string;
  readonly status: string;
  readonly error: string | null;
  readonly recordsRead: number;
  readonly recordsNew: number;
  readonly recordsChanged: number;
  readonly postingsPosted: number;
  readonly postingsHeld: number;
  readonly postingsFailed: number;
}

const RUN_FIELDS = 'id status error recordsRead recordsNew recordsChanged postingsPosted postingsHeld postingsFailed';
const POLL_MS = 250;

export async function triggerSync(api: Api, input: Record<string, unknown>): Promise<string> {
  const { syncRun } = await api.mutate<{ syncRun: { id: string } }>(
    'triggerSync',
    'mutation ($input: TriggerSyncInput!) { triggerSync(input: $input) { syncRun { id } userErrors { code message resolution } } }',
    { input },
  );
  return syncRun.id;
}

/**
 * Follows a run to its end by subscription; by asking again and again should the subscription break.
 * @throws Error when the run failed or was only partly done; not where `mayBeRefused` and all that is amiss is that the
 * ledger turned documents down.
 */
export async function finishedRun(
  api: Api,
  id: string,
  onChange: (run: Run) => void = () => undefined,
  mayBeRefused = false,
): Promise<Run> {
  const run = await followed(api, id, onChange);
  if (mayBeRefused && run.status === 'PARTIAL' && run.postingsFailed > 0) return run;
  if (run.status !== 'SUCCEEDED') throw new Error(`The sync ended as ${run.status}. ${run.error ?? ''}`.trim());
  return run;
}

async function followed(api: Api, id: string, onChange: (run: Run) => void): Promise<Run> {
  try {
    const events = api.subscribe<{ syncRunProgressed: Run }>(
      `subscription ($id: ID!) { syncRunProgressed(id: $id) { ${RUN_FIELDS} } }`,
      { id },
    );
    for await (const { syncRunProgressed: run } of events) {
      onChange(run);
      if (isOver(run)) return run;
    }
  } catch {
    // Polling below tells the same, only later.
  }
  for (;;) {
    const { syncRun } = await api.query<{ syncRun: Run }>(`query ($id: ID!) { syncRun(id: $id) { ${RUN_FIELDS} } }`, {
      id,
    });
    onChange(syncRun);
    if (isOver(syncRun)) return syncRun;
    await pause(POLL_MS);
  }
}

function isOver({ status }: Run): boolean {
  return status !== 'QUEUED' && status !== 'RUNNING';
}

/** Asks until `look` gives something. @throws Error naming `what` when it takes too long. */
export async function until<T>(what: string, withinMs: number, look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${withinMs / 1000} s.`);
    await pause(POLL_MS);
  }
}

/** Postings by status and, if given, by what holds them, counted by the gateway. */
export async function countPostings(
  api: Api,
  pipelineId: string,
  statuses: readonly string[],
  holdCodes?: readonly string[],
): Promise<number> {
  const { glPostings } = await api.query<{ glPostings: { totalCount: number } }>(
    'query ($filter: GlPostingFilter!) { glPostings(first: 1, filter: $filter) { totalCount } }',
    { filter: { pipelineId, statuses, ...(holdCodes === undefined ? {} : { holdCodes }) } },
  );
  return glPostings.totalCount;
}
