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
    if (broken.length > 0) story.push(...(await trailOf(world)));
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

/** What the product itself tells of its documents, for whoever looks into a failure. */
async function trailOf(world: World): Promise<string[]> {
  const postings = await world.rows<Record<string, string | null>>(
    `select p.reference, p.status, p.ledger_document_id, r.reference as reverses, a.reference as after, p.total::text,
       (select string_agg(ps.spend_record_id || ' ' || ps.amount, ', ') from posting_spend ps
         where ps.tenant_id = p.tenant_id and ps.posting_id = p.id) as books
     from postings p left join postings r on r.tenant_id = p.tenant_id and r.id = p.reverses_id
     left join postings a on a.tenant_id = p.tenant_id and a.id = p.after_id where p.tenant_id = $1 order by p.id`,
  );
  const events = await world.rows<{ occurred_at: Date; action: string; subject: string | null; summary: string }>(
    `select e.occurred_at, e.action, coalesce(p.reference, e.subject_id) as subject, e.summary from audit_events e
     left join postings p on p.tenant_id = e.tenant_id and p.id = e.subject_id
     where e.tenant_id = $1 and (e.action like 'posting.%' or e.action like 'spend.%') order by e.sequence`,
  );
  const systems = await world.rows<{ name: string; status: string }>(
    'select name, status from systems where tenant_id = $1 order by name',
  );
  const alerts = await world.rows<{ code: string; message: string }>(
    'select code, message from alerts where tenant_id = $1 and resolved_at is null order by raised_at',
  );
  return [
    ...alerts.map(({ code, message }) => `Alert ${code}: ${message}`),
    `Its systems: ${systems.map(({ name, status }) => `${name} ${status}`).join(', ')}`,
    'Its trail:',
    ...events.map((one) => `  ${one.occurred_at.toISOString()} ${one.action} ${one.subject}: ${one.summary}`),
    'Its postings:',
    ...postings.map((one) => `  ${JSON.stringify(one)}`),
  ];
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
