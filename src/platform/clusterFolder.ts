import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '../errors.js';
import {
  type Account,
  accountForServer,
  canReach,
  giveTo,
  makePassableFolder,
  makePrivateFolder,
  ownerOf,
  runUnder,
} from './accounts.js';
import type { PostgresBinaries } from './postgresBinaries.js';
import { runToEnd } from './processes.js';

/** Where one embedded cluster lies and which account its server runs under. */
export interface ClusterFolder {
  /** The folder we keep: the cluster, the server's log, who uses it. */
  readonly root: string;
  /** PostgreSQL's own data directory. */
  readonly cluster: string;
  readonly users: string;
  readonly log: string;
  readonly account: Account;
}

const PASSWORD_FILE = 'ledgergate.password';
const MOVED_FILE = 'location.txt';

/**
 * Settles where the cluster lies. Normally `dataDir`. When we are root and the server's account cannot get there (a
 * project below /root), a folder below `elsewhere` named after the path is used, and `dataDir/location.txt` says so,
 * which also keeps the choice: a later start must find the same data whatever became readable meanwhile.
 */
export function settleFolder(
  dataDir: string,
  elsewhere: string | undefined,
  log: (text: string) => void,
): ClusterFolder {
  const asked = resolve(dataDir);
  makeOrExplain(asked);
  const moved = movedTo(asked);
  if (moved !== null) return describe(moved, log);
  const account = accountForServer();
  if (existsSync(join(asked, 'cluster')) || canReach(account, asked)) return describe(asked, log);
  const root = join(elsewhere ?? defaultElsewhere(), createHash('sha256').update(asked).digest('hex').slice(0, 16));
  makePassableFolder(root);
  writeFileSync(join(asked, MOVED_FILE), `${root}\n`);
  return describe(root, (text) => log(`${text} (the account ${account?.name ?? ''} cannot enter ${asked})`));
}

/** A folder we can write to. */
function makeOrExplain(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new ConfigurationError(
      `The embedded database needs to write to ${folder} and may not. Run Ledgergate under the account that owns it, ` +
        'choose another LEDGERGATE_DATA_DIR, or set DATABASE_URL.',
      { cause },
    );
  }
}

function movedTo(asked: string): string | null {
  const note = join(asked, MOVED_FILE);
  return existsSync(note) ? readFileSync(note, 'utf8').trim() : null;
}

function describe(root: string, log: (text: string) => void): ClusterFolder {
  const cluster = join(root, 'cluster');
  const account = existsSync(cluster) ? ownerOf(cluster) : accountForServer();
  if (!canReach(account, root)) {
    throw new ConfigurationError(
      `The embedded database lies in ${root}, which the account ${account?.name ?? ''} that owns it cannot enter. ` +
        'Make the folders above it passable (chmod a+x), or set DATABASE_URL.',
    );
  }
  makeOrExplain(join(root, 'users'));
  log(`embedded database in ${root}`);
  return { root, cluster, users: join(root, 'users'), log: join(root, 'server.log'), account };
}

function defaultElsewhere(): string {
  return existsSync('/var/lib') ? '/var/lib/ledgergate' : join(tmpdir(), 'ledgergate-data');
}

/**
 * Makes the cluster unless it is there. Done aside and then renamed into place, so that a killed start leaves nothing
 * half made and of two starts at once one wins and the other uses its work.
 */
export async function ensureCluster(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  userId: string,
  livingUsers: readonly string[],
  sync: boolean,
): Promise<void> {
  removeAbandonedDrafts(folder, livingUsers);
  if (existsSync(folder.cluster)) return;
  const draft = join(folder.root, `${DRAFT_PREFIX}${userId}`);
  makePrivateFolder(draft, folder.account);
  try {
    const made = await initialise(folder, binaries, draft, sync);
    try {
      renameSync(made, folder.cluster);
    } catch (error) {
      if (!existsSync(folder.cluster)) throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const DRAFT_PREFIX = 'making-';

function removeAbandonedDrafts(folder: ClusterFolder, livingUsers: readonly string[]): void {
  for (const name of readdirSync(folder.root)) {
    if (name.startsWith(DRAFT_PREFIX) && !livingUsers.includes(name.slice(DRAFT_PREFIX.length))) {
      rmSync(join(folder.root, name), { recursive: true, force: true });
    }
  }
}

/**
 * UTF-8 with the built-in C.UTF-8 locale: the same order of text on every machine, whatever LANG says. Without it a
 * machine whose LANG is unset makes an SQL_ASCII cluster, which takes any bytes and orders by none of them.
 */
async function initialise(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  draft: string,
  sync: boolean,
): Promise<string> {
  const made = join(draft, 'cluster');
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(draft, 'password');
  writeSecret(passwordFile, password, folder.account);
  const args = ['-D', made, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'];
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
  if (!sync) args.push('--no-sync');
  const { code, output } = await runToEnd(binaries.initdb, args, serverProcess(folder));
  if (code !== 0) {
    throw new ConfigurationError(
      `The embedded database could not be made in ${folder.root}. initdb said: ${output.trim().slice(-1000)}`,
    );
  }
  writeSecret(join(made, PASSWORD_FILE), password, folder.account);
  return made;
}

function writeSecret(file: string, secret: string, account: Account): void {
  writeFileSync(file, secret, { mode: 0o600, flag: 'wx' });
  giveTo(file, account);
}

/** @throws ConfigurationError when the cluster belongs to somebody else. */
export function readPassword(folder: ClusterFolder): string {
  const file = join(folder.cluster, PASSWORD_FILE);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ConfigurationError(
      `The embedded database in ${folder.root} cannot be opened: ${file} is missing or belongs to another account. ` +
        'Run Ledgergate under the account that made it, choose another LEDGERGATE_DATA_DIR, or set DATABASE_URL.',
      { cause },
    );
  }
}

/**
 * How its programs are started. They get an environment of their own: ours may hold the master key, which must not be
 * readable in theirs. Windows programs do not start without parts of the environment, so there they inherit it.
 */
export function serverProcess(folder: ClusterFolder): {
  cwd: string;
  uid?: number;
  gid?: number;
  env?: Record<string, string>;
} {
  const inherited = process.platform === 'win32';
  return {
    cwd: inherited ? dirname(folder.root) : folder.root,
    ...runUnder(folder.account),
    ...(inherited ? {} : { env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } }),
  };
}
