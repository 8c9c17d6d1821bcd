import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import type {
  CodingFieldKey,
  ReadWindow,
  SpendConnection,
  SpendConnector,
  SpendPage,
} from '../../../src/connectors/contract.js';
import { sum } from '../../../src/domain/money.js';
import type { SourceObject } from '../../../src/domain/spend.js';
import type { SpendStream } from '../../../src/domain/vocabulary.js';
import { InputError, LedgergateError } from '../../../src/errors.js';
import { createLogger } from '../../../src/logger.js';
import type { FaultDial, FaultRuleInput } from '../../../src/sandbox/kit/index.js';
import { contextFor } from '../../support/connectorContext.js';
import { Proof } from './proof.js';

/** What the suite must know of one spend system beyond the contract. */
export interface SpendUnderTest {
  // biome-ignore lint/suspicious/noExplicitAny: the suite treats credentials and settings of all connectors alike
  readonly connector: SpendConnector<any, any>;
  start(): Promise<StartedSpend>;
  /** Streams whose objects can be asked for one by one. */
  readonly byId: readonly SpendStream[];
}

export interface StartedSpend {
  readonly baseUrl: string;
  readonly faults: FaultDial;
  readonly credentials: unknown;
  readonly wrongCredentials: unknown;
  /** Short waits and small pages. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
  /** The most objects that the settings let one page hold. */
  readonly pageSize: number;
  /** The connection's clock. */
  readonly now: Date;
  /** How many objects each stream shows, as the simulated system itself counts them. */
  readonly counts: Readonly<Partial<Record<SpendStream, number>>>;
  /** Objects of the first stream that cannot be understood and must be said to be so. */
  readonly unreadable?: number;
  /** All that is to be read. */
  readonly window: ReadWindow;
  /** Ids (`exportId` or `externalId`) of the export stream's objects that take a result now; none = it takes none. */
  readonly exportable: readonly string[];
  /** Whether the system holds a result for the id. */
  isReported(id: string): boolean;
  /** A delivery as the vendor signs it, and the secrets that fit. */
  readonly webhook?: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
    readonly secrets: readonly string[];
    readonly sentAt: Date;
  };
  /** Values that people can code with under a field key, as the system shows them: code and whether it can be chosen. */
  codingValues?(field: CodingFieldKey): { code: string; active: boolean }[];
  close(): Promise<void>;
}

const STREAM_WORDS: Readonly<Record<SpendStream, string>> = {
  CARD_TRANSACTIONS: 'cardTransactions',
  CASH_TRANSACTIONS: 'cashTransactions',
  EXPENSES: 'expenses',
  ACCOUNTING_RECORDS: 'accountingRecords',
  EXPENSE_REPORTS: 'expenseReports',
};

/**
 * What every spend system's connector must do. What would be caught: an object lost between pages or under a fault, two
 * readings of the same thing that differ, a result reported twice, a webhook believed without its signature.
 */
export function describeSpend(subject: SpendUnderTest): void {
  const { connector } = subject;
  describe(`${connector.title} as a spend system`, () => {
    const proof = new Proof(connector.kind, connector.title);
    const suite = new SpendSuite(subject);
    beforeAll(() => suite.start());
    beforeEach(() => suite.source.faults.clear());
    afterAll(() => suite.stop());

    for (const stream of connector.streams) readsStream(proof, suite, stream);
    if (connector.exportStream !== null) reportsExports(proof, suite);
    if (connector.webhooks) receivesWebhooks(proof, suite);
    if (connector.kind === 'BREX') receivesMasterData(proof, suite);
    testsTheConnection(proof, suite);
    proof.conclude();
  });
}

class SpendSuite {
  private started: StartedSpend | null = null;
  private opened: { connection: SpendConnection; log: () => string } | null = null;

  constructor(readonly subject: SpendUnderTest) {}

  get source(): StartedSpend {
    if (this.started === null) throw new Error('The spend system was not started.');
    return this.started;
  }

  get connection(): SpendConnection {
    if (this.opened === null) throw new Error('The spend system was not started.');
    return this.opened.connection;
  }

  get log(): string {
    return this.opened?.log() ?? '';
  }

  async start(): Promise<void> {
    this.started = await this.subject.start();
    this.opened = this.connect(this.started.credentials);
  }

  async stop(): Promise<void> {
    await this.opened?.connection.disconnect();
    await this.started?.close();
  }

  connect(credentials: unknown): { connection: SpendConnection; log: () => string } {
    const { connector } = this.subject;
    const { baseUrl, settings, now } = this.source;
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const context = contextFor(
      baseUrl,
      connector.credentialsSchema.parse(credentials),
      connector.settingsSchema.parse(settings),
      { now: () => now },
    );
    const connection = connector.connect({ ...context, logger: createLogger('trace', stream) });
    return { connection, log: () => lines.join('') };
  }

  /** Reads a stream to its end as the engine does: a page that failed for the moment is read again from its cursor. */
  async read(stream: SpendStream, window: ReadWindow = this.source.window): Promise<Reading> {
    const objects: SourceObject[] = [];
    let [cursor, pages, failures, unreadable]: [string | null, number, number, number] = [null, 0, 0, 0];
    do {
      try {
        const page: SpendPage = await this.connection.readPage(stream, window, cursor);
        objects.push(...page.objects);
        unreadable += page.unreadable.length;
        cursor = page.nextCursor;
        pages += 1;
      } catch (error) {
        failures += 1;
        if (!(error instanceof LedgergateError) || error.decision !== 'RETRY' || failures > FAILURES_MAX) throw error;
      }
    } while (cursor !== null || pages === 0);
    return { objects, pages, unreadable };
  }
}

interface Reading {
  readonly objects: readonly SourceObject[];
  readonly pages: number;
  readonly unreadable: number;
}

const FAILURES_MAX = 3;
/** More requests than reading a stream takes in this suite. */
const STEPS_MAX = 120;

/** What was read, in an order of its own and without the vendor's raw answer. */
function shown(objects: readonly SourceObject[]): Map<string, unknown> {
  return new Map(
    [...objects]
      .sort((a, b) => (a.externalId < b.externalId ? -1 : 1))
      .map(({ raw: _raw, ...object }) => [object.externalId, object]),
  );
}

const DISTURBANCES: readonly {
  readonly words: string;
  readonly rule: Partial<FaultRuleInput> & Pick<FaultRuleInput, 'kind'>;
}[] = [
  { words: 'connection cut', rule: { kind: 'LOSE_REPLY_BEFORE_COMMIT' } },
  { words: 'proxy error', rule: { kind: 'HTML', status: 503 } },
  { words: 'login page', rule: { kind: 'HTML', status: 200 } },
  { words: 'server error', rule: { kind: 'SERVER_ERROR' } },
  { words: 'empty answer', rule: { kind: 'EMPTY' } },
  { words: 'throttled', rule: { kind: 'RATE_LIMIT', retryAfterSeconds: 0 } },
];

function readsStream(proof: Proof, suite: SpendSuite, stream: SpendStream): void {
  const word = STREAM_WORDS[stream];
  const capability = `reads:${word}`;

  proof.case({ name: word, capability }, 'is read to its end, each object once and whole', async () => {
    const { objects, pages, unreadable } = await suite.read(stream);
    expect(unreadable).toBe(suite.source.unreadable ?? 0);
    if (objects.length > suite.source.pageSize) expect(pages).toBeGreaterThan(1);
    expect(new Set(objects.map(({ externalId }) => externalId)).size).toBe(objects.length);
    expect(objects).toHaveLength(suite.source.counts[stream] ?? -1);
    for (const { stream: own, keys, parts, amount, kind, notSpendReason } of objects) {
      expect(own).toBe(stream);
      expect(keys.length).toBeGreaterThan(0);
      if (kind === 'NOT_SPEND') expect(notSpendReason).not.toBeNull();
      if (parts.length === 0) continue;
      const parted = sum(
        parts.map((part) => part.amount),
        amount.currency,
      );
      // A source that rounds each part leaves less than a minor unit for each of them, which planning books by itself.
      const left = parted.minor - amount.minor;
      expect(left < 0n ? -left : left).toBeLessThan(BigInt(parts.length));
      expect(parted.currency).toBe(amount.currency);
    }
  });

  proof.case({ name: `${word} again`, capability }, 'reads the same as before', async () => {
    expect(shown((await suite.read(stream)).objects)).toEqual(shown((await suite.read(stream)).objects));
  });

  if (suite.subject.byId.includes(stream)) {
    proof.case({ name: `${word} by id`, capability }, 'is read again object by object', async () => {
      const { objects } = await suite.read(stream);
      const some = objects.slice(0, 3);
      const ids = some.map(({ externalId }) => externalId);
      const page = await suite.connection.readObjects(stream, ids);
      expect(shown(page.objects)).toEqual(shown(some));
    });
  } else {
    proof.case({ name: `${word} by id` }, 'is refused, for the vendor has no such call', async () => {
      await expect(suite.connection.readObjects(stream, ['x'])).rejects.toThrow(LedgergateError);
    });
  }

  for (const { words, rule } of DISTURBANCES) {
    proof.case({ name: `${word}, ${words}`, capability }, 'loses nothing, whichever call is disturbed', async () => {
      const whole = shown((await suite.read(stream)).objects);
      // Every call of a long stream is like the one before: the first ones and ever later ones stand for all.
      for (let step = 0; step < STEPS_MAX; step = step === 0 ? 1 : step * 5) {
        suite.source.faults.set([{ match: '*', times: 1, skip: step, ...rule }], 3);
        const { objects } = await suite.read(stream);
        expect(shown(objects), `at call ${step}`).toEqual(whole);
        if (suite.source.faults.list().every(({ fired }) => fired === 0)) break;
      }
    });
  }
}

function reportsExports(proof: Proof, suite: SpendSuite): void {
  const capability = 'reports:exports';
  const success = (externalId: string) => ({
    externalId,
    outcome: { kind: 'SUCCESS' as const, ledgerDocumentId: '2026/11/00042' },
  });
  const exports = () => {
    const found = suite.connection.exports;
    if (!found) throw new Error('This connection reports no results.');
    return found;
  };

  proof.case({ name: 'result', capability }, 'is taken once, and said to be known when it is repeated', async () => {
    const [id = ''] = suite.source.exportable;
    expect(await exports().report([success(id)])).toMatchObject([{ externalId: id, kind: 'REPORTED' }]);
    expect(suite.source.isReported(id)).toBe(true);
    expect(await exports().report([success(id)])).toMatchObject([{ externalId: id, kind: 'ALREADY_REPORTED' }]);
  });

  proof.case(
    { name: 'result, connection cut', capability },
    'is there in the end, whichever call was lost',
    async () => {
      const ids = suite.source.exportable.slice(1);
      for (const [step, id] of ids.entries()) {
        suite.source.faults.set([{ match: '*', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1, skip: step }], 3);
        for (let attempt = 0; attempt < FAILURES_MAX; attempt += 1) {
          const answers = await exports()
            .report([success(id)])
            .catch((error: unknown) => {
              if (!(error instanceof LedgergateError)) throw error;
              return [];
            });
          if (answers.length > 0 && answers[0]?.kind !== 'NOT_READY') break;
        }
        const hadStep = suite.source.faults.list().some(({ fired }) => fired > 0);
        suite.source.faults.clear();
        expect(suite.source.isReported(id)).toBe(true);
        if (!hadStep) break;
      }
    },
  );
}

function receivesWebhooks(proof: Proof, suite: SpendSuite): void {
  const capability = 'webhooks';
  const receiver = () => {
    const { webhooks } = suite.subject.connector;
    const { webhook } = suite.source;
    if (!webhooks || !webhook) throw new Error('The suite has no delivery for this connector.');
    return { webhooks, ...webhook };
  };

  proof.case({ name: 'webhook', capability }, 'is believed with its signature and translated', async () => {
    const { webhooks, headers, body, secrets, sentAt } = receiver();
    const id = webhooks.verify(headers, body, secrets, sentAt);
    expect(id).not.toBeNull();
    expect(webhooks.verify(headers, body, ['whsec_AAAA', ...secrets], sentAt)).toBe(id);
    expect(webhooks.translate(JSON.parse(body.toString('utf8'))).objects.length).toBeGreaterThan(0);
  });

  proof.case(
    { name: 'forged webhook', capability },
    'is refused: changed, old, or signed by somebody else',
    async () => {
      const { webhooks, headers, body, secrets, sentAt } = receiver();
      const changed = Buffer.from(body.toString('utf8').replace(/"/, ' "'));
      expect(webhooks.verify(headers, changed, secrets, sentAt)).toBeNull();
      expect(webhooks.verify(headers, body, secrets, new Date(sentAt.getTime() + 3_600_000))).toBeNull();
      expect(webhooks.verify(headers, body, ['whsec_AAAA'], sentAt)).toBeNull();
      expect(webhooks.verify({}, body, secrets, sentAt)).toBeNull();
    },
  );
}

function receivesMasterData(proof: Proof, suite: SpendSuite): void {
  const capability = 'receives:masterData';
  const dimension = { key: 'dimension:Bauvorhaben Süd', name: 'Bauvorhaben' } as const;
  const value = (code: string, active = true, name = `Account ${code}`) => ({ code, name, active });
  const pushTo = (field: { key: CodingFieldKey; name: string }, values: ReturnType<typeof value>[]) => {
    const { masterData } = suite.connection;
    if (!masterData) throw new Error('This connection takes no master data.');
    return masterData.push(field, values);
  };
  const push = (...values: ReturnType<typeof value>[]) => pushTo(dimension, values);
  const values = (key: CodingFieldKey = dimension.key) =>
    [...(suite.source.codingValues?.(key) ?? [])].sort((a, b) => (a.code < b.code ? -1 : 1));

  proof.case({ name: 'master data', capability }, 'is created, renamed and retired; its codes stay', async () => {
    expect(await push(value('6100'), value('6200'))).toMatchObject({ created: 2 });
    expect(await push(value('6100', true, 'Meals'), value('6200', false), value('6300'))).toMatchObject({
      created: 1,
      renamed: 1,
      retired: 1,
    });
    expect(values()).toEqual([
      { code: '6100', active: true },
      { code: '6200', active: false },
      { code: '6300', active: true },
    ]);
    expect(await push(value('6100', true, 'Meals'), value('6300'))).toMatchObject({
      ...{ created: 0, renamed: 0, retired: 0 },
    });
  });

  proof.case(
    { name: 'accounts and cost centres', capability },
    'go to the fields that people code with, and nowhere else',
    async () => {
      for (const key of ['glAccount', 'costCentre'] as const) {
        const before = values(key).length;
        const field = { key, name: 'As the ledger calls it' };
        await pushTo(field, [value('6100'), value('9100')]);
        expect(values(key).length).toBeGreaterThanOrEqual(before);
        expect(values(key).filter(({ active }) => active)).toEqual([
          { code: '6100', active: true },
          { code: '9100', active: true },
        ]);
        expect(await pushTo(field, [value('6100'), value('9100')])).toMatchObject({
          created: 0,
          renamed: 0,
          retired: 0,
        });
      }
      expect(values().map(({ code }) => code)).toEqual(['6100', '6200', '6300']);
    },
  );

  proof.case({ name: 'master data, connection cut', capability }, 'is whole after it was pushed again', async () => {
    for (let step = 0; step < STEPS_MAX; step += 1) {
      suite.source.faults.set([{ match: '*', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1, skip: step }], 3);
      const wanted = [value('6100', true, `Name ${step}`), value(`7${step}`), value('6200', step % 2 === 0)];
      await push(...wanted).catch(() => push(...wanted));
      const hadStep = suite.source.faults.list().some(({ fired }) => fired > 0);
      suite.source.faults.clear();
      expect(
        values()
          .filter(({ active }) => active)
          .map(({ code }) => code),
      ).toEqual(
        wanted
          .filter(({ active }) => active)
          .map(({ code }) => code)
          .sort(),
      );
      if (!hadStep) break;
    }
  });

  keepsVendors(proof, suite);
}

function keepsVendors(proof: Proof, suite: SpendSuite): void {
  const capability = 'keeps:vendors';
  const vendors = () => {
    const found = suite.connection.vendors;
    if (!found) throw new Error('This connection keeps no vendors.');
    return found;
  };
  const named = async (id: string) => {
    const names: string[] = [];
    for await (const page of vendors().list()) {
      names.push(...page.filter((one) => one.id === id).map(({ name }) => name));
    }
    return names;
  };
  const ASCII = /^[\x20-\x7e]+$/;

  proof.case({ name: 'vendor', capability }, 'is made once, also after a lost answer', async () => {
    suite.source.faults.set([{ match: 'vendors', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1, skip: 1 }], 3);
    const ensure = () => vendors().ensure('Brönner & Söhne', 'key-1');
    const { id, name } = await ensure().catch(ensure);
    suite.source.faults.clear();
    expect(name).toMatch(ASCII);
    expect(await ensure()).toEqual({ id, name, created: false });
    expect(await named(id)).toEqual([name]);
  });

  proof.case({ name: 'vendor renamed', capability }, 'has the new name, also after a lost answer', async () => {
    const { id } = await vendors().ensure('Brönner & Söhne', 'key-1');
    suite.source.faults.set([{ match: 'vendors', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }], 3);
    const rename = () => vendors().rename(id, 'Brönner Großhandel', 'key-2');
    const renamed = await rename().catch(rename);
    suite.source.faults.clear();
    expect(renamed.id).toBe(id);
    expect(renamed.name).toMatch(ASCII);
    expect(await named(id)).toEqual([renamed.name]);
    const other = await vendors().ensure('Brönner & Söhne', 'key-3');
    expect(other).toMatchObject({ created: true });
    await expect(vendors().rename(other.id, 'Brönner Großhandel', 'key-4')).rejects.toBeInstanceOf(InputError);
    expect(await named(other.id)).toEqual([other.name]);
  });
}

function testsTheConnection(proof: Proof, suite: SpendSuite): void {
  const capability = 'tests:connection';
  proof.case({ name: 'connection test', capability }, 'every step passes and says how long it took', async () => {
    const checks = await suite.connection.test();
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.length).toBeGreaterThanOrEqual(3);
    expect(checks.filter(({ latencyMs }) => latencyMs !== null).length).toBeGreaterThanOrEqual(3);
  });

  proof.case({ name: 'wrong password', capability }, 'the test stops there and says what to do', async () => {
    const { connection } = suite.connect(suite.source.wrongCredentials);
    const checks = await connection.test();
    await connection.disconnect();
    expect(checks.filter(({ ok }) => !ok)).toHaveLength(1);
    expect(checks.at(-1)?.ok).toBe(false);
    expect(checks.at(-1)?.detail.length).toBeGreaterThan(20);
  });

  proof.case({ name: 'no answer', capability }, 'a system that cannot be reached fails the first step', async () => {
    suite.source.faults.set([{ match: '*', kind: 'LOSE_REPLY_BEFORE_COMMIT' }]);
    const checks = await suite.connection.test();
    expect(checks.at(-1)?.ok).toBe(false);
  });

  proof.case({ name: 'secrets' }, 'no token is in any log line, error or check', async () => {
    const wrong = suite.connect(suite.source.wrongCredentials);
    const checks = await wrong.connection.test();
    await wrong.connection.disconnect();
    const texts = [suite.log, wrong.log(), JSON.stringify(checks)].join('\n');
    expect(suite.log).not.toBe('');
    for (const secret of suite.source.secrets) expect(texts).not.toContain(secret);
  });
}
