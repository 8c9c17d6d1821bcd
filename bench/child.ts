import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { Webhook } from 'svix';
import type * as Sandboxes from '../src/sandbox/start.js';
import { PAGE_SQL, pageOf, type RawPosting } from './rawPage.js';

// The other processes of the benchmark: the simulated systems, and the bare servers that the gateway is compared with.
// Each tells its parent one line when it is ready and ends with it.

const [kind = '', argument = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit(0));

async function startSystems(purchases: number): Promise<string> {
  const path = new URL('../dist/sandbox/start.js', import.meta.url).href;
  const { startSandboxes } = (await import(path)) as typeof Sandboxes;
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
  const scenario = { kind: 'month', seed: 1, month, purchases } as const;
  const main = await startSandboxes({ which: ['brex', 'syspro'], scenario, brexSettings: { rateLimit: null } });
  const bare = await startSandboxes({ which: ['syspro'], scenario });
  return JSON.stringify({ syspro: main.syspro?.access, brex: main.brex?.access, bare: bare.syspro?.access });
}

function pool(): pg.Pool {
  return new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Verify, insert, answer: the least that a receiver of webhooks can do. */
async function startWebhooks(): Promise<string> {
  const database = pool();
  await database.query(
    'create table if not exists bare_deliveries (id text primary key, body jsonb not null, at timestamptz)',
  );
  const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? '');
  return listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString('utf8');
      try {
        webhook.verify(body, request.headers as Record<string, string>);
        await database.query('insert into bare_deliveries values ($1, $2, now()) on conflict do nothing', [
          request.headers['webhook-id'],
          body,
        ]);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"message":"Received."}');
      } catch {
        response.writeHead(401).end();
      }
    });
  });
}

/** One statement for the key, one for the page, `JSON.stringify`. */
async function startPage(): Promise<string> {
  const database = pool();
  return listen(async (request, response) => {
    const secret = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const keys = await database.query<{ tenant_id: string }>(
      `select tenant_id from api_keys where secret_hash = $1 and revoked_at is null
         and (expires_at is null or expires_at > now())`,
      [createHash('sha256').update(secret, 'utf8').digest()],
    );
    const [key] = keys.rows;
    if (!key) {
      response.writeHead(401).end();
      return;
    }
    const { rows } = await database.query<RawPosting>({ name: 'page', text: PAGE_SQL, values: [key.tenant_id] });
    const text = JSON.stringify(pageOf(rows));
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text);
  });
}

const ready = {
  sandboxes: () => startSystems(Number(argument)),
  webhooks: startWebhooks,
  page: startPage,
}[kind];
if (!ready) throw new Error(`There is no ${kind}.`);
process.send?.(await ready());
