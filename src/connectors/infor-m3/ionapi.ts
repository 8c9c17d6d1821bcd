import { z } from 'zod';

/**
 * The `.ionapi` file that the gateway's administrator downloads with a Backend Service app and its service account.
 * Taken as it is: the object, its text, or either of them under the key `ionapi`. Fields that are not needed are not kept.
 */

/** Fields that must never reach a log, an error or a snapshot; `ci` and `saak` name the tenant's app and its account. */
export const SECRET_FIELDS = ['ci', 'cs', 'saak', 'sask'] as const;

const text = z.string().trim().min(1).max(2000);

const address = text.refine(isSafeAddress, 'must be an https address');

export const ionapiSchema = z.object({
  ti: text.describe('Tenant, e.g. ACME_TST.'),
  iu: address.describe('Base address of the API gateway.'),
  pu: address.describe('Base address of the authorization server; ends in /as/.'),
  ot: text.describe('Path of the token endpoint, relative to pu.'),
  or: text.optional().describe('Path of the revocation endpoint, relative to pu.'),
  ci: text.describe('Client id.'),
  cs: text.describe('Client secret.'),
  saak: text.describe('Access key of the service account, tenant prefix included.'),
  sask: text.describe('Secret key of the service account.'),
  cn: z.string().optional().describe('Name of the app.'),
});

/** What is stored: the file's own names, so that it can be compared with the download. */
export type M3Credentials = z.output<typeof ionapiSchema>;

/** Texts are parsed and wrappings taken off first; what is no JSON is left to the schema, which names the fields. */
export const credentialsSchema = z.preprocess(unwrapped, ionapiSchema);

function unwrapped(input: unknown): unknown {
  let value = input;
  for (let depth = 0; depth < 3; depth += 1) {
    if (typeof value === 'string') value = parsedOrSame(value);
    else if (isRecord(value) && 'ionapi' in value) value = value.ionapi;
    else break;
  }
  return value;
}

function parsedOrSame(value: string): unknown {
  try {
    // Files saved on Windows may begin with a byte order mark.
    return JSON.parse(value.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys and tokens travel to it: encrypted, or to this very machine. */
export function isSafeAddress(value: string): boolean {
  const url = URL.parse(value.trim());
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** `pu` may have lost its last slash by hand. */
export function joined(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
}
