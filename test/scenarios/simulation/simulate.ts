import { hash } from 'node:crypto';
import { endReads } from './connection.js';
import type { Ground } from './ground.js';
import type { LedgerKind } from './ledgers.js';
import { Promises } from './promises.js';
import { settle } from './settle.js';
import type { SourceKind } from './source.js';
import { drawStep, STEPS } from './steps.js';
import { World } from './world.js';

export interface SeedOptions {
  readonly seed: number;
  readonly ledger?: LedgerKind | undefined;
  readonly source?: SourceKind | undefined;
  readonly steps?: number | undefined;
}

export interface SeedReport {
  readonly seed: number;
  /** null = nobody knows: the process that played it ended before it could say. */
  readonly ledger: LedgerKind | null;
  readonly source: SourceKind | null;
  /** Of all that happened: the story, the audit trail and the ledger's documents. The same for the same seed. */
  readonly digest: string;
  /** The history, one line a step; the same for the same seed. */
  readonly story: readonly string[];
  readonly broken: readonly string[];
  readonly calls: number;
  readonly disturbed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly mishaps: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, number>>;
  /** What was really done, by kind; what was refused does not count. */
  readonly did: Readonly<Record<string, number>>;
  readonly documents: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly ms: number;
}

/** Of a whole history. The gate plays shorter ones, and many more of them. */
const STEPS_LEAST = 25;
const STEPS_MOST = 60;

/** One whole history from its number. Stops at the first step after which a promise is broken. */
export async function simulate(ground: Ground, options: SeedOptions): Promise<SeedReport> {
  const startedAt = process.hrtime.bigint();
  const story: string[] = [];
  const steps: Record<string, number> = {};
  const others = await othersDigest(ground);
  const world = await World.begin(ground, { ...options, say: (line) => story.push(line) });
  const promises = new Promises(world);
  let broken: string[] = [];
  let digest = '';
  try {
    const { ledger, pipeline } = world;
    story.push(
      `${world.sourceKind} to ${ledger.connector.kind} ${JSON.stringify({ ...pipeline, sourceId: undefined, ledgerId: undefined })}`,
    );
    const count = options.steps ?? world.random.int(STEPS_LEAST, STEPS_MOST);
    for (let index = 1; index <= count && broken.length === 0; index += 1) {
      const name = drawStep(world, index);
      steps[name] = (steps[name] ?? 0) + 1;
      const told = await STEPS[name]?.[1](world);
      await endReads();
      story.push(`${String(index).padStart(4)}  ${name}: ${told}`);
      broken = await promises.brokenNow();
    }
    if (broken.length === 0) {
      await settle(world);
      broken = await promises.brokenAtTheEnd();
    }
    digest = await digestOf(world, story);
  } catch (error) {
    broken.push(`The history ended with an error: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    if (broken.length > 0) story.push(...(await trailOf(world)));
    await world.end();
    await endReads();
  }
  if ((await othersDigest(ground, world.tenantId)) !== others) broken.push('Another tenant was touched');
  const { calls, disturbed, byKind } = world.faults.counts;
  return {
    ...{ seed: options.seed, ledger: world.kind, source: world.sourceKind, digest, story, broken },
    ...{ calls, disturbed, faults: byKind, did: world.did },
    ...{ mishaps: world.mishaps as Record<string, number>, steps, endings: world.endings },
    documents: world.documents,
    ms: Number(process.hrtime.bigint() - startedAt) / 1e6,
  };
}

/** Ids and references are made anew for every history: each is replaced by the order in which it comes. */
async function digestOf(world: World, story: readonly string[]): Promise<string> {
  const events = await world.rows<{ occurred_at: Date; actor: string; action: string; summary: string }>(
    'select occurred_at, actor, action, summary from audit_events where tenant_id = $1 order by sequence',
  );
  const documents = world.ledger.sandbox.documents();
  const log = [
    ...story,
    ...events.map((one) => `${one.occurred_at.toISOString()} ${one.actor} ${one.action} ${one.summary}`),
    ...documents.map((one) => JSON.stringify(one)),
  ].join('\n');
  const names = new Map<string, string>();
  const named = log.replace(MADE_ANEW, (id) => {
    const name = names.get(id) ?? `id${names.size}`;
    names.set(id, name);
    return name;
  });
  return hash('sha256', named, 'hex');
}

const MADE_ANEW =
  /\b(?:[a-z]+_[0-9a-f]{32}|[A-Z][A-Z0-9]{14}|[0-9a-f]{64}|seed-\d+-[0-9a-f]{10}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\b|127\.0\.0\.1:\d+/g;

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
