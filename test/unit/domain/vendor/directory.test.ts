// Suppliers and vendors kept in step. What would surprise: a vendor renamed over a person's own change, two vendors of one
// supplier, a conflict that is told again and again, or anything at all that disappears.
import { describe, expect, it } from 'vitest';
import { type DirectoryState, decideDirectory, openDirectory } from '../../../../src/domain/vendor/directory.js';
import { carriedOut, linked, stateOf, supplier, vendor, word } from './directoryWorld.js';

const decide = (over: Partial<DirectoryState>) => decideDirectory(stateOf(over)).actions;

const toMatch = (state: DirectoryState) => openDirectory(state).toMatch(state.words);

/** What it comes to, and that nothing is left to do after it. */
function settled(over: Partial<DirectoryState>): DirectoryState {
  const state = stateOf(over);
  const after = carriedOut(state, decideDirectory(state).actions);
  expect(decideDirectory(after).actions).toEqual([]);
  return after;
}

describe('a supplier that is new', () => {
  it('adopts the vendor of its name, whatever its accents and case', () => {
    const state = { suppliers: [supplier('S1', 'Müller GmbH')], vendors: [vendor('v1', 'MULLER GMBH')] };
    expect(decide(state)).toMatchObject([{ kind: 'LINK', supplierCode: 'S1', vendorId: 'v1', basis: 'NAME' }]);
    expect(settled(state).vendors).toEqual(state.vendors);
  });

  it('gets a vendor in ASCII when there is none of its name', () => {
    expect(decide({ suppliers: [supplier('S1', 'Größe & Søn')], vendors: [vendor('v1', 'Other')] })).toMatchObject([
      { kind: 'CREATE', supplierCode: 'S1', name: 'Grosse & Son' },
    ]);
    settled({ suppliers: [supplier('S1', 'Größe & Søn')] });
  });

  it('whose name cannot be written in ASCII is called by its code', () => {
    const after = settled({ suppliers: [supplier('S1', '株式会社'), supplier('S2', '有限会社')] });
    expect(after.vendors.map(({ name }) => name)).toEqual(['Supplier S1', 'Supplier S2']);
  });

  it('shares its ASCII name with another: both carry their code', () => {
    const after = settled({ suppliers: [supplier('S1', 'Café'), supplier('S2', 'Cafe')] });
    expect(after.vendors.map(({ name }) => name)).toEqual(['Cafe (S1)', 'Cafe (S2)']);
  });

  it('comes to have a name that a linked vendor has: only the new one carries its code', () => {
    const after = settled({
      suppliers: [supplier('S1', 'Cafe'), supplier('S2', 'Café')],
      vendors: [vendor('v1', 'Cafe')],
      links: [linked('S1', 'Cafe', 'v1')],
    });
    expect(after.vendors.map(({ name }) => name)).toEqual(['Cafe', 'Cafe (S2)']);
  });

  it('finds the vendor that was made for it before the answer was lost, code and all', () => {
    const suppliers = [supplier('S1', 'Cafe'), supplier('S2', 'Café')];
    const vendors = [vendor('v9', 'Cafe (S1)')];
    expect(decide({ suppliers, vendors })).toMatchObject([
      { kind: 'LINK', supplierCode: 'S1', vendorId: 'v9' },
      { kind: 'CREATE', supplierCode: 'S2' },
    ]);
  });

  it('whose code and name are those of another together still gets a name of its own', () => {
    const suppliers = [supplier('S1', 'Cafe (S2)'), supplier('S2', 'Cafe'), supplier('S3', 'Cafe')];
    expect(settled({ suppliers }).vendors.map(({ name }) => name)).toEqual([
      'Cafe (S2) (S1)',
      'Cafe (S2)',
      'Cafe (S3)',
    ]);
  });

  it('for which no name is left is a conflict, not a second vendor', () => {
    const after = settled({
      suppliers: [supplier('S1', 'Cafe'), supplier('S2', 'Tea'), supplier('S3', 'Milk')],
      vendors: [vendor('v1', 'Cafe'), vendor('v2', 'Cafe (S1)')],
      links: [linked('S2', 'Tea', 'v1', 'Cafe'), linked('S3', 'Milk', 'v2', 'Cafe (S1)')],
    });
    expect(after.links.find(({ supplierCode }) => supplierCode === 'S1')).toMatchObject({
      ...{ state: 'CONFLICT', vendorId: null, note: expect.stringContaining('no name') },
    });
  });

  it('that is inactive gets nothing', () => {
    expect(decide({ suppliers: [supplier('S1', 'Cafe', false)], vendors: [vendor('v1', 'Cafe')] })).toEqual([]);
  });
});

describe('a vendor that is new', () => {
  const suppliers = [supplier('S1', 'Acme Incorporated'), supplier('S2', 'Acme Tools')];
  const vendors = [vendor('v1', 'Acme Inc')];
  const links = [linked('S2', 'Acme Tools', 'v2')];
  const known = { suppliers, vendors: [...vendors, vendor('v2', 'Acme Tools')], links };

  it('is asked about when its name alone does not say whose it is', () => {
    expect(toMatch(stateOf(known))).toEqual(vendors);
    expect(toMatch(stateOf({ suppliers, vendors: [vendor('v1', 'ACME tools')] }))).toEqual([]);
  });

  it.each(['MATCHER', 'PERSON'] as const)('is linked when the %s is certain, under the name it has', (by) => {
    const after = settled({ ...known, words: new Map([['v1', word({ by, supplierCode: 'S1' })]]) });
    expect(after.links).toContainEqual(linked('S1', 'Acme Incorporated', 'v1', 'Acme Inc'));
    expect(after.vendors).toHaveLength(2);
  });

  it('that may be a supplier keeps that supplier from getting another one', () => {
    const words = new Map([['v1', word({ candidates: ['S1'] })]]);
    expect(decideDirectory(stateOf({ ...known, words }))).toEqual({ actions: [], waiting: ['S1'] });
  });

  it('that a person said is not the supplier of its name is not adopted', () => {
    const words = new Map([['v1', word({ by: 'PERSON', rejected: ['S1'] })]]);
    const after = settled({ suppliers: [supplier('S1', 'Acme Inc')], vendors, words });
    expect(after.links).toEqual([linked('S1', 'Acme Inc', 'made-S1-1', 'Acme Inc (S1)')]);
  });

  it('goes to the supplier that a person named, not to that of its name', () => {
    const words = new Map([['v1', word({ by: 'PERSON', supplierCode: 'S2' })]]);
    const after = settled({ suppliers: [supplier('S1', 'Acme Inc'), supplier('S2', 'Tools')], vendors, words });
    expect(after.links.find(({ supplierCode }) => supplierCode === 'S2')?.vendorId).toBe('v1');
    expect(after.links.find(({ supplierCode }) => supplierCode === 'S1')?.vendorName).toBe('Acme Inc (S1)');
  });

  it('is one of several that fit: a person chooses', () => {
    const both = [vendor('v1', 'Acme Inc'), vendor('v3', 'Acme, Inc.')];
    const words = new Map(both.map(({ id }) => [id, word({ supplierCode: 'S1' })]));
    const after = settled({ suppliers: [supplier('S1', 'Acme Incorporated')], vendors: both, words });
    expect(after.links).toMatchObject([{ state: 'CONFLICT', vendorId: null, note: expect.stringContaining('v3') }]);
    const chosen = new Map([...words, ['v3', word({ by: 'PERSON', supplierCode: 'S1' })] as const]);
    expect(decideDirectory({ ...after, words: chosen }).actions).toMatchObject([{ kind: 'LINK', vendorId: 'v3' }]);
  });

  it('becomes a supplier only by a person’s decision and the pipeline’s policy together', () => {
    const create = { matchId: 'vm_1', name: 'Acme Inc' };
    const words = new Map([['v1', word({ by: 'PERSON', create })]]);
    expect(decide({ vendors, words })).toEqual([]);
    expect(decide({ vendors, words, createsSuppliers: true })).toEqual([
      { kind: 'CREATE_SUPPLIER', vendorId: 'v1', ...create },
    ]);
    expect(decide({ vendors, createsSuppliers: true })).toEqual([]);
    expect(toMatch(stateOf({ vendors, words }))).toEqual([]);
  });
});

describe('a link', () => {
  const links = [linked('S1', 'Acme', 'v1')];
  const now = (name: string, vendorName: string, more: Partial<DirectoryState> = {}): Partial<DirectoryState> => ({
    ...{ suppliers: [supplier('S1', name)], vendors: [vendor('v1', vendorName)], links, ...more },
  });

  it('whose sides are as they were is left alone', () => {
    expect(decide(now('Acme', 'Acme'))).toEqual([]);
    expect(decide(now('Acme', 'ACME '))).toMatchObject([{ kind: 'AGREE' }]);
  });

  it('renamed in the ledger is renamed in the spend system', () => {
    expect(decide(now('Acmé Größe', 'Acme'))).toMatchObject([{ kind: 'RENAME', vendorId: 'v1', name: 'Acme Grosse' }]);
    expect(settled(now('Acmé Größe', 'Acme')).vendors).toEqual([vendor('v1', 'Acme Grosse')]);
    expect(settled(now('ACME', 'Acme')).vendors).toEqual([vendor('v1', 'ACME')]);
  });

  it('renamed in the ledger to a name that another vendor has carries its code', () => {
    const taken = now('Zeta', 'Acme', { vendors: [vendor('v1', 'Acme'), vendor('v2', 'zeta')] });
    expect(decide({ ...taken, words: new Map([['v2', word({ by: 'PERSON', rejected: ['S1'] })]]) })).toMatchObject([
      { kind: 'RENAME', name: 'Zeta (S1)' },
    ]);
  });

  it('renamed in the spend system is a conflict until the names agree again', () => {
    const after = settled(now('Acme', 'Acme Europe'));
    expect(after.links).toMatchObject([{ state: 'CONFLICT', vendorName: 'Acme' }]);
    expect(after.links[0]?.note).toContain('was renamed in the spend system from "Acme" to "Acme Europe"');
    expect(settled({ ...after, vendors: [vendor('v1', 'Acme')] }).links).toEqual(links);
    expect(settled({ ...after, suppliers: [supplier('S1', 'ACME Europe')] }).links).toEqual([
      linked('S1', 'ACME Europe', 'v1', 'Acme Europe'),
    ]);
  });

  it('in conflict says what is the matter now, once', () => {
    const renamed = settled(now('Acme', 'Acme Europe'));
    const after = settled({ ...renamed, suppliers: [supplier('S1', 'Acme', false)] });
    expect(after.links).toMatchObject([
      { state: 'CONFLICT', note: expect.stringContaining('inactive'), vendorName: 'Acme' },
    ]);
    expect(settled({ ...after, suppliers: [supplier('S1', 'Acme')] }).links).toEqual(renamed.links);
  });

  it('renamed on both sides is a conflict, unless to the same name', () => {
    expect(decide(now('Beta', 'Gamma'))).toMatchObject([
      { kind: 'CONFLICT', note: expect.stringContaining('Both sides were renamed') },
    ]);
    expect(decide(now('Beta', 'beta'))).toMatchObject([{ kind: 'AGREE', supplierName: 'Beta', vendorName: 'beta' }]);
    expect(settled(now('Beta', 'Gamma')).vendors).toEqual([vendor('v1', 'Gamma')]);
  });

  it('to a supplier that was deactivated is a conflict, and whole again when it is active', () => {
    const after = settled(now('Acme', 'Acme', { suppliers: [supplier('S1', 'Acme', false)] }));
    expect(after.links).toMatchObject([{ state: 'CONFLICT', note: expect.stringContaining('inactive') }]);
    expect(after.vendors).toHaveLength(1);
    expect(settled({ ...after, suppliers: [supplier('S1', 'Acme')] }).links).toEqual(links);
  });

  it('to a vendor that was deleted is a conflict: it is not made again, but adopted when a person makes it again', () => {
    const after = settled(now('Acme', 'Acme', { vendors: [] }));
    expect(after.links).toMatchObject([{ state: 'CONFLICT', note: expect.stringContaining('is gone') }]);
    expect(after.vendors).toEqual([]);
    expect(settled({ ...after, vendors: [vendor('v7', 'Acme')] }).links).toEqual([linked('S1', 'Acme', 'v7')]);
  });

  it('ends when both sides are gone', () => {
    expect(decide({ links })).toEqual([{ kind: 'END', supplierCode: 'S1' }]);
    expect(decide({ links, suppliers: [supplier('S1', 'Acme', false)] })).toEqual([
      { kind: 'END', supplierCode: 'S1' },
    ]);
  });

  it('to a supplier that was merged into another moves when a person says so', () => {
    const merged = { suppliers: [supplier('S2', 'Acme Holding')], vendors: [vendor('v1', 'Acme')], links };
    expect(openDirectory(stateOf(merged)).inQuestion()).toEqual(merged.vendors);
    expect(toMatch(stateOf(merged))).toEqual(merged.vendors);
    const conflict = settled({ ...merged, words: new Map([['v1', word({ supplierCode: 'S2' })]]) });
    expect(conflict.links).toMatchObject([
      { supplierCode: 'S1', state: 'CONFLICT', note: expect.stringContaining('no longer in the ledger') },
      { supplierCode: 'S2', vendorName: 'Acme Holding' },
    ]);
    const words = new Map([['v1', word({ by: 'PERSON', supplierCode: 'S2' })]]);
    expect(settled({ ...merged, words }).links).toEqual([linked('S2', 'Acme Holding', 'v1', 'Acme')]);
    // The supplier has a vendor of its own by now: this one is one more of it, and nobody is asked any longer.
    const after = settled({ ...conflict, words });
    expect(after.links).toEqual(conflict.links.slice(1));
    expect(after.vendors).toEqual(conflict.vendors);
  });
});
