import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const COMPLETE = /^\*(\d+)\r\n/;

/** As much of Redis as publishing and subscribing take, in RESP 2. It can go away and come back on its port. */
export class RedisServer {
  /** Every message that was published, as `channel message`. */
  readonly published: string[] = [];
  private readonly subscribers = new Map<Socket, Set<string>>();
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private port = 0;

  async start(): Promise<void> {
    const server = createServer((socket) => this.serve(socket));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Connections that have subscribed to something. */
  get listening(): number {
    return this.subscribers.size;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private serve(socket: Socket): void {
    let text = '';
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.subscribers.delete(socket);
    });
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let read = commandIn(text); read; read = commandIn(text)) {
        text = text.slice(read.length);
        socket.write(this.answer(socket, read.words));
      }
    });
  }

  private answer(socket: Socket, [name = '', ...words]: readonly string[]): string {
    switch (name.toLowerCase()) {
      case 'info':
        return bulk('redis_version:8.0.0\r\nloading:0\r\n');
      case 'client':
        return '+OK\r\n';
      case 'ping':
        return '+PONG\r\n';
      case 'subscribe': {
        const channels = this.subscribers.get(socket) ?? new Set();
        this.subscribers.set(socket, channels);
        return words.map((word) => `*3\r\n${bulk('subscribe')}${bulk(word)}:${channels.add(word).size}\r\n`).join('');
      }
      case 'publish':
        return this.publish(words[0] ?? '', words[1] ?? '');
      default:
        return `-ERR unknown command '${name}'\r\n`;
    }
  }

  private publish(channel: string, message: string): string {
    this.published.push(`${channel} ${message}`);
    const to = [...this.subscribers].filter(([, channels]) => channels.has(channel));
    for (const [socket] of to) socket.write(`*3\r\n${bulk('message')}${bulk(channel)}${bulk(message)}`);
    return `:${to.length}\r\n`;
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** null = the rest of it has not arrived yet. */
function commandIn(text: string): { readonly words: readonly string[]; readonly length: number } | null {
  const head = COMPLETE.exec(text);
  if (!head) return null;
  const words: string[] = [];
  let at = head[0].length;
  for (let left = Number(head[1]); left > 0; left -= 1) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = Number(text.slice(at + 1, end));
    if (text.length < end + 2 + size + 2) return null;
    words.push(text.slice(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return { words, length: at };
}
