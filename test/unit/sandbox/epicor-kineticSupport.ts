import { request } from 'undici';
import {
  type EpicorKineticOptions,
  type RunningEpicorKinetic,
  startEpicorKineticSandbox,
} from '../../../src/sandbox/epicor-kinetic/index.js';
import type { CompanySeed } from '../../../src/sandbox/kit/index.js';

/** A small company whose books are open from October to December 2026. */
export function smallCompany(): CompanySeed {
  const periods = Array.from({ length: 24 }, (_, index) => {
    const day = (month: number, date: number) => new Date(Date.UTC(2025, month, date)).toISOString().slice(0, 10);
    return { startsOn: day(index, 1), endsOn: day(index + 1, 0), open: index >= 21 };
  });
  return {
    name: 'Small company',
    currency: 'USD',
    rates: { EUR: '1.10' },
    accounts: [
      { code: '6400', name: 'Software', kind: 'EXPENSE' },
      { code: '6500', name: 'Travel', kind: 'EXPENSE', needsCostCentre: true },
      { code: '6600', name: 'Old', kind: 'EXPENSE', active: false },
      { code: '2150', name: 'Card clearing', kind: 'LIABILITY' },
      { code: '2000', name: 'Payables', kind: 'LIABILITY', control: true },
      { code: '1400', name: 'Input tax', kind: 'ASSET' },
    ],
    costCentres: [
      { code: '20', name: 'Sales' },
      { code: '30', name: 'Closed', active: false },
    ],
    suppliers: [
      { code: 'AMAZON', name: 'Amazon Business' },
      { code: "O'BRIEN", name: "O'Brien & Söhne", currency: 'EUR' },
      { code: 'STOPPED', name: 'Stopped', active: false },
    ],
    periods,
    payablesAccount: '2000',
    taxAccount: '1400',
    taxCodes: [{ code: 'VAT20', name: 'VAT', percent: '20' }],
  };
}

export const CLOCK = { now: () => new Date('2026-11-20T12:00:00Z') };

export function start(options: Omit<EpicorKineticOptions, 'company'> = {}): Promise<RunningEpicorKinetic> {
  return startEpicorKineticSandbox({ company: smallCompany(), clock: CLOCK, ...options });
}

/** What comes back is looked into freely. */
type Loose = ReturnType<typeof JSON.parse>;
export interface Answer {
  status: number;
  type: string;
  text: string;
  body: Loose;
}
export type Row = Record<string, Loose>;

/** A client as plain as can be, which shares nothing with the connector. */
export class PlainClient {
  headers: Record<string, string>;

  constructor(
    readonly kinetic: RunningEpicorKinetic,
    readonly version: 'v1' | 'v2' = 'v2',
  ) {
    const { username, password, apiKey } = kinetic.access;
    const basic = Buffer.from(`${username}:${password}`).toString('base64');
    this.headers = { authorization: `Basic ${basic}`, 'x-api-key': apiKey, accept: 'application/json' };
  }

  async send(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: string): Promise<Answer> {
    const base = this.version === 'v2' ? '/api/v2/odata/EPIC06' : '/api/v1';
    const address = path.startsWith('/') ? `${this.kinetic.url}${path}` : `${this.kinetic.baseUrl}${base}/${path}`;
    const headers = { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const reply = await request(address, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      headersTimeout: 5000,
    });
    const text = await reply.body.text();
    const type = String(reply.headers['content-type']);
    return { status: reply.statusCode, type, text, body: readable(text) };
  }

  /** A list or a read method, its options encoded one by one. */
  get(path: string, options: Record<string, string | number> = {}): Promise<Answer> {
    const query = Object.entries(options).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return this.send('GET', query.length === 0 ? path : `${path}?${query.join('&')}`);
  }

  call(method: string, parameters: object): Promise<Answer> {
    return this.send('POST', method, exactText(parameters));
  }

  async rows(path: string, options: Record<string, string | number> = {}): Promise<Row[]> {
    return (await this.get(path, options)).body.value;
  }

  async group(groupId = 'BX261120', applyDate = '2026-11-20'): Promise<Answer> {
    const fresh = await this.call('Erp.BO.APInvGrpSvc/GetNewAPInvGrpNoLock', { ds: {} });
    const row = { ...fresh.body.parameters.ds.APInvGrp[0], GroupID: groupId, ApplyDate: applyDate };
    return this.call('Erp.BO.APInvGrpSvc/Update', { ds: { APInvGrp: [row] } });
  }

  /** Saves a header in the stepwise way. */
  async header(columns: Row = {}, groupId = 'BX261120', fresh = 'GetNewAPInvHedInvoice'): Promise<Answer> {
    const draft = await this.call(`Erp.BO.APInvoiceSvc/${fresh}`, { cGroupID: groupId, ds: {} });
    if (draft.status !== 200) return draft;
    const row = {
      ...draft.body.parameters.ds.APInvHed[0],
      VendorNumVendorID: 'AMAZON',
      InvoiceNum: 'BRX7F3K2M9Q',
      ...columns,
    };
    return this.call('Erp.BO.APInvoiceSvc/Update', { ds: { APInvHed: [row] } });
  }

  async line(columns: Row, invoiceNum = 'BRX7F3K2M9Q', groupId = 'BX261120', vendorNum = 101): Promise<Answer> {
    const key = { iVendorNum: vendorNum, cInvoiceNum: invoiceNum, ds: {} };
    const draft = await this.call('Erp.BO.APInvoiceSvc/GetNewAPInvDtlMiscellaneous', key);
    const row = { ...draft.body.parameters.ds.APInvDtl[0], ...columns };
    return this.call('Erp.BO.APInvoiceSvc/UpdateMaster', { ...MASTER, cGroupID: groupId, ds: { APInvDtl: [row] } });
  }

  /** Codes the account row of a line, found as a careful client does. */
  async code(line: number, account: string, invoiceNum = 'BRX7F3K2M9Q', vendorNum = 101): Promise<Answer> {
    const read = await this.get('Erp.BO.APInvoiceSvc/GetByID', { vendorNum, invoiceNum });
    const rows: Row[] = read.body.returnObj.APInvExpTGLC;
    const row = rows.find(
      (coding) => coding.InvoiceLine === line && coding.BookID === 'MAIN' && coding.RecordType === 'A',
    );
    return this.call('Erp.BO.APInvoiceSvc/Update', { ds: { APInvExpTGLC: [coded(row ?? {}, account)] } });
  }

  /** A whole invoice of one line. */
  async invoice(invoiceNum = 'BRX7F3K2M9Q', amount = '123.45'): Promise<void> {
    await this.group();
    await this.header({ InvoiceNum: invoiceNum, ScrDocInvoiceVendorAmt: exact(amount) });
    await this.line({ DocUnitCost: exact(amount), ScrVendorQty: 1, ScrDocExtCost: exact(amount) }, invoiceNum);
    await this.code(1, '6500|20', invoiceNum);
  }
}

export const MASTER = {
  ...{ cGroupID: 'BX261120', cTableName: 'APInvDtl', runChkCPay: false, runChkBankRef: false, runChkRevChrg: false },
  suppressUserPrompts: false,
};

export function coded(row: Row, account: string): Row {
  const segments = Object.fromEntries(account.split('|').map((value, index) => [`SegValue${index + 1}`, value]));
  return { ...row, ...{ SegValue1: '', SegValue2: '' }, ...segments, GLAccount: account, RowMod: 'U' };
}

/** A number that keeps its text. */
export function exact(text: string): unknown {
  return { exactly: text };
}

/** Revisions pass 2^53: they are read as texts with a mark and written back as the number they were. */
function readable(text: string): Loose {
  try {
    return JSON.parse(text.replace(/"SysRevID":(\d+)/g, '"SysRevID":"#$1"'));
  } catch {
    return undefined;
  }
}

function exactText(value: object): string {
  return JSON.stringify(value)
    .replace(/"#(\d+)"/g, '$1')
    .replace(/\{"exactly":"([^"]*)"\}/g, '$1');
}
