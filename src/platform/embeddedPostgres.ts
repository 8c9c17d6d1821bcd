import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, realpathSync, rmSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigurationError, UpstreamUnavailableError } from '../errors.js';
import { type ClusterFolder, ensureCluster, readPassword, serverProcess, settleFolder } from './clusterFolder.js';
import { prepareDatabase, type ServerAddress, urlOf, whyNotReady } from './clusterLogin.js';
import { locateBinaries, type PostgresBinaries } from './postgresBinaries.js';
import { identityOf, isRunning, processesIn, runToEnd, workingFolderOf } from './processes.js';
import { present, type ServerUser, signIn } from './serverUsers.js';

export interface EmbeddedPostgresOptions {
  /** Folder that keeps the cluster. Made if missing. */
  readonly dataDir: string;
  /** 0 or left out: any free one. Ignored when a server of this folder already runs. */
  readonly port?: number;
  /** Settings of postgresql.conf; they win over ours and count only for a server that this call starts. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log?: (text: string) => void;
  /** How long the server may take until it answers; recovery after a crash needs the most. Default 60 s. */
  readonly readyWithinMs?: number;
  /** Where the cluster goes when root's server account cannot enter `dataDir`. Default /var/lib/ledgergate. */
  readonly elsewhere?: string;
  /** Where a copy of the programs goes when they cannot be run from node_modules. */
  readonly cacheDir?: string;
}

export interface EmbeddedPostgres {
  /** For the gateway: owner of its database, not a superuser, so that row-level security holds as it does elsewhere. */
  readonly connectionString: string;
  /** Superuser, database `postgres`: for tests and for repairs. */
  readonly adminConnectionString: string;
  readonly port: number;
  /** Where the cluster really lies; see `elsewhere`. */
  readonly dataDir: string;
  /** Whether the server was running already, started by another process or left over by one that was killed. */
  readonly adopted: boolean;
  /** Stops the server (fast shutdown) unless another process or caller still uses it. May be called twice. */
  stop(): Promise<void>;
}

/** For a small machine. `synchronous_commit` stays on: a posting that was reported as stored must survive a crash. */
const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 30_000;
/** A kept log beyond this size is emptied at the next start; it only serves to explain a failed one. */
const LOG_SIZE_MAX = 10 * 1024 * 1024;
const LOG_TAIL = 2_000;

/**
 * Starts the PostgreSQL server of a folder, or joins the one that already runs there.
 * Any number of processes may call this for one folder at once: one server runs, each caller gets a working connection
 * string, and the last to stop turns it off. Durable like any PostgreSQL; the binaries lag security releases, so this is
 * for trying out, tests and small sites.
 *
 * The caller stops it when it ends by a signal; the server does not end with its parent (a Ctrl-C must not cut off the
 * work that is just being finished). A server left over by a killed process is joined by the next start.
 * @throws ConfigurationError it cannot run here; the message says what to change.
 * @throws UpstreamUnavailableError it did not answer in time; the message ends with the server's own log.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  const folder = settleFolder(options.dataDir, options.elsewhere, log);
  const user = signIn(folder.users);
  try {
    const binaries = locateBinaries(folder.account, options.cacheDir);
    await ensureCluster(folder, binaries, user.id, present(folder.users, '.using'), options.settings?.fsync !== 'off');
    const server = await startOrJoin(folder, binaries, user, options);
    await prepareDatabase(server.address);
    log(`embedded database ${server.adopted ? 'joined' : 'started'} on port ${server.address.port}`);
    return handle(folder, binaries, user, server);
  } catch (error) {
    await user.leave(() => stopServer(folder, null));
    throw error;
  }
}

interface RunningServer {
  readonly address: ServerAddress;
  readonly adopted: boolean;
}

function handle(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  user: ServerUser,
  { address, adopted }: RunningServer,
): EmbeddedPostgres {
  let stopped: Promise<unknown> | null = null;
  return {
    connectionString: urlOf(address),
    adminConnectionString: urlOf(address, 'admin'),
    port: address.port,
    dataDir: folder.root,
    adopted,
    async stop() {
      stopped ??= user.leave(() => stopServer(folder, binaries));
      await stopped;
    },
  };
}

/**
 * PostgreSQL itself guarantees one server per cluster (postmaster.pid). So each turn of this loop either joins the
 * server that runs or tries to start one; losing that race only means another turn.
 */
async function startOrJoin(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  user: ServerUser,
  options: EmbeddedPostgresOptions,
): Promise<RunningServer> {
  const deadline = Date.now() + (options.readyWithinMs ?? READY_WITHIN_MS);
  const password = readPassword(folder);
  let reason = 'it did not answer';
  while (Date.now() < deadline) {
    if (user.isSomebodyStopping()) {
      await pause(20);
      continue;
    }
    const running = readPostmaster(folder);
    if (running) {
      const address = { port: running.port, password };
      const problem = running.port > 0 ? await whyNotReady(address) : 'it is starting';
      if (problem === null) return { address, adopted: true };
      reason = problem;
      await pause(50);
      continue;
    }
    const attempt = await launch(folder, binaries, options, password, deadline);
    if (typeof attempt !== 'string') return { address: attempt, adopted: false };
    reason = attempt;
    if (isFinal(attempt, options)) break;
  }
  throw new UpstreamUnavailableError(
    `The embedded database in ${folder.root} did not start. Its log (${folder.log}) ends with: ${reason}`,
  );
}

/** Two failures are cured by another turn: a second starter was faster, or took the port that had just been free. */
function isFinal(reason: string, options: EmbeddedPostgresOptions): boolean {
  if (/lock file "postmaster\.pid"|shared memory block .* is still in use/.test(reason)) return false;
  return !(/could not (?:bind|create any TCP\/IP sockets)/.test(reason) && !options.port);
}

/** @returns the address once the server answers, or why it ended. */
async function launch(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  options: EmbeddedPostgresOptions,
  password: string,
  deadline: number,
): Promise<ServerAddress | string> {
  const port = options.port || (await freePort());
  const settings = { ...DEFAULT_SETTINGS, ...options.settings };
  const args = ['-D', folder.cluster, '-p', String(port)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const logStart = prepareLog(folder.log);
  const logFile = openSync(folder.log, 'a', 0o600);
  // Detached: a Ctrl-C at the terminal reaches every process of its group, and the server must outlive our own ending.
  const child = spawn(binaries.postgres, args, {
    ...serverProcess(folder),
    detached: true,
    windowsHide: true,
    stdio: ['ignore', logFile, logFile],
  });
  closeSync(logFile);
  const tail = () => {
    // Whoever stops a server may remove its folder before the end of the process is heard of.
    if (!existsSync(folder.log)) return '';
    return readFileSync(folder.log).subarray(logStart).toString('utf8').trim().slice(-LOG_TAIL);
  };
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signalName) => resolve(tail() || `nothing (${signalName ?? `exit code ${code}`})`));
  });
  child.unref();
  const address = { port, password };
  while (Date.now() < deadline) {
    // Whoever else sits on that port does not know the password, so a login proves that it is our own child.
    const problem = await Promise.race([whyNotReady(address).then((text) => ({ text })), ended]);
    if (typeof problem === 'string') return problem;
    if (problem.text === null) return address;
    await pause(15);
  }
  return tail();
}

function prepareLog(file: string): number {
  if (!existsSync(file)) return 0;
  if (statSync(file).size > LOG_SIZE_MAX) truncateSync(file);
  return statSync(file).size;
}

/** A port nobody listens on right now. Somebody may take it before we do; the caller then tries another. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * The server that runs on this cluster, read from PostgreSQL's own postmaster.pid (line 1 pid, line 4 port, which is
 * missing for an instant while it starts). null when none runs.
 */
function readPostmaster(folder: ClusterFolder): { pid: number; port: number } | null {
  const file = join(folder.cluster, 'postmaster.pid');
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  if (!(pid > 0) || !isRunning(identityOf(pid))) return null;
  if (isServerOf(pid, folder)) return { pid, port: Number(lines[3] ?? 0) || 0 };
  // The number was given to another program since. PostgreSQL would refuse to start because of it, so the file has to
  // go; but never while a process of the old server still works in the cluster.
  if (processesIn(realpathSync(folder.cluster)).length === 0) rmSync(file, { force: true });
  return null;
}

/** PostgreSQL works inside its cluster folder, which tells its server from any other process. */
function isServerOf(pid: number, folder: ClusterFolder): boolean {
  if (!existsSync('/proc/self/cwd')) return true;
  return workingFolderOf(pid) === realpathSync(folder.cluster);
}

/** Fast shutdown: open transactions are rolled back, clients are told, everything is written. */
async function stopServer(folder: ClusterFolder, binaries: PostgresBinaries | null): Promise<void> {
  const running = readPostmaster(folder);
  if (!running) return;
  const server = identityOf(running.pid);
  if (process.platform === 'win32' && binaries) {
    await runToEnd(binaries.pgCtl, ['stop', '-D', folder.cluster, '-m', 'fast', '-w'], serverProcess(folder));
  } else {
    signal(running.pid, 'SIGINT');
  }
  const deadline = Date.now() + STOP_WITHIN_MS;
  while (isRunning(server)) {
    if (Date.now() > deadline) {
      throw new ConfigurationError(
        `The embedded database in ${folder.root} (process ${running.pid}) does not stop. See ${folder.log}.`,
      );
    }
    await pause(5);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
