import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import type { LedgerConnection, LedgerDocument, LedgerDocumentLine } from '../../../src/connectors/contract.js';
import { inforM3Connector, type M3Credentials } from '../../../src/connectors/infor-m3/index.js';
import { localDate } from '../../../src/domain/localDate.js';
import { createLogger } from '../../../src/logger.js';
import { contextFor, MemorySession, MemoryVault } from '../../support/connectorContext.js';

/**
 * A small M3 of the tests' own: it keeps batches and vouchers, answers in either version, and does to single calls what
 * a test asks for. The simulator in `src/sandbox` is another hand's reading of the same documents.
 */

export type Record_ = Record<string, string>;
export type Trouble =
  | 'lose-before'
  | 'lose-after'
  | 'html'
  | 'html-after'
  | 'empty'
  | '500'
  | '429'
  | '503-gateway'
  | '401'
  | '401-m3'
  | '414'
  | 'redirect'
  | 'hang';

export class Refused extends Error {
  constructor(
    text: string,
    readonly code = 'XX00001',
    readonly field = '',
  ) {
    super(text);
  }
}

interface Batch {
  readonly head: Record_;
  readonly lines: Map<string, Record_>;
  updated: boolean;
}

export interface StagedInvoice {
  readonly head: Record_;
  readonly lines: Record_[];
}

const FIELDS: Record<string, string> = {
  'GLS840MI.AddBatchHead': 'CONO:3* KEY1:15* INTN:15* DESC:40* DIVI:3 USID:10',
  'GLS840MI.AddBatchLineFld':
    'CONO:3 KEY1:15* LINE:7* INRI:2* DIVI:3 GRNR:10 AIT1:10 AIT2:10 AIT3:10 CUCD:3 CUAM:17 DBCR:1 ACDT:10 VTCD:2 VTXT:40',
  'GLS840MI.AddBatchLine': 'CONO:3* KEY1:15* LINE:7* PARM:900* DIVI:3',
  'APS450MI.AddHead':
    'SUNO:10* IVDT:10* DIVI:3 SINO:24 SPYN:10 ACDT:10 IBTP:2 CUCD:3 CUAM:17 CORI:36 IMCD:1 APCD:10 TEPY:3 PYME:3 CRTP:2',
  'APS450MI.AddLine': 'INBN:10* RDTP:1* DIVI:3 NLAM:17 VTCD:2 CHGT:30 VTXT:40 AIT1:10 AIT2:10 AIT3:10',
  'APS450MI.DltInvoice': 'INBN:10* DIVI:3',
  'APS200MI.LstInvoiceTrans': 'SPYN:10* SINO:24* INYR:4* SUNO:10* DIVI:3 TRCD:2',
};

export class FakeM3 {
  readonly batches = new Map<string, Batch>();
  readonly vouchers: Record_[] = [];
  readonly invoices = new Map<string, StagedInvoice>();
  readonly postedInvoices: Record_[] = [];
  readonly accounts: Record_[] = [];
  readonly suppliers: Record_[] = [{ SUNO: 'BREX01', SUNM: 'Brex Inc', STAT: '20', CUCD: 'USD', PRSU: 'BREXPAY' }];
  readonly fields = { ...FIELDS };
  /** Every MI call as `PROGRAM.Transaction`, in order. */
  readonly calls: string[] = [];
  readonly requests: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[] = [];
  readonly tokens = new Set<string>();
  readonly tokenForms: URLSearchParams[] = [];
  readonly revoked: string[] = [];
  /** What the next calls of an operation meet, one each. */
  readonly troubles: { operation: string; trouble: Trouble }[] = [];
  /** Runs before an operation, e.g. to make it fail with M3's own no. */
  readonly hooks = new Map<string, (inputs: Record_) => void>();
  errorStyle: '200' | '400' = '200';
  lifetime = 7200;
  refreshToken: string | null = null;
  refuseRefresh = false;
  cap = 1000;
  ignoresMaxrecs = false;
  refusesDuplicateLines = true;
  updateDelayCalls = 0;
  /** UpdBatch only queues a job; `runUpdates` does them. M3 is not known to lock the batch meanwhile. */
  defersUpdates = false;
  private readonly queued: Record_[] = [];
  baseUrl = '';
  private readonly server = createServer((request, response) => this.handle(request, response));
  private numbers = 0;

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    const address = this.server.address();
    if (typeof address === 'object' && address) this.baseUrl = `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  trouble(operation: string, ...troubles: Trouble[]): void {
    this.troubles.push(...troubles.map((trouble) => ({ operation, trouble })));
  }

  queue(KEY1: string): void {
    this.queued.push({ KEY1 });
  }

  /** Does the updates that wait. @returns how many became vouchers. */
  runUpdates(): number {
    let done = 0;
    for (const inputs of this.queued.splice(0)) {
      try {
        this.updateBatch(inputs);
        done += 1;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    }
    return done;
  }

  count(operation: string): number {
    return this.calls.filter((call) => call === operation).length;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://fake');
    this.requests.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers, body });
    if (url.pathname.endsWith('/token.oauth2')) return void this.token(new URLSearchParams(body), response);
    if (url.pathname.endsWith('/revoke_token.oauth2')) {
      this.revoked.push(new URLSearchParams(body).get('token') ?? '');
      return void json(response, 200, {});
    }
    const match = /\/m3api-rest\/(v2\/)?execute\/(\w+)\/(\w+)((?:;[^/?]*)?)$/.exec(url.pathname);
    if (!match) return void json(response, 404, { message: 'no such path' });
    const [, v2, program = '', transaction = '', matrix = ''] = match;
    const operation = `${program}.${transaction}`;
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const index = this.troubles.findIndex((one) => one.operation === operation);
    const trouble = index < 0 ? null : (this.troubles.splice(index, 1)[0]?.trouble ?? null);
    if (trouble === '401') this.tokens.delete(token);
    if (!this.tokens.has(token)) return void json(response, 401, { error: 'token expired' });
    this.calls.push(operation);
    const options = Object.fromEntries(
      matrix
        .split(';')
        .filter((part) => part !== '')
        .map((part) => part.split('=') as [string, string]),
    );
    const inputs: Record_ = { ...Object.fromEntries(url.searchParams), ...options };
    switch (trouble) {
      case 'lose-before':
        return void request.socket.destroy();
      case 'html':
        return void html(response, 200);
      case 'empty':
        return void response.writeHead(200, { 'content-type': 'application/json' }).end();
      case '500':
        return void json(response, 500, { errorMessage: 'boom', errorCode: 'E', errorType: 'T' });
      case '429':
        return void response.writeHead(429, { 'retry-after': '7' }).end();
      case '414':
        return void response.writeHead(414).end();
      case 'hang':
        return;
      case 'redirect':
        return void response.writeHead(307, { location: request.url }).end();
      case '503-gateway':
        return void json(response, 503, { message: 'Quota exceeded: spike arrest' });
      case '401-m3':
        return void json(response, 401, { errorMessage: 'User profile changed', errorCode: 'XAU1', errorType: 'NOK' });
      default:
    }
    let answer: { records: Record_[] } | { refused: Refused };
    try {
      this.hooks.get(operation)?.(inputs);
      const records = this.run(operation, inputs);
      const asked = this.ignoresMaxrecs ? 100 : Number(inputs.maxrecs || 100) || 100;
      answer = { records: records.slice(0, Math.min(asked, this.cap)) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      answer = { refused: error };
    }
    if (trouble === 'lose-after') return void request.socket.destroy();
    if (trouble === 'html-after') return void html(response, 503);
    if (v2) this.answerV2(response, transaction, answer);
    else answerV1(response, program, transaction, answer);
  }

  private token(form: URLSearchParams, response: ServerResponse): void {
    this.tokenForms.push(form);
    if (form.get('grant_type') === 'refresh_token' && this.refuseRefresh) {
      return void json(response, 400, { error: 'invalid_grant' });
    }
    if (form.get('grant_type') === 'password' && form.get('password') !== SECRETS.sask) {
      return void json(response, 401, { error: 'invalid_grant', error_description: `no ${form.get('password')}` });
    }
    this.numbers += 1;
    const token = `pl4nted-token-${this.numbers}`;
    this.tokens.add(token);
    json(response, 200, {
      access_token: token,
      token_type: 'Bearer',
      expires_in: this.lifetime,
      ...(this.refreshToken === null ? {} : { refresh_token: this.refreshToken }),
    });
  }

  private answerV2(
    response: ServerResponse,
    transaction: string,
    answer: { records: Record_[] } | { refused: Refused },
  ): void {
    const counts = (ok: number, failed: number) => ({
      wasTerminated: false,
      nrOfSuccessfullTransactions: ok,
      nrOfFailedTransactions: failed,
      nrOfNotProcessedTransactions: 0,
    });
    if ('records' in answer) {
      return void json(response, 200, { results: [{ transaction, records: answer.records }], ...counts(1, 0) });
    }
    const { message, code, field } = answer.refused;
    const error = {
      errorMessage: `${message}                    ${code}    ${field}`,
      errorCode: code,
      errorField: field,
      errorType: 'ServerReturnedNOK',
    };
    if (this.errorStyle === '400') return void json(response, 400, error);
    json(response, 200, { results: [{ transaction, ...error, records: [] }], ...counts(0, 1) });
  }

  private run(operation: string, inputs: Record_): Record_[] {
    switch (operation) {
      case 'MRS001MI.LstFields':
        return (this.fields[`${inputs.MINM}.${inputs.TRNM}`] ?? '')
          .split(' ')
          .filter((text) => text !== '')
          .map((text) => {
            const [, FLNM = '', LENG = '', mandatory] = /^(\w+):(\d+)(\*?)$/.exec(text) ?? [];
            return { FLNM, LENG, TYPE: 'A', MAND: mandatory ? '1' : '0' };
          });
      case 'GLS840MI.AddBatchHead':
        if (this.batches.has(inputs.KEY1 ?? '')) throw new Refused('Record already exists', 'WKE0104', 'KEY1');
        this.batches.set(inputs.KEY1 ?? '', { head: inputs, lines: new Map(), updated: false });
        return [];
      case 'GLS840MI.AddBatchLine':
      case 'GLS840MI.AddBatchLineFld':
        return this.addLine(inputs);
      case 'GLS840MI.CtrlBatch':
        this.balanced(inputs);
        return [];
      case 'GLS840MI.UpdBatch':
        if (this.defersUpdates) {
          this.queued.push(inputs);
          return [];
        }
        return this.updateBatch(inputs);
      case 'GLS200MI.LstVouchersByDt':
        if (this.updateDelayCalls > 0) {
          this.updateDelayCalls -= 1;
          return [];
        }
        return this.vouchers.filter((line) => line.ACDT === inputs.FRDT);
      case 'GLS200MI.LstVoucherLines':
        return this.vouchers.filter((line) => line.VONO === inputs.VONO);
      case 'CRS620MI.GetBasicData': {
        const supplier = this.suppliers.find((one) => one.SUNO === inputs.SUNO);
        if (!supplier) throw new Refused(`Supplier number ${inputs.SUNO} does not exist`, 'WSU0103', 'SUNO');
        return [supplier];
      }
      case 'CRS620MI.LstByNumber':
        return this.suppliers.filter((one) => (one.SUNO ?? '') >= (inputs.SUNO ?? '').trim());
      case 'CRS630MI.LstAccountID':
        return this.accounts.filter(
          (one) =>
            (one.AITP ?? '') >= (inputs.AITP ?? '') &&
            (one.DIVI ?? '') === (inputs.DIVI ?? '') &&
            (one.AITP !== inputs.AITP || (one.AITM ?? '') >= (inputs.AITM ?? '').trim()),
        );
      case 'MNS100MI.GetBasicData':
        return [{ LOCD: 'USD' }];
      case 'MNS100MI.GetUserInfo':
        return [{ ZZUSID: 'LEDGERGATE', ZDCONO: '100', ZDDIVI: 'AAA' }];
      case 'AUTCHKMI.ChkAuthority':
        return [{ ALPG: '1' }];
      default:
        return this.runInvoice(operation, inputs);
    }
  }

  private addLine(inputs: Record_): Record_[] {
    const batch = this.batches.get(inputs.KEY1 ?? '');
    if (!batch) throw new Refused('Batch does not exist', 'WKE0103', 'KEY1');
    if (batch.updated) throw new Refused('The batch is already updated', 'GL84002', 'KEY1');
    const number = inputs.LINE ?? '';
    if (batch.lines.has(number)) {
      if (this.refusesDuplicateLines) throw new Refused('Record already exists', 'WLI0104', 'LINE');
      batch.lines.set(`${number}/${batch.lines.size}`, inputs);
    } else batch.lines.set(number, inputs);
    return [];
  }

  private balanced(inputs: Record_): Batch {
    const batch = this.batches.get(inputs.KEY1 ?? '');
    if (!batch) throw new Refused('Batch does not exist', 'WKE0103', 'KEY1');
    if (batch.updated) throw new Refused('The batch is already updated', 'GL84002', 'KEY1');
    const cents = [...batch.lines.values()].map((line) => Math.round(Number(line.CUAM ?? 0) * 100));
    if (cents.reduce((sum, one) => sum + one, 0) !== 0) throw new Refused('The voucher does not balance', 'GL84001');
    return batch;
  }

  private updateBatch(inputs: Record_): Record_[] {
    const batch = this.balanced(inputs);
    batch.updated = true;
    this.numbers += 1;
    const VONO = String(10_000_000 + this.numbers);
    for (const line of batch.lines.values()) {
      const { AIT1 = '', AIT2 = '', AIT3 = '', CUCD = '', CUAM = '', ACDT = '', VTXT = '' } = line;
      this.vouchers.push({ YEA4: '2026', VSER: '410', VONO, ACDT, AIT1, AIT2, AIT3, CUCD, CUAM, ACAM: CUAM, VTXT });
    }
    return [];
  }

  private runInvoice(operation: string, inputs: Record_): Record_[] {
    const staged = this.invoices.get(inputs.INBN ?? '');
    switch (operation) {
      case 'APS450MI.AddHead': {
        this.numbers += 1;
        const INBN = String(5000 + this.numbers);
        this.invoices.set(INBN, { head: { ...inputs, INBN, SUPA: '10', IBHE: '0', IBLE: '0' }, lines: [] });
        return [{ INBN }];
      }
      case 'APS450MI.AddLine': {
        if (!staged) throw new Refused('Batch number does not exist', 'AP45001', 'INBN');
        const TRNO = String(staged.lines.length + 1);
        staged.lines.push({ ...inputs, TRNO });
        return [{ TRNO }];
      }
      case 'APS450MI.LstLines':
        return (staged?.lines ?? []).map(({ TRNO = '', RDTP = '', NLAM = '', VTCD = '' }) => {
          return { TRNO, RDTP, NLAM, VTCD };
        });
      case 'APS450MI.GetHead':
        if (!staged) throw new Refused('Batch number does not exist', 'AP45001', 'INBN');
        return [staged.head];
      case 'APS450MI.DltInvoice':
        this.invoices.delete(inputs.INBN ?? '');
        return [];
      case 'APS450MI.LstInvBySupInv':
        return [...this.invoices.values()]
          .map((one) => one.head)
          .filter((head) => head.SPYN === inputs.SPYN && head.SUNO === inputs.SUNO && head.SINO === inputs.SINO)
          .map(({ INBN = '', IBTP = '', SUPA = '' }) => ({ INBN, IBTP, SUPA }));
      case 'APS455MI.ValidByBatchNo': {
        if (!staged) throw new Refused('Batch number does not exist', 'AP45001', 'INBN');
        this.numbers += 1;
        Object.assign(staged.head, { SUPA: '90', VSER: '310', YEA4: '2026', VONO: String(20_000_000 + this.numbers) });
        this.postedInvoices.push(staged.head);
        return [];
      }
      case 'APS200MI.LstInvoiceTrans':
        return this.postedBy(inputs);
      case 'APS200MI.GetInvTotInfo': {
        const [head] = this.postedBy(inputs);
        if (head === undefined) throw new Refused(`Supplier invoice ${inputs.SINO} does not exist`, 'WSI0103', 'SINO');
        const { YEA4 = '', VONO = '', CUCD = '', CUAM = '' } = head;
        return [{ YEA4, JRNO: VONO.slice(-4), JSNO: '2', CUCD, CUAM }];
      }
      case 'APS200MI.GetInvoice':
        return this.postedInvoices.filter((head) => head.YEA4 === inputs.YEA4 && head.VONO?.slice(-4) === inputs.JRNO);
      default:
        throw new Refused(`Transaction ${operation} does not exist`, 'MI00001');
    }
  }

  private postedBy(inputs: Record_): Record_[] {
    return this.postedInvoices.filter((head) => {
      return head.SINO === inputs.SINO && head.SUNO === inputs.SUNO && head.IVDT?.startsWith(inputs.INYR ?? '');
    });
  }
}

function answerV1(
  response: ServerResponse,
  program: string,
  transaction: string,
  answer: { records: Record_[] } | { refused: Refused },
): void {
  if ('records' in answer) {
    return void json(response, 200, {
      Program: program,
      Transaction: transaction,
      Metadata: { Field: [] },
      MIRecord: answer.records.map((record, index) => ({
        RowIndex: String(index),
        NameValue: Object.entries(record).map(([Name, Value]) => ({ Name, Value: `${Value}     ` })),
      })),
    });
  }
  const { message, code, field } = answer.refused;
  const error = {
    '@type': 'ServerReturnedNOK',
    '@code': code,
    '@field': field,
    Message: `${message}      ${code} ${field}`,
  };
  json(response, 200, message.length % 2 === 0 ? error : { ErrorMessage: error });
}

function json(response: ServerResponse, status: number, value: unknown): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function html(response: ServerResponse, status: number): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'text/html' })
    .end('<html><body>Service quota page</body></html>');
}

// ── connection and documents ─────────────────────────────────────────────────────────────────

export const SECRETS = {
  ci: 'ACME_TST~pl4nted-ci',
  cs: 'pl4nted+cs/&=',
  saak: 'ACME_TST#pl4nted-saak',
  sask: 'pl4nted#sask',
};

export function ionapi(baseUrl: string): Record<string, unknown> {
  return {
    ti: 'ACME_TST',
    cn: 'brex-gateway',
    dt: '12',
    iu: baseUrl,
    pu: `${baseUrl}/ACME_TST/as/`,
    oa: 'authorization.oauth2',
    ot: 'token.oauth2',
    or: 'revoke_token.oauth2',
    ev: 'U1',
    v: '1.0',
    ...SECRETS,
  };
}

export interface Connected {
  readonly connection: LedgerConnection;
  readonly session: MemorySession;
  readonly vault: MemoryVault<M3Credentials>;
  readonly log: () => string;
}

export function connect(
  m3: FakeM3,
  settings: Record<string, unknown> = {},
  options: { session?: MemorySession; now?: () => Date; credentials?: Record<string, unknown> } = {},
): Connected {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const credentials = inforM3Connector.credentialsSchema.parse({ ionapi: options.credentials ?? ionapi(m3.baseUrl) });
  const vault = new MemoryVault(credentials);
  const session = options.session ?? new MemorySession();
  const context = contextFor(
    m3.baseUrl,
    credentials,
    inforM3Connector.settingsSchema.parse({
      cono: 100,
      divi: 'AAA',
      pollSeconds: 0.01,
      watchSeconds: 1,
      settlingSeconds: 0,
      journalInterface: 'BREXGL',
      ...settings,
    }),
    { vault, session, now: options.now ?? (() => new Date('2026-11-20T12:00:00Z')) },
  );
  const logged = { ...context, logger: createLogger('trace', stream) };
  return { connection: inforM3Connector.connect(logged), session, vault, log: () => lines.join('') };
}

export function line(
  lineNumber: number,
  glAccount: string,
  debit: string,
  credit: string,
  more: Partial<LedgerDocumentLine> = {},
): LedgerDocumentLine {
  return { lineNumber, glAccount, costCentre: null, dimensions: {}, taxCode: null, debit, credit, memo: null, ...more };
}

export function journal(more: Partial<LedgerDocument> = {}): LedgerDocument {
  return {
    documentType: 'JOURNAL',
    reference: 'BRX7F3A0C91D2E4',
    postingDate: localDate('2026-11-19'),
    periodKey: { label: '2026/11' },
    currency: 'USD',
    supplierCode: null,
    description: 'Brex 2026-11-19',
    total: '120.50',
    lines: [
      line(1, '62510', '100.00', '0.00', { costCentre: 'SALES', memo: 'Hotel + café, J&D', role: 'EXPENSE' }),
      line(2, '62520', '20.50', '0.00', { role: 'EXPENSE' }),
      line(3, '45800', '0.00', '120.50', { memo: 'Brex clearing', role: 'OFFSET' }),
    ],
    ...more,
  };
}

export function invoice(more: Partial<LedgerDocument> = {}): LedgerDocument {
  return journal({ documentType: 'SUPPLIER_INVOICE', supplierCode: 'BREX01', ...more });
}

export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

export async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}
