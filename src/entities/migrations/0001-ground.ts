import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ground tables. Every table of a tenant carries `tenant_id` first in its primary key and in row-level security, so
 * that a query that forgets its filter finds nothing, and a later spread over nodes by tenant changes no code.
 *
 * Amounts are `numeric` in major units. Days of the ledger are `date`, instants are `timestamptz`.
 */
export class Ground1763600000001 implements MigrationInterface {
  readonly name = 'Ground1763600000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCHEMA);
    await runner.query(SECURITY);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const SCHEMA = `
create table tenants (
  id text primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table api_keys (
  tenant_id text not null references tenants (id),
  id text not null,
  name text not null,
  role text not null check (role in ('VIEWER', 'AUDITOR', 'OPERATOR', 'ADMIN')),
  prefix text not null,
  secret_hash bytea not null unique,
  created_at timestamptz not null,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id)
);

create table systems (
  tenant_id text not null references tenants (id),
  id text not null,
  kind text not null,
  role text not null check (role in ('SPEND', 'LEDGER')),
  name text not null,
  base_url text not null,
  status text not null check (status in ('ACTIVE', 'NEEDS_REAUTHORISATION', 'UNREACHABLE', 'DISABLED')),
  settings jsonb not null,
  company_id text,
  last_checked_at timestamptz,
  last_webhook_at timestamptz,
  master_data_read_at timestamptz,
  -- Goes up whenever what is stored of the ledger's master data changes; what was made from it is made anew then.
  master_version bigint not null default 0,
  created_at timestamptz not null,
  primary key (tenant_id, id)
);
create index systems_company on systems (kind, company_id) where company_id is not null;

create table credentials (
  tenant_id text not null,
  system_id text not null,
  kind text not null,
  fingerprint text not null,
  sealed bytea not null,
  version integer not null,
  expires_at timestamptz,
  renew_by timestamptz,
  last_used_at timestamptz,
  -- When its owner entered it; renewals by the program leave this alone.
  given_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, system_id),
  foreign key (tenant_id, system_id) references systems (tenant_id, id)
);

create table ledger_sessions (
  tenant_id text not null,
  system_id text not null,
  sealed bytea not null,
  expires_at timestamptz,
  opened_at timestamptz not null,
  primary key (tenant_id, system_id),
  foreign key (tenant_id, system_id) references systems (tenant_id, id)
);

create table gl_accounts (
  tenant_id text not null,
  system_id text not null,
  code text not null,
  name text not null,
  active boolean not null,
  blocked_reason text,
  primary key (tenant_id, system_id, code)
);

create table suppliers (
  tenant_id text not null,
  system_id text not null,
  code text not null,
  name text not null,
  active boolean not null,
  currency text,
  primary key (tenant_id, system_id, code)
);

create table ledger_dimension_values (
  tenant_id text not null,
  system_id text not null,
  dimension text not null,
  code text not null,
  name text not null,
  active boolean not null,
  primary key (tenant_id, system_id, dimension, code)
);

create table fiscal_periods (
  tenant_id text not null,
  system_id text not null,
  label text not null,
  starts_on date not null,
  ends_on date not null,
  open boolean not null,
  key jsonb not null,
  primary key (tenant_id, system_id, label)
);

create table pipelines (
  tenant_id text not null,
  id text not null,
  name text not null,
  source_id text not null,
  ledger_id text not null,
  streams text[] not null,
  document_type text not null,
  grouping text not null,
  schedule text,
  time_zone text not null,
  enabled boolean not null,
  offset_account text not null,
  default_account text,
  unmatched_vendor text not null,
  posting_date text not null,
  closed_period text not null,
  coding text not null,
  correction text not null,
  require_approval boolean not null,
  export_master_data boolean not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, source_id) references systems (tenant_id, id),
  foreign key (tenant_id, ledger_id) references systems (tenant_id, id)
);

create table mapping_versions (
  tenant_id text not null,
  id text not null,
  pipeline_id text not null,
  version integer not null,
  effective_from date not null,
  note text,
  rules jsonb not null,
  created_at timestamptz not null,
  created_by text not null,
  primary key (tenant_id, id),
  unique (tenant_id, pipeline_id, version),
  foreign key (tenant_id, pipeline_id) references pipelines (tenant_id, id)
);

-- How far each stream of a pipeline has been read; moves only after what was read is stored.
create table checkpoints (
  tenant_id text not null,
  pipeline_id text not null,
  stream text not null,
  read_until timestamptz not null,
  primary key (tenant_id, pipeline_id, stream)
);

-- One row a pipeline and fire time, so that any number of woken workers start one run.
create table schedule_fires (
  tenant_id text not null,
  pipeline_id text not null,
  fire_at timestamptz not null,
  primary key (tenant_id, pipeline_id, fire_at)
);

create table sync_runs (
  tenant_id text not null,
  id text not null,
  pipeline_id text not null,
  trigger text not null,
  dry_run boolean not null,
  status text not null check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED')),
  window_from timestamptz,
  window_to timestamptz,
  -- A trigger that met this run while it was running: read once more before finishing.
  again boolean not null default false,
  records_read integer not null default 0,
  records_new integer not null default 0,
  records_changed integer not null default 0,
  postings_posted integer not null default 0,
  postings_held integer not null default 0,
  postings_failed integer not null default 0,
  preview jsonb,
  error text,
  idempotency_key text,
  request_hash text,
  correlation_id text not null,
  requested_by text not null,
  created_at timestamptz not null,
  started_at timestamptz,
  -- How far each stream has been read, so that a run whose process died goes on from there.
  reading jsonb not null default '{}',
  -- Set when reading and planning are over and only postings are still on their way.
  planned_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, pipeline_id) references pipelines (tenant_id, id)
);
-- One unfinished run a pipeline and window, whoever asked for it.
create unique index sync_runs_one_per_window on sync_runs
  (tenant_id, pipeline_id, dry_run, coalesce(window_from, '-infinity'), coalesce(window_to, 'infinity'))
  where status in ('QUEUED', 'RUNNING');
create unique index sync_runs_idempotency on sync_runs (tenant_id, idempotency_key) where idempotency_key is not null;
create index sync_runs_pipeline on sync_runs (tenant_id, pipeline_id, id);

-- Each object of each stream as last read: parsed beside raw.
create table source_objects (
  tenant_id text not null,
  source_id text not null,
  stream text not null,
  external_id text not null,
  version text not null,
  content_hash text not null,
  kind text not null,
  amount numeric not null,
  currency text not null,
  object jsonb not null,
  raw jsonb not null,
  spend_record_id text not null,
  first_seen_at timestamptz not null,
  last_changed_at timestamptz not null,
  primary key (tenant_id, source_id, stream, external_id)
);
create index source_objects_record on source_objects (tenant_id, spend_record_id, source_id, stream);

-- What the source sent and nobody could read: counted as unknown until it can be read or is gone.
create table unreadable_objects (
  tenant_id text not null,
  source_id text not null,
  stream text not null,
  external_id text not null,
  reason text not null,
  raw jsonb not null,
  seen_at timestamptz not null,
  resolved_at timestamptz,
  primary key (tenant_id, source_id, stream, external_id)
);

create table spend_keys (
  tenant_id text not null,
  source_id text not null,
  key text not null,
  spend_record_id text not null,
  primary key (tenant_id, source_id, key)
);
create index spend_keys_record on spend_keys (tenant_id, spend_record_id);

create table spend_records (
  tenant_id text not null,
  id text not null,
  source_id text not null,
  origin_key text not null,
  status text not null check (status in ('NEW', 'PLANNED', 'HELD', 'POSTED', 'EXCLUDED', 'CORRECTED')),
  revision integer not null,
  content_hash text not null,
  kind text not null,
  amount numeric not null,
  currency text not null,
  merchant_name text,
  merchant_key text,
  transaction_date date not null,
  posted_date date,
  unified jsonb not null,
  vendor_match_id text,
  excluded_reason text,
  -- Set when a person excluded it: planning leaves it alone until it is included again.
  excluded_by text,
  waiting_reason text,
  correlation_id text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, source_id) references systems (tenant_id, id)
);
create index spend_records_source on spend_records (tenant_id, source_id, transaction_date, id);
create index spend_records_status on spend_records (tenant_id, status, id);
create index spend_records_merchant on spend_records (tenant_id, merchant_key);

-- What has to be planned (again). A row goes in the transaction that stores its plan.
create table planning_queue (
  tenant_id text not null,
  pipeline_id text not null,
  spend_record_id text not null,
  reason text not null,
  correlation_id text not null,
  primary key (tenant_id, pipeline_id, spend_record_id)
);

create table postings (
  tenant_id text not null,
  id text not null,
  pipeline_id text not null,
  ledger_id text not null,
  status text not null check (status in ('PLANNED', 'HELD', 'AWAITING_APPROVAL', 'READY', 'POSTING', 'IN_DOUBT',
    'POSTED', 'REJECTED', 'CANCELLED', 'REVERSED')),
  document_type text not null,
  reference text not null,
  plan_hash text not null,
  ledger_document_id text,
  posting_date date not null,
  -- The day it was first planned for; never changes, so that counting documents by it never falls.
  first_planned_for date not null,
  period_key jsonb,
  currency text not null,
  total numeric not null,
  supplier_code text,
  create_supplier jsonb,
  description text not null,
  holds jsonb not null default '[]',
  mapping_version integer,
  -- A reversal names the posting it reverses; a replacement follows the same record's reversal.
  reverses_id text,
  reversed_by_id text,
  -- Not sent before this one is in the ledger (a replacement waits for its reversal).
  after_id text,
  correlation_id text not null,
  triggered_by text not null,
  run_id text,
  approved_by text,
  cancel_reason text,
  lease_owner text,
  lease_until timestamptz,
  -- Goes up with every claim; an update that carries an older number is refused.
  fence bigint not null default 0,
  -- IN_DOUBT and retries: not before.
  next_attempt_at timestamptz,
  -- IN_DOUBT: when the last write that may still appear was certainly over; absence counts only after settling.
  doubt_since timestamptz,
  absent_count integer not null default 0,
  attempts integer not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  posted_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, ledger_id, reference),
  foreign key (tenant_id, pipeline_id) references pipelines (tenant_id, id)
);
create index postings_pipeline on postings (tenant_id, pipeline_id, status, id);
create index postings_status on postings (tenant_id, status, id);
create index postings_work on postings (tenant_id, ledger_id, posting_date, id) where status in ('READY', 'POSTING', 'IN_DOUBT');
create index postings_run on postings (tenant_id, run_id) where run_id is not null;
create index postings_document on postings (tenant_id, ledger_document_id) where ledger_document_id is not null;

create table posting_lines (
  tenant_id text not null,
  posting_id text not null,
  line_number integer not null,
  role text not null check (role in ('EXPENSE', 'TAX', 'OFFSET')),
  gl_account text not null,
  cost_centre text,
  dimensions jsonb not null,
  tax_code text,
  debit numeric not null,
  credit numeric not null,
  memo text,
  spend_record_ids text[] not null,
  explanation text not null,
  primary key (tenant_id, posting_id, line_number),
  foreign key (tenant_id, posting_id) references postings (tenant_id, id) on delete cascade
);

-- Which purchase a document carries, in which revision, with how much of it (a reversal carries the negative).
create table posting_spend (
  tenant_id text not null,
  posting_id text not null,
  spend_record_id text not null,
  revision integer not null,
  amount numeric not null,
  -- What was booked of the purchase (see accountingHashOf): a purchase whose hash differs has to be corrected.
  accounting_hash text not null,
  primary key (tenant_id, posting_id, spend_record_id),
  foreign key (tenant_id, posting_id) references postings (tenant_id, id) on delete cascade
);
create index posting_spend_record on posting_spend (tenant_id, spend_record_id);

create table posting_attempts (
  tenant_id text not null,
  posting_id text not null,
  number integer not null,
  fence bigint not null,
  plan_hash text not null,
  worker text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  outcome text not null,
  http_status integer,
  message text,
  primary key (tenant_id, posting_id, number),
  foreign key (tenant_id, posting_id) references postings (tenant_id, id)
);

-- Status changes in commit order: the sequence is the audit event's, taken under the tenant's lock.
create table posting_events (
  tenant_id text not null,
  sequence bigint not null,
  posting_id text not null,
  pipeline_id text not null,
  previous_status text,
  status text not null,
  occurred_at timestamptz not null,
  primary key (tenant_id, sequence)
);
create index posting_events_posting on posting_events (tenant_id, posting_id, sequence);

create table vendor_matches (
  tenant_id text not null,
  id text not null,
  ledger_id text not null,
  merchant_key text not null,
  merchant_name text not null,
  status text not null check (status in ('AUTO_MATCHED', 'NEEDS_REVIEW', 'CONFIRMED', 'REJECTED', 'UNMATCHED', 'CREATED')),
  supplier_code text,
  score double precision not null,
  method text not null,
  evidence jsonb not null,
  candidates jsonb not null,
  explanation text not null,
  rejected_codes text[] not null default '{}',
  -- A person asked for a new supplier of this name; made when the first posting needs it.
  create_as text,
  decided_by text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, ledger_id, merchant_key)
);
create index vendor_matches_status on vendor_matches (tenant_id, ledger_id, status, id);

-- Results owed to the source. Written with the posting's settlement, worked off afterwards.
create table source_exports (
  tenant_id text not null,
  source_id text not null,
  external_id text not null,
  posting_id text not null,
  outcome text not null check (outcome in ('SUCCESS', 'FAILURE')),
  ledger_document_id text,
  message text,
  state text not null check (state in ('PENDING', 'DONE', 'REFUSED')),
  answer text,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  correlation_id text not null,
  created_at timestamptz not null,
  reported_at timestamptz,
  primary key (tenant_id, source_id, external_id, posting_id)
);
create index source_exports_pending on source_exports (tenant_id, source_id, next_attempt_at) where state = 'PENDING';

create table webhook_deliveries (
  tenant_id text not null,
  system_id text not null,
  message_id text not null,
  event_type text not null,
  body jsonb not null,
  correlation_id text not null,
  received_at timestamptz not null,
  processed_at timestamptz,
  error text,
  primary key (tenant_id, system_id, message_id)
);

create table alerts (
  tenant_id text not null,
  id text not null,
  severity text not null check (severity in ('INFO', 'WARNING', 'CRITICAL')),
  code text not null,
  message text not null,
  system_id text,
  pipeline_id text,
  -- The same fault raises one alert until it is resolved.
  dedupe_key text not null,
  raised_at timestamptz not null,
  resolved_at timestamptz,
  resolved_by text,
  primary key (tenant_id, id)
);
create unique index alerts_open on alerts (tenant_id, dedupe_key) where resolved_at is null;

create table audit_heads (
  tenant_id text primary key references tenants (id),
  sequence bigint not null,
  hash text not null
);

create table audit_events (
  tenant_id text not null,
  sequence bigint not null,
  id text not null,
  occurred_at timestamptz not null,
  actor text not null,
  action text not null,
  subject_type text not null,
  subject_id text not null,
  summary text not null,
  before jsonb,
  after jsonb,
  correlation_id text not null,
  previous_hash text not null,
  hash text not null,
  primary key (tenant_id, sequence),
  unique (tenant_id, id)
);
create index audit_events_subject on audit_events (tenant_id, subject_type, subject_id, sequence);
create index audit_events_correlation on audit_events (tenant_id, correlation_id, sequence);

-- Which processes live: each holds an advisory lock for as long as its connection does.
create table processes (
  id text primary key,
  lock_key bigint not null unique,
  host text not null,
  pid integer not null,
  roles text not null,
  started_at timestamptz not null
);
create table job_claims (
  job_id text primary key,
  queue text not null,
  process_id text not null,
  claimed_at timestamptz not null
);
`;

/**
 * The application works as `ledgergate_app`, which owns nothing and passes no row-level security. An audit event is
 * append-only for it. Tables without a tenant (`processes`, `job_claims`) are the engine's own.
 */
const SECURITY = `
do $$
begin
  if not exists (select from pg_roles where rolname = 'ledgergate_app') then
    create role ledgergate_app nologin;
  end if;
exception when duplicate_object or unique_violation then
  null; -- Roles belong to the server: another database's migration made it in this moment.
end $$;
-- Also for a role that made it: from PostgreSQL 16 on the maker is a member, but may not act as it without this.
do $$
begin
  execute format('grant ledgergate_app to %I', current_user);
end $$;
grant usage on schema public to ledgergate_app;
grant select, insert, update, delete on all tables in schema public to ledgergate_app;
revoke update, delete on audit_events from ledgergate_app;
revoke insert, update, delete on tenants from ledgergate_app;
do $$
declare t text;
begin
  for t in select table_name from information_schema.columns
           where table_schema = 'public' and column_name = 'tenant_id' loop
    execute format('alter table %I enable row level security', t);
    -- In a sub-select the setting is looked up once a statement and not once a row.
    execute format('create policy tenant_only on %I using (tenant_id = (select current_setting(''ledgergate.tenant'', true)))
      with check (tenant_id = (select current_setting(''ledgergate.tenant'', true)))', t);
  end loop;
end $$;
alter table tenants enable row level security;
create policy tenant_only on tenants using (id = (select current_setting('ledgergate.tenant', true)));
`;
