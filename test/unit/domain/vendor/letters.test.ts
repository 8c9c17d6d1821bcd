/** A surprising failure here means that two different names are taken for one, or one name for two. */
import { describe, expect, it } from 'vitest';
import { recognise } from '../../../../src/domain/vendor/letters.js';
import { editsBetween, fold, similarity, tokenise } from '../../../../src/domain/vendor/text.js';

const even = [1, 1, 1, 1];

describe('recognising a name by its letters', () => {
  it('is certain of equal letters and less so the shorter the word with a letter wrong', () => {
    expect(recognise('brindlewood', ['brindlewood'], even, 0.7).certainty).toBe(1);
    const long = recognise('brindlewoxd', ['brindlewood'], even, 0.7).certainty;
    const short = recognise('briwd', ['briad'], even, 0.7).certainty;
    expect(long).toBeGreaterThan(0.9);
    expect(short).toBeLessThan(long);
  });

  it('weighs a wrong letter by the word it falls in', () => {
    const weights = [1, 0.12];
    const inName = recognise('oxlapdirect', ['oxlip', 'direct'], weights, 0.7).certainty;
    const inFiller = recognise('oxlipdirekt', ['oxlip', 'direct'], weights, 0.7).certainty;
    expect(inFiller).toBeGreaterThan(inName);
  });

  it('takes a word replaced, or another word in front or behind, for another name', () => {
    expect(recognise('felspardirect', ['oxlip', 'direct'], even, 0.5).certainty).toBeLessThan(0.75);
    expect(recognise('oldbrindlewood', ['brindlewood'], even, 0.7).certainty).toBeLessThan(0.75);
    expect(recognise('brindlewoodtwo', ['brindlewood'], even, 0.7).certainty).toBeLessThan(0.75);
  });

  it('takes a known word for meant as it stands', () => {
    const slip = recognise('brindlefood', ['brindlewood'], even, 0.7).certainty;
    expect(recognise('brindlefood', ['brindlewood'], even, 0.7, undefined, () => true).certainty).toBeLessThan(slip);
  });

  it('forgives slips spread over a long name', () => {
    expect(recognise('brindlwoodjoienry', ['brindlewood', 'joinery'], even, 0.7).certainty).toBeGreaterThan(0.85);
  });
});

describe('folding and splitting', () => {
  it('brings both sides to the same letters', () => {
    expect(fold('  ŻÓŁW  &  Søn ')).toBe('zolw & son');
    expect(tokenise(fold("O'Hara & Søn S.p.A."))).toEqual(['ohara', 'and', 'son', 'spa']);
    expect(tokenise('wren?s co-op')).toEqual(['wrens', 'cooperative']);
  });

  it('counts a swap of neighbours once and stops counting where told', () => {
    expect(editsBetween('joinery', 'jionery')).toBe(1);
    expect(editsBetween('joinery', 'abcdefg', 2)).toBe(3);
    expect(similarity('joinery', 'joinery')).toBe(1);
    expect(similarity('joinery', 'plumber')).toBe(0);
  });
});
