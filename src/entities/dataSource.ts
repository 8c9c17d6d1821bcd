import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { entities } from './index.js';
import { Ground1763600000001 } from './migrations/0001-ground.js';
import { SixSystems1763700000002 } from './migrations/0002-sixSystems.js';
import { Money1763800000003 } from './migrations/0003-money.js';
import { Review1763900000004 } from './migrations/0004-review.js';
import { Receipts1764000000005 } from './migrations/0005-receipts.js';
import { VendorMemory1764100000006 } from './migrations/0006-vendorMemory.js';
import { Bi1764200000007 } from './migrations/0007-bi.js';
import { Access1764300000008 } from './migrations/0008-access.js';
import { Due1764500000010 } from './migrations/0010-due.js';

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
    migrations: [
      Ground1763600000001,
      SixSystems1763700000002,
      Money1763800000003,
      Review1763900000004,
      Receipts1764000000005,
      VendorMemory1764100000006,
      Bi1764200000007,
      Access1764300000008,
      Due1764500000010,
    ],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
  });
}
