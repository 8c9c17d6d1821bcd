import { request } from 'undici';
import {
  type InforM3SandboxOptions,
  type RunningInforM3,
  startInforM3Sandbox,
} from '../../../src/sandbox/infor-m3/index.js';
import type { CompanySeed } from '../../../src/sandbox/kit/index.js';

/** A small company whose November 2026 is open and whose October is closed. */
export function smallCompany(): CompanySeed {
  return {
    name: 'Ledger Gate Works',
    currency: 'USD',
    rates: { EUR: '1.1', JPY: '0.0067' },
    accounts: [
      { code: '62510', name: 'Travel', kind: 'EXPENSE' },
      { code: '62600', name: 'Software', kind: 'EXPENSE', needsCostCentre: true },
      { code: '62900', name: 'Old costs', kind: 'EXPENSE', active: false },
      { code: '45800', name: 'Card clearing', kind: 'LIABILITY' },
      { code: '44000', name: 'Payables', kind: 'LIABILITY', control: true },
      { code: '44500', name: 'Input VAT', kind: 'ASSET' },
    ],
    costCentres: [
      { code: 'SALES', name: 'Sales' },
      { code: 'GONE', name: 'Gone', active: false },
    ],
    suppliers: [
      { code: 'BREX01', name: 'Brex Inc' },
      { code: 'OFFICE', name: 'Office World', currency: 'EUR' },
      { code: 'STOPPED', name: 'Stopped', active: false },
    ],
    periods: [
      { startsOn: '2026-10-01', endsOn: '2026-10-31', open: false },
      { startsOn: '2026-11-01', endsOn: '2026-11-30', open: true },
      { startsOn: '2026-12-01', endsOn: '2026-12-31', open: true },
    ],
    payablesAccount: '44000',
    taxAccount: '44500',
    taxCodes: [{ code: 'STD', name: 'Standard', percent: '20' }],
  };
}

/** A clock that only moves when it is told to. */
export class StillClock {
  ms = Date.parse('2026-11-20T10:00:00.000Z');
  now(): Date {
    return new Date(this.ms);
  }
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface V2Result {
  transaction: string;
  records: Record<string, string>[];
  errorMessage?: string;
  errorCode?: string;
  errorField?: string;
  errorType?: string;
  notProcessed?: boolean;
  parameters?: Record<string, string>;
}

export interface V2Body {
  results: V2Result[];
  wasTerminated: boolean;
  terminationReason?: string;
  nrOfSuccessfullTransactions: number;
  nrOfFailedTransactions: number;
  nrOfNotProcessedTransactions: number;
}

/** A client as plain as can be, which shares nothing with the connector. */
export class PlainM3 {
  token = '';

  constructor(readonly m3: RunningInforM3) {}

  async call(
    method: 'GET' | 'POST',
    url: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answer> {
    const reply = await request(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      headersTimeout: 5000,
    });
    return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
  }

  async form(url: string, values: Record<string, string>, basic = true): Promise<Answer> {
    const { ci, cs } = this.m3.access.ionapi;
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
    if (basic) headers.authorization = `Basic ${Buffer.from(`${ci}:${cs}`).toString('base64')}`;
    const client: Record<string, string> = basic ? {} : { client_id: ci, client_secret: cs };
    return this.call('POST', url, headers, new URLSearchParams({ ...values, ...client }).toString());
  }

  async logIn(): Promise<Record<string, unknown>> {
    const { saak, sask } = this.m3.access.ionapi;
    const answer = await this.form(this.m3.access.tokenUrl, { grant_type: 'password', username: saak, password: sask });
    const body: Record<string, unknown> = JSON.parse(answer.text);
    this.token = String(body.access_token ?? '');
    return body;
  }

  get(path: string, accept = 'application/json'): Promise<Answer> {
    return this.call('GET', `${this.m3.access.m3Url}${path}`, { authorization: `Bearer ${this.token}`, accept });
  }

  /** A v2 call in company 100, division AAA. */
  v2(program: string, fields: Record<string, string> = {}, options: Record<string, string> = {}): Promise<Answer> {
    const query = new URLSearchParams({ cono: '100', divi: 'AAA', ...options, ...fields });
    return this.get(`/v2/execute/${program}?${query}`);
  }

  async result(
    program: string,
    fields: Record<string, string> = {},
    options: Record<string, string> = {},
  ): Promise<V2Result> {
    const answer = await this.v2(program, fields, options);
    const body: V2Body = JSON.parse(answer.text);
    const [result] = body.results;
    if (result === undefined) throw new Error(`No result: ${answer.text}`);
    return result;
  }

  /** @returns the records of a call that must succeed. */
  async ok(
    program: string,
    fields: Record<string, string> = {},
    options: Record<string, string> = {},
  ): Promise<Record<string, string>[]> {
    const result = await this.result(program, fields, options);
    if (result.errorMessage !== undefined) throw new Error(`${program}: ${result.errorMessage}`);
    return result.records;
  }

  async bulk(
    program: string,
    transactions: { transaction: string; record: Record<string, string> }[],
  ): Promise<V2Body> {
    const answer = await this.call(
      'POST',
      `${this.m3.access.m3Url}/v2/execute`,
      { authorization: `Bearer ${this.token}`, accept: 'application/json', 'content-type': 'application/json' },
      JSON.stringify({ program, cono: 100, divi: 'AAA', transactions }),
    );
    return JSON.parse(answer.text);
  }

  /** Stages a balanced journal of two lines. */
  async stageJournal(key: string, reference = key, amount = '120.50', day = '20261119'): Promise<void> {
    await this.ok('GLS840MI/AddBatchHead', { CONO: '100', KEY1: key, INTN: 'BREXGL', DESC: 'Cards', DIVI: 'AAA' });
    await this.ok('GLS840MI/AddBatchLineFld', journalLine(key, '1', '62510', amount, reference, day));
    await this.ok('GLS840MI/AddBatchLineFld', journalLine(key, '2', '45800', `-${amount}`, reference, day));
  }

  async postJournal(key: string, reference = key): Promise<void> {
    await this.stageJournal(key, reference);
    await this.ok('GLS840MI/CtrlBatch', { CONO: '100', KEY1: key, DIVI: 'AAA' });
    await this.ok('GLS840MI/UpdBatch', { CONO: '100', KEY1: key, DIVI: 'AAA' });
  }

  /** Stages an invoice of one accounting line. @returns its batch number. */
  async stageInvoice(head: Record<string, string> = {}, line: Record<string, string> = {}): Promise<string> {
    const [added] = await this.ok('APS450MI/AddHead', { ...INVOICE_HEAD, ...head });
    const number = added?.INBN ?? '';
    const amount = head.CUAM ?? INVOICE_HEAD.CUAM;
    await this.ok('APS450MI/AddLine', { INBN: number, DIVI: 'AAA', RDTP: '8', NLAM: amount, AIT1: '62510', ...line });
    return number;
  }

  async head(number: string): Promise<Record<string, string>> {
    const [head] = await this.ok('APS450MI/GetHead', { INBN: number, DIVI: 'AAA' });
    return head ?? {};
  }
}

export const INVOICE_HEAD = {
  SUNO: 'BREX01',
  IVDT: '20261118',
  DIVI: 'AAA',
  IBTP: '20',
  SINO: 'BRX7F3A0C91D2E4',
  CUCD: 'USD',
  CUAM: '120.50',
  ACDT: '20261119',
};

export function journalLine(
  key: string,
  line: string,
  account: string,
  amount: string,
  reference = key,
  day = '20261119',
): Record<string, string> {
  return {
    ...{ KEY1: key, LINE: line, INRI: 'I1', DIVI: 'AAA', GRNR: '1', ACDT: day, CUCD: 'USD', CUAM: amount },
    ...{ AIT1: account, VTXT: `${reference} Hotel J Doe` },
  };
}

export async function start(options: Partial<InforM3SandboxOptions> = {}): Promise<PlainM3> {
  const client = new PlainM3(await startInforM3Sandbox({ company: smallCompany(), ...options }));
  await client.logIn();
  return client;
}
