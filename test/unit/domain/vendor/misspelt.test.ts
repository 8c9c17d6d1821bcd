/**
 * A surprising failure here means that a slip of the pen hides a supplier, or, worse, that another business is taken for a
 * supplier with a slip in it. The pairs under "other businesses" have the shape of real descriptors that an earlier,
 * laxer version matched.
 */
import { describe, expect, it } from 'vitest';
import { matchVendor, matchVendors, SupplierIndex, takeApart } from '../../../../src/domain/vendor/index.js';
import { NearWords, SpellingList } from '../../../../src/domain/vendor/nearWords.js';

function decide(raw: string, ...names: string[]) {
  const index = SupplierIndex.build(names.map((name, i) => ({ code: `V${i + 1}`, name, active: true })));
  const { decision, supplierCode, explanation } = matchVendor(raw, index, []);
  return { decision, supplierCode, explanation };
}

function readingsOf(raw: string): string[] {
  return takeApart(raw).readings.map(({ tokens }) => tokens.join(' '));
}

describe('a frame with letters wrong', () => {
  it.each([
    ['payplal zarnwicktiles', 'zarnwicktiles'],
    ['papyalzarnwicktiles', 'zarnwicktiles'],
    ['wwwzarnwicktiles.cou.k', 'zarnwicktiles'],
    ['waww.zarnwicktiles.co.iuk', 'zarnwicktiles'],
    ['zarnwick tiles limised', 'zarnwick tiles'],
    ['zarnwick tilesl td', 'zarnwick tiles'],
  ])('is taken off %s', (raw, business) => {
    expect(readingsOf(raw)).toContain(business);
  });

  it('is one more reading beside the text as it stands', () => {
    expect(takeApart('zarnwick tiles limised').parts.business).toBe('zarnwick tiles limised');
    expect(readingsOf('zarnwick tiles')).toEqual(['zarnwick tiles']);
  });
});

describe('slips', () => {
  it.each([
    ['zarnwick joienry ltd', 'a trade with letters swapped'],
    ['zarnwick joineryy', 'a letter too many'],
    ['zarnwikc joinery', 'letters of the name swapped'],
    ['zarnwickj oinery', 'a blank that moved'],
    ['zanrwick joinrey lltd', 'slips all over'],
  ])('in %s do not hide the supplier (%s)', (raw) => {
    expect(decide(raw, 'Zarnwick Joinery Limited', 'Cragmire Motors Ltd')).toMatchObject({
      decision: 'auto',
      supplierCode: 'V1',
    });
  });

  it('are explained to the person', () => {
    expect(decide('solo tradng ltd', 'Solo Trading Ltd').explanation).toContain('solo trading');
  });
});

describe('other businesses', () => {
  it.each([
    ['arlo medical ltd', 'Argo Medical Ltd'],
    ['retrain travel', 'Train Travel Ltd'],
    ['signsdirect', 'Strings Direct Limited'],
    ['bluebell seafood', 'Bluebell Food Ltd'],
    ['the coffee stop', 'The Coffee Shop Ltd'],
    ['www.thelampstore.co.uk', 'The Cake Store Ltd'],
    ['ebrindler', 'Brindler Ltd'],
    ['pak mobile', 'Pak Supermarkets Ltd'],
    ['ace electrical', 'Apex Electrical Ltd'],
    ['paypal marlowfire', 'Marlow Furniture Ltd'],
  ])('%s is not %s with a slip', (raw, supplier) => {
    expect(decide(raw, supplier).decision).not.toBe('auto');
  });

  it('that share a brand and what follows it make a person decide', () => {
    const found = decide('greggs srcs europaes', 'Greggs PLC', 'Greggs Services Europa Ltd');
    expect(found.decision === 'auto' && found.supplierCode === 'V1').toBe(false);
  });

  it('of two places stay apart with a letter wrong in the place', () => {
    const names = ['Marlow Apartments Nottingham Ltd', 'Marlow Apartments Birmingham Ltd'];
    expect(decide('marlow apartments burmingham', ...names).supplierCode).toBe('V2');
  });
});

describe('words near to a misspelt word', () => {
  it('are found one slip away, and removed words are not', () => {
    const near = new NearWords();
    near.add('brindle', 1);
    near.add('cragmire', 2);
    for (const raw of ['brindle', 'brindl', 'brrindle', 'birndle', 'brixdle']) {
      const found = new Set<number>();
      near.collect(raw, raw.length, found);
      expect([...found]).toContain(1);
    }
    near.remove('brindle', 1);
    const left = new Set<number>();
    near.collect('brindle', 7, left);
    expect(left.has(1)).toBe(false);
  });

  it('are put right only where one word is nearest', () => {
    const list = new SpellingList(['stores', 'stones', 'catering', 'news']);
    expect(list.correct('catreing')).toEqual({ word: 'catering', edits: 1 });
    expect(list.correct('stoes')).toBeNull();
    expect(list.correct('mews')).toBeNull();
  });
});

describe('many descriptors at once', () => {
  it('use the memory of each place and no other', () => {
    const index = SupplierIndex.build([
      { code: 'V1', name: 'Zarnwick Ltd', active: true },
      { code: 'V2', name: 'Cragmire Ltd', active: true },
    ]);
    const raws = ['zarnwick', 'zarnwick', 'zarnwick'];
    const decisions = matchVendors(raws, index, (place) =>
      place === 1 ? [{ kind: 'REJECTED', supplierCodes: ['V1'] }] : [],
    );
    expect(decisions.map(({ supplierCode }) => supplierCode)).toEqual(['V1', null, 'V1']);
  });
});
