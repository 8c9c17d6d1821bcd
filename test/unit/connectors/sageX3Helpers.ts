import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import type { z } from 'zod';
import type { LedgerConnection, LedgerDocument } from '../../../src/connectors/contract.js';
import { type SageX3Settings, settingsSchema } from '../../../src/connectors/sage-x3/config.js';
import { openConnection, type SageX3Credentials } from '../../../src/connectors/sage-x3/index.js';
import type { X3Runtime } from '../../../src/connectors/sage-x3/transport.js';
import { localDate } from '../../../src/domain/localDate.js';
import { createLogger } from '../../../src/logger.js';
import { type ContextOptions, contextFor } from '../../support/connectorContext.js';

/** What the Sage X3 tests share: a small scripted server after the vendor's pages, settings, documents, a captured log. */

export const basic: SageX3Credentials = { kind: 'basic', username: 'GATEWAY', password: 'pl4nted-basic-pw' };

export type SettingsInput = z.input<typeof settingsSchema>;

export const baseSettings: SettingsInput = {
  folder: 'SEED',
  site: 'NA012',
  company: 'NA10',
  chart: 'USA',
  poolAlias: 'BREXPOOL',
  importTemplate: 'YBRXGAS',
  entryType: 'BRXJE',
  dimensionTypes: { costCentre: 'DPT', project: 'PRJ' },
  fiscalPeriods: [{ year: 2026, period: 11, startsOn: '2026-11-01', endsOn: '2026-11-30', open: true }],
};

export function settingsWith(changes: Partial<SettingsInput> = {}): SageX3Settings {
  return settingsSchema.parse({ ...baseSettings, ...changes });
}

/** Retries without waiting. */
export const hurried: X3Runtime = { delay: async () => undefined, random: () => 0 };

export interface TestConnection {
  readonly connection: LedgerConnection;
  /** Everything that was logged, at the finest level. */
  readonly log: () => string;
}

export function connectTo(
  baseUrl: string,
  changes: Partial<SettingsInput> = {},
  credentials: SageX3Credentials = basic,
  options: ContextOptions<SageX3Credentials> = {},
): TestConnection {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const context = {
    ...contextFor(baseUrl, credentials, settingsWith(changes), options),
    logger: createLogger('trace', stream),
  };
  return { connection: openConnection(context, hurried), log: () => chunks.join('') };
}

export function document(changes: Partial<LedgerDocument> = {}): LedgerDocument {
  return {
    documentType: 'JOURNAL',
    reference: 'K7F3A0C91D2E4X1',
    postingDate: localDate('2026-11-19'),
    periodKey: { year: '2026', period: '11' },
    currency: 'USD',
    supplierCode: null,
    description: 'Brex card spend',
    total: '120.50',
    lines: [
      {
        lineNumber: 1,
        glAccount: '62510',
        costCentre: 'SALES',
        dimensions: {},
        taxCode: null,
        debit: '120.50',
        credit: '0.00',
        memo: 'Hotel - J Doe',
      },
      {
        lineNumber: 2,
        glAccount: '45800',
        costCentre: null,
        dimensions: {},
        taxCode: null,
        debit: '0.00',
        credit: '120.50',
        memo: 'Brex clearing',
      },
    ],
    ...changes,
  };
}

export const query = {
  documentType: 'JOURNAL',
  reference: 'K7F3A0C91D2E4X1',
  supplierCode: null,
  postingDate: localDate('2026-11-19'),
} as const;

// ── the scripted server ──────────────────────────────────────────────────────────────────────

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** `save GAS`, `run AOWSIMPORT`, `GET GACCENTRY`, `POST GACCENTRY`, `graphql`, `token`, `endPoints`, `reach`. */
  readonly what: string;
}

export interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** `null` closes the connection without an answer. */
export type Answer = Reply | null;

export type Fields = Record<string, string>;
export interface StoredJournal {
  header: Fields;
  lines: Fields[];
  analytical: Fields[];
}

export class FakeX3 {
  readonly calls: Call[] = [];
  readonly journals: StoredJournal[] = [];
  readonly tables: Record<string, Fields[]> = {
    GACCOUNT: [
      { COA: 'USA', ACC: '45800', DES: 'Brex clearing', ENAFLG: '2' },
      { COA: 'USA', ACC: '62510', DES: 'Travel', ENAFLG: '2' },
      { COA: 'FRA', ACC: '62510', DES: 'Voyages', ENAFLG: '1' },
      { COA: 'USA', ACC: '40100', DES: 'Payables', ENAFLG: '2', SAC: 'BP' },
      { COA: 'USA', ACC: '00012', DES: 'Old', ENAFLG: '1' },
    ],
    BPSUPPLIER: [
      { BPSNUM: 'AE003', BPSNAM: 'Acme Tools', CUR: 'USD', ENAFLG: '2' },
      { BPSNUM: 'AE007', BPSNAM: 'Brightline Travel', CUR: 'USD', ENAFLG: '2' },
      { BPSNUM: 'AE009', BPSNAM: 'Closed Shop', CUR: 'EUR', ENAFLG: '1' },
    ],
    CACCE: [
      { DIE: 'DPT', CCE: 'SALES', DES: 'Sales', ENAFLG: '2' },
      { DIE: 'DPT', CCE: 'OLD', DES: 'Old', ENAFLG: '2', VLYEND: '2020-12-31' },
      { DIE: 'PRJ', CCE: 'P1', DES: 'Project 1', ENAFLG: '2', IPT: '1' },
      { DIE: 'ZZZ', CCE: 'X', DES: 'Not mapped', ENAFLG: '2' },
    ],
    PERIOD: [],
  };
  pageCap = 2;
  /** Answers instead of the server; `undefined` lets it answer itself. */
  intercept: (call: Call, act: () => Answer) => Answer | undefined = () => undefined;
  /** The words of the refusal of the next journals; null = it takes them. */
  refusal: string | null = null;
  /** Changes what a journal is stored as. */
  store: (journal: StoredJournal) => StoredJournal = (journal) => journal;
  url = '';
  private server = createServer((request, response) => {
    // A mistake in here must fail the test at once, and not leave the caller waiting.
    this.serve(request, response).catch((error: unknown) => {
      request.socket.destroy();
      throw error;
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  count(what: string): number {
    return this.calls.filter((call) => call.what === what).length;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? '/', this.url);
    const call = {
      method: request.method ?? '',
      url,
      headers: request.headers,
      body,
      what: whatOf(request, url, body),
    };
    this.calls.push(call);
    const act = () => this.answer(call);
    const intercepted = this.intercept(call, act);
    const reply = intercepted === undefined ? act() : intercepted;
    if (reply === null) {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status ?? 200, { 'content-type': reply.type ?? 'application/json', ...reply.headers });
    response.end(reply.body);
  }

  private answer(call: Call): Answer {
    if (call.what === 'reach') return { type: 'text/html', body: '<html><body>Syracuse</body></html>' };
    if (call.what === 'endPoints') return json({ $resources: [{ name: 'SEED' }, { name: 'X3' }] });
    if (call.url.pathname.startsWith('/soap-generic/')) return this.soap(call);
    return this.rest(call);
  }

  // ── REST ───────────────────────────────────────────────────────────────────────────────────

  private rest(call: Call): Answer {
    const [, name = '', quoted] =
      /\/([A-Z]+)(?:\('(.*)'\))?(?:\/\$template)?$/.exec(decodeURIComponent(call.url.pathname)) ?? [];
    if (call.url.pathname.endsWith('$template')) return json({ TYP: '', NUM: '' });
    if (call.method === 'POST') return this.restCreate(name, call.body);
    const rows = name === 'GACCENTRY' ? this.journals.map(({ header }) => header) : this.tables[name];
    if (!rows) return json({ $diagnoses: [{ $severity: 'error', $message: 'unknown class' }] }, 404);
    return quoted === undefined ? this.page(rows, call.url, name) : this.details(name, quoted.replaceAll("''", "'"));
  }

  private page(rows: Fields[], url: URL, name: string): Answer {
    const [, field = '', value = ''] = /^(\w+) eq '(.*)'$/.exec(url.searchParams.get('where') ?? '') ?? [];
    const fits = field === '' ? rows : rows.filter((row) => row[field] === value.replaceAll("''", "'"));
    const from = Number(url.searchParams.get('key')?.slice(3) ?? 0);
    const page = fits.slice(from, from + this.pageCap);
    const next = new URL(url);
    // Behind a proxy the server names itself by its internal host.
    next.host = 'x3-internal.example';
    next.searchParams.set('key', `gt.${from + this.pageCap}`);
    const more = from + this.pageCap < fits.length;
    const links = more ? { $next: { $url: next.href, $type: 'application/json', $method: 'GET' } } : {};
    const shown = page.map((row) => (name === 'GACCENTRY' ? { TYP: row.TYP, NUM: row.NUM, REFINT: row.REFINT } : row));
    return json({ $itemsPerPage: this.pageCap, $resources: shown, $links: { ...links, $last: { $url: 'x' } } });
  }

  private details(name: string, key: string): Answer {
    const missing = json({ $diagnoses: [{ $severity: 'error', $message: '721 : Record does not exist' }] });
    if (name !== 'GACCENTRY') {
      const row = (this.tables[name] ?? []).find(
        (candidate) => (candidate.BPSNUM ?? Object.values(candidate)[0]) === key,
      );
      return row ? json({ $uuid: 'u', ...row }) : missing;
    }
    const journal = this.journals.find(({ header }) => `${header.TYP}~${header.NUM}` === key);
    if (!journal) return missing;
    // Amounts as JSON numbers, lines once for each type of ledger.
    const text = JSON.stringify({
      $etag: 'x',
      ...journal.header,
      FCY_REF: { $title: 'Site' },
      GACCENTRYD: [...journal.lines, ...journal.lines.map((line) => ({ ...line, LEDTYP: '2' }))],
      GACCENTRYA: journal.analytical,
    });
    return { body: text.replace(/"(AMTCUR|SNS|LEDTYP|STA|CAT)":"(-?[\d.]+)"/g, '"$1":$2') };
  }

  private restCreate(name: string, body: string): Answer {
    if (this.refusal !== null) return json({ $diagnoses: [{ $severity: 'error', $message: this.refusal }] }, 201);
    const { GACCENTRYD: lines = [], ...header } = JSON.parse(body) as Record<string, never> & { GACCENTRYD?: never[] };
    if (name !== 'GACCENTRY') {
      this.tables[name]?.push(texts(header));
      return json({ ...header, $links: { $save: {} } }, 201);
    }
    const rows = (lines as Record<string, unknown>[]).map(({ GACCENTRYA: rows, ...line }) => ({
      line: texts(line),
      rows,
    }));
    const stored = this.keep({
      header: texts(header),
      lines: rows.map(({ line }) => line),
      analytical: rows.flatMap(({ rows: analytical }) => ((analytical ?? []) as Record<string, unknown>[]).map(texts)),
    });
    return json({ TYP: stored.header.TYP, NUM: stored.header.NUM, $links: { $save: {} } }, 201);
  }

  // ── SOAP ───────────────────────────────────────────────────────────────────────────────────

  private soap(call: Call): Answer {
    const [operation = '', publicName = ''] = call.what.split(' ');
    const keys = Object.fromEntries(
      [...call.body.matchAll(/<key [^>]*>([^<]*)<\/key><value [^>]*>([^<]*)<\/value>/g)].map(([, key, value]) => [
        key,
        value,
      ]),
    );
    if (operation === 'getDescription')
      return soapReply(operation, { result: DESCRIPTIONS[publicName] ?? '<RESULT/>' });
    if (operation === 'query') return soapReply(operation, { result: this.soapList(publicName, keys) });
    if (operation === 'read') return this.soapRead(publicName, keys);
    const { groups } = paramOf(call.body, publicName === 'YBREXJNL' ? 'I_' : '');
    const header = Object.assign({}, ...groups.filter(({ rows }) => rows.length === 1).map(({ rows }) => rows[0]));
    if (publicName === 'AOWSIMPORT') return this.import(String(header.I_FILE ?? ''));
    if (this.refusal !== null && publicName === 'YBREXJNL') return programReply('1', '', '', this.refusal);
    if (this.refusal !== null) return soapReply(operation, { status: 0, messages: [this.refusal] });
    if (publicName === 'BPS') {
      this.tables.BPSUPPLIER?.push({ BPSNUM: header.BPSNUM, ...header, ENAFLG: '2' });
      return soapReply(operation, { result: result([{ id: 'BPS0_1', rows: [{ BPSNUM: header.BPSNUM }] }]) });
    }
    const lines = groups.find(({ rows }) => rows.some((row) => row.ACC && !row.ANALIN))?.rows ?? [];
    const split = groups.find(({ rows }) => rows.some((row) => row.ANALIN))?.rows;
    const analytical =
      split ??
      lines.flatMap(({ DIE1, CCE1, AMTCUR }) => (DIE1 && CCE1 && AMTCUR ? [{ ANALIN: '1', DIE1, CCE1, AMTCUR }] : []));
    const own = Object.assign(
      {},
      ...groups.filter(({ rows }) => !rows.some((row) => row.LIN)).map(({ rows }) => rows[0]),
    );
    const stored = this.keep({ header: own, lines, analytical });
    if (publicName === 'YBREXJNL') return programReply('0', stored.header.TYP ?? '', stored.header.NUM ?? '', '');
    return soapReply(operation, {
      messages: ['Journal has been created'],
      result: result([{ id: 'HAE0_1', rows: [{ TYP: stored.header.TYP ?? '', NUM: stored.header.NUM ?? '' }] }]),
    });
  }

  private import(file: string): Answer {
    const outcome = (status: string) => result([{ id: 'GRP1', rows: [{ O_STATUS: status, O_REQNUM: '0' }] }]);
    if (this.refusal !== null) return soapReply('run', { messages: [this.refusal], result: outcome('1') });
    const journal: StoredJournal = { header: {}, lines: [], analytical: [] };
    for (const record of file.split('|')) {
      const [kind, ...c] = record.split(';');
      const at = (index: number) => c[index] ?? '';
      if (kind === 'G')
        journal.header = {
          TYP: at(0),
          FCY: at(2),
          JOU: at(3),
          ACCDAT: at(4),
          CUR: at(5),
          DESVCR: at(6),
          REFINT: at(7),
        };
      if (kind === 'D')
        journal.lines.push({ LIN: at(0), ACC: at(1), SNS: at(3), AMTCUR: at(4), DES: at(5), LEDTYP: '1' });
      if (kind === 'A') journal.analytical.push({ ANALIN: at(0), DIE1: at(1), CCE1: at(2), AMTCUR: at(3) });
    }
    this.keep(journal);
    return soapReply('run', { result: outcome('0') });
  }

  private soapList(publicName: string, keys: Fields): string {
    const table = {
      GAS: this.journals.map(({ header }) => header),
      BPS: this.tables.BPSUPPLIER,
      GAC: this.tables.GACCOUNT,
      CCE: this.tables.CACCE,
    };
    const rows = (table as Record<string, Fields[] | undefined>)[publicName] ?? [];
    const fitting = rows.filter((row) => Object.entries(keys).every(([key, value]) => row[key] === value));
    const lines = fitting.map((row, index) => `<LIN NUM="${index + 1}">${fieldsXml(row)}</LIN>`);
    return `<RESULT>${lines.join('')}</RESULT>`;
  }

  private soapRead(publicName: string, keys: Fields): Answer {
    const missing = soapReply('read', { status: 0, messages: ['Record does not exist'] });
    if (publicName === 'BPS') {
      const row = this.tables.BPSUPPLIER?.find(({ BPSNUM }) => BPSNUM === keys.BPSNUM);
      return row ? soapReply('read', { result: result([{ id: 'BPS0_1', rows: [row] }]) }) : missing;
    }
    const found = this.journals.find(({ header }) => header.TYP === keys.TYP && header.NUM === keys.NUM);
    if (!found) return missing;
    const header = { ...found.header, ACCDAT: (found.header.ACCDAT ?? '').replaceAll('-', '') };
    const text = `<RESULT><GRP ID="HAE0_1">${fieldsXml(header)}</GRP>${tab('HAE2_1', found.lines)}${tab('VT2_1', found.analytical)}</RESULT>`;
    return soapReply('read', { result: text });
  }

  /** Numbers a journal and keeps it; X3 takes the same REFINT again. */
  private keep(journal: StoredJournal): StoredJournal {
    const number = `BRX26110000${this.journals.length + 1}`;
    const date = (journal.header.ACCDAT ?? '').replace(/^(\d{4})-?(\d{2})-?(\d{2})$/, '$1-$2-$3');
    const header = { CAT: '1', STA: '1', ...journal.header, NUM: number, ACCDAT: date };
    const stored = this.store({ ...journal, header });
    this.journals.push(stored);
    return stored;
  }
}

const DESCRIPTIONS: Record<string, string> = {
  GAS: '<RESULT><GRP ID="HAE0_1"><FLD NAME="TYP"/><FLD NAME="FCY"/></GRP><GRP ID="HAE1_9"><FLD NAME="REFINT"/><FLD NAME="DESVCR"/></GRP><TAB ID="HAE2_7"><FLD NAME="LIN"/><FLD NAME="ACC"/></TAB></RESULT>',
  AOWSIMPORT: '<RESULT><GRP ID="GRP1"><FLD NAME="I_MODIMP"/></GRP></RESULT>',
  YBREXJNL: '<RESULT><GRP ID="GRP1"><FLD NAME="I_TYP"/><FLD NAME="I_REFINT"/></GRP></RESULT>',
  BPS: '<RESULT><GRP ID="BPS0_3"><FLD NAME="BPSNUM"/><FLD NAME="BSGCOD"/></GRP></RESULT>',
};

/** The customer's routine ran, so SOAP's status is 1; its own says how it ended. */
export function programReply(status: string, type: string, number: string, message: string): Reply {
  const row = { O_STATUS: status, O_TYP: type, O_NUM: number, O_MESSAGE: message };
  return soapReply('run', { result: result([{ id: 'GRP3', rows: [row] }]) });
}

function texts(fields: Record<string, unknown>): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}

function whatOf(request: IncomingMessage, url: URL, body: string): string {
  if (url.pathname === '/') return 'reach';
  if (url.pathname.endsWith('/endPoints')) return 'endPoints';
  if (url.pathname.endsWith('/token')) return 'token';
  if (url.pathname.startsWith('/xtrem/')) return 'graphql';
  if (url.pathname.startsWith('/soap-generic/')) {
    const operation = /<wss:(\w+) soapenv:encodingStyle/.exec(body)?.[1] ?? '';
    return `${operation} ${/<publicName[^>]*>([^<]*)</.exec(body)?.[1] ?? ''}`;
  }
  const [, name = ''] = /\/([A-Z]+)(?:\(.*\))?(?:\/\$template)?$/.exec(decodeURIComponent(url.pathname)) ?? [];
  return `${request.method} ${name}`;
}

export function json(value: unknown, status = 200): Reply {
  return { status, body: JSON.stringify(value) };
}

function fieldsXml(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => `<FLD NAME="${name}" TYPE="Char">${escaped(value)}</FLD>`)
    .join('');
}

function tab(id: string, rows: readonly Fields[]): string {
  return `<TAB ID="${id}">${rows.map((row, index) => `<LIN NUM="${index + 1}">${fieldsXml(row)}</LIN>`).join('')}</TAB>`;
}

function result(groups: readonly { id: string; rows: readonly Fields[] }[]): string {
  return `<RESULT>${groups.map(({ id, rows }) => `<GRP ID="${id}">${rows.map(fieldsXml).join('')}</GRP>`).join('')}</RESULT>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function paramOf(envelope: string, prefix: string): { groups: { id: string; rows: Fields[] }[] } {
  const param = (/<!\[CDATA\[([\s\S]*)\]\]>/.exec(envelope)?.[1] ?? '').replaceAll(']]]]><![CDATA[>', ']]>');
  const unescaped = (text: string) =>
    text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&apos;', "'")
      .replaceAll('&amp;', '&');
  const fieldsIn = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/<FLD NAME="([^"]*)">([^<]*)<\/FLD>/g)].map(([, name = '', value = '']) => [
        name.slice(prefix.length),
        unescaped(value),
      ]),
    );
  const groups = [...param.matchAll(/<(GRP|TAB) ID="([^"]*)"[^>]*>([\s\S]*?)<\/\1>/g)].map(
    ([, kind, id = '', inner = '']) => ({
      id,
      rows:
        kind === 'GRP'
          ? [fieldsIn(inner)]
          : [...inner.matchAll(/<LIN[^>]*>([\s\S]*?)<\/LIN>/g)].map(([, line = '']) => fieldsIn(line)),
    }),
  );
  return { groups };
}

/** A CAdxResultXml. `status` 0 comes under HTTP 200 like 1. */
export function soapReply(operation: string, given: { status?: number; messages?: string[]; result?: string }): Reply {
  const messages = (given.messages ?? [])
    .map(
      (message) =>
        `<messages xsi:type="wss:CAdxMessage"><message xsi:type="xsd:string">${escaped(message)}</message><type xsi:type="xsd:string">${given.status === 0 ? 3 : 1}</type></messages>`,
    )
    .join('');
  return {
    type: 'text/xml',
    body: [
      '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Body>',
      `<wss:${operation}Response xmlns:wss="http://www.adonix.com/WSS"><${operation}Return xsi:type="wss:CAdxResultXml">`,
      messages === '' ? '<messages xsi:nil="true"/>' : `<messages>${messages}</messages>`,
      `<resultXml xsi:type="xsd:string">${escaped(given.result ?? '')}</resultXml><status xsi:type="xsd:int">${given.status ?? 1}</status>`,
      `<technicalInfos/></${operation}Return></wss:${operation}Response></soapenv:Body></soapenv:Envelope>`,
    ].join(''),
  };
}
