/** A surprising failure here means a slip in the list of known brands, which would speak in every tenant's matching. */
import { describe, expect, it } from 'vitest';
import { BRANDS, brandOfSpelling, brandsOfSupplier, leadingBrand } from '../../../../src/domain/vendor/brands.js';

describe('the list of known brands', () => {
  it('has a readable kind, a name and only readable spellings', () => {
    expect(BRANDS.length).toBeGreaterThan(300);
    for (const brand of BRANDS) {
      expect(['chain', 'fuel', 'operator', 'body', 'hotel', 'property']).toContain(brand.kind);
      expect(brand.name).not.toBe('');
      for (const spelling of brand.spellings) {
        expect(spelling.length, brand.name).toBeGreaterThan(0);
        expect(spelling.join('').length, brand.name).toBeGreaterThan(1);
      }
    }
  });

  it('gives no spelling to two brands', () => {
    const owners = new Map<string, string>();
    const shared: string[] = [];
    for (const brand of BRANDS) {
      for (const spelling of new Set(brand.spellings.map((words) => words.join('')))) {
        const owner = owners.get(spelling);
        if (owner !== undefined) shared.push(`${spelling}: ${owner}, ${brand.name}`);
        owners.set(spelling, brand.name);
      }
    }
    expect(shared).toEqual([]);
  });

  it('knows a brand by its supplier names and by the longest spelling in front', () => {
    expect(brandsOfSupplier('tescostores').map(({ name }) => name)).toEqual(['tesco']);
    expect(leadingBrand(['holiday', 'inn', 'express', 'hull'])?.brand.kind).toBe('property');
    expect(leadingBrand(['b', 't', 'p'])).toBeNull();
    expect(brandOfSpelling('nosuchbrand')).toBeNull();
  });
});
