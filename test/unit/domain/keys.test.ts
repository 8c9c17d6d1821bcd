import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/domain/canonicalJson.js';
import { documentReference, hashOf, REFERENCE_FORM } from '../../../src/domain/keys.js';
import { InvariantError } from '../../../src/errors.js';

/** A changed spelling here gives documents that are already in a ledger another name: they would be posted twice. */

const fact = { ledgerId: 'ledger-1', pipelineId: 'pipe-1', fact: 'expense:e1', revision: 1, role: 'ORIGINAL' } as const;

describe('document references', () => {
  it('keep the spelling that earlier versions gave', () => {
    expect(documentReference(fact)).toBe('PQMNPGXKDURX9TF');
    expect(documentReference({ ...fact, role: 'REVERSAL' })).toBe('TBLO564RY90OJF0');
  });

  it('fit the shortest searchable field of the ledgers', () => {
    expect(documentReference(fact)).toMatch(REFERENCE_FORM);
  });

  it.each([
    ['ledger', { ...fact, ledgerId: 'ledger-2' }],
    ['pipeline', { ...fact, pipelineId: 'pipe-2' }],
    ['purchase', { ...fact, fact: 'expense:e2' }],
    ['revision', { ...fact, revision: 2 }],
    ['role', { ...fact, role: 'REVERSAL' as const }],
  ])('differ for another %s', (_, other) => {
    expect(documentReference(other)).not.toBe(documentReference(fact));
  });

  it('do not run neighbouring fields together', () => {
    const left = documentReference({ ...fact, ledgerId: 'a', pipelineId: 'bc' });
    expect(documentReference({ ...fact, ledgerId: 'ab', pipelineId: 'c' })).not.toBe(left);
  });
});

describe('hashes', () => {
  it('do not depend on the order in which properties were written', () => {
    expect(hashOf({ a: 1, b: { c: 2n, d: null } })).toBe(hashOf({ b: { d: null, c: 2n }, a: 1 }));
  });

  it('depend on the order of a list', () => {
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
  });

  it('write amounts of any size exactly', () => {
    expect(canonicalJson({ minor: 12345678901234567890n })).toBe('{"minor":"12345678901234567890"}');
  });

  it('leave out what is undefined and sort by code unit', () => {
    expect(canonicalJson({ é: 1, z: undefined, Z: [undefined, true], a: 'x"' })).toBe(
      '{"Z":[null,true],"a":"x\\"","é":1}',
    );
  });

  it.each([[new Date(0)], [Number.NaN], [() => 1], [new Map()]])('refuse what has no exact text: %s', (value) => {
    expect(() => canonicalJson(value)).toThrow(InvariantError);
  });
});
