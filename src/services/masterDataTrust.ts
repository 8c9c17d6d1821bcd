import type { Tx } from '../entities/database.js';
import { raiseAlert, settleAlert } from './alerts.js';

/** The lists that a ledger's master data is read in: `accounts`, `suppliers`, and `dimension <name>` for each dimension. */
export type MasterList = string;

const ACTOR = 'system:masterData';
const CODE = 'MASTER_DATA_SHRUNK';
/** A short list may lose a few entries in a day; a long one does not lose half of them. */
const LOST_MAX = 20;

/**
 * Compares how much was read with how much the ledger was believed to have. A list that came back empty, or with less than
 * half of it, was more likely cut off than true: an alert asks a person, and until one resolves it or the entries are back,
 * nothing is concluded from what is not in it.
 * To be called in the transaction that stores what was read.
 */
export async function weighMasterData(
  tx: Tx,
  now: Date,
  system: { readonly id: string; readonly name: string },
  read: ReadonlyMap<MasterList, number>,
): Promise<void> {
  const [row] = await tx.query<{ master_data_counts: Record<MasterList, number> }>(
    'select master_data_counts from systems where tenant_id = $1 and id = $2 for update',
    [tx.tenantId, system.id],
  );
  const believed = row?.master_data_counts ?? {};
  const next: Record<MasterList, number> = {};
  for (const list of new Set([...Object.keys(believed), ...read.keys()])) {
    const count = read.get(list) ?? 0;
    const before = believed[list] ?? count;
    const key = alertKey(system.id, list, before);
    if (!isCutOff(before, count) || (await isConfirmed(tx, key))) {
      next[list] = count;
      await settleAlert(tx, now, key, ACTOR);
      continue;
    }
    next[list] = before;
    await raiseAlert(tx, now, {
      severity: 'WARNING',
      code: CODE,
      message: `"${system.name}" showed ${count} entries in its list of ${wordsOf(list)}, and ${before} before. Was it read whole? What is missing from it raises no other alert until the entries are back. If they are gone for good, resolve this alert.`,
      systemId: system.id,
      pipelineId: null,
      dedupeKey: key,
    });
  }
  if (JSON.stringify(next) === JSON.stringify(believed)) return;
  await tx.execute('update systems set master_data_counts = $3 where tenant_id = $1 and id = $2', [
    tx.tenantId,
    system.id,
    JSON.stringify(next),
  ]);
}

function isCutOff(before: number, count: number): boolean {
  if (count === 0) return before > 0;
  return before - count > LOST_MAX && count < before / 2;
}

/** A person resolved the alert: the entries are gone. */
async function isConfirmed(tx: Tx, key: string): Promise<boolean> {
  const rows = await tx.query(
    'select 1 from alerts where tenant_id = $1 and dedupe_key = $2 and resolved_by <> $3 limit 1',
    [tx.tenantId, key, ACTOR],
  );
  return rows.length > 0;
}

/** The lists of which nobody knows whether they were read whole. */
export async function doubtfulLists(tx: Tx, systemId: string): Promise<ReadonlySet<MasterList>> {
  const rows = await tx.query<{ dedupe_key: string }>(
    'select dedupe_key from alerts where tenant_id = $1 and code = $2 and system_id = $3 and resolved_at is null',
    [tx.tenantId, CODE, systemId],
  );
  const start = `${CODE}:${systemId}:`.length;
  return new Set(rows.map(({ dedupe_key: key }) => key.slice(start, key.lastIndexOf(':'))));
}

function alertKey(systemId: string, list: MasterList, before: number): string {
  return `${CODE}:${systemId}:${list}:${before}`;
}

export function dimensionList(dimension: string): MasterList {
  return `dimension ${dimension}`;
}

function wordsOf(list: MasterList): string {
  return list.startsWith('dimension ') ? `the values of ${list}` : list;
}
