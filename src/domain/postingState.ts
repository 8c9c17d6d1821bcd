import { InvariantError } from '../errors.js';
import type { ReconciliationBucket } from './reconcile.js';

export const POSTING_STATUSES = [
  'PLANNED',
  'HELD',
  'AWAITING_APPROVAL',
  'READY',
  'POSTING',
  'IN_DOUBT',
  'POSTED',
  'REJECTED',
  'CANCELLED',
  'REVERSED',
] as const;
export type PostingStatus = (typeof POSTING_STATUSES)[number];

/**
 * The one list of legal moves. Nothing else assigns a posting's state.
 *
 * - `READY > PLANNED`: planned again before it was sent (a new revision, a mapping fix).
 * - `POSTING > READY`: only when the ledger certainly did not start (throttled, connection refused).
 * - `IN_DOUBT > READY`: only when the ledger was asked and does not have the document (seen absent twice, after its
 *   settling time).
 * - `POSTING > HELD`: nothing was sent. The ledger, asked before the first send, holds another document under our
 *   reference, or the document and its reversal; a person must look, as with `IN_DOUBT > HELD`.
 * - `IN_DOUBT > HELD`: the ledger answered, but what it holds under our reference is another document (other totals, or
 *   not posted there). Neither POSTED nor READY would be true: the first claims a posting that is not there, the second
 *   sends under a name that is taken. A person must look, and HELD is the state that waits for a person (the hold is
 *   SUSPECTED_DUPLICATE). It keeps the promise that nothing is sent again from IN_DOUBT before the ledger answered,
 *   because here the ledger has answered. Planned again from there, the posting is still asked for before it is sent.
 * - There is no `IN_DOUBT > REJECTED` and no `IN_DOUBT > CANCELLED`: nobody can say no, or give up, for a document
 *   that may be in the books.
 * - `CANCELLED > PLANNED`: only an unsent posting can be cancelled, so when its record is included again it may be planned
 *   again, under the name it had.
 * - `REJECTED > CANCELLED`: the ledger said no and wrote nothing, so giving up is safe.
 * - `HELD | AWAITING_APPROVAL | REJECTED | CANCELLED > POSTED`: only when the ledger is visited to clear away what an earlier
 *   attempt left outside the books, and is found to have this very document in them (a person posted it there, or it came
 *   later than the ledger's settling time). The books are right: to deny it would have it posted once more.
 */
const MOVES: Readonly<Record<PostingStatus, readonly PostingStatus[]>> = {
  PLANNED: ['HELD', 'AWAITING_APPROVAL', 'READY', 'CANCELLED'],
  HELD: ['PLANNED', 'CANCELLED', 'POSTED'],
  AWAITING_APPROVAL: ['READY', 'PLANNED', 'CANCELLED', 'POSTED'],
  READY: ['POSTING', 'PLANNED', 'CANCELLED'],
  POSTING: ['POSTED', 'REJECTED', 'IN_DOUBT', 'READY', 'HELD'],
  IN_DOUBT: ['POSTED', 'READY', 'HELD'],
  POSTED: ['REVERSED'],
  REJECTED: ['PLANNED', 'CANCELLED', 'POSTED'],
  CANCELLED: ['PLANNED', 'POSTED'],
  REVERSED: [],
};

export function canMove(from: PostingStatus, to: PostingStatus): boolean {
  return MOVES[from].includes(to);
}

/** @throws InvariantError the move is not on the list. A bug; never retried. */
export function assertMove(from: PostingStatus, to: PostingStatus): void {
  if (!canMove(from, to)) throw new InvariantError(`A posting cannot go from ${from} to ${to}.`);
}

export function movesFrom(from: PostingStatus): readonly PostingStatus[] {
  return MOVES[from];
}

/** The ledger certainly has nothing of it: it may be cancelled. */
export function isUnsent(status: PostingStatus): boolean {
  return MOVES[status].includes('CANCELLED');
}

/** Nothing changes it any more, except a reversal of what was posted, or including again what was given up. */
export function isSettled(status: PostingStatus): boolean {
  return status === 'POSTED' || status === 'CANCELLED' || status === 'REVERSED';
}

const BUCKETS: Readonly<Record<PostingStatus, ReconciliationBucket>> = {
  PLANNED: 'inFlight',
  HELD: 'held',
  AWAITING_APPROVAL: 'inFlight',
  READY: 'inFlight',
  POSTING: 'inFlight',
  // Nobody knows yet whether the ledger has it: saying "in flight" would claim that it has not.
  IN_DOUBT: 'unknown',
  POSTED: 'posted',
  REJECTED: 'rejected',
  // Given up, or taken back and not replaced: the ledger holds nothing of it and nothing more will be sent.
  CANCELLED: 'excluded',
  REVERSED: 'excluded',
};

/** The bucket of the reconciliation that money belongs to while its latest posting is in a state. */
export function bucketOf(status: PostingStatus): ReconciliationBucket {
  return BUCKETS[status];
}
