import { createHash, randomBytes } from 'node:crypto';
import { newId } from '../domain/ids.js';
import type { Role } from '../domain/vocabulary.js';
import { ApiKeyRow } from '../entities/apiKey.js';
import type { Database, Tx } from '../entities/database.js';
import { ConfigurationError } from '../errors.js';
import { record, recordFor } from './audit.js';
import type { Caller } from './engine.js';
import { done, type Outcome, refused } from './outcome.js';

/** Whom a key, or a login token in its place, speaks for. */
export interface KeyFacts {
  readonly tenantId: string;
  /** null for a login token. */
  readonly keyId: string | null;
  /** Tells callers apart whatever they are called: the key's id, or the issuer's id of the person. */
  readonly identity: string;
  /** The key's name, or the person's. */
  readonly name: string;
  readonly role: Role;
}

/** `pg_notify` channel: the key whose id is the message is no longer what it was. */
export const KEYS_CHANNEL = 'ledgergate_keys';

const DEFAULT_TENANT = 'default';
const SECRET_BYTES = 32;
const SECRET_LENGTH_MAX = 512;
const NAME_LENGTH_MAX = 100;
const PREFIX_LENGTH = 8;
/** How exact `last_used_at` is: more would write a row with every request. */
const LAST_USED_STEP_MS = 60_000;

/**
 * What is stored instead of a secret. A plain SHA-256 is enough, because a secret of 32 random bytes cannot be guessed;
 * a chosen bootstrap secret is as strong as who chose it made it.
 */
function hashOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

export interface NewApiKey {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
}

/** Makes a key. The secret is in the answer and nowhere else. */
export async function createApiKey(
  db: Database,
  caller: Caller,
  input: NewApiKey,
  now: Date,
): Promise<Outcome<{ id: string; secret: string }>> {
  const name = input.name.trim();
  if (name.length === 0 || name.length > NAME_LENGTH_MAX) {
    return refused('BAD_INPUT', `A key needs a name of 1 to ${NAME_LENGTH_MAX} characters.`, { path: ['name'] });
  }
  if (input.expiresAt && input.expiresAt <= now) {
    return refused('BAD_INPUT', 'A key cannot expire before it is made.', { path: ['expiresAt'] });
  }
  const id = newId('key', now.getTime());
  const secret = `lgk_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  await db.tenant(caller.tenantId, async (tx) => {
    await insertKey(tx, { ...input, name, id, secret, prefix: secret.slice(0, PREFIX_LENGTH) }, now);
    recordFor(tx, caller, now, {
      action: 'apiKey.created',
      subjectType: 'ApiKey',
      subjectId: id,
      summary: `The API key "${name}" with role ${input.role} was made.`,
      after: { name, role: input.role, expiresAt: input.expiresAt },
    });
  });
  return done({ id, secret });
}

/** Ends a key at once, in every process. Revoking a key again changes nothing. */
export async function revokeApiKey(
  db: Database,
  caller: Caller,
  id: string,
  now: Date,
): Promise<Outcome<{ id: string }>> {
  return db.tenant(caller.tenantId, async (tx) => {
    const row = { tenantId: tx.tenantId, id };
    const key = await tx.manager.findOne(ApiKeyRow, { where: row, lock: { mode: 'pessimistic_write' } });
    if (!key) return refused('NOT_FOUND', 'There is no such API key.', { path: ['id'] });
    if (key.revokedAt) return done({ id });
    await tx.manager.update(ApiKeyRow, row, { revokedAt: now });
    // Whoever has a subscription open with it is shown out by the process that holds the connection.
    await tx.wake(KEYS_CHANNEL, id);
    recordFor(tx, caller, now, {
      action: 'apiKey.revoked',
      subjectType: 'ApiKey',
      subjectId: id,
      summary: `The API key "${key.name}" was revoked.`,
      before: { name: key.name, role: key.role, revokedAt: null },
      after: { name: key.name, role: key.role, revokedAt: now },
    });
    return done({ id });
  });
}

/** A key without anything that opens something. */
export type ListedKey = Omit<ApiKeyRow, 'tenantId' | 'secretHash'> & {
  readonly state: 'in force' | 'expired' | 'revoked';
};

/** Newest first, with those that have ended. */
export async function listApiKeys(db: Database, tenantId: string, now: Date): Promise<ListedKey[]> {
  const rows = await db.tenant(tenantId, (tx) =>
    tx.manager.find(ApiKeyRow, { where: { tenantId }, order: { createdAt: 'DESC', id: 'DESC' } }),
  );
  return rows.map(({ tenantId: _tenant, secretHash: _hash, ...key }) => {
    const hasExpired = key.expiresAt !== null && key.expiresAt <= now;
    return { ...key, state: key.revokedAt ? 'revoked' : hasExpired ? 'expired' : 'in force' };
  });
}

/** Whose secret this is, or null: unknown, expired or revoked. Asks the database every time, so that revoking works. */
export async function authenticate(db: Database, secret: string, now: Date): Promise<KeyFacts | null> {
  if (secret.length === 0 || secret.length > SECRET_LENGTH_MAX) return null;
  const [key] = await db.lookup<{ tenant_id: string; id: string; name: string; role: Role; stale: boolean }>(
    `select tenant_id, id, name, role, coalesce(last_used_at <= $3, true) as stale
     from api_keys where secret_hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)`,
    [hashOfSecret(secret), now.toISOString(), new Date(now.getTime() - LAST_USED_STEP_MS).toISOString()],
  );
  if (!key) return null;
  if (key.stale) {
    await db.engine((tx) =>
      tx.execute('update api_keys set last_used_at = $3 where tenant_id = $1 and id = $2', [
        key.tenant_id,
        key.id,
        now.toISOString(),
      ]),
    );
  }
  return { tenantId: key.tenant_id, keyId: key.id, identity: key.id, name: key.name, role: key.role };
}

/**
 * Makes sure that `secret` opens tenant `default` with role ADMIN, as the environment says: whoever sets the environment
 * owns the installation, so a key that was revoked meanwhile works again. Any number of processes may start at once.
 * @throws ConfigurationError the secret is empty, or already a key of another tenant.
 */
export async function ensureBootstrapAdmin(db: Database, secret: string, now: Date = new Date()): Promise<void> {
  if (secret.trim().length === 0 || secret.length > SECRET_LENGTH_MAX) {
    throw new ConfigurationError(`LEDGERGATE_BOOTSTRAP_ADMIN_KEY must have 1 to ${SECRET_LENGTH_MAX} characters.`);
  }
  await db.engine((tx) =>
    tx.execute("insert into tenants (id, name) values ($1, 'Default') on conflict (id) do nothing", [DEFAULT_TENANT]),
  );
  const owner = await db.engine((tx) =>
    tx.query<{ tenant_id: string }>('select tenant_id from api_keys where secret_hash = $1', [hashOfSecret(secret)]),
  );
  if (owner[0] && owner[0].tenant_id !== DEFAULT_TENANT) {
    throw new ConfigurationError('LEDGERGATE_BOOTSTRAP_ADMIN_KEY is already a key of another tenant.');
  }
  await db.tenant(DEFAULT_TENANT, (tx) => ensureKey(tx, secret, now));
}

async function ensureKey(tx: Tx, secret: string, now: Date): Promise<void> {
  const id = newId('key', now.getTime());
  // Chosen by a person and maybe short: not even its beginning is shown.
  const key: NewKeyRow = { id, name: 'bootstrap', role: 'ADMIN', expiresAt: null, secret, prefix: 'bootstrap' };
  const isNew = (await insertKey(tx, key, now)) > 0;
  const restored = isNew
    ? []
    : await tx.query<{ id: string }>(
        `update api_keys set role = 'ADMIN', revoked_at = null, expires_at = null
         where tenant_id = $1 and secret_hash = $2
           and (role <> 'ADMIN' or revoked_at is not null or expires_at is not null) returning id`,
        [tx.tenantId, hashOfSecret(secret)],
      );
  const subjectId = isNew ? id : restored[0]?.id;
  if (subjectId === undefined) return;
  record(tx, now, {
    actor: 'system:start-up',
    correlationId: subjectId,
    action: isNew ? 'apiKey.created' : 'apiKey.restored',
    subjectType: 'ApiKey',
    subjectId,
    summary: 'The administrator key of the environment setting LEDGERGATE_BOOTSTRAP_ADMIN_KEY was put in place.',
    after: { name: 'bootstrap', role: 'ADMIN' },
  });
}

interface NewKeyRow extends NewApiKey {
  readonly id: string;
  readonly secret: string;
  readonly prefix: string;
}

/** @returns 0 when the secret is a key already. */
function insertKey(tx: Tx, key: NewKeyRow, now: Date): Promise<number> {
  return tx.execute(
    `insert into api_keys (tenant_id, id, name, role, prefix, secret_hash, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (secret_hash) do nothing`,
    [
      tx.tenantId,
      key.id,
      key.name,
      key.role,
      key.prefix,
      hashOfSecret(key.secret),
      now.toISOString(),
      key.expiresAt?.toISOString() ?? null,
    ],
  );
}
