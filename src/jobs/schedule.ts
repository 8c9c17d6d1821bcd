import cron, { type ScheduledTask } from 'node-cron';
import type { Database } from '../entities/database.js';
import { healMasterData } from '../services/masterDataExport.js';
import { keepAlive, watch } from '../services/monitoring.js';
import { fireSchedule, sweep } from '../services/schedules.js';
import type { SystemsParts } from '../services/systems.js';

/**
 * Cron only wakes this process. Whether a fire time starts a run is decided by the database, so that any number of woken
 * workers start one.
 */
export class Schedule {
  private readonly byPipeline = new Map<string, { key: string; task: ScheduledTask }>();
  private readonly fixed: ScheduledTask[] = [];
  private readonly running = new Set<Promise<void>>();
  private isStopped = false;

  constructor(
    private readonly engine: SystemsParts,
    private readonly db: Database,
  ) {}

  async start(): Promise<void> {
    await this.follow();
    this.fixed.push(
      cron.schedule('* * * * *', () => this.do('following the pipelines', () => this.follow()), {
        name: 'follow-pipelines',
        suppressMissedWarning: true,
      }),
      cron.schedule('30 * * * * *', () => this.do('sweeping', () => sweep(this.engine)), {
        name: 'sweep',
        suppressMissedWarning: true,
      }),
      cron.schedule('15 * * * * *', () => this.do('watching', () => watch(this.engine)), {
        name: 'watch',
        suppressMissedWarning: true,
      }),
      // Every hour: what was not looked through for a day is, whichever hours this machine was off.
      cron.schedule('40 * * * *', () => this.do('healing pushed master data', () => healMasterData(this.engine)), {
        name: 'heal-master-data',
        suppressMissedWarning: true,
      }),
      cron.schedule('20 4 * * *', () => this.do('keeping credentials alive', () => keepAlive(this.engine)), {
        name: 'keep-alive',
        suppressMissedWarning: true,
      }),
    );
  }

  /** Takes over what was changed about the pipelines' schedules since the last look. */
  private async follow(): Promise<void> {
    const rows = await this.db.engine((tx) =>
      tx.query<{ tenant_id: string; id: string; schedule: string; time_zone: string }>(
        'select tenant_id, id, schedule, time_zone from pipelines where enabled and schedule is not null',
      ),
    );
    if (this.isStopped) return;
    const wanted = new Map(rows.map((row) => [`${row.tenant_id}/${row.id}`, row]));
    for (const [name, { key, task }] of this.byPipeline) {
      const row = wanted.get(name);
      if (row && key === `${row.schedule} ${row.time_zone}`) continue;
      await task.destroy();
      this.byPipeline.delete(name);
    }
    for (const [name, row] of wanted) {
      if (this.byPipeline.has(name)) continue;
      const fire = ({ date }: { date: Date }) =>
        this.do('firing a schedule', () => fireSchedule(this.engine, row.tenant_id, row.id, date));
      const task = cron.schedule(row.schedule, fire, { timezone: row.time_zone, name, suppressMissedWarning: true });
      // What cron calls missed was more than a second late: a busy or suspended machine. Late is better than a day later.
      task.on('execution:missed', fire);
      this.byPipeline.set(name, { key: `${row.schedule} ${row.time_zone}`, task });
    }
  }

  private async do(what: string, work: () => Promise<unknown>): Promise<void> {
    const run = work().then(
      () => undefined,
      (error: unknown) => this.engine.logger.error({ err: error }, `${what} failed`),
    );
    this.running.add(run);
    await run;
    this.running.delete(run);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const task of [...this.fixed, ...[...this.byPipeline.values()].map((one) => one.task)]) await task.destroy();
    await Promise.all(this.running);
  }
}
