import type { Clock } from '../clock.js';
import type { ConnectionContext, Connector, LedgerConnection, SpendConnection } from '../connectors/contract.js';
import type { ConnectorRegistry } from '../connectors/registry.js';
import type { Database } from '../entities/database.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Connections, OpenLedger, OpenSpend, SystemFacts } from './connections.js';
import { createSharedQuota } from './quota.js';
import { createSharedSession, createVault, openBundle, type Sealer } from './vault.js';

interface Parts {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connectors: ConnectorRegistry;
  readonly sealer: Sealer;
  readonly signal?: AbortSignal;
}

interface SystemRow {
  kind: SystemFacts['kind'];
  name: string;
  base_url: string;
  status: SystemFacts['status'];
  settings: Record<string, unknown>;
  sealed: Buffer;
  /** Changes with everything a connection was built from; an access token renewed by a connection is not part of it. */
  marker: string;
}

interface Open {
  readonly marker: string;
  readonly system: SystemFacts;
  readonly connector: Connector;
  readonly connection: SpendConnection | LedgerConnection;
}

const NOTE_USE_EVERY_MS = 60 * 60_000;

/** Opens connections on first use and keeps them while address, settings and owner-given credential stay the same. */
export class LiveConnections implements Connections {
  private readonly open = new Map<string, Open>();
  /** When this process last wrote a use down, by system. */
  private readonly noted = new Map<string, number>();

  constructor(private readonly parts: Parts) {}

  async spend(tenantId: string, systemId: string): Promise<OpenSpend> {
    const found = await this.use(tenantId, systemId);
    if (found.connector.role !== 'SPEND') {
      throw new ConfigurationError(`"${found.system.name}" is a ledger, not a spend system.`, { code: 'WRONG_ROLE' });
    }
    return { system: found.system, connector: found.connector, connection: found.connection as SpendConnection };
  }

  async ledger(tenantId: string, systemId: string): Promise<OpenLedger> {
    const found = await this.use(tenantId, systemId);
    if (found.connector.role !== 'LEDGER') {
      throw new ConfigurationError(`"${found.system.name}" is a spend system, not a ledger.`, { code: 'WRONG_ROLE' });
    }
    return { system: found.system, connector: found.connector, connection: found.connection as LedgerConnection };
  }

  async noteUse(tenantId: string, systemId: string): Promise<void> {
    const { db, clock, connectors, sealer } = this.parts;
    const now = clock.now();
    const key = `${tenantId}/${systemId}`;
    if (now.getTime() - (this.noted.get(key) ?? Number.NEGATIVE_INFINITY) < NOTE_USE_EVERY_MS) return;
    this.noted.set(key, now.getTime());
    await db.tenant(tenantId, async (tx) => {
      const [row] = await tx.query<{ kind: SystemFacts['kind']; sealed: Buffer; expires_at: Date | null }>(
        `select s.kind, c.sealed, c.expires_at from credentials c
         join systems s on s.tenant_id = c.tenant_id and s.id = c.system_id
         where c.tenant_id = $1 and c.system_id = $2 and (c.last_used_at is null or c.last_used_at <= $3)
         for update of c`,
        [tenantId, systemId, new Date(now.getTime() - NOTE_USE_EVERY_MS)],
      );
      if (!row) return;
      const { credential } = openBundle(sealer, row.sealed, tenantId, systemId);
      const described = connectors.get(row.kind).describeCredential(credential, now);
      // Where the program renews access, the end of the renewal counts from the last renewal and not from every use.
      const livesOnUse = described.expiresAt === null && row.expires_at === null;
      await tx.execute(
        `update credentials set last_used_at = $3, renew_by = case when $4 then $5::timestamptz else renew_by end
         where tenant_id = $1 and system_id = $2`,
        [tenantId, systemId, now, livesOnUse, described.renewBy],
      );
    });
  }

  forget(tenantId: string, systemId: string): void {
    this.noted.delete(`${tenantId}/${systemId}`);
    this.open.delete(`${tenantId}/${systemId}`);
  }

  async closeAll({ lastProcess }: { lastProcess: boolean }): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    if (!lastProcess) return;
    for (const { connection, system } of all) {
      await connection.disconnect().catch((error: unknown) => {
        this.parts.logger.warn({ systemId: system.id, err: error }, 'the session could not be ended');
      });
    }
  }

  private async use(tenantId: string, systemId: string): Promise<Open> {
    const row = await this.load(tenantId, systemId);
    if (row.status === 'DISABLED') {
      throw new ConfigurationError(`"${row.name}" is disabled.`, { code: 'SYSTEM_DISABLED' });
    }
    const key = `${tenantId}/${systemId}`;
    const known = this.open.get(key);
    if (known && known.marker === row.marker) return { ...known, system: factsOf(tenantId, systemId, row) };
    const opened = this.connect(tenantId, systemId, row);
    this.open.set(key, opened);
    return opened;
  }

  private async load(tenantId: string, systemId: string): Promise<SystemRow> {
    const [row] = await this.parts.db.tenant(tenantId, (tx) =>
      tx.query<SystemRow>(
        `select s.kind, s.name, s.base_url, s.status, s.settings, c.sealed,
           md5(s.base_url || s.settings::text || c.given_at::text) as marker
         from systems s join credentials c on c.tenant_id = s.tenant_id and c.system_id = s.id
         where s.tenant_id = $1 and s.id = $2`,
        [tenantId, systemId],
      ),
    );
    if (!row) throw new ConfigurationError('There is no such system.', { code: 'NOT_FOUND' });
    return row;
  }

  private connect(tenantId: string, systemId: string, row: SystemRow): Open {
    const { db, clock, logger, sealer, connectors, signal } = this.parts;
    const connector = connectors.get(row.kind);
    const parts = { db, clock, sealer, connector, tenantId, systemId };
    const secrets = openBundle(sealer, row.sealed, tenantId, systemId).settings;
    const context: ConnectionContext<unknown, unknown> = {
      tenantId,
      systemId,
      baseUrl: row.base_url,
      settings: connector.settingsSchema.parse({ ...row.settings, ...secrets }),
      credentials: createVault(parts),
      session: createSharedSession(parts),
      quota: createSharedQuota({ db, clock, tenantId, systemId }),
      clock,
      logger: logger.child({ tenantId, systemId, kind: row.kind }),
      ...(signal ? { signal } : {}),
    };
    return {
      marker: row.marker,
      system: factsOf(tenantId, systemId, row),
      connector,
      connection: connector.connect(context),
    };
  }
}

function factsOf(tenantId: string, id: string, row: SystemRow): SystemFacts {
  return {
    tenantId,
    id,
    kind: row.kind,
    name: row.name,
    baseUrl: row.base_url,
    status: row.status,
    settings: row.settings,
  };
}
