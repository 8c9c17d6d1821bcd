import type { Ground } from './ground.js';
import type { LedgerKind } from './ledgers.js';
import { brokenAtTheEnd, brokenNow } from './promises.js';
import { settle } from './settle.js';
import { drawStep, STEPS } from './steps.js';
import { World } from './world.js';

export interface SeedOptions {
  readonly seed: number;
  readonly ledger?: LedgerKind | undefined;
  readonly steps?: number | undefined;
}

export interface SeedReport {
  readonly seed: number;
  readonly ledger: LedgerKind;
  /** The history, one line a step; the same for the same seed. */
  readonly story: readonly string[];
  readonly broken: readonly string[];
  readonly calls: number;
  readonly disturbed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly mishaps: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, number>>;
  readonly documents: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly ms: number;
}

const STEPS_LEAST = 25;
const STEPS_MOST = 60;

/** One whole history from its number. Stops at the first step after which a promise is broken. */
export async function simulate(ground: Ground, options: SeedOptions): Promise<SeedReport> {
  const startedAt = process.hrtime.bigint();
  const story: string[] = [];
  const steps: Record<string, number> = {};
  const others = await othersDigest(ground);
  const world = await World.begin(ground, { ...options, say: (line) => story.push(line) });
  let broken: string[] = [];
  try {
    const { ledger, pipeline } = world;
    story.push(`${ledger.connector.kind} ${JSON.stringify({ ...pipeline, sourceId: undefined, ledgerId: undefined })}`);
    const count = options.steps ?? world.random.int(STEPS_LEAST, STEPS_MOST);
    for (let index = 1; index <= count && broken.length === 0; index += 1) {
      const name = drawStep(world);
      steps[name] = (steps[name] ?? 0) + 1;
      const told = await STEPS[name]?.[1](world);
      story.push(`${String(index).padStart(4)}  ${name}: ${told}`);
      broken = await brokenNow(world);
    }
    if (broken.length === 0) {
      await settle(world);
      broken = await brokenAtTheEnd(world);
    }
  } catch (error) {
    broken.push(`The history ended with an error: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    await world.end();
  }
  if ((await othersDigest(ground, world.tenantId)) !== others) broken.push('Another tenant was touched');
  const { calls, disturbed, byKind } = world.faults.counts;
  return {
    ...{ seed: options.seed, ledger: world.kind, story, broken, calls, disturbed, faults: byKind },
    ...{ mishaps: world.mishaps as Record<string, number>, steps, endings: world.endings },
    documents: world.documents,
    ms: Number(process.hrtime.bigint() - startedAt) / 1e6,
  };
}

/** Every other tenant's whole trail in one value: its last hash depends on all that ever happened to it. */
async function othersDigest({ pool }: Ground, except = ''): Promise<string> {
  const { rows } = await pool.query<{ digest: string | null }>(
    `select md5(string_agg(tenant_id || sequence || hash, ' ' order by tenant_id)) as digest from audit_heads
     where tenant_id <> $1`,
    [except],
  );
  return rows[0]?.digest ?? '';
}
