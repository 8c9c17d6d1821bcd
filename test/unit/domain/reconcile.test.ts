import { describe, expect, it } from 'vitest';
import { reconcile, wholly } from '../../../src/domain/reconcile.js';
import { InvariantError } from '../../../src/errors.js';

describe('a reconciliation', () => {
  it('says where every cent is, by currency', () => {
    const totals = reconcile([
      wholly('posted', { id: '1', currency: 'USD', amountMinor: 10_000n }),
      wholly('posted', { id: '2', currency: 'USD', amountMinor: -2_500n }),
      wholly('held', { id: '3', currency: 'USD', amountMinor: 700n }),
      wholly('excluded', { id: '4', currency: 'EUR', amountMinor: 99n }),
    ]);
    expect(totals).toEqual([
      {
        currency: 'EUR',
        source: 99n,
        posted: 0n,
        held: 0n,
        excluded: 99n,
        rejected: 0n,
        inFlight: 0n,
        unknown: 0n,
        difference: 0n,
        recordCount: 1,
      },
      {
        currency: 'USD',
        source: 8_200n,
        posted: 7_500n,
        held: 700n,
        excluded: 0n,
        rejected: 0n,
        inFlight: 0n,
        unknown: 0n,
        difference: 0n,
        recordCount: 3,
      },
    ]);
  });

  it('shows money that nobody accounts for as a difference', () => {
    const [total] = reconcile([
      { id: '1', currency: 'USD', amountMinor: 100n, contributions: { posted: 60n, held: 39n } },
    ]);
    expect(total?.difference).toBe(1n);
  });

  it('refuses to count a record twice', () => {
    const row = wholly('posted', { id: '1', currency: 'USD', amountMinor: 1n });
    expect(() => reconcile([row, row])).toThrow(InvariantError);
  });
});
