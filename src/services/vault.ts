import type { Clock } from '../clock.js';
import type { Connector, CredentialVault, RenewedCredential, SharedSession } from '../connectors/contract.js';
import type { Database, Tx } from '../entities/database.js';
import { CredentialsError, InvariantError } from '../errors.js';
import { record } from './audit.js';

/** Encrypts for one place: what is sealed for one system cannot be opened as another's. */
export interface Sealer {
  seal(plain: string, boundTo: string): Buffer;
  open(sealed: Buffer, boundTo: string): string;
  /** Tells two secrets apart and reveals neither. */
  fingerprint(plain: string): string;
}

/** What is encrypted of one system: its credential, and those of its settings that are secret. */
export interface SecretBundle {
  readonly credential: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

export function bindingOf(tenantId: string, systemId: string): string {
  return `credential:${tenantId}:${systemId}`;
}

export function openBundle(sealer: Sealer, sealed: Buffer, tenantId: string, systemId: string): SecretBundle {
  return JSON.parse(sealer.open(sealed, bindingOf(tenantId, systemId))) as SecretBundle;
}

/**
 * Replaces one secret setting that the program itself fetched from the vendor; the credential stays as it is.
 * @returns whether it was different before.
 */
export async function storeSecretSetting(
  tx: Tx,
  sealer: Sealer,
  systemId: string,
  now: Date,
  name: string,
  value: unknown,
): Promise<boolean> {
  const [row] = await tx.query<{ sealed: Buffer }>(
    'select sealed from credentials where tenant_id = $1 and system_id = $2 for update',
    [tx.tenantId, systemId],
  );
  if (!row) return false;
  const bundle = openBundle(sealer, row.sealed, tx.tenantId, systemId);
  if (JSON.stringify(bundle.settings[name]) === JSON.stringify(value)) return false;
  const changed: SecretBundle = { ...bundle, settings: { ...bundle.settings, [name]: value } };
  await tx.execute(
    'update credentials set sealed = $3, version = version + 1, updated_at = $4 where tenant_id = $1 and system_id = $2',
    [tx.tenantId, systemId, sealer.seal(JSON.stringify(changed), bindingOf(tx.tenantId, systemId)), now],
  );
  return true;
}

interface VaultParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly connector: Connector;
  readonly tenantId: string;
  readonly systemId: string;
}

/** How often a renewed credential is written again when the database fails just then: losing it may lock the owner out. */
const STORE_TRIES = 5;

/** The stored credential of one system; see the contract for what it promises. */
export function createVault<C>(parts: VaultParts): CredentialVault<C> {
  const { db, sealer, tenantId, systemId, connector } = parts;

  async function load(tx: Tx, lock: boolean): Promise<SecretBundle> {
    const [row] = await tx.query<{ sealed: Buffer }>(
      `select sealed from credentials where tenant_id = $1 and system_id = $2${lock ? ' for update' : ''}`,
      [tenantId, systemId],
    );
    if (!row) throw new CredentialsError('This system has no stored credential. Enter it again.');
    return openBundle(sealer, row.sealed, tenantId, systemId);
  }

  async function store(tx: Tx, bundle: SecretBundle, renewed: RenewedCredential<C>): Promise<void> {
    const now = parts.clock.now();
    await tx.execute(
      `update credentials set sealed = $3, fingerprint = $4, version = version + 1, expires_at = $5, renew_by = $6,
         last_used_at = $7, updated_at = $7 where tenant_id = $1 and system_id = $2`,
      [
        tenantId,
        systemId,
        sealer.seal(JSON.stringify({ ...bundle, credential: renewed.credential }), bindingOf(tenantId, systemId)),
        sealer.fingerprint(JSON.stringify(renewed.credential)),
        renewed.expiresAt,
        renewed.renewBy,
        now,
      ],
    );
    record(tx, now, {
      actor: 'system:connections',
      action: 'credential.rotated',
      subjectType: 'ConnectedSystem',
      subjectId: systemId,
      summary: `The ${connector.title} access token was renewed.`,
      after: { expiresAt: renewed.expiresAt, renewBy: renewed.renewBy },
      correlationId: `credential:${systemId}`,
    });
  }

  return {
    async read() {
      return (await db.tenant(tenantId, (tx) => load(tx, false))).credential as C;
    },

    async rotate(isStale, renew) {
      const made: { renewed: RenewedCredential<C> | null } = { renewed: null };
      const under = async (tx: Tx): Promise<C> => {
        const bundle = await load(tx, true);
        const current = bundle.credential as C;
        if (made.renewed === null) {
          if (!isStale(current)) return current;
          made.renewed = await renew(current);
        }
        await store(tx, bundle, made.renewed);
        return made.renewed.credential;
      };
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await db.tenant(tenantId, under);
        } catch (error) {
          // The vendor may have spent the old refresh token: what it gave must be stored even if the database blinked.
          if (made.renewed === null || attempt >= STORE_TRIES) throw error;
        }
      }
    },
  };
}

/** The shared login session of one system. The advisory lock serialises logons over all processes. */
export function createSharedSession(parts: VaultParts): SharedSession {
  const { db, sealer, tenantId, systemId } = parts;
  const binding = `session:${tenantId}:${systemId}`;

  async function find(tx: Tx): Promise<string | null> {
    const [row] = await tx.query<{ sealed: Buffer }>(
      'select sealed from ledger_sessions where tenant_id = $1 and system_id = $2',
      [tenantId, systemId],
    );
    return row ? sealer.open(row.sealed, binding) : null;
  }
  const lock = (tx: Tx) => tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [binding]);

  let known: string | null = null;
  return {
    async current() {
      known ??= await db.tenant(tenantId, find);
      return known;
    },

    async renew(stale, logon) {
      known = await db.tenant(tenantId, async (tx) => {
        await lock(tx);
        const current = await find(tx);
        if (current !== null && current !== stale) return current;
        const { token, expiresAt } = await logon();
        await tx.execute(
          `insert into ledger_sessions (tenant_id, system_id, sealed, expires_at, opened_at) values ($1, $2, $3, $4, $5)
           on conflict (tenant_id, system_id) do update set sealed = excluded.sealed, expires_at = excluded.expires_at,
             opened_at = excluded.opened_at`,
          [tenantId, systemId, sealer.seal(token, binding), expiresAt, parts.clock.now()],
        );
        return token;
      });
      if (known === null) throw new InvariantError('A logon ended without a session.');
      return known;
    },

    async end(token, logoff) {
      await db.tenant(tenantId, async (tx) => {
        await lock(tx);
        if ((await find(tx)) !== token) return;
        await logoff(token);
        await tx.execute('delete from ledger_sessions where tenant_id = $1 and system_id = $2', [tenantId, systemId]);
      });
      known = null;
    },
  };
}
