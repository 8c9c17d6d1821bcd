import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigurationError } from '../errors.js';

/** The account a program runs under; null = the one we run under ourselves. */
export type Account = { readonly uid: number; readonly gid: number; readonly name: string } | null;

/**
 * PostgreSQL refuses to run as root. As root we therefore lend it an account that exists already, and never create one:
 * a program somebody tries out has no business editing /etc/passwd.
 */
export function accountForServer(passwdFile = '/etc/passwd'): Account {
  if (process.getuid?.() !== 0) return null;
  const known = readAccounts(passwdFile);
  const chosen = known.find((account) => account.name === 'postgres') ?? known.find(({ name }) => name === 'nobody');
  if (!chosen) {
    throw new ConfigurationError(
      'The embedded database cannot run as root and this machine has neither an account "postgres" nor "nobody". ' +
        'Run Ledgergate as an ordinary user, or set DATABASE_URL.',
    );
  }
  return chosen;
}

/** The account that owns an existing folder, when we are root and it is not root's own. */
export function ownerOf(folder: string): Account {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? accountForServer() : { uid, gid, name: `uid ${uid}` };
}

function readAccounts(passwdFile: string): { uid: number; gid: number; name: string }[] {
  return readFileSync(passwdFile, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((account) => account.name !== '' && account.uid > 0 && Number.isInteger(account.gid));
}

const READ = 4;
const ENTER = 1;

/**
 * Whether `account` may enter `folder` and everything above it. Reads the permission bits, so an ACL or a further group
 * that would allow it is not seen: the answer errs towards no.
 */
export function canReach(account: Account, folder: string): boolean {
  if (account === null) return true;
  let at = realpathSync(existingPart(folder));
  for (;;) {
    if (!allows(account, at, ENTER)) return false;
    const above = dirname(at);
    if (above === at) return true;
    at = above;
  }
}

/** Whether `account` may run the program `file`. */
export function canRun(account: Account, file: string): boolean {
  return account === null || (canReach(account, dirname(file)) && allows(account, file, READ | ENTER));
}

function allows(account: NonNullable<Account>, path: string, wanted: number): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}

function existingPart(path: string): string {
  let at = resolve(path);
  while (lstatSync(at, { throwIfNoEntry: false }) === undefined) at = dirname(at);
  return at;
}

/** Makes a folder that only `account` may use. Leaves an existing one as it is. */
export function makePrivateFolder(folder: string, account: Account): void {
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) === undefined) return;
  giveTo(folder, account);
}

/** Makes a folder, and those above it, that other accounts may pass through but not list. */
export function makePassableFolder(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  const above = dirname(folder);
  if (above !== folder) makePassableFolder(above);
  mkdirSync(folder, { recursive: true });
  // Set afterwards because the umask would take the bit away again.
  chmodSync(folder, 0o711);
}

export function giveTo(path: string, account: Account): void {
  if (account !== null) chownSync(path, account.uid, account.gid);
}

/** What to hand to `spawn` so that the program runs under `account`. */
export function runUnder(account: Account): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}
