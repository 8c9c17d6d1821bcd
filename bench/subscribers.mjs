// How an event reaches many subscribers: memory of the server for each, and the delay until each has it.
//
//   node bench/subscribers.mjs [subscribers] [events]      after `npm run build`; Linux, for the server's memory
//
// The server is a process of its own with an embedded PostgreSQL, as `npm start` runs it. The delay is from the moment
// the change is asked for (the mutation and its commit are in it) to the moment a subscriber has the whole event.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const subscribers = Number(process.argv[2] ?? 1_000);
const events = Number(process.argv[3] ?? 20);
const KEY = 'bench-subscribers-key';
const QUERY = 'subscription { auditEventAppended { subjectId } }';
const WITHIN_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'ledgergate-bench-'));
const { DATABASE_URL: _own, ...environment } = process.env;
const server = spawn(process.execPath, ['dist/main.js'], {
  env: {
    ...environment,
    ...{ PORT: '0', ROLE: 'api', LEDGERGATE_DATA_DIR: folder, LEDGERGATE_BOOTSTRAP_ADMIN_KEY: KEY },
    ...{ LEDGERGATE_REQUESTS_PER_MINUTE: '0', LOG_LEVEL: 'warn' },
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const sockets = [];
try {
  const url = await addressOf(server);
  const before = residentBytes(server.pid);
  for (let made = 0; made < subscribers; made += 1) sockets.push(await subscribe(url));
  // Those that have begun get the first; everybody gets the last, and none of these is counted.
  for (let round = 0; round < 3; round += 1) await toAll(url, `warm-up ${round}`, round === 2);
  const after = residentBytes(server.pid);
  const delays = [];
  for (let sent = 0; sent < events; sent += 1) delays.push(...(await toAll(url, `event ${sent}`)));
  const during = residentBytes(server.pid);
  delays.sort((a, b) => a - b);
  const at = (share) => Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * share))]);
  const each = (bytes) => `${((bytes - before) / subscribers / 1024).toFixed(1)} KiB`;
  console.log(`${subscribers} subscribers, ${events} events, ${cpus().length} cores, ${delays.length} deliveries`);
  console.log(
    `server memory before ${(before / 2 ** 20).toFixed(0)} MiB; a subscriber: ${each(after)} idle, ${each(during)} after the events`,
  );
  console.log(`delay in ms: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${Math.round(delays.at(-1))}`);
} finally {
  for (const { socket } of sockets) socket.terminate();
  if (server.exitCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}

async function addressOf(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /listening on (http:\/\/\S+?)["\s]*$/.exec(line) ?? /listening on (http:\/\/[^\s"]+)/.exec(line);
    if (found) {
      child.stdout.resume();
      return found[1];
    }
  }
  throw new Error('The server ended before it listened.');
}

function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function subscribe(url) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const subscriber = { socket, took: () => undefined, times: new Map() };
  const acknowledged = new Promise((resolve, reject) => {
    socket.on('close', (code, reason) => reject(new Error(`A subscriber was closed: ${code} ${reason}`)));
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (type === 'connection_ack') resolve();
      else if (type === 'next') {
        subscriber.times.set(payload.data.auditEventAppended.subjectId, performance.now());
        subscriber.took();
      } else if (type === 'error') reject(new Error(JSON.stringify(payload)));
    });
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: KEY } }));
  await acknowledged;
  socket.send(JSON.stringify({ id: 'a', type: 'subscribe', payload: { query: QUERY } }));
  return subscriber;
}

/** One change, and how long after it was asked for each subscriber had it; who has not begun yet may be left out. */
async function toAll(url, name, isForAll = true) {
  const start = performance.now();
  const query = 'mutation ($name: String!) { createApiKey(name: $name, role: VIEWER) { apiKey { id } } }';
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ query, variables: { name } }),
  });
  const { data } = await response.json();
  const id = data.createApiKey.apiKey.id;
  const wanted = isForAll ? sockets : [];
  const late = setTimeout(() => {
    const missing = wanted.filter(({ times }) => !times.has(id)).length;
    console.error(`${missing} subscribers did not have the event "${name}" within ${WITHIN_MS / 1000} s.`);
    process.exit(1);
  }, WITHIN_MS);
  const delays = await Promise.all(
    wanted.map(async (subscriber) => {
      while (!subscriber.times.has(id)) {
        await new Promise((resolve) => {
          subscriber.took = resolve;
        });
      }
      return subscriber.times.get(id) - start;
    }),
  );
  clearTimeout(late);
  return delays;
}
