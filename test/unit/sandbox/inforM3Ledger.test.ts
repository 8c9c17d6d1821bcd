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
