import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { entities } from './index.js';
import { Ground1763600000001 } from './migrations/0001-ground.js';
import { SixSystems1763700000002 } from './migrations/0002-sixSystems.js';
import { Review1763900000004 } from './migrations/0004-review.js';

export interface DataSourceOptions {
  connectionString: string;
  poolSize?: number;
  applicationName?: string;
}

/** No schema sync: tables come from the migrations only. */
export function createDataSource(options: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.connectionString,
    applicationName: options.applicationName ?? 'ledgergate',
    poolSize: options.poolSize ?? 10,
    entities: [...entities],
    migrations: [Ground1763600000001, SixSystems1763700000002, Review1763900000004],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
  });
}
