import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import type {
  Clearance,
  FoundDocument,
  LedgerConnection,
  LedgerDocument,
  SubmittedDocument,
} from '../../../src/connectors/contract.js';
import { localDate } from '../../../src/domain/localDate.js';
import type { DocumentType } from '../../../src/domain/vocabulary.js';
import { LedgergateError, OutcomeUnknownError, PeriodClosedError } from '../../../src/errors.js';
import { createLogger } from '../../../src/logger.js';
import type { FaultKind, FaultRuleInput, LedgerDocumentView } from '../../../src/sandbox/kit/index.js';
import { contextFor } from '../../support/connectorContext.js';
import * as seed from './company.js';
import {
  DOCUMENT_WORDS,
  documentOf,
  type LedgerUnderTest,
  type Opened,
  queryOf,
  type StartedLedger,
} from './ledger.js';
import { Proof } from './proof.js';

/**
 * What every ledger's connector must do, whatever its ledger is like. Each case drives the connector as the engine does,
 * against the simulated ledger over HTTP, and looks into the ledger itself for what came of it.
 *
 * What would be caught: a second document after a lost reply, a document called posted that is not there, half a list of
 * accounts, a refusal that nobody can read, a password in a log line.
 */
export function describeLedger(subject: LedgerUnderTest): void {
  const { connector } = subject;
  describe(`${connector.title} as a ledger`, () => {
    const proof = new Proof(connector.kind, connector.title);
    const suite = new LedgerSuite(subject);
    beforeAll(() => suite.start());
    beforeEach(() => suite.calm());
    afterAll(() => suite.stop());

    readsMasterData(proof, suite, subject);
    for (const documentType of connector.documentTypes) posts(proof, suite, subject, documentType);
    if (subject.createsSuppliers) createsSuppliers(proof, suite);
    testsTheConnection(proof, suite);
    keepsSecrets(proof, suite);
    proof.conclude();
  });
}

// ── the ledger under test ────────────────────────────────────────────────────────────────────

class LedgerSuite {
  private opened: Opened | null = null;
  private started: StartedLedger | null = null;
  private references = 0;

  constructor(readonly subject: LedgerUnderTest) {}

  get ledger(): Opened {
    if (this.opened === null) throw new Error('The ledger was not started.');
    return this.opened;
  }

  async start(): Promise<void> {
    this.started = await this.subject.start();
    this.opened = { ...this.started, ...this.connect(this.started.credentials), periods: [] };
    this.opened = { ...this.opened, periods: await this.opened.connection.listPeriods() };
  }

  connect(credentials: unknown): { connection: LedgerConnection; log: () => string } {
    const { connector } = this.subject;
    const { sandbox, settings } = this.started ?? this.ledger;
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const context = contextFor(
      sandbox.baseUrl,
      connector.credentialsSchema.parse(credentials),
      connector.settingsSchema.parse(settings),
      { now: () => new Date(`${seed.OPEN_DAY}T12:00:00Z`) },
    );
    const connection = connector.connect({ ...context, logger: createLogger('trace', stream) });
    return { connection, log: () => lines.join('') };
  }

  /** No faults, nothing on its way, everything open that the company has open. */
  async calm(): Promise<void> {
    const { sandbox, quiet } = this.ledger;
    sandbox.faults.clear();
    await quiet();
    sandbox.setPeriodOpen(seed.OPEN_DAY, true);
  }

  async stop(): Promise<void> {
    await this.opened?.connection.disconnect();
    await this.started?.sandbox.close();
  }

  reference(): string {
    this.references += 1;
    return `CF${String(this.references).padStart(9, '0')}ZQ7X`;
  }

  document(documentType: DocumentType, over: Partial<LedgerDocument> = {}): LedgerDocument {
    return documentOf(this.subject, this.ledger, this.reference(), { documentType, ...over });
  }

  /** What the ledger itself holds under a reference. */
  held(document: LedgerDocument): LedgerDocumentView[] {
    return this.ledger.sandbox.documents(document.reference).filter(({ type }) => type === document.documentType);
  }

  faults(...rules: FaultRuleInput[]): void {
    this.ledger.sandbox.faults.set(rules, 7);
  }

  fired(): number {
    return this.ledger.sandbox.faults.list().reduce((sum, rule) => sum + rule.fired, 0);
  }

  /**
   * Posts as the engine does: what certainly did not start is sent again, what may have happened is asked for after the
   * settling time, twice, and sent again only when it is not there.
   */
  async post(document: LedgerDocument): Promise<SubmittedDocument | FoundDocument> {
    const { connection, quiet } = this.ledger;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        return await connection.submit(document);
      } catch (error) {
        if (!(error instanceof LedgergateError)) throw error;
        if (error.decision === 'REJECT' || error.decision === 'STOP') throw error;
        if (error.decision !== 'PROBE') continue;
      }
      await quiet();
      const found = (await this.ask(document)) ?? (await this.ask(document));
      if (found) return found;
    }
    throw new Error(`${document.reference} was not posted in ${ATTEMPTS} attempts.`);
  }

  /** Reads may fail under a fault and are repeated. */
  async ask(document: LedgerDocument): Promise<FoundDocument | null> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const found = await this.ledger.connection.findByReference([queryOf(document)]);
        expect(found.length).toBeLessThanOrEqual(1);
        return found[0] ?? null;
      } catch (error) {
        if (attempt === ATTEMPTS || !(error instanceof LedgergateError)) throw error;
      }
    }
  }

  /** The document is in the books once, whole and balanced. */
  isThereOnce(document: LedgerDocument): void {
    const all = this.held(document);
    // What was begun and given up is not in the books; where a ledger keeps it, its connector's README says so.
    const held = this.subject.keepsAbandoned.includes(document.documentType) ? all.filter(({ posted }) => posted) : all;
    expect(held.map(({ posted, debit, credit }) => ({ posted, debit, credit }))).toEqual([
      { posted: true, debit: document.total, credit: document.total },
    ]);
  }
}

const ATTEMPTS = 6;

async function gather<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

async function failureOf(work: Promise<unknown>): Promise<LedgergateError> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (outcome instanceof LedgergateError) return outcome;
  throw new Error(`A failure was expected, and there was ${outcome === null ? 'none' : String(outcome)}.`);
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

function readsMasterData(proof: Proof, suite: LedgerSuite, subject: LedgerUnderTest): void {
  const accounts = { name: 'accounts', capability: 'reads:accounts' };
  proof.case(accounts, 'all of them are read to the last page, with what is blocked', async () => {
    const { connection } = suite.ledger;
    const rules = await connection.rules();
    const read = new Map((await gather(connection.listAccounts())).map((account) => [account.code, account]));
    for (let index = 0; index < seed.EXPENSE_ACCOUNTS; index += 1) {
      const code = rules.accountCode({ glAccount: String(6000 + index), costCentre: seed.COST_CENTRE });
      expect(read.get(code), code).toMatchObject({ blockedReason: null });
      expect(read.get(code)?.active).toBe(String(6000 + index) !== seed.BLOCKED);
    }
    const blocked = read.get(rules.accountCode({ glAccount: '6300', costCentre: seed.COST_CENTRE }));
    expect(blocked && (!blocked.active || blocked.blockedReason !== null)).toBe(true);
    if (subject.listsControlAccounts) expect(read.get('2100')?.blockedReason ?? null).not.toBeNull();
  });

  proof.case(
    { name: 'suppliers', capability: 'reads:suppliers' },
    'all of them are read to the last page',
    async () => {
      const read = await gather(suite.ledger.connection.listSuppliers());
      expect(new Set(read.map(({ code }) => code)).size).toBe(read.length);
      expect(read.length).toBe(seed.SUPPLIERS + subject.otherSuppliers);
      expect(read.find(({ code }) => code === seed.SUPPLIER)).toMatchObject({ name: 'Supplier 42 Ltd', active: true });
      expect(read.find(({ code }) => code === 'S00007')?.active).toBe(false);
    },
  );

  proof.case(
    { name: 'dimensions', capability: 'reads:dimensions' },
    'cost centres are listed with their names',
    async () => {
      const read = await gather(suite.ledger.connection.listDimensionValues());
      expect([...new Set(read.map(({ dimension }) => dimension))].sort()).toEqual([...subject.listedDimensions].sort());
      const [costCentres] = subject.listedDimensions;
      const codes = read.filter(({ dimension, active }) => dimension === costCentres && active).map(({ code }) => code);
      expect(codes).toEqual(expect.arrayContaining(['10', '20']));
    },
  );

  if (subject.readsPeriods)
    proof.case(
      { name: 'periods', capability: 'reads:periods' },
      'the calendar says which months are open',
      async () => {
        const periods = await suite.ledger.connection.listPeriods();
        const on = (day: string) => periods.find(({ startsOn, endsOn }) => startsOn <= day && day <= endsOn);
        expect(on(seed.OPEN_DAY)).toMatchObject({ startsOn: '2026-11-01', endsOn: '2026-11-30', open: true });
        expect(on(seed.CLOSED_DAY)).toMatchObject({ open: false });
        suite.ledger.sandbox.setPeriodOpen(seed.OPEN_DAY, false);
        const after = await suite.ledger.connection.listPeriods();
        expect(after.find(({ startsOn }) => startsOn === '2026-11-01')?.open).toBe(false);
      },
    );

  proof.case({ name: 'cut list' }, 'a list that breaks off is an error and never a shorter list', async () => {
    suite.faults({ match: '*', kind: 'HTML', skip: 1, status: 200, probability: 1 });
    const failure = await failureOf(gather(suite.ledger.connection.listSuppliers()));
    expect(['RETRY', 'PAUSE_CONNECTION', 'HOLD']).toContain(failure.decision);
  });
}

// ── posting ──────────────────────────────────────────────────────────────────────────────────

/** Faults that leave it open whether the step was done. */
const LOSSES: readonly { readonly kind: FaultKind; readonly words: string; readonly more?: Partial<FaultRuleInput> }[] =
  [
    { kind: 'LOSE_REPLY_BEFORE_COMMIT', words: 'connection cut before commit' },
    { kind: 'LOSE_REPLY_AFTER_COMMIT', words: 'connection cut after commit' },
    { kind: 'COMMIT_LATE', words: 'late commit', more: { delayMs: 60 } },
    { kind: 'HTML_AFTER_COMMIT', words: 'login page after commit', more: { status: 200 } },
    { kind: 'HTML', words: 'proxy error', more: { status: 503 } },
    { kind: 'SERVER_ERROR', words: 'server error' },
    { kind: 'EMPTY', words: 'empty answer' },
    { kind: 'RATE_LIMIT', words: 'throttled', more: { retryAfterSeconds: 0 } },
    { kind: 'EXPIRE_SESSION', words: 'session ended' },
  ];

function posts(proof: Proof, suite: LedgerSuite, subject: LedgerUnderTest, documentType: DocumentType): void {
  const word = DOCUMENT_WORDS[documentType];
  const capability = `posts:${word}`;

  proof.case({ name: word, capability }, 'is in the ledger as it was sent', async () => {
    const document = suite.document(documentType);
    const submitted = await suite.ledger.connection.submit(document);
    expect(submitted.ledgerDocumentId).not.toBe('');
    suite.isThereOnce(document);
    const [held] = suite.held(document);
    expect(held).toMatchObject({ date: document.postingDate });
    const expenses = held?.lines.filter(({ account }) => account === seed.EXPENSE || account === '6101');
    expect(expenses?.map(({ account, costCentre, debit }) => [account, costCentre, debit])).toEqual([
      ['6100', '10', '100.00'],
      ['6101', '20', '25.50'],
    ]);
  });

  proof.case(
    { name: `${word} found`, capability },
    'is found by its reference with its totals, and no other is',
    async () => {
      const { connection } = suite.ledger;
      const [document, absent] = [suite.document(documentType), suite.document(documentType)];
      const { ledgerDocumentId } = await connection.submit(document);
      const found = await connection.findByReference([document, absent].map(queryOf));
      expect(found).toMatchObject([
        {
          reference: document.reference,
          totalDebit: '125.50',
          totalCredit: '125.50',
          isPosted: true,
        },
      ]);
      // An answer may tell more than can be found later, say the journal that an invoice made.
      expect(ledgerDocumentId.startsWith(found[0]?.ledgerDocumentId ?? '-')).toBe(true);
      expect(await connection.readBack(ledgerDocumentId, queryOf(document))).toMatchObject({
        reference: document.reference,
        totalDebit: '125.50',
        totalCredit: '125.50',
      });
      expect(await suite.ask(absent)).toBeNull();
    },
  );

  for (const { kind, words, more } of LOSSES) {
    proof.case(
      { name: `${word}, ${words}`, capability },
      'at whichever step it comes, one document results',
      async () => {
        await suite.ledger.connection.submit(suite.document(documentType));
        for (let step = 0; ; step += 1) {
          expect(step).toBeLessThan(STEPS_MAX);
          const document = suite.document(documentType);
          suite.faults({ match: '*', kind, times: 1, skip: step, ...more });
          await suite.post(document);
          const hadStep = suite.fired() > 0;
          suite.ledger.sandbox.faults.clear();
          await suite.ledger.quiet();
          suite.isThereOnce(document);
          if (!hadStep) break;
        }
      },
    );
  }

  if (subject.closes.includes(documentType)) {
    proof.case(
      { name: `${word} in a closed period`, capability },
      'is refused as such and leaves nothing',
      async () => {
        const document = suite.document(documentType);
        suite.ledger.sandbox.setPeriodOpen(seed.OPEN_DAY, false);
        const failure = await failureOf(suite.post(document));
        expect(failure).toBeInstanceOf(PeriodClosedError);
        await suite.ledger.quiet();
        expect(suite.held(document).filter(({ posted }) => posted)).toEqual([]);
        suite.ledger.sandbox.setPeriodOpen(seed.OPEN_DAY, true);
        await suite.post(document);
        suite.isThereOnce(document);
      },
    );
  }

  proof.case(
    { name: `${word} on an unknown account`, capability },
    'is refused in the ledger’s words, and posts once mended',
    async () => {
      const good = suite.document(documentType);
      const lines = good.lines.map((line) =>
        line.lineNumber === 2 ? { ...line, glAccount: seed.UNKNOWN_ACCOUNT } : line,
      );
      const failure = await failureOf(suite.post({ ...good, lines }));
      expect(failure.decision).toBe('REJECT');
      expect(failure.userMessage.length).toBeGreaterThan(10);
      await suite.ledger.quiet();
      expect(suite.held(good).filter(({ posted }) => posted)).toEqual([]);
      await suite.post(good);
      suite.isThereOnce(good);
    },
  );

  proof.case({ name: `${word}s side by side` }, 'each is there once', async () => {
    const documents = Array.from({ length: 8 }, () => suite.document(documentType));
    await Promise.all(documents.map((document) => suite.post(document)));
    for (const document of documents) suite.isThereOnce(document);
  });

  if (subject.clears.includes(documentType)) clearsAway(proof, suite, documentType);

  if (documentType === 'JOURNAL') {
    proof.case({ name: 'reversal', capability }, 'the same lines on the other side leave nothing', async () => {
      const document = suite.document(documentType);
      await suite.post(document);
      const turned = document.lines.map((line) => ({ ...line, debit: line.credit, credit: line.debit }));
      const reversal = suite.document(documentType, { lines: turned, postingDate: localDate('2026-11-13') });
      await suite.post(reversal);
      suite.isThereOnce(reversal);
      expect(subject.connector.documentTypes).toContain('JOURNAL');
    });
  }
}

/** What attempts left of a document that is not sent any more, at whichever step they ended. */
function clearsAway(proof: Proof, suite: LedgerSuite, documentType: DocumentType): void {
  const word = DOCUMENT_WORDS[documentType];
  const capability = `clears:${word}`;
  const abandon = async (document: LedgerDocument): Promise<Clearance> => {
    const { connection } = suite.ledger;
    if (!connection.abandon) throw new Error('This connector clears nothing away.');
    return connection.abandon(document, 'GIVEN_UP');
  };

  for (const kind of ['LOSE_REPLY_BEFORE_COMMIT', 'LOSE_REPLY_AFTER_COMMIT'] as const) {
    const how = kind === 'LOSE_REPLY_BEFORE_COMMIT' ? 'before' : 'after';
    proof.case(
      { name: `${word} given up, cut ${how} commit`, capability },
      'at whichever step it ended, nothing stays that is not in the books',
      async () => {
        let removed = 0;
        for (let step = 0; ; step += 1) {
          expect(step).toBeLessThan(STEPS_MAX);
          const document = suite.document(documentType);
          suite.faults({ match: '*', kind, times: 1, skip: step });
          await suite.ledger.connection.submit(document).catch(() => null);
          const hadStep = suite.fired() > 0;
          suite.ledger.sandbox.faults.clear();
          await suite.ledger.quiet();
          if ((await suite.ask(document)) !== null) suite.isThereOnce(document);
          else {
            const clearance = await abandon(document);
            expect(clearance.kind).not.toBe('LEFT');
            if (clearance.kind === 'REMOVED') removed += 1;
            expect(suite.held(document)).toEqual([]);
            expect(await abandon(document)).toEqual({ kind: 'NOTHING' });
          }
          if (!hadStep) break;
        }
        expect(removed).toBeGreaterThan(0);
      },
    );
  }

  proof.case({ name: `${word} in the books, given up`, capability }, 'it stays as it is', async () => {
    const document = suite.document(documentType);
    await suite.post(document);
    await abandon(document).catch((error: unknown) => expect(error).toBeInstanceOf(OutcomeUnknownError));
    suite.isThereOnce(document);
  });
}

/** More requests than any connector needs for one document. */
const STEPS_MAX = 80;

// ── suppliers ────────────────────────────────────────────────────────────────────────────────

function createsSuppliers(proof: Proof, suite: LedgerSuite): void {
  const capability = 'creates:suppliers';
  const creator = () => suite.ledger.connection.suppliers;

  proof.case({ name: 'supplier', capability }, 'is created once under a code that its name decides', async () => {
    const suppliers = creator();
    if (!suppliers) throw new Error('This connector creates no suppliers.');
    const name = 'Brönner & Söhne Ltd';
    const code = suppliers.codeFor(name);
    expect(suppliers.codeFor(name)).toBe(code);
    expect(await suppliers.find(code)).toBeNull();
    await suppliers.create({ code, name });
    expect(await suppliers.find(code)).toMatchObject({ code, active: true });
    expect(suite.ledger.sandbox.suppliers().filter((one) => one.code === code)).toHaveLength(1);
  });

  proof.case(
    { name: 'supplier, connection cut after commit', capability },
    'is found and not created twice',
    async () => {
      const suppliers = creator();
      if (!suppliers) throw new Error('This connector creates no suppliers.');
      for (let step = 0; step < STEPS_MAX; step += 1) {
        const name = `Lost Reply ${step} GmbH`;
        const code = suppliers.codeFor(name);
        suite.faults({ match: '*', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1, skip: step });
        for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
          const there = await suppliers.find(code).catch(() => null);
          if (there) break;
          await suppliers.create({ code, name }).catch(() => null);
        }
        const hadStep = suite.fired() > 0;
        suite.ledger.sandbox.faults.clear();
        expect(suite.ledger.sandbox.suppliers().filter((one) => one.code === code)).toHaveLength(1);
        if (!hadStep) return;
      }
    },
  );
}

// ── the connection itself ────────────────────────────────────────────────────────────────────

function testsTheConnection(proof: Proof, suite: LedgerSuite): void {
  proof.case(
    { name: 'connection test', capability: 'tests:connection' },
    'every step passes and says how long it took',
    async () => {
      const checks = await suite.ledger.connection.test();
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.length).toBeGreaterThanOrEqual(4);
      for (const { detail } of checks) expect(detail).not.toBe('');
      expect(checks.filter(({ latencyMs }) => latencyMs !== null).length).toBeGreaterThanOrEqual(3);
    },
  );

  proof.case(
    { name: 'wrong password', capability: 'tests:connection' },
    'the test stops there and says what to do',
    async () => {
      const { connection } = suite.connect(suite.ledger.wrongCredentials);
      const checks = await connection.test();
      await connection.disconnect().catch(() => undefined);
      expect(checks.filter(({ ok }) => !ok)).toHaveLength(1);
      expect(checks.at(-1)).toMatchObject({ ok: false });
      expect(checks.at(-1)?.detail.length).toBeGreaterThan(20);
    },
  );

  proof.case(
    { name: 'no answer', capability: 'tests:connection' },
    'a ledger that cannot be reached fails the first step',
    async () => {
      suite.faults({ match: '*', kind: 'LOSE_REPLY_BEFORE_COMMIT' });
      const checks = await suite.ledger.connection.test();
      expect(checks.at(-1)).toMatchObject({ ok: false });
    },
  );
}

function keepsSecrets(proof: Proof, suite: LedgerSuite): void {
  proof.case({ name: 'secrets' }, 'no password or token is in any log line, error or check', async () => {
    const wrong = suite.connect(suite.ledger.wrongCredentials);
    const checks = await wrong.connection.test();
    suite.faults({ match: '*', kind: 'HTML', status: 200 });
    const failure = await suite.ledger.connection.findByReference([queryOf(suite.document('JOURNAL'))]).then(
      () => null,
      (error: unknown) => error,
    );
    const texts = [
      suite.ledger.log(),
      wrong.log(),
      JSON.stringify(checks),
      failure instanceof LedgergateError ? JSON.stringify([failure.userMessage, failure.detail, failure.stack]) : '',
    ].join('\n');
    await wrong.connection.disconnect().catch(() => undefined);
    expect(suite.ledger.log()).not.toBe('');
    for (const secret of suite.ledger.secrets) expect(texts).not.toContain(secret);
  });
}
