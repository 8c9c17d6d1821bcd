/** A file of card spend as a Brex account and its ledger. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SANDBOX_ACCESS, startBrexSandbox } from '../../../src/sandbox/brex/index.js';
import { fromCardSpend } from '../../../src/sandbox/scenario/index.js';
import { parseSysproSeed } from '../../../src/sandbox/syspro/index.js';

const HEADER =
  'source_file,source_row,transaction_date,vat_description,original_amount,original_currency,billing_amount,' +
  'billing_currency,merchant_name,card_number_masked,account_code,account_description,cost_centre_code,' +
  'cost_centre_description,cac_code_3,directorate';
const card = '************8061';
const ROWS = [
  `april,3,2016-03-30,VR,50.00,,,,garage one,${card},K020,Vehicle Fuel,RV-12,"Elders Centre, Conybere St",A00,Adults`,
  `april,4,2016-04-19,VR,-60.98,GBP,-60.98,GBP,garage one,${card},K020,Vehicle Fuel,RV-12,Elders Centre,A00,Adults`,
  `april,5,2017-02-01,,10.00,EUR,8.61,GBP,cafe paris,************4485,,,,,,`,
  `april,6,2017-02-02,VZ,1500,JPY,9.85,GBP,tokyo books,${card},L100,Books,RV-12,Elders Centre,A00,Adults`,
];
const text = (rows: string[]) => `${[HEADER, ...rows].join('\n')}\n`;
const stream = (rows: string[]) => Readable.from([text(rows)]);

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'card-spend-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('card spend from a file', () => {
  it('makes one purchase a row with its own currencies, falling back to pounds and the original amount', async () => {
    const { brex, problems } = await fromCardSpend(stream(ROWS));
    expect(problems).toEqual([]);
    expect(
      brex.purchases.map((row) => [row.key, row.amountMinor, row.currency, row.originalMinor, row.originalCurrency]),
    ).toEqual([
      ['april-3', 5_000, 'GBP', undefined, undefined],
      ['april-4', -6_098, 'GBP', undefined, undefined],
      ['april-5', 861, 'GBP', 1_000, 'EUR'],
      ['april-6', 985, 'GBP', 1_500, 'JPY'],
    ]);
  });

  it('leaves empty codes uncoded and keeps the other columns as dimensions', async () => {
    const { brex } = await fromCardSpend(stream(ROWS));
    expect(brex.purchases[2]?.lines[0]?.coding).toEqual({
      ...{ gl_account: null, cost_center: null, vat: null, cac: null, directorate: null },
    });
    expect(brex.purchases[0]?.lines[0]?.coding).toEqual({
      ...{ gl_account: 'K020', cost_center: 'RV-12', vat: 'VR', cac: 'A00', directorate: 'Adults' },
    });
    expect(brex.fields.map((field) => [field.remoteId, field.values.length])).toEqual([
      ['gl_account', 2],
      ['cost_center', 1],
      ['vat', 2],
      ['cac', 1],
      ['directorate', 1],
    ]);
  });

  it('makes a ledger of all pairs of codes whose open years, April to March, cover the file', async () => {
    const { syspro } = await fromCardSpend(stream(ROWS));
    const ledger = parseSysproSeed(syspro);
    expect(ledger.accounts.map((account) => account.code)).toEqual(
      expect.arrayContaining(['RV-12.K020', 'RV-12.L100', '00-2150']),
    );
    expect([ledger.localCurrency, ledger.currentYear, ledger.currentPeriod]).toEqual(['GBP', 2017, 11]);
    expect(ledger.periods.every((period) => period.open)).toBe(true);
    expect(ledger.periods[0]).toMatchObject({ year: 2016, period: 1, startsOn: '2015-04-01', endsOn: '2015-04-30' });
    expect(ledger.periods.at(-1)).toMatchObject({ year: 2017, period: 12, endsOn: '2017-03-31' });
  });

  it('names the line of every row that it cannot use', async () => {
    const [good = '', second = ''] = ROWS;
    const bad = [
      good,
      second.replace('-60.98,GBP,-60.98', 'sixty,GBP,-60.98'),
      second.replace('2016-04-19', '2016-02-30'),
      good,
      ROWS[3]?.replace('1500,JPY', '15.5,JPY') ?? '',
    ];
    const { brex, problems } = await fromCardSpend(stream(bad));
    expect(brex.purchases).toHaveLength(1);
    expect(problems.map(({ line, message }) => [line, message.split(':')[0]])).toEqual([
      [3, 'original_amount'],
      [4, 'transaction_date'],
      [5, 'source_row'],
      [6, 'original_amount'],
    ]);
  });

  it('refuses a file without usable rows, and one that is not there', async () => {
    await expect(fromCardSpend(stream([]))).rejects.toThrow(/no usable row/);
    await expect(fromCardSpend(join(folder, 'none.csv'))).rejects.toThrow(/cannot be read/);
  });

  it('reads a compressed file and suppliers, of which inactive ones are on hold', async () => {
    const file = join(folder, 'spend.csv.gz');
    await writeFile(file, gzipSync(text(ROWS)));
    const suppliers = join(folder, 'suppliers.csv');
    const lines = ['supplier_code,name,active,city,postcode,currency', 'S0001,Garage One Ltd,true,York,Y1,GBP'];
    await writeFile(suppliers, [...lines, 'S0002,Cafe Paris,false,York,Y2,GBP', 'S0003,,true,York,Y2,GBP'].join('\n'));
    const { brex, problems, syspro } = await fromCardSpend(file, { suppliers });
    expect(brex.purchases).toHaveLength(4);
    expect(syspro.suppliers).toEqual([
      { code: 'S0001', name: 'Garage One Ltd', onHold: false, currency: 'GBP' },
      { code: 'S0002', name: 'Cafe Paris', onHold: true, currency: 'GBP' },
    ]);
    expect(problems).toMatchObject([{ file: 'suppliers', line: 4 }]);
  });

  it('is served as three linked views that add up to the same', async () => {
    const { brex } = await fromCardSpend(stream(ROWS));
    const sandbox = await startBrexSandbox({ data: brex });
    try {
      const { accountingRecords, cardTransactions, expenses } = sandbox.control.summary();
      for (const view of [accountingRecords, cardTransactions, expenses]) {
        expect(view.byCurrency).toEqual({ GBP: { count: 4, total: '7.48' } });
      }
      const headers = { authorization: `Bearer ${SANDBOX_ACCESS.userToken}` };
      const reply = await fetch(`${sandbox.url}/v3/accounting/records/accr_april-6`, { headers });
      expect(await reply.json()).toMatchObject({
        source_id: 'expense_april-6',
        ...{ amount: { amount: 9.85, currency: 'GBP' }, original_amount: { amount: 1500, currency: 'JPY' } },
      });
    } finally {
      await sandbox.close();
    }
  });
});
