import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Vendor matching that remembers: the supplier a person chose survives that supplier's deactivation, and each ledger may
 * have limits of its own for what is matched without a person.
 */
export class VendorMemory1764100000006 implements MigrationInterface {
  readonly name = 'VendorMemory1764100000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCHEMA);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const SCHEMA = `
-- The supplier that a person chose, or that was made for the merchant. Kept when that supplier can no longer be posted to.
alter table vendor_matches add column alias_code text;
update vendor_matches set alias_code = supplier_code where status in ('CONFIRMED', 'CREATED');
create index vendor_matches_alias on vendor_matches (tenant_id, ledger_id, alias_code) where alias_code is not null;

-- A ledger without a row is matched by the limits that come with the program.
create table vendor_thresholds (
  tenant_id text not null,
  ledger_id text not null,
  auto_score double precision not null check (auto_score between 0 and 1),
  auto_margin double precision not null check (auto_margin between 0 and 1),
  review_score double precision not null check (review_score between 0 and auto_score),
  updated_by text not null,
  updated_at timestamptz not null,
  primary key (tenant_id, ledger_id),
  foreign key (tenant_id, ledger_id) references systems (tenant_id, id)
);
alter table vendor_thresholds enable row level security;
create policy tenant_only on vendor_thresholds using (tenant_id = (select current_setting('ledgergate.tenant', true)))
  with check (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on vendor_thresholds to ledgergate_app;
`;
