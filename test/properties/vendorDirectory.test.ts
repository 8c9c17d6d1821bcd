/**
 * What holds for every pair of directories. A surprising failure here means an answer that depends on the order of a list,
 * a run that is never done, something deleted, or a vendor that two suppliers share.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DirectoryLink,
  type DirectoryState,
  decideDirectory,
  type VendorWord,
} from '../../src/domain/vendor/directory.js';
import { carriedOut } from '../unit/domain/vendor/directoryWorld.js';

const NAMES = ['Acme', 'ACME', 'Acmé', 'Acme (S1)', 'Acme (S2)', 'Beta', 'Beta & Söhne', '株式会社', 'Supplier S3', ''];
const name = fc.constantFrom(...NAMES);
const code = fc.constantFrom('S1', 'S2', 'S3', 'S4', 's1');
const vendorId = fc.constantFrom('v1', 'v2', 'v3', 'v4');

const suppliers = fc.uniqueArray(fc.record({ code, name, active: fc.boolean() }), { selector: (one) => one.code });
const vendors = fc
  .uniqueArray(fc.record({ id: vendorId, name }), { selector: (one) => one.id })
  // The spend system holds no name twice.
  .map((all) => all.filter((one, at) => all.findIndex((o) => o.name.toLowerCase() === one.name.toLowerCase()) === at));
const linkOf = fc.record({
  ...{ supplierCode: code, vendorId: fc.option(vendorId), supplierName: name, vendorName: fc.option(name) },
  ...{ state: fc.constantFrom('LINKED' as const, 'CONFLICT' as const), note: fc.option(fc.constant('Something.')) },
});
const links = fc.array(linkOf, { maxLength: 5 }).map((all) => {
  const kept: DirectoryLink[] = [];
  for (const link of all) {
    const isTaken = kept.some(
      (one) => one.supplierCode === link.supplierCode || (one.vendorId !== null && one.vendorId === link.vendorId),
    );
    if (!isTaken) kept.push(link);
  }
  return kept;
});
const wordOf: fc.Arbitrary<VendorWord> = fc.record({
  by: fc.constantFrom('PERSON' as const, 'MATCHER' as const),
  supplierCode: fc.option(code),
  candidates: fc.array(code, { maxLength: 2 }),
  rejected: fc.array(code, { maxLength: 2 }),
  create: fc.option(fc.record({ matchId: fc.constant('vm_1'), name }), { freq: 5 }),
});
const words = fc.array(fc.tuple(vendorId, wordOf), { maxLength: 4 }).map((all) => new Map(all));
const world: fc.Arbitrary<DirectoryState> = fc.record({
  ...{ suppliers, vendors, links, words, createsSuppliers: fc.boolean() },
});

const lasting = (state: DirectoryState) =>
  decideDirectory(state).actions.filter((action) => action.kind !== 'CREATE_SUPPLIER');

describe('any two directories', () => {
  it('are decided in the same way in whatever order they come', () => {
    fc.assert(
      fc.property(world, fc.infiniteStream(fc.nat()), (state, random) => {
        const shuffled = <T>(all: readonly T[]): T[] =>
          [...all]
            .map((one) => [random.next().value ?? 0, one] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, one]) => one);
        const other: DirectoryState = {
          ...state,
          suppliers: shuffled(state.suppliers),
          vendors: shuffled(state.vendors),
          links: shuffled(state.links),
          words: new Map(shuffled([...state.words])),
        };
        expect(decideDirectory(other)).toEqual(decideDirectory(state));
      }),
      { numRuns: 2_000 },
    );
  });

  it('come to rest: what was done is not done again', () => {
    fc.assert(
      fc.property(world, (state) => {
        // A vendor that one run sets free may be found by the next: where its supplier is gone and a person said whose it is.
        let now = state;
        for (let run = 0; run < 4; run += 1) now = carriedOut(now, lasting(now));
        expect(lasting(now)).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('lose nobody, and no two suppliers share a vendor or two vendors a name', () => {
    fc.assert(
      fc.property(world, fc.nat({ max: 6 }), (state, done) => {
        // A run may end after any of its steps.
        const after = carriedOut(state, lasting(state).slice(0, done));
        expect(after.suppliers).toEqual(state.suppliers);
        const ids = new Set(after.vendors.map(({ id }) => id));
        for (const { id } of state.vendors) expect(ids).toContain(id);
        const end = carriedOut(after, lasting(after));
        for (const link of state.links) {
          const isOver = !end.links.some(({ supplierCode }) => supplierCode === link.supplierCode);
          const supplier = state.suppliers.find((one) => one.code === link.supplierCode);
          if (isOver) expect(supplier?.active ?? false).toBe(false);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('never give an inactive supplier a vendor, nor one that a person refused to it', () => {
    fc.assert(
      fc.property(world, (state) => {
        for (const action of lasting(state)) {
          if (action.kind !== 'LINK' && action.kind !== 'CREATE' && action.kind !== 'RENAME') continue;
          expect(state.suppliers.find((one) => one.code === action.supplierCode)?.active).toBe(true);
          if (action.kind !== 'LINK' || action.basis !== 'NAME') continue;
          expect(state.words.get(action.vendorId)?.rejected ?? []).not.toContain(action.supplierCode);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
