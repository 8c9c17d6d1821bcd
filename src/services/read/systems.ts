import { z } from 'zod';
import type { Connector } from '../../connectors/contract.js';
import type { ConnectorRegistry } from '../../connectors/registry.js';
import type * as words from '../../domain/vocabulary.js';
import { containing, type ListSpec, type Page, pageRequest } from './pages.js';
import type { ReadSession } from './session.js';

export interface SystemRow {
  readonly id: string;
  readonly kind: words.SystemKind;
  readonly role: words.SystemRole;
  readonly name: string;
  readonly baseUrl: string;
  readonly status: words.SystemStatus;
  readonly settings: unknown;
  readonly lastCheckedAt: Date | null;
  readonly createdAt: Date;
}

export interface CredentialRow {
  readonly kind: string;
  readonly fingerprint: string;
  readonly expiresAt: Date | null;
  readonly renewBy: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface ConnectorRow {
  readonly kind: words.SystemKind;
  readonly role: words.SystemRole;
  readonly title: string;
  readonly credentialsSchema: unknown;
  readonly settingsSchema: unknown;
  readonly capabilities: readonly string[];
  readonly documentTypes: readonly words.DocumentType[];
}

export interface CodedRow {
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
}

export interface DimensionValueRow extends CodedRow {
  readonly dimension: string;
}

export interface PeriodRow {
  readonly label: string;
  readonly startsOn: string;
  readonly endsOn: string;
  readonly open: boolean;
}

const COLUMNS = `t.id, t.kind, t.role, t.name, t.base_url as "baseUrl", t.status, t.settings,
  t.last_checked_at as "lastCheckedAt", t.created_at as "createdAt"`;

/** A credential that was never stored: shown as what it is, because a system always has this field. */
const NO_CREDENTIAL: CredentialRow = {
  kind: 'none',
  fingerprint: '',
  expiresAt: null,
  renewBy: null,
  lastUsedAt: null,
};

/** Connected systems and the connectors they speak through. */
export class SystemReads {
  private readonly spec: ListSpec<SystemRow>;

  constructor(
    private readonly session: ReadSession,
    private readonly connectors: ConnectorRegistry,
  ) {
    this.spec = {
      name: 'systems',
      from: 'systems t',
      columns: COLUMNS,
      keys: [{ sql: 't.id', type: 'text' }],
      direction: 'desc',
      toRow: (raw) => ({ ...raw, settings: withoutSecrets(raw.settings, secretsOf(connectors.find(raw.kind))) }),
    };
  }

  /** Newest first. */
  async all(): Promise<readonly SystemRow[]> {
    const rows = await this.session.query<SystemRow>(
      `select ${COLUMNS} from systems t where t.tenant_id = $1 order by t.created_at desc, t.id desc`,
      [this.session.tenantId],
    );
    return rows.map((raw) => this.spec.toRow?.(raw) ?? raw);
  }

  byId(id: string): Promise<SystemRow | null> {
    return this.session.one(this.spec, id);
  }

  async credential(systemId: string): Promise<CredentialRow> {
    const rows = await this.session.children<CredentialRow>(
      'credentials',
      systemId,
      `select system_id as parent, kind, fingerprint, expires_at as "expiresAt", renew_by as "renewBy",
         last_used_at as "lastUsedAt"
       from credentials where tenant_id = $1 and system_id = any($2::text[])`,
    );
    return rows[0] ?? NO_CREDENTIAL;
  }

  webhookPath(system: Pick<SystemRow, 'id' | 'kind'>): string | null {
    const connector = this.connectors.find(system.kind);
    return connector?.role === 'SPEND' && connector.webhooks ? `/webhooks/${system.id}` : null;
  }

  connectorRows(): readonly ConnectorRow[] {
    return this.connectors.all().map((one) => describe(one, this.connectors.capabilitiesOf(one.kind)));
  }
}

function describe(connector: Connector, capabilities: readonly string[]): ConnectorRow {
  return {
    kind: connector.kind,
    role: connector.role,
    title: connector.title,
    credentialsSchema: { ...jsonSchema(connector.credentialsSchema, () => true), writeOnly: true },
    settingsSchema: jsonSchema(connector.settingsSchema, (name) => secretsOf(connector).has(name)),
    capabilities,
    documentTypes: connector.role === 'LEDGER' ? connector.documentTypes : [],
  };
}

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a caller has to send (`io: 'input'`); what JSON Schema cannot say is left open rather than refused. */
function jsonSchema(schema: z.ZodType, isSecret: (property: string) => boolean): JsonObject {
  const plain = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonObject;
  return markSecrets(plain, isSecret) as JsonObject;
}

function markSecrets(node: unknown, isSecret: (property: string) => boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => markSecrets(item, isSecret));
  if (!isObject(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === 'properties' && isObject(value) ? markProperties(value, isSecret) : markSecrets(value, isSecret),
    ]),
  );
}

function markProperties(properties: JsonObject, isSecret: (property: string) => boolean): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => {
      const marked = markSecrets(value, isSecret);
      const isWord = isObject(value) && ('const' in value || 'enum' in value);
      return [name, isObject(marked) && isSecret(name) && !isWord ? { ...marked, writeOnly: true } : marked];
    }),
  );
}

const ALWAYS_SECRET = ['webhookSecret'];
/** The second line of defence, for a setting that a connector forgot to name. */
const SOUNDS_SECRET = /(secret|password|passphrase|privatekey|apikey|accesstoken|refreshtoken)$/i;

function secretsOf(connector: Connector | undefined): ReadonlySet<string> {
  const named = connector && 'secretSettings' in connector ? connector.secretSettings : [];
  const names = Array.isArray(named) ? named.filter((name): name is string => typeof name === 'string') : [];
  return new Set([...ALWAYS_SECRET, ...names]);
}

/** Settings as anybody may see them: secrets are left out, wherever they stand. */
function withoutSecrets(settings: unknown, secrets: ReadonlySet<string>): unknown {
  if (Array.isArray(settings)) return settings.map((item) => withoutSecrets(item, secrets));
  if (!isObject(settings)) return settings;
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([name]) => !secrets.has(name) && !SOUNDS_SECRET.test(name))
      .map(([name, value]) => [name, withoutSecrets(value, secrets)]),
  );
}

const CODED = 't.code, t.name, t.active';
const GL_ACCOUNTS: ListSpec<CodedRow> = {
  name: 'glAccounts',
  from: 'gl_accounts t',
  columns: CODED,
  keys: [{ sql: 't.code', type: 'text' }],
  direction: 'asc',
};
const SUPPLIERS: ListSpec<CodedRow> = { ...GL_ACCOUNTS, name: 'suppliers', from: 'suppliers t' };
const DIMENSION_VALUES: ListSpec<DimensionValueRow> = {
  name: 'ledgerDimensions',
  from: 'ledger_dimension_values t',
  columns: `t.dimension, ${CODED}`,
  keys: [
    { sql: 't.dimension', type: 'text' },
    { sql: 't.code', type: 'text' },
  ],
  direction: 'asc',
};

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** What a ledger holds, as last read: accounts, suppliers, dimensions, periods. By code. */
export class MasterDataReads {
  constructor(private readonly session: ReadSession) {}

  accounts(systemId: string, search: string | null | undefined, page: PageArguments): Promise<Page<CodedRow>> {
    return this.searched(GL_ACCOUNTS, systemId, search, page);
  }

  suppliers(systemId: string, search: string | null | undefined, page: PageArguments): Promise<Page<CodedRow>> {
    return this.searched(SUPPLIERS, systemId, search, page);
  }

  async dimensionValues(
    systemId: string,
    dimension: string | null | undefined,
    page: PageArguments,
  ): Promise<Page<DimensionValueRow>> {
    return this.session.page(DIMENSION_VALUES, pageRequest(DIMENSION_VALUES, page.first, page.after), (where) =>
      where.and('t.system_id = $?', systemId).and('t.dimension = $?', dimension),
    );
  }

  periods(systemId: string): Promise<readonly PeriodRow[]> {
    return this.session.children<PeriodRow>(
      'periods',
      systemId,
      `select system_id as parent, label, starts_on as "startsOn", ends_on as "endsOn", open
       from fiscal_periods where tenant_id = $1 and system_id = any($2::text[]) order by starts_on, label`,
    );
  }

  /** A supplier as the ledger's list has it; null when the list (no longer) has that code. */
  async supplier(ledgerId: string, code: string): Promise<CodedRow | null> {
    const key = (ledger: string, supplier: string) => JSON.stringify([ledger, supplier]);
    const found = await this.session.load('supplier', key(ledgerId, code), async (keys) => {
      const pairs = keys.map((text) => JSON.parse(text) as [string, string]);
      const rows = await this.session.query<CodedRow & { systemId: string }>(
        `select t.system_id as "systemId", ${CODED}
         from unnest($2::text[], $3::text[]) as wanted(system_id, code)
         join suppliers t on t.tenant_id = $1 and t.system_id = wanted.system_id and t.code = wanted.code`,
        [this.session.tenantId, pairs.map(([ledger]) => ledger), pairs.map(([, supplier]) => supplier)],
      );
      return new Map(rows.map((row) => [key(row.systemId, row.code), row]));
    });
    return found ?? null;
  }

  private async searched(
    spec: ListSpec<CodedRow>,
    systemId: string,
    search: string | null | undefined,
    page: PageArguments,
  ): Promise<Page<CodedRow>> {
    return this.session.page(spec, pageRequest(spec, page.first, page.after), (where) =>
      where.and('t.system_id = $?', systemId).and('t.code ilike $? or t.name ilike $?', containing(search)),
    );
  }
}
