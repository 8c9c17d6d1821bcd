import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection } from '../../../src/connectors/contract.js';
import { all, connect, FakeM3, failureOf } from './inforM3Fake.js';

/** Lists without an offset, cut off in silence. What would be caught: a chart of accounts that ends at the first page. */

let m3: FakeM3;
let ledger: LedgerConnection;
beforeEach(async () => {
  m3 = new FakeM3();
  await m3.start();
  ledger = connect(m3).connection;
});
afterEach(async () => {
  await ledger.disconnect();
  await m3.close();
});

const account = (AITM: string, more: Record<string, string> = {}) => ({
  AITP: '1',
  AITM,
  TX40: `Account ${AITM}`,
  LCCD: '0',
  AT13: '0',
  DIVI: 'AAA',
  ...more,
});

describe('lists', () => {
  it.each([
    ['100 rows whatever is asked for', 1000, true],
    ['1000 rows at most', 1000, false],
    ['17 rows at most', 17, false],
  ])('of a server that gives %s are read to their end', async (_what, cap, ignoresMaxrecs) => {
    const codes = Array.from({ length: 2345 }, (_, index) => String(10_000 + index));
    m3.accounts.push(...codes.map((code) => account(code)));
    Object.assign(m3, { cap, ignoresMaxrecs });
    expect((await all(ledger.listAccounts())).map((one) => one.code)).toEqual(codes);
  });

  it('stop where the next dimension begins', async () => {
    m3.accounts.push(account('1000'), account('SALES', { AITP: '2' }));
    expect((await all(ledger.listAccounts())).map((one) => one.code)).toEqual(['1000']);
    expect(await all(ledger.listDimensionValues())).toEqual([
      { dimension: 'costCentre', code: 'SALES', name: 'Account SALES', active: true },
    ]);
  });

  it('that begin again instead of going on from their last key fail loudly', async () => {
    m3.cap = 5;
    m3.suppliers.push(...Array.from({ length: 9 }, (_, index) => ({ SUNO: `S${index}`, SUNM: 'x', STAT: '20' })));
    m3.hooks.set('CRS620MI.LstByNumber', (inputs) => {
      inputs.SUNO = '';
    });
    expect(await failureOf(all(ledger.listSuppliers()))).toMatchObject({ code: 'LIST_ENDLESS' });
  });
});

describe('accounts', () => {
  it('of the division hide the company’s of the same code', async () => {
    m3.accounts.push(account('1000', { DIVI: '' }), account('2000', { DIVI: '' }), account('1000', { TX40: 'Ours' }));
    expect((await all(ledger.listAccounts())).map((one) => `${one.code} ${one.name}`).sort()).toEqual([
      '1000 Ours',
      '2000 Account 2000',
    ]);
  });

  it('that may not be posted to say why', async () => {
    m3.accounts.push(
      account('1', { LCCD: '1' }),
      account('2', { AT13: '1' }),
      account('3', { AT11: '1' }),
      account('4', { VTDT: '20260101' }),
      account('5', { VFDT: '20270101' }),
      account('6', { VFDT: '20200101', VTDT: '99991231' }),
      account('7', { VFDT: '0', VTDT: '00000000' }),
    );
    const found = (await all(ledger.listAccounts())).map((one) => [one.code, one.active, one.blockedReason]);
    expect(found).toEqual([
      ['1', false, null],
      ['2', true, 'It is blocked for manual entry.'],
      ['3', true, 'It is a control account, which only its sub-ledger posts to.'],
      ['4', true, 'It was valid until 2026-01-01.'],
      ['5', true, 'It is valid from 2027-01-01 only.'],
      ['6', true, null],
      ['7', true, null],
    ]);
  });

  it('ask for dimensions only by codes that the settings name', async () => {
    m3.accounts.push(account('1', { ACR2: '1' }), account('2', { ACR2: '2' }));
    expect((await all(ledger.listAccounts())).every((one) => one.requiredDimensions === undefined)).toBe(true);
    const { connection } = connect(m3, { mandatoryDimensionCodes: ['1'] });
    expect((await all(connection.listAccounts())).map((one) => one.requiredDimensions)).toEqual([
      [{ dimension: 'costCentre', label: 'a cost centre (AIT2)' }],
      undefined,
    ]);
    await connection.disconnect();
  });
});

describe('suppliers, rules and periods', () => {
  it('suppliers are active in the statuses that the settings name', async () => {
    m3.suppliers.push({ SUNO: 'NEW', SUNM: 'New', STAT: '10' }, { SUNO: 'PLAIN', SUNM: 'No status' });
    m3.suppliers.sort((a, b) => ((a.SUNO ?? '') < (b.SUNO ?? '') ? -1 : 1));
    expect((await all(ledger.listSuppliers())).map((one) => [one.code, one.active, one.currency])).toEqual([
      ['BREX01', true, 'USD'],
      ['NEW', false, null],
      ['PLAIN', true, null],
    ]);
  });

  it('the rules tell which dimensions have a place', async () => {
    const { connection } = connect(m3, { dimensions: { project: 'AIT4' }, foreignCurrencies: false });
    const rules = await connection.rules();
    expect([rules.localCurrency, rules.costCentreDimension, rules.memoLength]).toEqual(['USD', 'costCentre', 24]);
    expect([rules.takesDimension?.('project'), rules.takesDimension?.('colour')]).toEqual([true, false]);
    expect((await ledger.rules()).localCurrency).toBeNull();
    await connection.disconnect();
  });

  it('periods are the calendar’s months, or the settings’ own', async () => {
    const months = await ledger.listPeriods();
    const current = months.find((one) => one.label === '2026/11');
    expect(current).toMatchObject({ startsOn: '2026-11-01', endsOn: '2026-11-30', open: true });
    expect(months.every((one, index) => index === 0 || one.startsOn > (months[index - 1]?.endsOn ?? ''))).toBe(true);
    const { connection } = connect(m3, { booksOpenFrom: '2026-11-01' });
    expect((await connection.listPeriods()).filter((one) => one.open).map((one) => one.label)).toEqual([
      '2026/11',
      '2026/12',
      '2027/01',
    ]);
    const own = { label: '2027-05', startsOn: '2026-10-26', endsOn: '2026-11-22', open: false };
    const set = connect(m3, { fiscalPeriods: [own] });
    expect(await set.connection.listPeriods()).toEqual([{ ...own, key: { label: '2027-05' } }]);
    await connection.disconnect();
    await set.connection.disconnect();
  });
});
