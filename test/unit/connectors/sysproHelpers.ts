import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import type {
  ConnectionContext,
  LedgerConnection,
  LedgerDocument,
  SharedSession,
} from '../../../src/connectors/contract.js';
import { type SysproCredentials, type SysproSettings, sysproConnector } from '../../../src/connectors/syspro/index.js';
import { localDate } from '../../../src/domain/localDate.js';
import { createLogger } from '../../../src/logger.js';
import { OpenQuota } from '../../support/connectorContext.js';

/** What the SYSPRO tests share: a session store, a captured log, a scripted server, documents. */

export const SECRETS = { operatorPassword: 'pl4nted+op&pw', companyPassword: 'pl4nted-company-pw' };

export const credentials: SysproCredentials = { operator: 'GATEWAY', companyId: 'EDU1', ...SECRETS };

/** The engine's session store, for one process: renewals one at a time, and none when somebody else was first. */
export function sharedSession(): SharedSession & { logons: number } {
  let token: string | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const run = queue.then(work, work);
    queue = run.catch(() => undefined);
    return run;
  };
  return {
    logons: 0,
    current: async () => token,
    renew(stale, logon) {
      return alone(async () => {
        if (token !== null && token !== stale) return token;
        this.logons += 1;
        token = (await logon()).token;
        return token;
      });
    },
    end(ended, logoff) {
      return alone(async () => {
        if (token !== ended) return;
        await logoff(ended);
        token = null;
      });
    },
  };
}

export interface TestConnection {
  readonly connection: LedgerConnection;
  readonly context: ConnectionContext<SysproCredentials, SysproSettings>;
  /** Everything that was logged, at the finest level. */
  readonly log: () => string;
}

let systems = 0;

export function connectTo(
  baseUrl: string,
  settings: Record<string, unknown> = {},
  options: { session?: SharedSession; credentials?: SysproCredentials; systemId?: string; signal?: AbortSignal } = {},
): TestConnection {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  systems += 1;
  const context: ConnectionContext<SysproCredentials, SysproSettings> = {
    tenantId: 'default',
    systemId: options.systemId ?? `syspro-${systems}`,
    baseUrl,
    settings: sysproConnector.settingsSchema.parse({ localCurrency: { $: 'USD' }, ...settings }),
    credentials: {
      read: async () => options.credentials ?? credentials,
      rotate: () => Promise.reject(new Error('SYSPRO rotates no credentials')),
    },
    session: options.session ?? sharedSession(),
    quota: new OpenQuota(),
    clock: { now: () => new Date('2026-11-20T12:00:00Z') },
    logger: createLogger('trace', stream),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  return { connection: sysproConnector.connect(context), context, log: () => lines.join('') };
}

export const journal: LedgerDocument = {
  documentType: 'JOURNAL',
  reference: 'BRX7K2M9Q4T1A',
  postingDate: localDate('2026-11-19'),
  periodKey: { year: '2027', period: '05' },
  currency: 'USD',
  supplierCode: null,
  description: 'Brex 2026-11-19',
  total: '125.50',
  lines: [
    line(1, '6100', '125.50', '0.00', { costCentre: '10', memo: 'Café Zoë + bar, meals' }),
    line(2, '00-2150', '0.00', '125.50', { memo: 'Card clearing' }),
  ],
};

export function line(
  lineNumber: number,
  glAccount: string,
  debit: string,
  credit: string,
  rest: Partial<LedgerDocument['lines'][number]> = {},
): LedgerDocument['lines'][number] {
  return { lineNumber, glAccount, costCentre: null, dimensions: {}, taxCode: null, debit, credit, memo: null, ...rest };
}

export function invoice(overrides: Partial<LedgerDocument> = {}): LedgerDocument {
  return { ...journal, documentType: 'SUPPLIER_INVOICE', supplierCode: 'ACMECLOUD', ...overrides };
}

// ── scripted server ──────────────────────────────────────────────────────────────────────────

export interface ScriptedCall {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly body: string;
}

/** A body with status 200, a whole reply, or `reset` for a connection that breaks after the request was read. */
export type ScriptedReply =
  | string
  | Buffer
  | { status?: number; headers?: Record<string, string>; body?: string | Buffer }
  | 'reset';

export interface ScriptedServer {
  readonly url: string;
  readonly calls: ScriptedCall[];
  close(): Promise<void>;
}

export const SESSION_ID = '3EA613166FE4BF47925DF1CEA14E910100';
export const SESSION_REFUSED =
  'ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. You will need to logon again.';
export const PROFILE = `<?xml version="1.0" encoding="Windows-1252"?><UserInfo><CompanyName>Edu</CompanyName><OperatorCode>GATEWAY</OperatorCode><LocalCurrencyCode>$  </LocalCurrencyCode></UserInfo>\n `;

/** Answers Logon, Logoff, GetLogonProfile and searches for suppliers by itself; `answer` gets the rest and may answer those too. */
export async function scriptedServer(
  answer: (call: ScriptedCall) => ScriptedReply | undefined | Promise<ScriptedReply | undefined>,
): Promise<ScriptedServer> {
  const calls: ScriptedCall[] = [];
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://host');
    const path = url.pathname.replace(/^\/SYSPROWCFService\/Rest\//, '');
    const call = { path, params: url.searchParams, body: Buffer.concat(chunks).toString('utf8') };
    calls.push(call);
    const reply = (await answer(call)) ?? standardReply(call);
    if (reply === 'reset') {
      response.destroy();
      return;
    }
    const whole = typeof reply === 'string' || Buffer.isBuffer(reply) ? { body: reply } : reply;
    response.writeHead(whole.status ?? 200, { 'content-type': 'application/octet-stream', ...whole.headers });
    response.end(whole.body ?? '');
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/SYSPROWCFService/Rest`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function standardReply({ path, params }: ScriptedCall): ScriptedReply {
  if (path === 'Logon') return `${SESSION_ID}  `;
  if (path === 'Logoff') return '0';
  if (path === 'GetLogonProfile') return PROFILE;
  if (params.get('XmlIn')?.includes('<TableName>ApSupplier<')) {
    return rows('ApSupplier', [{ Supplier: 'ACMECLOUD', SupplierName: 'Acme Cloud', OnHold: 'N', Currency: '$' }]);
  }
  return { status: 404, body: '<html><body>Endpoint not found.</body></html>' };
}

/** A GENTJL reply the way the service writes it: padded, single quotes, a blank behind the root. */
export function journalReply(overrides: Record<string, string> = {}, counters: Record<string, string> = {}): string {
  const fields = {
    JournalDate: '20261119',
    NumOfEntries: '00002',
    DebitAmount: '     125.50',
    CreditAmount: '     125.50',
    JnlPostingType: 'N',
    Jnlstatus: 'P',
    Currency: '',
    Authorised: 'Y',
    ...overrides,
  };
  const status = {
    JournalsProcessed: '1',
    JournalsInvalid: '',
    PostingsProcessed: '1',
    PostingsInvalid: '',
    ...counters,
  };
  return `<?xml version="1.0" encoding="Windows-1252"?>\n<postgljournal Language='05' CssStyle='' DecFormat='1'><Item><Transaction><Key><GlYear>2027</GlYear><GlPeriod>05</GlPeriod><GlJournal>00117</GlJournal></Key>${xml(fields)}</Transaction></Item><StatusOfItems>${xml(status)}</StatusOfItems></postgljournal>\n `;
}

export function xml(fields: Record<string, string>): string {
  return Object.entries(fields)
    .map(([name, value]) => (value === '' ? `<${name}/>` : `<${name}>${value}</${name}>`))
    .join('');
}

export function rows(table: string, list: readonly Record<string, string>[]): string {
  const body = list.map((row) => `<Row>${xml(row)}</Row>`).join('');
  return `<?xml version="1.0" encoding="Windows-1252"?><${table} Language='05'><HeaderDetails><TableName>${table}</TableName></HeaderDetails>${body}<RowsReturned>       ${list.length}</RowsReturned></${table}>\n `;
}

/** The error that a promise ends in. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}

/** Everything an error could show to somebody: its fields, its causes and their stacks. */
export function allTextOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const fields = JSON.stringify(error, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return `${error.message}\n${error.stack}\n${fields}\n${error.cause === undefined ? '' : allTextOf(error.cause)}`;
}
