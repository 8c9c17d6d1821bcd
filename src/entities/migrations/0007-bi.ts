import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Schema `bi`: what reports may read, one view a subject, each column described beside it. A login of a BI tool belongs to
 * one tenant for good: the database decides by who logged in, never by a setting that the login could change.
 */
export class Bi1764200000007 implements MigrationInterface {
  readonly name = 'Bi1764200000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ROLES);
    await runner.query(VIEWS);
    await runner.query(COMMENTS);
    await runner.query(SECURITY);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

/**
 * `ledgergate_bi` is what logins are members of; `ledgergate_bi_views` owns the views, and as it owns no table, row-level
 * security holds for whatever is read through them.
 */
const ROLES = `
do $$
declare wanted text;
begin
  foreach wanted in array array['ledgergate_bi', 'ledgergate_bi_views'] loop
    begin
      if not exists (select from pg_roles where rolname = wanted) then
        execute format('create role %I nologin', wanted);
      end if;
    exception when duplicate_object or unique_violation then
      null; -- Roles belong to the server: another database's migration made it in this moment.
    end;
    execute format('grant %I to %I', wanted, current_user);
  end loop;
end $$;

-- Which tenant a database login reads.
create table bi_logins (
  tenant_id text not null references tenants (id),
  login text not null unique,
  created_at timestamptz not null default now(),
  primary key (tenant_id, login)
);
alter table bi_logins enable row level security;
create policy tenant_only on bi_logins to ledgergate_app
  using (tenant_id = (select current_setting('ledgergate.tenant', true)));
grant select, insert, update, delete on bi_logins to ledgergate_app;

-- The tenant that whoever logged in may report on. The gateway's own login names it by a setting, as everywhere.
create function bi_tenant() returns text language sql stable security definer set search_path = pg_catalog, public as $$
  select coalesce(
    (select tenant_id from public.bi_logins where login = session_user),
    case when pg_has_role(session_user, 'ledgergate_app', 'member') then current_setting('ledgergate.tenant', true) end)
$$;
revoke all on function bi_tenant() from public;
grant execute on function bi_tenant() to ledgergate_bi_views, ledgergate_bi, ledgergate_app;

-- Decimals of a currency's minor unit (ISO 4217); two where it is not named here.
create function currency_digits(currency text) returns integer language sql immutable parallel safe
return case
  when currency = any('{BIF,CLP,DJF,GNF,ISK,JPY,KMF,KRW,PYG,RWF,UGX,UYI,VND,VUV,XAF,XOF,XPF}'::text[]) then 0
  when currency = any('{BHD,IQD,JOD,KWD,LYD,OMR,TND}'::text[]) then 3
  when currency = any('{CLF,UYW}'::text[]) then 4
  else 2 end;
-- {"minor": "1234", "currency": "KWD"} as 1.234.
create function decimal_of_minor(amount jsonb) returns numeric language sql immutable parallel safe
return round((amount ->> 'minor')::numeric / power(10::numeric, currency_digits(amount ->> 'currency')),
  currency_digits(amount ->> 'currency'));
`;

const VIEWS = `
create schema bi;

create view bi.spend_records as
select r.id as spend_record_id, s.name as source_system, s.kind as source_kind, r.status, r.revision, r.kind,
  r.amount, r.currency,
  decimal_of_minor(nullif(r.unified -> 'originalAmount', 'null')) as original_amount,
  r.unified -> 'originalAmount' ->> 'currency' as original_currency,
  (r.unified ->> 'exchangeRate')::numeric as exchange_rate,
  decimal_of_minor(nullif(r.unified -> 'tax', 'null')) as tax_amount,
  r.merchant_name, r.unified ->> 'merchantDescriptor' as merchant_descriptor, r.unified ->> 'mcc' as mcc,
  r.unified ->> 'category' as category, r.unified -> 'dimensions' as dimensions,
  r.unified ->> 'spender' as spender, r.unified ->> 'memo' as memo,
  r.transaction_date, r.posted_date, r.vendor_match_id, r.excluded_reason, r.waiting_reason, r.correlation_id,
  r.created_at, r.updated_at
from public.spend_records r
join public.systems s on s.tenant_id = r.tenant_id and s.id = r.source_id;

create view bi.gl_postings as
select p.id as posting_id, l.name as pipeline, s.name as ledger, s.kind as ledger_kind, p.status, p.document_type,
  p.reference, p.ledger_document_id, p.posting_date, p.currency, p.total, p.supplier_code, p.description, p.holds,
  p.holds -> 0 ->> 'code' as first_hold_code, p.mapping_version, p.reverses_id as reverses_posting_id,
  p.reversed_by_id as reversed_by_posting_id, p.attempts, p.triggered_by, p.approved_by, p.cancel_reason,
  p.correlation_id, p.created_at, p.posted_at
from public.postings p
join public.pipelines l on l.tenant_id = p.tenant_id and l.id = p.pipeline_id
join public.systems s on s.tenant_id = p.tenant_id and s.id = p.ledger_id;

create view bi.gl_posting_lines as
select n.posting_id, n.line_number, p.status, p.reference, p.ledger_document_id, p.posting_date, p.currency, n.role,
  n.gl_account, n.cost_centre, n.dimensions, n.tax_code, n.debit, n.credit, n.debit - n.credit as net, n.memo,
  n.spend_record_ids, n.explanation
from public.posting_lines n
join public.postings p on p.tenant_id = n.tenant_id and p.id = n.posting_id;

create view bi.vendor_matches as
select m.id as vendor_match_id, s.name as ledger, m.merchant_name, m.merchant_key as normalised_name, m.status,
  m.supplier_code, m.score, m.method, m.explanation, m.decided_by, m.created_at, m.updated_at
from public.vendor_matches m
join public.systems s on s.tenant_id = m.tenant_id and s.id = m.ledger_id;

create view bi.audit_events as
select e.sequence, e.id as audit_event_id, e.occurred_at, e.actor, e.action, e.subject_type, e.subject_id, e.summary,
  e.before, e.after, e.correlation_id, e.previous_hash, e.hash
from public.audit_events e;

create view bi.sync_runs as
select r.id as sync_run_id, l.name as pipeline, r.trigger, r.dry_run, r.status, r.window_from, r.window_to,
  r.records_read, r.records_new, r.records_changed, r.postings_posted, r.postings_held, r.postings_failed, r.error,
  r.requested_by, r.correlation_id, r.created_at, r.started_at, r.finished_at
from public.sync_runs r
join public.pipelines l on l.tenant_id = r.tenant_id and l.id = r.pipeline_id;
`;

const DESCRIBED: Readonly<
  Record<string, { readonly about: string; readonly columns: Readonly<Record<string, string>> }>
> = {
  spend_records: {
    about: 'One row a purchase, refund, reimbursement or bill, however many views of it the source has.',
    columns: {
      spend_record_id: 'Id of the purchase; the same in GraphQL.',
      source_system: 'Name of the spend system that it comes from.',
      source_kind: 'BREX or EXPENSIFY.',
      status:
        'NEW (not planned yet), PLANNED, HELD (waits for a person), POSTED, EXCLUDED (does not belong in the ledger), CORRECTED (changed after it was posted).',
      revision: '1, then one more with every change at the source.',
      kind: 'PURCHASE, REFUND, REIMBURSEMENT, BILL or NOT_SPEND (money that moved without a purchase).',
      amount: 'What the company was billed, tax included, in major units of currency; negative = money back.',
      currency: 'ISO 4217 code of amount.',
      original_amount: 'What the merchant charged, in major units of original_currency; null = the same as billed.',
      original_currency: 'ISO 4217 code of original_amount.',
      exchange_rate: 'Units of currency for one unit of original_currency, as the source states or implies it.',
      tax_amount: 'Tax inside amount, in major units, where the source states it.',
      merchant_name: 'Name of the merchant as the source shows it.',
      merchant_descriptor: 'The raw text of the card network.',
      mcc: 'Merchant category code, four digits.',
      category: 'Category or account at the source, which mapping rules look at.',
      dimensions: 'Tags and fields at the source by name (JSON object of texts).',
      spender: 'Who spent it.',
      memo: 'What the spender wrote.',
      transaction_date: 'Calendar day of the purchase.',
      posted_date: 'Calendar day on which the card network settled it; null = not settled.',
      vendor_match_id: 'Joins bi.vendor_matches; null = the merchant was not looked for.',
      excluded_reason: 'Why it does not belong in the ledger; null unless EXCLUDED.',
      waiting_reason: 'What planning waits for; null = nothing.',
      correlation_id: 'Runs from the source event to the ledger document; joins bi.audit_events.',
      created_at: 'When it was first read (UTC).',
      updated_at: 'When it last changed here (UTC).',
    },
  },
  gl_postings: {
    about: 'One row a document for a ledger: a journal or a supplier invoice, whatever became of it.',
    columns: {
      posting_id: 'Id of the document; the same in GraphQL.',
      pipeline: 'Name of the pipeline that made it.',
      ledger: 'Name of the ledger system.',
      ledger_kind: 'SYSPRO, SAGE_X3, INFOR_M3 or EPICOR_KINETIC.',
      status:
        'PLANNED, HELD, AWAITING_APPROVAL, READY, POSTING, IN_DOUBT (the answer was lost, the ledger is asked), POSTED, REJECTED (the ledger said no), CANCELLED, REVERSED.',
      document_type: 'JOURNAL or SUPPLIER_INVOICE.',
      reference:
        'Our reference, which the ledger holds in a searchable field; the same for the same purchase for ever.',
      ledger_document_id: 'The number that the ledger gave; null until POSTED.',
      posting_date: 'Calendar day on which the ledger books it.',
      currency: 'ISO 4217 code of total.',
      total: 'Sum of the debit side, which is also that of the credit side, in major units.',
      supplier_code: "The ledger's code of the supplier; null = none.",
      description: 'Text of the document.',
      holds: 'Why it waits: JSON array of {code, message, field, value, resolution}.',
      first_hold_code: 'Code of the first of holds, e.g. PERIOD_CLOSED; null = none.',
      mapping_version: 'Version of the mapping that coded it.',
      reverses_posting_id: 'The document that this one takes back; null = it takes back none.',
      reversed_by_posting_id: 'The document that took this one back; null = it stands.',
      attempts: 'How often it was tried at the ledger, look-ups included.',
      triggered_by: 'Who or what caused it, e.g. user:close, system:scheduler, webhook:brex.',
      approved_by: 'Who approved it; null = nobody had to, or nobody did yet.',
      cancel_reason: 'Why it was cancelled; null unless CANCELLED.',
      correlation_id: 'Runs from the source event to the ledger document; joins bi.audit_events.',
      created_at: 'When it was first planned (UTC).',
      posted_at: 'When the ledger was seen to hold it (UTC); null until then.',
    },
  },
  gl_posting_lines: {
    about: 'One row a line of a document. Within a document debits equal credits.',
    columns: {
      posting_id: 'Joins bi.gl_postings.',
      line_number: '1, 2, 3 … within the document.',
      status: 'Status of the document; sum only POSTED and REVERSED ones to see the books.',
      reference: 'Reference of the document.',
      ledger_document_id: 'The number that the ledger gave; null until POSTED.',
      posting_date: 'Calendar day on which the ledger books it.',
      currency: 'ISO 4217 code of debit and credit.',
      role: 'EXPENSE, TAX or OFFSET (the other side: card clearing or the creditors).',
      gl_account: 'Account in the ledger.',
      cost_centre: 'Cost centre; null = none.',
      dimensions: 'Further dimensions, code by name (JSON object of texts).',
      tax_code: "The ledger's tax code; null = none.",
      debit: 'In major units; zero on credit lines.',
      credit: 'In major units; zero on debit lines.',
      net: 'debit - credit.',
      memo: 'Text of the line.',
      spend_record_ids: 'The purchases inside the line (array); joins bi.spend_records.',
      explanation: 'Why this account: the rule, coding or default that decided.',
    },
  },
  vendor_matches: {
    about: 'One row a merchant and ledger: which supplier it is, and who says so.',
    columns: {
      vendor_match_id: 'Joins bi.spend_records.',
      ledger: 'Name of the ledger system.',
      merchant_name: 'The merchant as it was first seen.',
      normalised_name: 'What is compared: the name without case, marks and legal form.',
      status: 'AUTO_MATCHED, NEEDS_REVIEW, CONFIRMED, REJECTED, UNMATCHED or CREATED.',
      supplier_code: "The ledger's code of the supplier; null = none.",
      score: 'How sure the match is, 0 to 1.',
      method: 'EXACT, ALIAS, FUZZY, MANUAL, CREATED or NONE.',
      explanation: 'The reason in a sentence.',
      decided_by: 'Which person or key decided; null = nobody.',
      created_at: 'When the merchant was first seen (UTC).',
      updated_at: 'When the match last changed (UTC).',
    },
  },
  audit_events: {
    about: 'The audit trail: every change, in order, each row sealed by the hash of the one before.',
    columns: {
      sequence: '1, 2, 3 … without gaps.',
      audit_event_id: 'Id of the event; the same in GraphQL.',
      occurred_at: 'When it happened (UTC).',
      actor: 'Who or what did it, e.g. user:close, system:scheduler, webhook:brex.',
      action: 'What was done, e.g. posting.posted, mapping.changed.',
      subject_type: 'What it was done to, e.g. GlPosting, SpendRecord, System.',
      subject_id: 'Id of what it was done to.',
      summary: 'One sentence that a finance person understands.',
      before: 'What it was (JSON); null = it was not there.',
      after: 'What it became (JSON); null = it is not there any more.',
      correlation_id: 'The same from the source event to the ledger document.',
      previous_hash: 'Hash of the event before (SHA-256, hex).',
      hash: 'Hash of this event and previous_hash (SHA-256, hex).',
    },
  },
  sync_runs: {
    about: 'One row a run of a pipeline.',
    columns: {
      sync_run_id: 'Id of the run; the same in GraphQL.',
      pipeline: 'Name of the pipeline.',
      trigger: 'SCHEDULE, WEBHOOK, MANUAL, BACKFILL or REPLAY.',
      dry_run: 'true = nothing was written to the ledger.',
      status: 'QUEUED, RUNNING, SUCCEEDED, PARTIAL, FAILED or CANCELLED.',
      window_from: 'Beginning of what was read (UTC); null = since the last run.',
      window_to: 'End of what was read (UTC); null = until now.',
      records_read: 'Objects that the source showed.',
      records_new: 'Purchases seen for the first time.',
      records_changed: 'Purchases that had changed.',
      postings_posted: 'Documents that the ledger took.',
      postings_held: 'Documents that wait for a person.',
      postings_failed: 'Documents that the ledger refused.',
      error: 'Why it failed or is partial; null = it did not.',
      requested_by: 'Who or what asked for it.',
      correlation_id: 'Joins bi.audit_events.',
      created_at: 'When it was asked for (UTC).',
      started_at: 'When it began (UTC).',
      finished_at: 'When it ended (UTC); null = it has not.',
    },
  },
};

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const COMMENTS = Object.entries(DESCRIBED)
  .flatMap(([view, { about, columns }]) => [
    `comment on view bi.${view} is ${quoted(about)};`,
    ...Object.entries(columns).map(([column, text]) => `comment on column bi.${view}.${column} is ${quoted(text)};`),
  ])
  .join('\n');

const READ_BY_VIEWS = [
  ...['systems', 'pipelines', 'spend_records', 'postings', 'posting_lines'],
  ...['vendor_matches', 'audit_events', 'sync_runs'],
];

const SECURITY = `
comment on schema bi is 'What reports may read, one tenant a login.';
${READ_BY_VIEWS.map(
  (table) => `
grant select on ${table} to ledgergate_bi_views;
-- It was there for every role, and believed a setting that any login can make.
alter policy tenant_only on ${table} to ledgergate_app;
create policy tenant_of_login on ${table} for select to ledgergate_bi_views using (tenant_id = (select bi_tenant()));`,
).join('')}
grant usage on schema public to ledgergate_bi_views;
grant usage, create on schema bi to ledgergate_bi_views;
${Object.keys(DESCRIBED)
  .map((view) => `alter view bi.${view} owner to ledgergate_bi_views;`)
  .join('\n')}
revoke create on schema bi from ledgergate_bi_views;
grant usage on schema bi to ledgergate_bi, ledgergate_app;
grant select on all tables in schema bi to ledgergate_bi, ledgergate_app;
`;
