import type { PostingStatus } from '../domain/postingState.js';
import type { Tx } from '../entities/database.js';
import type { Engine } from './engine.js';

/**
 * What attempts left in a ledger outside its books. A posting that is not sent (again) although it was tried has its
 * `next_attempt_at` set: the ledger is then visited for it by the next drain (see `abandoning.ts`), which alone talks to a
 * ledger and so never clears away what another process is just entering.
 */

/** States in which nothing is sent, so that nobody else would clear away what an attempt left. */
export const NOT_SENT: readonly PostingStatus[] = ['HELD', 'AWAITING_APPROVAL', 'REJECTED', 'CANCELLED'];

/** How attempts end that may leave something: no clear answer, or a refusal by a ledger that keeps what it refused. */
export const MAY_LEAVE = ['UNKNOWN', 'ABANDONED', 'REJECTED'] as const;

/**
 * Has the ledger visited for those of these postings that were tried, in the transaction that stops them from being sent.
 * @param outcomes of which an attempt must have had one.
 */
export async function oweVisit(
  engine: Engine,
  tx: Tx,
  postingIds: readonly string[],
  outcomes: readonly (typeof MAY_LEAVE)[number][] = MAY_LEAVE,
): Promise<void> {
  if (postingIds.length === 0) return;
  const owed = await tx.query<{ ledger_id: string }>(
    `update postings p set next_attempt_at = $3
     where p.tenant_id = $1 and p.id = any($2) and p.status = any($4)
       and exists (select from posting_attempts a where a.tenant_id = p.tenant_id and a.posting_id = p.id
         and a.outcome = any($5))
     returning p.ledger_id`,
    [tx.tenantId, postingIds, engine.clock.now(), NOT_SENT, outcomes],
  );
  for (const ledgerId of new Set(owed.map((row) => row.ledger_id))) {
    await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId });
  }
}
