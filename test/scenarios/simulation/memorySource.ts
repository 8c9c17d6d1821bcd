import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type {
  CredentialVault,
  ExportReport,
  SpendConnection,
  SpendConnector,
} from '../../../src/connectors/contract.js';
import { type LocalDate, localDate } from '../../../src/domain/localDate.js';
import type { SourceObject, SpendPart } from '../../../src/domain/spend.js';
import type { SpendStream } from '../../../src/domain/vocabulary.js';
import {
  CredentialsError,
  InputError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { type Purchase, taxOf, VIEWS, type View } from './purchase.js';
import { type Delivery, type SourceAccess, SpendSource } from './source.js';
import type { VendorFaults } from './vendorFaults.js';

const credentialsSchema = z.strictObject({ token: z.string() });
const settingsSchema = z.strictObject({ webhookSecret: z.union([z.string(), z.array(z.string())]).optional() });
type Credentials = z.infer<typeof credentialsSchema>;
type Settings = z.infer<typeof settingsSchema>;
const eventSchema = z.object({ stream: z.string(), ids: z.array(z.string()) });

const PAGE = 7;
const WORDS: Readonly<Record<View, string>> = {
  CARD_TRANSACTIONS: 'card',
  EXPENSES: 'expense',
  ACCOUNTING_RECORDS: 'record',
};

/** What the source does to one call. */
export type SourceFault = 'UNREACHABLE' | 'THROTTLED' | 'UNREADABLE' | 'LOST_AFTER';

/**
 * A spend system in memory that shows its purchases in three streams, in any order and with any delay. It stands for no
 * vendor: it can do all that any of them may do one day.
 */
export class MemorySource extends SpendSource {
  readonly kind = 'MEMORY';
  readonly streams = [...VIEWS];
  readonly told = new Map<string, ExportReport['outcome'][]>();
  private fault: (operation: string) => SourceFault | null = () => null;
  private token = 'token-1';
  private secrets = ['secret-1'];

  readonly connector: SpendConnector<Credentials, Settings> = {
    role: 'SPEND',
    kind: 'BREX',
    title: 'Simulated spend',
    defaultBaseUrl: 'http://source.test',
    credentialsSchema,
    settingsSchema,
    secretSettings: ['webhookSecret'],
    streams: this.streams,
    exportStream: 'ACCOUNTING_RECORDS',
    describeCredential: () => ({ kind: 'userToken', expiresAt: null, renewBy: null }),
    connect: ({ credentials }) => this.connection(credentials),
    webhooks: {
      secretsIn: ({ webhookSecret = [] }) => (typeof webhookSecret === 'string' ? [webhookSecret] : webhookSecret),
      verify: (headers, rawBody, secrets) => {
        const id = headers['message-id'];
        if (!id) return null;
        return secrets.some((secret) => signature(secret, id, rawBody) === headers.signature) ? id : null;
      },
      translate: (body) => {
        const parsed = eventSchema.safeParse(body);
        if (!parsed.success) throw new InputError('The body is not an event.');
        const stream = parsed.data.stream as SpendStream;
        return { eventType: 'CHANGED', companyId: 'company', objects: parsed.data.ids.map((id) => ({ stream, id })) };
      },
    },
  };

  get access(): SourceAccess {
    return { kind: 'BREX', credentials: { token: this.token }, settings: { webhookSecret: this.secrets } };
  }

  standUnder(faults: VendorFaults): void {
    this.fault = faults.ofSource;
  }

  show(purchase: Purchase, view: View): boolean {
    purchase.shown.add(view);
    purchase.isFinal = true;
    purchase.before = null;
    purchase.version += 1;
    return true;
  }

  idsOf(purchase: Purchase): readonly string[] {
    return [...purchase.shown].map((view) => objectId(purchase, view));
  }

  delivery(id: string, purchase: Purchase, view: View): Delivery {
    const rawBody = Buffer.from(JSON.stringify({ stream: view, ids: [objectId(purchase, view)] }));
    const headers = { 'message-id': id, signature: signature(this.secrets.at(-1) ?? '', id, rawBody) };
    return { headers, rawBody };
  }

  override changeCredential(): boolean {
    this.token = `token-${Number(this.token.slice(6)) + 1}`;
    return true;
  }

  override changeWebhookSecret(): SourceAccess['settings'] {
    const last = this.secrets.at(-1) ?? 'secret-0';
    // While the vendor rotates, both count.
    this.secrets = [last, `secret-${Number(last.slice(7)) + 1}`];
    return { webhookSecret: this.secrets };
  }

  private connection(credentials: CredentialVault<Credentials>): SpendConnection {
    const call = async (operation: string): Promise<SourceFault | null> => {
      const { token } = await credentials.read();
      const fault = this.fault(operation);
      if (fault && fault !== 'LOST_AFTER') throw errorOf(fault);
      if (token !== this.token) throw new CredentialsError('The source refuses the token.');
      return fault;
    };
    return {
      test: async () => [],
      disconnect: async () => {},
      companyId: async () => 'company',
      keepAlive: async () => {},
      readPage: async (stream, _window, cursor) => {
        await call(`read ${stream}`);
        const all = this.objects(stream);
        const start = Number(cursor ?? 0);
        const end = start + PAGE;
        return { objects: all.slice(start, end), unreadable: [], nextCursor: end < all.length ? String(end) : null };
      },
      readObjects: async (stream, ids) => {
        await call(`read ${stream}`);
        const objects = this.objects(stream).filter(({ externalId }) => ids.includes(externalId));
        return { objects, unreadable: [], nextCursor: null };
      },
      exports: {
        batchMax: 5,
        report: async (reports) => {
          const fault = await call('report');
          for (const { externalId, outcome } of reports) {
            this.told.set(externalId, [...(this.told.get(externalId) ?? []), outcome]);
          }
          if (fault) throw errorOf(fault);
          return reports.map(({ externalId }) => ({ externalId, kind: 'REPORTED' as const }));
        },
      },
    };
  }

  private objects(stream: SpendStream): SourceObject[] {
    const view = VIEWS.find((one) => one === stream);
    return view ? this.purchases.filter(({ shown }) => shown.has(view)).map((one) => objectOf(one, view)) : [];
  }
}

function errorOf(fault: SourceFault): Error {
  if (fault === 'THROTTLED') return new RateLimitedError('The source is busy.', 2_000);
  if (fault === 'UNREADABLE') return new UnreadableReplyError('The source answered with a web page.');
  return new UpstreamUnavailableError('The source could not be reached.');
}

function signature(secret: string, id: string, rawBody: Buffer): string {
  return createHmac('sha256', secret).update(id).update(rawBody).digest('hex');
}

function objectId(purchase: Pick<Purchase, 'id'>, view: View): string {
  return `${WORDS[view]}_${purchase.id}`;
}

/** The views share keys as Brex's do: record and expense, expense and card. */
function keysOf(purchase: Purchase, view: View): string[] {
  const own = (one: View) => `${WORDS[one]}:${objectId(purchase, one)}`;
  if (view === 'CARD_TRANSACTIONS') return [own(view)];
  if (view === 'EXPENSES') return [own(view), own('CARD_TRANSACTIONS')];
  return [own(view), own('EXPENSES')];
}

function objectOf(purchase: Purchase, view: View): SourceObject {
  const isRecord = view === 'ACCOUNTING_RECORDS';
  const isCard = view === 'CARD_TRANSACTIONS';
  const minor = purchase.before?.view === view ? purchase.before.minor : purchase.minor;
  const money = (amount: bigint) => ({ minor: amount, currency: purchase.currency });
  const day: LocalDate = localDate(purchase.day);
  const tax = taxOf(purchase, minor);
  return {
    stream: view,
    externalId: objectId(purchase, view),
    version: String(purchase.version),
    keys: keysOf(purchase, view),
    kind: minor < 0n ? 'REFUND' : 'PURCHASE',
    notSpendReason: null,
    isFinal: isRecord ? purchase.isFinal : true,
    isWithdrawn: purchase.isWithdrawn,
    amount: money(minor),
    originalAmount: purchase.original,
    exchangeRate: purchase.original ? '1.1' : null,
    tax: tax === 0n || isCard ? null : money(tax),
    merchantName: purchase.merchant,
    merchantDescriptor: purchase.merchant.toUpperCase(),
    mcc: '5943',
    category: purchase.category,
    dimensions: {},
    parts: isCard ? [] : purchase.parts.map((part, index) => partOf(purchase, index, part)),
    spender: 'Ana Ruiz',
    memo: null,
    transactionDate: day,
    postedDate: day,
    receiptUrls: [],
    raw: { id: purchase.id },
  };
}

function partOf(purchase: Purchase, index: number, minor: bigint): SpendPart {
  const tax = taxOf(purchase, minor);
  return {
    sourceLineId: `${purchase.id}-${index + 1}`,
    amount: { minor, currency: purchase.currency },
    tax: tax === 0n ? null : { minor: tax, currency: purchase.currency },
    category: purchase.category,
    glAccount: null,
    costCentre: null,
    dimensions: {},
    memo: null,
  };
}
