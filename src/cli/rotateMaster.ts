import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config.js';
import type { Database, Tx } from '../entities/database.js';
import { ConfigurationError } from '../errors.js';
import { masterKeysIn, replaceMasterKeys } from '../platform/masterKeyFile.js';
import { createSealer, type MasterKey, newMasterKey, type Sealer } from '../secrets.js';
import { record } from '../services/audit.js';
import { bindingOf, openBundle } from '../services/vault.js';
import type { Work } from './ground.js';

export interface Rotation {
  readonly source: Config['masterKeySource'];
  /** Names the key that all is sealed under now; reveals nothing of it. */
  readonly masterKeyId: string;
  /** How many were sealed anew by this call. */
  readonly credentials: number;
  readonly sessions: number;
}

/** Rows sealed anew in one transaction. */
const BATCH = 100;
/** Long enough for a running process that read the key file just before it changed to have stored what it sealed. */
const IN_FLIGHT_MS = 1_000;

/**
 * Seals every stored credential and session under a new master key and recomputes the fingerprints, which depend on it.
 *
 * The old key stays usable until everything is sealed under the new one, so a stop at any point loses nothing and a
 * second call goes on. Processes that run follow the key file; those with keys from the environment have both.
 * @throws ConfigurationError the environment gives no old key, or something is sealed under a third one.
 */
export async function rotateMaster({ config, ground, caller }: Work): Promise<Rotation> {
  const { db } = ground;
  const keys = config.masterKeySource === 'file' ? beginInFile(config.dataDir) : keysOfEnvironment(config);
  const [current, ...old] = keys;
  const sealer = createSealer(keys);
  let counts = await sealAll(db, sealer);
  if (config.masterKeySource === 'file') {
    // Whatever a process sealed before it saw the new file is stored by now, and found by the second pass.
    await pause(IN_FLIGHT_MS);
    counts = sum(counts, await sealAll(db, sealer));
  }
  counts = sum(counts, await sealRest(db, sealer));
  await db.tenant(caller.tenantId, async (tx) => {
    record(tx, ground.engine.clock.now(), {
      actor: caller.actor,
      correlationId: caller.correlationId,
      action: 'masterKey.rotated',
      subjectType: 'Tenant',
      subjectId: caller.tenantId,
      summary: `All credentials were sealed under a new master key: ${counts.credentials} credentials, ${counts.sessions} sessions.`,
      before: { masterKeyIds: old.map((key) => key.id) },
      after: { masterKeyId: current.id },
    });
  });
  if (config.masterKeySource === 'file') replaceMasterKeys(config.dataDir, [textOf(current)]);
  return { source: config.masterKeySource, masterKeyId: current.id, ...counts };
}

type Keys = [MasterKey, ...MasterKey[]];

/** The new key first, written to the file before anything is sealed with it. A second key in the file: a rotation was interrupted. */
function beginInFile(dataDir: string): Keys {
  const known = masterKeysIn(dataDir);
  if (known.length === 1) replaceMasterKeys(dataDir, [newMasterKey().reveal(), ...known.map(textOf)]);
  return masterKeysIn(dataDir) as Keys;
}

function keysOfEnvironment(config: Config): Keys {
  const [current, previous] = config.masterKeys;
  if (current === undefined || previous === undefined) {
    throw new ConfigurationError(
      'LEDGERGATE_MASTER_KEY_PREVIOUS must hold the old master key, and LEDGERGATE_MASTER_KEY the new one.',
      { detail: { variables: ['LEDGERGATE_MASTER_KEY_PREVIOUS'] } },
    );
  }
  return [current, previous];
}

function textOf(key: MasterKey): string {
  return key.key.export().toString('base64');
}

interface Counts {
  readonly credentials: number;
  readonly sessions: number;
}

function sum(a: Counts, b: Counts): Counts {
  return { credentials: a.credentials + b.credentials, sessions: a.sessions + b.sessions };
}

interface Row {
  tenant_id: string;
  system_id: string;
  sealed: Buffer;
}

/** One pass over both tables, a batch a transaction, each row under its lock so that no renewal is overwritten. */
async function sealAll(db: Database, sealer: Sealer): Promise<Counts> {
  return { credentials: await pass(db, sealer, 'credentials'), sessions: await pass(db, sealer, 'ledger_sessions') };
}

/** The last look, with everybody else kept from writing: after it nothing is sealed under the old key. */
async function sealRest(db: Database, sealer: Sealer): Promise<Counts> {
  return db.engine(async (tx) => {
    await tx.query('lock table credentials, ledger_sessions in exclusive mode');
    const counts = { credentials: 0, sessions: 0 };
    for (const row of await rowsAfter(tx, 'credentials', null, null)) {
      if (await sealRow(tx, sealer, 'credentials', row)) counts.credentials += 1;
    }
    for (const row of await rowsAfter(tx, 'ledger_sessions', null, null)) {
      if (await sealRow(tx, sealer, 'ledger_sessions', row)) counts.sessions += 1;
    }
    return counts;
  });
}

type SealedTable = 'credentials' | 'ledger_sessions';

async function pass(db: Database, sealer: Sealer, name: SealedTable): Promise<number> {
  let sealed = 0;
  let last: Row | null = null;
  for (;;) {
    const rows: Row[] = await db.engine(async (tx) => {
      const batch = await rowsAfter(tx, name, last, BATCH);
      for (const row of batch) if (await sealRow(tx, sealer, name, row)) sealed += 1;
      return batch;
    });
    last = rows.at(-1) ?? null;
    if (rows.length < BATCH) return sealed;
  }
}

function rowsAfter(tx: Tx, name: SealedTable, after: Row | null, take: number | null): Promise<Row[]> {
  return tx.query<Row>(
    `select tenant_id, system_id, sealed from ${name}
     where $1::text is null or (tenant_id, system_id) > ($1, $2) order by tenant_id, system_id limit $3 for update`,
    [after?.tenant_id ?? null, after?.system_id ?? null, take],
  );
}

/** @returns false when it was sealed under the new key already. */
async function sealRow(tx: Tx, sealer: Sealer, name: SealedTable, row: Row): Promise<boolean> {
  if (sealer.isCurrent(row.sealed)) return false;
  const place = [row.tenant_id, row.system_id];
  if (name === 'ledger_sessions') {
    const sealed = sealer.rewrap(row.sealed, `session:${row.tenant_id}:${row.system_id}`);
    await tx.execute('update ledger_sessions set sealed = $3 where tenant_id = $1 and system_id = $2', [
      ...place,
      sealed,
    ]);
    return true;
  }
  const { credential } = openBundle(sealer, row.sealed, row.tenant_id, row.system_id);
  await tx.execute('update credentials set sealed = $3, fingerprint = $4 where tenant_id = $1 and system_id = $2', [
    ...place,
    sealer.rewrap(row.sealed, bindingOf(row.tenant_id, row.system_id)),
    sealer.fingerprint(JSON.stringify(credential)),
  ]);
  return true;
}
