import { describe, expect, it } from 'vitest';
import { documentReference } from '../../../src/domain/keys.js';
import { economicHash } from '../../../src/domain/planDocument.js';
import { plan } from '../../../src/domain/planner.js';
import { ConfigurationError, InvariantError } from '../../../src/errors.js';
import {
  context,
  day,
  holdCodes,
  item,
  mapping,
  masterData,
  part,
  purchase,
  rule,
  rules,
  shortLines,
  usd,
} from './support.js';

const only = (ctx = context(), spend = purchase()) => {
  const { documents, skipped } = plan(ctx, [item('e1', spend)]);
  return { document: documents[0], documents, skipped };
};

describe('a purchase', () => {
  it('debits its account and credits the offset account', () => {
    const { document } = only();
    expect(shortLines(document)).toEqual(['6100 debit 10000', '2110 credit 10000']);
    expect(document).toMatchObject({ postingDate: '2026-11-09', currency: 'USD', totalMinor: 10_000n, holds: [] });
    expect(document?.period?.label).toBe('2026-11');
    expect(document?.mappingVersion).toBe(3);
    expect(document?.spend).toEqual([{ id: 'e1', revision: 1 }]);
  });

  it('carries who, where and what for on its line', () => {
    expect(only().document?.lines[0]?.memo).toBe('Ana Ruiz | Office Depot | OFFICE_SUPPLIES | Toner');
    expect(only(context({ rules: rules({ memoLength: 12 }) })).document?.lines[0]?.memo).toBe('Ana Ruiz | O');
  });

  it('is named by its origin and not by the id of a database row', () => {
    const expected = documentReference({
      ledgerId: 'ledger-1',
      pipelineId: 'pipe-1',
      fact: 'expense:e1',
      revision: 1,
      role: 'ORIGINAL',
    });
    expect(only().document?.reference).toBe(expected);
    const [renamed] = plan(context(), [item('other-row', purchase(), { originKey: 'expense:e1' })]).documents;
    expect(renamed?.reference).toBe(expected);
  });

  it('posts the parts of its split and one offset', () => {
    const parts = [
      part({ amount: usd('60.00'), category: 'OFFICE_SUPPLIES' }),
      part({ amount: usd('40.00'), category: 'TRAVEL' }),
    ];
    expect(shortLines(only(context(), purchase({ parts })).document)).toEqual([
      '6100 debit 6000',
      '6200 debit 4000',
      '2110 credit 10000',
    ]);
  });

  it('keeps a discount inside a split on the credit side', () => {
    const parts = [
      part({ amount: usd('110.00'), glAccount: '6200' }),
      part({ amount: usd('-10.00'), glAccount: '6100' }),
    ];
    const { document } = only(context({ mapping: null }), purchase({ parts }));
    expect(shortLines(document)).toEqual(['6200 debit 11000', '6100 credit 1000', '2110 credit 10000']);
    expect(document?.totalMinor).toBe(11_000n);
  });
});

describe('a refund', () => {
  it('credits the expense account', () => {
    const { document } = only(context(), purchase({ kind: 'REFUND', amount: usd('-25.00') }));
    expect(shortLines(document)).toEqual(['6100 credit 2500', '2110 debit 2500']);
  });
});

describe('tax', () => {
  const taxed = (tax: string, amount = '116.00') =>
    purchase({
      amount: usd(amount),
      parts: [part({ amount: usd(amount), tax: usd(tax), category: 'OFFICE_SUPPLIES' })],
    });
  const withCode = context({ mapping: mapping(rule({ category: 'OFFICE_SUPPLIES', taxCode: 'VR' })) });

  it('becomes a line of its own on the account of the purchase', () => {
    const { document } = only(withCode, taxed('16.00'));
    expect(shortLines(document)).toEqual(['6100 debit 10000', '6100 debit 1600', '2110 credit 11600']);
    expect(document?.lines.map((line) => [line.role, line.taxCode])).toEqual([
      ['EXPENSE', null],
      ['TAX', 'VR'],
      ['OFFSET', null],
    ]);
    expect(document?.lines[1]?.memo).toMatch(/^tax \| /);
  });

  it('goes to the account of the tax rule where there is one', () => {
    const ctx = context({
      mapping: mapping(
        rule({ category: 'OFFICE_SUPPLIES', taxCode: 'VR' }),
        rule({ category: 'tax', glAccount: '1575' }),
      ),
    });
    expect(shortLines(only(ctx, taxed('-16.00', '-116.00')).document)).toEqual([
      '6100 credit 10000',
      '1575 credit 1600',
      '2110 debit 11600',
    ]);
  });

  it('stays in the one line without a tax code or without a stated tax', () => {
    expect(shortLines(only(context(), taxed('16.00')).document)).toEqual(['6100 debit 11600', '2110 credit 11600']);
    expect(only(withCode).document?.lines[0]?.taxCode).toBe('VR');
  });

  it('that cannot be contained in the amount holds the document', () => {
    expect(holdCodes(only(withCode, taxed('117.00')).document)).toEqual(['UNBALANCED']);
    expect(holdCodes(only(withCode, taxed('-1.00')).document)).toEqual(['UNBALANCED']);
  });
});

describe('records that are not planned', () => {
  const skip = (over: Parameters<typeof purchase>[0], ctx = context()) => only(ctx, purchase(over)).skipped[0];

  it('are those that the source withdrew, that are no spend, or that are zero', () => {
    expect(skip({ isWithdrawn: true })?.kind).toBe('EXCLUDED');
    expect(skip({ kind: 'NOT_SPEND', notSpendReason: 'A card payment.' })).toEqual({
      kind: 'EXCLUDED',
      spendRecordId: 'e1',
      reason: 'A card payment.',
    });
    expect(skip({ amount: usd('0.00') })?.kind).toBe('EXCLUDED');
  });

  it('are a purchase and its refund on one account, but not on two', () => {
    const parts = (other: string) => [part({ glAccount: '6100' }), part({ amount: usd('-100.00'), glAccount: other })];
    const ctx = context({ mapping: null });
    expect(skip({ amount: usd('0.00'), parts: parts('6100') }, ctx)?.kind).toBe('EXCLUDED');
    const { document } = only(ctx, purchase({ amount: usd('0.00'), parts: parts('6200') }));
    expect(shortLines(document)).toEqual(['6100 debit 10000', '6200 credit 10000']);
  });

  it('wait for the richest stream, or until it is finished', () => {
    expect(skip({ streams: ['EXPENSES', 'CARD_TRANSACTIONS'] })).toMatchObject({
      kind: 'WAITING',
      reason: 'Waiting for its accounting record, which carries the final coding.',
    });
    expect(skip({ isFinal: false })?.kind).toBe('WAITING');
    expect(
      skip({ streams: ['CARD_TRANSACTIONS'] }, context({ pipeline: { streams: ['CARD_TRANSACTIONS'] } })),
    ).toBeUndefined();
  });

  it('do not wait when the pipeline posts what comes first', () => {
    const ctx = context({ pipeline: { coding: 'FIRST' } });
    expect(skip({ streams: ['CARD_TRANSACTIONS'], isFinal: false }, ctx)).toBeUndefined();
  });

  it('do not wait for a record that a bank fee never gets', () => {
    expect(skip({ streams: ['CASH_TRANSACTIONS'] })).toBeUndefined();
    expect(skip({ streams: ['CASH_TRANSACTIONS'], kind: 'BILL' })?.kind).toBe('WAITING');
  });

  it('wait until a stream of this pipeline shows them', () => {
    expect(
      skip({ streams: ['CASH_TRANSACTIONS'] }, context({ pipeline: { streams: ['EXPENSES'], coding: 'FIRST' } }))?.kind,
    ).toBe('WAITING');
  });

  it('for a bill are not waiting for a card transaction', () => {
    const ctx = context({ pipeline: { streams: ['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS'] } });
    expect(skip({ streams: ['CASH_TRANSACTIONS'], kind: 'BILL' }, ctx)).toBeUndefined();
  });
});

describe('what is checked before anything leaves', () => {
  const held = (over: Parameters<typeof context>[0], spend = purchase()) => only(context(over), spend).document;
  const coded = (glAccount: string, costCentre: string | null = null) =>
    ({ mapping: mapping(rule({ glAccount, costCentre })) }) as const;

  it('is the account: there, active and open to postings', () => {
    expect(held(coded('7777'))?.holds).toEqual([
      expect.objectContaining({ code: 'ACCOUNT_MISSING', field: 'glAccount', value: '7777' }),
    ]);
    expect(holdCodes(held(coded('6300')))).toEqual(['ACCOUNT_INACTIVE']);
    expect(held(coded('2000'))?.holds[0]?.message).toContain('it is a control account');
  });

  it('is the cost centre, before the account that contains it', () => {
    const composed = rules({
      accountCode: ({ glAccount, costCentre }) => (costCentre ? `${costCentre}-${glAccount}` : glAccount),
    });
    expect(holdCodes(held({ ...coded('6100', 'NOPE'), rules: composed }))).toEqual(['DIMENSION_MISSING']);
    const missing = held({ ...coded('6100', 'CC1'), rules: composed });
    expect(missing?.holds[0]).toMatchObject({ code: 'ACCOUNT_MISSING', value: 'CC1-6100' });
  });

  it('is a cost centre where account codes contain one', () => {
    const composed = rules({ isCostCentreInAccount: true });
    const [hold] = held({ ...coded('7777'), rules: composed })?.holds ?? [];
    expect(hold).toMatchObject({ code: 'DIMENSION_MISSING', field: 'costCentre' });
    expect(holdCodes(held({ ...coded('6100'), rules: composed }))).toEqual([]);
  });

  it('is every dimension that the account asks for, in the words of the ledger', () => {
    const account = {
      ...{ code: '6100', name: 'Office', active: true, blockedReason: null },
      requiredDimensions: [
        { dimension: 'CostCentre', label: 'Cost center' },
        { dimension: 'Project', label: 'PJT Project' },
      ],
    };
    const master = masterData({
      account: (code) => (code === '2110' ? { ...account, requiredDimensions: [] } : account),
    });
    const bare = held({ masterData: master, ...coded('6100') });
    expect(bare?.holds.map(({ code, message }) => [code, message])).toEqual([
      ['DIMENSION_MISSING', 'Account 6100 (Office) needs Cost center on every line, and the purchase has none.'],
      ['DIMENSION_MISSING', 'Account 6100 (Office) needs PJT Project on every line, and the purchase has none.'],
    ]);
    const complete = mapping(rule({ glAccount: '6100', costCentre: 'CC1', dimensions: { Project: 'P1' } }));
    expect(holdCodes(held({ masterData: master, mapping: complete }))).toEqual([]);
  });

  it('is every dimension that the ledger has a list for', () => {
    const master = masterData({ dimensionValue: (name) => (name === 'Project' ? undefined : null) });
    const ctx = { masterData: master, mapping: mapping(rule({ dimensions: { Project: 'P1', Colour: 'red' } })) };
    expect(held(ctx)?.holds).toEqual([
      expect.objectContaining({ code: 'DIMENSION_MISSING', field: 'Project', value: 'P1' }),
    ]);
  });

  it('leaves off tags that the ledger has no place for, but nothing that a rule set', () => {
    const ctx = {
      rules: rules({ takesDimension: (name) => name === 'Project' }),
      mapping: mapping(rule({ dimensions: { Site: 'N' } })),
    };
    const spend = purchase({ parts: [part({ dimensions: { Project: 'P1', Budget: 'Q4' } })] });
    expect(held(ctx, spend)?.lines[0]?.dimensions).toEqual({ Project: 'P1', Site: 'N' });
  });

  it('is the offset account, which an invoice may keep closed to journals', () => {
    expect(holdCodes(held({ pipeline: { offsetAccount: '2000' } }))).toEqual(['ACCOUNT_INACTIVE']);
    const invoice = { documentType: 'SUPPLIER_INVOICE', offsetAccount: '2000' } as const;
    expect(holdCodes(held({ pipeline: invoice }))).toEqual(['VENDOR_UNMATCHED']);
  });

  it('is the currency of a journal', () => {
    const spend = purchase({ amount: { minor: 100n, currency: 'EUR' } });
    const document = held({}, spend);
    expect(holdCodes(document)).toEqual(['CURRENCY_UNSUPPORTED']);
    expect(document?.holds[0]?.message).toMatch(/EUR.*USD/);
    expect(holdCodes(held({ rules: rules({ localCurrency: null }) }, spend))).toEqual([]);
  });

  it('is the mapping', () => {
    const document = held({ mapping: null });
    expect(holdCodes(document)).toEqual(['MAPPING_MISSING']);
    expect(document?.totalMinor).toBe(10_000n);
  });

  it('is what the source contradicts itself in', () => {
    expect(holdCodes(held({}, purchase({ disagreement: 'The source names two amounts.' })))).toEqual(['UNBALANCED']);
    expect(holdCodes(held({}, purchase({ parts: [part({ amount: usd('1.00'), category: 'TRAVEL' })] })))).toEqual([
      'UNBALANCED',
    ]);
    const foreign = part({ amount: { minor: 1n, currency: 'EUR' } });
    expect(holdCodes(held({}, purchase({ parts: [part({ category: 'TRAVEL' }), foreign] })))).toEqual(['UNBALANCED']);
  });

  it('lets a default account go without a cost centre that makes no account with it', () => {
    const composed = rules({
      accountCode: ({ glAccount, costCentre }) => (costCentre ? `${costCentre}-${glAccount}` : glAccount),
    });
    const spend = purchase({ parts: [part({ costCentre: 'CC1' })] });
    const document = held({ mapping: null, rules: composed, pipeline: { defaultAccount: '9999' } }, spend);
    expect(document?.holds).toEqual([]);
    expect(document?.lines[0]).toMatchObject({ glAccount: '9999', costCentre: null });
  });

  it('is that the ledger takes such documents at all', () => {
    const ctx = context({ rules: rules({ documentTypes: ['SUPPLIER_INVOICE'] }) });
    expect(() => plan(ctx, [])).toThrow(ConfigurationError);
  });
});

describe('the posting date', () => {
  const dated = (over: Parameters<typeof context>[0], transactionDate: string, postedDate: string | null = null) =>
    only(
      context(over),
      purchase({ transactionDate: day(transactionDate), postedDate: postedDate === null ? null : day(postedDate) }),
    ).document;

  it('follows the policy', () => {
    expect(dated({}, '2026-11-09', '2026-11-11')?.postingDate).toBe('2026-11-09');
    expect(dated({ pipeline: { postingDate: 'POSTED_DATE' } }, '2026-11-09', '2026-11-11')?.postingDate).toBe(
      '2026-11-11',
    );
    expect(dated({ pipeline: { postingDate: 'POSTED_DATE' } }, '2026-11-09')?.postingDate).toBe('2026-11-09');
    expect(dated({ pipeline: { postingDate: 'SYNC_DATE' } }, '2026-11-09')?.postingDate).toBe('2026-11-20');
  });

  it('in a closed or unknown period holds the document', () => {
    expect(holdCodes(dated({}, '2026-09-15'))).toEqual(['PERIOD_CLOSED']);
    expect(holdCodes(dated({}, '2025-09-15'))).toEqual(['PERIOD_CLOSED']);
    expect(dated({ masterData: masterData({ periods: [] }) }, '2026-11-09')?.holds[0]?.message).toMatch(/not known/);
  });

  it('moves to the first day of the next open period and says so', () => {
    const document = dated({ pipeline: { closedPeriod: 'NEXT_OPEN_PERIOD' } }, '2026-09-15');
    expect(document).toMatchObject({ postingDate: '2026-10-01', holds: [] });
    expect(document?.lines[0]?.memo).toMatch(/^of 2026-09-15 \| /);
    expect(document?.lines[0]?.explanation).toMatch(/closed: posted on 2026-10-01/);
  });

  it('has nowhere to move to after the last period', () => {
    expect(holdCodes(dated({ pipeline: { closedPeriod: 'NEXT_OPEN_PERIOD' } }, '2026-12-01'))).toEqual([
      'PERIOD_CLOSED',
    ]);
  });
});

describe('hashes of a plan', () => {
  it('change with what reaches the ledger and with nothing else', () => {
    const hash = only().document?.planHash;
    expect(only(context(), purchase({ memo: 'Paper' })).document?.planHash).not.toBe(hash);
    const renumbered = context({ mapping: mapping(rule({ category: 'X' }), rule({ category: 'OFFICE_SUPPLIES' })) });
    expect(only(renumbered).document?.lines[0]?.explanation).not.toBe(only().document?.lines[0]?.explanation);
    expect(only(renumbered).document?.planHash).toBe(hash);
  });

  it('of the economics stay the same when only a memo or the day changed', () => {
    const before = only().documents;
    const memo = only(context(), purchase({ memo: 'Paper', transactionDate: day('2026-11-10') })).documents;
    expect(economicHash(memo)).toBe(economicHash(before));
    expect(economicHash(only(context(), purchase({ amount: usd('99.99') })).documents)).not.toBe(economicHash(before));
  });
});

describe('the same purchase twice in one plan', () => {
  it('is refused', () => {
    expect(() => plan(context(), [item('a'), item('a')])).toThrow(InvariantError);
  });
});
