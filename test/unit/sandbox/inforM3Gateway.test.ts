// A surprise here means that the simulated gateway answers in another form than the reference says: a connector that copes
// with it would not cope with M3.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { journalLine, type PlainM3, StillClock, smallCompany, start, type V2Body } from './inforM3Support.js';

let client: PlainM3;
let clock: StillClock;

beforeEach(async () => {
  clock = new StillClock();
  client = await start({ clock });
});
afterEach(() => client.m3.close());

async function v1(path: string, accept = 'application/json'): Promise<Record<string, unknown>> {
  return JSON.parse((await client.get(path, accept)).text);
}

describe('tokens', () => {
  it('come by password grant, with the client as Basic or in the form, and carry no refresh token', async () => {
    const body = await client.logIn();
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 7200 });
    expect(body).not.toHaveProperty('refresh_token');
    const { saak, sask } = client.m3.access.ionapi;
    const form = { grant_type: 'password', username: saak, password: sask };
    expect((await client.form(client.m3.access.tokenUrl, form, false)).status).toBe(200);
    client.m3.changeSettings({ clientAuth: 'BASIC' });
    expect((await client.form(client.m3.access.tokenUrl, form, false)).status).toBe(401);
  });

  it('the service account carries a # that must be encoded', async () => {
    const { ci, cs, saak, sask } = client.m3.access.ionapi;
    expect(saak).toContain('#');
    const answer = await client.call(
      'POST',
      client.m3.access.tokenUrl,
      {
        authorization: `Basic ${Buffer.from(`${ci}:${cs}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      `grant_type=password&username=${saak}&password=${sask}`,
    );
    expect(answer.status).toBe(400);
  });

  it('end by time, by revocation and by command, and the gateway says 401', async () => {
    const ask = async () => (await client.v2('CRS620MI/GetUserInfo')).status;
    clock.ms += 7_199_000;
    expect(await ask()).toBe(200);
    clock.ms += 1000;
    expect(await ask()).toBe(401);
    await client.logIn();
    await client.form(client.m3.access.revokeUrl, { token: client.token, token_type_hint: 'access_token' });
    expect(await ask()).toBe(401);
    await client.logIn();
    expect(client.m3.expireSessions()).toBe(1);
    expect(await ask()).toBe(401);
  });

  it('a refresh token works once the application issues them, and revoking it ends its access token', async () => {
    client.m3.changeSettings({ refreshTokens: true });
    const { refresh_token: refresh } = await client.logIn();
    const form = { grant_type: 'refresh_token', refresh_token: String(refresh) };
    expect((await client.form(client.m3.access.tokenUrl, form)).status).toBe(200);
    await client.form(client.m3.access.revokeUrl, { token: String(refresh), token_type_hint: 'refresh_token' });
    expect((await client.form(client.m3.access.tokenUrl, form)).status).toBe(400);
    expect((await client.v2('CRS620MI/GetUserInfo')).status).toBe(401);
  });
});

describe('v2 answers', () => {
  it('say what went wrong under HTTP 200 in a padded message', async () => {
    const answer = await client.v2('CRS620MI/GetBasicData', { SUNO: 'NOPE' });
    const body: V2Body = JSON.parse(answer.text);
    expect(answer.status).toBe(200);
    expect(body).toMatchObject({ nrOfSuccessfullTransactions: 0, nrOfFailedTransactions: 1, wasTerminated: false });
    expect(body.results[0]).toMatchObject({ errorField: 'SUNO', errorType: 'ServerReturnedNOK', records: [] });
    expect(body.results[0]?.errorMessage).toMatch(/^Supplier number NOPE does not exist {5,}\S+ {2,}SUNO$/);
  });

  it('say it with HTTP 400 at the top level where the grid is that way', async () => {
    client.m3.changeSettings({ errorMode: 'BAD_REQUEST' });
    const answer = await client.v2('CRS620MI/GetBasicData', { SUNO: 'NOPE' });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ errorField: 'SUNO', errorType: 'ServerReturnedNOK' });
    expect(JSON.parse(answer.text)).not.toHaveProperty('results');
  });

  it('have strings only, and keep to columns, dates, trimming and empty values as asked', async () => {
    await client.postJournal('BRX1');
    client.m3.finishBackgroundWork();
    const ask = (options: Record<string, string>) =>
      client.ok('GLS200MI/LstVouchersByDt', { FRDT: '20261119', TODT: '20261119' }, { maxrecs: '1', ...options });
    expect(await ask({ returncols: 'ACDT,CUAM,AIT2' })).toEqual([{ ACDT: '20261119', CUAM: '120.50', AIT2: '' }]);
    expect(await ask({ returncols: 'ACDT,AIT2', excludeempty: 'true' })).toEqual([{ ACDT: '20261119' }]);
    expect(await ask({ returncols: 'AIT1', righttrim: 'false' })).toEqual([{ AIT1: '62510     ' }]);
    const dashed = await client.ok(
      'GLS200MI/LstVouchersByDt',
      { FRDT: '2026-11-19', TODT: '2026-11-19' },
      { maxrecs: '1', returncols: 'ACDT', dateformat: 'YMD8-' },
    );
    expect(dashed).toEqual([{ ACDT: '2026-11-19' }]);
    const echo = await client.result('CRS620MI/GetBasicData', { SUNO: 'BREX01' }, { extendedresult: 'true' });
    expect(echo.parameters).toEqual({ SUNO: 'BREX01' });
  });

  it('a call without division works in the user’s own, which has no books', async () => {
    await client.postJournal('BRX1');
    client.m3.finishBackgroundWork();
    const answer = await client.get('/v2/execute/GLS200MI/LstVouchersByDt?FRDT=20261119&TODT=20261119');
    expect(JSON.parse(answer.text).results[0].records).toEqual([]);
    expect(await client.ok('CRS620MI/GetUserInfo')).toMatchObject([{ ZDDIVI: 'BBB', ZDCONO: '100' }]);
  });

  it('foreign companies and denied programs are refused with an XAU code', async () => {
    expect(await client.result('CRS620MI/GetUserInfo', {}, { cono: '999' })).toMatchObject({ errorCode: 'XAU0008' });
    expect(await client.result('EXPORTMI/Select', { QERY: 'x', SEPC: ';' })).toMatchObject({ errorCode: 'XAU0008' });
    client.m3.changeSettings({ deniedPrograms: ['GLS840'] });
    expect(await client.ok('AUTCHKMI/ChkAuthority', { APGM: 'GLS840' })).toMatchObject([{ ALPG: '0' }]);
    expect(await client.ok('AUTCHKMI/ChkAuthority', { APGM: 'APS450' })).toMatchObject([{ ALPG: '1' }]);
    const refused = await client.result('GLS840MI/AddBatchHead', { CONO: '100', KEY1: 'A', INTN: 'BREXGL', DESC: 'x' });
    expect(refused.errorCode).toBe('XAU0008');
  });
});

describe('v1 answers', () => {
  it('are padded name and value pairs with metadata, options in the matrix', async () => {
    const body = await v1('/execute/CRS620MI/GetBasicData;cono=100;divi=AAA;returncols=SUNO,CUCD?SUNO=BREX01');
    expect(body).toMatchObject({
      Program: 'CRS620MI',
      Transaction: 'GetBasicData',
      MIRecord: [
        {
          RowIndex: '0',
          NameValue: [
            { Name: 'SUNO', Value: 'BREX01    ' },
            { Name: 'CUCD', Value: 'USD' },
          ],
        },
      ],
    });
    expect(JSON.stringify(body.Metadata)).toContain('"@name":"SUNO","@type":"A","@length":"10"');
  });

  it('say no under HTTP 200, bare or wrapped', async () => {
    const path = '/execute/CRS620MI/GetBasicData;cono=100?SUNO=NOPE';
    expect(await v1(path)).toMatchObject({ '@type': 'ServerReturnedNOK', '@field': 'SUNO' });
    client.m3.changeSettings({ v1Errors: 'WRAPPED' });
    expect(await v1(path)).toMatchObject({ ErrorMessage: { '@type': 'ServerReturnedNOK', '@field': 'SUNO' } });
  });

  it('are XML for those that do not ask for JSON', async () => {
    const answer = await client.get('/execute/CRS620MI/GetBasicData;cono=100?SUNO=BREX01', '*/*');
    expect(answer.headers['content-type']).toContain('xml');
    expect(answer.text).toContain('<Name>SUNO</Name>');
  });
});

describe('lists', () => {
  beforeEach(async () => {
    await client.m3.close();
    const suppliers = Array.from({ length: 130 }, (_, index) => ({
      code: `S${String(index).padStart(4, '0')}`,
      name: `Supplier ${index}`,
    }));
    client = await start({ clock, company: { ...smallCompany(), suppliers } });
  });

  it('end at 100 without a word, and the start key comes again on the next page', async () => {
    const first = await client.ok('CRS620MI/LstByNumber', { SUNO: '' });
    expect(first).toHaveLength(100);
    const last = first.at(-1)?.SUNO ?? '';
    const next = await client.ok('CRS620MI/LstByNumber', { SUNO: last });
    expect(next[0]?.SUNO).toBe(last);
  });

  it('end at the cap even when everything was asked for', async () => {
    client.m3.changeSettings({ recordCap: 120 });
    for (const maxrecs of ['0', '5000']) {
      expect(await client.ok('CRS620MI/LstByNumber', { SUNO: '' }, { maxrecs })).toHaveLength(120);
    }
  });

  it('do not see maxrecs in the query on some grids, only in the matrix', async () => {
    client.m3.changeSettings({ queryMaxrecs: false });
    expect(await client.ok('CRS620MI/LstByNumber', { SUNO: '' }, { maxrecs: '3' })).toHaveLength(100);
    const answer = await client.get('/v2/execute/CRS620MI/LstByNumber;maxrecs=3?SUNO=');
    expect(JSON.parse(answer.text).results[0].records).toHaveLength(3);
  });

  it('that find nothing are empty, or a refusal where the installation is that way', async () => {
    expect(await client.ok('CRS620MI/LstByNumber', { SUNO: 'ZZZ' })).toEqual([]);
    client.m3.changeSettings({ emptyLists: 'NOK' });
    expect((await client.result('CRS620MI/LstByNumber', { SUNO: 'ZZZ' })).errorType).toBe('ServerReturnedNOK');
  });
});

describe('fields', () => {
  it.each([
    ['a field the release does not have', { NOPE: '1' }, 'NOPE'],
    ['a value that is too long', { SINO: 'X'.repeat(25) }, 'SINO'],
    ['a missing mandatory field', { SUNO: '' }, 'SUNO'],
    ['a day that does not exist', { IVDT: '20261131' }, 'IVDT'],
    ['a number with a comma', { CUAM: '1,50' }, 'CUAM'],
    ['more decimals than the currency has', { CUAM: '1.505' }, 'CUAM'],
  ])('%s is refused and named', async (_what, fields, field) => {
    const head = { SUNO: 'BREX01', IVDT: '20261118', CUCD: 'USD', ...fields };
    expect(await client.result('APS450MI/AddHead', head)).toMatchObject({ errorField: field, records: [] });
  });

  it('are listed as the release has them', async () => {
    const names = async (program: string, transaction: string) => {
      const rows = await client.ok(
        'MRS001MI/LstFields',
        { MINM: program, TRNM: transaction, TRTP: 'I' },
        { maxrecs: '0' },
      );
      return rows.map(({ FLNM }) => FLNM);
    };
    expect(await names('APS450MI', 'AddLine')).toContain('AIT1');
    expect(await names('APS450MI', 'AddLineRecode')).toContain('AIT7');
    client.m3.changeSettings({ release: 'ce-2020' });
    expect(await names('APS450MI', 'AddLine')).not.toContain('AIT1');
    expect(await names('APS450MI', 'AddLine')).toContain('AO01');
    expect(await names('APS450MI', 'AddHead')).toContain('PAIN');
    client.m3.changeSettings({ release: 'onprem-15' });
    expect(await names('APS450MI', 'AddLine')).not.toContain('AO01');
    expect(await names('APS450MI', 'AddHead')).not.toContain('PAIN');
    const gone = await client.result('MRS001MI/LstFields', { MINM: 'GLS840MI', TRNM: 'AddBatchLineFld', TRTP: 'I' });
    expect(gone.errorMessage).toContain('not found');
  });

  it('APS100MI and GLS100MI are in no inventory', async () => {
    for (const program of ['APS100MI', 'GLS100MI']) {
      expect((await client.result(`${program}/GetUserInfo`)).errorMessage).toContain(`Program ${program} not found`);
    }
    const programs = await client.ok('MRS001MI/LstPrograms');
    expect(programs.map(({ MINM }) => MINM)).not.toContain('APS100MI');
  });
});

describe('bulk calls', () => {
  const line = (number: string, account: string) => ({
    transaction: 'AddBatchLineFld',
    record: journalLine('BRX1', number, account, '1.00'),
  });

  beforeEach(() =>
    client.ok('GLS840MI/AddBatchHead', { CONO: '100', KEY1: 'BRX1', INTN: 'BREXGL', DESC: 'x', DIVI: 'AAA' }),
  );

  it('are not atomic: what came before a failure stays and the rest is not processed', async () => {
    const wrong = {
      transaction: 'AddBatchLineFld',
      record: { ...journalLine('BRX1', '2', '62510', '1.00'), INRI: 'XX' },
    };
    const body = await client.bulk('GLS840MI', [line('1', '62510'), wrong, line('3', '45800')]);
    expect(body).toMatchObject({
      wasTerminated: true,
      nrOfSuccessfullTransactions: 1,
      nrOfFailedTransactions: 1,
      nrOfNotProcessedTransactions: 1,
    });
    expect(body.results.map(({ notProcessed }) => notProcessed)).toEqual([undefined, undefined, true]);
    expect(client.m3.glBatches()).toMatchObject([{ key: 'BRX1', lines: 1 }]);
    client.m3.changeSettings({ bulkStopsAtError: false });
    await client.bulk('GLS840MI', [wrong, line('3', '45800')]);
    expect(client.m3.glBatches()).toMatchObject([{ key: 'BRX1', lines: 2 }]);
  });

  it('may be terminated from outside', async () => {
    client.m3.makeMischief({ terminateBulkAfter: 1 });
    const body = await client.bulk('GLS840MI', [line('1', '62510'), line('2', '45800')]);
    expect(body).toMatchObject({ wasTerminated: true, nrOfNotProcessedTransactions: 1, nrOfFailedTransactions: 0 });
    expect(client.m3.glBatches()).toMatchObject([{ lines: 1 }]);
  });
});

describe('what stands between', () => {
  it('a throttled call was not done, and says how long to wait only where that is set', async () => {
    client.m3.faults.set([{ match: 'GLS840MI/AddBatchHead', kind: 'RATE_LIMIT', times: 2, retryAfterSeconds: 7 }]);
    const head = { CONO: '100', KEY1: 'BRX1', INTN: 'BREXGL', DESC: 'x', DIVI: 'AAA' };
    expect(await client.v2('GLS840MI/AddBatchHead', head)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7' },
    });
    client.m3.changeSettings({ throttleStatus: 503, retryAfterHeader: false });
    const bare = await client.v2('GLS840MI/AddBatchHead', head);
    expect(bare.status).toBe(503);
    expect(bare.headers).not.toHaveProperty('retry-after');
    expect(client.m3.documents()).toEqual([]);
  });

  it('an expired token is refused by the gateway and nothing is done', async () => {
    client.m3.faults.set([{ match: 'UpdBatch', kind: 'EXPIRE_SESSION', times: 1 }]);
    await client.stageJournal('BRX1');
    const key = { CONO: '100', KEY1: 'BRX1', DIVI: 'AAA' };
    await client.ok('GLS840MI/CtrlBatch', key);
    expect((await client.v2('GLS840MI/UpdBatch', key)).status).toBe(401);
    expect(client.m3.glBatches()).toMatchObject([{ updates: 0 }]);
    expect((await client.v2('CRS620MI/GetUserInfo')).status).toBe(401);
  });

  it('a late commit happens although its token ended meanwhile', async () => {
    await client.stageJournal('BRX1');
    const key = { CONO: '100', KEY1: 'BRX1', DIVI: 'AAA' };
    await client.ok('GLS840MI/CtrlBatch', key);
    client.m3.faults.set([{ match: 'GLS840MI/UpdBatch write', kind: 'COMMIT_LATE', delayMs: 20 }]);
    await expect(client.v2('GLS840MI/UpdBatch', key)).rejects.toThrow();
    client.m3.expireSessions();
    expect(client.m3.glBatches()).toMatchObject([{ updates: 0 }]);
    await client.m3.faults.whenLateCommitsApplied();
    client.m3.finishBackgroundWork();
    expect(client.m3.documents('BRX1')).toMatchObject([{ posted: true }]);
  });

  it('a retrying intermediary makes two of one write, since every write is a GET', async () => {
    client.m3.makeMischief({ repeatWrites: 1 });
    await client.ok('APS450MI/AddHead', { SUNO: 'BREX01', IVDT: '20261118', SINO: 'INV1', DIVI: 'AAA' });
    expect(client.m3.documents('INV1')).toHaveLength(2);
  });

  it('a caching intermediary hides what changed unless the address is new', async () => {
    client.m3.changeSettings({ cacheMs: 60_000 });
    const read = (options = {}) => client.ok('CRS620MI/GetBasicData', { SUNO: 'BREX01' }, options);
    expect(await read()).toMatchObject([{ STAT: '20' }]);
    client.m3.setSupplierActive('BREX01', false);
    expect(await read()).toMatchObject([{ STAT: '20' }]);
    expect(await read({ _rid: 'r2' })).toMatchObject([{ STAT: '90' }]);
  });

  it('a locked record is a refusal that did nothing', async () => {
    client.m3.makeMischief({ lockWrites: 1 });
    const head = { SUNO: 'BREX01', IVDT: '20261118', SINO: 'INV1', DIVI: 'AAA' };
    expect((await client.result('APS450MI/AddHead', head)).errorMessage).toContain('locked');
    expect(client.m3.documents()).toEqual([]);
    await client.ok('APS450MI/AddHead', head);
  });

  it('a long address is refused before anybody reads it', async () => {
    client.m3.changeSettings({ urlLimitBytes: 300 });
    expect((await client.v2('CRS620MI/SearchSupplier', { SQRY: 'x'.repeat(250) })).status).toBe(414);
  });
});
