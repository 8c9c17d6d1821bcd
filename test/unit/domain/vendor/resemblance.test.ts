/**
 * Names with many letters wrong. A surprising failure here means that a garbled name of a known supplier would be made a
 * new supplier, or that a stranger who only sounds alike would be posted to one.
 */
import { describe, expect, it } from 'vitest';
import { matchVendor, SupplierIndex } from '../../../../src/domain/vendor/index.js';
import { noisyText, oddsOf } from '../../../../src/domain/vendor/noisyText.js';

const NAMES = [
  'Quillfeather Bindery Ltd',
  'Harrowgate Lantern Works Ltd',
  'Dunmarrow Castings Ltd',
  'Dunmarrow Coaches Ltd',
  'Ostrelle Patisserie SARL',
  'Fenwhistle & Sons Textiles',
  'Fenwhistle & Sons Tyres Ltd',
  'Sainsbury’s Bank PLC',
];

function indexOf(names: readonly string[]): SupplierIndex {
  return SupplierIndex.build(names.map((name, i) => ({ code: `V${i + 1}`, name, active: true })));
}

const index = indexOf(NAMES);

describe('names with many letters wrong', () => {
  it.each([
    ['quxllfethr bidnery', 'V1'],
    ['harowgatelantren wroks', 'V2'],
    ['osterlle pattiserie', 'V5'],
  ])('“%s” is no new supplier: it matches or goes to a person with the right candidate', (text, code) => {
    const { decision, candidates } = matchVendor(text, index, []);
    expect(decision).not.toBe('none');
    expect(candidates[0]?.supplier.code).toBe(code);
  });

  it('a stranger of well-formed words is no supplier', () => {
    expect(matchVendor('marlow garden centre', index, []).decision).toBe('none');
  });

  it('a garbled text that resembles nobody goes to a person and names no supplier', () => {
    const { decision, supplierCode, explanation } = matchVendor('qzhxw vkjqp', index, []);
    expect(decision).toBe('review');
    expect(supplierCode).toBeNull();
    expect(explanation).toContain('letters seem to be wrong');
  });

  it('two names that differ in one word are never told apart by a garbled third', () => {
    expect(matchVendor('fenwhistel & sosn toys', index, []).decision).not.toBe('auto');
  });

  it('a misspelt brand that is no supplier here is not posted to a company that shares its name', () => {
    expect(matchVendor('sainsxurys s/mkts', index, []).decision).not.toBe('auto');
  });

  it('answers alike whatever stood in the index before', () => {
    const grown = indexOf(['Marlow Garden Centre', ...NAMES]);
    NAMES.forEach((name, i) => {
      grown.add({ code: `V${i + 1}`, name, active: true });
    });
    grown.remove(`V${NAMES.length + 1}`);
    grown.add({ code: `V${NAMES.length}`, name: NAMES.at(-1) ?? '', active: true });
    const rebuilt = indexOf(NAMES);
    for (const text of ['quxllfethr bidnery', 'dunmarow coatsings', 'fenwhistel sosn textles'])
      expect(matchVendor(text, grown, [])).toEqual(matchVendor(text, rebuilt, []));
  });
});

describe('the odds of a name', () => {
  const flat = (text: string, cut = false) => noisyText(text, cut, (bits) => bits.fill(4));

  it('fall with every letter that differs', () => {
    const odds = ['lantern', 'lantarn', 'lontarn', 'lontarx'].map((text) => oddsOf(flat(text), 'lantern', -99).bits);
    expect(odds).toEqual([...odds].sort((a, b) => b - a));
    expect(new Set(odds).size).toBe(odds.length);
  });

  it('count two swapped neighbours as one slip', () => {
    expect(oddsOf(flat('latnern'), 'lantern', -99).bits).toBeGreaterThan(oddsOf(flat('lamxern'), 'lantern', -99).bits);
  });

  it('say how far text and name reach into each other', () => {
    expect(oddsOf(flat('lanternshop'), 'lantern', -99)).toMatchObject({ letters: 7, named: 7 });
    expect(oddsOf(flat('lanter', true), 'lanternworks', -99)).toMatchObject({ letters: 6, named: 6 });
  });

  it('stop early only below the least that matters', () => {
    const { bits } = oddsOf(flat('harrowgate'), 'harowgate', -99);
    expect(oddsOf(flat('harrowgate'), 'harowgate', bits - 1).bits).toBe(bits);
    expect(oddsOf(flat('harrowgate'), 'zzzzzzzzz', 0).bits).toBeLessThan(0);
  });
});
