import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createSealer, type Sealer } from '../secrets.js';
import { MASTER_KEY_FILE, masterKeysIn } from './masterKeyFile.js';

/**
 * A sealer over the key file of a data folder that follows its changes: `ledgergate keys rotate-master` rewrites the file
 * while processes run, and a process that went on sealing with the old key would lock out whoever starts after it.
 * Looking at the file costs microseconds; it is read again only when it was replaced.
 * @throws ConfigurationError when the file is damaged or cannot be read.
 */
export function createFileSealer(dataDir: string): Sealer {
  const file = join(dataDir, MASTER_KEY_FILE);
  let known: { marker: string; sealer: Sealer } | null = null;

  const current = (): Sealer => {
    const marker = markerOf(file);
    if (known === null || marker === null || known.marker !== marker) {
      const sealer = createSealer(masterKeysIn(dataDir));
      // The marker of before the reading: a file replaced in between is noticed at the next look.
      known = { marker: marker ?? markerOf(file) ?? '', sealer };
    }
    return known.sealer;
  };
  return {
    seal: (plain, boundTo) => current().seal(plain, boundTo),
    open: (sealed, boundTo) => current().open(sealed, boundTo),
    openBytes: (sealed, boundTo) => current().openBytes(sealed, boundTo),
    rewrap: (sealed, boundTo, to) => current().rewrap(sealed, boundTo, to),
    isCurrent: (sealed) => current().isCurrent(sealed),
    fingerprint: (plain) => current().fingerprint(plain),
  };
}

/** The file is only ever replaced as a whole, so another content is another inode or another time. */
function markerOf(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found ? `${found.ino}:${found.mtimeNs}:${found.size}` : null;
}
