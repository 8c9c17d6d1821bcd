// What a mapping names and the ledger has lost. What would surprise: an alert for a dimension that the ledger has no list of,
// for an account that exists only together with a cost centre, for a version that is over, or two for one thing.
import { describe, expect, it } from 'vitest';
import { lostBy, type MappingInUse, merged, versionsAhead } from '../../../src/domain/drift.js';
import type { LedgerRules, MappingRule, MasterData } from '../../../src/domain/plan.js';
import { day, mapping, masterData, rule, rules } from './support.js';

function lost(
  named: MappingRule[],
  over: Partial<MappingInUse> & { data?: Partial<MasterData>; rules?: Partial<LedgerRules> } = {},
) {
  const use: MappingInUse = {
    name: 'Cards',
    pipeline: { offsetAccount: '2110', defaultAccount: null, documentType: 'JOURNAL', closedPeriod: 'HOLD' },
    versions: [mapping(...named)],
    costCentresOf: () => [],
    ...over,
  };
  return lostBy(use, masterData(over.data), rules(over.rules)).map(
    ({ kind, dimension, code, uses }) => `${kind} ${dimension ?? ''} ${code} by ${uses.join(' and ')}`,
  );
}

const RULE = (number: number) => `rule ${number} of mapping version 3 of "Cards"`;

describe('a mapping', () => {
  it('of which the ledger has everything lost nothing', () => {
    expect(lost([rule({ costCentre: 'CC1', dimensions: { Project: 'P1' }, taxCode: 'VR' })])).toEqual([]);
  });

  it.each<[string, MappingRule, string]>([
    ['an account that is not there', rule({ glAccount: '7777' }), `ACCOUNT  7777 by ${RULE(1)}`],
    ['an account that is not active', rule({ glAccount: '6300' }), `ACCOUNT  6300 by ${RULE(1)}`],
    ['an account that is closed to everybody', rule({ glAccount: '2000' }), `ACCOUNT  2000 by ${RULE(1)}`],
    ['a cost centre', rule({ costCentre: 'CC9' }), `DIMENSION CostCentre CC9 by ${RULE(1)}`],
  ])('has lost %s', (_what, named, said) => {
    expect(lost([named])).toEqual([said]);
  });

  it('has lost a dimension value or a tax code only where the ledger lists them', () => {
    const named = [rule({ dimensions: { Project: 'P9' }, taxCode: 'VX' })];
    expect(lost(named)).toEqual([]);
    const dimensionValue = () => undefined;
    expect(lost(named, { data: { dimensionValue } })).toEqual([
      `DIMENSION Project P9 by ${RULE(1)}`,
      `TAX_CODE  VX by ${RULE(1)}`,
    ]);
    const inactive = () => ({ name: 'Old', active: false });
    expect(lost(named, { data: { dimensionValue: inactive } })).toHaveLength(2);
  });

  it('names the offset, default, rounding and tax accounts of its pipeline', () => {
    const code = { basis: 'INCLUSIVE' as const, rate: null, recoverablePercent: null };
    const taxCodes = {
      VR: { ...code, treatment: 'REVERSE_CHARGE' as const, account: '1575', outputAccount: '1776' },
      VZ: { ...code, treatment: 'NOT_RECOVERABLE' as const, account: null, outputAccount: null },
    };
    const pipeline = {
      ...{ offsetAccount: '2111', defaultAccount: '6300', roundingAccount: '8888', taxCodes },
      ...{ documentType: 'JOURNAL' as const, closedPeriod: 'HOLD' as const },
    };
    expect(lost([], { pipeline })).toEqual([
      'ACCOUNT  1776 by tax code VR of "Cards"',
      'ACCOUNT  2111 by the offset account of "Cards"',
      'ACCOUNT  6300 by the default account of "Cards"',
      'ACCOUNT  8888 by the rounding account of "Cards"',
    ]);
  });

  it('that names an account by itself is judged with the cost centres it was used with, where the ledger keeps it so', () => {
    const code = ({ glAccount, costCentre }: { glAccount: string; costCentre: string | null }) =>
      costCentre === null ? glAccount : `${costCentre}-${glAccount}`;
    const known = new Set(['2110', 'CC1-6100']);
    const account = (asked: string) =>
      known.has(asked) ? { code: asked, name: asked, active: true, blockedReason: null } : undefined;
    const over = { data: { account }, rules: { isCostCentreInAccount: true, accountCode: code } };
    expect(lost([rule()], over)).toEqual([]);
    expect(lost([rule()], { ...over, costCentresOf: () => ['CC1', 'CC2'] })).toEqual([
      `ACCOUNT  CC2-6100 by ${RULE(1)}`,
    ]);
  });

  it('that names one thing twice has lost it once', () => {
    expect(lost([rule({ glAccount: '7777' }), rule({ merchant: 'x', glAccount: '7777' })])).toEqual([
      `ACCOUNT  7777 by ${RULE(1)} and ${RULE(2)}`,
    ]);
    expect(merged([])).toEqual([]);
  });
});

describe('the versions ahead', () => {
  it('are the one in force and those that begin later', () => {
    const versions = [
      ['2027-01-01', 4],
      ['2026-11-01', 3],
      ['2026-12-01', 2],
      ['1900-01-01', 1],
    ].map(([from, version]) => ({ version: Number(version), effectiveFrom: day(String(from)), rules: [] }));
    expect(versionsAhead(versions, day('2026-11-20')).map(({ version }) => version)).toEqual([4, 3, 2]);
    expect(versionsAhead(versions, day('1899-01-01')).map(({ version }) => version)).toEqual([4, 3, 2, 1]);
  });
});
