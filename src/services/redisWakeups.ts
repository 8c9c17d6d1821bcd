import { Redis } from 'ioredis';
import type { Logger } from '../logger.js';
import type { Secret } from '../secrets.js';
import type { WakeupListener } from './wakeups.js';

const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 5_000;

/**
 * Wake-ups by way of Redis. They say only "look", and are sent after the commit: one that is lost, because Redis was away
 * or a process died in between, makes subscribers later by one safety poll and loses nothing.
 */
export class RedisWakeups implements WakeupListener {
  private readonly publisher: Redis;
  private subscriber: Redis | null = null;
  private isStopped = false;

  constructor(
    private readonly url: Secret,
    private readonly logger: Logger,
  ) {
    this.publisher = this.connect('publishing');
  }

  publish(channel: string, message: string): void {
    this.publisher.publish(channel, message).catch((error: unknown) => {
      if (!this.isStopped) this.logger.debug({ reason: nameOf(error) }, 'a wake-up could not be sent over Redis');
    });
  }

  /** Resolves at once: with Redis away subscribers live on their safety poll. */
  async listen(
    channels: readonly string[],
    heard: (channel: string, message: string) => void,
    renewed: () => void,
  ): Promise<void> {
    const subscriber = this.connect('listening');
    this.subscriber = subscriber;
    subscriber.on('message', heard);
    subscriber.on('ready', () => {
      // Only what is published after the server has confirmed is heard: everybody looks once more then.
      subscriber.subscribe(...channels).then(renewed, (error: unknown) => {
        if (!this.isStopped) this.logger.warn({ reason: nameOf(error) }, 'Redis refused the channels of wake-ups');
      });
    });
  }

  /** Ends the listening; `stop` ends the rest. */
  async endListening(): Promise<void> {
    this.subscriber?.disconnect();
    this.subscriber = null;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.endListening();
    this.publisher.disconnect();
  }

  private connect(purpose: string): Redis {
    const client = new Redis(this.url.reveal(), {
      connectionName: `ledgergate-${purpose}`,
      // What cannot be sent now is of no use later, and must not wait in memory.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      retryStrategy: (tries) => Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(tries, 10), RECONNECT_MAX_MS),
    });
    let isTold = false;
    client.on('error', (error) => {
      if (isTold || this.isStopped) return;
      isTold = true;
      this.logger.warn({ reason: nameOf(error), purpose }, 'Redis cannot be reached; trying again');
    });
    client.on('ready', () => {
      isTold = false;
    });
    return client;
  }
}

/** Never the message: it may repeat the address, and the address may hold a password. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
