import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a pipeline says about tax codes and rounding, and lines that are a rounding remainder. */
export class Money1763800000003 implements MigrationInterface {
  readonly name = 'Money1763800000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SCHEMA);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}

const SCHEMA = `
alter table pipelines
  add column rounding_account text,
  -- By tax code: how its tax is treated. A code that is not in it is treated as before there was such a setting.
  add column tax_codes jsonb not null default '{}';

alter table posting_lines drop constraint posting_lines_role_check;
alter table posting_lines add constraint posting_lines_role_check
  check (role in ('EXPENSE', 'TAX', 'ROUNDING', 'OFFSET'));
`;
