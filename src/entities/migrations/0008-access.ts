import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tables that belong to no tenant are the engine's own. The application's role was given them with all others by the
 * ground migration, and needs none of them.
 */
export class Access1764300000008 implements MigrationInterface {
  readonly name = 'Access1764300000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('revoke all on processes, job_claims, migrations from ledgergate_app');
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only: restore a backup instead.');
  }
}
