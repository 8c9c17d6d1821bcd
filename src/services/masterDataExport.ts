import type { CodingFieldKey, LedgerValue, MasterDataPush, SpendConnection } from '../connectors/contract.js';
import type { LedgerRules } from '../domain/plan.js';
import type { Tx } from '../entities/database.js';
import { ConfigurationError, LedgergateError } from '../errors.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { masterVersion, readMasterData } from './masterData.js';
import {
  type Claim,
  finish,
  healable,
  LeaseLost,
  postpone,
  release,
  renew,
  storePush,
  takeLease,
} from './masterDataLease.js';
import { wakeMasterData } from './masterDataWake.js';
import { noteReachability } from './systems.js';
import { alignVendors } from './vendorDirectory.js';

export interface PushOptions {
  /** Asked between steps: true = leave the rest to the next run. */
  readonly isStopping: () => boolean;
}

/** Master data older than this is read again before it is pushed: a pipeline without a schedule reads it nowhere else. */
const READ_AGAIN_AFTER_MS = 12 * 60 * 60_000;

/**
 * Brings the ledger's accounts, cost centres and other dimensions to the pipeline's source, where people then code with
 * them, and keeps the source's vendors in step with the suppliers.
 *
 * Nothing is sent while the ledger's master data and the settings are those of the last push, but once a day. Every step
 * looks at the source before it changes anything, so a run may end anywhere and be repeated: lost answers, a process that
 * died, two processes at once.
 */
export async function pushMasterData(
  engine: Engine,
  tenantId: string,
  pipelineId: string,
  options: PushOptions,
): Promise<void> {
  const claim = await takeLease(engine, tenantId, pipelineId);
  if (claim === null) return;
  const push = new Push(engine, claim, options);
  try {
    const isDone = await push.run();
    await finish(engine, claim, !isDone);
    await noteReachability(engine, tenantId, claim.sourceId, null);
  } catch (error) {
    if (error instanceof LeaseLost) return;
    if (!(error instanceof LedgergateError) || error.decision === 'STOP') {
      await release(engine, claim);
      throw error;
    }
    try {
      await postpone(engine, claim, error);
    } catch (lost) {
      if (lost instanceof LeaseLost) return;
      throw lost;
    }
    if (error.decision === 'PAUSE_CONNECTION' || error.decision === 'RETRY') {
      await noteReachability(engine, tenantId, push.at, error);
    }
  }
}

/** Has everything looked through that nobody looked at for a day. Any number of processes may ask; one run comes of it. */
export async function healMasterData(engine: Engine): Promise<void> {
  for (const { tenant_id: tenantId, pipeline_id: pipelineId } of await healable(engine)) {
    await engine.db.tenant(tenantId, (tx) => wakeMasterData(engine, tx, pipelineId, 'ALWAYS'));
  }
}

interface Field {
  readonly key: CodingFieldKey;
  readonly name: string;
  readonly values: readonly LedgerValue[];
}

class Push {
  /** The system that is being called: what goes wrong is its trouble. */
  at: string;
  private readonly caller: Caller;

  constructor(
    private readonly engine: Engine,
    private readonly claim: Claim,
    private readonly options: PushOptions,
  ) {
    this.at = claim.sourceId;
    this.caller = {
      tenantId: claim.tenantId,
      actor: 'system:masterData',
      keyId: null,
      role: 'OPERATOR',
      correlationId: `masterData:${claim.pipelineId}`,
    };
  }

  /** @returns whether all is done. */
  async run(): Promise<boolean> {
    const { engine, claim, caller } = this;
    const { connection } = await engine.connections.spend(claim.tenantId, claim.sourceId);
    let problem: LedgergateError | null = null;
    try {
      if (claim.arePushesDue && !(await this.pushFields(connection))) return false;
    } catch (error) {
      // What a person has to put right about the fields says nothing about the vendors.
      if (!(error instanceof LedgergateError) || error.decision !== 'HOLD') throw error;
      problem = error;
    }
    this.at = claim.sourceId;
    const { vendors } = connection;
    const keepGoing = () => this.keepGoing();
    const isDone = vendors ? await alignVendors(engine, { claim, caller, vendors, keepGoing }) : true;
    if (problem) throw problem;
    return isDone;
  }

  private async pushFields({ masterData }: SpendConnection): Promise<boolean> {
    const { engine, claim } = this;
    if (!masterData) {
      throw new ConfigurationError(`"${claim.sourceName}" takes no master data.`, { code: 'NOT_SUPPORTED' });
    }
    this.at = claim.ledgerId;
    await this.readIfOld();
    const { connection: ledger } = await engine.connections.ledger(claim.tenantId, claim.ledgerId);
    const rules = await ledger.rules();
    this.at = claim.sourceId;
    const { version, fields } = await engine.db.snapshot(claim.tenantId, (tx) => loadFields(tx, claim, rules));
    const counts: Record<string, MasterDataPush> = {};
    for (const { key, name, values } of fields) {
      if (!(await this.keepGoing())) return false;
      const { created, renamed, retired, unchanged } = await masterData.push({ key, name }, values);
      counts[key] = { created, renamed, retired, unchanged };
    }
    await engine.db.tenant(claim.tenantId, async (tx) => {
      await storePush(engine, tx, claim, version, counts);
      this.tellPush(tx, version, counts);
    });
    return true;
  }

  /** @throws what a read of the ledger throws. */
  private async readIfOld(): Promise<void> {
    const { engine, claim, caller } = this;
    const [row] = await engine.db.tenant(claim.tenantId, (tx) =>
      tx.query<{ master_data_read_at: Date | null }>(
        'select master_data_read_at from systems where tenant_id = $1 and id = $2',
        [claim.tenantId, claim.ledgerId],
      ),
    );
    const age = engine.clock.now().getTime() - (row?.master_data_read_at?.getTime() ?? 0);
    if (age > READ_AGAIN_AFTER_MS) await readMasterData(engine, caller, claim.ledgerId);
  }

  private async keepGoing(): Promise<boolean> {
    await this.engine.db.tenant(this.claim.tenantId, (tx) => renew(this.engine, tx, this.claim));
    return !this.options.isStopping();
  }

  private tellPush(tx: Tx, version: string, fields: Readonly<Record<string, MasterDataPush>>): void {
    const total = (count: keyof MasterDataPush) => Object.values(fields).reduce((sum, one) => sum + one[count], 0);
    const counts = ['created', 'renamed', 'retired', 'unchanged'] as const;
    const sums = counts.map((count) => `${total(count)} ${count}`).join(', ');
    recordFor(tx, this.caller, this.engine.clock.now(), {
      action: 'masterData.pushed',
      subjectType: 'Pipeline',
      subjectId: this.claim.pipelineId,
      summary: `What people in "${this.claim.sourceName}" code with was brought in line with the ledger: ${sums}.`,
      after: { masterVersion: version, fields },
    });
  }
}

/** What each field is to hold. A dimension that the ledger has no more is emptied, not forgotten. */
async function loadFields(
  tx: Tx,
  claim: Claim,
  { costCentreDimension }: LedgerRules,
): Promise<{ version: string; fields: Field[] }> {
  const keys = [tx.tenantId, claim.ledgerId];
  const accounts = await tx.query<LedgerValue>(
    `select code, name, active and blocked_reason is null as active from gl_accounts
     where tenant_id = $1 and system_id = $2 order by code`,
    keys,
  );
  if (!accounts.some((account) => account.active)) {
    throw new ConfigurationError(
      'The ledger shows no account that may be posted to, so nothing was pushed: it would have taken every account from the people who code. Look at the ledger connection and refresh its master data.',
      { code: 'NO_ACCOUNTS' },
    );
  }
  const rows = await tx.query<LedgerValue & { dimension: string }>(
    `select dimension, code, name, active from ledger_dimension_values
     where tenant_id = $1 and system_id = $2 order by dimension, code`,
    keys,
  );
  const byKey = new Map<CodingFieldKey, Field & { values: LedgerValue[] }>();
  for (const key of Object.keys(claim.pushedFields) as CodingFieldKey[]) {
    if (key !== 'glAccount') byKey.set(key, { key, name: nameOf(key), values: [] });
  }
  for (const { dimension, ...value } of rows) {
    const key: CodingFieldKey = dimension === costCentreDimension ? 'costCentre' : `dimension:${dimension}`;
    const field = byKey.get(key) ?? { key, name: nameOf(key), values: [] };
    byKey.set(key, field);
    field.values.push(value);
  }
  return {
    version: await masterVersion(tx, claim.ledgerId),
    fields: [{ key: 'glAccount', name: nameOf('glAccount'), values: accounts }, ...byKey.values()],
  };
}

function nameOf(key: CodingFieldKey): string {
  if (key === 'glAccount') return 'Ledger account';
  return key === 'costCentre' ? 'Cost centre' : key.slice('dimension:'.length);
}
