import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { z } from 'zod';
import type { Engine } from '../services/engine.js';
import { DATASETS, type DatasetName, keyParts, keyText, type Window } from '../services/export/datasets.js';
import { csv, type Encoder, type Format, MEDIA_TYPES, ndjson } from '../services/export/formats.js';
import { writeParquet } from '../services/export/parquet.js';
import { exported, type OpenExport } from '../services/export/rows.js';
import { type Exchange, sendJson } from './exchange.js';
import type { HttpRoute } from './options.js';

/** At one process, because each holds a database connection for as long as its reader takes. */
const AT_ONCE_MAX = 3;
const RETRY_AFTER_SECONDS = 10;
/** A reader that takes nothing for so long is cut off; it goes on with `after`. */
const STALLED_MS = 120_000;

const instant = z.union([
  z.iso.date().transform((day) => `${day}T00:00:00.000Z`),
  z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString()),
]);
const day = z.iso.date();

/**
 * `GET /export/{dataset}.{format}?from=&to=&after=`: a whole dataset as a stream. A file that breaks off breaks its
 * connection; where a whole one ends, trailers tell the number of rows and the key of the last.
 */
export function exportRoute({ db }: Pick<Engine, 'db'>, { stalledMs = STALLED_MS } = {}): HttpRoute {
  let running = 0;
  return {
    method: 'GET',
    pattern: /^\/export\/(audit-events|spend-records|gl-postings|gl-posting-lines)\.(csv|ndjson|parquet)$/,
    role: 'AUDITOR',
    handle: async (exchange) => {
      const [name, format] = [exchange.match[1] as DatasetName, exchange.match[2] as Format];
      const asked = askedFor(name, format, exchange.url.searchParams);
      if ('problem' in asked) {
        sendJson(exchange, 400, { error: 'BAD_REQUEST', message: asked.problem, field: asked.field });
        return;
      }
      if (running >= AT_ONCE_MAX) {
        const message = `This server runs ${AT_ONCE_MAX} exports already; try again in ${RETRY_AFTER_SECONDS} s.`;
        const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
        sendJson(exchange, 503, { error: 'BUSY', message, retryAfterSeconds: RETRY_AFTER_SECONDS }, headers);
        return;
      }
      running += 1;
      try {
        const { key } = exchange;
        await exported(db, key?.tenantId ?? '', name, asked.window, (open) =>
          new Download(exchange, `${name}.${format}`, format, stalledMs).write(open, asked.keepsFormulas),
        );
      } finally {
        running -= 1;
      }
    },
  };
}

interface Asked {
  readonly window: Window;
  readonly keepsFormulas: boolean;
}

function askedFor(
  name: DatasetName,
  format: Format,
  given: URLSearchParams,
): Asked | { problem: string; field: string } {
  const dataset = DATASETS[name];
  const moment = dataset.window.unit === 'day' ? day : instant;
  const form = z.strictObject({
    from: moment.optional(),
    to: moment.optional(),
    after: z
      .string()
      .refine(
        (text) => keyParts(dataset, text) !== null,
        `must be ${dataset.key.map(({ column }) => column).join(':')}`,
      )
      .optional(),
    formulas: z.enum(['keep', 'escape']).optional(),
  });
  const parsed = form.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : String(issue?.path[0] ?? '');
    return { problem: `${field}: ${issue?.message}`, field };
  }
  const { from, to, after, formulas } = parsed.data;
  if (after !== undefined && format === 'parquet') {
    return { problem: 'after: a Parquet file cannot be continued; export a smaller window.', field: 'after' };
  }
  return {
    window: { from, to, after: after === undefined ? undefined : (keyParts(dataset, after) ?? undefined) },
    keepsFormulas: formulas === 'keep',
  };
}

/** One file on its way to one client. */
class Download {
  private rows = 0;
  private last = '';
  private readonly gzip: Gzip | null;

  constructor(
    private readonly exchange: Exchange,
    fileName: string,
    private readonly format: Format,
    private readonly stalledMs: number,
  ) {
    const { request, response } = exchange;
    const zips = format !== 'parquet' && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    this.gzip = zips ? createGzip({ level: 1 }) : null;
    response.writeHead(200, {
      'content-type': MEDIA_TYPES[format],
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      trailer: 'x-ledgergate-rows, x-ledgergate-last',
      vary: 'accept-encoding',
      ...(zips ? { 'content-encoding': 'gzip' } : {}),
    });
    this.gzip?.pipe(response);
  }

  /** Sends everything. When it fails half way the connection is cut, so that nobody takes the part for the whole. */
  async write(open: OpenExport, keepsFormulas: boolean): Promise<void> {
    const { response } = this.exchange;
    try {
      if (this.format === 'parquet') await writeParquet(open.columns, this.counted(open), (bytes) => this.send(bytes));
      else await this.writeText(open, this.format === 'csv' ? csv(open.columns, keepsFormulas) : ndjson(open.columns));
      response.addTrailers({ 'x-ledgergate-rows': String(this.rows), 'x-ledgergate-last': this.last });
      const target = this.gzip ?? response;
      target.end();
      await finished(response);
    } catch (error) {
      response.destroy();
      this.gzip?.destroy();
      if (!(error instanceof ClientGone)) throw error;
    }
  }

  private async writeText(open: OpenExport, encoder: Encoder): Promise<void> {
    await this.send(encoder.head());
    for await (const rows of this.counted(open)) await this.send(encoder.batch(rows));
  }

  private async *counted({
    batches,
    columns,
    dataset,
  }: OpenExport): AsyncGenerator<readonly (readonly (string | null)[])[]> {
    for await (const rows of batches) {
      this.rows += rows.length;
      const row = rows.at(-1);
      if (row) this.last = keyText(dataset, columns, row);
      yield rows;
    }
  }

  /** Resolves when the client can take more: reading goes on no faster than it does. */
  private async send(bytes: string | Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const { response } = this.exchange;
    if (response.destroyed) throw new ClientGone();
    const target = this.gzip ?? response;
    if (!target.write(bytes)) await roomIn(target, response, this.stalledMs);
  }
}

/** It went away, or takes nothing any more. */
class ClientGone extends Error {}

async function roomIn(target: Gzip | ServerResponse, response: ServerResponse, withinMs: number): Promise<void> {
  const given = new AbortController();
  const { signal } = given;
  try {
    const room = once(target, 'drain', { signal }).then(() => true);
    const gone = once(response, 'close', { signal }).then(() => false);
    const stalled = pause(withinMs, false, { signal });
    if (!(await Promise.race([room, gone, stalled])) || response.destroyed) throw new ClientGone();
  } finally {
    given.abort();
  }
}
