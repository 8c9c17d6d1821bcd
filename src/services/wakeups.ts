import pg from 'pg';
import type { Logger } from '../logger.js';
import { KEYS_CHANNEL } from './apiKeys.js';
import { EVENTS_CHANNEL } from './audit.js';

/** `pg_notify` channels. A message says only "look": what happened is in the tables. */
export const RUNS_CHANNEL = 'ledgergate_runs';
export const ALERTS_CHANNEL = 'ledgergate_alerts';

const CHANNELS = [EVENTS_CHANNEL, RUNS_CHANNEL, ALERTS_CHANNEL, KEYS_CHANNEL];

/** The keys under which subscribers wait, as the channel and its message make them. */
export const topics = {
  events: (tenantId: string) => `${EVENTS_CHANNEL} ${tenantId}`,
  run: (tenantId: string, runId: string) => `${RUNS_CHANNEL} ${tenantId}:${runId}`,
  alerts: (tenantId: string) => `${ALERTS_CHANNEL} ${tenantId}`,
  key: (keyId: string) => `${KEYS_CHANNEL} ${keyId}`,
};

/** Whatever wants to hear of a topic. Rings may be too many, after a break for instance; each says only "look". */
export interface Rung {
  ring(): void;
}

/** One subscriber's bell. A ring that nobody waits for is kept, so that none is lost between a look and the next wait. */
export class Bell implements Rung {
  private isRung = false;
  private wake: (() => void) | null = null;

  ring(): void {
    this.isRung = true;
    this.wake?.();
  }

  /** To be called before looking: what rings while looking is a reason to look again. */
  hush(): void {
    this.isRung = false;
  }

  /** Until the bell rings, the time is over or the signal ends it. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.isRung || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      timer.unref();
      signal.addEventListener('abort', finish, { once: true });
      this.wake = finish;
    });
  }
}

const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 5_000;

/** A way by which wake-ups come. */
export interface WakeupListener {
  /**
   * @param renewed called whenever listening has begun anew, and nobody knows what was said meanwhile.
   */
  listen(
    channels: readonly string[],
    heard: (channel: string, message: string) => void,
    renewed: () => void,
  ): Promise<void>;
  endListening(): Promise<void>;
}

/** Who waits for what, and rings whoever a wake-up is for. */
export class Wakeups {
  private readonly bells = new Map<string, Set<Rung>>();

  constructor(private readonly listener: WakeupListener) {}

  /** @throws the database's error when wake-ups come from there and it cannot be reached at the start. */
  start(): Promise<void> {
    return this.listener.listen(
      CHANNELS,
      (channel, message) => this.ring(`${channel} ${message}`),
      () => {
        for (const topic of this.bells.keys()) this.ring(topic);
      },
    );
  }

  stop(): Promise<void> {
    return this.listener.endListening();
  }

  join<T extends Rung>(topic: string, bell: T): T {
    const others = this.bells.get(topic);
    if (others) others.add(bell);
    else this.bells.set(topic, new Set([bell]));
    return bell;
  }

  leave(topic: string, bell: Rung): void {
    const others = this.bells.get(topic);
    others?.delete(bell);
    if (others?.size === 0) this.bells.delete(topic);
  }

  private ring(topic: string): void {
    for (const bell of this.bells.get(topic) ?? []) bell.ring();
  }
}

/**
 * The process's one listening connection. It may break at any time: it is opened again, and every bell is rung then,
 * because nobody knows what was said meanwhile.
 */
export class DatabaseListener implements WakeupListener {
  private client: pg.Client | null = null;
  private retry: NodeJS.Timeout | null = null;
  private isStopped = false;
  private backoffMs = RECONNECT_FIRST_MS;
  private begin: () => Promise<void> = async () => undefined;

  constructor(
    private readonly connectionString: string,
    private readonly logger: Logger,
  ) {}

  listen(
    channels: readonly string[],
    heard: (channel: string, message: string) => void,
    renewed: () => void,
  ): Promise<void> {
    this.begin = () => this.connect(channels, heard, renewed);
    return this.begin();
  }

  async endListening(): Promise<void> {
    this.isStopped = true;
    if (this.retry) clearTimeout(this.retry);
    const client = this.client;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private async connect(
    channels: readonly string[],
    heard: (channel: string, message: string) => void,
    renewed: () => void,
  ): Promise<void> {
    const client = new pg.Client({
      connectionString: this.connectionString,
      application_name: 'ledgergate-listen',
      keepAlive: true,
    });
    // Both may come for one break; only the first counts.
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, null));
    client.on('notification', ({ channel, payload }) => heard(channel, payload ?? ''));
    this.client = client;
    try {
      await client.connect();
      await client.query(channels.map((channel) => `listen ${channel}`).join('; '));
    } catch (error) {
      if (this.client === client) this.client = null;
      await client.end().catch(() => undefined);
      throw error;
    }
    this.backoffMs = RECONNECT_FIRST_MS;
    renewed();
  }

  private lost(client: pg.Client, error: Error | null): void {
    if (this.client !== client || this.isStopped) return;
    this.client = null;
    this.logger.warn({ err: error }, 'the listening connection broke; opening it again');
    client.end().catch(() => undefined);
    this.listenAgain();
  }

  private listenAgain(): void {
    this.retry = setTimeout(() => {
      this.begin().catch((error: unknown) => {
        if (this.isStopped) return;
        this.logger.warn({ err: error }, 'the listening connection could not be opened; trying again');
        this.listenAgain();
      });
    }, this.backoffMs);
    this.backoffMs = Math.min(this.backoffMs * 2, RECONNECT_MAX_MS);
  }
}
