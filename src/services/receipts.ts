import { createHash } from 'node:crypto';
import type { ReceiptLink, SpendConnection } from '../connectors/contract.js';
import { receiptFileName } from '../domain/receiptType.js';
import type { SpendStream } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { raiseAlert, settleAlert } from './alerts.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';
import { type Download, downloadReceipt } from './receiptDownload.js';

/** One receipt that is to be fetched. */
interface DueRow {
  stream: SpendStream;
  external_id: string;
  receipt_key: string;
  file_name: string | null;
  lasting_url: string | null;
  attempts: number;
}

/** Objects whose receipts are taken in one go. */
const BATCH = 20;
/** After so many failures a person is told. */
const ATTEMPTS_MAX = 6;
const MINUTE_MS = 60_000;
/** Before the second, third … try. */
const PAUSES_MS = [1, 5, 15, 60, 360].map((minutes) => minutes * MINUTE_MS);
/** The source cannot be asked: nothing was tried, so nothing counts as failed. */
const SOURCE_AWAY_MS = 5 * MINUTE_MS;
/** A person has to act first: it is disabled, or its credential is refused. */
const SOURCE_CLOSED_MS = 60 * MINUTE_MS;

const ACTOR = 'system:receipts';

/**
 * Fetches the receipts of one source that are due and keeps each once by its content. Postings never wait for it and
 * never fail with it: what cannot be fetched raises one alert a source, and the rest goes on.
 *
 * Links are asked for anew with every try and never stored. Safe to run again after any crash: content is known by its
 * hash, and what was fetched and not stored is fetched again.
 */
export async function fetchReceipts(
  engine: Engine,
  tenantId: string,
  sourceId: string,
  { isStopping }: { readonly isStopping: () => boolean },
): Promise<void> {
  const fetcher = new ReceiptFetcher(engine, tenantId, sourceId);
  try {
    const { connection, system } = await engine.connections.spend(tenantId, sourceId);
    for (let due = await fetcher.due(); due.length > 0 && !isStopping(); due = await fetcher.due()) {
      for (const group of byObject(due)) {
        if (isStopping()) break;
        await fetcher.fetchObject(connection, system.baseUrl, group);
      }
    }
  } catch (error) {
    // The source is away, throttles, or does not let us in: its own alert says so. Its receipts wait.
    if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
    await fetcher.postpone(error);
  }
  await fetcher.planNext();
}

function byObject(rows: readonly DueRow[]): DueRow[][] {
  const groups = new Map<string, DueRow[]>();
  for (const row of rows) {
    const key = `${row.stream} ${row.external_id}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()];
}

class ReceiptFetcher {
  constructor(
    private readonly engine: Engine,
    private readonly tenantId: string,
    private readonly sourceId: string,
  ) {}

  private tenant<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.engine.db.tenant(this.tenantId, work);
  }

  due(): Promise<DueRow[]> {
    return this.tenant((tx) =>
      tx.query<DueRow>(
        `select stream, external_id, receipt_key, file_name, lasting_url, attempts from receipt_links
         where tenant_id = $1 and source_id = $2 and state = 'PENDING' and next_attempt_at <= $3
         order by next_attempt_at, stream, external_id, receipt_key limit $4`,
        [this.tenantId, this.sourceId, this.engine.clock.now(), BATCH],
      ),
    );
  }

  /** @throws what keeps the source from being asked at all. */
  async fetchObject(connection: SpendConnection, baseUrl: string, rows: readonly DueRow[]): Promise<void> {
    const left: DueRow[] = [];
    for (const row of rows) if (!(await this.isKnown(row))) left.push(row);
    const [first] = left;
    if (!first) return;
    const links = left.some((row) => row.lasting_url === null) ? await this.linksOf(connection, first) : [];
    for (const row of [...left, ...(await this.furtherFiles(first, left, links))]) {
      const link = row.lasting_url ?? links.find(({ key }) => key === row.receipt_key)?.url;
      if (link === undefined) {
        await this.close(row, 'GONE', 'The source shows it no longer.');
        continue;
      }
      await this.settle(row, links, await downloadReceipt(link, { baseUrl }));
    }
  }

  private async linksOf(connection: SpendConnection, row: DueRow): Promise<readonly ReceiptLink[]> {
    return connection.receipts ? connection.receipts.links(row.stream, row.external_id) : [];
  }

  /** Another object of the source shows the same receipt, and it was fetched for that one. */
  private async isKnown(row: DueRow): Promise<boolean> {
    return this.tenant(async (tx) => {
      const changed = await tx.execute(
        `update receipt_links l set state = 'STORED', sha256 = k.sha256, file_name = coalesce(l.file_name, k.file_name),
           note = null
         from receipt_links k
         where l.tenant_id = $1 and l.source_id = $2 and l.stream = $3 and l.external_id = $4 and l.receipt_key = $5
           and k.tenant_id = $1 and k.source_id = $2 and k.receipt_key = $5 and k.sha256 is not null`,
        [this.tenantId, this.sourceId, row.stream, row.external_id, row.receipt_key],
      );
      if (changed > 0) await this.wakeAttaching(tx, row);
      return changed > 0;
    });
  }

  /** A receipt of several files is shown as one; the source tells of the others with their links. */
  private async furtherFiles(first: DueRow, rows: readonly DueRow[], links: readonly ReceiptLink[]): Promise<DueRow[]> {
    const known = new Set(rows.map((row) => row.receipt_key));
    const wanted = links.filter(({ key }) => !known.has(key) && known.has(key.replace(/#\d+$/, '')));
    const { stream, external_id } = first;
    const now = this.engine.clock.now();
    for (const { key, fileName } of wanted) {
      await this.tenant((tx) =>
        tx.execute(
          `insert into receipt_links (tenant_id, source_id, stream, external_id, receipt_key, file_name, state,
             next_attempt_at, seen_at) values ($1, $2, $3, $4, $5, $6, 'PENDING', $7, $7) on conflict do nothing`,
          [this.tenantId, this.sourceId, stream, external_id, key, fileName, now],
        ),
      );
    }
    return wanted.map(({ key, fileName }) => ({
      ...{ stream, external_id, receipt_key: key, file_name: fileName, lasting_url: null, attempts: 0 },
    }));
  }

  private async settle(row: DueRow, links: readonly ReceiptLink[], download: Download): Promise<void> {
    switch (download.kind) {
      case 'DONE': {
        const named = links.find(({ key }) => key === row.receipt_key)?.fileName ?? row.file_name;
        return this.store({ ...row, file_name: named }, download.content, download.contentType);
      }
      case 'REFUSED':
        return this.close(row, 'REFUSED', download.reason);
      default:
        return this.fail(row, download.reason);
    }
  }

  private async store(row: DueRow, content: Buffer, contentType: string): Promise<void> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const now = this.engine.clock.now();
    const fileName = receiptFileName(row.file_name, sha256, contentType);
    await this.tenant(async (tx) => {
      await tx.execute(
        `insert into receipts (tenant_id, sha256, id, content_type, size, content, stored_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, sha256) do nothing`,
        [this.tenantId, sha256, receiptId(sha256), contentType, content.length, content, now],
      );
      const rows = await tx.query<{ spend_record_id: string }>(
        `update receipt_links l set state = 'STORED', sha256 = $6, file_name = $7, note = null
         from source_objects o
         where l.tenant_id = $1 and l.source_id = $2 and l.stream = $3 and l.external_id = $4 and l.receipt_key = $5
           and o.tenant_id = $1 and o.source_id = $2 and o.stream = $3 and o.external_id = $4
         returning o.spend_record_id`,
        [this.tenantId, this.sourceId, row.stream, row.external_id, row.receipt_key, sha256, fileName],
      );
      for (const { spend_record_id: id } of rows) {
        record(tx, now, {
          actor: ACTOR,
          correlationId: id,
          action: 'receipt.stored',
          subjectType: 'SpendRecord',
          subjectId: id,
          summary: `The receipt ${fileName} (${content.length} bytes) was fetched and stored.`,
          after: { receiptId: receiptId(sha256), sha256, contentType, size: content.length },
        });
      }
      await this.wakeAttaching(tx, row);
      await this.settleWhenWhole(tx, now);
    });
  }

  private async fail(row: DueRow, reason: string): Promise<void> {
    const attempts = row.attempts + 1;
    if (attempts >= ATTEMPTS_MAX) return this.close(row, 'MISSING', reason);
    const againAt = new Date(this.engine.clock.now().getTime() + (PAUSES_MS[row.attempts] ?? SOURCE_AWAY_MS));
    await this.tenant((tx) =>
      tx.execute(`update receipt_links set attempts = $6, note = $7, next_attempt_at = $8 ${THIS_LINK}`, [
        ...this.keyOf(row),
        attempts,
        reason,
        againAt,
      ]),
    );
  }

  /** Nobody tries it again until its object changes. */
  private async close(row: DueRow, state: 'MISSING' | 'REFUSED' | 'GONE', note: string): Promise<void> {
    await this.tenant(async (tx) => {
      const now = this.engine.clock.now();
      await tx.execute(`update receipt_links set state = $6, note = $7 ${THIS_LINK}`, [
        ...this.keyOf(row),
        state,
        note,
      ]);
      if (state === 'GONE') return;
      await raiseAlert(tx, now, {
        severity: 'INFO',
        code: 'RECEIPT_MISSING',
        message: `At least one receipt could not be kept; its posting is not affected. ${note}`,
        systemId: this.sourceId,
        pipelineId: null,
        dedupeKey: `receipts:${this.sourceId}`,
      });
    });
  }

  private keyOf(row: DueRow): string[] {
    return [this.tenantId, this.sourceId, row.stream, row.external_id, row.receipt_key];
  }

  private async settleWhenWhole(tx: Tx, now: Date): Promise<void> {
    const left = await tx.query(
      `select 1 from receipt_links where tenant_id = $1 and source_id = $2 and state in ('MISSING', 'REFUSED') limit 1`,
      [this.tenantId, this.sourceId],
    );
    if (left.length === 0) await settleAlert(tx, now, `receipts:${this.sourceId}`, ACTOR);
  }

  /** Ledgers that take attachments and have a document of its purchase are told. */
  private async wakeAttaching(tx: Tx, row: DueRow): Promise<void> {
    const ledgers = await tx.query<{ id: string; kind: Parameters<Engine['connectors']['find']>[0] }>(
      `select distinct s.id, s.kind from source_objects o
       join posting_spend ps on ps.tenant_id = o.tenant_id and ps.spend_record_id = o.spend_record_id
       join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id and p.status = 'POSTED'
       join systems s on s.tenant_id = p.tenant_id and s.id = p.ledger_id
       where o.tenant_id = $1 and o.source_id = $2 and o.stream = $3 and o.external_id = $4`,
      [this.tenantId, this.sourceId, row.stream, row.external_id],
    );
    for (const { id: ledgerId, kind } of ledgers) {
      const connector = this.engine.connectors.find(kind);
      if (connector?.role === 'LEDGER' && connector.attachesReceipts) {
        await this.engine.jobs.send(tx, 'ledger.attach', { tenantId: this.tenantId, ledgerId });
      }
    }
  }

  async postpone(error: LedgergateError): Promise<void> {
    const now = this.engine.clock.now();
    const pauseMs = error.decision === 'RETRY' ? SOURCE_AWAY_MS : SOURCE_CLOSED_MS;
    await this.tenant((tx) =>
      tx.execute(
        `update receipt_links set next_attempt_at = $4, note = $5
         where tenant_id = $1 and source_id = $2 and state = 'PENDING' and next_attempt_at <= $3`,
        [this.tenantId, this.sourceId, now, new Date(now.getTime() + pauseMs), error.userMessage],
      ),
    );
  }

  /** Sees to it that somebody comes back when the next one is due. */
  async planNext(): Promise<void> {
    const { tenantId, sourceId } = this;
    await this.tenant(async (tx) => {
      const [row] = await tx.query<{ due: Date | null }>(
        `select min(next_attempt_at) as due from receipt_links
         where tenant_id = $1 and source_id = $2 and state = 'PENDING'`,
        [tenantId, sourceId],
      );
      if (!row?.due) return;
      await this.engine.jobs.send(tx, 'source.receipts', { tenantId, sourceId }, { startAfter: row.due });
    });
  }
}

const THIS_LINK = 'where tenant_id = $1 and source_id = $2 and stream = $3 and external_id = $4 and receipt_key = $5';

/** One content has one id in each tenant; another tenant's receipt of the same content has it too, and its own rights. */
export function receiptId(sha256: string): string {
  return `receipt_${sha256.slice(0, 32)}`;
}
