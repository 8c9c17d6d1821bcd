import type { TestProject } from 'vitest/node';

/** The tests without their guards use the database server of the run that they are part of. */
export default function setup(project: TestProject): void {
  const folder = process.env.REMOVAL_DATABASE_FOLDER;
  if (!folder) throw new Error('REMOVAL_DATABASE_FOLDER is not set.');
  project.provide('databaseFolder', folder);
}
