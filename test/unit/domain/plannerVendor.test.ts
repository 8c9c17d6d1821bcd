import { describe, expect, it } from 'vitest';
import type { PlanPipeline, VendorFact } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import { context, holdCodes, item, purchase, shortLines, usd, vendor } from './support.js';

const planned = (fact: VendorFact | null, over: Partial<PlanPipeline> = {}, spend = purchase()) => {
  const { documents, skipped } = plan(context({ pipeline: over }), [item('e1', spend, { vendor: fact })]);
  return { document: documents[0], skipped };
};
const unmatched = vendor({ status: 'UNMATCHED', supplierCode: null });
const review = vendor({ status: 'NEEDS_REVIEW', supplierCode: 'S100', explanation: 'Similar name.' });
const rejected = vendor({ status: 'REJECTED', supplierCode: null });
const INVOICE = { documentType: 'SUPPLIER_INVOICE' } as const;

describe('a merchant with a certain supplier', () => {
  it.each(['AUTO_MATCHED', 'CONFIRMED', 'CREATED'] as const)('that was %s posts with it', (status) => {
    const { document } = planned(vendor({ status }));
    expect(document).toMatchObject({ supplierCode: 'S100', holds: [] });
    expect(document?.lines[0]?.explanation).toMatch(/Supplier S100: Same name\.$/);
  });

  it('that is inactive or gone is held', () => {
    expect(holdCodes(planned(vendor({ supplierCode: 'S200' })).document)).toEqual(['SUPPLIER_INACTIVE']);
    expect(holdCodes(planned(vendor({ supplierCode: 'S999' })).document)).toEqual(['SUPPLIER_INACTIVE']);
  });

  it('that is kept in the foreign currency of the purchase takes an invoice, which says in what the ledger is kept', () => {
    const spend = purchase({ amount: { minor: 10_000n, currency: 'EUR' } });
    const { document } = planned(vendor({ supplierCode: 'S300' }), INVOICE, spend);
    expect(document).toMatchObject({ currency: 'EUR', holds: [] });
    expect(document?.lines.at(-1)?.explanation).toContain(
      'The ledger keeps its books in USD and translates this document in EUR by its own rate.',
    );
  });

  it('that is kept in another currency takes a journal but no invoice', () => {
    const euro = vendor({ supplierCode: 'S300' });
    expect(planned(euro).document?.holds).toEqual([]);
    expect(holdCodes(planned(euro, INVOICE).document)).toEqual(['CURRENCY_UNSUPPORTED']);
  });

  it('gets an invoice', () => {
    const { document } = planned(vendor(), { ...INVOICE, offsetAccount: '2000' });
    expect(document).toMatchObject({ documentType: 'SUPPLIER_INVOICE', supplierCode: 'S100', holds: [] });
    expect(shortLines(document)).toEqual(['6100 debit 10000', '2000 credit 10000']);
  });
});

describe('a merchant without a certain supplier', () => {
  it.each([
    ['HOLD', unmatched, 'VENDOR_UNMATCHED'],
    ['HOLD', review, 'VENDOR_REVIEW'],
    ['HOLD', rejected, 'VENDOR_UNMATCHED'],
    ['CREATE_SUPPLIER', review, 'VENDOR_REVIEW'],
    ['CREATE_SUPPLIER', rejected, 'VENDOR_UNMATCHED'],
  ] as const)('under %s is held: %o', (unmatchedVendor, fact, code) => {
    expect(holdCodes(planned(fact, { unmatchedVendor }).document)).toEqual([code]);
  });

  it('under SKIP is left out with a note', () => {
    const { document, skipped } = planned(unmatched, { unmatchedVendor: 'SKIP' });
    expect(document).toBeUndefined();
    expect(skipped).toEqual([
      {
        kind: 'EXCLUDED',
        spendRecordId: 'e1',
        reason:
          'Left out by the pipeline\'s vendor policy: merchant "Office Depot" is matched to no supplier of the ledger.',
      },
    ]);
  });

  it('under DEFAULT_ACCOUNT goes to the default account and says why', () => {
    const { document } = planned(unmatched, { unmatchedVendor: 'DEFAULT_ACCOUNT', defaultAccount: '9999' });
    expect(shortLines(document)).toEqual(['9999 debit 10000', '2110 credit 10000']);
    expect(document?.lines[0]?.explanation).toMatch(
      /default account 9999, because merchant "Office Depot" is matched to no/,
    );
    expect(holdCodes(planned(unmatched, { unmatchedVendor: 'DEFAULT_ACCOUNT' }).document)).toEqual(['MAPPING_MISSING']);
  });

  it('under CREATE_SUPPLIER asks for the supplier first', () => {
    const { document } = planned(unmatched, { unmatchedVendor: 'CREATE_SUPPLIER' });
    expect(document).toMatchObject({
      createSupplier: { name: 'Office Depot', matchId: 'm1' },
      holds: [],
      supplierCode: null,
    });
  });

  it('under POST_WITHOUT_SUPPLIER goes out on its coding', () => {
    const { document } = planned(review, { unmatchedVendor: 'POST_WITHOUT_SUPPLIER' });
    expect(document).toMatchObject({ holds: [], supplierCode: null });
    expect(shortLines(document)).toEqual(['6100 debit 10000', '2110 credit 10000']);
  });

  it.each(['DEFAULT_ACCOUNT', 'POST_WITHOUT_SUPPLIER'] as const)('cannot be invoiced under %s', (unmatchedVendor) => {
    const { document } = planned(unmatched, { ...INVOICE, unmatchedVendor, defaultAccount: '9999' });
    expect(holdCodes(document)).toEqual(['VENDOR_UNMATCHED']);
  });
});

describe('a purchase without a merchant', () => {
  it('needs no supplier on a journal and cannot be an invoice', () => {
    expect(planned(null).document?.holds).toEqual([]);
    expect(holdCodes(planned(null, INVOICE).document)).toEqual(['VENDOR_UNMATCHED']);
  });
});

describe('a day', () => {
  const daily = { grouping: 'DAILY' } as const;
  const other = vendor({ matchId: 'm2', supplierCode: 'S300' });

  it('of invoices has one for every supplier', () => {
    const ctx = context({
      pipeline: { ...daily, ...INVOICE },
      masterData: { ...context().masterData, supplier: (code) => ({ code, name: code, active: true, currency: null }) },
    });
    const { documents } = plan(ctx, [
      item('a', purchase(), { vendor: vendor() }),
      item('b', purchase(), { vendor: other }),
      item('c', purchase(), { vendor: vendor() }),
    ]);
    expect(documents.map((each) => [each.supplierCode, each.spend.map(({ id }) => id)])).toEqual([
      ['S100', ['a', 'c']],
      ['S300', ['b']],
    ]);
    expect(new Set(documents.map((each) => each.reference)).size).toBe(2);
  });

  it('of invoices has the refunds of a supplier apart', () => {
    const { documents } = plan(context({ pipeline: { ...daily, ...INVOICE } }), [
      item('a', purchase(), { vendor: vendor() }),
      item('b', purchase({ amount: usd('-30.00') }), { vendor: vendor() }),
    ]);
    expect(documents.map(shortLines)).toEqual([
      ['6100 debit 10000', '2110 credit 10000'],
      ['6100 credit 3000', '2110 debit 3000'],
    ]);
    expect(documents[0]?.reference).not.toBe(documents[1]?.reference);
  });

  it('of journals is one document without a supplier when there are several', () => {
    const { documents } = plan(context({ pipeline: daily }), [
      item('a', purchase(), { vendor: vendor() }),
      item('b', purchase(), { vendor: other }),
    ]);
    expect(documents.map((each) => each.supplierCode)).toEqual([null]);
  });

  it('does not wait for a supplier that one purchase needs', () => {
    const ctx = context({ pipeline: { ...daily, unmatchedVendor: 'CREATE_SUPPLIER' } });
    const { documents } = plan(ctx, [item('a', purchase(), { vendor: unmatched }), item('b')]);
    expect(documents.map((each) => [each.createSupplier?.matchId ?? null, each.spend.length])).toEqual([
      [null, 1],
      ['m1', 1],
    ]);
  });
});
