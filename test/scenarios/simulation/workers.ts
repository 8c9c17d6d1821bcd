import type { Connector, FoundDocument, LedgerConnection, LedgerConnector } from '../../../src/connectors/contract.js';
import { ConnectorRegistry } from '../../../src/connectors/registry.js';
import { createLogger } from '../../../src/logger.js';
import { drainLedger } from '../../../src/services/drain.js';
import type { Caller } from '../../../src/services/engine.js';
import { reportToSource } from '../../../src/services/exports.js';
import { LiveConnections } from '../../../src/services/liveConnections.js';
import { pushMasterData } from '../../../src/services/masterDataExport.js';
import { planPipeline } from '../../../src/services/planning.js';
import { attachReceipts } from '../../../src/services/receiptAttachments.js';
import { fetchReceipts } from '../../../src/services/receipts.js';
import { runSync } from '../../../src/services/syncRunner.js';
import type { SystemsParts } from '../../../src/services/systems.js';
import { processWebhook } from '../../../src/services/webhooks.js';
import { type Ground, unique } from './ground.js';
import type { SimJob, SimQueue } from './queue.js';
import { type ProcessWatch, SimDatabase, SimProcess } from './simProcess.js';
import { type SimulatedTime, SkewedClock } from './time.js';

/** A process that works on jobs and answers callers. */
export interface Worker {
  readonly name: string;
  readonly process: SimProcess;
  /** Of the machine that it runs on. */
  readonly clock: SkewedClock;
  readonly engine: SystemsParts;
  readonly connections: LiveConnections;
}

export interface WorkerParts {
  readonly ground: Ground;
  readonly time: SimulatedTime;
  readonly queue: SimQueue;
  readonly connectors: readonly Connector[];
}

let lockKeys = 1_000n;

/** Starts a process: it is in the list of those that live and holds its lock, as a real one does. */
export async function startWorker(
  { ground, time, queue, connectors }: WorkerParts,
  name: string,
  watch: ProcessWatch,
): Promise<Worker> {
  lockKeys += 1n;
  const process = new SimProcess(`sim-${name}-${unique()}`, lockKeys, watch);
  const { secrets, locks, pool, dataSource } = ground;
  const sealer = secrets.sealer();
  const clock = new SkewedClock(time);
  await locks.query('select pg_advisory_lock($1)', [process.lockKey.toString()]);
  await pool.query(
    `insert into processes (id, lock_key, host, pid, roles, started_at) values ($1, $2, 'simulated', 1, 'worker', $3)`,
    [process.processId, process.lockKey.toString(), time.now()],
  );
  const db = new SimDatabase(dataSource, process);
  const logger = createLogger('silent');
  const registry = new ConnectorRegistry(
    connectors.map((one) => (one.role === 'LEDGER' ? oneAtATime(one, process) : one)),
  );
  const connections = new LiveConnections({ db, clock, logger, connectors: registry, sealer });
  const { processId } = process;
  const engine = { db, clock, logger, connectors: registry, connections, jobs: queue, processId, sealer };
  return { name, process, clock, engine, connections };
}

/** Its lock is free at once, as when its connection ends. */
export async function loseLock(ground: Ground, process: SimProcess): Promise<void> {
  await ground.locks.query('select pg_advisory_unlock($1)', [process.lockKey.toString()]);
}

/**
 * A ledger that is asked one thing at a time, and whose documents wait until the process has stored what it is storing:
 * which of two comes first would be decided by the machine and not by the seed.
 */
// biome-ignore lint/suspicious/noExplicitAny: the simulation treats credentials and settings of all connectors alike
function oneAtATime(connector: LedgerConnector<any, any>, process: SimProcess): LedgerConnector {
  return {
    ...connector,
    connect: (context) => {
      const connection = connector.connect(context);
      const findByReference: LedgerConnection['findByReference'] = async (queries) => {
        const found: FoundDocument[] = [];
        for (const query of queries) found.push(...(await connection.findByReference([query])));
        return found;
      };
      const submit: LedgerConnection['submit'] = async (document) => {
        await process.quiet();
        return connection.submit(document);
      };
      return new Proxy(connection, {
        get(target, name) {
          if (name === 'findByReference') return findByReference;
          if (name === 'submit') return submit;
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}

export function work({ engine, process }: Worker, job: SimJob): Promise<unknown> {
  const options = { isStopping: () => process.isStopping };
  const { tenantId } = job.payload;
  switch (job.name) {
    case 'sync.run':
      return runSync(engine, tenantId, job.payload.runId, options);
    case 'plan.pipeline':
      return planPipeline(engine, callerOf(tenantId, 'system:planning'), job.payload.pipelineId, null);
    case 'ledger.drain':
      return drainLedger(engine, tenantId, job.payload.ledgerId, options);
    case 'source.report':
      return reportToSource(engine, tenantId, job.payload.sourceId, options);
    case 'source.receipts':
      return fetchReceipts(engine, tenantId, job.payload.sourceId, options);
    case 'ledger.attach':
      return attachReceipts(engine, tenantId, job.payload.ledgerId, options);
    case 'source.masterData':
      return pushMasterData(engine, tenantId, job.payload.pipelineId, options);
    case 'webhook.process':
      return processWebhook(engine, tenantId, job.payload.systemId, job.payload.messageId);
  }
}

export function callerOf(tenantId: string, actor: string): Caller {
  return { tenantId, actor, keyId: null, role: 'ADMIN', correlationId: `corr-${tenantId}` };
}
