import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../src/clock.js';
import type {
  AttachesReceipts,
  Clearance,
  DocumentQuery,
  ExportAnswer,
  ExportReport,
  FoundDocument,
  LedgerAccount,
  LedgerConnection,
  LedgerConnector,
  LedgerDimensionValue,
  LedgerDocument,
  LedgerPeriod,
  LedgerSupplier,
  ReceiptLink,
  SpendConnection,
  SpendConnector,
  SpendPage,
  SubmittedDocument,
} from '../../src/connectors/contract.js';
import { localDate } from '../../src/domain/localDate.js';
import { moneyFromDecimal } from '../../src/domain/money.js';
import type { InvoiceRules } from '../../src/domain/plan.js';
import type { SourceObject } from '../../src/domain/spend.js';
import type { SpendStream } from '../../src/domain/vocabulary.js';
import {
  ErpRejectedError,
  InputError,
  OutcomeUnknownError,
  PeriodClosedError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../src/errors.js';
import { FakeDirectory } from './fakeDirectory.js';

export { views } from './views.js';

// A spend system and a ledger in memory, for tests of the services: what they know is in plain sight, and they fail when
// told to. They stand for no vendor; each connector is tested against its own simulator.

const credentialsSchema = z.strictObject({ token: z.string() });
const DAY_MS = 86_400_000;

// ── spend ────────────────────────────────────────────────────────────────────────────────────

const sourceSettings = z.strictObject({ webhookSecret: z.union([z.string(), z.array(z.string())]).optional() });
type SourceSettings = z.infer<typeof sourceSettings>;

const eventSchema = z.object({
  event: z.string(),
  company: z.string().nullable(),
  objects: z.array(z.object({ stream: z.string(), id: z.string() })).optional(),
});

interface StreamRead {
  readonly stream: SpendStream;
  readonly cursor: string | null;
}

export class FakeSource {
  /** Objects by stream and id; a read gives all of them, changed or not, in pages. */
  private readonly objects = new Map<string, SourceObject>();
  unreadable: { externalId: string | null; reason: string; raw: unknown }[] = [];
  pageSize = 100;
  /** Its coding fields and vendors. */
  readonly directory = new FakeDirectory();
  companyId = 'company-1';
  /** What the vendor signs with now. */
  secrets: string[] = ['secret-a'];
  secretsAsked = 0;
  keptAlive = 0;
  readonly reads: StreamRead[] = [];
  /** Every result that was reported, in order. */
  readonly reports: ExportReport[] = [];
  readonly answers = new Map<string, ExportAnswer>();
  /** Fresh links to the receipts of an object, by its id. */
  readonly receiptLinks = new Map<string, readonly ReceiptLink[]>();
  /** Ids of the objects whose links were asked for. */
  readonly linksAsked: string[] = [];
  exportBatchMax = 50;
  /** Thrown by the next call of that kind, once each. */
  readonly failures: { on: SpendStream | 'report' | 'keepAlive' | 'secrets' | 'links'; error: Error }[] = [];
  /** Called before each page is answered. */
  onRead: ((read: StreamRead) => Promise<void> | void) | null = null;

  put(...objects: readonly SourceObject[]): void {
    for (const object of objects) this.objects.set(`${object.stream} ${object.externalId}`, object);
  }

  clear(): void {
    this.objects.clear();
  }

  /** A delivery as this source signs it. */
  delivery(
    id: string,
    body: unknown,
    secret = this.secrets[0] ?? '',
  ): { headers: Record<string, string>; rawBody: Buffer } {
    const rawBody = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return { headers: { 'message-id': id, signature: sign(secret, id, rawBody) }, rawBody };
  }

  fail(on: FakeSource['failures'][number]['on']): void {
    const index = this.failures.findIndex((one) => one.on === on);
    const [failure] = index < 0 ? [] : this.failures.splice(index, 1);
    if (failure) throw failure.error;
  }

  readonly connector: SpendConnector<{ token: string }, SourceSettings> = {
    role: 'SPEND',
    kind: 'BREX',
    title: 'Fake spend',
    defaultBaseUrl: 'http://source.test',
    credentialsSchema,
    settingsSchema: sourceSettings,
    secretSettings: ['webhookSecret'],
    streams: ['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
    exportStream: 'ACCOUNTING_RECORDS',
    describeCredential: (_credential, now) => ({
      kind: 'userToken',
      expiresAt: null,
      renewBy: new Date(now.getTime() + 90 * DAY_MS),
    }),
    connect: () => this.connection(),
    webhooks: {
      secretsIn: ({ webhookSecret = [] }) => (typeof webhookSecret === 'string' ? [webhookSecret] : webhookSecret),
      verify: (headers, rawBody, secrets) => {
        const id = headers['message-id'];
        if (!id) return null;
        return secrets.some((secret) => sign(secret, id, rawBody) === headers.signature) ? id : null;
      },
      translate: (body) => {
        const parsed = eventSchema.safeParse(body);
        if (!parsed.success) throw new InputError('The body is not an event.');
        const { event, company, objects = [] } = parsed.data;
        return { eventType: event, companyId: company, objects: objects as { stream: SpendStream; id: string }[] };
      },
    },
  };

  private connection(): SpendConnection {
    return {
      test: async () => [{ name: 'reach', ok: true, detail: 'fine', latencyMs: 1 }],
      disconnect: async () => {},
      companyId: async () => this.companyId,
      keepAlive: async () => {
        this.fail('keepAlive');
        this.keptAlive += 1;
      },
      readPage: (stream, _window, cursor) => this.page(stream, cursor),
      readObjects: async (stream, ids) => ({
        objects: this.of(stream).filter((object) => ids.includes(object.externalId)),
        unreadable: [],
        nextCursor: null,
      }),
      receipts: {
        links: async (_stream, externalId) => {
          this.linksAsked.push(externalId);
          this.fail('links');
          return this.receiptLinks.get(externalId) ?? [];
        },
      },
      masterData: this.directory.masterData,
      vendors: this.directory.readsVendors,
      exports: {
        batchMax: this.exportBatchMax,
        report: async (reports) => {
          this.fail('report');
          this.reports.push(...reports);
          return reports.map(({ externalId }) => this.answers.get(externalId) ?? { externalId, kind: 'REPORTED' });
        },
      },
      webhookManagement: {
        register: async () => ({ id: 'subscription-1', eventTypes: ['RECORD_READY'] }),
        secrets: async () => {
          this.secretsAsked += 1;
          this.fail('secrets');
          return this.secrets;
        },
      },
    };
  }

  private of(stream: SpendStream): SourceObject[] {
    return [...this.objects.values()].filter((object) => object.stream === stream);
  }

  private async page(stream: SpendStream, cursor: string | null): Promise<SpendPage> {
    this.reads.push({ stream, cursor });
    await this.onRead?.({ stream, cursor });
    this.fail(stream);
    const all = this.of(stream);
    const start = Number(cursor ?? 0);
    const end = start + this.pageSize;
    const isFirst = cursor === null && stream === 'ACCOUNTING_RECORDS';
    return {
      objects: all.slice(start, end),
      unreadable: isFirst ? this.unreadable : [],
      nextCursor: end < all.length ? String(end) : null,
    };
  }
}

function sign(secret: string, id: string, rawBody: Buffer): string {
  return createHmac('sha256', secret).update(id).update(rawBody).digest('hex');
}

// ── ledger ───────────────────────────────────────────────────────────────────────────────────

/** What happens to one submit. Those that end in no clear answer say what is in the books afterwards. */
export type LedgerFault =
  /** Nothing was written, and nobody was told so. */
  | { readonly kind: 'LOST_BEFORE_COMMIT' }
  | { readonly kind: 'LOST_AFTER_COMMIT' }
  /** The reply is lost now; the document appears later. */
  | { readonly kind: 'LATE_COMMIT'; readonly afterMs: number }
  | { readonly kind: 'REJECTED'; readonly message: string }
  /** Its period closed since it was checked; nothing was written. */
  | { readonly kind: 'PERIOD_CLOSED' }
  | { readonly kind: 'NOT_STARTED' }
  | { readonly kind: 'THROTTLED'; readonly retryAfterMs: number }
  /** The reply is lost; the document is there, but not posted. */
  | { readonly kind: 'LEFT_UNPOSTED' }
  | { readonly kind: 'WRONG_TOTAL'; readonly total: string };

interface HeldDocument {
  readonly document: LedgerDocument;
  readonly ledgerDocumentId: string;
  readonly total: string;
  readonly isPosted: boolean;
  readonly appearsAt: number;
}

export class FakeLedger {
  accounts: LedgerAccount[] = ['6100', '6200', '2110', '9999', '1575'].map((code) => ({
    code,
    name: `Account ${code}`,
    active: true,
    blockedReason: null,
  }));
  knownSuppliers: LedgerSupplier[] = [{ code: 'S100', name: 'Office Depot', active: true, currency: 'USD' }];
  dimensionValues: LedgerDimensionValue[] = [];
  costCentreDimension: string | null = null;
  /** The currency of its journals; null = it takes any. */
  localCurrency: string | null = 'USD';
  /** What it takes as an invoice; null = it says so only when an invoice arrives. */
  invoices: InvoiceRules | null = null;
  /** Thrown by the next creation of a supplier. */
  supplierFault: Error | null = null;
  periods: LedgerPeriod[] = [
    period('2026-09', '2026-09-01', '2026-09-30', false),
    period('2026-10', '2026-10-01', '2026-10-31', true),
    period('2026-11', '2026-11-01', '2026-11-30', true),
    period('2026-12', '2026-12-01', '2026-12-31', true),
  ];
  /** Whether it takes attachments. */
  takesAttachments = false;
  /** Files at documents, in the order they came. */
  readonly attached: { ledgerDocumentId: string; fileName: string; content: Buffer }[] = [];
  /** What the next attachments meet: the answer is lost before or after the file was kept, or it is refused. */
  readonly attachFaults: ('LOST_BEFORE' | 'LOST_AFTER' | 'REFUSED')[] = [];
  /** While set, the ledger cannot be reached: every call ends with it. */
  outage: Error | null = null;
  settlingMs = 60_000;
  submitTimeoutMs = 30_000;
  /** Taken one a submit, in order; a submit without a fault succeeds. */
  readonly faults: LedgerFault[] = [];
  /** Called when a submit arrives, before anything else happens, and once more after a document was written. */
  onSubmit: ((document: LedgerDocument, moment: 'ARRIVED' | 'WRITTEN') => Promise<void> | void) | null = null;
  /** Set for a ledger that takes documents in steps: what clearing away after an attempt finds. */
  onAbandon: ((document: LedgerDocument, fate: 'WAITING' | 'GIVEN_UP') => Clearance) | null = null;
  /** Every document that a submit brought, written or not. */
  readonly submitted: LedgerDocument[] = [];
  private readonly held: HeldDocument[] = [];
  private nextNumber = 1;

  constructor(private readonly clock: Clock) {}

  /** How many documents the books hold under a reference, visible yet or not. */
  countOf(reference: string): number {
    return this.held.filter((one) => one.document.reference === reference).length;
  }

  /** All that is in the books, in the order it was written. */
  get documents(): readonly LedgerDocument[] {
    return this.held.map((one) => one.document);
  }

  /** Debits minus credits of one account, in minor units of the documents' own currencies. */
  balanceOf(account: string): bigint {
    return this.held
      .flatMap(({ document: { lines, currency } }) => lines.map((line) => ({ ...line, currency })))
      .filter((line) => line.glAccount === account)
      .reduce((sum, line) => sum + minor(line.debit, line.currency) - minor(line.credit, line.currency), 0n);
  }

  readonly connector: LedgerConnector<{ token: string }, Record<string, never>> = {
    role: 'LEDGER',
    kind: 'SYSPRO',
    title: 'Fake ledger',
    defaultBaseUrl: 'http://ledger.test',
    credentialsSchema,
    settingsSchema: z.strictObject({}) as z.ZodType<Record<string, never>>,
    secretSettings: [],
    documentTypes: ['JOURNAL', 'SUPPLIER_INVOICE'],
    attachesReceipts: true,
    describeCredential: () => ({ kind: 'login', expiresAt: null, renewBy: null }),
    connect: () => this.connection(),
  };

  private connection(): LedgerConnection {
    return {
      settlingMs: this.settlingMs,
      submitTimeoutMs: this.submitTimeoutMs,
      writeConcurrency: 1,
      test: async () => [{ name: 'reach', ok: true, detail: 'fine', latencyMs: 1 }],
      disconnect: async () => {},
      rules: async () =>
        this.reached({
          localCurrency: this.localCurrency,
          ...(this.invoices ? { invoices: this.invoices } : {}),
          documentTypes: ['JOURNAL', 'SUPPLIER_INVOICE'],
          maxLines: 1000,
          memoLength: 250,
          costCentreDimension: this.costCentreDimension,
          accountCode: ({ glAccount }) => glAccount,
        }),
      listAccounts: () => pages(() => this.reached(this.accounts)),
      listSuppliers: () => pages(() => this.reached(this.knownSuppliers)),
      listDimensionValues: () => pages(() => this.reached(this.dimensionValues)),
      listPeriods: async () => this.reached(this.periods),
      ...(this.takesAttachments ? { attachments: this.attachments() } : {}),
      submit: (document) => this.submit(document),
      findByReference: async (queries) => this.reached(this.find(queries)),
      readBack: async (id) =>
        this.find(this.held.map((one) => one.document)).find((one) => one.ledgerDocumentId === id) ?? null,
      ...(this.onAbandon === null
        ? {}
        : {
            abandon: async (document: LedgerDocument, fate: 'WAITING' | 'GIVEN_UP') =>
              this.reached(this.onAbandon ? this.onAbandon(document, fate) : { kind: 'NOTHING' }),
          }),
      suppliers: {
        codeFor: (name) =>
          name
            .toUpperCase()
            .replace(/[^A-Z0-9]/g, '')
            .slice(0, 10),
        find: async (code) => this.knownSuppliers.find((supplier) => supplier.code === code) ?? null,
        create: async ({ code, name }) => {
          const fault = this.supplierFault;
          this.supplierFault = null;
          if (fault) throw fault;
          const supplier: LedgerSupplier = { code, name, active: true, currency: 'USD' };
          this.knownSuppliers.push(supplier);
          return supplier;
        },
      },
    };
  }

  private attachments(): AttachesReceipts {
    return {
      has: async (id, _query, fileName) =>
        this.attached.some((one) => one.ledgerDocumentId === id && one.fileName === fileName),
      attach: async (ledgerDocumentId, _query, { fileName, content }) => {
        const fault = this.attachFaults.shift();
        if (fault === 'REFUSED') throw new ErpRejectedError('The ledger takes no such file.');
        if (fault !== 'LOST_BEFORE') this.attached.push({ ledgerDocumentId, fileName, content });
        if (fault) throw lost();
      },
    };
  }

  /** @throws what makes the ledger unreachable. */
  private reached<T>(answer: T): T {
    if (this.outage) throw this.outage;
    return answer;
  }

  private async submit(document: LedgerDocument): Promise<SubmittedDocument> {
    this.submitted.push(this.reached(document));
    await this.onSubmit?.(document, 'ARRIVED');
    const fault = this.faults.shift();
    switch (fault?.kind) {
      case 'LOST_BEFORE_COMMIT':
        throw lost();
      case 'REJECTED':
        throw new ErpRejectedError(fault.message);
      case 'PERIOD_CLOSED':
        throw new PeriodClosedError(`The period of ${document.postingDate} is closed.`);
      case 'NOT_STARTED':
        throw new UpstreamUnavailableError('The ledger refused the connection.');
      case 'THROTTLED':
        throw new RateLimitedError('The ledger is busy.', fault.retryAfterMs);
      case 'LOST_AFTER_COMMIT':
        this.write(document);
        throw lost();
      case 'LATE_COMMIT':
        this.write(document, { appearsAt: this.clock.now().getTime() + fault.afterMs });
        throw lost();
      case 'LEFT_UNPOSTED':
        this.write(document, { isPosted: false });
        throw lost();
      case 'WRONG_TOTAL':
        this.write(document, { total: fault.total });
        throw lost();
      case undefined: {
        const { ledgerDocumentId } = this.write(document);
        await this.onSubmit?.(document, 'WRITTEN');
        return { ledgerDocumentId, warnings: [] };
      }
    }
  }

  private write(document: LedgerDocument, over: Partial<HeldDocument> = {}): HeldDocument {
    const held: HeldDocument = {
      document,
      ledgerDocumentId: `DOC-${String(this.nextNumber++).padStart(6, '0')}`,
      total: document.total,
      isPosted: true,
      appearsAt: 0,
      ...over,
    };
    this.held.push(held);
    return held;
  }

  private find(queries: readonly Pick<DocumentQuery, 'reference'>[]): FoundDocument[] {
    const wanted = new Set(queries.map((query) => query.reference));
    const now = this.clock.now().getTime();
    return this.held
      .filter((one) => wanted.has(one.document.reference) && one.appearsAt <= now)
      .map(({ document, ledgerDocumentId, total, isPosted }) => ({
        reference: document.reference,
        ledgerDocumentId,
        currency: document.currency,
        totalDebit: total,
        totalCredit: total,
        lineCount: document.lines.length,
        isPosted,
      }));
  }
}

function lost(): OutcomeUnknownError {
  return new OutcomeUnknownError('The connection ended before the ledger answered.');
}

function period(label: string, startsOn: string, endsOn: string, open: boolean): LedgerPeriod {
  return { label, startsOn: localDate(startsOn), endsOn: localDate(endsOn), open, key: { period: label } };
}

function minor(text: string, currency: string): bigint {
  return moneyFromDecimal(text, currency).minor;
}

async function* pages<T>(read: () => readonly T[]): AsyncGenerator<readonly T[]> {
  yield read();
}
