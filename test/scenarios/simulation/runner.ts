import { type ChildProcess, fork } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../../src/entities/migrate.js';
import { startEmbeddedPostgres } from '../../../src/platform/embeddedPostgres.js';
import type { PlayerAnswer, PlayerOrder } from './player.js';
import { Totals } from './report.js';
import type { SeedOptions, SeedReport } from './simulate.js';

/** The machine does not fail here, so the database need not wait for the disk; and a history is too small for a compiler. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', jit: 'off', autovacuum: 'off' };
const TEMPLATE = 'simulated_template';
/** A player and its database are replaced after so many histories, so that neither grows however long this runs. */
const SEEDS_A_PLAYER = 250;
/** A history takes a second or two. One that takes this long waits for something that never comes. */
const SEED_WITHIN_MS = 300_000;

export interface RunOptions {
  readonly seeds: Iterable<number>;
  readonly processes: number;
  /** Of every history; see `SeedOptions`. */
  readonly shape: Omit<SeedOptions, 'seed'>;
  /** Where the compiled product is. */
  readonly productFolder: string;
  readonly wantsStories?: boolean;
  /** Called for every history that ended, in the order in which they end. */
  readonly onReport?: (report: SeedReport, totals: Totals) => void;
  readonly signal?: AbortSignal;
}

/** Plays histories in several processes side by side, on one database server of their own. */
export async function runSeeds(options: RunOptions): Promise<Totals> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-simulate-'));
  chmodSync(folder, 0o711);
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings: QUICK });
  try {
    await makeTemplate(server.connectionString);
    const totals = new Totals();
    const seeds = options.seeds[Symbol.iterator]();
    const desks = Array.from({ length: options.processes }, () => {
      return new Desk(options, server.connectionString, seeds, totals).work();
    });
    await Promise.all(desks);
    return totals;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeTemplate(serverUrl: string): Promise<void> {
  await onServer(serverUrl, `create database ${TEMPLATE}`);
  await migrate(databaseUrl(serverUrl, TEMPLATE));
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer(serverUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl, application_name: 'simulation-runner' });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

let databases = 0;

/** Keeps one player at work, one after the other. */
class Desk {
  private readonly options: RunOptions;
  private readonly serverUrl: string;
  private readonly seeds: Iterator<number>;
  private readonly totals: Totals;

  constructor(options: RunOptions, serverUrl: string, seeds: Iterator<number>, totals: Totals) {
    this.options = options;
    this.serverUrl = serverUrl;
    this.seeds = seeds;
    this.totals = totals;
  }

  async work(): Promise<void> {
    let next = this.next();
    while (next !== null) {
      databases += 1;
      const name = `simulated_${databases}`;
      await onServer(this.serverUrl, `create database ${name} template ${TEMPLATE}`);
      const player = new Player(this.options.productFolder, databaseUrl(this.serverUrl, name));
      try {
        for (let played = 0; next !== null && played < SEEDS_A_PLAYER && player.isAlive; played += 1) {
          const { shape, wantsStories = false } = this.options;
          const report = await player.play({ options: { ...shape, seed: next }, wantsStory: wantsStories });
          // A history that was broken off because the run is ended has shown nothing, for or against.
          if (!player.isAlive && this.options.signal?.aborted) return;
          this.totals.add(report);
          this.options.onReport?.(report, this.totals);
          next = this.next();
        }
      } finally {
        this.totals.noteMemory(await player.end());
      }
      await onServer(this.serverUrl, `drop database ${name} with (force)`);
    }
  }

  private next(): number | null {
    if (this.options.signal?.aborted) return null;
    const { done, value } = this.seeds.next();
    return done ? null : value;
  }
}

const PLAYER_ENDS_WITHIN_MS = 10_000;

/** A process that plays histories. */
class Player {
  isAlive = true;
  private readonly child: ChildProcess;
  private readonly ended: Promise<string>;
  private rssMb = 0;

  constructor(productFolder: string, connectionString: string) {
    this.child = fork(join(import.meta.dirname, 'playerMain.ts'), [productFolder], {
      // The runner's own ways of loading are none of the player's business.
      execArgv: [],
      env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, SIMULATED_DATABASE: connectionString },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.isAlive = false;
        resolve(`The process that played it ended (${code ?? signal}).`);
      });
    });
  }

  async play(order: PlayerOrder): Promise<SeedReport> {
    const { promise, resolve } = Promise.withResolvers<PlayerAnswer>();
    this.child.once('message', (answer) => resolve(answer as PlayerAnswer));
    const timer = setTimeout(() => this.child.kill('SIGKILL'), SEED_WITHIN_MS);
    this.child.send(order);
    const answer = await Promise.race([promise, this.ended]);
    clearTimeout(timer);
    if (typeof answer === 'string') return endedReport(order.options.seed, answer);
    this.rssMb = Math.max(this.rssMb, answer.rssMb);
    return answer.report;
  }

  /** @returns the most memory that it had, in MB. */
  async end(): Promise<number> {
    if (this.isAlive) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PLAYER_ENDS_WITHIN_MS);
    await this.ended;
    clearTimeout(timer);
    return this.rssMb;
  }
}

/** Of a history that took its process with it. */
function endedReport(seed: number, reason: string): SeedReport {
  return {
    ...{ seed, ledger: null, source: null, digest: '', story: [], broken: [reason] },
    ...{ calls: 0, disturbed: 0, faults: {}, mishaps: {}, steps: {}, did: {}, documents: 0, endings: {}, ms: 0 },
  };
}
