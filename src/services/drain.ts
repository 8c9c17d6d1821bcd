import type { LedgerConnection, LedgerDocument } from '../connectors/contract.js';
import type { SpendStream, SystemKind } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import {
  ConfigurationError,
  CredentialsError,
  ErpRejectedError,
  LedgergateError,
  OutcomeUnknownError,
  PeriodClosedError,
  PermissionError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../errors.js';
import { clearRemainsOf } from './abandoning.js';
import { adoptWaiting, judgeUnsent } from './adoption.js';
import type { Engine } from './engine.js';
import {
  begin,
  type ClaimedPosting,
  claimDoubtful,
  claimReady,
  claimRemains,
  loadDocuments,
  markAbandoned,
  START_GRACE_MS,
} from './ledgerWork.js';
import { deadOwners } from './processes.js';
import { NOT_SENT } from './remains.js';
import { finishRuns } from './runProgress.js';
import { passGate } from './sendGate.js';
import { type ExportStreams, type Result, resultOfFound, settle, settleAbsent } from './settle.js';
import { Settler } from './settler.js';
import { createDecidedSuppliers, ensureSupplier } from './supplierCreation.js';
import { noteReachability } from './systems.js';

/** Postings looked up, claimed and sent in one go. */
const BATCH = 25;
/** Lost answers in a row after which the ledger is left alone for a while: every one costs a full time limit. */
const LOST_IN_A_ROW_MAX = 3;
/** How much longer than its request a claim holds. */
const LEASE_MARGIN_MS = 60_000;
/** Documents begun in one commit. If the process dies, so many at the most have to be asked for without having been sent. */
const GROUP_MAX = 8;
/** A group is sent in about this time, far below the grace that a begun document has (START_GRACE_MS). */
const GROUP_MS = 400;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 5 * 60_000;
const TROUBLE_PAUSE_MAX_MS = 60_000;

export interface DrainOptions {
  /** Asked between postings: true = hand back what is not started and return. */
  readonly isStopping: () => boolean;
}

/**
 * Works off all that is due in one ledger: looks for what is in doubt, then sends what is ready, one document at a time,
 * each looked for by its reference before it is sent for the first time.
 *
 * The queue keeps this to one process at a time. Should two run at once all the same, claims and fencing numbers keep
 * every posting in one pair of hands.
 */
export async function drainLedger(
  engine: Engine,
  tenantId: string,
  ledgerId: string,
  options: DrainOptions,
): Promise<void> {
  let trouble: unknown = null;
  try {
    const { connection, connector } = await engine.connections.ledger(tenantId, ledgerId);
    trouble = await new Drain(engine, tenantId, ledgerId, connection, options).run();
    if (connector.attachesReceipts) {
      await engine.db.tenant(tenantId, (tx) => engine.jobs.send(tx, 'ledger.attach', { tenantId, ledgerId }));
    }
    await noteReachability(engine, tenantId, ledgerId, trouble);
  } catch (error) {
    // A disabled system or a missing connector: its postings wait as they are until somebody changes that.
    if (!(error instanceof ConfigurationError)) throw error;
    trouble = error;
  }
  await finishRuns(engine, tenantId, ledgerId, trouble);
  await planNextDrain(engine, tenantId, ledgerId, trouble);
}

interface Begun {
  readonly posting: ClaimedPosting;
  readonly document: LedgerDocument;
  readonly begunAt: Date;
}

class Drain {
  private lostInARow = 0;
  /** How long the ledger takes for a document, of late; null = none was sent yet. */
  private submitMs: number | null = null;
  private readonly exports = new Map<string, ExportStreams>();

  constructor(
    readonly engine: Engine,
    readonly tenantId: string,
    private readonly ledgerId: string,
    readonly connection: LedgerConnection,
    private readonly options: DrainOptions,
  ) {}

  /** @returns what made the ledger unusable, or null when all that was due is done. */
  async run(): Promise<LedgergateError | null> {
    // What this very process still has at the ledger as it starts was left by a drain that ended badly (a cut database).
    let own: readonly string[] = [this.engine.processId];
    try {
      await createDecidedSuppliers(this.engine, this.tenantId, this.ledgerId, this.connection);
    } catch (error) {
      if (isTrouble(error)) return error;
      throw error;
    }
    while (!this.options.isStopping()) {
      try {
        const dead = [...(await deadOwners(this.engine, this.tenantId, this.ledgerId)), ...own];
        own = [];
        const looked = await this.lookForDoubtful(dead);
        const sent = await this.sendReady(dead);
        const cleared = await this.clearRemains(dead);
        if (looked + sent + cleared > 0) continue;
        await adoptWaiting(this.adoption());
        return null;
      } catch (error) {
        if (isTrouble(error)) return error;
        throw error;
      }
    }
    return null;
  }

  private adoption() {
    const { engine, tenantId, ledgerId, connection } = this;
    return {
      ...{ engine, tenantId, ledgerId, connection },
      isStopping: this.options.isStopping,
      find: (postings: readonly ClaimedPosting[]) => this.find(postings),
      exportsOf: (posting: ClaimedPosting) => this.exportsOf(posting),
    };
  }

  private async lookForDoubtful(dead: readonly string[]): Promise<number> {
    const { engine, tenantId, ledgerId, connection } = this;
    const doubtful = await engine.db.tenant(tenantId, async (tx) => {
      await markAbandoned(engine, tx, ledgerId, dead, connection.submitTimeoutMs);
      const now = engine.clock.now();
      return claimDoubtful(tx, ledgerId, engine.processId, now, this.leaseFrom(now), BATCH, dead);
    });
    if (doubtful.length === 0) return 0;
    const found = await this.find(doubtful);
    for (const posting of doubtful) {
      const documents = found.get(posting.reference) ?? [];
      const streams = await this.exportsOf(posting);
      await engine.db.tenant(tenantId, (tx) =>
        documents.length > 0
          ? settle(engine, tx, posting, resultOfFound(posting, documents), streams)
          : settleAbsent(engine, tx, posting, connection.settlingMs),
      );
    }
    return doubtful.length;
  }

  private async clearRemains(dead: readonly string[]): Promise<number> {
    const { engine, tenantId, ledgerId, connection } = this;
    const claimed = await engine.db.tenant(tenantId, async (tx) => {
      const now = engine.clock.now();
      return claimRemains(tx, ledgerId, engine.processId, now, this.leaseFrom(now), BATCH, dead);
    });
    for (const posting of claimed) {
      await clearRemainsOf({ engine, tenantId, connection, exports: await this.exportsOf(posting) }, posting);
    }
    return claimed.length;
  }

  private async sendReady(dead: readonly string[]): Promise<number> {
    const { engine, tenantId, ledgerId } = this;
    const { claimed, documents } = await engine.db.tenant(tenantId, async (tx) => {
      const now = engine.clock.now();
      const postings = await claimReady(tx, ledgerId, engine.processId, now, this.leaseFrom(now), BATCH, dead);
      return { claimed: postings, documents: await loadDocuments(tx, postings) };
    });
    if (claimed.length === 0) return 0;
    const waiting = new Map(claimed.map((posting) => [posting.id, posting]));
    try {
      // Somebody may have sent it before a restore of our database, or under a lease that we lost.
      const found = await judgeUnsent(this, claimed, await this.find(claimed));
      await this.sendAll(claimed, documents, found, waiting);
    } finally {
      await this.handBack([...waiting.values()]);
    }
    return claimed.length;
  }

  /**
   * Sends one document after the other. A few are begun in one commit, and results are stored while the next document is
   * on its way, so that a quick ledger is not kept waiting by the database.
   */
  private async sendAll(
    claimed: readonly ClaimedPosting[],
    documents: ReadonlyMap<string, LedgerDocument>,
    found: ReadonlyMap<string, Result>,
    waiting: Map<string, ClaimedPosting>,
  ): Promise<void> {
    const settler = new Settler(this.engine, this.tenantId);
    const queue = [...claimed];
    try {
      while (queue.length > 0 && !this.options.isStopping() && !settler.hasFailed) {
        const group = await this.beginGroup(queue.splice(0, this.groupSize()), documents, found, waiting);
        const trouble = await this.sendGroup(group, found, settler);
        if (trouble) throw trouble;
      }
    } finally {
      await settler.finish();
    }
  }

  /** As many as are sent well within the time that a begun document may wait; one while the ledger's pace is unknown. */
  private groupSize(): number {
    if (this.submitMs === null) return 1;
    return Math.max(1, Math.min(GROUP_MAX, Math.floor(GROUP_MS / Math.max(this.submitMs, 1))));
  }

  private async beginGroup(
    candidates: readonly ClaimedPosting[],
    documents: ReadonlyMap<string, LedgerDocument>,
    found: ReadonlyMap<string, Result>,
    waiting: Map<string, ClaimedPosting>,
  ): Promise<Begun[]> {
    const { engine, tenantId } = this;
    const ready: ClaimedPosting[] = [];
    for (const candidate of candidates) {
      const posting = await this.withSupplier(candidate);
      if (posting === null) waiting.delete(candidate.id);
      else ready.push(posting);
      await this.exportsOf(candidate);
    }
    const begunAt = engine.clock.now();
    const rules = await this.connection.rules();
    const begun = await engine.db.tenant(tenantId, async (tx) => {
      const ours: ClaimedPosting[] = [];
      // What the ledger has already is taken as it is there, whatever has changed since.
      const there = ready.filter((posting) => found.has(posting.id));
      const unsent = ready.filter((posting) => !found.has(posting.id));
      const passed = await passGate(engine, tx, this.ledgerId, rules, unsent, documents);
      for (const posting of [...there, ...passed]) {
        if (await begin(tx, begunAt, posting, this.leaseFrom(begunAt), engine.processId)) ours.push(posting);
      }
      return ours;
    });
    for (const posting of ready) waiting.delete(posting.id);
    return begun.flatMap((posting) => {
      const document = documents.get(posting.id);
      return document ? [{ posting, begunAt, document: { ...document, supplierCode: posting.supplier_code } }] : [];
    });
  }

  /** @returns what made the ledger unusable; what was begun and not sent then is ready again, because it certainly was not sent. */
  private async sendGroup(
    group: readonly Begun[],
    found: ReadonlyMap<string, Result>,
    settler: Settler,
  ): Promise<LedgergateError | null> {
    let trouble: LedgergateError | null = null;
    for (const { posting, document, begunAt } of group) {
      let result: Result;
      if (trouble !== null || settler.hasFailed || this.options.isStopping()) {
        const error = trouble ?? new UpstreamUnavailableError('Sending was stopped before it was sent.');
        result = { kind: 'NOT_STARTED', error, againAt: this.engine.clock.now() };
      } else {
        result = found.get(posting.id) ?? (await this.submit(posting, document, begunAt));
        trouble = this.troubleIn(result);
      }
      settler.add({ posting, result, exports: await this.exportsOf(posting) });
    }
    return trouble;
  }

  private async submit(posting: ClaimedPosting, document: LedgerDocument, begunAt: Date): Promise<Result> {
    const { engine, connection } = this;
    const now = engine.clock.now();
    // A process that was paused must not send: by now another one may be asking for this document, and would count it as
    // absent once this attempt's time is over.
    if (now.getTime() - begunAt.getTime() > START_GRACE_MS) {
      const error = new UpstreamUnavailableError('This process was paused too long to send it; nothing was sent.');
      return { kind: 'NOT_STARTED', error, againAt: now };
    }
    try {
      const submitted = await connection.submit(document);
      this.notePace(engine.clock.now().getTime() - now.getTime());
      this.lostInARow = 0;
      return { kind: 'POSTED', how: 'SENT', ...submitted };
    } catch (error) {
      return this.resultOf(posting, error);
    }
  }

  /** A running mean that follows a ledger that becomes slow within a few documents. */
  private notePace(ms: number): void {
    this.submitMs = this.submitMs === null ? ms : (this.submitMs + ms) / 2;
  }

  private resultOf(posting: ClaimedPosting, error: unknown): Result {
    const { engine } = this;
    if (error instanceof ErpRejectedError || error instanceof PeriodClosedError) {
      this.lostInARow = 0;
      return { kind: 'REJECTED', error };
    }
    if (isNotStarted(error)) {
      const wait =
        error instanceof RateLimitedError && error.retryAfterMs !== null
          ? error.retryAfterMs
          : backoffMs(posting.attempts);
      return { kind: 'NOT_STARTED', error, againAt: new Date(engine.clock.now().getTime() + wait) };
    }
    if (!(error instanceof LedgergateError)) {
      engine.logger.error({ err: error, postingId: posting.id }, 'an unexpected error while a document was being sent');
    }
    this.lostInARow += 1;
    // The answer is in (or its connection is gone), but the ledger may still be working on the request.
    return { kind: 'UNKNOWN', error, overAt: engine.clock.now() };
  }

  /** Whether the ledger is better left alone after this. */
  private troubleIn(result: Result): LedgergateError | null {
    if (result.kind === 'NOT_STARTED') return result.error;
    if (result.kind === 'UNKNOWN' && this.lostInARow >= LOST_IN_A_ROW_MAX) {
      return new UpstreamUnavailableError(
        `The ledger left ${this.lostInARow} requests in a row without a clear answer.`,
      );
    }
    return null;
  }

  private async find(postings: readonly ClaimedPosting[]) {
    const documents = await this.connection.findByReference(
      postings.map((posting) => ({
        documentType: posting.document_type,
        reference: posting.reference,
        supplierCode: this.supplierOf(posting),
        postingDate: posting.posting_date,
      })),
    );
    const byReference = new Map<string, typeof documents>();
    for (const document of documents) {
      byReference.set(document.reference, [...(byReference.get(document.reference) ?? []), document]);
    }
    return byReference;
  }

  /**
   * One that is still to be made has its code already. Ledgers know invoices by supplier and number, and may refuse to
   * look for one without a supplier.
   */
  private supplierOf(posting: ClaimedPosting): string | null {
    const { supplier_code: code, create_supplier: wanted } = posting;
    return code ?? (wanted && (this.connection.suppliers?.codeFor(wanted.name) ?? null));
  }

  private async withSupplier(posting: ClaimedPosting): Promise<ClaimedPosting | null> {
    if (posting.create_supplier === null) return posting;
    return ensureSupplier(this.engine, this.tenantId, this.connection, posting);
  }

  private async handBack(postings: readonly ClaimedPosting[]): Promise<void> {
    if (postings.length === 0) return;
    await this.engine.db.tenant(this.tenantId, (tx) =>
      tx.execute(
        `update postings set lease_owner = null, lease_until = null
         where tenant_id = $1 and id = any($2) and status = 'READY' and lease_owner = $3`,
        [tx.tenantId, postings.map((posting) => posting.id), this.engine.processId],
      ),
    );
  }

  private leaseFrom(now: Date): Date {
    return new Date(now.getTime() + this.connection.submitTimeoutMs + LEASE_MARGIN_MS);
  }

  /** Where the results of this posting's pipeline are owed to, as far as the source takes results. */
  private async exportsOf(posting: ClaimedPosting): Promise<ExportStreams> {
    const known = this.exports.get(posting.pipeline_id);
    if (known) return known;
    const [pipeline] = await this.engine.db.tenant(this.tenantId, (tx) =>
      tx.query<{ source_id: string; streams: SpendStream[]; kind: SystemKind }>(
        `select p.source_id, p.streams, s.kind from pipelines p
         join systems s on s.tenant_id = p.tenant_id and s.id = p.source_id where p.tenant_id = $1 and p.id = $2`,
        [tx.tenantId, posting.pipeline_id],
      ),
    );
    const connector = pipeline ? this.engine.connectors.find(pipeline.kind) : undefined;
    const stream = connector?.role === 'SPEND' ? connector.exportStream : null;
    const streams: ExportStreams =
      pipeline && stream && pipeline.streams.includes(stream)
        ? new Map([[posting.pipeline_id, { sourceId: pipeline.source_id, stream }]])
        : new Map();
    this.exports.set(posting.pipeline_id, streams);
    return streams;
  }
}

type Trouble = RateLimitedError | UpstreamUnavailableError | CredentialsError | PermissionError;

function isTrouble(error: unknown): error is LedgergateError {
  return (
    isNotStarted(error) ||
    error instanceof OutcomeUnknownError ||
    (error instanceof LedgergateError && error.decision === 'RETRY')
  );
}

/** On a submit these mean that it certainly did not start. */
function isNotStarted(error: unknown): error is Trouble | ConfigurationError {
  return (
    error instanceof RateLimitedError ||
    error instanceof UpstreamUnavailableError ||
    error instanceof CredentialsError ||
    error instanceof PermissionError ||
    error instanceof ConfigurationError
  );
}

function backoffMs(attempts: number): number {
  const full = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(attempts, 20), BACKOFF_MAX_MS);
  // Half of it is chance, so that many postings do not come back in one moment.
  return full / 2 + Math.random() * (full / 2);
}

/** Sees to it that somebody comes back when the next posting of this ledger is due. */
async function planNextDrain(engine: Engine, tenantId: string, ledgerId: string, trouble: unknown): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const [row] = await tx.query<{ due: Date | null }>(
      `select min(case when status = 'POSTING' then lease_until
                       else coalesce(greatest(next_attempt_at, lease_until), $3) end) as due
       from postings p where tenant_id = $1 and ledger_id = $2
         and (status in ('READY', 'POSTING', 'IN_DOUBT') or status = any($4) and next_attempt_at is not null)
         and not (status = 'READY' and after_id is not null and not exists (select from postings a
           where a.tenant_id = p.tenant_id and a.id = p.after_id and a.status = 'POSTED'))
       having count(*) > 0`,
      [tx.tenantId, ledgerId, engine.clock.now(), NOT_SENT],
    );
    if (!row) return;
    const now = engine.clock.now().getTime();
    const soonest = now + (trouble === null ? 0 : await pauseAfterTrouble(tx, ledgerId, now));
    const due = Math.max(row.due?.getTime() ?? now, soonest);
    // Credentials and settings change by a person's hand, and that person's change starts the next drain.
    if (trouble instanceof CredentialsError || trouble instanceof ConfigurationError) return;
    await engine.jobs.send(tx, 'ledger.drain', { tenantId, ledgerId }, { startAfter: new Date(due) });
  });
}

/** The longer a ledger has been away, the longer the pause before it is asked again: a quarter of that time. */
async function pauseAfterTrouble(tx: Tx, ledgerId: string, now: number): Promise<number> {
  const [alert] = await tx.query<{ raised_at: Date }>(
    'select raised_at from alerts where tenant_id = $1 and dedupe_key = $2 and resolved_at is null',
    [tx.tenantId, `unreachable:${ledgerId}`],
  );
  const away = alert ? now - alert.raised_at.getTime() : 0;
  return Math.min(Math.max(away / 4, BACKOFF_FIRST_MS), TROUBLE_PAUSE_MAX_MS);
}
