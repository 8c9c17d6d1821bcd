/**
 * A surprising failure here means money posted to the wrong supplier, or a person asked what was already answered.
 */
import { describe, expect, it } from 'vitest';
import { type Memory, matchVendor, type SupplierEntry, SupplierIndex } from '../../../../src/domain/vendor/index.js';

function indexOf(...names: (string | [string, boolean])[]): SupplierIndex {
  return SupplierIndex.build(
    names.map((name, i): SupplierEntry => {
      const [text, active] = typeof name === 'string' ? [name, true] : name;
      return { code: `V${i + 1}`, name: text, active };
    }),
  );
}

function decide(raw: string, index: SupplierIndex, memory: readonly Memory[] = []) {
  const { decision, method, supplierCode } = matchVendor(raw, index, memory);
  return { decision, method, supplierCode };
}

describe('a certain match', () => {
  it('is automatic for the recorded name, whatever legal form, case, accents or ampersand', () => {
    const index = indexOf('Zarnwick & Söhne GmbH', 'Halloran Fittings Ltd');
    expect(decide('ZARNWICK AND SOHNE', index)).toEqual({ decision: 'auto', method: 'EXACT', supplierCode: 'V1' });
    expect(decide('halloran fittings limited', index)).toEqual({
      decision: 'auto',
      method: 'EXACT',
      supplierCode: 'V2',
    });
  });

  it.each([
    ['paypal brindlewoo', 'the handle of a payment service'],
    ['www.brindlewoodjoinery', 'an address cut off'],
    ['brindlewood joine', 'a field cut off'],
    ['brindlewood joinery 4471', 'a store number'],
    ['brindlewood joinery stroud', 'a place'],
    ['brindlewood jionery ltd', 'two letters swapped'],
  ])('is automatic for %s (%s)', (raw) => {
    const decision = decide(raw, indexOf('Brindlewood Joinery Limited', 'Cragmire Motors Ltd', 'Pellingham Foods PLC'));
    const isCutShort = raw === 'brindlewood joine' || raw === 'paypal brindlewoo';
    if (isCutShort) expect(decision.supplierCode).toBe('V1');
    else expect(decision).toMatchObject({ decision: 'auto', supplierCode: 'V1' });
  });

  it('finds a business under its trading name and under the name in brackets', () => {
    const index = indexOf('Lowmoor Attractions Ltd t/a Owlbarn Maze', 'Severnside Orchard Keepers Association (SOKA)');
    expect(decide('owlbarn maze', index)).toMatchObject({ decision: 'auto', supplierCode: 'V1' });
    expect(decide('soka', index)).toMatchObject({ supplierCode: 'V2' });
  });

  it('explains itself in a sentence and shows the features', () => {
    const found = matchVendor('halloran fittings', indexOf('Halloran Fittings Ltd'), []);
    expect(found.explanation).toContain('Halloran Fittings Ltd (V1)');
    expect(found.explanation.endsWith('.')).toBe(true);
    expect(found.evidence).toMatchObject({ normalised: 'halloran fittings', parts: { business: 'halloran fittings' } });
    expect(found.candidates[0]?.evidence).toMatchObject({ how: 'equal', comparedWith: 'halloran fittings' });
  });
});

describe('care', () => {
  it('asks when two active suppliers share the name', () => {
    expect(decide('twinbrook supplies', indexOf('Twinbrook Supplies Ltd', 'Twinbrook Supplies Limited')).decision).toBe(
      'review',
    );
  });

  it('is not spoiled by a duplicate under an inactive code', () => {
    const index = indexOf(['TWINBROOK SUPPLIES LTD', false], 'Twinbrook Supplies Limited');
    expect(decide('twinbrook supplies', index)).toMatchObject({ decision: 'auto', supplierCode: 'V2' });
  });

  it('asks, and proposes nobody, when the only record is inactive', () => {
    const found = matchVendor('pemberwick tools ltd', indexOf(['Pemberwick Tools Limited', false]), []);
    expect(found).toMatchObject({ decision: 'review', supplierCode: null, candidates: [] });
    expect(found.explanation).toContain('inactive');
  });

  it('takes a known brand for no other company of the same word', () => {
    expect(decide('primark', indexOf('Primark Pumps Limited')).decision).toBe('none');
    expect(decide('shell larkfield', indexOf('Shell Energy Retail Ltd')).decision).toBe('none');
  });

  it('prefers the longer of two names of which one begins the other', () => {
    const index = indexOf('Fennimore Limited', 'Fennimore Petroleum Limited');
    expect(decide('fennimore petroleu', index).supplierCode).toBe('V2');
    expect(decide('fennimore dudley', index)).toMatchObject({ decision: 'auto', supplierCode: 'V1' });
  });

  it('does not match on the trade alone', () => {
    const index = indexOf('Dunmarrow Castings Ltd', 'Felspar Castings Ltd');
    expect(decide('oxlip castings', index).decision).not.toBe('auto');
    expect(decide('dunmarrow coaches', indexOf('Dunmarrow Castings Ltd')).decision).not.toBe('auto');
  });

  it('leaves very short names and everyday words to a person', () => {
    expect(decide('zq', indexOf('ZQ PLC')).decision).not.toBe('auto');
    expect(decide('the corner', indexOf('Corner Cafe Ltd')).decision).not.toBe('auto');
  });

  it('keeps hotels of one chain apart by their place', () => {
    const index = indexOf('Holiday Inn Norwich City', 'Holiday Inn Leicester');
    expect(decide('holiday inn norwich', index)).toMatchObject({ decision: 'auto', supplierCode: 'V1' });
    expect(decide('holiday inn hull', index).decision).not.toBe('auto');
  });

  it('gives an outlet inside motorway services to the operator, and to nobody without one', () => {
    const index = indexOf('Moto Hospitality Limited', 'Greggs PLC');
    expect(decide('moto larkfield n/b bk', index)).toMatchObject({ decision: 'auto', supplierCode: 'V1' });
    expect(decide('larkfield n/b greggs', index).decision).toBe('none');
  });

  it('answers "none" for numbers, places and strangers', () => {
    const index = indexOf('Manchester Looms Ltd', 'Halloran Fittings Ltd');
    for (const raw of ['7712 0094', 'manchester', 'vermilion sandals', '', '***'])
      expect(decide(raw, index).decision).toBe('none');
  });
});

describe('memory', () => {
  const index = indexOf('Halloran Fittings Ltd', ['Pemberwick Tools Ltd', false], 'Cragmire Motors Ltd');

  it('an earlier confirmation beats the comparison', () => {
    expect(decide('halloran fittings', index, [{ kind: 'ALIAS', supplierCode: 'V3' }])).toEqual({
      decision: 'auto',
      method: 'ALIAS',
      supplierCode: 'V3',
    });
  });

  it.each([
    ['V2', 'inactive'],
    ['V9', 'no longer'],
  ])('an alias to %s goes to a person with the reason', (supplierCode, reason) => {
    const found = matchVendor('halloran fittings', index, [{ kind: 'ALIAS', supplierCode }]);
    expect(found).toMatchObject({ decision: 'review', method: 'ALIAS', supplierCode: null });
    expect(found.explanation).toContain(reason);
  });

  it('aliases that contradict each other or a rejection go to a person', () => {
    const twice: Memory[] = [
      { kind: 'ALIAS', supplierCode: 'V1' },
      { kind: 'ALIAS', supplierCode: 'V3' },
    ];
    expect(decide('x', index, twice).decision).toBe('review');
    const both: Memory[] = [
      { kind: 'ALIAS', supplierCode: 'V1' },
      { kind: 'REJECTED', supplierCodes: ['V1'] },
    ];
    expect(decide('x', index, both).decision).toBe('review');
  });

  it('a rejected supplier is no candidate again', () => {
    const found = matchVendor('halloran fittings', index, [{ kind: 'REJECTED', supplierCodes: ['V1'] }]);
    expect(found.decision).toBe('none');
    expect(found.candidates.map(({ supplier }) => supplier.code)).not.toContain('V1');
  });
});

describe('an index that changes', () => {
  it('answers like one built afresh after suppliers were added, renamed and removed', () => {
    const index = indexOf('Halloran Fittings Ltd', 'Cragmire Motors Ltd');
    decide('warm', index);
    index.add({ code: 'V3', name: 'Oxlip Printers Ltd', active: true });
    index.add({ code: 'V1', name: 'Vermilion Sandals Ltd', active: true });
    index.remove('V2');
    expect(index.size).toBe(2);
    const fresh = SupplierIndex.build([
      { code: 'V1', name: 'Vermilion Sandals Ltd', active: true },
      { code: 'V3', name: 'Oxlip Printers Ltd', active: true },
    ]);
    for (const raw of [
      'halloran fittings',
      'vermilion sandals',
      'oxlip printer',
      'cragmire motors',
      'oxlpi prinetrs',
    ]) {
      expect(matchVendor(raw, index, [])).toEqual(matchVendor(raw, fresh, []));
    }
  });
});
