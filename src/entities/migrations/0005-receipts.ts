import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What people decide, and what proves a purchase: who had a hand in a posting (and may therefore not approve it), which
 * plan was approved when, and the receipts, each kept once by its content.
 */
export class Receipts1764000000005 implements MigrationInterface {
  readonly name = 'Receipts1764000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(APPROVALS);
    await runner.query(RECEIPTS);
    await runner.query(SECURITY);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const APPROVALS = `
alter table postings add column approved_key text;
alter table postings add column approved_at timestamptz;
alter table postings add column approved_plan_hash text;

-- Which key had a hand in a run, a purchase or a posting. Keys are named by id, so that a new name hides nobody.
create table involvements (
  tenant_id text not null,
  subject_id text not null,
  key_id text not null,
  deed text not null,
  at timestamptz not null,
  primary key (tenant_id, subject_id, key_id, deed)
);

-- What was known before only by the name of the key: every key of that name counts.
insert into involvements (tenant_id, subject_id, key_id, deed, at)
select r.tenant_id, r.id, coalesce(k.id, r.requested_by), 'SYNC', r.created_at
from sync_runs r left join api_keys k on k.tenant_id = r.tenant_id and 'user:' || k.name = r.requested_by
where not r.dry_run
on conflict do nothing;
insert into involvements (tenant_id, subject_id, key_id, deed, at)
select p.tenant_id, p.id, coalesce(k.id, p.triggered_by), 'SYNC', p.created_at
from postings p left join api_keys k on k.tenant_id = p.tenant_id and 'user:' || k.name = p.triggered_by
where p.status in ('PLANNED', 'HELD', 'AWAITING_APPROVAL')
on conflict do nothing;

update postings p set approved_at = e.occurred_at, approved_plan_hash = e.after ->> 'planHash'
from (
  select distinct on (tenant_id, subject_id) tenant_id, subject_id, occurred_at, after from audit_events
  where action = 'posting.approved' order by tenant_id, subject_id, sequence desc
) e
where p.approved_by is not null and e.tenant_id = p.tenant_id and e.subject_id = p.id;
`;

const RECEIPTS = `
alter table pipelines add column receipt_link_base text;

create table receipts (
  tenant_id text not null,
  -- Of the content, in lower-case hexadecimal.
  sha256 text not null,
  id text not null,
  content_type text not null,
  size integer not null,
  content bytea not null,
  stored_at timestamptz not null,
  primary key (tenant_id, sha256),
  unique (tenant_id, id)
);
-- Images and PDF are compressed already.
alter table receipts alter column content set storage external;

-- Which object of a source shows which receipt. The object leads to its purchase, also after two were joined.
create table receipt_links (
  tenant_id text not null,
  source_id text not null,
  stream text not null,
  external_id text not null,
  -- The source's own id of the receipt.
  receipt_key text not null,
  file_name text,
  -- Only of a link that lives on. One that ends opens for anybody until then, and is never stored.
  lasting_url text,
  state text not null check (state in ('PENDING', 'STORED', 'MISSING', 'REFUSED', 'GONE')),
  sha256 text,
  -- Why it is not here, in a sentence.
  note text,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  seen_at timestamptz not null,
  primary key (tenant_id, source_id, stream, external_id, receipt_key),
  foreign key (tenant_id, source_id) references systems (tenant_id, id),
  foreign key (tenant_id, sha256) references receipts (tenant_id, sha256)
);
create index receipt_links_due on receipt_links (tenant_id, source_id, next_attempt_at) where state = 'PENDING';
-- The same receipt shown by another object of the source.
create index receipt_links_key on receipt_links (tenant_id, source_id, receipt_key) where sha256 is not null;
create index receipt_links_content on receipt_links (tenant_id, sha256) where sha256 is not null;

-- Receipts that a ledger was given with its documents.
create table receipt_attachments (
  tenant_id text not null,
  posting_id text not null,
  sha256 text not null,
  state text not null check (state in ('PENDING', 'DONE', 'REFUSED')),
  note text,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  attached_at timestamptz,
  primary key (tenant_id, posting_id, sha256),
  foreign key (tenant_id, sha256) references receipts (tenant_id, sha256)
);
create index receipt_attachments_due on receipt_attachments (tenant_id, next_attempt_at) where state = 'PENDING';
`;

const TABLES = ['involvements', 'receipts', 'receipt_links', 'receipt_attachments'];

const SECURITY = TABLES.map(
  (table) => `
alter table ${table} enable row level security;
create policy tenant_only on ${table} using (tenant_id = (select current_setting('ledgergate.tenant', true)))
  with check (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on ${table} to ledgergate_app;
`,
).join('');
