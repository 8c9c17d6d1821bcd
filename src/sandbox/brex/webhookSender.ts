import { createHmac, randomBytes } from 'node:crypto';
import type { BrexSettings } from './settings.js';

export interface WebhookSecret {
  secret: string;
  status: 'ACTIVE' | 'PENDING_REVOKE' | 'REVOKED';
}

export interface Subscription {
  id: string;
  url: string;
  event_types: string[];
  status: 'ACTIVE' | 'INACTIVE';
  group_id: string | null;
}

/** How one message is sent; everything absent means "as Brex would". */
export interface SendOptions {
  /** Sends the message this many more times under the same id. */
  repeat?: number | undefined;
  /** Seconds by which the timestamp lies in the past. */
  ageSeconds?: number | undefined;
  /** Signs with a key that nobody has. */
  badSignature?: boolean | undefined;
  /** Changes one byte of the body after it was signed. */
  tamper?: boolean | undefined;
  headerNames?: 'webhook' | 'svix' | undefined;
}

export interface Delivery {
  messageId: string;
  url: string;
  eventType: string;
  attempt: number;
  /** Null when no answer came. */
  status: number | null;
  error: string | null;
}

/** The signature of the Standard Webhooks scheme: `v1,` and the base64 of an HMAC over id, timestamp and raw body. */
export function signature(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** Delivers signed messages to the registered address and tries again on the vendor's schedule. */
export class WebhookSender {
  readonly deliveries: Delivery[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly running = new Set<Promise<unknown>>();
  private readonly abort = new AbortController();

  constructor(
    readonly secrets: WebhookSecret[],
    readonly subscriptions: Map<string, Subscription>,
    private readonly settings: BrexSettings,
    private readonly nowMs: () => number,
  ) {}

  /** Starts a rotation: a new key is active and the old ones still count until `endRotation`. */
  beginRotation(secret?: string): WebhookSecret {
    for (const known of this.secrets) if (known.status === 'ACTIVE') known.status = 'PENDING_REVOKE';
    const added: WebhookSecret = { secret: secret ?? `whsec_${randomBytes(32).toString('base64')}`, status: 'ACTIVE' };
    this.secrets.unshift(added);
    return added;
  }

  endRotation(): void {
    for (const known of this.secrets) if (known.status === 'PENDING_REVOKE') known.status = 'REVOKED';
  }

  /** Sends one event to all active subscriptions of its type; resolves when the first attempts have ended. */
  async send(event: Record<string, unknown>, options: SendOptions = {}): Promise<Delivery[]> {
    const body = JSON.stringify(event);
    const eventType = String(event.event_type);
    const wanted = [...this.subscriptions.values()].filter(
      (one) => one.status === 'ACTIVE' && one.event_types.includes(eventType),
    );
    const sent: Delivery[] = [];
    for (const { url } of wanted) {
      const messageId = `msg_${randomBytes(14).toString('hex')}`;
      for (let count = 0; count <= (options.repeat ?? 0); count += 1) {
        sent.push(await this.track(this.attempt({ messageId, url, eventType, body, options }, 1)));
      }
    }
    return sent;
  }

  /** Resolves when nothing is under way; planned retries do not count. */
  async whenIdle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running);
  }

  /** Starts a send in the background, as the real system would. */
  background(work: () => Promise<unknown>): void {
    this.track(work()).catch(() => undefined);
  }

  close(): void {
    this.abort.abort();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.running.delete(tracked));
    this.running.add(tracked);
    return tracked;
  }

  private async attempt(message: Message, attempt: number): Promise<Delivery> {
    const { messageId, url, eventType, body, options } = message;
    const delivery: Delivery = { messageId, url, eventType, attempt, status: null, error: null };
    try {
      const response = await fetch(url, {
        ...{ method: 'POST', redirect: 'manual', headers: this.headers(message) },
        body: options.tamper ? `${body.slice(0, -1)} }` : body,
        signal: AbortSignal.any([this.abort.signal, AbortSignal.timeout(this.settings.webhookTimeoutMs)]),
      });
      delivery.status = response.status;
      await response.arrayBuffer();
    } catch (error) {
      delivery.error = error instanceof Error ? error.name : 'unknown';
    }
    this.deliveries.push(delivery);
    const isDone = delivery.status !== null && delivery.status >= 200 && delivery.status < 300;
    if (!isDone) this.retryLater(message, attempt);
    return delivery;
  }

  private retryLater(message: Message, attempt: number): void {
    const delay = this.settings.webhookRetryDelaysMs[attempt - 1];
    if (delay === undefined || this.abort.signal.aborted) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.background(() => this.attempt(message, attempt + 1));
    }, delay);
    timer.unref();
    this.timers.add(timer);
  }

  // Each attempt has a fresh timestamp and signature under the same id.
  private headers({ messageId, body, options }: Message): Record<string, string> {
    const timestamp = String(Math.floor(this.nowMs() / 1000) - (options.ageSeconds ?? 0));
    const keys = options.badSignature
      ? [randomBytes(32).toString('base64')]
      : this.secrets.filter((one) => one.status !== 'REVOKED').map((one) => one.secret);
    const signatures = keys.map((key) => signature(key, messageId, timestamp, body)).join(' ');
    const prefix = options.headerNames === 'svix' ? 'svix' : 'webhook';
    return {
      'content-type': 'application/json',
      'user-agent': 'Svix-Webhooks/sandbox',
      [`${prefix}-id`]: messageId,
      [`${prefix}-timestamp`]: timestamp,
      [`${prefix}-signature`]: signatures,
    };
  }
}

interface Message {
  messageId: string;
  url: string;
  eventType: string;
  body: string;
  options: SendOptions;
}
