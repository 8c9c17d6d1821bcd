import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine } from '../services/engine.js';
import { FIGURES, readFigures } from '../services/figures.js';
import { vendorCalls } from '../telemetry.js';
import { sendJson } from './exchange.js';
import type { HttpRoute } from './options.js';

/** What the database is asked for is kept for so long, however many scrape. */
const KEPT_MS = 10_000;
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const HTTP_ERROR = 400;

interface Parts extends Pick<Engine, 'db' | 'clock'> {
  readonly version: string;
}

/** Figures for Prometheus: of this process, and of the database that all processes share. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly stopListening: () => void;
  private readonly gauges: ReadonlyMap<string, Gauge>;
  private read: { at: number; done: Promise<void> } | null = null;

  constructor(private readonly parts: Parts) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    new Gauge({ name: 'ledgergate_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set(
      { version: parts.version },
      1,
    );
    const seconds = new Histogram({
      name: 'ledgergate_vendor_request_seconds',
      help: 'Time of calls to a vendor, by kind of system and by what came of it (2xx, 4xx, TIMEOUT).',
      ...{ labelNames: ['kind', 'outcome'], buckets: BUCKETS, registers },
    });
    const errors = new Counter({
      name: 'ledgergate_vendor_errors_total',
      help: 'Calls to a vendor that failed, by kind of system and status or fault.',
      ...{ labelNames: ['kind', 'reason'], registers },
    });
    this.stopListening = vendorCalls.subscribe(({ kind = 'UNKNOWN', status, fault, latencyMs }) => {
      const outcome = status === null ? (fault ?? 'UNKNOWN') : `${Math.floor(status / 100)}xx`;
      seconds.observe({ kind, outcome }, latencyMs / 1_000);
      if (status === null || status >= HTTP_ERROR) errors.inc({ kind, reason: String(status ?? fault) });
    });
    this.gauges = new Map(
      FIGURES.map(({ name, help, labels }) => [name, new Gauge({ name, help, labelNames: [...labels], registers })]),
    );
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    await this.refresh();
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  stop(): void {
    this.stopListening();
  }

  private refresh(): Promise<void> {
    const now = performance.now();
    if (this.read && now - this.read.at < KEPT_MS) return this.read.done;
    const done = this.readDatabase();
    this.read = { at: now, done };
    // What failed is asked for again by the next.
    done.catch(() => {
      this.read = null;
    });
    return done;
  }

  private async readDatabase(): Promise<void> {
    for (const [name, figures] of await readFigures(this.parts)) {
      const gauge = this.gauges.get(name);
      // A state that nothing is in any more goes, instead of keeping its last count.
      gauge?.reset();
      for (const { labels, value } of figures) gauge?.set({ ...labels }, value);
    }
  }
}

/** `GET /metrics`. @param token what a scraper sends as `Authorization: Bearer …`; null = everybody may look. */
export function metricsRoute(metrics: Metrics, token: { matches(given: string): boolean } | null): HttpRoute {
  return {
    method: 'GET',
    pattern: /^\/metrics$/,
    role: null,
    handle: async (exchange) => {
      const { request, response } = exchange;
      const given = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (token && !(given !== undefined && token.matches(given))) {
        sendJson(
          exchange,
          401,
          { error: 'UNAUTHENTICATED', message: 'Send the token of LEDGERGATE_METRICS_TOKEN.' },
          {
            'www-authenticate': 'Bearer',
          },
        );
        return;
      }
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text);
    },
  };
}
