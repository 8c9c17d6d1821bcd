/**
 * The connector against the simulated Brex, over real HTTP and a whole generated month. What would be caught here: an
 * object lost between pages or under faults, a sum that is off by a factor or a sign, purchases whose views do not meet,
 * and a refresh token that two processes spend twice.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { credentialsSchema } from '../../src/connectors/brex/config.js';
import { type BrexConnection, brexConnector } from '../../src/connectors/brex/index.js';
import type { ReadWindow, SpendPage } from '../../src/connectors/contract.js';
import { decimalOf, type Money, sum } from '../../src/domain/money.js';
import type { SourceObject } from '../../src/domain/spend.js';
import type { SpendStream } from '../../src/domain/vocabulary.js';
import { CredentialsError } from '../../src/errors.js';
import { type BrexSandboxOptions, SANDBOX_ACCESS, startBrexSandbox } from '../../src/sandbox/brex/index.js';
import { generateMonth } from '../../src/sandbox/scenario/month.js';
import { type ConnectOptions, connectTo, MemoryVault, userToken } from '../unit/connectors/brexHarness.js';

const MONTH = generateMonth({ seed: 7, month: '2026-10', purchases: 400 });
const ALL: ReadWindow = { since: null, until: null };
const NOW = new Date(MONTH.brex.now);
const STREAMS: readonly SpendStream[] = ['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'];

async function startMonth(settings: BrexSandboxOptions['settings'] = {}) {
  const sandbox = await startBrexSandbox({ data: MONTH.brex, settings: { rateLimit: null, ...settings } });
  onTestFinished(() => sandbox.close());
  const connect = (options: ConnectOptions = {}): BrexConnection =>
    connectTo(sandbox.url, {
      vault: new MemoryVault(userToken(SANDBOX_ACCESS.userToken)),
      now: NOW,
      ...options,
      settings: { pageSize: 90, reimbursementBasis: 'ACCRUAL', taxField: 'Tax amount', ...options.settings },
    });
  return { sandbox, connect };
}

async function readAll(connection: BrexConnection, stream: SpendStream, window = ALL) {
  const objects: SourceObject[] = [];
  const unreadable: SpendPage['unreadable'][number][] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const page: SpendPage = await connection.readPage(stream, window, cursor);
    objects.push(...page.objects);
    unreadable.push(...page.unreadable);
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== null);
  return { objects, unreadable, pages };
}

/** Exact decimal totals by currency. */
function totals(objects: readonly SourceObject[]): Record<string, string> {
  const byCurrency = new Map<string, Money[]>();
  for (const { amount } of objects)
    byCurrency.set(amount.currency, [...(byCurrency.get(amount.currency) ?? []), amount]);
  return Object.fromEntries(
    [...byCurrency].map(([currency, amounts]) => [currency, decimalOf(sum(amounts, currency))]),
  );
}

/** Merges objects that share a key, as the engine does. */
function purchasesOf(objects: readonly SourceObject[]): SourceObject[][] {
  const groupOf = new Map<string, SourceObject[]>();
  for (const object of objects) {
    const merged = [object];
    for (const group of new Set(object.keys.map((key) => groupOf.get(key)))) merged.push(...(group ?? []));
    for (const key of merged.flatMap((member) => member.keys)) groupOf.set(key, merged);
  }
  return [...new Set(groupOf.values())];
}

const isSpend = (object: SourceObject) => object.kind !== 'NOT_SPEND';
const known = (summary: Record<string, { total: string }>) =>
  Object.fromEntries(Object.entries(summary).map(([currency, { total }]) => [currency, total]));

describe('a month', () => {
  it('is read to its end from every stream, with the account’s own counts and sums', async () => {
    const { sandbox, connect } = await startMonth();
    const connection = connect();
    const summary = sandbox.control.summary();
    const [cards, cash, expenses, records] = await Promise.all(STREAMS.map((stream) => readAll(connection, stream)));
    for (const read of [cards, expenses, records]) expect(read?.unreadable).toEqual([]);

    expect(cards?.objects).toHaveLength(summary.cardTransactions.visible);
    expect(cards?.pages).toBeGreaterThan(4);
    expect(totals(cards?.objects ?? [])).toEqual(known(summary.cardTransactions.byCurrency));

    // One cash transaction of the month has no amount, which Brex allows. It is interest: no purchase, whatever it is worth.
    expect(cash?.unreadable).toEqual([]);
    expect(cash?.objects).toHaveLength(summary.cashTransactions.visible);
    const silent = cash?.objects.filter((object) => object.notSpendReason?.includes('no amount'));
    expect(silent).toMatchObject([{ kind: 'NOT_SPEND', amount: { minor: 0n } }]);

    const { spendTotals, billTotals } = MONTH.expectations;
    const isBill = (object: SourceObject) => object.kind === 'BILL';
    expect(totals((expenses?.objects ?? []).filter((object) => !isBill(object)))).toEqual(spendTotals);
    expect(records?.objects).toHaveLength(summary.accountingRecords.visible);
    const spend = (records?.objects ?? []).filter(isSpend);
    expect(totals(spend.filter((object) => !isBill(object)))).toEqual(spendTotals);
    expect(totals(spend.filter(isBill))).toEqual(billTotals);
  });

  it('all views of a purchase meet under one name, and no two purchases do', async () => {
    const { connect } = await startMonth({ splitChildrenInList: true });
    const connection = connect();
    const reads = await Promise.all(
      (['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'] as const).map((stream) => readAll(connection, stream)),
    );
    const purchases = purchasesOf(reads.flatMap((read) => read.objects).filter(isSpend));
    expect(purchases).toHaveLength(
      MONTH.expectations.purchases +
        MONTH.expectations.bills +
        MONTH.expectations.unsupportedCurrency.count +
        MONTH.expectations.moneyCases.flatMap(({ keys }) => keys).length,
    );
    for (const views of purchases) {
      const streams = new Set(views.map((view) => view.stream));
      expect(streams.has('EXPENSES') && streams.has('ACCOUNTING_RECORDS')).toBe(true);
    }
  });

  it('the parts of every coded record add up to it but for rounding, and the ingredients are all recognised', async () => {
    const { connect } = await startMonth();
    const connection = connect();
    const records = (await readAll(connection, 'ACCOUNTING_RECORDS')).objects.filter(isSpend);
    const { ingredients, moneyCases } = MONTH.expectations;
    const rounded = moneyCases.find(({ kind }) => kind === 'ROUNDING')?.keys.map((key) => `accr_${key}`) ?? [];
    for (const { externalId, parts, amount } of records) {
      const total = sum(
        parts.map((part) => part.amount),
        amount.currency,
      );
      const missing = rounded.includes(externalId) ? 1n : 0n;
      expect({ ...total, minor: total.minor + missing }).toEqual(amount);
    }
    // One of the money cases is a refund as well.
    expect(records.filter((record) => record.kind === 'REFUND')).toHaveLength(ingredients.refund + 1);
    expect(records.filter((record) => !record.isFinal).length).toBeGreaterThanOrEqual(ingredients.inReview);
    expect(records.some((record) => record.parts.some((part) => part.glAccount === null))).toBe(true);
    expect(records.filter((record) => record.originalAmount?.currency === 'JPY')).toHaveLength(ingredients.foreignJpy);
    const expenses = (await readAll(connection, 'EXPENSES')).objects;
    expect(expenses.filter((expense) => expense.tax !== null)).toHaveLength(ingredients.tax);
    expect(expenses.filter((expense) => expense.kind === 'REIMBURSEMENT')).toHaveLength(ingredients.reimbursement);
  });

  it('types Brex added yesterday are reported as unreadable, and everything else is read', async () => {
    const { sandbox, connect } = await startMonth({ unknownTypes: 0.1 });
    const read = await readAll(connect(), 'ACCOUNTING_RECORDS');
    expect(read.unreadable.length).toBeGreaterThan(10);
    expect(read.objects.length + read.unreadable.length).toBe(sandbox.control.summary().accountingRecords.visible);
  });

  it('nothing is lost or repeated while Brex throttles, fails, answers in HTML or slowly', async () => {
    const { sandbox, connect } = await startMonth();
    const calm = await Promise.all(STREAMS.map((stream) => readAll(connect(), stream)));
    sandbox.faults.set(
      [
        { match: '*', kind: 'RATE_LIMIT', probability: 0.1 },
        { match: '*', kind: 'SERVER_ERROR', probability: 0.1 },
        { match: '*', kind: 'HTML', status: 503, probability: 0.05 },
        { match: '*', kind: 'HTML', status: 200, probability: 0.05 },
        { match: '*', kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: 0.05 },
        { match: '*', kind: 'SLOW', delayMs: 20, probability: 0.2 },
      ],
      11,
    );
    const waits: number[] = [];
    for (const [index, stream] of STREAMS.entries()) {
      const stormy = await readAll(connect({ waits }), stream);
      const ids = stormy.objects.map((object) => `${object.externalId}@${object.version}`);
      expect(ids).toEqual(calm[index]?.objects.map((object) => `${object.externalId}@${object.version}`));
    }
    expect(waits.length).toBeGreaterThan(5);
  });

  it('an edit is seen by the next overlapping read, as a new version of the same purchase', async () => {
    const { sandbox, connect } = await startMonth();
    const connection = connect();
    const before = (await readAll(connection, 'ACCOUNTING_RECORDS')).objects;
    const { key, at, afterMinor } = MONTH.expectations.plannedEdit;
    sandbox.control.setNow(new Date(Date.parse(at) + 60_000).toISOString());
    const later = await readAll(connection, 'ACCOUNTING_RECORDS', { since: new Date(at), until: null });
    const edited = later.objects.find((object) => object.keys.includes(`expense:expense_${key}`));
    expect(edited?.amount.minor).toBe(BigInt(afterMinor));
    const original = before.find((object) => object.externalId === edited?.externalId);
    expect(original?.version).not.toBe(edited?.version);
    expect(original?.keys).toEqual(edited?.keys);
  });
});

describe('export results', () => {
  it('reach every ready record once, also when answers are lost, and a second report changes nothing', async () => {
    const { sandbox, connect } = await startMonth();
    const connection = connect();
    const ready = sandbox.control.summary().accountingRecords.byReviewStatus.READY_FOR_EXPORT ?? 0;
    const records = (await readAll(connection, 'ACCOUNTING_RECORDS')).objects.filter((record) => record.isFinal);
    expect(records).toHaveLength(ready);
    const reports = records.map(({ externalId }) => ({
      externalId,
      outcome: { kind: 'SUCCESS' as const, ledgerDocumentId: `2026/10/${externalId}` },
    }));
    sandbox.faults.set([{ match: 'export-results', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    const answers = await connection.exports.report([
      ...reports,
      { externalId: 'accr_nobody', outcome: { kind: 'SUCCESS', ledgerDocumentId: 'x' } },
    ]);
    expect(answers).toHaveLength(ready + 1);
    expect(answers.filter((answer) => answer.kind === 'ALREADY_REPORTED')).toHaveLength(100);
    expect(answers.filter((answer) => answer.kind === 'UNKNOWN_AT_SOURCE')).toHaveLength(1);
    expect(sandbox.control.summary().accountingRecords.byReviewStatus).toMatchObject({ EXPORTED: ready });
    const first = records[0]?.externalId ?? '';
    expect(sandbox.control.lastExport(first)?.referenceId).toBe(`2026/10/${first}`);
    const again = await connection.exports.report(reports.slice(0, 150));
    expect(new Set(again.map((answer) => answer.kind))).toEqual(new Set(['ALREADY_REPORTED']));
  });

  it('a record that a person took back is named as not ready and does not block the others', async () => {
    const { sandbox, connect } = await startMonth();
    const connection = connect();
    const records = (await readAll(connection, 'ACCOUNTING_RECORDS')).objects.filter((record) => record.isFinal);
    const [taken, other] = records.map((record) => record.externalId) as [string, string];
    sandbox.control.setReviewStatus(taken, 'REVIEW');
    const outcome = { kind: 'FAILURE', message: 'GL account 6400 is on hold' } as const;
    const answers = await connection.exports.report([
      { externalId: taken, outcome: { kind: 'SUCCESS', ledgerDocumentId: 'x' } },
      { externalId: other, outcome },
    ]);
    expect(answers).toMatchObject([
      { externalId: taken, kind: 'NOT_READY' },
      { externalId: other, kind: 'REPORTED' },
    ]);
    expect(sandbox.control.lastExport(other)?.errorMessage).toBe(outcome.message);
  });
});

describe('logging in', () => {
  const oauth = () =>
    new MemoryVault(
      credentialsSchema.parse({
        kind: 'oauth2',
        clientId: SANDBOX_ACCESS.clientId,
        clientSecret: SANDBOX_ACCESS.clientSecret,
        refreshToken: SANDBOX_ACCESS.refreshToken,
      }),
    );

  it('two connections that start at once refresh once, and go on after the token was ended', async () => {
    const { sandbox, connect } = await startMonth();
    const vault = oauth();
    const settings = { tokenUrl: `${sandbox.url}/oauth2/default/v1/token` };
    const connections = [connect({ vault, settings }), connect({ vault, settings })];
    await Promise.all(connections.map((connection) => connection.companyId()));
    expect(vault.renewals).toHaveLength(1);
    sandbox.control.expireTokens();
    const reads = await Promise.all(connections.map((connection) => readAll(connection, 'CASH_TRANSACTIONS')));
    expect(reads[0]?.objects).toEqual(reads[1]?.objects);
    expect(vault.renewals).toHaveLength(2);
    expect(vault.stored).not.toMatchObject({ refreshToken: SANDBOX_ACCESS.refreshToken });
  });

  it('a spent refresh token asks for a person', async () => {
    const { sandbox, connect } = await startMonth();
    const settings = { tokenUrl: `${sandbox.url}/oauth2/default/v1/token` };
    await connect({ vault: oauth(), settings }).keepAlive();
    await expect(connect({ vault: oauth(), settings }).keepAlive()).rejects.toBeInstanceOf(CredentialsError);
  });

  it('every step of the connection test passes', async () => {
    const { connect } = await startMonth();
    const checks = await connect().test();
    expect(checks.filter((check) => !check.ok)).toEqual([]);
    expect(checks).toHaveLength(6);
  });
});

describe('the rest of the account', () => {
  it('a delivery is verified and its records are read, through a rotation of the secret', async () => {
    const { sandbox, connect } = await startMonth();
    const connection = connect();
    const received: { headers: Record<string, string | undefined>; body: Buffer }[] = [];
    const receiver = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const headers = Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
        );
        received.push({ headers, body: Buffer.concat(chunks) });
        outgoing.end('ok');
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      receiver.closeAllConnections();
      receiver.close();
    });
    const before = await connection.webhookManagement.secrets();
    await connection.client.createWebhook(
      `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
      ['ACCOUNTING_RECORD_READY_FOR_EXPORT'],
      'key-1',
    );
    const [record] = (await readAll(connection, 'ACCOUNTING_RECORDS')).objects;
    const recordId = record?.externalId ?? '';
    await sandbox.control.sendReady([recordId], { rotate: true });
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [(typeof received)[number]];
    const { webhooks } = brexConnector;
    const secrets = await connection.webhookManagement.secrets();
    expect(secrets).toHaveLength(2);
    for (const known of [before, secrets]) expect(webhooks?.verify(headers, body, known, new Date())).toMatch(/^msg_/);
    expect(webhooks?.verify(headers, Buffer.from(`${body} `), secrets, new Date())).toBeNull();
    const event = webhooks?.translate(JSON.parse(body.toString()));
    expect(event).toMatchObject({ companyId: SANDBOX_ACCESS.companyId, objects: [{ id: recordId }] });
    const read = await connection.readObjects('ACCOUNTING_RECORDS', [recordId, 'accr_nobody']);
    expect(read.objects).toEqual([record]);
  });

  it('a vendor is made once, whatever the accents, and found again by its name', async () => {
    const { connect } = await startMonth();
    const { vendors } = connect();
    const made = await vendors.ensure('Café Müller GmbH', 'vendor-1');
    expect(made.created).toBe(true);
    expect(await vendors.ensure('Cafe Muller GmbH', 'vendor-2')).toEqual({ ...made, created: false });
    const listed: { id: string; name: string }[] = [];
    for await (const page of vendors.list()) listed.push(...page);
    expect(listed).toContainEqual({ id: made.id, name: 'Cafe Muller GmbH' });
  });

  it('accounts are pushed: created, renamed, switched off and on again, and a second push changes nothing', async () => {
    const { connect } = await startMonth();
    const { fields, integration, client } = connect({
      settings: { integrationVendor: SANDBOX_ACCESS.integrationVendor, vendorAccountId: 'HPW1' },
    });
    const { id: integrationId } = await integration.ensure();
    const field = { wanted: 'gl_account_2', name: 'Konto für Ausgaben', integrationId };
    const fieldId = await fields.ensure(field);
    expect(await fields.ensure(field)).toBe(fieldId);
    const accounts = Array.from({ length: 1500 }, (_, index) => ({
      code: `6${String(index).padStart(4, '0')}`,
      name: `Büro ${index}`,
      active: true,
    }));
    expect(await fields.push(fieldId, accounts)).toEqual({ created: 1500, renamed: 0, retired: 0, unchanged: 0 });
    expect(await fields.push(fieldId, accounts)).toEqual({ created: 0, renamed: 0, retired: 0, unchanged: 1500 });
    const changed = accounts.slice(1).map((account, index) => (index === 0 ? { ...account, name: 'Paper' } : account));
    expect(await fields.push(fieldId, changed)).toEqual({ created: 0, renamed: 1, retired: 1, unchanged: 1498 });
    const { items } = await client.fieldValues(fieldId, { limit: 2, cursor: null });
    expect(items).toMatchObject([
      { remote_id: '60000', value: '60000 Buro 0', is_disabled: true },
      { remote_id: '60001', value: '60001 Paper', is_disabled: false },
    ]);
    expect(await fields.push(fieldId, accounts)).toMatchObject({ created: 0, renamed: 2, retired: 0 });
  });

  it.each(['integration_id', 'id'] as const)('the integration is made once, named by %s', async (integrationIdName) => {
    const { connect } = await startMonth({ integrationIdName });
    const settings = { integrationVendor: SANDBOX_ACCESS.integrationVendor, vendorAccountId: 'HPW1' };
    const { integration } = connect({ settings });
    const made = await integration.ensure();
    expect(await integration.ensure()).toEqual(made);
    expect(await integration.disconnect(made.id)).toMatchObject({ id: made.id, status: 'DISABLED' });
    expect(await integration.reactivate(made.id)).toMatchObject({ id: made.id, status: 'ACTIVE' });
  });
});
