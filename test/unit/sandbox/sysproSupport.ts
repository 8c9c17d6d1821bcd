import { XMLParser } from 'fast-xml-parser';
import { request } from 'undici';
import { type RunningSyspro, type SysproSeed, startSysproSandbox } from '../../../src/sandbox/syspro/index.js';

/** A small company in its period 5 of 2027, whose financial year begins in July. */
export function smallSeed(): SysproSeed {
  const months = ['07', '08', '09', '10', '11', '12', '01', '02', '03', '04', '05', '06'];
  const periods = [2025, 2026, 2027].flatMap((year) =>
    months.map((month, index) => {
      const calendarYear = index < 6 ? year - 1 : year;
      const lastDay = new Date(Date.UTC(calendarYear, Number(month), 0)).getUTCDate();
      const open = year === 2027 && index >= 3;
      return {
        year,
        period: index + 1,
        startsOn: `${calendarYear}-${month}-01`,
        endsOn: `${calendarYear}-${month}-${lastDay}`,
        open: open || (year === 2026 && index === 11),
      };
    }),
  );
  return {
    companyId: 'EDU1',
    operators: [
      { name: 'GATEWAY', password: 'p@ss+word' },
      { name: 'CLERK', password: 'clerk', mayAuthorise: false, mayPost: false },
    ],
    localCurrency: '$',
    companyDate: '2026-11-20',
    accounts: [
      { code: '10-6100', description: 'Meals – Café', type: 'E' },
      { code: '10-6200', description: 'Software', type: 'E' },
      { code: '10-6300', description: 'Old travel', type: 'E', onHold: true },
      { code: '10-6400', description: 'Locked', type: 'E', password: 'open' },
      { code: '00-2150', description: 'Card clearing', type: 'L' },
      { code: '00-2000', description: 'Payables control', type: 'L', control: true },
      { code: '00-9000', description: 'Head count', type: 'S' },
      { code: '00-9900', description: 'Template', type: 'T' },
    ],
    suppliers: [
      { code: '0000001', name: 'Old Supplier' },
      { code: 'ACME', name: 'Acme & Söhne', onHold: false },
      { code: 'STOPPED', name: 'Stopped', onHold: true },
    ],
    branches: ['10'],
    termsCodes: ['0'],
    banks: ['FB'],
    currencies: ['EUR'],
    periods,
    currentYear: 2027,
    currentPeriod: 5,
  };
}

export function start(options: Omit<Parameters<typeof startSysproSandbox>[0], 'seed'> = {}): Promise<RunningSyspro> {
  return startSysproSandbox({ seed: smallSeed(), ...options });
}

export interface Answer {
  status: number;
  type: string;
  bytes: Buffer;
  /** The body read as Latin-1, which is right for everything but the specials of Windows-1252. */
  body: string;
}

export async function get(url: string): Promise<Answer> {
  const reply = await request(url, { headersTimeout: 5000 });
  const bytes = Buffer.from(await reply.body.arrayBuffer());
  return {
    status: reply.statusCode,
    type: String(reply.headers['content-type']),
    bytes,
    body: bytes.toString('latin1'),
  };
}

/** A client as plain as can be, which shares nothing with the connector. */
export class PlainClient {
  userId = '';

  constructor(readonly syspro: RunningSyspro) {}

  call(operation: string, values: Record<string, string> = {}): Promise<Answer> {
    const query = Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return get(`${this.syspro.baseUrl}/${operation}?${query.join('&')}`);
  }

  async logon(xmlIn = '', operator = 'GATEWAY', password = 'p@ss+word'): Promise<string> {
    const values = {
      Operator: operator,
      OperatorPassword: password,
      CompanyId: 'EDU1',
      CompanyPassword: '',
      XmlIn: xmlIn,
    };
    const { body } = await this.call('Logon', values);
    this.userId = body;
    return body;
  }

  async query(businessObject: string, xmlIn: string): Promise<string> {
    const values = { UserId: this.userId, BusinessObject: businessObject, XmlIn: xmlIn };
    return (await this.call('Query/Query', values)).body;
  }

  async post(businessObject: string, xmlParameters: string, xmlIn: string): Promise<string> {
    const values = { UserId: this.userId, BusinessObject: businessObject, XmlParameters: xmlParameters, XmlIn: xmlIn };
    return (await this.call('Transaction/Post', values)).body;
  }

  async setup(action: string, xmlIn: string): Promise<string> {
    const values = { UserId: this.userId, BusinessObject: 'APSSSP', XmlParameters: '', XmlIn: xmlIn };
    return (await this.call(`Setup/${action}`, values)).body;
  }

  /** Posts a journal; lines are account and amount. */
  journal(
    lines: readonly (readonly [string, string])[],
    item: Record<string, string> = {},
    parameters: Record<string, string> = {},
  ): Promise<string> {
    return this.post('GENTJL', journalParameters(parameters), journalXml(lines, item));
  }
}

export function elements(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');
}

export function journalParameters(parameters: Record<string, string> = {}): string {
  return `<PostGlJournal><Parameters>${elements(parameters)}</Parameters></PostGlJournal>`;
}

export function journalXml(lines: readonly (readonly [string, string])[], item: Record<string, string> = {}): string {
  const details = lines
    .map(
      ([code, amount]) =>
        `<JournalDetails>${elements({ LedgerCode: code, EntryAmount: amount, Reference: 'R1' })}</JournalDetails>`,
    )
    .join('');
  return `<PostGlJournal><Item>${elements({ JournalReference: 'R1', ...item })}${details}</Item></PostGlJournal>`;
}

export function invoiceXml(items: readonly Record<string, string>[], account = '10-6200', share = '125.50'): string {
  const one = (item: Record<string, string>): string => {
    const values = { Supplier: 'ACME', TransactionCode: 'I', Invoice: 'INV-1', TransactionValue: '125.50', ...item };
    const line = elements({ LedgerCode: account, LedgerValue: share, LedgerNotation: 'Software' });
    return `<Item>${elements(values)}<LedgerDistribution>${line}</LedgerDistribution></Item>`;
  };
  return `<PostApInvoice>${items.map(one).join('')}</PostApInvoice>`;
}

/** @returns the trimmed texts of all elements with that name, in order. */
export function texts(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((match) => (match[1] ?? '').trim());
}

/** @returns true when the XML is well-formed enough to be parsed; throws otherwise. */
export function parses(xml: string): boolean {
  new XMLParser().parse(xml, true);
  return true;
}

export const BALANCED = [
  ['10-6100', '125.50'],
  ['00-2150', '-125.50'],
] as const;
