import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSageX3 } from '../../../src/sandbox/sage-x3/index.js';
import { call, field, PlainClient, start } from './sage-x3Support.js';

let x3: RunningSageX3;
let client: PlainClient;

beforeEach(async () => {
  x3 = await start();
  client = new PlainClient(x3);
});

afterEach(() => x3.close());

const grid = (id: string, rows: Record<string, string>[], attribute = 'NAME') =>
  `<TAB ID="${id}" SIZE="${rows.length}">${rows.map((row, index) => `<LIN NUM="${index + 1}">${cells(row, attribute)}</LIN>`).join('')}</TAB>`;
const group = (id: string, row: Record<string, string>, attribute = 'NAME') =>
  `<GRP ID="${id}">${cells(row, attribute)}</GRP>`;
const cells = (row: Record<string, string>, attribute: string) =>
  Object.entries(row)
    .map(([name, value]) => `<FLD ${attribute}="${name}">${value}</FLD>`)
    .join('');
const keys = (pairs: Record<string, string>) =>
  `<objectKeys>${Object.entries(pairs)
    .map(([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`)
    .join('')}</objectKeys>`;

const header = { TYP: 'BRXJE', FCY: 'NA011', ACCDAT: '20261119', CUR: 'USD', REFINT: 'BRX-GAS' };
const lines = [
  { ACC: '62510', SNS: '1', AMTCUR: '75.00', DES: 'Hotel' },
  { ACC: '45800', SNS: '-1', AMTCUR: '75.00', DES: 'Clearing' },
];
const splits = [
  { LIN: '1', ANALIN: '1', DIE: 'CCT', CCE: 'SALES', AMTCUR: '50.00' },
  { LIN: '1', ANALIN: '1', DIE: 'PJT', CCE: 'P100', AMTCUR: '50.00' },
  { LIN: '1', ANALIN: '2', DIE: 'CCT', CCE: 'SALES', AMTCUR: '25.00' },
];
const gas = `<PARAM>${group('HAE1_1', header)}${grid('HAE2_1', lines)}${grid('VT2_1', splits)}</PARAM>`;

describe('GAS', () => {
  it('saves a journal with a split and answers with its number', async () => {
    const answer = await client.save('GAS', gas);
    expect(answer).toMatchObject({ httpStatus: 200, status: '1' });
    expect(answer.messages.join()).toContain('Record has been created');
    const number = field(answer.resultXml, 'NUM') ?? '';
    expect(x3.documents('BRX-GAS')).toMatchObject([
      {
        number: `BRXJE~${number}`,
        lines: [{ costCentre: 'SALES', dimensions: { PJT: 'P100' }, debit: '75.00' }, { credit: '75.00' }],
      },
    ]);
    const read = await client.soap('read', 'GAS', keys({ TYP: 'BRXJE', NUM: number }));
    expect(field(read.resultXml, 'REFINT')).toBe('BRX-GAS');
    expect(field(read.resultXml, 'ACCDAT')).toBe('20261119');
  });

  it('is found again by its reference, with the keys in either form', async () => {
    await client.save('GAS', gas);
    const wrapped = await client.soap('query', 'GAS', `${keys({ REFINT: 'BRX-GAS' })}<listSize>10</listSize>`);
    expect(field(wrapped.resultXml, 'TYP')).toBe('BRXJE');
    const flat = '<objectKeys><key>REFINT</key><value>BRX-GAS</value></objectKeys><listSize>10</listSize>';
    expect(field((await client.soap('query', 'GAS', flat)).resultXml, 'TYP')).toBe('BRXJE');
  });

  it('refuses under HTTP 200 with status 0', async () => {
    const answer = await client.save('GAS', gas.replace('20261119', '2026-11-19'));
    expect(answer).toMatchObject({ httpStatus: 200, status: '0' });
    expect(answer.messages.join()).toContain('Accounting date');
    expect(x3.documents()).toEqual([]);
  });

  it('takes JSON and answers in it when asked', async () => {
    const rows = lines.map((line, index) => (index === 0 ? { ...line, DIE1: 'CCT', CCE1: 'SALES' } : line));
    const answer = await client.save(
      'GAS',
      { HAE1_1: header, HAE2_1: rows },
      { config: 'adxwss.optreturn=JSON&amp;adxwss.beautify=true' },
    );
    expect(JSON.parse(answer.resultXml)).toMatchObject({ HAE0_1: { TYP: 'BRXJE' }, HAE2_1: [{ ACC: '62510' }, {}] });
  });

  it('has other groups in another publication, which getDescription shows', async () => {
    x3.changeSettings({ groups: { journalLines: 'HAE2_2' } });
    const refused = await client.save('GAS', gas);
    expect(refused).toMatchObject({ status: '0', messages: ['Group [HAE2_1] unknown in the publication'] });
    expect((await client.soap('getDescription', 'GAS', '')).resultXml).toContain('<TAB ID="HAE2_2"');
    expect((await client.save('GAS', gas.replace('HAE2_1', 'HAE2_2'))).status).toBe('1');
  });

  it('refuses fields outside of a group, groups without an id and unknown fields', async () => {
    const refusal = async (inner: string) => (await client.save('GAS', `<PARAM>${inner}</PARAM>`)).messages.join();
    expect(await refusal('<FLD NAME="TYP">A</FLD>')).toContain('Cannot add field [TYP] under root node');
    expect(await refusal('<GRP><FLD NAME="TYP">A</FLD></GRP>')).toContain('No attribute ID found into GRP tag');
    expect(await refusal('<GRP ID="HAE1_1"><FLD NAME="TYPE">A</FLD></GRP>')).toContain('[TYPE]');
    expect(await refusal('<GRP ID="HAE2_1"><FLD NAME="ACC">A</FLD></GRP>')).toContain('TAB is expected');
  });

  it('names fields by NAM where the installation does so', async () => {
    x3.changeSettings({ fieldNameAttribute: 'NAM' });
    expect((await client.save('GAS', gas)).status).toBe('0');
    const answer = await client.save('GAS', gas.replaceAll('NAME=', 'NAM='));
    expect(answer.status).toBe('1');
    expect(answer.resultXml).toContain('<FLD NAM="NUM"');
  });
});

describe('BPS', () => {
  const supplier = { BSGCOD: 'US', BPSNUM: 'BRX0001', BPSNAM: 'Café Söhne & Co', BPSREM: 'brex:vendor-1' };
  const address = { CODADR: 'MAIN', CRY: 'US', CTY: 'Austin', POSCOD: '73301', BPAADDFLG: '2' };

  it('saves a supplier, once', async () => {
    const answer = await client.save('BPS', { G0_1: supplier, GA_1: [address] });
    expect(answer).toMatchObject({ status: '1', messages: ['Supplier BRX0001 : Record has been created'] });
    expect(await client.details('BPSUPPLIER', 'BRX0001')).toMatchObject({
      BPSNAM: 'Café Söhne & Co',
      BPSREM: 'brex:vendor-1',
    });
    expect((await client.save('BPS', { G0_1: supplier, GA_1: [address] })).status).toBe('0');
    expect(x3.suppliers()).toHaveLength(3);
  });

  it('wants a category and an address, and gives the number itself where the category says so', async () => {
    expect(
      (await client.save('BPS', { G0_1: { BPSNAM: 'X', BPSNUM: 'X' }, GA_1: [address] })).messages.join(),
    ).toContain('Category');
    expect((await client.save('BPS', { G0_1: supplier })).messages.join()).toContain('Address');
    const answer = await client.save('BPS', {
      G0_1: { BSGCOD: 'AUTO', BPSNAM: 'Auto', BPSREM: 'brex:2' },
      GA_1: [address],
    });
    expect(field(answer.resultXml, 'BPSNUM')).toBe('S000001');
    const found = await client.soap('query', 'BPS', `${keys({ BPSREM: 'brex:2' })}<listSize>5</listSize>`);
    expect(field(found.resultXml, 'BPSNUM')).toBe('S000001');
  });

  it('reads accounts and dimensions too', async () => {
    expect(field((await client.soap('read', 'GAC', keys({ COA: 'USA', ACC: '62510' }))).resultXml, 'DES')).toBe(
      'Hotels',
    );
    const list = await client.soap('query', 'CCE', `${keys({ DIE: 'CCT' })}<listSize>100</listSize>`);
    expect(list.resultXml.match(/<LIN /g)).toHaveLength(2);
    expect(await client.soap('read', 'GAC', keys({ COA: 'USA', ACC: '0' }))).toMatchObject({ status: '0' });
  });
});

describe('YBREXJNL', () => {
  const document = {
    GRP1: { I_TYP: 'BRXJE', I_FCY: 'NA011', I_ACCDAT: '20261119', I_CUR: 'USD', I_REFINT: 'BRX-SUB' },
    GRP2: [
      { I_ACC: '62510', I_SNS: 1, I_AMTCUR: 20, I_DES: 'Hotel', I_DIE1: 'CCT', I_CCE1: 'SALES' },
      { I_ACC: '45800', I_SNS: -1, I_AMTCUR: 20, I_DES: 'Clearing' },
    ],
  };

  it('writes once for the same reference, however often it runs', async () => {
    const first = await client.run('YBREXJNL', document);
    const second = await client.run('YBREXJNL', document);
    expect(field(first.resultXml, 'O_EXISTED')).toBe('1');
    expect(field(second.resultXml, 'O_EXISTED')).toBe('2');
    expect(field(second.resultXml, 'O_NUM')).toBe(field(first.resultXml, 'O_NUM'));
    expect(x3.documents()).toHaveLength(1);
  });

  it('writes once although a proxy repeats the call', async () => {
    x3.repeatNextWrites(1);
    expect(field((await client.run('YBREXJNL', document)).resultXml, 'O_EXISTED')).toBe('2');
    expect(x3.documents()).toHaveLength(1);
  });

  it('reports a refusal in its own status', async () => {
    x3.setAccountActive('62510', false);
    const answer = await client.run('YBREXJNL', document);
    expect(answer.status).toBe('1');
    expect(field(answer.resultXml, 'O_STATUS')).toBe('1');
    expect(field(answer.resultXml, 'O_MESSAGE')).toContain('inactive');
  });
});

describe('the service', () => {
  it('shows its operations', async () => {
    const wsdl = await client.get(x3.access.soap.wsdlUrl);
    expect(wsdl.text).toContain('<wsdl:operation name="getDataXmlSchema">');
  });

  it('knows neither other pools nor other publications, and says so with status 0', async () => {
    expect(await client.save('GAS', gas, { pool: 'OTHER' })).toMatchObject({
      httpStatus: 200,
      status: '0',
      messages: ["No classic web service pool match to 'OTHER'"],
    });
    expect(await client.save('YGAS', gas)).toMatchObject({ status: '0', messages: ['Unknown web service (0)'] });
    expect((await client.soap('insertLines', 'GAS', '')).messages).toEqual(['NOT YET IMPLEMENTED']);
  });

  it('has a pool that can be started again', async () => {
    x3.changeSettings({ poolStarted: false });
    expect((await client.save('GAS', gas)).messages.join()).toContain('No classic web service pool match');
    const path = "/api1/syracuse/collaboration/syracuse/soapClassicPools(alias%20eq%20'BREXPOOL')/$service/start";
    expect((await call(`${x3.url}${path}`, { method: 'POST', headers: { authorization: client.basic } })).status).toBe(
      200,
    );
    expect((await client.save('GAS', gas)).status).toBe('1');
  });

  it('answers 500 where the host has no process for it', async () => {
    x3.changeSettings({ webServiceProcesses: 0 });
    expect(await client.save('GAS', gas)).toMatchObject({ httpStatus: 500, body: 'No web services accepted' });
  });

  it('writes messages as an array, alone, not at all, nil or by reference', async () => {
    const body = async (messageForm: 'SINGLE' | 'NONE' | 'NIL' | 'MULTIREF') => {
      x3.changeSettings({ messageForm });
      return (await client.save('NOTHING', gas)).body;
    };
    expect(await body('SINGLE')).toContain('<messages xsi:type="wss:CAdxMessage"><message');
    expect(await body('NONE')).not.toContain('<messages');
    expect(await body('NIL')).toContain('<messages xsi:nil="true"/>');
    const referred = await body('MULTIREF');
    expect(referred).toContain('<saveReturn href="#id0"/>');
    expect(referred).toContain('<multiRef id="id1" soapenc:root="0" xsi:type="xsd:int">0</multiRef>');
    expect(referred).toContain('<messages href="#id2"/>');
  });

  it('does not start a call that waits too long for a session of the pool', async () => {
    x3.changeSettings({ poolSessions: 1, poolDelayMs: 500, poolQueueMs: 10 });
    const [first, second] = await Promise.all([client.save('GAS', gas), client.save('GAS', gas)]);
    const answers = [first, second].sort((a, b) => a.status.localeCompare(b.status));
    expect(answers).toMatchObject([
      { status: '0', messages: [expect.stringContaining('was not started')] },
      { status: '1' },
    ]);
    expect(x3.documents()).toHaveLength(1);
  });

  // The caller's time-out ends its wait, not the work: only asking by REFINT tells.
  it('commits what a slow pool holds although the caller has gone', async () => {
    x3.changeSettings({ poolDelayMs: 1500 });
    const { user, password } = x3.access.basic;
    const envelope = `<Envelope><Body><save><callContext><poolAlias>BREXPOOL</poolAlias></callContext><publicName>GAS</publicName><objectXml><![CDATA[${gas}]]></objectXml></save></Body></Envelope>`;
    const reply = fetch(x3.access.soap.url, {
      method: 'POST',
      body: envelope,
      headers: { authorization: `Basic ${btoa(`${user}:${password}`)}`, connection: 'close' },
      signal: AbortSignal.timeout(100),
    });
    await expect(reply).rejects.toThrow();
    expect(x3.documents()).toEqual([]);
    await expect.poll(() => x3.documents().length, { timeout: 10_000 }).toBe(1);
  });
});
