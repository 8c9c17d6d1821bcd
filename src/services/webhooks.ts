import { isUtf8 } from 'node:buffer';
import type { SpendConnector, WebhookReceiver } from '../connectors/contract.js';
import type { SpendStream, SystemKind } from '../domain/vocabulary.js';
import { InputError, LedgergateError } from '../errors.js';
import { record, recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { storable } from './storableText.js';
import { triggerSync } from './syncs.js';
import type { SystemsParts } from './systems.js';
import { Together } from './together.js';
import { openBundle, storeSecretSetting } from './vault.js';

/** A request on `/webhooks/…`, as it arrived. */
export interface WebhookRequest {
  /** From `/webhooks/{systemId}`; null for the address that all customers of a partner app share. */
  readonly systemId: string | null;
  /** From `/webhooks/brex`: whose deliveries arrive there. */
  readonly kind: SystemKind | null;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The exact bytes: the signature is over them. */
  readonly rawBody: Buffer;
}

export interface WebhookAnswer {
  readonly status: 200 | 401 | 404 | 413;
  readonly body: { readonly message: string };
}

const BODY_MAX_BYTES = 1024 * 1024;
/** How often a delivery that no known secret fits makes us ask the vendor for its secrets: anyone can send such ones. */
const REFETCH_EVERY_MS = 5 * 60_000;
/** One delivery is for one company; a company is connected by few tenants. */
const CANDIDATES_MAX = 20;

const NOTHING_HERE: WebhookAnswer = { status: 404, body: { message: 'There is no such system.' } };
const NOT_GENUINE: WebhookAnswer = { status: 401, body: { message: 'The signature is wrong, missing or too old.' } };
const TOO_LARGE: WebhookAnswer = { status: 413, body: { message: 'A delivery has at most 1 MiB.' } };
const ACCEPTED: WebhookAnswer = { status: 200, body: { message: 'Received.' } };

interface Candidate {
  readonly tenantId: string;
  readonly systemId: string;
  readonly kind: SystemKind;
  readonly name: string;
  readonly settings: Record<string, unknown>;
  readonly sealed: Buffer;
  readonly connector: SpendConnector;
  readonly receiver: WebhookReceiver<unknown>;
}

/**
 * Takes one delivery: checks who it is from, stores it with the job that works on it, and answers. A repeat of one that
 * is stored already is answered the same and changes nothing. The work itself never happens before the answer.
 */
export async function receiveWebhook(engine: SystemsParts, request: WebhookRequest): Promise<WebhookAnswer> {
  if (request.rawBody.length > BODY_MAX_BYTES) return TOO_LARGE;
  const body = parsed(request.rawBody);
  const candidates = await findCandidates(engine, request, body);
  if (candidates.length === 0) return NOTHING_HERE;
  const verified = await firstVerified(engine, request, candidates);
  if (!verified) return NOT_GENUINE;
  await store(engine, verified.candidate, verified.messageId, body ?? request.rawBody.toString('latin1'));
  return ACCEPTED;
}

/** The JSON of the body; null when it is none. */
function parsed(rawBody: Buffer): unknown {
  if (!isUtf8(rawBody)) return null;
  try {
    return JSON.parse(rawBody.toString('utf8')) as unknown;
  } catch {
    return null;
  }
}

// ── whose it is ──────────────────────────────────────────────────────────────────────────────

interface FoundSystem {
  tenant_id: string;
  id: string;
  kind: SystemKind;
  name: string;
  settings: Record<string, unknown>;
  sealed: Buffer;
}

/** By the address, or by the company that the body names. The body only chooses whose secrets are tried: it proves nothing. */
async function findCandidates(engine: SystemsParts, request: WebhookRequest, body: unknown): Promise<Candidate[]> {
  const companyId = request.systemId === null ? companyIn(engine, request.kind, body) : null;
  if (request.systemId === null && companyId === null) return [];
  const rows = await engine.db.lookup<FoundSystem>(
    `select s.tenant_id, s.id, s.kind, s.name, s.settings, c.sealed
     from systems s join credentials c on c.tenant_id = s.tenant_id and c.system_id = s.id
     where s.status <> 'DISABLED' and s.role = 'SPEND'
       and case when $1::text is null then s.kind = $2 and s.company_id = $3 else s.id = $1 end
     order by s.created_at limit ${CANDIDATES_MAX}`,
    [request.systemId, request.kind, companyId],
  );
  return rows.flatMap((row): Candidate[] => {
    const connector = engine.connectors.find(row.kind);
    if (connector?.role !== 'SPEND' || !connector.webhooks) return [];
    const { tenant_id: tenantId, id: systemId, ...facts } = row;
    return [{ ...facts, tenantId, systemId, connector, receiver: connector.webhooks }];
  });
}

function companyIn(engine: Engine, kind: SystemKind | null, body: unknown): string | null {
  const connector = kind === null ? undefined : engine.connectors.find(kind);
  if (connector?.role !== 'SPEND' || !connector.webhooks) return null;
  try {
    return connector.webhooks.translate(body).companyId;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

// ── whether it is genuine ────────────────────────────────────────────────────────────────────

async function firstVerified(
  engine: SystemsParts,
  request: WebhookRequest,
  candidates: readonly Candidate[],
): Promise<{ candidate: Candidate; messageId: string } | null> {
  const now = engine.clock.now();
  const check = (candidate: Candidate, secrets: readonly string[]) => {
    const messageId = candidate.receiver.verify(request.headers, request.rawBody, secrets, now);
    return messageId === null ? null : { candidate, messageId };
  };
  for (const candidate of candidates) {
    const verified = check(candidate, storedSecrets(engine, candidate));
    if (verified) return verified;
  }
  // The vendor may have new secrets since we last asked.
  for (const candidate of candidates) {
    const secrets = await refetchSecrets(engine, candidate);
    const verified = secrets === null ? null : check(candidate, secrets);
    if (verified) return verified;
  }
  return null;
}

function storedSecrets(engine: SystemsParts, candidate: Candidate): readonly string[] {
  const { settings } = openBundle(engine.sealer, candidate.sealed, candidate.tenantId, candidate.systemId);
  const merged = candidate.connector.settingsSchema.safeParse({ ...candidate.settings, ...settings });
  return merged.success ? candidate.receiver.secretsIn(merged.data) : [];
}

/** When secrets were last asked for, by system, a process. */
const refetches = new WeakMap<Engine['db'], Map<string, number>>();

async function refetchSecrets(engine: SystemsParts, candidate: Candidate): Promise<string[] | null> {
  const { tenantId, systemId } = candidate;
  const now = engine.clock.now();
  const known = refetches.get(engine.db) ?? new Map<string, number>();
  refetches.set(engine.db, known);
  const last = known.get(systemId) ?? Number.NEGATIVE_INFINITY;
  if (now.getTime() - last < REFETCH_EVERY_MS) return null;
  known.set(systemId, now.getTime());
  try {
    const { connection } = await engine.connections.spend(tenantId, systemId);
    if (!connection.webhookManagement) return null;
    const secrets = await connection.webhookManagement.secrets();
    // An empty list would lock out deliveries that the stored secrets still fit.
    if (secrets.length === 0) return null;
    await engine.db.tenant(tenantId, async (tx) => {
      if (!(await storeSecretSetting(tx, engine.sealer, systemId, now, 'webhookSecret', secrets))) return;
      record(tx, now, {
        actor: `webhook:${candidate.kind.toLowerCase()}`,
        action: 'webhooks.secretsRenewed',
        subjectType: 'ConnectedSystem',
        subjectId: systemId,
        summary: `"${candidate.name}" signs its deliveries with new secrets; they were read from it.`,
        correlationId: `webhook:${systemId}`,
      });
    });
    return secrets;
  } catch (error) {
    if (!(error instanceof LedgergateError)) throw error;
    engine.logger.warn({ systemId, code: error.code }, 'the secrets of webhooks could not be read');
    return null;
  }
}

// ── storing ──────────────────────────────────────────────────────────────────────────────────

interface Delivery {
  readonly candidate: Candidate;
  readonly messageId: string;
  readonly eventType: string;
  readonly body: unknown;
}

/** Deliveries of one tenant that arrive together are stored together: they all need the same lock, that of its trail. */
const intakes = new WeakMap<Engine['db'], Map<string, Together<Delivery>>>();
const TOGETHER_MAX = 50;

function store(engine: Engine, candidate: Candidate, messageId: string, body: unknown): Promise<void> {
  const ofEngine = intakes.get(engine.db) ?? new Map<string, Together<Delivery>>();
  intakes.set(engine.db, ofEngine);
  const { tenantId } = candidate;
  const known = ofEngine.get(tenantId);
  const intake = known ?? new Together<Delivery>((items) => storeAll(engine, tenantId, items), TOGETHER_MAX);
  if (!known) ofEngine.set(tenantId, intake);
  return intake.add({ candidate, messageId, eventType: eventTypeOf(candidate, body), body: storable(body) });
}

async function storeAll(engine: Engine, tenantId: string, deliveries: readonly Delivery[]): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const rows = deliveries.map(({ candidate, messageId, eventType, body }) => ({
      system_id: candidate.systemId,
      message_id: messageId,
      event_type: eventType,
      body,
      correlation_id: `webhook:${messageId}`,
    }));
    const stored = await tx.query<{ system_id: string; message_id: string }>(
      `insert into webhook_deliveries (tenant_id, system_id, message_id, event_type, body, correlation_id, received_at)
       select $1, system_id, message_id, event_type, body, correlation_id, $3
       from jsonb_to_recordset($2::jsonb) as r(system_id text, message_id text, event_type text, body jsonb, correlation_id text)
       on conflict do nothing returning system_id, message_id`,
      [tenantId, JSON.stringify(rows), now],
    );
    if (stored.length === 0) return;
    const isNew = new Set(stored.map((row) => `${row.system_id} ${row.message_id}`));
    await tx.execute('update systems set last_webhook_at = $3 where tenant_id = $1 and id = any($2)', [
      tenantId,
      [...new Set(stored.map((row) => row.system_id))],
      now,
    ]);
    for (const { candidate, messageId, eventType } of deliveries) {
      const { systemId, kind, name } = candidate;
      // Gone once it is dealt with: a delivery that came twice in one go is one.
      if (!isNew.delete(`${systemId} ${messageId}`)) continue;
      record(tx, now, {
        actor: `webhook:${kind.toLowerCase()}`,
        action: 'webhook.received',
        subjectType: 'ConnectedSystem',
        subjectId: systemId,
        summary: `"${name}" announced ${eventType}.`,
        after: { messageId, eventType },
        correlationId: `webhook:${messageId}`,
      });
      await engine.jobs.send(tx, 'webhook.process', { tenantId, systemId, messageId });
    }
  });
}

function eventTypeOf(candidate: Candidate, body: unknown): string {
  try {
    return candidate.receiver.translate(body).eventType;
  } catch (error) {
    if (error instanceof InputError) return 'UNREADABLE';
    throw error;
  }
}

// ── working on it ────────────────────────────────────────────────────────────────────────────

interface DeliveryRow {
  kind: SystemKind;
  body: unknown;
  correlation_id: string;
  processed_at: Date | null;
}

/**
 * Starts a sync of every pipeline that reads what a delivery names. The sync reads all that is new since its last one, so
 * what the delivery announced is in it, and so is what an earlier, lost delivery would have announced.
 * Safe to repeat.
 */
export async function processWebhook(
  engine: Engine,
  tenantId: string,
  systemId: string,
  messageId: string,
): Promise<void> {
  const [delivery] = await engine.db.tenant(tenantId, (tx) =>
    tx.query<DeliveryRow>(
      `select s.kind, d.body, d.correlation_id, d.processed_at from webhook_deliveries d
       join systems s on s.tenant_id = d.tenant_id and s.id = d.system_id
       where d.tenant_id = $1 and d.system_id = $2 and d.message_id = $3`,
      [tenantId, systemId, messageId],
    ),
  );
  if (!delivery || delivery.processed_at !== null) return;
  const caller: Caller = {
    tenantId,
    actor: `webhook:${delivery.kind.toLowerCase()}`,
    keyId: null,
    role: 'OPERATOR',
    correlationId: delivery.correlation_id,
  };
  const { streams, problem } = streamsNamed(engine, delivery);
  for (const pipelineId of await pipelinesReading(engine, tenantId, systemId, streams)) {
    const outcome = await triggerSync(engine, caller, { pipelineId, dryRun: false, trigger: 'WEBHOOK' });
    // Only a pipeline that was disabled or removed since a moment ago refuses; then there is nothing to do for it.
    if (!outcome.ok) engine.logger.info({ pipelineId, problems: outcome.problems }, 'a delivery started no sync');
  }
  await engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const changed = await tx.execute(
      `update webhook_deliveries set processed_at = $4, error = $5
       where tenant_id = $1 and system_id = $2 and message_id = $3 and processed_at is null`,
      [tenantId, systemId, messageId, now, problem],
    );
    if (changed === 0 || problem === null) return;
    recordFor(tx, caller, now, {
      action: 'webhook.unreadable',
      subjectType: 'ConnectedSystem',
      subjectId: systemId,
      summary: `A delivery could not be understood; the next poll finds what it announced. ${problem}`,
      after: { messageId },
    });
  });
}

function streamsNamed(engine: Engine, delivery: DeliveryRow): { streams: SpendStream[]; problem: string | null } {
  const connector = engine.connectors.find(delivery.kind);
  if (connector?.role !== 'SPEND' || !connector.webhooks) return { streams: [], problem: null };
  try {
    const { objects } = connector.webhooks.translate(delivery.body);
    return { streams: [...new Set(objects.map((object) => object.stream))], problem: null };
  } catch (error) {
    if (error instanceof InputError) return { streams: [], problem: error.userMessage };
    throw error;
  }
}

async function pipelinesReading(
  engine: Engine,
  tenantId: string,
  systemId: string,
  streams: readonly SpendStream[],
): Promise<string[]> {
  if (streams.length === 0) return [];
  const rows = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ id: string }>(
      'select id from pipelines where tenant_id = $1 and source_id = $2 and enabled and streams && $3 order by id',
      [tenantId, systemId, streams],
    ),
  );
  return rows.map((row) => row.id);
}
