/**
 * The connector against the simulated Expensify, over real HTTP, its template run by the simulator's own FreeMarker. What
 * would be caught here: a sum that differs from the account's own, an expense lost or doubled under any form that the
 * vendor's answers may take, calls above the vendor's limits, and a label that is set too early, twice, or not at all.
 */
import { describe, expect, it } from 'vitest';
import type { ReadWindow, ReportsExports } from '../../src/connectors/contract.js';
import { CredentialsError } from '../../src/errors.js';
import type { ExpensifySandboxOptions } from '../../src/sandbox/expensify/index.js';
import type { FaultRuleInput } from '../../src/sandbox/kit/index.js';
import {
  ALL,
  account,
  accountTotals,
  contentOf,
  EUR,
  LABEL,
  NOW,
  readAll,
  start,
  totals,
  USD,
} from './expensifyAccount.js';

const SEED = account(60);

// ── reading ──────────────────────────────────────────────────────────────────────────────────

describe('a year of reports', () => {
  it('is read whole, with the account’s own counts and sums', async () => {
    const { sandbox, connect } = await start(SEED);
    const read = await readAll(connect());
    const expected = accountTotals(sandbox);
    expect(read.unreadable).toEqual([]);
    expect(read.objects).toHaveLength(expected.expenses);
    expect(totals(read.objects)).toEqual(expected.totals);
    expect(read.pages).toBeGreaterThan(20);
    expect(read.objects.every(({ isFinal, postedDate, exportId }) => isFinal && postedDate && exportId)).toBe(true);
    expect(read.objects.filter(({ amount }) => amount.minor < 0n).every(({ kind }) => kind === 'REFUND')).toBe(true);
    const failed = sandbox.jobs().filter(({ error }) => error !== null);
    expect(failed).toEqual([]);
  });

  it('carries accounts and tags of both shapes in codes, and texts as they were written', async () => {
    const { connect } = await start(SEED);
    const { objects } = await readAll(connect());
    const parts = objects.map(({ parts: [part] }) => part);
    expect(new Set(parts.map((part) => part?.glAccount))).toEqual(new Set(['6220', '6200', null]));
    expect(new Set(parts.map((part) => part?.costCentre))).toEqual(new Set(['10', '90', null]));
    expect(new Set(parts.map((part) => part?.dimensions.Project))).toEqual(new Set(['P-100', undefined]));
    expect(parts.some((part) => part?.dimensions['Tax rate'] === 'Standard' && part.tax !== null)).toBe(true);
    expect(objects.map(({ memo }) => memo)).toContain('a "quote" and a line');
    expect(objects.map(({ memo }) => memo)).toContain('back\\slash </b> 🧾');
    const foreign = objects.filter(({ originalAmount }) => originalAmount !== null);
    expect(foreign.length).toBeGreaterThan(5);
    expect(foreign.every(({ exchangeRate }) => exchangeRate === '1.085' || exchangeRate === '0.92')).toBe(true);
    expect(objects.filter(({ receiptUrls }) => receiptUrls.length === 1).length).toBeGreaterThan(3);
  });

  const FORMS: [string, ExpensifySandboxOptions['settings']][] = [
    ['codes as text', { responseCodeAs: 'text' }],
    ['codes with a point', { responseCodeAs: 'decimal' }],
    ['file names in an object and another ending', { submitReply: 'envelope', fileEnding: 'csv' }],
    ['jobs that take long', { jobDelayMs: 40_000, notReadyDownloads: 3 }],
    ['empty files until they are ready', { notReady: 'empty', notReadyDownloads: 6 }],
    ['404 until they are ready', { notReady: 'envelope404', notReadyDownloads: 6 }],
    ['500 until they are ready', { notReady: 'envelope500', notReadyDownloads: 6 }],
    ['bounds that include their day', { approvedAfterIncludesDay: true }],
    ['a template that runs for each report', { templateRuns: 'perReport' }],
    ['blanks as text', { blanks: 'text' }],
    ['blanks left out', { blanks: 'missing' }],
    ['converted amounts always', { sameCurrencyConverted: 'filled' }],
    ['converted amounts for foreign expenses only', { sameCurrencyConverted: 'blank' }],
    ['ids as numbers', { transactionIDAs: 'number' }],
    ['amounts as text', { amountsAs: 'text' }],
    ['dates as objects', { datesAs: 'date' }],
    ['days without times', { dateTimes: false }],
    ['reports in another order', { reportOrder: 'created' }],
  ];

  it.each(FORMS)('is the same with %s', async (_name, form) => {
    const plain = await readAll((await start(SEED)).connect());
    const other = await readAll((await start(SEED, form)).connect());
    expect(other.unreadable).toEqual([]);
    expect(contentOf(other.objects)).toEqual(contentOf(plain.objects));
    expect(other.objects.map(({ postedDate }) => postedDate).sort()).toEqual(
      plain.objects.map(({ postedDate }) => postedDate).sort(),
    );
  });

  const FAULTS: [string, FaultRuleInput[]][] = [
    ['broken connections', [{ match: '*', kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: 0.1 }]],
    ['lost answers', [{ match: '*', kind: 'LOSE_REPLY_AFTER_COMMIT', probability: 0.1 }]],
    ['HTML pages', [{ match: '*', kind: 'HTML', probability: 0.1 }]],
    ['HTML under 200 in downloads', [{ match: 'download', kind: 'HTML', status: 200, probability: 0.2 }]],
    ['server errors', [{ match: '*', kind: 'SERVER_ERROR', probability: 0.1 }]],
    ['throttles', [{ match: '*', kind: 'RATE_LIMIT', probability: 0.1 }]],
    ['empty bodies', [{ match: '*', kind: 'EMPTY', probability: 0.1 }]],
  ];

  it.each(FAULTS)('is the same under %s', async (_name, rules) => {
    const { sandbox, connect } = await start(SEED);
    sandbox.faults.set(rules, 11);
    const read = await readAll(connect({ lookbackDays: 350 }));
    expect(sandbox.faults.list().every(({ fired }) => fired > 0)).toBe(true);
    expect(read.unreadable).toEqual([]);
    expect(totals(read.objects)).toEqual(accountTotals(sandbox).totals);
  });

  it.each(['lastLine', 'half'] as const)('is the same when files lack their end (%s)', async (cut) => {
    const { sandbox, connect } = await start(SEED, { notReadyDownloads: 0 });
    sandbox.truncateNextFiles(4, cut);
    expect(totals((await readAll(connect())).objects)).toEqual(accountTotals(sandbox).totals);
  });

  it('is cut finer where more reports are there than one job may show', async () => {
    const { sandbox, connect } = await start(SEED);
    const read = await readAll(connect({ limit: 2, sliceDays: 30 }));
    expect(totals(read.objects)).toEqual(accountTotals(sandbox).totals);
  });

  it('of many reports on one day is read although a job shows two at most', async () => {
    const reports = (account(12).reports ?? []).map((one, index) => ({
      ...one,
      approvedAt: `2026-11-10T08:0${index % 10}:00Z`,
      reimbursedAt: null,
    }));
    const { sandbox, connect } = await start(account(0, { reports }));
    const read = await readAll(connect({ limit: 2, lookbackDays: 30 }));
    expect(totals(read.objects)).toEqual(accountTotals(sandbox).totals);
  });

  it('is read within the vendor’s limits, with no call refused', async () => {
    const { sandbox, connect, quota } = await start(SEED, {
      rateLimits: [
        { requests: 5, seconds: 10 },
        { requests: 20, seconds: 60 },
      ],
    });
    const read = await readAll(connect());
    expect(totals(read.objects)).toEqual(accountTotals(sandbox).totals);
    expect(quota.taken).toBeGreaterThan(40);
    expect(quota.blocks).toEqual([]);
  });

  it('shows the workspaces of the filter only', async () => {
    const { connect } = await start(SEED);
    const { objects } = await readAll(connect({ policyIDs: [EUR] }));
    expect(objects.length).toBeGreaterThan(5);
    expect(new Set(objects.map(({ amount }) => amount.currency))).toEqual(new Set(['EUR']));
  });

  it('holds up a foreign expense that Expensify has not converted, by itself', async () => {
    const seed = account(8);
    const [victim] = (seed.reports ?? []).flatMap(({ expenses }) => expenses);
    if (victim) Object.assign(victim, { currency: 'GBP' });
    const { connect, sandbox } = await start(seed);
    const read = await readAll(connect());
    expect(read.unreadable).toMatchObject([{ externalId: victim?.transactionID }]);
    expect(read.objects).toHaveLength(accountTotals(sandbox).expenses - 1);
  });
});

// ── changes ──────────────────────────────────────────────────────────────────────────────────

describe('a report that is taken back', () => {
  it('is not shown until it is approved again, and then with its new amount', async () => {
    const { sandbox, connect } = await start(SEED);
    const connection = connect();
    await readAll(connection);
    const report = sandbox.reports('APPROVED').findLast(({ expenses }) => expenses.length > 0);
    const id = report?.expenses[0]?.transactionID ?? '';
    const read = async (window: ReadWindow) =>
      (await readAll(connection, window)).objects.find(({ externalId }) => externalId === id);
    const before = await read(ALL);
    sandbox.unapprove(report?.reportID ?? '');
    expect(await read(ALL)).toBeUndefined();
    const again = await connection.readObjects('EXPENSE_REPORTS', [id]);
    expect(again.objects).toMatchObject([{ externalId: id, isFinal: false, exportId: report?.reportID }]);

    sandbox.setNow('2026-11-25T09:00:00Z');
    sandbox.editExpense(id, { amount: 98_765 });
    sandbox.approve(report?.reportID ?? '');
    const after = await read({ since: new Date('2026-11-24T00:00:00Z'), until: null });
    expect(after).toMatchObject({ isFinal: true, postedDate: '2026-11-25', keys: before?.keys });
    expect(after?.amount).not.toEqual(before?.amount);
    expect(after?.version).not.toBe(before?.version);
  });

  it('approved late, for a day inside the overlap, is seen by the next read', async () => {
    const { sandbox, connect } = await start(SEED);
    const open = sandbox.reports('SUBMITTED').findLast(({ expenses }) => expenses.length > 0);
    sandbox.approve(open?.reportID ?? '', '2026-11-18T10:00:00Z');
    const { objects } = await readAll(connect(), { since: new Date(NOW), until: null });
    expect(objects.map(({ exportId }) => exportId)).toContain(open?.reportID);
  });

  it('a single expense is found by a process that has never seen its report', async () => {
    const { sandbox, connect } = await start(SEED);
    const report = sandbox.reports('REIMBURSED').find(({ expenses }) => expenses.length > 1);
    const ids = report?.expenses.map(({ transactionID }) => transactionID) ?? [];
    const page = await connect().readObjects('EXPENSE_REPORTS', [...ids, '9999999999999999999']);
    expect(page.objects.map(({ externalId }) => externalId).sort()).toEqual([...ids].sort());
    expect(page.objects.every(({ exportId }) => exportId === report?.reportID)).toBe(true);
  });
});

// ── marking ──────────────────────────────────────────────────────────────────────────────────

describe('marking', () => {
  async function marking(settings: Record<string, unknown> = {}) {
    const started = await start(SEED);
    const exports = started.connect({ markAsExported: true, exportLabel: LABEL, ...settings })
      .exports as ReportsExports;
    const ids = started.sandbox
      .reports('APPROVED')
      .slice(0, 3)
      .map(({ reportID }) => reportID);
    const reports = ids.map((externalId) => ({
      externalId,
      outcome: { kind: 'SUCCESS', ledgerDocumentId: 'J1' } as const,
    }));
    const marks = () => started.sandbox.jobs().filter(({ labels }) => labels.length > 0);
    return { ...started, exports, ids, reports, marks };
  }

  it('labels what is in the ledger, once', async () => {
    const { exports, ids, marks, reports, sandbox } = await marking();
    expect((await exports.report(reports)).map(({ kind }) => kind)).toEqual(['REPORTED', 'REPORTED', 'REPORTED']);
    expect(sandbox.markedReports(LABEL).sort()).toEqual([...ids].sort());
    const again = await exports.report(reports);
    expect(again.map(({ kind }) => kind)).toEqual(['ALREADY_REPORTED', 'ALREADY_REPORTED', 'ALREADY_REPORTED']);
    expect(marks()).toHaveLength(1);
  });

  it('reading and testing never label anything', async () => {
    const { connect, sandbox } = await start(SEED);
    const connection = connect({ markAsExported: true, exportLabel: LABEL });
    await readAll(connection);
    await connection.test();
    expect(sandbox.summary().labels).toEqual({});
    expect(sandbox.markedReports(LABEL)).toEqual([]);
  });

  it.each(['LOSE_REPLY_BEFORE_COMMIT', 'LOSE_REPLY_AFTER_COMMIT', 'HTML', 'HTML_AFTER_COMMIT', 'EMPTY'] as const)(
    'is right after %s, and is done by the next call at the latest',
    async (kind) => {
      const { exports, ids, marks, reports, sandbox } = await marking();
      // The first two jobs read the reports and their labels; the third one marks.
      sandbox.faults.set([{ match: 'combinedReportData', kind, skip: 2, times: 1 }]);
      const first = await exports.report(reports);
      const isDone = kind.endsWith('AFTER_COMMIT');
      expect(first.map((answer) => answer.kind)).toEqual(ids.map(() => (isDone ? 'REPORTED' : 'NOT_READY')));
      expect(marks()).toHaveLength(isDone ? 1 : 0);
      const second = await exports.report(reports);
      expect(second.map((answer) => answer.kind)).toEqual(ids.map(() => (isDone ? 'ALREADY_REPORTED' : 'REPORTED')));
      expect(marks()).toHaveLength(1);
    },
  );

  it('a job that comes late is found by the next call', async () => {
    const { exports, ids, marks, reports, sandbox } = await marking();
    sandbox.faults.set([{ match: 'combinedReportData', kind: 'COMMIT_LATE', skip: 2, times: 1, delayMs: 300 }]);
    expect((await exports.report(reports)).every(({ kind }) => kind === 'NOT_READY' || kind === 'REPORTED')).toBe(true);
    await sandbox.faults.whenLateCommitsApplied();
    expect((await exports.report(reports)).map(({ kind }) => kind)).toEqual(ids.map(() => 'ALREADY_REPORTED'));
    expect(marks()).toHaveLength(1);
  });

  it('leaves out a report that was taken back in the meantime', async () => {
    const { exports, ids, reports, sandbox } = await marking();
    sandbox.unapprove(ids[0] ?? '');
    const answers = await exports.report(reports);
    expect(answers.map(({ kind }) => kind)).toEqual(['NOT_READY', 'REPORTED', 'REPORTED']);
    expect(sandbox.report(ids[0] ?? '').labels).toEqual([]);
  });

  it('sets reports to reimbursed first, where the setting asks for it', async () => {
    const { exports, ids, reports, sandbox } = await marking({ setReimbursed: true });
    sandbox.reimburse(ids[0] ?? '');
    expect((await exports.report(reports)).map(({ kind }) => kind)).toEqual(['REPORTED', 'REPORTED', 'REPORTED']);
    expect(ids.map((id) => sandbox.report(id).state)).toEqual(['REIMBURSED', 'REIMBURSED', 'REIMBURSED']);
    expect(sandbox.markedReports(LABEL)).toHaveLength(3);
  });

  it.each(['LOSE_REPLY_BEFORE_COMMIT', 'LOSE_REPLY_AFTER_COMMIT'] as const)(
    'reimburses and labels by the second call after %s',
    async (kind) => {
      const { exports, ids, reports, sandbox } = await marking({ setReimbursed: true });
      sandbox.faults.set([{ match: 'reportStatus', kind, times: 1 }]);
      expect((await exports.report(reports)).map((answer) => answer.kind)).toEqual(ids.map(() => 'NOT_READY'));
      expect(sandbox.markedReports(LABEL)).toEqual([]);
      expect((await exports.report(reports)).map((answer) => answer.kind)).toEqual(ids.map(() => 'REPORTED'));
      expect(ids.every((id) => sandbox.report(id).state === 'REIMBURSED')).toBe(true);
    },
  );
});

// ── the connection ───────────────────────────────────────────────────────────────────────────

describe('the connection', () => {
  it('passes every step of its test', async () => {
    const { connect } = await start(SEED);
    const results = await connect({ policyIDs: [USD] }).test();
    expect(results.map(({ name, ok }) => [name, ok])).toEqual(
      ['reach', 'log in', 'workspaces', 'categories', 'start an export', 'download it'].map((name) => [name, true]),
    );
    expect(results[3]?.detail).toContain('2 of 3');
  });

  it.each(['envelope401', 'http403', 'envelope500'] as const)('a refused login is seen as one (%s)', async (form) => {
    const { connect } = await start(SEED, { badCredentials: form });
    const connection = connect({}, 'wrong');
    await expect(connection.keepAlive()).rejects.toThrow(CredentialsError);
    await expect(connection.readPage('EXPENSE_REPORTS', ALL, null)).rejects.toThrow(CredentialsError);
    expect((await connection.test()).map(({ ok }) => ok)).toEqual([true, false]);
  });

  it('a login that ends while a file is awaited ends the wait', async () => {
    const { connect, sandbox } = await start(SEED);
    sandbox.faults.set([{ match: 'download', kind: 'EXPIRE_SESSION', times: 1 }]);
    await expect(connect().readPage('EXPENSE_REPORTS', ALL, null)).rejects.toThrow(CredentialsError);
  });
});
