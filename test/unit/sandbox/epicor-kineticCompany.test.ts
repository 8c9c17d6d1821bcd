import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { PlainClient, type Row, start } from './epicor-kineticSupport.js';

/** Suppliers and the controls beside the API. */

const VENDORS = 'Erp.BO.VendorSvc';
let kinetic: RunningEpicorKinetic;
let client: PlainClient;
beforeEach(async () => {
  kinetic = await start();
  client = new PlainClient(kinetic);
});
afterEach(() => kinetic.close());

async function create(columns: Row) {
  const { ds } = (await client.call(`${VENDORS}/GetNewVendor`, { ds: {} })).body.parameters;
  Object.assign(ds.Vendor[0], columns);
  return client.call(`${VENDORS}/Update`, { ds });
}

async function control(method: 'GET' | 'POST' | 'DELETE', route: string, body?: object) {
  const reply = await request(`${kinetic.url}/_sandbox/${route}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: reply.statusCode, body: (await reply.body.json()) as Row };
}

describe('a supplier', () => {
  it('gets its number from the server and is found by its code', async () => {
    const { status, body } = await create({ VendorID: 'NEWCO', Name: 'New Co' });
    expect([status, body.parameters.ds.Vendor[0].VendorNum]).toEqual([200, 104]);
    const found = await client.get(`${VENDORS}/GetByVendID`, { vendorID: 'newco' });
    expect(found.body.returnObj.Vendor[0]).toMatchObject({ Name: 'New Co', Inactive: false, CurrencyCode: 'USD' });
    expect((await client.get(`${VENDORS}/GetByVendID`, { vendorID: 'NONE' })).status).toBe(404);
    expect(kinetic.suppliers()).toContainEqual({ code: 'NEWCO', name: 'New Co', active: true });
  });

  it.each([
    ['a code that is taken', { VendorID: 'amazon', Name: 'x' }, 409],
    ['no name', { VendorID: 'X' }, 400],
    ['a long code', { VendorID: 'LONGCODE9', Name: 'x' }, 400],
    ['a long name', { VendorID: 'X', Name: 'x'.repeat(51) }, 400],
  ])('with %s is refused', async (_what, columns, status) => {
    expect((await create(columns)).status).toBe(status);
    expect(kinetic.suppliers()).toHaveLength(3);
  });

  it('wants what its company wants', async () => {
    kinetic.changeSettings({ vendorMandatory: ['VendorID', 'Name', 'TermsCode'] });
    expect((await create({ VendorID: 'X', Name: 'x' })).body.ErrorDetails[0].Field).toBe('TermsCode');
  });

  it('is changed by a whole row with its revision, or through OData', async () => {
    const [row] = await client.rows(`${VENDORS}/Vendors`, { $filter: 'VendorNum eq 101' });
    const changed = { ...row, Name: 'Amazon', RowMod: 'U' };
    expect((await client.call(`${VENDORS}/Update`, { ds: { Vendor: [changed] } })).status).toBe(200);
    expect((await client.call(`${VENDORS}/Update`, { ds: { Vendor: [changed] } })).status).toBe(409);
    expect((await client.send('PATCH', `${VENDORS}/Vendors('EPIC06',101)`, '{"Inactive":true}')).status).toBe(204);
    expect(kinetic.suppliers()[0]).toMatchObject({ name: 'Amazon', active: false });
  });
});

describe('the controls', () => {
  it('are the shared ones and some of its own', async () => {
    await client.invoice();
    expect((await control('GET', 'documents?reference=BRX7F3K2M9Q')).body).toMatchObject({ total: 1 });
    expect((await control('GET', 'summary')).body).toMatchObject({ invoices: 1, suppliers: 3 });
    expect((await control('POST', 'periods', { on: '2026-11-20', open: false })).status).toBe(200);
    expect((await control('POST', 'accounts', { code: '6500', active: false })).status).toBe(200);
    expect((await control('POST', 'suppliers', { code: 'AMAZON', active: false })).status).toBe(200);
    expect((await control('POST', 'groups', { groupId: 'BX261120' })).body.groups[0].holder).toBe('CLERK');
    expect((await control('POST', 'groups', { groupId: 'BX261120', holder: '' })).status).toBe(200);
    expect((await control('POST', 'touch', { reference: 'BRX7F3K2M9Q' })).status).toBe(200);
    expect((await control('POST', 'scenarios', { stuckPostings: 2 })).body.stuckPostings).toBe(2);
    expect((await control('POST', 'agent')).body).toEqual({ ran: 0 });
    expect((await control('POST', 'settings', { rowCap: 7 })).body.rowCap).toBe(7);
    kinetic.setSupplierActive('AMAZON', true);
    const renamed = { vendor: 'AMAZON', invoiceNum: 'BRX7F3K2M9Q', newInvoiceNum: 'OTHER' };
    expect((await control('POST', 'renumber-invoice', renamed)).status).toBe(200);
    expect((await control('DELETE', 'sessions')).body).toEqual({ ended: 0 });
    expect((await control('POST', 'reset')).body).toMatchObject({ invoices: 0 });
    expect((await control('GET', 'settings')).body.rowCap).toBe(7);
  });

  it('name what does not exist', async () => {
    expect((await control('POST', 'settings', { noSuch: 1 })).body).toMatchObject({ field: 'noSuch' });
    expect((await control('POST', 'accounts', { code: 'X', active: true })).body).toMatchObject({ field: 'code' });
    expect((await control('POST', 'delete-invoice', { vendor: 'AMAZON', invoiceNum: 'X' })).body).toMatchObject({
      field: 'invoiceNum',
    });
    expect((await control('GET', 'nothing')).status).toBe(404);
    expect(() => kinetic.setPeriodOpen('1999-01-01', true)).toThrow(/1999/);
  });
});
