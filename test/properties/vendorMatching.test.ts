/**
 * What holds for every descriptor and every supplier list. A surprising failure here means that an answer depends on
 * order or chance, or that a person's "no" or an inactive supplier was overlooked.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Memory,
  matchVendor,
  matchVendors,
  normaliseMerchant,
  type SupplierEntry,
  SupplierIndex,
  takeApart,
} from '../../src/domain/vendor/index.js';

const word = fc.constantFrom(
  'Halloran',
  'Brindlewood',
  'Cragmire',
  'Zarnwick',
  'Oxlip',
  'Oxlips',
  'Tesco',
  'Moto',
  'Iceland',
  'Holiday',
  'Inn',
  'Leeds',
  'Foods',
  'Motors',
  'Stores',
  'Coffee',
  'The',
  '&',
  'Ltd',
  'Limited',
  'PLC',
  '(UK)',
  't/a',
  'Söhne',
  'A',
  'B',
  '24',
  'Petroleum',
);
const name = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '));
const suppliers = fc
  .array(fc.record({ name: fc.oneof(name, fc.string({ maxLength: 30 })), active: fc.boolean() }), { maxLength: 25 })
  .map((items) =>
    items.map(
      ({ name: text, active }, i): SupplierEntry => ({ code: `S${String(i).padStart(3, '0')}`, name: text, active }),
    ),
  );
const descriptor = fc.oneof(
  name.map((text) => text.toLowerCase()),
  fc.tuple(name, fc.nat(30)).map(([text, length]) => text.toLowerCase().slice(0, length)),
  fc
    .tuple(
      fc.constantFrom('paypal ', 'www.', 'iz ', 'eb ', 'sq *'),
      name,
      fc.constantFrom('', '.co.uk', ' 4471', ' n/b bk', ' f/stn'),
    )
    .map((parts) => parts.join('').toLowerCase()),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

describe('vendor matching', () => {
  it('never throws and always explains itself, whatever the text', () => {
    fc.assert(
      fc.property(descriptor, suppliers, (raw, entries) => {
        const found = matchVendor(raw, SupplierIndex.build(entries), []);
        expect(found.score).toBeGreaterThanOrEqual(0);
        expect(found.score).toBeLessThanOrEqual(1);
        expect(found.explanation).not.toBe('');
        expect(takeApart(raw).raw).toBe(raw);
        expect(normaliseMerchant(raw) === '').toBe(raw === '');
      }),
      { numRuns: 300 },
    );
  });

  it('answers the same in any order of suppliers and of questions', () => {
    fc.assert(
      fc.property(
        suppliers.chain((entries) =>
          fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
        ),
        fc.array(descriptor, { minLength: 1, maxLength: 8 }),
        ([entries, shuffled], texts) => {
          const one = SupplierIndex.build(entries);
          const other = SupplierIndex.build(shuffled);
          const forward = texts.map((text) => matchVendor(text, one, []));
          const backward = [...texts]
            .reverse()
            .map((text) => matchVendor(text, other, []))
            .reverse();
          expect(backward).toEqual(forward);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('answers the same in any batch, of any size and in any order', () => {
    fc.assert(
      fc.property(
        suppliers,
        fc.array(descriptor, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        (entries, texts, size) => {
          const index = SupplierIndex.build(entries);
          const alone = texts.map((text) => matchVendor(text, index, []));
          const batches: string[][] = [];
          for (let at = 0; at < texts.length; at += size) batches.push(texts.slice(at, at + size));
          expect(batches.flatMap((batch) => matchVendors(batch, index))).toEqual(alone);
          expect(matchVendors([...texts, ...texts].reverse(), index).reverse()).toEqual([...alone, ...alone]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('answers the same from an index that grew, changed and shrank as from a fresh one', () => {
    fc.assert(
      fc.property(suppliers, suppliers, descriptor, (first, second, raw) => {
        const grown = SupplierIndex.build(first);
        matchVendor(raw, grown, []);
        for (const entry of second) grown.add(entry);
        for (const entry of first.slice(second.length)) grown.remove(entry.code);
        expect(matchVendor(raw, grown, [])).toEqual(matchVendor(raw, SupplierIndex.build(second), []));
      }),
      { numRuns: 200 },
    );
  });

  it('never chooses or shows an inactive or a rejected supplier, and never guesses a code', () => {
    fc.assert(
      fc.property(
        descriptor,
        suppliers,
        fc.array(fc.nat(24), { maxLength: 6 }),
        fc.option(fc.nat(24)),
        (raw, entries, no, alias) => {
          const code = (i: number): string => `S${String(i).padStart(3, '0')}`;
          const memory: Memory[] = [{ kind: 'REJECTED', supplierCodes: no.map(code) }];
          if (alias !== null) memory.push({ kind: 'ALIAS', supplierCode: code(alias) });
          const found = matchVendor(raw, SupplierIndex.build(entries), memory);
          const shown = [
            ...found.candidates.map(({ supplier }) => supplier.code),
            ...(found.supplierCode === null ? [] : [found.supplierCode]),
          ];
          for (const shownCode of shown) {
            expect(entries.find((entry) => entry.code === shownCode)?.active).toBe(true);
            expect(no.map(code)).not.toContain(shownCode);
          }
          if (found.decision === 'auto') expect(found.supplierCode).not.toBeNull();
          if (found.decision === 'none') expect(found.supplierCode).toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a rejection changes nothing but the absence of the rejected', () => {
    fc.assert(
      fc.property(descriptor, suppliers, (raw, entries) => {
        const index = SupplierIndex.build(entries);
        const top = matchVendor(raw, index, []).candidates[0]?.supplier.code;
        fc.pre(top !== undefined);
        const after = matchVendor(raw, index, [{ kind: 'REJECTED', supplierCodes: [top ?? ''] }]);
        expect(after.candidates.map(({ supplier }) => supplier.code)).not.toContain(top);
      }),
      { numRuns: 200 },
    );
  });
});
