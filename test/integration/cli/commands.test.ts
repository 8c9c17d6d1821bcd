// The commands on a real database, with no gateway running and simulated systems behind it. What would surprise: a waiting
// sync that nobody works on, an answer that is not one JSON document, a broken trail or a difference that exits 0.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGround } from '../../../src/app.js';
import { cliCaller } from '../../../src/cli/ground.js';
import { readConfig } from '../../../src/config.js';
import { createLogger } from '../../../src/logger.js';
import { type RunningSandboxes, startSandboxes } from '../../../src/sandbox/start.js';
import { newMasterKey } from '../../../src/secrets.js';
import { createUseCases } from '../../../src/services/allUseCases.js';
import type { Outcome } from '../../../src/services/outcome.js';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { cli, cliAsked } from './cliGround.js';

const WINDOW = ['--from', '2026-09-01', '--to', '2026-12-01'];
const TIME = 180_000;

let database: FreshDatabase;
let sandboxes: RunningSandboxes;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-commands-'));
  env = { DATABASE_URL: database.connectionString, LEDGERGATE_MASTER_KEY: newMasterKey().reveal() };
  sandboxes = await startSandboxes({
    which: ['brex', 'syspro'],
    scenario: { kind: 'month', seed: 3, month: '2026-10', purchases: 200 },
  });
  await connectAll();
}, TIME);

afterAll(async () => {
  await sandboxes.close();
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
}, TIME);

beforeEach(() => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
});
afterEach(() => vi.unstubAllEnvs());

function done<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.problems.map((one) => one.message).join(' '));
  return outcome.value;
}

async function connectAll(): Promise<void> {
  const { brex, syspro } = sandboxes;
  if (!brex || !syspro) throw new Error('Both sandboxes are needed.');
  const ground = await openGround(readConfig(env), { logger: createLogger('silent') });
  const use = createUseCases(ground.engine);
  const caller = cliCaller('default');
  try {
    const source = done(
      await use.connectSystem(caller, {
        ...{ kind: 'BREX', name: 'Brex', baseUrl: brex.access.url },
        credentials: { kind: 'userToken', token: brex.access.userToken },
        settings: { reimbursementBasis: 'ACCRUAL' },
      }),
    );
    const { operator, password: operatorPassword, companyId, baseUrl } = syspro.access;
    const ledger = done(
      await use.connectSystem(caller, {
        ...{ kind: 'SYSPRO', name: 'SYSPRO', baseUrl },
        credentials: { operator, operatorPassword, companyId },
        settings: { accountTemplate: '{costCentre}-{glAccount}', settlingSeconds: 2, submitTimeoutSeconds: 10 },
      }),
    );
    done(await use.refreshMasterData(caller, ledger.id));
    done(
      await use.createPipeline(caller, {
        ...{ name: 'Card spend', sourceId: source.id, ledgerId: ledger.id, schedule: null, timeZone: 'UTC' },
        streams: ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
        ...{ documentType: 'JOURNAL', grouping: 'PER_RECORD', offsetAccount: '00-2150', defaultAccount: null },
        ...{ unmatchedVendor: 'POST_WITHOUT_SUPPLIER', postingDate: 'TRANSACTION_DATE', closedPeriod: 'HOLD' },
        ...{ coding: 'RICHEST', correction: 'REVERSE_AND_REPLACE', requireApproval: false },
        ...{ exportMasterData: false, enabled: true },
      }),
    );
  } finally {
    await ground.close(5_000);
  }
}

async function json(...args: string[]): Promise<{ code: number; answer: Record<string, unknown> }> {
  const { code, out } = await cli(...args, '--json');
  return { code, answer: JSON.parse(out) as Record<string, unknown> };
}

describe('the commands, without a gateway', { timeout: TIME }, () => {
  it('migrates, and once more', async () => {
    expect(await json('migrate')).toEqual({ code: 0, answer: { ok: true } });
    expect((await cli('migrate')).out).toBe('The database is up to date.\n');
  });

  it('makes a key and shows its secret on standard output alone', async () => {
    const made = await cli('keys', 'create', '--name', 'dashboard', '--role', 'viewer');
    expect(made.code).toBe(0);
    expect(made.out).toMatch(/^lgk_[\w-]{43}\n$/);
    expect(made.err).not.toContain(made.out.trim());
    expect((await cli('keys', 'create', '--name', 'old', '--role', 'VIEWER', '--expires', '2020-01-01')).code).toBe(1);
  });

  it('lists and tests the systems', async () => {
    const { answer } = await json('systems');
    const systems = answer.systems as { id: string; name: string }[];
    expect(systems.map((one) => one.name)).toEqual(['Brex', 'SYSPRO']);
    const tested = await json('systems', 'test', systems[1]?.id ?? '');
    expect(tested).toMatchObject({ code: 0, answer: { ok: true } });
    expect(await json('systems', 'test', 'sys_none')).toMatchObject({ code: 1, answer: { ok: false } });
  });

  it('names the pipelines there are when given another', async () => {
    const { code, err } = await cli('sync', 'Nonsense');
    expect(code).toBe(2);
    expect(err).toContain('Card spend');
  });

  it('shows by a dry run what a sync then posts, with nobody else to work on it', async () => {
    const dry = await json('sync', 'Card spend', '--dry-run', ...WINDOW);
    expect(dry.code).toBe(0);
    const preview = dry.answer.preview as { reference: string; status: string }[];
    const ready = preview.filter((one) => one.status !== 'HELD').map((one) => one.reference);
    expect(ready.length).toBeGreaterThan(50);
    expect(sandboxes.syspro?.sandbox.ledger.journalCount).toBe(0);

    const real = await json('sync', 'Card spend', '--wait', ...WINDOW);
    expect(real).toMatchObject({ code: 0, answer: { status: 'SUCCEEDED', postingsPosted: ready.length } });
    const posted = sandboxes.syspro?.sandbox.ledger.journals().map((one) => one.reference);
    expect(posted?.sort()).toEqual(ready.sort());
  });

  it('says that nobody works on what it queued', async () => {
    expect(await json('sync', 'Card spend', ...WINDOW)).toMatchObject({ code: 0, answer: { isWorkedOn: false } });
  });

  it('shows what a replay would do, and at a terminal does it only after a yes', async () => {
    const selects = ['--pipeline', 'Card spend', '--hold-code', 'period_closed', '--from', '2026-01-01'];
    const before = await json('audit', 'verify');
    const preview = await json('replay', ...selects, '--preview');
    expect(preview).toMatchObject({ code: 0, answer: { ok: true } });
    const outcomes = preview.answer.outcomes as { outcome: string; code: string; count: number }[];
    expect(outcomes).toMatchObject([{ outcome: 'HELD', code: 'PERIOD_CLOSED', count: preview.answer.count }]);
    const declined = await cliAsked(false, 'replay', ...selects);
    expect(declined).toMatchObject({ code: 1, err: `Replay ${preview.answer.count} postings?` });
    expect(declined.out).toContain('would stay held');
    expect((await json('audit', 'verify')).answer.eventsChecked).toBe(before.answer.eventsChecked);

    const agreed = await cliAsked(true, 'replay', ...selects, '--note', 'looked at');
    expect(agreed.code).toBe(0);
    expect(agreed.out).toContain(`${preview.answer.count} postings to be replayed`);
    expect((await cli('replay', '--from', 'yesterday')).code).toBe(2);
    expect((await cli('replay', 'post_1', '--preview')).code).toBe(2);
  });

  it('replays what is held', async () => {
    const { code, answer } = await json('replay', '--pipeline', 'Card spend', '--hold-code', 'period_closed');
    expect(code).toBe(0);
    expect(answer.count).toBeGreaterThan(0);
    expect((await cli('replay', 'post_none')).code).toBe(1);
  });

  it('previews mapping rules from a file, and saves nothing', async () => {
    const file = join(folder, 'rules.csv');
    writeFileSync(file, 'merchant,glAccount\n*,9999\n');
    const options = [
      'mapping',
      'preview',
      '--pipeline',
      'Card spend',
      '--file',
      file,
      '--effective-from',
      '2026-01-01',
    ];
    const { code, answer } = await json(...options);
    expect(code).toBe(0);
    expect(answer).toMatchObject({ ok: true, version: 1, effectiveFrom: '2026-01-01' });
    expect(answer.recordsRead).toBeGreaterThan(200);
    const movements = answer.movements as { to: { glAccount: string }; recordCount: number }[];
    expect(new Set(movements.map(({ to }) => to.glAccount))).toEqual(new Set(['9999']));
    const shown = await cli(...options);
    expect(shown.out).toContain(`${answer.recordsChanged} of ${answer.recordsRead} purchases would change`);
    expect((await cli(...options, '--months', 'many')).code).toBe(1);
    expect((await json(...options)).answer.version).toBe(1);
  });

  it('reconciles: no difference exits 0', async () => {
    const closed = await json('reconcile', 'Card spend', '--from', '2026-09-01', '--to', '2026-11-30');
    expect(closed).toMatchObject({ code: 0, answer: { ok: true, complete: true } });
    const totals = closed.answer.totals as { currency: string; difference: string }[];
    expect(totals.map((one) => one.difference)).toEqual(totals.map(() => '0.00'));
    const shown = await cli('reconcile', 'Card spend', '--from', '2026-09-01', '--to', '2026-11-30');
    expect(shown.out).toContain('difference');
  });

  it('exports the trail as one event a line, and verifies it until somebody changes it', async () => {
    const file = join(folder, 'audit.ndjson');
    const whole = await json('audit', 'verify');
    expect(whole).toMatchObject({ code: 0, answer: { ok: true } });
    const exported = await json('audit', 'export', '--out', file);
    expect(String(exported.answer.events)).toBe(whole.answer.eventsChecked);
    const events = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: string });
    expect(events.map((one) => one.sequence)).toEqual(events.map((_, index) => String(index + 1)));
    const streamed = await cli('audit', 'export', '--to', '2000-01-01');
    expect(streamed).toMatchObject({ code: 0, out: '' });

    const client = new pg.Client({ connectionString: database.connectionString });
    await client.connect();
    // As the owner of the tables could: what protects the trail against that is its chain.
    await client.query('alter table audit_events disable trigger user');
    await client.query("update audit_events set summary = 'x' where sequence = 7");
    await client.end();
    expect(await json('audit', 'verify')).toMatchObject({ code: 1, answer: { ok: false, firstBrokenSequence: '7' } });
  });
});
