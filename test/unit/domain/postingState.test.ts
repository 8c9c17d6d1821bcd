import { describe, expect, it } from 'vitest';
import {
  assertMove,
  bucketOf,
  canMove,
  isSettled,
  isUnsent,
  movesFrom,
  POSTING_STATUSES,
  type PostingStatus,
} from '../../../src/domain/postingState.js';
import { InvariantError } from '../../../src/errors.js';

const LEGAL: Record<PostingStatus, PostingStatus[]> = {
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

describe('moves of a posting', () => {
  it.each(POSTING_STATUSES.flatMap((from) => POSTING_STATUSES.map((to) => [from, to] as const)))(
    '%s to %s is as the protocol has it',
    (from, to) => {
      const isLegal = LEGAL[from].includes(to);
      expect(canMove(from, to)).toBe(isLegal);
      if (isLegal) assertMove(from, to);
      else expect(() => assertMove(from, to)).toThrow(InvariantError);
    },
  );

  it('nothing in doubt is given up or called refused', () => {
    expect(canMove('IN_DOUBT', 'CANCELLED')).toBe(false);
    expect(canMove('IN_DOUBT', 'REJECTED')).toBe(false);
  });

  it('only what the ledger certainly does not have may be cancelled', () => {
    expect(POSTING_STATUSES.filter(isUnsent)).toEqual(['PLANNED', 'HELD', 'AWAITING_APPROVAL', 'READY', 'REJECTED']);
  });

  it('every state can be left, or is settled', () => {
    for (const status of POSTING_STATUSES) expect(movesFrom(status).length > 0 || isSettled(status)).toBe(true);
  });

  it('money in doubt is counted as unknown, never as posted or as on its way', () => {
    expect(bucketOf('IN_DOUBT')).toBe('unknown');
  });
});
