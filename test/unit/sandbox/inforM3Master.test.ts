// A surprise here means that master data of the simulated M3 is listed, bounded or blocked otherwise than the reference says.
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startInforM3Sandbox } from '../../../src/sandbox/infor-m3/index.js';
import { type PlainM3, StillClock, smallCompany, start } from './inforM3Support.js';

let client: PlainM3;
let clock: StillClock;

beforeEach(async () => {
  clock = new StillClock();
  client = await start({ clock });
});
afterEach(() => client.m3.close());

const codes = (rows: Record<string, string>[], field: string) => rows.map((row) => row[field]);

describe('accounts and dimensions', () => {
  it('LstAccountID goes on into the next dimension unless the installation stops', async () => {
    const rows = await client.ok('CRS630MI/LstAccountID', { AITP: '1' });
    expect([...new Set(codes(rows, 'AITP'))]).toEqual(['1', '2', '3']);
    client.m3.changeSettings({ accountsRunOn: false });
    const stopped = await client.ok('CRS630MI/LstAccountID', { AITP: '2' });
    expect(codes(stopped, 'AITM')).toEqual(['GONE', 'SALES']);
  });

  it('show what is blocked, kept for sub-ledgers, or needs a cost centre', async () => {
    const rows = await client.ok('CRS630MI/LstAccountID', { AITP: '1' }, { maxrecs: '6' });
    const flags = rows.map(({ AITM, LCCD, AT13, AT11, ACR2 }) => [AITM, LCCD, AT13, AT11, ACR2]);
    expect(flags).toEqual([
      ['44000', '0', '1', '1', '0'],
      ['44500', '0', '0', '0', '0'],
      ['45800', '0', '0', '0', '0'],
      ['62510', '0', '0', '0', '0'],
      ['62600', '0', '0', '0', '1'],
      ['62900', '1', '0', '0', '0'],
    ]);
    const rules = await client.ok('CRS630MI/LstAccountIDACR', { AITP: '1', AITM: '62600' });
    expect(rules).toMatchObject([{ AITV: '2', AITF: '0', AITT: 'ZZZZZZZZZZ' }]);
  });

  it('are kept for the company or for the division, and asking at the other level finds none', async () => {
    expect(await client.ok('CRS630MI/LstAccountID', { AITP: '1', DIVI: 'AAA' })).toEqual([]);
    client.m3.changeSettings({ accountsKeptBy: 'DIVISION' });
    expect(await client.ok('CRS630MI/LstAccountID', { AITP: '1', DIVI: '' })).toEqual([]);
    expect(await client.ok('CRS630MI/GetAccountID', { AITP: '1', AITM: '62510', DIVI: 'AAA' })).toMatchObject([
      { TX40: 'Travel', DIVI: 'AAA', AT02: '1', AT01: '0' },
    ]);
  });

  it('count their changes, and expire', async () => {
    const account = async () => (await client.ok('CRS630MI/GetAccountID', { AITP: '1', AITM: '62510' }))[0];
    expect(await account()).toMatchObject({ CHNO: '1', VTDT: '' });
    client.m3.changeAccount({ code: '62510', validTo: '2026-11-18' });
    expect(await account()).toMatchObject({ CHNO: '2', VTDT: '20261118' });
    await client.stageJournal('BRX1');
    const refused = await client.result('GLS840MI/CtrlBatch', { CONO: '100', KEY1: 'BRX1', DIVI: 'AAA' });
    expect(refused.errorField).toBe('AIT1');
  });
});

describe('suppliers', () => {
  it('LstSuppliers knows what changed since, but not the status', async () => {
    const since = String(clock.ms + 1);
    clock.ms += 10;
    client.m3.setSupplierActive('OFFICE', false);
    const rows = await client.ok('CRS620MI/LstSuppliers', { LMTS: since });
    expect(codes(rows, 'SUNO')).toEqual(['OFFICE']);
    expect(rows[0]).not.toHaveProperty('STAT');
    expect(await client.ok('CRS620MI/GetBasicData', { SUNO: 'OFFICE' })).toMatchObject([
      { STAT: '90', PRSU: 'OFFICE' },
    ]);
  });

  it('are copied from a template, whose name goes along until it is changed', async () => {
    const copy = { STEM: client.m3.access.templateSupplier, SUNO: 'MARRIOTT' };
    expect(await client.ok('CRS620MI/CopyTemplate', copy)).toEqual([{ SUNO: 'MARRIOTT', STAT: '20' }]);
    expect((await client.result('CRS620MI/CopyTemplate', copy)).errorMessage).toContain('already exists');
    expect(await client.ok('CRS620MI/GetBasicData', { SUNO: 'marriott' })).toMatchObject([{ SUNM: 'Template' }]);
    await client.ok('CRS620MI/UpdSupplier', { SUNO: 'MARRIOTT', SUNM: 'Marriott Hotels' });
    expect(await client.ok('CRS620MI/SearchSupplier', { SQRY: 'marriott' })).toMatchObject([
      { SUNM: 'Marriott Hotels' },
    ]);
    expect(client.m3.suppliers()).toContainEqual({ code: 'MARRIOTT', name: 'Marriott Hotels', active: true });
  });

  it('AddSupplier wants more in later releases', async () => {
    const fields = {
      ...{ SUNO: 'NEW', SUNM: 'New', SUTY: '0', CSCD: 'US', DTFM: 'YMD', ORTY: 'A', DT4T: '1', DTCD: '1' },
      ...{ CUCD: 'USD', CRTP: '1', ATPR: '1' },
    };
    expect((await client.result('CRS620MI/AddSupplier', fields)).errorField).toBe('ECAR');
    client.m3.changeSettings({ release: 'ce-2020' });
    expect(await client.ok('CRS620MI/AddSupplier', fields)).toEqual([{ SUNO: 'NEW', STAT: '20' }]);
  });
});

describe('the company', () => {
  it('has divisions, a currency and VAT codes of at most two digits', async () => {
    expect(await client.ok('MNS100MI/GetBasicData', { CONO: '100', DIVI: 'AAA' })).toMatchObject([{ LOCD: 'USD' }]);
    expect(codes(await client.ok('MNS100MI/LstDivisions', { CONO: '100' }), 'DIVI')).toEqual(['', 'AAA', 'BBB']);
    expect(await client.ok('CRS030MI/LstVat')).toMatchObject([{ VTCD: '1', TX40: 'Standard' }]);
    expect(client.m3.taxCodes).toEqual({ STD: '1' });
  });

  it('the .ionapi file is as it is downloaded', () => {
    const { ionapi } = client.m3.access;
    expect(Object.keys(ionapi)).toEqual(
      expect.arrayContaining(['ti', 'cn', 'dt', 'ci', 'cs', 'iu', 'pu', 'oa', 'ot', 'or', 'ev', 'v', 'saak', 'sask']),
    );
    expect(ionapi.pu).toMatch(/\/as\/$/);
    expect(ionapi.saak.startsWith(`${ionapi.ti}#`)).toBe(true);
  });

  it('a seed that M3 could not hold is refused by name', async () => {
    const company = smallCompany();
    await expect(startInforM3Sandbox({ company: { ...company, payablesAccount: '1' } })).rejects.toThrow(
      'payablesAccount',
    );
    const long = [{ code: 'TWELVELETTER', name: 'x' }];
    await expect(startInforM3Sandbox({ company: { ...company, suppliers: long } })).rejects.toThrow('suppliers');
    await expect(startInforM3Sandbox({ company, settings: { recordCap: 0 } })).rejects.toThrow('recordCap');
  });
});

describe('controls', () => {
  async function control(method: 'GET' | 'POST' | 'DELETE', route: string, body?: unknown) {
    const reply = await request(`${client.m3.url}/_sandbox/${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.statusCode, body: await reply.body.json() };
  }

  it('the shared ones and its own answer over HTTP, and name what is unusable', async () => {
    await client.postJournal('BRX1');
    expect(await control('GET', 'documents?reference=BRX1')).toMatchObject({ body: { total: 1 } });
    expect(await control('POST', 'background-work')).toMatchObject({ status: 200, body: { finished: 1 } });
    expect(await control('GET', 'summary')).toMatchObject({
      body: { posted: 1, requests: { 'GLS840MI/UpdBatch': 1 } },
    });
    expect(await control('GET', 'gl-batches')).toMatchObject({ body: { batches: [{ key: 'BRX1', updates: 1 }] } });
    expect(await control('POST', 'settings', { recordCap: 5 })).toMatchObject({ body: { recordCap: 5, v1: true } });
    expect(await control('POST', 'settings', { recordCab: 5 })).toMatchObject({
      status: 400,
      body: { field: 'recordCab' },
    });
    expect(await control('POST', 'account-details', { code: 'NOPE' })).toMatchObject({ status: 400 });
    expect(await control('GET', 'access')).toMatchObject({ body: { cono: 100, divi: 'AAA' } });
    expect(await control('POST', 'mischief', { repeatWrites: 1 })).toMatchObject({ body: { repeatWrites: 1 } });
    expect(await control('DELETE', 'sessions')).toMatchObject({ body: { ended: 1 } });
    expect(await control('GET', 'nothing')).toMatchObject({ status: 404 });
  });

  it('reset goes back to the seed and keeps settings and faults', async () => {
    client.m3.changeSettings({ recordCap: 7 });
    client.m3.faults.set([{ match: 'nothing', kind: 'EMPTY' }]);
    await client.postJournal('BRX1');
    client.m3.setPeriodOpen('2026-11-01', false);
    client.m3.reset();
    expect(client.m3.documents()).toEqual([]);
    expect(client.m3.settings().recordCap).toBe(7);
    expect(client.m3.faults.list()).toHaveLength(1);
    await client.logIn();
    await client.postJournal('BRX1');
    expect(client.m3.finishBackgroundWork()).toBe(1);
    expect(client.m3.summary().posted).toBe(1);
  });
});
