import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the vendors beside Brex and SYSPRO need: a limit on calls that all processes keep together, results that a source
 * takes for a group of its objects, dimensions that an account asks for, and the ledger's master data on its way to the
 * source: what was pushed when, and which supplier is which vendor there.
 */
export class SixSystems1763700000002 implements MigrationInterface {
  readonly name = 'SixSystems1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCHEMA);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const SCHEMA = `
create table call_quotas (
  tenant_id text not null,
  system_id text not null,
  -- When the calls inside the vendor's longest window were made, in milliseconds since 1970.
  calls bigint[] not null default '{}',
  blocked_until timestamptz,
  primary key (tenant_id, system_id),
  foreign key (tenant_id, system_id) references systems (tenant_id, id)
);
alter table call_quotas enable row level security;
create policy tenant_only on call_quotas using (tenant_id = (select current_setting('ledgergate.tenant', true)))
  with check (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on call_quotas to ledgergate_app;

alter table gl_accounts add column required_dimensions jsonb not null default '[]';

-- A purchase that waits for the end of its day is planned again on this day.
alter table spend_records add column waiting_until date;
create index spend_records_waiting on spend_records (tenant_id, source_id, waiting_until) where waiting_until is not null;

alter table source_objects add column export_id text;
create index source_objects_export on source_objects (tenant_id, source_id, export_id) where export_id is not null;

-- What a pipeline pushed to its source. A row exists from the first time that it was asked to.
create table master_data_exports (
  tenant_id text not null,
  pipeline_id text not null,
  -- What the last push was made from: the ledger's master_version, and a digest of the settings that decide what is pushed.
  pushed_version bigint,
  pushed_settings text,
  pushed_at timestamptz,
  -- Counts by field: created, renamed, retired, unchanged.
  pushed_fields jsonb not null default '{}',
  -- Since when somebody is to look again although nothing changed; later than now = after a failure.
  due_at timestamptz,
  -- Counts the times somebody asked, so that a run does not take back what was asked during it.
  asked integer not null default 0,
  failures integer not null default 0,
  last_error text,
  failed_at timestamptz,
  lease_owner text,
  lease_until timestamptz,
  fence integer not null default 0,
  primary key (tenant_id, pipeline_id),
  foreign key (tenant_id, pipeline_id) references pipelines (tenant_id, id)
);
create index master_data_exports_due on master_data_exports (due_at) where due_at is not null;
alter table master_data_exports enable row level security;
create policy tenant_only on master_data_exports using (tenant_id = (select current_setting('ledgergate.tenant', true)))
  with check (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on master_data_exports to ledgergate_app;

-- Which vendor of a source stands for which supplier of a ledger. Brex keeps no external id, so it is kept here.
create table vendor_links (
  tenant_id text not null,
  source_id text not null,
  ledger_id text not null,
  supplier_code text not null,
  vendor_id text,
  -- As they were when both sides last agreed.
  supplier_name text not null,
  vendor_name text,
  state text not null check (state in ('LINKED', 'CONFLICT')),
  note text,
  linked_at timestamptz,
  linked_by text,
  -- Counts the changes, so that each rename has an idempotency key of its own.
  revision integer not null default 0,
  updated_at timestamptz not null,
  primary key (tenant_id, source_id, ledger_id, supplier_code),
  foreign key (tenant_id, source_id) references systems (tenant_id, id),
  foreign key (tenant_id, ledger_id) references systems (tenant_id, id)
);
create unique index vendor_links_vendor on vendor_links (tenant_id, source_id, ledger_id, vendor_id);
create index vendor_links_conflicts on vendor_links (tenant_id, source_id, ledger_id) where state = 'CONFLICT';
alter table vendor_links enable row level security;
create policy tenant_only on vendor_links using (tenant_id = (select current_setting('ledgergate.tenant', true)))
  with check (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on vendor_links to ledgergate_app;

-- The supplier that a person asked for is made for the sake of the vendor directory, without waiting for a posting.
alter table vendor_matches add column create_now boolean not null default false;
create index vendor_matches_create on vendor_matches (tenant_id, ledger_id) where create_now;
`;
