import { createHmac } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { request } from 'undici';
import type { CompanySeed } from '../../../src/sandbox/kit/index.js';
import {
  type RunningSageX3,
  type SageX3SandboxOptions,
  type SageX3SettingsInput,
  startSageX3Sandbox,
} from '../../../src/sandbox/sage-x3/index.js';

export function company(): CompanySeed {
  return {
    name: 'North Roofing',
    currency: 'USD',
    rates: { EUR: '1.105', JPY: '0.0067' },
    accounts: [
      { code: '62510', name: 'Hotels', kind: 'EXPENSE', needsCostCentre: true },
      { code: '60640', name: 'Software', kind: 'EXPENSE' },
      { code: '62999', name: 'Old travel', kind: 'EXPENSE', active: false },
      { code: '45800', name: 'Brex clearing', kind: 'LIABILITY' },
      { code: '40100', name: 'Payables', kind: 'LIABILITY', control: true },
    ],
    costCentres: [
      { code: 'SALES', name: 'Sales' },
      { code: 'OLD', name: 'Closed down', active: false },
    ],
    suppliers: [
      { code: 'AE003', name: "O'Hara Tools" },
      { code: 'AE007', name: 'Brightline Travel', active: false },
    ],
    periods: [
      { startsOn: '2026-10-01', endsOn: '2026-10-31', open: false },
      { startsOn: '2026-11-01', endsOn: '2026-11-30', open: true },
    ],
    payablesAccount: '40100',
    taxAccount: '45800',
    taxCodes: [{ code: 'NORM', name: 'Normal', percent: '8.25' }],
  };
}

export function start(
  settings: SageX3SettingsInput = {},
  more: Partial<SageX3SandboxOptions> = {},
): Promise<RunningSageX3> {
  return startSageX3Sandbox({ company: company(), settings, ...more });
}

export interface Answer {
  status: number;
  type: string;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

export async function call(
  url: string,
  options: { method?: 'GET' | 'POST' | 'DELETE'; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const reply = await request(url, { headersTimeout: 5000, ...options });
  return {
    status: reply.statusCode,
    type: String(reply.headers['content-type']),
    text: await reply.body.text(),
    headers: reply.headers,
  };
}

/** One journal as a test says it: amounts above zero are debits. */
export interface TestLine {
  account: string;
  amount: string;
  text?: string;
  partner?: string;
  /** Rows of `[type, code, amount]`; the analytical number is the row's place unless given. */
  split?: [type: string, code: string, amount: string, number?: string][] | undefined;
}

export interface TestEntry {
  reference: string;
  date?: string;
  currency?: string;
  number?: string;
  type?: string;
  lines: TestLine[];
}

export const HOTEL: TestEntry = {
  reference: 'BRX-7F3A0C91D2E4',
  lines: [
    { account: '62510', amount: '120.50', text: 'Hotel - J Doe', split: [['CCT', 'SALES', '120.50']] },
    { account: '45800', amount: '-120.50', text: 'Brex clearing' },
  ],
};

const sideOf = (amount: string): string => (amount.startsWith('-') ? '-1' : '1');

/** The journal in the layout that the template has by default. */
export function importText(entry: TestEntry, end = true): string {
  const head = [
    'G',
    entry.type ?? 'BRXJE',
    entry.number ?? '',
    'NA011',
    'PURCH',
    (entry.date ?? '2026-11-19').replaceAll('-', ''),
  ];
  const records = [[...head, entry.currency ?? 'USD', 'Card spend', entry.reference, ''].join(';')];
  entry.lines.forEach((line, index) => {
    const amount = line.amount.replace('-', '');
    const cells = ['D', index + 1, line.account, line.partner ?? '', sideOf(line.amount), amount, line.text ?? '', ''];
    records.push(cells.join(';'));
    line.split?.forEach(([type, code, part, number], place) => {
      records.push(['A', number ?? place + 1, type, code, part].join(';'));
    });
  });
  return [...records, ...(end ? ['END'] : [])].join('|');
}

export interface SoapAnswer {
  httpStatus: number;
  body: string;
  status: string;
  messages: string[];
  resultXml: string;
}

const parser = new XMLParser({ removeNSPrefix: true, ignoreAttributes: true, parseTagValue: false });

/** A client as plain as can be, which shares nothing with the connector. */
export class PlainClient {
  constructor(readonly x3: RunningSageX3) {}

  get basic(): string {
    const { user, password } = this.x3.access.basic;
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  get(path: string, authorization = this.basic): Promise<Answer> {
    return call(path.startsWith('http') ? path : `${this.x3.access.rest.url}/${path}`, { headers: { authorization } });
  }

  async query(className: string, values: Record<string, string> = {}): Promise<Page> {
    const query = new URLSearchParams({ representation: `${className}.$query`, ...values });
    const answer = await this.get(`${className}?${query}`);
    return { httpStatus: answer.status, ...JSON.parse(answer.text) };
  }

  async details(className: string, key: string): Promise<Record<string, unknown>> {
    const answer = await this.get(`${className}('${encodeURIComponent(key)}')?representation=${className}.$details`);
    return { httpStatus: answer.status, ...JSON.parse(answer.text) };
  }

  post(path: string, body: unknown): Promise<Answer> {
    const headers = { authorization: this.basic, 'content-type': 'application/json' };
    return call(`${this.x3.access.rest.url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async soap(
    operation: string,
    publicName: string,
    inner: string,
    options: { pool?: string; config?: string; authorization?: string } = {},
  ): Promise<SoapAnswer> {
    const body = `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wss="http://www.adonix.com/WSS"><soapenv:Body>
      <wss:${operation}><callContext><codeLang>ENG</codeLang><poolAlias>${options.pool ?? 'BREXPOOL'}</poolAlias><poolId></poolId>
      <requestConfig>${options.config ?? ''}</requestConfig></callContext><publicName>${publicName}</publicName>${inner}</wss:${operation}></soapenv:Body></soapenv:Envelope>`;
    const headers = {
      'content-type': 'text/xml; charset=utf-8',
      soapaction: '""',
      authorization: options.authorization ?? this.basic,
    };
    const answer = await call(this.x3.access.soap.url, { method: 'POST', headers, body });
    return { httpStatus: answer.status, body: answer.text, ...readReturn(answer.text, operation) };
  }

  run(publicName: string, document: unknown, options = {}): Promise<SoapAnswer> {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    return this.soap('run', publicName, `<inputXml><![CDATA[${text}]]></inputXml>`, options);
  }

  save(publicName: string, document: unknown, options = {}): Promise<SoapAnswer> {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    return this.soap('save', publicName, `<objectXml><![CDATA[${text}]]></objectXml>`, options);
  }

  import(file: string, more: Record<string, string> = {}): Promise<SoapAnswer> {
    const base = { I_MODIMP: 'YBRXGAS', I_AOWSTA: 'NO', I_EXEC: 'REALTIME', I_RECORDSEP: '|', I_FILE: file };
    return this.run('AOWSIMPORT', { GRP1: { ...base, ...more } });
  }
}

export interface Page {
  httpStatus: number;
  $itemsPerPage: number;
  $resources: Record<string, unknown>[];
  $links: { $next?: { $url: string } };
  $diagnoses?: { $severity: string; $message: string }[];
}

function readReturn(text: string, operation: string): Pick<SoapAnswer, 'status' | 'messages' | 'resultXml'> {
  const found: unknown = /^<\?xml/.test(text) ? parser.parse(text) : undefined;
  const result = at(found, 'Envelope', 'Body', `${operation}Response`, `${operation}Return`);
  const messages = [at(result, 'messages', 'messages')].flat().map((message) => at(message, 'message'));
  return {
    status: String(at(result, 'status') ?? ''),
    messages: messages.filter((message) => typeof message === 'string'),
    resultXml: String(at(result, 'resultXml') ?? ''),
  };
}

function at(value: unknown, ...path: string[]): unknown {
  let current = value;
  for (const name of path)
    current = typeof current === 'object' && current !== null ? Reflect.get(current, name) : undefined;
  return current;
}

/** @returns the text of a field of `resultXml`. */
export function field(xml: string, name: string): string | undefined {
  return new RegExp(`<FLD NAM[E]?="${name}"[^>]*>([^<]*)</FLD>`).exec(xml)?.[1];
}

/** Signs a token as a connected application does. */
export function mint(claims: Record<string, unknown>, secret: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

export function appClaims(x3: RunningSageX3, change: Record<string, unknown> = {}): Record<string, unknown> {
  const { clientId, user, audience } = x3.access.connectedApp;
  const iat = Math.floor(Date.now() / 1000) - 30;
  return { iss: clientId, sub: user, aud: audience, iat, exp: iat + 300, ...change };
}
