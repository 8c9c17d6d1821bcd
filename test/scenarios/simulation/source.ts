import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { ExportReport, SpendConnection, SpendConnector } from '../../../src/connectors/contract.js';
import { type LocalDate, localDate } from '../../../src/domain/localDate.js';
import type { SourceObject, SpendPart } from '../../../src/domain/spend.js';
import type { SpendStream } from '../../../src/domain/vocabulary.js';
import { InputError, RateLimitedError, UnreadableReplyError, UpstreamUnavailableError } from '../../../src/errors.js';

export const VIEWS = ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'] as const;
export type View = (typeof VIEWS)[number];

/** A purchase as it is at the source now, and which streams show it. */
export interface Purchase {
  readonly id: string;
  minor: bigint;
  category: string;
  merchant: string;
  readonly day: string;
  /** Parts in minor units; empty = it is not split. */
  parts: bigint[];
  isWithdrawn: boolean;
  /** Whether the accounting record is ready for export. */
  isFinal: boolean;
  readonly shown: Set<View>;
  /** A stream that is late with the last change of the amount, and what it still shows. */
  before: { readonly minor: bigint; readonly view: View } | null;
  version: number;
}

const credentialsSchema = z.strictObject({ token: z.string() });
const settingsSchema = z.strictObject({ webhookSecret: z.union([z.string(), z.array(z.string())]).optional() });
type Settings = z.infer<typeof settingsSchema>;
const eventSchema = z.object({ stream: z.string(), ids: z.array(z.string()) });

export const WEBHOOK_SECRET = 'simulated-secret';
const PAGE = 7;
const WORDS: Readonly<Record<View, string>> = {
  CARD_TRANSACTIONS: 'card',
  EXPENSES: 'expense',
  ACCOUNTING_RECORDS: 'record',
};

/** What the source does to one call. */
export type SourceFault = 'UNREACHABLE' | 'THROTTLED' | 'UNREADABLE' | 'LOST_AFTER';

/**
 * A spend system in memory that shows its purchases in three streams. It stands for no vendor: what matters here is that
 * the simulation knows to the cent what the source says at each moment.
 */
export class SimSource {
  readonly purchases: Purchase[] = [];
  /** All results that arrived, by object. */
  readonly told = new Map<string, ExportReport['outcome'][]>();
  /** Asked at each call; counted by whoever sets it. */
  fault: (operation: string) => SourceFault | null = () => null;

  readonly connector: SpendConnector<{ token: string }, Settings> = {
    role: 'SPEND',
    kind: 'BREX',
    title: 'Simulated spend',
    defaultBaseUrl: 'http://source.test',
    credentialsSchema,
    settingsSchema,
    secretSettings: ['webhookSecret'],
    streams: [...VIEWS],
    exportStream: 'ACCOUNTING_RECORDS',
    describeCredential: () => ({ kind: 'userToken', expiresAt: null, renewBy: null }),
    connect: () => this.connection(),
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

  /** A delivery as this source signs it. */
  delivery(id: string, stream: View, ids: readonly string[]) {
    const rawBody = Buffer.from(JSON.stringify({ stream, ids }));
    return { headers: { 'message-id': id, signature: signature(WEBHOOK_SECRET, id, rawBody) }, rawBody };
  }

  private connection(): SpendConnection {
    return {
      test: async () => [],
      disconnect: async () => {},
      companyId: async () => 'company',
      keepAlive: async () => {},
      readPage: async (stream, _window, cursor) => {
        this.disturb(`read ${stream}`);
        const all = this.objects(stream);
        const start = Number(cursor ?? 0);
        const end = start + PAGE;
        return { objects: all.slice(start, end), unreadable: [], nextCursor: end < all.length ? String(end) : null };
      },
      readObjects: async (stream, ids) => {
        this.disturb(`read ${stream}`);
        const objects = this.objects(stream).filter(({ externalId }) => ids.includes(externalId));
        return { objects, unreadable: [], nextCursor: null };
      },
      exports: {
        batchMax: 5,
        report: async (reports) => {
          const fault = this.fault('report');
          if (fault && fault !== 'LOST_AFTER') throw errorOf(fault);
          for (const { externalId, outcome } of reports) {
            this.told.set(externalId, [...(this.told.get(externalId) ?? []), outcome]);
          }
          if (fault) throw errorOf(fault);
          return reports.map(({ externalId }) => ({ externalId, kind: 'REPORTED' as const }));
        },
      },
    };
  }

  private disturb(operation: string): void {
    const fault = this.fault(operation);
    if (fault) throw errorOf(fault);
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

export function objectId(purchase: Pick<Purchase, 'id'>, view: View): string {
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
  const money = (minor: bigint) => ({ minor, currency: 'USD' });
  const isRecord = view === 'ACCOUNTING_RECORDS';
  const minor = purchase.before?.view === view ? purchase.before.minor : purchase.minor;
  const day: LocalDate = localDate(purchase.day);
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
    originalAmount: null,
    exchangeRate: null,
    tax: null,
    merchantName: purchase.merchant,
    merchantDescriptor: purchase.merchant.toUpperCase(),
    mcc: '5943',
    category: purchase.category,
    dimensions: {},
    parts: view === 'CARD_TRANSACTIONS' ? [] : purchase.parts.map((minor, index) => partOf(purchase, index, minor)),
    spender: 'Ana Ruiz',
    memo: null,
    transactionDate: day,
    postedDate: day,
    receiptUrls: [],
    raw: { id: purchase.id },
  };
}

function partOf(purchase: Purchase, index: number, minor: bigint): SpendPart {
  return {
    sourceLineId: `${purchase.id}-${index + 1}`,
    amount: { minor, currency: 'USD' },
    tax: null,
    category: purchase.category,
    glAccount: null,
    costCentre: null,
    dimensions: {},
    memo: null,
  };
}
