import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ReadWindow, SpendConnection, SpendPage } from '../../../src/connectors/contract.js';
import type { ExpensifyRuntime } from '../../../src/connectors/expensify/client.js';
import {
  type ExpensifyCredentials,
  type ExpensifySettings,
  settingsSchema,
} from '../../../src/connectors/expensify/config.js';
import { connectExpensify } from '../../../src/connectors/expensify/index.js';
import { type ContextOptions, contextFor, OpenQuota } from '../../support/connectorContext.js';

/** An Expensify that answers what a test says, on a real socket, and remembers what it was asked. */

export const CREDENTIALS: ExpensifyCredentials = {
  partnerUserID: 'aa_svc_example_com',
  partnerUserSecret: 's3cr&t+%"/\\=#{}',
};
export const NOW = new Date('2026-11-20T12:00:00Z');

export interface Job {
  readonly type: string;
  readonly inputSettings?: {
    readonly type: string;
    readonly reportState?: string;
    readonly limit?: string;
    readonly filters?: Record<string, string>;
    readonly [name: string]: unknown;
  };
  readonly onFinish?: readonly { readonly actionName: string; readonly label: string }[];
  readonly test?: string;
  readonly fileName?: string;
  readonly fileSystem?: string;
  readonly credentials: ExpensifyCredentials;
  readonly [name: string]: unknown;
}

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly job: Job;
  readonly template: string | null;
  /** The caller's port: one for each connection. */
  readonly port: number | undefined;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Breaks the connection instead of answering. */
  readonly breaks?: boolean;
}

export interface FakeServer {
  readonly url: string;
  readonly asked: Asked[];
}

export async function fakeServer(answer: (asked: Asked, count: number) => Answer): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
      const one: Asked = {
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        contentType: incoming.headers['content-type'],
        job: JSON.parse(form.get('requestJobDescription') ?? '{}'),
        template: form.get('template'),
        port: incoming.socket.remotePort,
      };
      asked.push(one);
      const said = answer(one, asked.length);
      if (said.breaks) {
        incoming.socket.destroy();
        return;
      }
      outgoing.writeHead(said.status ?? 200, { 'content-type': 'text/plain;charset=utf-8', ...said.headers });
      outgoing.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

// ── reports ──────────────────────────────────────────────────────────────────────────────────

type Fields = Readonly<Record<string, unknown>>;

export interface FakeReport {
  readonly fields: Fields;
  readonly lines: readonly (Fields | string)[];
}

export function expense(fields: Fields = {}): Fields {
  return {
    k: 'line',
    transactionID: '4056343049275634494',
    amount: '1250',
    modifiedAmount: '',
    convertedAmount: '1250',
    currency: 'USD',
    merchant: 'Hotel Adler',
    created: '2026-11-02',
    category: 'Travel',
    categoryGlCode: '6200',
    comment: 'Trade fair',
    reimbursable: 'true',
    ...fields,
  };
}

export function report(fields: Fields = {}, lines: readonly (Fields | string)[] = [expense()]): FakeReport {
  return {
    fields: {
      k: 'report',
      reportID: 'R00AbCdEf123',
      reportName: 'November',
      policyID: '0123456789ABCDEF',
      status: 'Approved',
      currency: 'USD',
      approved: '2026-11-17',
      accountEmail: 'e@example.com',
      submitter: 'Eva Example',
      ...fields,
    },
    lines,
  };
}

/** What our template prints for these reports. */
export function printed(reports: readonly FakeReport[]): string {
  const lines = reports.flatMap(({ fields, lines: expenses }) => [
    JSON.stringify({ ...fields, lines: expenses.length }),
    ...expenses.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
  ]);
  const begin = JSON.stringify({ k: 'begin', v: 1, reports: reports.length });
  const end = JSON.stringify({ k: 'end', v: 1, reports: reports.length });
  return [begin, ...lines, end, ''].join('\n');
}

function withoutLines(reports: readonly FakeReport[]): FakeReport[] {
  return reports.map(({ fields }) => ({ fields, lines: [] }));
}

export const POLICY = {
  id: '0123456789ABCDEF',
  name: 'Trial',
  role: 'admin',
  type: 'corporate',
  outputCurrency: 'USD',
};

export interface Model {
  readonly reports: FakeReport[];
  readonly marked: Map<string, Set<string>>;
  /** Said instead of the model's own answer. */
  override: ((asked: Asked, count: number) => Answer | undefined) | null;
  policies: readonly unknown[];
  policyInfo: Record<string, unknown>;
  /** Reports that a job without a state filter or with one shows. */
  readonly files: Map<string, string>;
}

/** A small Expensify: filters by ids, label, states and approval date, and marks. It renders at once. */
export async function expensifyWith(reports: readonly FakeReport[]): Promise<FakeServer & { model: Model }> {
  const model: Model = {
    reports: [...reports],
    marked: new Map(),
    override: null,
    policies: [POLICY],
    policyInfo: { [POLICY.id]: { categories: [{ name: 'Travel', enabled: true, glCode: '6200' }], tags: [] } },
    files: new Map(),
  };
  const server = await fakeServer((asked, count) => model.override?.(asked, count) ?? answerOf(model, asked));
  return { ...server, model };
}

export function answerOf(model: Model, { job, template }: Asked): Answer {
  if (job.type === 'file') return startJob(model, job, template ?? '');
  if (job.type === 'download') return { body: model.files.get(job.fileName ?? '') ?? '' };
  if (job.inputSettings?.type === 'policyList') {
    return { body: { policyList: model.policies, responseCode: 200 } };
  }
  if (job.inputSettings?.type === 'policy') {
    return { body: { policyInfo: model.policyInfo, responseCode: 200 } };
  }
  return { body: { responseCode: 410, responseMessage: "Argument 'type' is missing or malformed" } };
}

function startJob(model: Model, job: Job, template: string): Answer {
  const { filters = {}, limit, reportState } = job.inputSettings ?? { type: '' };
  const ids = filters.reportIDList?.split(',');
  const label = filters.markedAsExported;
  const states = reportState?.split(',');
  const shown = model.reports
    .filter(({ fields }) => !ids || ids.includes(String(fields.reportID)))
    .filter(({ fields }) => !label || !model.marked.get(String(fields.reportID))?.has(label))
    .filter(({ fields }) => !states || states.includes(String(fields.status).toUpperCase()))
    .filter(({ fields }) => !filters.approvedAfter || String(fields.approved) > filters.approvedAfter)
    .filter(({ fields }) => !filters.endDate || String(fields.approved) <= filters.endDate)
    .slice(0, limit ? Number(limit) : undefined);
  const name = `ledgergate${model.files.size + 1}.json`;
  model.files.set(name, printed(template.includes('transactionList') ? shown : withoutLines(shown)));
  if (job.test !== 'true') {
    for (const action of job.onFinish ?? []) {
      for (const { fields } of shown) {
        const id = String(fields.reportID);
        model.marked.set(id, new Set([...(model.marked.get(id) ?? []), action.label]));
      }
    }
  }
  return { body: `${name}\n` };
}

// ── connections ──────────────────────────────────────────────────────────────────────────────

/** Waiting takes no time and moves the clock of deadlines. */
export class TestRuntime implements ExpensifyRuntime {
  readonly waits: number[] = [];
  private nowMs = 0;

  readonly delay = async (ms: number): Promise<void> => {
    this.waits.push(ms);
    this.nowMs += ms;
  };
  readonly random = (): number => 0;
  readonly monotonicMs = (): number => this.nowMs;
}

export function settingsWith(settings: Record<string, unknown> = {}): ExpensifySettings {
  return settingsSchema.parse(settings);
}

export function connectTo(
  url: string,
  settings: Record<string, unknown> = {},
  options: ContextOptions<ExpensifyCredentials> = {},
) {
  const runtime = new TestRuntime();
  const quota = new OpenQuota();
  const context = contextFor(url, CREDENTIALS, settingsWith(settings), { now: () => NOW, quota, ...options });
  const connection = connectExpensify(context, runtime);
  onTestFinished(() => connection.disconnect());
  return { connection, runtime, quota };
}

export const EVERYTHING: ReadWindow = { since: null, until: null };
export const RECENT: ReadWindow = { since: new Date('2026-11-18T08:00:00Z'), until: null };

// ── reading ──────────────────────────────────────────────────────────────────────────────────

export const TWO = [
  report(),
  report({ reportID: 'R00Two', approved: '2026-11-19' }, [
    expense({ transactionID: '1' }),
    expense({ transactionID: '2', comment: 'two\nlines, a "quote", \u2028 and 🧾' }),
  ]),
];

export async function readAll(connection: SpendConnection, window = EVERYTHING): Promise<SpendPage[]> {
  const pages: SpendPage[] = [];
  for (let cursor: string | null = null; pages.length < 200; ) {
    const page: SpendPage = await connection.readPage('EXPENSE_REPORTS', window, cursor);
    pages.push(page);
    cursor = page.nextCursor;
    if (cursor === null) return pages;
  }
  throw new Error('the pages do not end');
}

export function idsIn(pages: readonly SpendPage[]): string[] {
  return [...new Set(pages.flatMap(({ objects }) => objects.map(({ externalId }) => externalId)))].sort();
}

export function fileJobs(asked: readonly Asked[]) {
  return asked.filter(({ job }) => job.type === 'file').map(({ job }) => job);
}
