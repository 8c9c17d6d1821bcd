import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningEpicorKinetic, startEpicorKineticSandbox } from '../../../src/sandbox/epicor-kinetic/index.js';
import { CLOCK, PlainClient, smallCompany, start } from './epicor-kineticSupport.js';

/** Reading. What would be caught: a client that takes a cut list for the whole, or loses digits of a revision. */

let kinetic: RunningEpicorKinetic;
let client: PlainClient;
beforeEach(async () => {
  kinetic = await start();
  client = new PlainClient(kinetic);
});
afterEach(() => kinetic.close());

const VENDORS = 'Erp.BO.VendorSvc/Vendors';
const INVOICES = 'Erp.BO.APInvoiceSvc/APInvoices';
const failureOf = async (filter: string, path = INVOICES): Promise<string> => {
  const { status, body } = await client.get(path, { $filter: filter });
  return `${status} ${body.ErrorMessage}`;
};

describe('lists', () => {
  it('are cut at 100 rows without $top, in silence unless links are on', async () => {
    const suppliers = Array.from({ length: 250 }, (_, index) => ({ code: `V${index}`, name: `Vendor ${index}` }));
    const large = await startEpicorKineticSandbox({ company: { ...smallCompany(), suppliers }, clock: CLOCK });
    try {
      client = new PlainClient(large);
      const first = (await client.get(VENDORS)).body;
      expect([first.value.length, first['@odata.nextLink']]).toEqual([100, undefined]);
      expect(await client.rows(VENDORS, { $top: 300 })).toHaveLength(250);
      expect(await client.rows(VENDORS, { $top: 100, $skip: 200, $orderby: 'VendorNum' })).toHaveLength(50);
      large.changeSettings({ topCap: 70, nextLink: 'own' });
      const capped = (await client.get(VENDORS, { $top: 100, $count: 'true' })).body;
      expect([capped.value.length, capped['@odata.count']]).toEqual([70, 250]);
      const next = new URL(capped['@odata.nextLink']);
      expect(next.origin).toBe(large.url);
      expect((await client.get(next.pathname + next.search)).body.value[0].VendorID).toBe('V70');
      large.changeSettings({ nextLink: 'foreign' });
      expect((await client.get(VENDORS)).body['@odata.nextLink']).toMatch(/^http:\/\/elsewhere\.invalid\//);
      expect((await client.get(`${VENDORS}/$count`)).text).toBe('250');
      large.setScenarios({ truncatedLists: 1 });
      expect((await client.get(VENDORS)).body).toBeUndefined();
    } finally {
      await large.close();
    }
  });

  it('carry revisions above 2^53 as bare numbers', async () => {
    const { text } = await client.get(VENDORS, { $select: 'VendorID,SysRevID', $top: 1 });
    const revision = /"SysRevID":(\d+)/.exec(text)?.[1] ?? '0';
    expect(BigInt(revision)).toBeGreaterThan(2n ** 53n);
    const later = await client.rows(VENDORS, { $filter: `SysRevID gt ${revision}`, $orderby: 'SysRevID' });
    expect(later.map(({ VendorID }) => VendorID)).toEqual(["O'BRIEN", 'STOPPED']);
    kinetic.changeSettings({ revisionFilter: false });
    expect(await failureOf(`SysRevID gt ${revision}`, VENDORS)).toMatch(/^400 Could not find a property/);
  });

  it('compare texts without regard to case, and quotes are doubled', async () => {
    const [row] = await client.rows(VENDORS, { $filter: "VendorID eq 'o''brien' and Inactive eq false" });
    expect(row).toMatchObject({ Name: "O'Brien & Söhne", CurrencyCode: 'EUR' });
    expect(await client.rows(VENDORS, { $filter: "contains(Name,'amazon') or not (VendorNum lt 103)" })).toHaveLength(
      2,
    );
  });

  it('take a plus sign for a plus sign', async () => {
    expect((await client.send('GET', `${VENDORS}?$filter=VendorNum+eq+101`)).status).toBe(400);
  });

  it('refuse a query string that is too long with a page of the web server', async () => {
    const { status, type } = await client.get(VENDORS, { $filter: `Name eq '${'x'.repeat(2100)}'` });
    expect([status, type]).toEqual([404, expect.stringContaining('text/html')]);
  });

  it('end with 500 where a service computes too much', async () => {
    kinetic.changeSettings({ odataFailsFor: ['Erp.BO.APInvoiceSvc'] });
    expect((await client.get(INVOICES)).body.ErrorMessage).toMatch(/unexpected internal problem/);
    expect(await client.rows('Erp.BO.APInvSearchSvc/APInvSearches')).toEqual([]);
  });
});

describe('filters that are refused', () => {
  it.each([
    ["InvoiceDate ge '2026-08-01'", /Edm\.DateTimeOffset' and 'Edm\.String' for operator kind 'GreaterThanOrEqual'/],
    ['InvoiceDate ge 2026-08-01', /Syntax error/],
    ["InvoiceDate ge datetime'2026-08-01'", /Syntax error/],
    ["VendorNumVendorID eq 'AMAZON'", /cannot be used/],
    ["VendorNum eq '101'", /incompatible types/],
    ["invoicenum eq 'X'", /Could not find a property/],
  ])('%s', async (filter, words) => {
    const failure = await failureOf(filter);
    expect(failure).toMatch(/^400 /);
    expect(failure).toMatch(words);
  });

  it('dates with a time are taken, half-open', async () => {
    await client.invoice();
    const range = 'InvoiceDate ge 2026-11-20T00:00:00Z and InvoiceDate lt 2026-11-21T00:00:00Z';
    expect(await client.rows(INVOICES, { $filter: range, $select: 'InvoiceNum,InvoiceDate' })).toEqual([
      { InvoiceNum: 'BRX7F3K2M9Q', InvoiceDate: '2026-11-20T00:00:00' },
    ]);
    kinetic.changeSettings({ dateStyle: 'offset' });
    expect((await client.rows(INVOICES))[0]?.InvoiceDate).toBe('2026-11-20T00:00:00-05:00');
  });

  it('$compute is refused and $apply passed over', async () => {
    expect((await client.get(VENDORS, { $compute: 'x' })).status).toBe(400);
    expect((await client.get(VENDORS, { $apply: 'x' })).status).toBe(200);
  });
});

describe('one row', () => {
  it('is found by its key, also when that holds a slash', async () => {
    await client.group();
    await client.header({ InvoiceNum: 'A/B' });
    const key = encodeURIComponent("('EPIC06',101,'A/B')");
    expect((await client.get(`${INVOICES}${key}`)).body.InvoiceNum).toBe('A/B');
    expect((await client.get(`${INVOICES}('EPIC06',101,'NONE')`)).body.ErrorType).toMatch(/RecordNotFoundException$/);
  });

  it('comes with its children when asked', async () => {
    await client.invoice();
    const [row] = await client.rows(INVOICES, { $expand: 'APInvDtls' });
    expect(row?.APInvDtls).toMatchObject([{ InvoiceLine: 1, DocExtCost: 123.45 }]);
    expect((await client.get(INVOICES, { $expand: 'Everything' })).status).toBe(400);
  });
});

describe('the company', () => {
  it('renames a column that is called like its table', async () => {
    const rows = await client.rows('Erp.BO.GLAccountSvc/GLAccounts', { $filter: "GLAccount1 eq '6500|20'" });
    expect(rows).toMatchObject([{ AccountDesc: 'Travel / Sales', SegValue1: '6500', SegValue2: '20', Active: true }]);
    const { text } = await client.get('Erp.BO.GLAccountSvc/$metadata');
    expect(text).toContain('<Property Name="GLAccount1" Type="Edm.String"/>');
    const { body } = await client.get('Erp.BO.GLAccountSvc/GetByID', { coACode: 'MAIN', glAccount: '6500|20' });
    expect(body.returnObj.GLAccount[0].GLAccount).toBe('6500|20');
  });

  it('has no row for combinations of dynamic segments, and validates them all the same', async () => {
    const segments = [
      { name: 'Department', holds: 'costCentre' as const, displayOrder: 2, dynamic: true, value: '' },
      { name: 'Account', holds: 'account' as const, displayOrder: 1, dynamic: false, value: '' },
    ];
    kinetic.changeSettings({ segments });
    kinetic.reset();
    const accounts = await client.rows('Erp.BO.GLAccountSvc/GLAccounts', { $filter: "contains(GLAccount1,'6500')" });
    expect(accounts).toMatchObject([{ GLAccount1: '|6500' }]);
    const check = {
      COACode: 'MAIN',
      GLAccount: '20|6500',
      ExtCompanyID: '',
      RestrictID: '',
      EffectiveDate: '2026-11-20',
    };
    const validate = 'Erp.BO.GLAccountSvc/ValidateGLAccount';
    expect((await client.call(validate, { ...check, ValidateDynamicSegment: true })).status).toBe(200);
    const shown = { COACode: 'MAIN', GLAccount: '20|6500', ExtCompanyID: '', isBalanceAcct: false, balanceType: '' };
    const { body } = await client.call('Erp.BO.GLAccountSvc/GetGLAcctDispAndDesc', shown);
    expect(body.parameters.glAcctDisp).toBe('6500-20');
  });

  it.each([
    ['9999', false],
    ['6600', false],
    ['6500', false],
    ['6500|30', false],
    ['6500|20', true],
    ['6400', true],
  ])('validates account %s: %s', async (GLAccount, isFine) => {
    const check = { COACode: 'MAIN', GLAccount, ExtCompanyID: '', RestrictID: '', EffectiveDate: '2026-11-20' };
    const query = { ...check, ValidateDynamicSegment: 'true' };
    expect((await client.get('Erp.BO.GLAccountSvc/ValidateGLAccount', query)).status).toBe(isFine ? 200 : 400);
  });

  it('says which periods are closed', async () => {
    kinetic.setPeriodOpen('2026-11-05', false);
    const rows = await client.rows('Erp.BO.GLBookPerSearchSvc/GLBookPerSearches', {
      $filter: 'FiscalYear eq 2026 and FiscalPeriod ge 10',
    });
    expect(rows.map(({ FiscalPeriod, ClosedPeriod }) => [FiscalPeriod, ClosedPeriod])).toEqual([
      [10, false],
      [11, true],
      [12, false],
    ]);
  });

  it('has its segments, values, charts and books', async () => {
    const count = async (path: string) => (await client.rows(path)).length;
    expect(await count('Erp.BO.COASegmentSearchSvc/COASegmentSearches')).toBe(2);
    expect(await count('Erp.BO.COASegValuesSvc/COASegValues')).toBe(8);
    expect(await count('Erp.BO.COASvc/COAs')).toBe(1);
    expect(await client.rows('Erp.BO.GLBookSvc/GLBooks')).toMatchObject([{ BookID: 'MAIN', CurrencyCode: 'USD' }]);
  });
});

describe('GetRows', () => {
  const clauses =
    'Vendor VendorAttch EntityGLC TaxExempt Partner PEVendWhldHist VendRestriction VendBank VendBankAttch VendCntMain VenMFBill VendorPP VenPPMFBill VenPPUPSEmail VendPPRestriction VendCnt VendCntAttch VenUPSEmail VendRemitTo';
  const ask = (clause: string, pageSize: number, absolutePage: number, leftOut = '') => {
    const names = clauses.split(' ').filter((name) => name !== leftOut);
    const all = Object.fromEntries(names.map((name) => [`whereClause${name}`, name === 'Vendor' ? clause : '']));
    return client.call('Erp.BO.VendorSvc/GetRows', { ...all, pageSize, absolutePage });
  };

  it('wants a where clause for every table', async () => {
    expect((await ask('', 10, 0, 'VendBank')).body.ErrorMessage).toBe(
      'Parameter whereClauseVendBank is not found in the input object',
    );
  });

  it('pages, orders and says whether there is more', async () => {
    const { body } = await ask("VendorID LIKE '%' BY VendorNum DESC", 2, 0);
    expect(body.returnObj.Vendor.map((row: { VendorID: string }) => row.VendorID)).toEqual(['STOPPED', "O'BRIEN"]);
    expect(body.parameters.morePages).toBe(true);
    expect((await ask('', 2, 1)).body.returnObj.Vendor).toHaveLength(1);
    kinetic.changeSettings({ firstPage: 1, pageSizeZero: 'refuse' });
    expect((await ask('', 2, 1)).body.returnObj.Vendor).toHaveLength(2);
    expect((await ask('', 0, 1)).status).toBe(400);
    expect((await ask('1=0', 2, 1)).body.returnObj.Vendor).toEqual([]);
  });
});

describe('v1', () => {
  it('needs no key, has its own dates and envelope, and answers Atom unless asked for JSON', async () => {
    const old = new PlainClient(kinetic, 'v1');
    delete old.headers['x-api-key'];
    await client.invoice();
    const filter = { $filter: "InvoiceDate ge datetime'2026-08-01'", $inlinecount: 'allpages' };
    const { body } = await old.get(INVOICES, filter);
    expect([body.value.length, body['odata.count']]).toEqual([1, '1']);
    expect(body['odata.metadata']).toMatch(/#APInvoices$/);
    old.headers.callsettings = JSON.stringify({ Company: 'OTHER' });
    expect((await old.get(VENDORS)).status).toBe(400);
    old.headers = { ...old.headers, callsettings: JSON.stringify({ Plant: 'NONE' }), accept: '*/*' };
    expect((await old.get(VENDORS)).type).toMatch(/atom/);
  });
});
