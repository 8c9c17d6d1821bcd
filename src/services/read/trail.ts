import { kindOfId } from '../../domain/ids.js';
import type * as words from '../../domain/vocabulary.js';
import { containing, type ListSpec, type Page, pageRequest } from './pages.js';
import type { ReadSession } from './session.js';
import { candidatesIn, type StoredCandidate } from './stored.js';

export interface VendorMatchRow {
  readonly id: string;
  readonly ledgerId: string;
  readonly merchantName: string;
  readonly normalisedName: string;
  readonly status: words.VendorMatchStatus;
  readonly supplierCode: string | null;
  readonly score: number;
  readonly method: string;
  readonly evidence: unknown;
  readonly candidates: readonly StoredCandidate[];
  readonly explanation: string;
  readonly decidedBy: string | null;
  readonly updatedAt: Date;
}

export interface AuditEventRow {
  readonly id: string;
  readonly sequence: string;
  readonly occurredAt: Date;
  readonly actor: string;
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly summary: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly correlationId: string;
  readonly previousHash: string;
  readonly hash: string;
}

export interface AlertRow {
  readonly id: string;
  readonly severity: words.AlertSeverity;
  readonly code: string;
  readonly message: string;
  readonly systemId: string | null;
  readonly pipelineId: string | null;
  readonly raisedAt: Date;
  readonly resolvedAt: Date | null;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: words.Role;
  readonly prefix: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface VendorMatchFilterFacts {
  readonly ledgerId?: string | null | undefined;
  readonly statuses?: readonly words.VendorMatchStatus[] | null | undefined;
  readonly search?: string | null | undefined;
}

export interface AuditEventFilterFacts {
  readonly subjectType?: string | null | undefined;
  readonly subjectId?: string | null | undefined;
  readonly actions?: readonly string[] | null | undefined;
  readonly actor?: string | null | undefined;
  readonly correlationId?: string | null | undefined;
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
}

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

const VENDOR_MATCHES: ListSpec<VendorMatchRow> = {
  name: 'vendorMatches',
  from: 'vendor_matches t',
  columns: `t.id, t.ledger_id as "ledgerId", t.merchant_name as "merchantName", t.merchant_key as "normalisedName",
    t.status, t.supplier_code as "supplierCode", t.score, t.method, t.evidence, t.candidates, t.explanation,
    t.decided_by as "decidedBy", t.updated_at as "updatedAt"`,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
  toRow: (raw) => ({ ...raw, candidates: candidatesIn(raw.candidates) }),
};

/** Which supplier a merchant is. Newest first. */
export class VendorMatchReads {
  constructor(private readonly session: ReadSession) {}

  byId(id: string): Promise<VendorMatchRow | null> {
    return this.session.one(VENDOR_MATCHES, id);
  }

  async list(filter: VendorMatchFilterFacts | null | undefined, page: PageArguments): Promise<Page<VendorMatchRow>> {
    return this.session.page(VENDOR_MATCHES, pageRequest(VENDOR_MATCHES, page.first, page.after), (where) =>
      where
        .and('t.ledger_id = $?', filter?.ledgerId)
        .and('t.status = any($?::text[])', filter?.statuses)
        .and(
          't.merchant_name ilike $? or t.merchant_key ilike $? or t.supplier_code ilike $?',
          containing(filter?.search),
        ),
    );
  }
}

export const AUDIT_COLUMNS = `t.id, t.sequence, t.occurred_at as "occurredAt", t.actor, t.action,
  t.subject_type as "subjectType", t.subject_id as "subjectId", t.summary, t.before, t.after,
  t.correlation_id as "correlationId", t.previous_hash as "previousHash", t.hash`;

const AUDIT_EVENTS: ListSpec<AuditEventRow> = {
  name: 'auditEvents',
  from: 'audit_events t',
  columns: AUDIT_COLUMNS,
  keys: [{ sql: 't.sequence', type: 'bigint' }],
  direction: 'asc',
};

const AUDIT_EVENTS_OF_POSTING: ListSpec<AuditEventRow> = {
  ...AUDIT_EVENTS,
  name: 'glPosting.auditEvents',
  belongs: "t.subject_type = 'GlPosting' and t.subject_id = parent.id",
};

/** The audit trail, oldest first. */
export class AuditEventReads {
  constructor(private readonly session: ReadSession) {}

  byId(id: string): Promise<AuditEventRow | null> {
    return this.session.one(AUDIT_EVENTS, id);
  }

  async list(filter: AuditEventFilterFacts | null | undefined, page: PageArguments): Promise<Page<AuditEventRow>> {
    return this.session.page(AUDIT_EVENTS, pageRequest(AUDIT_EVENTS, page.first, page.after), (where) =>
      where
        // An id names its kind, and the index begins with it.
        .and('t.subject_type = $?', filter?.subjectType ?? (filter?.subjectId ? kindOfId(filter.subjectId) : null))
        .and('t.subject_id = $?', filter?.subjectId)
        .and('t.action = any($?::text[])', filter?.actions)
        .and('t.actor = $?', filter?.actor)
        .and('t.correlation_id = $?', filter?.correlationId)
        .and('t.occurred_at >= $?::timestamptz', filter?.from?.toISOString())
        .and('t.occurred_at < $?::timestamptz', filter?.to?.toISOString()),
    );
  }

  async ofPosting(postingId: string, page: PageArguments): Promise<Page<AuditEventRow>> {
    const request = pageRequest(AUDIT_EVENTS_OF_POSTING, page.first, page.after);
    return this.session.pageOf(AUDIT_EVENTS_OF_POSTING, postingId, request);
  }
}

export const ALERT_COLUMNS = `t.id, t.severity, t.code, t.message, t.system_id as "systemId",
  t.pipeline_id as "pipelineId", t.raised_at as "raisedAt", t.resolved_at as "resolvedAt"`;

const ALERTS: ListSpec<AlertRow> = {
  name: 'alerts',
  from: 'alerts t',
  columns: ALERT_COLUMNS,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
};

/** Resolved alerts stay in the table for good; the list shows the latest of them. */
const ALERTS_MAX = 500;

export class AlertReads {
  constructor(private readonly session: ReadSession) {}

  byId(id: string): Promise<AlertRow | null> {
    return this.session.one(ALERTS, id);
  }

  /** Newest first: every open one, and the latest 500 resolved ones when they are wanted. */
  all(includeResolved: boolean): Promise<readonly AlertRow[]> {
    return this.session.query<AlertRow>(
      `(select ${ALERT_COLUMNS} from alerts t where t.tenant_id = $1 and t.resolved_at is null
        union all
        (select ${ALERT_COLUMNS} from alerts t where t.tenant_id = $1 and t.resolved_at is not null and $2
         order by t.raised_at desc, t.id desc limit ${ALERTS_MAX}))
       order by "raisedAt" desc, id desc`,
      [this.session.tenantId, includeResolved],
    );
  }
}

const API_KEYS: ListSpec<ApiKeyRow> = {
  name: 'apiKeys',
  from: 'api_keys t',
  columns: `t.id, t.name, t.role, t.prefix, t.created_at as "createdAt", t.last_used_at as "lastUsedAt",
    t.expires_at as "expiresAt", t.revoked_at as "revokedAt"`,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
};

export class ApiKeyReads {
  constructor(private readonly session: ReadSession) {}

  byId(id: string): Promise<ApiKeyRow | null> {
    return this.session.one(API_KEYS, id);
  }

  /** Newest first, revoked ones included. */
  all(): Promise<readonly ApiKeyRow[]> {
    return this.session.query<ApiKeyRow>(
      `select ${API_KEYS.columns} from api_keys t where t.tenant_id = $1 order by t.created_at desc, t.id desc`,
      [this.session.tenantId],
    );
  }
}
