import { z } from 'zod';

/**
 * The `.ionapi` file that the gateway's administrator downloads with a Backend Service app and its service account.
 * Taken as it is, as an object or as its text. Fields that are not needed are not kept.
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

/** The file's own names, so that what is stored can be compared with the download. */
export type IonapiFile = z.output<typeof ionapiSchema>;

export const credentialsSchema = z.strictObject({
  // What is no JSON is left to the schema, which names the field.
  ionapi: z.preprocess(parsedText, ionapiSchema).describe('The .ionapi file, as it was downloaded.'),
});
export type M3Credentials = z.output<typeof credentialsSchema>;

function parsedText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    // Files saved on Windows may begin with a byte order mark.
    return JSON.parse(value.replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
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
