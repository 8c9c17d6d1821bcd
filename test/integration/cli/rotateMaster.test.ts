// Changing the master key. What would surprise: a stop half way after which something cannot be opened, a process that runs
// meanwhile and can no longer open or seal, a fingerprint that still belongs to the old key.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rotateMaster } from '../../../src/cli/rotateMaster.js';
import { readConfig } from '../../../src/config.js';
import type { Database } from '../../../src/entities/database.js';
import { masterKeysIn } from '../../../src/platform/masterKeyFile.js';
import { createSealer, newMasterKey, readMasterKey } from '../../../src/secrets.js';
import { openBundle } from '../../../src/services/vault.js';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { connectLedger, openWithKeyFile } from './cliGround.js';

let database: FreshDatabase;
let parts: Awaited<ReturnType<typeof openWithKeyFile>>;
let ids: string[];

beforeEach(async () => {
  database = await freshDatabase();
  parts = await openWithKeyFile(database.connectionString);
  ids = [];
  for (const name of ['one', 'two', 'three']) ids.push(await connectLedger(parts.ground, name));
  await parts.ground.db.tenant('default', (tx) =>
    tx.execute('insert into ledger_sessions (tenant_id, system_id, sealed, opened_at) values ($1, $2, $3, now())', [
      'default',
      ids[0],
      parts.ground.engine.sealer.seal('a session', `session:default:${ids[0]}`),
    ]),
  );
});

afterEach(async () => {
  await parts.close();
  await database.drop();
});

interface Row {
  system_id: string;
  sealed: Buffer;
  fingerprint: string;
}

const credentials = () =>
  parts.ground.db.tenant('default', (tx) =>
    tx.query<Row>('select system_id, sealed, fingerprint from credentials order by system_id'),
  );
const keysInFile = () => readFileSync(join(parts.config.dataDir, 'master.key'), 'utf8').trim().split('\n');

/** A database whose connection is lost after so many transactions. */
function failingAfter(db: Database, transactions: number): Database {
  let left = transactions;
  return new Proxy(db, {
    get(target, name) {
      if (name !== 'engine') return Reflect.get(target, name);
      return (work: Parameters<Database['engine']>[0]) => {
        left -= 1;
        return left < 0 ? Promise.reject(new Error('connection lost')) : target.engine(work);
      };
    },
  });
}

function expectAllUnder(rows: readonly Row[], dataDir: string): void {
  const sealer = createSealer(masterKeysIn(dataDir));
  for (const row of rows) {
    const bundle = openBundle(sealer, row.sealed, 'default', row.system_id);
    expect(bundle.credential).toMatchObject({ companyId: 'X' });
    expect(sealer.isCurrent(row.sealed)).toBe(true);
    expect(row.fingerprint).toBe(sealer.fingerprint(JSON.stringify(bundle.credential)));
  }
}

describe('rotate-master with a key file', () => {
  it('seals everything under a new key, and the old one is gone from the file', async () => {
    const [before] = keysInFile();
    const result = await rotateMaster(parts);
    expect(result).toMatchObject({ source: 'file', credentials: 3, sessions: 1 });
    expect(keysInFile()).toHaveLength(1);
    expect(keysInFile()[0]).not.toBe(before);
    expectAllUnder(await credentials(), parts.config.dataDir);
  });

  it('leaves a process that runs meanwhile able to open and to seal', async () => {
    const running = parts.ground.engine.sealer;
    await rotateMaster(parts);
    for (const row of await credentials()) {
      expect(openBundle(running, row.sealed, 'default', row.system_id).credential).toBeTruthy();
    }
    const [current] = masterKeysIn(parts.config.dataDir);
    expect(createSealer(current ? [current] : []).open(running.seal('new', 'place'), 'place')).toBe('new');
  });

  it.each([0, 1, 2])(
    'goes on after a stop that came %i transactions later, and nothing was lost meanwhile',
    async (count) => {
      const { ground } = parts;
      const broken = { ...parts, ground: { ...ground, db: failingAfter(ground.db, count) } };
      await expect(rotateMaster(broken)).rejects.toThrow('connection lost');
      expect(keysInFile()).toHaveLength(2);
      const meanwhile = createSealer(masterKeysIn(parts.config.dataDir));
      for (const row of await credentials()) openBundle(meanwhile, row.sealed, 'default', row.system_id);
      const [wanted] = keysInFile();
      await rotateMaster(parts);
      expect(keysInFile()).toEqual([wanted]);
      expectAllUnder(await credentials(), parts.config.dataDir);
    },
  );

  it('is told in the audit trail without any key', async () => {
    await rotateMaster(parts);
    const events = await parts.ground.db.tenant('default', (tx) =>
      tx.query<{ actor: string; after: unknown }>(
        "select actor, after from audit_events where action = 'masterKey.rotated'",
      ),
    );
    expect(events).toHaveLength(1);
    expect(events[0]?.actor).toMatch(/^cli:/);
    expect(JSON.stringify(events)).not.toContain(keysInFile()[0]);
  });
});

describe('rotate-master with keys from the environment', () => {
  it('moves from the previous key to the current one and leaves the file alone', async () => {
    const [old = ''] = keysInFile();
    const fresh = newMasterKey().reveal();
    const env = {
      LEDGERGATE_MASTER_KEY: fresh,
      LEDGERGATE_MASTER_KEY_PREVIOUS: old,
      DATABASE_URL: database.connectionString,
    };
    const result = await rotateMaster({ ...parts, config: readConfig(env) });
    expect(result).toMatchObject({ source: 'environment', credentials: 3, sessions: 1 });
    expect(keysInFile()).toEqual([old]);
    const key = readMasterKey(fresh);
    const sealer = createSealer(key ? [key] : []);
    for (const row of await credentials()) openBundle(sealer, row.sealed, 'default', row.system_id);
  });

  it('refuses to guess the old key', async () => {
    const env = { LEDGERGATE_MASTER_KEY: newMasterKey().reveal(), DATABASE_URL: database.connectionString };
    await expect(rotateMaster({ ...parts, config: readConfig(env) })).rejects.toThrow('LEDGERGATE_MASTER_KEY_PREVIOUS');
  });
});
