import { setTimeout as pause } from 'node:timers/promises';
import type { SyncStatus } from '../domain/vocabulary.js';
import { InvariantError } from '../errors.js';
import type { Work } from './ground.js';

export interface PreviewedDocument {
  readonly reference: string;
  readonly postingDate: string;
  readonly status: string;
  readonly currency: string;
  readonly total: string;
  readonly description: string;
}

export interface FinishedRun {
  readonly id: string;
  readonly status: SyncStatus;
  readonly error: string | null;
  readonly recordsRead: number;
  readonly recordsNew: number;
  readonly recordsChanged: number;
  readonly postingsPosted: number;
  readonly postingsHeld: number;
  readonly postingsFailed: number;
  /** Of dry runs only. */
  readonly preview: readonly PreviewedDocument[] | null;
}

interface RunRow extends Omit<FinishedRun, 'preview'> {
  readonly preview: readonly Record<string, unknown>[] | null;
}

const LOOK_EVERY_MS = 250;

/** Waits until the run has ended, however long that takes. */
export async function waitForRun({ ground, caller }: Work, id: string): Promise<FinishedRun> {
  for (;;) {
    const [run] = await ground.db.tenant(caller.tenantId, (tx) =>
      tx.query<RunRow>(
        `select id, status, error, records_read as "recordsRead", records_new as "recordsNew",
           records_changed as "recordsChanged", postings_posted as "postingsPosted", postings_held as "postingsHeld",
           postings_failed as "postingsFailed", case when finished_at is not null then preview end as preview
         from sync_runs where tenant_id = $1 and id = $2`,
        [tx.tenantId, id],
      ),
    );
    if (!run) throw new InvariantError('The run that was queued is gone.');
    if (run.status !== 'QUEUED' && run.status !== 'RUNNING') {
      return { ...run, preview: run.preview?.map(previewed) ?? null };
    }
    await pause(LOOK_EVERY_MS);
  }
}

function previewed(row: Record<string, unknown>): PreviewedDocument {
  const text = (name: string) => String(row[name] ?? '');
  return {
    reference: text('reference'),
    postingDate: text('posting_date').slice(0, 10),
    status: text('status'),
    currency: text('currency'),
    total: text('total'),
    description: text('description'),
  };
}
