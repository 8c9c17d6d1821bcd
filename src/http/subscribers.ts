import type { WebSocket } from 'ws';
import type { Logger } from '../logger.js';
import type { KeyFacts } from '../services/apiKeys.js';
import { type EventFeed, Reading } from '../services/eventFeed.js';

/** What one process grants its WebSocket callers. Each has a default. */
export interface WebSocketLimits {
  /** How long a connection may take to show its key. */
  readonly initWithinMs?: number;
  /** How long an event may wait for its subscriber to take it before the connection is closed. */
  readonly slowAfterMs?: number;
  /** How much may wait in a connection, of all its operations together. */
  readonly bufferBytesMax?: number;
  /** Operations of one connection at a time. */
  readonly operationsPerSocket?: number;
  /** Operations of one key at a time, over all its connections to this process. */
  readonly operationsPerKey?: number;
}

/** Close codes; those of `graphql-transport-ws`, and one of our own that its clients take as a reason to connect again. */
export const CLOSE = { forbidden: 4403, slow: 4413, internal: 4500 } as const;

const SLOW_AFTER_MS = 10_000;
const BUFFER_BYTES_MAX = 1_048_576;
const OPERATIONS_PER_SOCKET = 100;
const OPERATIONS_PER_KEY = 2_000;
/** Looks at each connection this often within the time that makes it slow. */
const LOOKS = 4;

/** One caller behind one WebSocket, once it has shown a key. */
export interface Subscriber {
  readonly socket: WebSocket;
  readonly secret: string;
  key: KeyFacts;
  /** The operations that run now. By their message, because an id may be used again before its last operation is over. */
  readonly running: Map<object, { readonly id: string; readonly reading: Reading }>;
}

/**
 * Everybody who is connected to this process.
 *
 * An operation has one event on its way at most: the next is read when the connection has taken the one before. So what
 * waits is bounded by the operations; a connection that takes nothing is closed all the same, because it holds them open.
 */
export class Subscribers {
  private readonly open = new Map<Subscriber, () => void>();
  private readonly slowAfterMs: number;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly feed: EventFeed,
    private readonly logger: Logger,
    private readonly limits: WebSocketLimits,
  ) {
    this.slowAfterMs = limits.slowAfterMs ?? SLOW_AFTER_MS;
    this.timer = setInterval(() => this.cutOffSlow(), this.slowAfterMs / LOOKS);
    this.timer.unref();
  }

  /** @param keyMayHaveChanged called when the subscriber's key was revoked, in whichever process. */
  add(subscriber: Subscriber, keyMayHaveChanged: () => void): void {
    this.open.set(subscriber, this.feed.watchKey(subscriber.key.identity, keyMayHaveChanged));
  }

  delete(subscriber: Subscriber): void {
    this.open.get(subscriber)?.();
    this.open.delete(subscriber);
  }

  all(): Iterable<Subscriber> {
    return this.open.keys();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /**
   * Counts an operation in, at once, so that many that are asked for in one breath are counted too.
   * @returns what the feed is to tell its progress to, or why it is one too many.
   */
  admit(subscriber: Subscriber, id: string, operation: object): Reading | string {
    const perSocket = this.limits.operationsPerSocket ?? OPERATIONS_PER_SOCKET;
    if (subscriber.running.size >= perSocket) return `A connection runs at most ${perSocket} operations at a time.`;
    const perKey = this.limits.operationsPerKey ?? OPERATIONS_PER_KEY;
    let count = 0;
    for (const { key, running } of this.open.keys())
      if (key.identity === subscriber.key.identity) count += running.size;
    if (count >= perKey) return `A key runs at most ${perKey} operations at a time.`;
    const reading = new Reading();
    subscriber.running.set(operation, { id, reading });
    return reading;
  }

  /** Closes the connection and ends its readings at once: a peer that is gone may take half a minute to be known as gone. */
  close(subscriber: Subscriber, code: number, reason: string): void {
    subscriber.socket.close(code, reason);
    for (const { reading } of subscriber.running.values()) reading.end();
  }

  private cutOffSlow(): void {
    const now = performance.now();
    const bytesMax = this.limits.bufferBytesMax ?? BUFFER_BYTES_MAX;
    for (const subscriber of this.open.keys()) {
      const { socket, running } = subscriber;
      if (socket.readyState !== socket.OPEN) continue;
      const isStuck = [...running.values()].some(
        ({ reading: { waitingSince } }) => waitingSince !== null && now - waitingSince > this.slowAfterMs,
      );
      if (isStuck || socket.bufferedAmount > bytesMax) this.cutOff(subscriber);
    }
  }

  /**
   * Each operation is told where it can go on. The message comes after the events that are on their way already, so the
   * cursor in it is the last of them; whoever does not get the message has its own last cursor.
   */
  private cutOff(subscriber: Subscriber): void {
    const { socket, running, key } = subscriber;
    this.logger.warn({ keyId: key.keyId, bufferedBytes: socket.bufferedAmount }, 'a slow subscriber is cut off');
    let last: string | null = null;
    for (const { id, reading } of running.values()) {
      const { cursor } = reading;
      const message = 'Events were not taken in time. Connect again and go on after the cursor given.';
      const error = { message, extensions: { code: 'SLOW_READER', cursor } };
      socket.send(JSON.stringify({ id, type: 'error', payload: [error] }));
      last = cursor;
    }
    const isOne = running.size === 1 && last !== null;
    this.close(subscriber, CLOSE.slow, isOne ? `Too slow: go on after ${last}` : 'Too slow');
  }
}
