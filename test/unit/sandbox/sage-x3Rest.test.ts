import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSageX3 } from '../../../src/sandbox/sage-x3/index.js';
import { call, company, HOTEL, importText, PlainClient, start } from './sage-x3Support.js';

let x3: RunningSageX3;
let client: PlainClient;

beforeEach(async () => {
  x3 = await start();
  client = new PlainClient(x3);
});

afterEach(() => x3.close());

describe('logging in', () => {
  it('is checked on every call', async () => {
    const answer = await client.get('BPSUPPLIER?representation=BPSUPPLIER.$query', 'Basic d3Jvbmc6d3Jvbmc=');
    expect(answer.status).toBe(401);
    expect(answer.type).toContain('text/html');
  });

  it('by Basic is off on Sage X3 Online', async () => {
    x3.changeSettings({ basic: false });
    expect((await client.get('BPSUPPLIER?representation=BPSUPPLIER.$query')).status).toBe(401);
  });

  it('shows the endpoint among the platform entities', async () => {
    const url = `${x3.url}/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query&count=100`;
    expect(JSON.parse((await client.get(url)).text)).toMatchObject({ $resources: [{ dataset: 'SEED' }] });
  });

  it('to another endpoint finds nothing', async () => {
    const url = `${x3.url}/api1/x3/erp/PROD/BPSUPPLIER?representation=BPSUPPLIER.$query`;
    expect((await client.get(url)).status).toBe(404);
  });
});

describe('a query', () => {
  it('answers 200 and an empty list when nothing fits', async () => {
    expect(await client.query('BPSUPPLIER', { where: "BPSNUM eq 'NOBODY'" })).toMatchObject({
      httpStatus: 200,
      $resources: [],
    });
  });

  it('answers 500 for a property that the facet does not have', async () => {
    const page = await client.query('BPSUPPLIER', { where: "BPSXYZ eq 'A'" });
    expect(page).toMatchObject({ httpStatus: 500, $diagnoses: [{ $severity: 'error' }] });
  });

  it('takes a quote in a text when it is doubled', async () => {
    const page = await client.query('BPSUPPLIER', { where: "BPSNAM eq 'O''Hara Tools' and left(BPSNUM,2) eq 'AE'" });
    expect(page.$resources).toMatchObject([{ BPSNUM: 'AE003', ENAFLG: 2 }]);
  });

  it('refuses another representation or none', async () => {
    expect((await client.get('BPSUPPLIER?representation=OTHER.$query')).status).toBe(400);
    expect((await client.get('BPSUPPLIER')).status).toBe(400);
    x3.changeSettings({ wrongRepresentationStatus: 404 });
    expect((await client.get('BPSUPPLIER?representation=OTHER.$query')).status).toBe(404);
  });

  it('lowers a larger count to the cap and links to the next page until the last', async () => {
    const seed = company();
    const suppliers = Array.from({ length: 250 }, (_unused, index) => ({
      code: `S${1000 + index}`,
      name: `Supplier ${index}`,
    }));
    await x3.close();
    x3 = await start({}, { company: { ...seed, suppliers } });
    client = new PlainClient(x3);
    let page = await client.query('BPSUPPLIER', { count: '1000' });
    expect(page.$itemsPerPage).toBe(100);
    const codes = page.$resources.map((row) => row.BPSNUM);
    while (page.$links.$next !== undefined) {
      page = JSON.parse((await client.get(page.$links.$next.$url)).text);
      codes.push(...page.$resources.map((row) => row.BPSNUM));
    }
    expect(codes).toEqual(suppliers.map((supplier) => supplier.code));
  });

  it('has twenty rows unless it asks otherwise, and a full last page has no next one', async () => {
    const seed = company();
    const suppliers = Array.from({ length: 20 }, (_unused, index) => ({
      code: `S${1000 + index}`,
      name: `Supplier ${index}`,
    }));
    await x3.close();
    x3 = await start({}, { company: { ...seed, suppliers } });
    const page = await new PlainClient(x3).query('BPSUPPLIER');
    expect(page.$resources).toHaveLength(20);
    expect(page.$links.$next).toBeUndefined();
  });

  it('links to the internal host where a proxy stands in front', async () => {
    x3.changeSettings({ linkOrigin: 'http://x3-internal:8124', pageSize: 1 });
    const page = await client.query('BPSUPPLIER');
    expect(page.$links.$next?.$url).toMatch(/^http:\/\/x3-internal:8124\/api1\/x3\/erp\/SEED\/BPSUPPLIER\?/);
  });

  it('orders by the fields given, with the separator of the installation', async () => {
    const first = async (orderBy: string) =>
      (await client.query('BPSUPPLIER', { orderBy, count: '1' })).$resources?.[0]?.BPSNUM;
    expect(await first('BPSNUM desc')).toBe('AE007');
    expect(await first('ENAFLG asc,BPSNUM desc')).toBe('AE007');
    x3.changeSettings({ orderBySeparator: ';' });
    expect(await first('ENAFLG asc,BPSNUM desc')).toBeUndefined();
    expect(await first('ENAFLG Desc;BPSNUM')).toBe('AE003');
  });

  it('follows an order over several pages', async () => {
    const page = await client.query('GACCOUNT', { orderBy: 'DES desc', count: '3', where: "COA eq 'USA'" });
    const next = JSON.parse((await client.get(page.$links.$next?.$url ?? '')).text);
    const names = [...page.$resources, ...next.$resources].map((row: Record<string, unknown>) => row.DES);
    expect(names).toEqual(['Software', 'Payables', 'Old travel', 'Hotels', 'Brex clearing']);
  });

  it('understands dates in one form only', async () => {
    await client.import(importText(HOTEL));
    const found = async (literal: string) =>
      (await client.query('GACCENTRY', { where: `ACCDAT ge ${literal}` })).httpStatus;
    expect(await found('@2026-11-01@')).toBe(200);
    expect(await found("'2026-11-01'")).toBe(500);
    x3.changeSettings({ dateLiteral: 'QUOTED' });
    expect(await found('@2026-11-01@')).toBe(500);
    expect(await found("'2026-11-01'")).toBe(200);
  });

  it('may know no operator but eq', async () => {
    x3.changeSettings({ whereOperators: 'EQ_LEFT' });
    expect((await client.query('BPSUPPLIER', { where: "BPSNUM ge 'A'" })).httpStatus).toBe(500);
    expect((await client.query('BPSUPPLIER', { where: "BPSNUM eq 'AE003'" })).$resources).toHaveLength(1);
  });

  it('may not show the reference or the stamps', async () => {
    x3.changeSettings({ referenceInQuery: false, stampsInQuery: false });
    expect((await client.query('GACCENTRY', { where: "REFINT eq 'X'" })).httpStatus).toBe(500);
    expect((await client.query('BPSUPPLIER')).$resources[0]).not.toHaveProperty('UPDDATTIM');
  });

  it('of accounts finds the same code in every chart', async () => {
    const page = await client.query('GACCOUNT', { where: "ACC eq '62510'" });
    expect(page.$resources).toMatchObject([
      { COA: 'IAS', ENAFLG: 1 },
      { COA: 'USA', ENAFLG: 2, OBYIPT: 2 },
    ]);
  });

  it('of journal lines finds every line once per ledger type', async () => {
    await client.import(importText(HOTEL));
    const number = x3.documents()[0]?.number.split('~')[1];
    const lines = await client.query('GACCENTRYD', { where: `NUM eq '${number}'` });
    expect(lines.$resources).toHaveLength(4);
    const legal = await client.query('GACCENTRYD', { where: `NUM eq '${number}' and LEDTYP eq 1` });
    expect(legal.$resources).toMatchObject([
      { SNS: 1, AMTCUR: 120.5 },
      { SNS: -1, AMTCUR: 120.5 },
    ]);
    const splits = await client.query('GACCENTRYA', { where: `NUM eq '${number}' and LEDTYP eq 1` });
    expect(splits.$resources).toMatchObject([{ DIE: 'CCT', CCE: 'SALES' }]);
  });

  it('shows periods, dimension types, dimensions, tax codes and the site', async () => {
    expect((await client.query('PERIOD')).$resources).toMatchObject([
      { PERSTA: 3 },
      { PERSTR: '2026-11-01', PERSTA: 2 },
    ]);
    expect((await client.query('GDIE')).$resources.map((row) => row.DIE)).toEqual(['CCT', 'PJT']);
    expect((await client.query('CACCE', { where: "DIE eq 'CCT'" })).$resources).toMatchObject([
      { CCE: 'OLD', ENAFLG: 1 },
      { CCE: 'SALES' },
    ]);
    expect((await client.query('TABVAT')).$resources).toMatchObject([{ VAT: 'NORM' }]);
    expect((await client.query('FACILITY')).$resources).toMatchObject([{ FCY: 'NA011', LEGCPY: 'NA10' }]);
  });
});

describe('details', () => {
  it('of a record that is not there come as 200 with a diagnosis', async () => {
    expect(await client.details('BPSUPPLIER', 'NOBODY')).toMatchObject({
      httpStatus: 200,
      $diagnoses: [{ $severity: 'error', $message: '721 : Record does not exist' }],
    });
  });

  it('take a key of two parts', async () => {
    expect(await client.details('GACCOUNT', 'USA~62510')).toMatchObject({ ACC: '62510', DES: 'Hotels', ENAFLG: 2 });
  });

  // An amount that passes through a binary fraction loses cents above nine quadrillion of them.
  it('write amounts digit by digit, or as text where the installation does so', async () => {
    const amount = '90071992547409.93';
    const lines = [
      { account: '60640', amount },
      { account: '45800', amount: `-${amount}` },
    ];
    await client.import(importText({ reference: 'BIG', lines }));
    const path = `GACCENTRY('${x3.documents()[0]?.number}')?representation=GACCENTRY.$details`;
    expect((await client.get(path)).text).toContain(`"AMTCUR":${amount}`);
    x3.changeSettings({ decimalsAsText: true });
    expect((await client.get(path)).text).toContain(`"AMTCUR":"${amount}"`);
  });
});

describe('creating by REST', () => {
  const body = {
    TYP: 'BRXJE',
    FCY: 'NA011',
    ACCDAT: '2026-11-19',
    CUR: 'USD',
    REFINT: 'BRX-REST',
    GACCENTRYD: [
      { ACC: '62510', SNS: 1, AMTCUR: 10.1, DES: 'Hotel', GACCENTRYA: [{ DIE: 'CCT', CCE: 'SALES', AMTCUR: 10.1 }] },
      { ACC: '45800', SNS: -1, AMTCUR: '10.10', DES: 'Clearing' },
    ],
  };

  it('is not there for classic classes', async () => {
    expect((await client.post('GACCENTRY?representation=GACCENTRY.$create', body)).status).toBe(405);
    expect((await client.post('YBRXJNL?representation=YBRXJNL.$create', body)).status).toBe(404);
    expect(x3.documents()).toEqual([]);
  });

  it('writes journals through the class that the customer published', async () => {
    x3.changeSettings({ journalClass: 'YBRXJNL' });
    const answer = await client.post('YBRXJNL?representation=YBRXJNL.$create', body);
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toContain("YBRXJNL('BRXJE~");
    expect(x3.documents('BRX-REST')).toMatchObject([{ debit: '10.10', lines: [{ costCentre: 'SALES' }, {}] }]);
    expect((await client.post('YBRXJNL?representation=YBRXJNL.$edit', body)).status).toBe(400);
  });

  it('answers a refusal with 201 and a diagnosis', async () => {
    x3.changeSettings({ journalClass: 'YBRXJNL' });
    const answer = await client.post('YBRXJNL?representation=YBRXJNL.$create', { ...body, ACCDAT: '2026-10-19' });
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({
      $diagnoses: [{ $severity: 'error', $message: expect.stringContaining('closed') }],
    });
    expect(x3.documents()).toEqual([]);
    x3.changeSettings({ diagnosesPlace: 'RESOURCE', refusedCreateStatus: 200 });
    const inside = await client.post('YBRXJNL?representation=YBRXJNL.$create', { ...body, ACCDAT: '2026-10-19' });
    expect(inside.status).toBe(200);
    expect(JSON.parse(inside.text)).toMatchObject({ $resource: { $diagnoses: [{ $severity: 'error' }] } });
  });

  it('writes suppliers where the representation can', async () => {
    const supplier = {
      BPSNUM: 'NEW1',
      BPSNAM: 'New',
      BSGCOD: 'US',
      BPSADDRESSES: [{ CODADR: 'MAIN', CRY: 'US', BPAADDFLG: 2 }],
    };
    expect((await client.post('BPSUPPLIER?representation=BPSUPPLIER.$create', supplier)).status).toBe(405);
    x3.changeSettings({ supplierCreate: true });
    expect((await client.post('BPSUPPLIER?representation=BPSUPPLIER.$create', supplier)).status).toBe(201);
    expect(await client.details('BPSUPPLIER', 'NEW1')).toMatchObject({ BPSNAM: 'New', ENAFLG: 2 });
  });

  it('shows defaults and field lengths', async () => {
    const template = await client.get('BPSUPPLIER/$template?representation=BPSUPPLIER.$create');
    expect(JSON.parse(template.text)).toMatchObject({ $uuid: expect.any(String), ENAFLG: 2 });
    const prototype = await client.get("GACCENTRY/$prototypes('GACCENTRY.$details')");
    expect(JSON.parse(prototype.text)).toMatchObject({ $properties: { REFINT: { $maxLength: 25 } } });
  });
});

describe('the controls over HTTP', () => {
  const control = async (method: 'GET' | 'POST' | 'DELETE', route: string, body?: unknown) => {
    const answer = await call(`${x3.url}/_sandbox/${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, ...JSON.parse(answer.text) };
  };

  it('change settings while it runs, nested ones by name, and name what is unusable', async () => {
    expect(await control('POST', 'settings', { pageCap: 5, groups: { supplier: 'X1_1' } })).toMatchObject({
      pageCap: 5,
      groups: { supplier: 'X1_1', journalKey: 'HAE0_1' },
    });
    expect(await control('POST', 'settings', { pageCapp: 5 })).toMatchObject({ status: 400, field: 'pageCapp' });
    expect(await control('GET', 'settings')).toMatchObject({ pageCap: 5 });
    expect(await control('GET', 'access')).toMatchObject({ folder: 'SEED', soap: { groups: { supplier: 'X1_1' } } });
  });

  it('close periods, end accounts, suppliers and dimensions, and go back to the seed', async () => {
    await client.import(importText(HOTEL));
    await control('POST', 'dimensions', { type: 'CCT', code: 'SALES', active: false });
    expect((await client.import(importText(HOTEL))).messages.join()).toContain('inactive');
    await control('POST', 'suppliers', { code: 'AE003', active: false });
    await control('POST', 'accounts', { code: '62510', active: false });
    expect(await control('GET', 'documents?reference=nothing')).toMatchObject({ total: 0 });
    expect(await control('GET', 'summary')).toMatchObject({ journals: 1, requests: { 'SOAP run AOWSIMPORT': 2 } });
    expect(await control('POST', 'reset')).toMatchObject({ journals: 0, requests: {} });
    expect((await client.import(importText(HOTEL))).messages).toEqual([]);
    expect(await control('POST', 'batches')).toMatchObject({ done: 0 });
    expect(await control('DELETE', 'refresh-tokens')).toMatchObject({ ended: 1 });
  });
});

describe('other paths', () => {
  it('below /sdata open the web client, which wants a person', async () => {
    const answer = await client.get(`${x3.url}/sdata/x3/erp/SEED/BPSUPPLIER`);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('<html>');
  });
});
