// A surprise here means that the simulated M3 keeps, posts or shows documents otherwise than the reference says: what a
// connector proves against it would then prove nothing about M3.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { journalLine, type PlainM3, StillClock, start } from './inforM3Support.js';

let client: PlainM3;
let clock: StillClock;
const KEY = { CONO: '100', KEY1: 'BRX7F3A0C91D2E4', DIVI: 'AAA' };

beforeEach(async () => {
  clock = new StillClock();
  client = await start({ clock });
});
afterEach(() => client.m3.close());

describe('journals of GLS840MI', () => {
  it('a batch becomes a voucher that GLS200MI finds by its text', async () => {
    await client.postJournal(KEY.KEY1);
    client.m3.finishBackgroundWork();
    const rows = await client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261119', TODT: '20261119', DIVI: 'AAA' });
    expect(rows.map(({ AIT1, CUAM, DBCR, VTXT }) => ({ AIT1, CUAM, DBCR, VTXT }))).toEqual([
      { AIT1: '62510', CUAM: '120.50', DBCR: 'D', VTXT: 'BRX7F3A0C91D2E4 Hotel J Doe' },
      { AIT1: '45800', CUAM: '-120.50', DBCR: 'C', VTXT: 'BRX7F3A0C91D2E4 Hotel J Doe' },
    ]);
    const { YEA4 = '', VONO = '' } = rows[0] ?? {};
    const [head] = await client.ok('GLS200MI/GetVoucherHead', { DIVI: 'AAA', YEA4, VONO });
    expect(head).toMatchObject({ DSUM: '120.50', CSUM: '120.50', CUCD: 'USD' });
    expect(client.m3.documents(KEY.KEY1)).toMatchObject([
      { posted: true, number: VONO, debit: '120.50', credit: '120.50' },
    ]);
  });

  it('UpdBatch says OK before there is a voucher', async () => {
    await client.postJournal(KEY.KEY1);
    const lines = () => client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261119', TODT: '20261119', DIVI: 'AAA' });
    expect(await lines()).toEqual([]);
    expect(client.m3.documents(KEY.KEY1)).toMatchObject([{ posted: true }]);
    expect(await lines()).toHaveLength(2);
  });

  it('a key that is taken is refused', async () => {
    await client.stageJournal(KEY.KEY1);
    const again = await client.result('GLS840MI/AddBatchHead', { ...KEY, INTN: 'BREXGL', DESC: 'Cards' });
    expect(again).toMatchObject({ errorField: 'KEY1', errorType: 'ServerReturnedNOK' });
  });

  it('a line that is sent twice is there twice, unless the installation refuses it', async () => {
    await client.stageJournal(KEY.KEY1);
    await client.ok('GLS840MI/AddBatchLineFld', journalLine(KEY.KEY1, '1', '62510', '120.50'));
    expect(client.m3.documents(KEY.KEY1)).toMatchObject([{ posted: false, debit: '241.00' }]);
    client.m3.changeSettings({ duplicateLines: 'REFUSED' });
    const refused = await client.result('GLS840MI/AddBatchLineFld', journalLine(KEY.KEY1, '1', '62510', '120.50'));
    expect(refused.errorField).toBe('LINE');
  });

  it('a batch that does not balance is refused by its control', async () => {
    await client.stageJournal(KEY.KEY1);
    await client.ok('GLS840MI/AddBatchLineFld', journalLine(KEY.KEY1, '3', '62510', '0.01'));
    expect((await client.result('GLS840MI/CtrlBatch', KEY)).errorMessage).toContain('does not balance: 0.01');
    expect((await client.result('GLS840MI/UpdBatch', KEY)).errorMessage).toContain('not controlled');
  });

  it('a second UpdBatch makes a second voucher', async () => {
    await client.postJournal(KEY.KEY1);
    await client.ok('GLS840MI/UpdBatch', KEY);
    client.m3.finishBackgroundWork();
    expect(client.m3.summary()).toMatchObject({ posted: 2, duplicates: [KEY.KEY1] });
  });
});

describe('what a batch is refused for', () => {
  async function controlled(account: string, day: string, more: Record<string, string> = {}): Promise<string> {
    await client.ok('GLS840MI/AddBatchHead', { ...KEY, INTN: 'BREXGL', DESC: 'Cards' });
    const line = journalLine(KEY.KEY1, '1', account, '10.00', KEY.KEY1, day);
    await client.ok('GLS840MI/AddBatchLineFld', { ...line, ...more });
    const other = journalLine(KEY.KEY1, '2', '45800', '-10.00', KEY.KEY1, day);
    await client.ok('GLS840MI/AddBatchLineFld', more.CUCD === undefined ? other : { ...other, CUCD: more.CUCD });
    return (await client.result('GLS840MI/CtrlBatch', KEY)).errorField ?? 'none';
  }

  it.each([
    ['nothing', '62510', '20261119', {}, 'none'],
    ['a closed period', '62510', '20261031', {}, 'ACDT'],
    ['a day without a period', '62510', '20270101', {}, 'ACDT'],
    ['an unknown account', '99999', '20261119', {}, 'AIT1'],
    ['a blocked account', '62900', '20261119', {}, 'AIT1'],
    ['a control account', '44000', '20261119', {}, 'AIT1'],
    ['a missing cost centre', '62600', '20261119', {}, 'AIT2'],
    ['a blocked cost centre', '62600', '20261119', { AIT2: 'GONE' }, 'AIT2'],
    ['an unknown value of a further dimension', '62510', '20261119', { AIT3: 'NOPE' }, 'AIT3'],
    ['an unknown currency', '62510', '20261119', { CUCD: 'CHF' }, 'CUCD'],
  ])('%s', async (_what, account, day, more, field) => {
    expect(await controlled(account, day, more)).toBe(field);
  });

  it('an unknown interface, input record, batch or company', async () => {
    const head = { ...KEY, INTN: 'OTHER', DESC: 'x' };
    expect((await client.result('GLS840MI/AddBatchHead', head)).errorField).toBe('INTN');
    expect((await client.result('GLS840MI/AddBatchHead', { ...head, CONO: '200' })).errorCode).toBe('XAU0008');
    const line = journalLine('NONE', '1', '62510', '1.00');
    expect((await client.result('GLS840MI/AddBatchLineFld', line)).errorField).toBe('KEY1');
    expect((await client.result('GLS840MI/AddBatchLineFld', { ...line, INRI: 'X9' })).errorField).toBe('INRI');
  });

  it('errors of an update may be told to nobody', async () => {
    client.m3.changeSettings({ updateErrors: 'SILENT', controlRequired: false });
    await client.stageJournal(KEY.KEY1);
    client.m3.setPeriodOpen('2026-11-19', false);
    await client.ok('GLS840MI/UpdBatch', KEY);
    client.m3.finishBackgroundWork();
    expect(client.m3.glBatches()[0]?.failure).toContain('closed');
    expect(client.m3.documents(KEY.KEY1)).toMatchObject([{ posted: false }]);
  });

  it('a period that closes between the answer and the update leaves no voucher and no message', async () => {
    await client.postJournal(KEY.KEY1);
    client.m3.setPeriodOpen('2026-11-19', false);
    client.m3.finishBackgroundWork();
    expect(client.m3.summary().posted).toBe(0);
  });

  it('a second UpdBatch, where the installation refuses it', async () => {
    client.m3.changeSettings({ repeatedUpdate: 'REFUSED' });
    await client.postJournal(KEY.KEY1);
    expect((await client.result('GLS840MI/UpdBatch', KEY)).errorField).toBe('KEY1');
  });
});

describe('how installations differ', () => {
  it('sides may be codes beside positive amounts, in and out', async () => {
    client.m3.changeSettings({ signs: 'CODED', readSigns: 'CODED' });
    await client.ok('GLS840MI/AddBatchHead', { ...KEY, INTN: 'BREXGL', DESC: 'Cards' });
    const line = (number: string, account: string, amount: string, side: string) =>
      client.ok('GLS840MI/AddBatchLineFld', { ...journalLine(KEY.KEY1, number, account, amount), DBCR: side });
    await line('1', '62510', '10.00', 'D');
    await line('2', '45800', '10.00', 'C');
    await client.ok('GLS840MI/CtrlBatch', KEY);
    await client.ok('GLS840MI/UpdBatch', KEY);
    client.m3.finishBackgroundWork();
    const rows = await client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261119', TODT: '20261119' });
    expect(rows.map(({ CUAM, DBCR }) => [CUAM, DBCR])).toEqual([
      ['10.00', 'D'],
      ['10.00', 'C'],
    ]);
    await client.ok('GLS840MI/AddBatchHead', { ...KEY, KEY1: 'B2', INTN: 'BREXGL', DESC: 'Cards' });
    await client.ok('GLS840MI/AddBatchLineFld', { ...journalLine('B2', '1', '62510', '-10.00'), DBCR: 'D' });
    expect((await client.result('GLS840MI/CtrlBatch', { ...KEY, KEY1: 'B2' })).errorField).toBe('CUAM');
  });

  it('without AddBatchLineFld a line is one string cut by position', async () => {
    client.m3.changeSettings({ release: 'onprem-15', interfaceUsage: 'POSITIONS' });
    await client.ok('GLS840MI/AddBatchHead', { ...KEY, INTN: 'BREXGL', DESC: 'Cards' });
    const parameter = (account: string, amount: string) =>
      `${'1'.padEnd(10)}20261119${account.padEnd(10)}${''.padEnd(20)}USD${amount.padStart(17)} ${KEY.KEY1} Hotel`;
    const line = (LINE: string, PARM: string) => client.result('GLS840MI/AddBatchLine', { ...KEY, LINE, PARM });
    expect((await line('1', parameter('62510', '10.00'))).errorMessage).toBeUndefined();
    expect((await line('2', parameter('45800', '-10.00'))).errorMessage).toBeUndefined();
    expect((await line('3', 'x'.repeat(200))).errorField).toBe('PARM');
    await client.ok('GLS840MI/CtrlBatch', KEY);
    await client.ok('GLS840MI/UpdBatch', KEY);
    client.m3.finishBackgroundWork();
    expect(client.m3.documents(KEY.KEY1)).toMatchObject([{ posted: true, debit: '10.00' }]);
    client.m3.changeSettings({ interfaceUsage: 'FIELDS' });
    expect((await line('4', parameter('62510', '1.00'))).errorField).toBe('INTN');
  });

  it('every group of lines is a voucher of its own', async () => {
    await client.ok('GLS840MI/AddBatchHead', { ...KEY, INTN: 'BREXGL', DESC: 'Cards' });
    for (const group of ['1', '2']) {
      const line = (number: string, account: string, amount: string) =>
        client.ok('GLS840MI/AddBatchLineFld', { ...journalLine(KEY.KEY1, number, account, amount), GRNR: group });
      await line(`${group}1`, '62510', '10.00');
      await line(`${group}2`, '45800', '-10.00');
    }
    await client.ok('GLS840MI/CtrlBatch', KEY);
    await client.ok('GLS840MI/UpdBatch', KEY);
    client.m3.finishBackgroundWork();
    expect(client.m3.summary()).toMatchObject({ posted: 2, unbalanced: 0 });
  });

  it('foreign amounts are converted exactly and still balance', async () => {
    await client.ok('GLS840MI/AddBatchHead', { ...KEY, INTN: 'BREXGL', DESC: 'Cards' });
    const amounts = ['0.05', '0.05', '-0.10'];
    for (const [index, amount] of amounts.entries()) {
      const line = journalLine(KEY.KEY1, String(index + 1), amount.startsWith('-') ? '45800' : '62510', amount);
      await client.ok('GLS840MI/AddBatchLineFld', { ...line, CUCD: 'EUR' });
    }
    await client.ok('GLS840MI/CtrlBatch', KEY);
    await client.ok('GLS840MI/UpdBatch', KEY);
    client.m3.finishBackgroundWork();
    const rows = await client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261119', TODT: '20261119' });
    expect(rows.map(({ CUAM, ACAM }) => [CUAM, ACAM])).toEqual([
      ['0.05', '0.06'],
      ['0.05', '0.06'],
      ['-0.10', '-0.12'],
    ]);
  });
});

describe('finding vouchers', () => {
  it('two batches with one reference in their texts are a duplicate, whatever their keys', async () => {
    await client.postJournal('BRX1');
    await client.stageJournal('BRX1A', 'BRX1');
    expect(client.m3.summary().duplicates).toEqual([]);
    expect(client.m3.documents('BRX1').map(({ posted }) => posted)).toEqual([false, false]);
    client.m3.finishBackgroundWork();
    await client.ok('GLS840MI/CtrlBatch', { ...KEY, KEY1: 'BRX1A' });
    await client.ok('GLS840MI/UpdBatch', { ...KEY, KEY1: 'BRX1A' });
    client.m3.finishBackgroundWork();
    expect(client.m3.summary().duplicates).toEqual(['BRX1']);
    expect(client.m3.documents('BRX1')).toHaveLength(2);
  });

  it('the search knows first words and prefixes of texts, where it is there', async () => {
    await client.postJournal('BRX7F3A0C91D2E4');
    await client.postJournal('BRX7F3A0C91D2E5');
    client.m3.finishBackgroundWork();
    const search = (query: string) => client.ok('GLS200MI/SearchGenLedger', { SQRY: query });
    expect(await search('VTXT:BRX7F3A0C91D2E4')).toHaveLength(2);
    expect(await search('BRX7F3A0C9*')).toHaveLength(4);
    expect(await search('BRX*')).toHaveLength(4);
    expect(await search('Hotel')).toEqual([]);
    client.m3.changeSettings({ ledgerSearch: false });
    expect((await client.result('GLS200MI/SearchGenLedger', { SQRY: 'BRX*' })).errorMessage).toContain('not found');
  });

  it('a busy day is cut at the cap and has no start key', async () => {
    client.m3.changeSettings({ recordCap: 3 });
    await client.postJournal('BRX1');
    await client.postJournal('BRX2');
    client.m3.finishBackgroundWork();
    const day = { FRDT: '20261119', TODT: '20261119' };
    expect(await client.ok('GLS200MI/LstVouchersByDt', day, { maxrecs: '0' })).toHaveLength(3);
    expect(await client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261101', TODT: '20261118' })).toEqual([]);
  });

  it('a financial year may begin in another month', async () => {
    client.m3.changeSettings({ fiscalYearFirstMonth: 7 });
    await client.postJournal('BRX1');
    client.m3.finishBackgroundWork();
    const [row] = await client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261119', TODT: '20261119' });
    expect(row).toMatchObject({ YEA4: '2027', ACYP: '202705' });
    const key = { DIVI: 'AAA', YEA4: '2026', VONO: row?.VONO ?? '' };
    expect(await client.ok('GLS200MI/LstVoucherLines', key)).toEqual([]);
    expect(await client.ok('GLS200MI/LstVoucherLines', { ...key, YEA4: '2027' })).toHaveLength(2);
  });
});
