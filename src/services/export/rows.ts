import type pg from 'pg';
import QueryStream from 'pg-query-stream';
import type { Database, Tx } from '../../entities/database.js';
import { InvariantError } from '../../errors.js';
import {
  type Column,
  columnsOf,
  DATASETS,
  type Dataset,
  type DatasetName,
  statementFor,
  type Window,
} from './datasets.js';

/** Every value as the database's own text, so that no amount passes through a float; null = no value. */
export type Row = readonly (string | null)[];

/** Rows in memory at a time, a few hundred kilobytes. */
const BATCH = 500;

export interface OpenExport {
  readonly dataset: Dataset;
  readonly columns: readonly Column[];
  /** In order of the key. Reading further is what fetches further. */
  readonly batches: AsyncIterable<readonly Row[]>;
}

/**
 * Reads a whole dataset of one tenant as it is at this moment, however long that takes, with constant memory. What is
 * written meanwhile is not seen. It holds a connection until `consume` is done, which therefore must not wait for ever.
 */
export function exported<T>(
  db: Database,
  tenantId: string,
  name: DatasetName,
  window: Window,
  consume: (open: OpenExport) => Promise<T>,
): Promise<T> {
  const dataset = DATASETS[name];
  return db.snapshot(tenantId, async (tx) => {
    const found = await columnsIn(tx, dataset.view);
    const { text, values } = statementFor(dataset, found, window);
    const stream = new QueryStream(text, [...values], {
      ...{ batchSize: BATCH, highWaterMark: BATCH, rowMode: 'array' },
      types: { getTypeParser: () => (raw: string) => raw },
    });
    const client = await clientOf(tx);
    // A cursor does not notice that its connection broke while nobody was reading, and one that broke never closes.
    const broken = new Promise<void>((resolve) => {
      const breakOff = (error?: Error) => {
        stream.emit('error', error ?? new Error('The connection to the database ended.'));
        resolve();
      };
      client.once('error', breakOff);
      client.once('end', breakOff);
      stream.once('close', () => client.off('error', breakOff).off('end', breakOff));
    });
    stream.on('error', () => undefined);
    client.query(stream);
    try {
      return await consume({ dataset, columns: columnsOf(found), batches: inBatches(stream) });
    } finally {
      await Promise.race([closed(stream), broken]);
    }
  });
}

async function columnsIn(tx: Tx, view: string): Promise<{ name: string; type: string }[]> {
  return tx.query<{ name: string; type: string }>(
    `select a.attname as name, t.typname as type from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = ('bi.' || $1)::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [view],
  );
}

/** The driver's own client, because only it can read through a cursor. */
async function clientOf(tx: Tx): Promise<pg.PoolClient> {
  const runner = tx.manager.queryRunner;
  if (!runner) throw new InvariantError('A transaction without its connection.');
  return (await runner.connect()) as pg.PoolClient;
}

async function* inBatches(stream: QueryStream): AsyncGenerator<readonly Row[]> {
  let batch: Row[] = [];
  for await (const row of stream as AsyncIterable<Row>) {
    batch.push(row);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Gives the cursor back, so that the transaction can end. */
async function closed(stream: QueryStream): Promise<void> {
  if (stream.closed) return;
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.destroy();
  });
}
