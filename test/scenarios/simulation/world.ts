import { LedgergateError } from '../../../src/errors.js';
import type { Outcome } from '../../../src/services/outcome.js';
import { createPipeline, setMappingRules } from '../../../src/services/pipelines.js';
import { connectSystem } from '../../../src/services/systems.js';
import type { PipelineRequest } from '../../../src/services/useCases.js';
import { Random } from '../support/random.js';
import { type Ground, unique } from './ground.js';
import { moveAccount, movePeriod } from './ledgerSteps.js';
import {
  CLEARING,
  LEDGER_KINDS,
  type LedgerKind,
  type SimLedger,
  SUBMIT_TIMEOUT_S,
  startLedger,
  TAX_CODE,
} from './ledgers.js';
import { CATEGORIES } from './purchase.js';
import { type SimJob, SimQueue } from './queue.js';
import type { Secrets } from './secrets.js';
import type { Mishap, MishapKind } from './simProcess.js';
import type { SourceKind, SpendSource } from './source.js';
import { startSource } from './sources.js';
import { liveIn, SimulatedTime } from './time.js';
import { VendorFaults } from './vendorFaults.js';
import { callerOf, loseLock, startWorker, type Worker, work } from './workers.js';

export interface WorldOptions {
  readonly seed: number;
  readonly ledger?: LedgerKind | undefined;
  readonly source?: SourceKind | undefined;
  readonly say: (line: string) => void;
}

interface PausedJob {
  readonly worker: Worker;
  readonly job: SimJob;
  readonly work: Promise<Ended>;
  readonly sinceMs: number;
}

type Ended = { readonly error: unknown } | { readonly error: null };

const WORKERS = 3;
/** Longer than any claim holds. */
const LEASE_AT_MOST_MS = (SUBMIT_TIMEOUT_S + 60) * 1_000;
const SHARES = [0.1, 0.12, 0.15, 0.2, 0.3];
/** The source in memory can do the most, and is the quickest. */
const SOURCES: readonly SourceKind[] = ['MEMORY', 'MEMORY', 'MEMORY', 'BREX', 'BREX', 'EXPENSIFY'];

/** One seed's history as it stands: its tenant, the systems that it is connected to, and the processes that serve it. */
export class World {
  readonly random: Random;
  readonly time = new SimulatedTime();
  readonly faults: VendorFaults;
  readonly queue: SimQueue;
  readonly workers: Worker[] = [];
  readonly paused: PausedJob[] = [];
  readonly mishaps: Partial<Record<MishapKind, number>> = {};
  /** What went against a promise while a step was done. */
  readonly broken: string[] = [];
  readonly ground: Ground;
  readonly tenantId: string;
  readonly kind: LedgerKind;
  readonly say: (line: string) => void;
  readonly sourceKind: SourceKind;
  readonly secrets: Secrets;
  /** What was done, by kind: a refusal does not count. */
  readonly did: Record<string, number> = {};
  /** Something in the ledger was closed or blocked at some time. */
  wasLedgerChanged = false;
  isLedgerCredentialWrong = false;
  /** The source has another one than was entered. */
  isSourceCredentialOld = false;
  /** Numbers of the deliveries so far. */
  readonly messages: number[] = [];
  /** Transactions so far that may have changed something. */
  writes = 0;
  /** What the purchases were in the end, by status. */
  readonly endings: Record<string, number> = {};
  /** In the ledger in the end. */
  documents = 0;
  mishapsOn = true;
  ledger!: SimLedger;
  source!: SpendSource;
  pipeline!: PipelineRequest;
  sourceId = '';
  ledgerId = '';
  pipelineId = '';
  private backToLife: () => void = () => undefined;
  private started = 0;
  private wasHit = false;
  readonly everyWorker: Worker[] = [];

  private constructor(ground: Ground, { seed, ledger, source, say }: WorldOptions) {
    this.ground = ground;
    this.say = say;
    this.tenantId = `seed-${seed}-${unique()}`;
    this.random = new Random(seed * 2_654_435_761);
    // Drawn even where it is given, so that a failure seen without `--ledger` is the same history with it.
    const drawn = this.random.pick(LEDGER_KINDS);
    this.kind = ledger ?? drawn;
    const drawnSource = this.random.pick(SOURCES);
    this.sourceKind = source ?? drawnSource;
    this.secrets = ground.secrets;
    this.faults = new VendorFaults(this.stream(), this.time, this.random.pick(SHARES));
    this.queue = new SimQueue(this.time, ground.pool, this.tenantId);
  }

  static async begin(ground: Ground, options: WorldOptions): Promise<World> {
    const world = new World(ground, options);
    const jitter = world.stream();
    world.backToLife = liveIn(world.time, () => jitter.next());
    try {
      await world.setUp();
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  /** Random numbers of their own, so that one kind of event does not change the others. */
  private stream(): Random {
    return new Random(Math.floor(this.random.next() * 2 ** 32));
  }

  private async setUp(): Promise<void> {
    this.secrets.begin();
    this.faults.isOn = false;
    this.ledger = await startLedger(this.kind, this.time);
    this.faults.standAt(this.ledger.sandbox.faults, 'ledger');
    this.source = await startSource(this.sourceKind, this.time);
    this.source.standUnder(this.faults);
    this.faults.meanwhile = () => {
      this.note('ledger changed while in use');
      this.say(`      meanwhile ${this.random.chance(0.7) ? movePeriod(this) : moveAccount(this)}`);
    };
    await this.ground.pool.query('insert into tenants (id, name) values ($1, $1)', [this.tenantId]);
    for (let count = 0; count < WORKERS; count += 1) await this.addWorker();
    const { engine } = this.anyWorker();
    const caller = callerOf(this.tenantId, 'user:ana');
    const { credentials, settings, sandbox, connector } = this.ledger;
    this.sourceId = done(await connectSystem(engine, caller, { name: 'Cards', ...this.source.access })).id;
    this.ledgerId = done(
      await connectSystem(engine, caller, {
        ...{ kind: connector.kind, name: 'Books', baseUrl: sandbox.baseUrl, credentials, settings },
      }),
    ).id;
    this.pipeline = this.drawPipeline();
    this.pipelineId = done(await createPipeline(engine, caller, this.pipeline)).id;
    done(
      await setMappingRules(engine, caller, {
        pipelineId: this.pipelineId,
        rules: rulesFor(CATEGORIES.slice(0, 2), (index) => ['6100', '6110'][index] ?? '', this.random.chance(0.3)),
      }),
    );
    await this.queue.clear();
    this.faults.isOn = true;
  }

  private drawPipeline(): PipelineRequest {
    const { random } = this;
    const takesInvoices = this.ledger.connector.documentTypes.includes('SUPPLIER_INVOICE');
    const isJournal = random.chance(0.65) || !takesInvoices;
    const documentType = isJournal ? 'JOURNAL' : 'SUPPLIER_INVOICE';
    return {
      ...{ name: 'Cards to books', sourceId: this.sourceId, ledgerId: this.ledgerId, streams: this.source.streams },
      documentType,
      grouping: isJournal && random.chance(0.4) ? 'DAILY' : 'PER_RECORD',
      ...{ schedule: null, timeZone: 'UTC', offsetAccount: CLEARING },
      defaultAccount: random.chance(0.5) ? '6130' : null,
      unmatchedVendor: isJournal ? 'POST_WITHOUT_SUPPLIER' : random.pick(['HOLD', 'CREATE_SUPPLIER'] as const),
      postingDate: random.pick(['TRANSACTION_DATE', 'TRANSACTION_DATE', 'SYNC_DATE'] as const),
      closedPeriod: random.pick(['HOLD', 'NEXT_OPEN_PERIOD'] as const),
      coding: random.pick(['RICHEST', 'FIRST'] as const),
      correction: random.chance(0.75) ? 'REVERSE_AND_REPLACE' : 'HOLD',
      requireApproval: random.chance(0.15),
      ...{ exportMasterData: false, enabled: true },
    };
  }

  // ── processes ──────────────────────────────────────────────────────────────────────────────

  async addWorker(): Promise<Worker> {
    this.started += 1;
    const { ground, time, queue, source, ledger } = this;
    const connectors = [source.connector, ledger.connector];
    const worker = await startWorker({ ground, time, queue, connectors }, `w${this.started}`, {
      onHit: (kind) => {
        this.wasHit = true;
        this.mishaps[kind] = (this.mishaps[kind] ?? 0) + 1;
      },
      onWrite: () => {
        this.writes += 1;
      },
    });
    this.workers.push(worker);
    this.everyWorker.push(worker);
    return worker;
  }

  anyWorker(): Worker {
    return this.random.pick(this.workers.filter(({ process }) => !process.isPaused));
  }

  /** A process that only looks: nothing goes wrong in it. */
  anyLooker(): Worker {
    const looker = this.workers.find(({ process }) => !process.isPaused);
    if (!looker) throw new Error('No process is left.');
    looker.process.expect(null);
    return looker;
  }

  /** It is gone, and another one takes its place. */
  async bury(worker: Worker): Promise<void> {
    worker.process.die();
    await loseLock(this.ground, worker.process);
    const index = this.workers.indexOf(worker);
    if (index >= 0) this.workers.splice(index, 1);
    await this.addWorker();
  }

  // ── work ───────────────────────────────────────────────────────────────────────────────────

  private drawMishap(): Mishap | null {
    if (!this.mishapsOn || !this.random.chance(0.3)) return null;
    const kind = this.random.pick<MishapKind>([
      ...(['CUT', 'CUT_AT_COMMIT', 'COMMIT_UNHEARD', 'DIES_AT_STATEMENT'] as const),
      ...(['DIES_BEFORE_CALL', 'DIES_AFTER_CALL', 'PAUSES_BEFORE_TRANSACTION', 'PAUSES_AFTER_CALL'] as const),
    ]);
    const isStatement = kind === 'CUT' || kind === 'DIES_AT_STATEMENT';
    return { kind, at: Math.floor(this.random.spread(1, isStatement ? 80 : 12)) };
  }

  /**
   * One job that may start now, in a process of the seed's choice.
   * @returns false when there is none.
   */
  async runJob(): Promise<boolean> {
    const worker = this.anyWorker();
    const job = await this.queue.take((jobs) => this.random.pick(jobs));
    if (job === null) return false;
    const canPause = this.paused.length === 0;
    const mishap = this.drawMishap();
    const isPause = mishap?.kind.startsWith('PAUSES') ?? false;
    worker.process.expect(isPause && !canPause ? null : mishap);
    this.wasHit = false;
    this.faults.caller = worker.process;
    const paused = worker.process.whenPaused();
    const ended = endOf(work(worker, job));
    const first = await Promise.race([ended, paused]);
    worker.process.expect(null);
    if (first === 'PAUSED') await this.leavePaused({ worker, job, work: ended, sinceMs: this.time.nowMs });
    else await this.finish(worker, job, first);
    return true;
  }

  private async leavePaused(paused: PausedJob): Promise<void> {
    this.paused.push(paused);
    const { worker, job } = paused;
    const isTakenOver = this.random.chance(0.7);
    this.say(`      ${worker.name} pauses in ${job.name}${isTakenOver ? '; its job is given to others' : ''}`);
    if (!isTakenOver) return;
    this.note('taken over while paused');
    if (this.random.chance(0.5)) await loseLock(this.ground, worker.process);
    worker.process.isStopping = this.random.chance(0.5);
    await this.queue.revive(job);
  }

  async resume(): Promise<boolean> {
    const paused = this.paused.shift();
    if (!paused) return false;
    const { worker, job } = paused;
    if (this.time.nowMs - paused.sinceMs > LEASE_AT_MOST_MS) this.note('paused past its lease');
    this.wasHit = true;
    this.faults.caller = worker.process;
    worker.process.resume();
    const ended = await paused.work;
    this.say(
      `      ${worker.name} goes on with ${job.name}${ended.error === null ? '' : ` and fails: ${String(ended.error)}`}`,
    );
    await this.finish(worker, job, ended);
    // It may have lost its lock or been told to stop; a new process follows it.
    await this.bury(worker);
    return true;
  }

  private async finish(worker: Worker, job: SimJob, { error }: Ended): Promise<void> {
    const { process } = worker;
    const label = `${worker.name} ${job.name}`;
    if (process.isDead) {
      this.say(`      ${label}: the process died`);
      await this.bury(worker);
      await this.queue.revive(job);
    } else if (error === null) {
      this.say(`      ${label}`);
      await this.queue.done(job);
    } else {
      this.say(`      ${label} failed: ${String(error)}`);
      if (!this.wasHit && !isForeseenError(error))
        this.broken.push(`${job.name} failed although nothing happened to its process: ${textOf(error)}`);
      await this.queue.failed(job);
    }
  }

  /** Something that a caller asks of one of the processes; one that was hit is asked again, as callers do. */
  async ask<T>(request: (engine: Worker['engine']) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const worker = this.anyWorker();
      const mishap = attempt === 1 ? this.drawMishap() : null;
      worker.process.expect(mishap?.kind.startsWith('PAUSES') ? null : mishap);
      this.wasHit = false;
      this.faults.caller = worker.process;
      try {
        return await request(worker.engine);
      } catch (error) {
        if (!this.wasHit) throw error;
        this.say(`      ${worker.name} could not answer: ${String(error)}`);
      } finally {
        worker.process.expect(null);
        if (worker.process.isDead) await this.bury(worker);
      }
    }
  }

  /** @returns what broke it off when the process was hit meanwhile. */
  async underMishap(worker: Worker, work: () => Promise<unknown>): Promise<unknown> {
    const isHit = this.mishapsOn && this.random.chance(0.5);
    const kind = this.random.pick<MishapKind>(['CUT', 'CUT_AT_COMMIT', 'COMMIT_UNHEARD', 'DIES_AT_STATEMENT']);
    worker.process.expect(isHit ? { kind, at: this.random.int(1, kind === 'CUT_AT_COMMIT' ? 4 : 12) } : null);
    this.wasHit = false;
    this.faults.caller = worker.process;
    try {
      await work();
      return null;
    } catch (error) {
      if (!this.wasHit) throw error;
      return error;
    } finally {
      worker.process.expect(null);
      if (worker.process.isDead) await this.bury(worker);
    }
  }

  note(what: string): void {
    this.did[what] = (this.did[what] ?? 0) + 1;
  }

  async rows<Row extends object>(sql: string, ...parameters: readonly unknown[]): Promise<Row[]> {
    const { rows } = await this.ground.pool.query<Row>(sql, [this.tenantId, ...parameters]);
    return rows;
  }

  async end(): Promise<void> {
    try {
      while (this.paused.length > 0) await this.resume();
      for (const { process, connections } of this.everyWorker) {
        process.die();
        await connections.closeAll({ lastProcess: true });
        await loseLock(this.ground, process);
      }
      await this.ground.pool.query('delete from processes where id = any($1)', [
        this.everyWorker.map(({ process }) => process.processId),
      ]);
      await this.queue.clear();
      // A later history of this database has another master key.
      for (const table of ['ledger_sessions', 'credentials']) {
        await this.ground.pool.query(`delete from ${table} where tenant_id = $1`, [this.tenantId]);
      }
      await this.ledger?.sandbox.close();
      await this.source?.close();
    } finally {
      this.backToLife();
    }
  }
}

/** @param withTax the categories are taxed: the tax that the source states becomes a line of its own. */
export function rulesFor(categories: readonly string[], accountOf: (index: number) => string, withTax: boolean) {
  return categories.map((category, index) => {
    return { category, glAccount: accountOf(index), taxCode: withTax ? TAX_CODE : null };
  });
}

function endOf(job: Promise<unknown>): Promise<Ended> {
  return job.then(
    () => ({ error: null }),
    (error: unknown) => ({ error }),
  );
}

function isForeseenError(error: unknown): boolean {
  return error instanceof LedgergateError && error.decision !== 'STOP';
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

export function done<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`Refused: ${JSON.stringify(outcome.problems)}`);
  return outcome.value;
}
