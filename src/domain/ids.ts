import { randomBytes } from 'node:crypto';

/** What an id names; also how `node(id:)` finds the table. */
export const ID_PREFIXES = {
  key: 'ApiKey',
  sys: 'ConnectedSystem',
  pipe: 'Pipeline',
  map: 'MappingVersion',
  run: 'SyncRun',
  spend: 'SpendRecord',
  post: 'GlPosting',
  vm: 'VendorMatch',
  audit: 'AuditEvent',
  alert: 'Alert',
} as const;
export type IdPrefix = keyof typeof ID_PREFIXES;

let lastMs = 0;
let counter = 0;

/**
 * A new id such as `post_0199f3c2a1b47c0e8d21f4a9b6c3e5d7`: UUID version 7 (RFC 9562) after a word that names its kind.
 * Ids of one process sort in the order they were made: the 12 bits after the milliseconds count within one millisecond.
 */
export function newId(prefix: IdPrefix, nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const random = randomBytes(8);
  random[0] = ((random[0] ?? 0) & 0x3f) | 0x80;
  const time = lastMs.toString(16).padStart(12, '0');
  return `${prefix}_${time}7${counter.toString(16).padStart(3, '0')}${random.toString('hex')}`;
}

/** The kind an id names, or null when it is none of ours. */
export function kindOfId(id: string): (typeof ID_PREFIXES)[IdPrefix] | null {
  const prefix = id.slice(0, id.indexOf('_'));
  return Object.hasOwn(ID_PREFIXES, prefix) ? ID_PREFIXES[prefix as IdPrefix] : null;
}
