import { describe, expect, it } from 'vitest';
import { groupByKeys, originKeyOf } from '../../../src/domain/identity.js';
import { InvariantError } from '../../../src/errors.js';
import { sourceObject } from './support.js';

describe('the origin key', () => {
  it('is the expense before the record, the record before the card, the card before cash', () => {
    expect(originKeyOf(['cash:1', 'card:1', 'record:1', 'expense:9', 'transfer:0'])).toBe('expense:9');
    expect(originKeyOf(['cash:1', 'card:1', 'record:1'])).toBe('record:1');
    expect(originKeyOf(['cash:1', 'card:1', 'a:1'])).toBe('card:1');
    expect(originKeyOf(['transfer:2', 'cash:1'])).toBe('cash:1');
  });

  it('is the smallest of several of one kind, upper case first', () => {
    expect(originKeyOf(['expense:b', 'expense:a', 'expense:B'])).toBe('expense:B');
  });

  it('cannot be made of nothing', () => {
    expect(() => originKeyOf([])).toThrow(InvariantError);
  });
});

describe('views of one purchase', () => {
  const card = sourceObject({ externalId: 'pst_1', keys: ['card:pst_1', 'expense:e1'] });
  const expense = sourceObject({ stream: 'EXPENSES', externalId: 'e1', keys: ['expense:e1'] });
  const record = sourceObject({ stream: 'ACCOUNTING_RECORDS', externalId: 'r1', keys: ['record:r1', 'expense:e1'] });
  const other = sourceObject({ externalId: 'pst_2', keys: ['card:pst_2'] });

  it('are joined by the keys they share, richest first', () => {
    const groups = groupByKeys([other, card, record, expense]);
    expect(groups.map((group) => group.originKey)).toEqual(['expense:e1', 'card:pst_2']);
    expect(groups[0]?.objects).toEqual([record, expense, card]);
    expect(groups[0]?.keys).toEqual(['expense:e1', 'record:r1', 'card:pst_1']);
  });

  it('are joined through a third object that came last', () => {
    const left = sourceObject({ externalId: 'a', keys: ['card:a', 'x:1'] });
    const right = sourceObject({ externalId: 'b', keys: ['card:b', 'y:1'] });
    const bridge = sourceObject({ externalId: 'c', keys: ['card:c', 'x:1', 'y:1'] });
    expect(groupByKeys([left, right])).toHaveLength(2);
    expect(groupByKeys([left, right, bridge])).toHaveLength(1);
  });
});
