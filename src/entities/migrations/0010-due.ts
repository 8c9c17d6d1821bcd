import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Postings that somebody comes back to, whatever their state: looked for at the end of every drain. */
export class Due1764500000010 implements MigrationInterface {
  readonly name = 'Due1764500000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create index postings_due on postings (tenant_id, ledger_id, next_attempt_at) where next_attempt_at is not null',
    );
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}
