import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../errors.js';
import { type MasterKey, newMasterKey, readMasterKey } from '../secrets.js';

export const MASTER_KEY_FILE = 'master.key';

/**
 * The master keys kept beside the embedded database, one a line, the current one first. Made at the first call; of
 * several processes that start at once all get the same one, and nobody ever reads half a file.
 * @throws ConfigurationError the file cannot be read, made or understood.
 */
export function masterKeysIn(dataDir: string): MasterKey[] {
  const file = join(dataDir, MASTER_KEY_FILE);
  try {
    mkdirSync(dataDir, { recursive: true });
    publishOnce(file, `${newMasterKey().reveal()}\n`);
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return parse(file, readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    throw new ConfigurationError(
      `The master key in ${file} cannot be read or made. Make LEDGERGATE_DATA_DIR writable, or set LEDGERGATE_MASTER_KEY.`,
      { cause },
    );
  }
}

/**
 * Replaces the file as a whole. While credentials are being sealed anew it holds the old key as well, so that a stop half
 * way loses nothing.
 * @param keys base64 texts, the current one first.
 */
export function replaceMasterKeys(dataDir: string, keys: readonly string[]): void {
  const file = join(dataDir, MASTER_KEY_FILE);
  const text = `${keys.join('\n')}\n`;
  parse('the new list', text);
  const draft = writeDraft(file, text);
  renameSync(draft, file);
}

function writeDraft(file: string, text: string): string {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  // Written to the disk at once: everything sealed from now on is lost without it.
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  return draft;
}

/** A hard link appears whole or not at all, and fails when somebody else's is there already. */
function publishOnce(file: string, text: string): void {
  if (statSync(file, { throwIfNoEntry: false })) return;
  const draft = writeDraft(file, text);
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function parse(name: string, text: string): MasterKey[] {
  const keys = text.split('\n').filter((line) => line.trim() !== '');
  const read = keys.map(readMasterKey).filter((key) => key !== null);
  if (read.length === 0 || read.length !== keys.length) {
    throw new ConfigurationError(
      `The master key file ${name} is damaged: each line must be 32 bytes in base64. Restore it from a backup, or set ` +
        'LEDGERGATE_MASTER_KEY. Without the key that was used, stored credentials have to be entered again.',
    );
  }
  return read;
}
