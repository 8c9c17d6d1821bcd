import { z } from 'zod';

/** The ways to log in to Sage X3, and when each of them ends. No value of a credential is ever echoed. */

/** Fields that must never reach a log, an error or a snapshot. `extraHeaders` is a setting and may hold a gateway's key. */
export const SECRET_FIELDS = [
  'password',
  'clientSecret',
  'secret',
  'refreshToken',
  'accessToken',
  'apiKey',
  'extraHeaders',
] as const;

/** A header value: what a copied token may not contain is refused here and not by the HTTP client. */
const secretText = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');
const instantText = z.iso.datetime({ offset: true });

const basic = z.strictObject({
  kind: z.literal('basic'),
  username: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^:]+$/, 'must not hold a colon: HTTP Basic ends the name there')
    .describe(
      'A Syracuse user that may log in with "basic" (nodelocal.js) and is mapped to an X3 user. On-premise only.',
    ),
  password: z.string().min(1).max(256),
});

const connectedApp = z.strictObject({
  kind: z.literal('connectedApp'),
  clientId: secretText.describe('Client id of the connected application (Administration > Settings > Authentication).'),
  secret: secretText.describe('Shown once when the connected application is created.'),
  user: z.string().min(1).max(128).describe('Login of a user that the connected application allows; the JWT’s sub.'),
});

const oauth2 = z.strictObject({
  kind: z.literal('oauth2'),
  tokenUrl: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address' })
    .describe('Token endpoint, e.g. https://api.<region>-sagex3.com/v1/token.'),
  clientId: secretText,
  clientSecret: secretText,
  refreshToken: secretText
    .optional()
    .describe(
      'From the consent flow of the regional gateway; each renewal replaces it. Not given: the client’s own credentials are the grant.',
    ),
  apiKey: secretText
    .optional()
    .describe('Sent in the header that auth.apiKeyHeader names, where the cloud asks for one.'),
  accessToken: secretText.optional(),
  expiresAt: instantText.optional().describe('When accessToken ends (RFC 3339).'),
  refreshTokenExpiresAt: instantText
    .optional()
    .describe('When refreshToken ends at the latest (RFC 3339); kept up to date by the gateway.'),
});

export const credentialsSchema = z.discriminatedUnion('kind', [basic, connectedApp, oauth2]);
export type SageX3Credentials = z.infer<typeof credentialsSchema>;
export type TokenCredentials = Extract<SageX3Credentials, { kind: 'oauth2' }>;
export type ConnectedApp = Extract<SageX3Credentials, { kind: 'connectedApp' }>;

export function describeCredential(credential: SageX3Credentials): {
  kind: string;
  expiresAt: Date | null;
  renewBy: Date | null;
} {
  const expiresAt = 'expiresAt' in credential && credential.expiresAt ? new Date(credential.expiresAt) : null;
  const end = credential.kind === 'oauth2' ? credential.refreshTokenExpiresAt : undefined;
  return { kind: credential.kind, expiresAt, renewBy: end ? new Date(end) : null };
}
