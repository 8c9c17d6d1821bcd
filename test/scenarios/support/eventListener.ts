import { once } from 'node:events';
import { type RawData, WebSocket } from 'ws';

export interface SeenEvent {
  readonly cursor: string;
  readonly previousStatus: string | null;
  readonly status: string;
  readonly postingId: string;
}

interface Message {
  readonly type: string;
  readonly payload?: {
    readonly data?: { readonly change: Omit<SeenEvent, 'postingId'> & { readonly posting: { readonly id: string } } };
  };
}

const SUBSCRIPTION = `subscription ($after: String) {
  change: postingStatusChanged(after: $after) { cursor previousStatus status posting { id } }
}`;
const NORMAL_CLOSURE = 1000;
const AGAIN_AFTER_MS = 50;

/**
 * Follows the status of postings over `graphql-transport-ws`, spoken by hand so that its line can be cut in mid-air: no
 * goodbye, no last message. Comes back to the next address with the last cursor that it has seen.
 */
export class EventListener {
  readonly seen: SeenEvent[] = [];
  readonly errors: string[] = [];
  cuts = 0;
  private readonly urls: readonly string[];
  private readonly key: string;
  private readonly cutEveryMs: number;
  private readonly cutAfterEvents: number;
  private socket: WebSocket | null = null;
  private connections = 0;
  private sinceCut = 0;
  private isStopping = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(urls: readonly string[], key: string, cutEveryMs: number, cutAfterEvents: number) {
    this.urls = urls;
    this.key = key;
    this.cutEveryMs = cutEveryMs;
    this.cutAfterEvents = cutAfterEvents;
  }

  start(): void {
    const url = this.urls[this.connections % this.urls.length] ?? '';
    this.connections += 1;
    this.sinceCut = 0;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    this.socket = socket;
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.on('open', () => say({ type: 'connection_init', payload: { authorization: `Bearer ${this.key}` } }));
    socket.on('message', (data) => this.hear(socket, data, say));
    socket.on('close', () => this.comeBack(socket));
    socket.on('error', (error) => {
      // A line that is cut while it is being opened says so.
      if (this.socket === socket) this.errors.push(error.message);
    });
    this.timer = setTimeout(() => this.cut(), this.cutEveryMs);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.timer) clearTimeout(this.timer);
    const { socket } = this;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = once(socket, 'close');
    socket.close(NORMAL_CLOSURE);
    await closed;
  }

  private hear(socket: WebSocket, data: RawData, say: (message: object) => void): void {
    // What was still in this process's hands when the line was cut has not been seen.
    if (this.socket !== socket) return;
    const { type, payload } = JSON.parse(data.toString()) as Message;
    if (type === 'connection_ack') {
      const after = this.seen.at(-1)?.cursor ?? '0';
      say({ id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION, variables: { after } } });
    } else if (type === 'ping') say({ type: 'pong' });
    else if (type === 'next' && payload?.data) {
      const { posting, ...change } = payload.data.change;
      this.seen.push({ ...change, postingId: posting.id });
      this.sinceCut += 1;
      if (this.sinceCut >= this.cutAfterEvents) this.cut();
    } else this.errors.push(JSON.stringify({ type, payload }));
  }

  private cut(): void {
    const { socket } = this;
    if (!socket || this.isStopping) return;
    if (this.timer) clearTimeout(this.timer);
    this.cuts += 1;
    this.socket = null;
    socket.terminate();
  }

  private comeBack(socket: WebSocket): void {
    if (this.isStopping) return;
    if (this.socket === socket) this.errors.push('The server closed the connection.');
    this.timer = setTimeout(() => this.start(), AGAIN_AFTER_MS);
  }
}
