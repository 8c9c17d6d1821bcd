import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the vendors beside Brex and SYSPRO need: a limit on calls that all processes keep together, results that a source
 * takes for a group of its objects, and dimensions that an account asks for.
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
`;
