import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What finance looks at before it hurts: when two purchases are suspected to be one, and which of those suspicions a
 * person has laid to rest; and how much master data a ledger is believed to have, so that a list that comes back cut off
 * is not taken for a ledger that lost its accounts.
 */
export class Review1763900000004 implements MigrationInterface {
  readonly name = 'Review1763900000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCHEMA);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const SCHEMA = `
alter table pipelines add column duplicate_check text not null default 'ACROSS_SOURCES'
  check (duplicate_check in ('OFF', 'ACROSS_SOURCES', 'ALWAYS'));
alter table pipelines add column duplicate_days integer not null default 0 check (duplicate_days between 0 and 31);
alter table pipelines add column duplicate_import_days integer not null default 2
  check (duplicate_import_days between 1 and 366);

-- A person looked at a purchase that was held as a second copy and said that it is none.
create table duplicate_clearances (
  tenant_id text not null,
  ledger_id text not null,
  spend_record_id text not null,
  -- What the purchase looked like: merchant, currency, amount and day. Another one of these, and the word does not hold.
  fingerprint text not null,
  -- The purchase it was taken for. The two are not suspected of each other again, whichever is planned next.
  twin_id text not null,
  note text not null,
  cleared_by text not null,
  cleared_at timestamptz not null,
  primary key (tenant_id, ledger_id, spend_record_id, fingerprint),
  foreign key (tenant_id, ledger_id) references systems (tenant_id, id),
  foreign key (tenant_id, spend_record_id) references spend_records (tenant_id, id)
);
alter table duplicate_clearances enable row level security;
create policy tenant_only on duplicate_clearances using (tenant_id = (select current_setting('ledgergate.tenant', true)))
  with check (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on duplicate_clearances to ledgergate_app;

-- Planning looks for twins by these, a look a purchase.
create index spend_records_twins on spend_records (tenant_id, merchant_key, currency, amount, transaction_date)
  where merchant_key is not null;
create index postings_suspected on postings (tenant_id, ledger_id)
  where status = 'HELD' and holds @> '[{"code": "SUSPECTED_DUPLICATE"}]';

-- How many entries each list had when it was last believed, by list.
alter table systems add column master_data_counts jsonb not null default '{}';
`;
