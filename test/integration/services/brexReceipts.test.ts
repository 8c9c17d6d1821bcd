// The real Brex connector against the simulated Brex and its storage of receipts. What would surprise: links that are asked
// for with every page, a link that is stored, a receipt that is fetched once for the expense and once for the record.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { brexConnector } from '../../../src/connectors/brex/index.js';
import type { Connector } from '../../../src/connectors/contract.js';
import { blankAccount, type RunningBrex, SANDBOX_ACCESS, startBrexSandbox } from '../../../src/sandbox/brex/index.js';
import { updateSystem } from '../../../src/services/systems.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';

let brex: RunningBrex;
let engine: TestEngine;
let company: Company;

beforeEach(async () => {
  const purchase = (key: string, hasReceipt: boolean) => ({
    ...{ key, kind: 'CARD' as const, user: 0, merchant: 0, descriptor: 'OFFICE DEPOT #88', amountMinor: 1_000 },
    ...{ currency: 'USD', purchasedAt: '2026-11-09T10:00:00Z', postedAt: '2026-11-11T09:09:05.840865Z' },
    ...{ expenseAt: '2026-11-11T10:00:00.123456Z', recordAt: '2026-11-12T08:00:10.422192Z', hasReceipt },
    lines: [{ amountMinor: 1_000, coding: { gl_account: '6100', cost_center: null } }],
  });
  brex = await startBrexSandbox({
    data: blankAccount('2026-11-20T12:00:00Z', { purchases: [purchase('a', true), purchase('b', false)] }),
    settings: { rateLimit: null },
  });
  engine = await makeTestEngine({ spendConnector: brexConnector as Connector });
  company = await makeCompany(engine, {}, 'default', {
    baseUrl: brex.url,
    credentials: { kind: 'userToken', token: SANDBOX_ACCESS.userToken },
  });
});
afterEach(async () => {
  await engine.close();
  await brex.close();
});

const links = () =>
  engine.rows<{ stream: string; state: string; sha256: string | null }>(
    'select stream, state, sha256 from receipt_links order by stream',
  );

it('keeps the receipt of a purchase once, whichever of its objects shows it', async () => {
  await sync(engine, company);
  expect(await links()).toMatchObject([
    { stream: 'ACCOUNTING_RECORDS', state: 'STORED' },
    { stream: 'EXPENSES', state: 'STORED' },
  ]);
  expect([...brex.control.receipts.fetched.values()]).toEqual([1]);
  expect(await engine.rows('select content_type from receipts')).toEqual([{ content_type: 'application/pdf' }]);
  const stored = await engine.rows(
    `select (select jsonb_agg(o) from source_objects o)::text || (select jsonb_agg(l) from receipt_links l)::text as text`,
  );
  expect(JSON.stringify(stored)).not.toContain('signature');
});

it('finds by a new link what the storage had not got yet', async () => {
  for (const id of ['receipt_a']) brex.control.receipts.lost.add(id);
  await sync(engine, company);
  expect((await links()).map((one) => one.state)).toEqual(['MISSING', 'MISSING']);
  brex.control.receipts.lost.clear();
  await engine.rows(`update receipt_links set state = 'PENDING', attempts = 0`);
  await engine.db.tenant('default', (tx) =>
    engine.jobs.send(tx, 'source.receipts', { tenantId: 'default', sourceId: company.sourceId }),
  );
  await engine.runJobs();
  expect((await links()).map((one) => one.state)).toEqual(['STORED', 'STORED']);
});

it('fetches nothing where the setting says so', async () => {
  done(await updateSystem(engine, company.caller, company.sourceId, { settings: { fetchReceipts: false } }));
  await sync(engine, company);
  expect(await links()).toEqual([]);
  expect(brex.control.receipts.fetched.size).toBe(0);
});
