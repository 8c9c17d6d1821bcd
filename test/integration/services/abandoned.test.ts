// What attempts leave in a ledger outside its books is cleared away once nobody sends the document any more. What would
// surprise: a draft that stays for ever, one that is taken from under a document that is in the books, a person who is
// not told where to look, or a document in the books that its posting denies.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clearance, LedgerDocument } from '../../../src/connectors/contract.js';
import { ErpRejectedError, OutcomeUnknownError, PermissionError } from '../../../src/errors.js';
import { updatePipeline } from '../../../src/services/pipelines.js';
import { cancelPosting } from '../../../src/services/postings.js';
import { excludeSpendRecord } from '../../../src/services/spendRecords.js';
import {
  type Company,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  reconciled,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

interface Visit {
  readonly reference: string;
  readonly fate: 'WAITING' | 'GIVEN_UP';
  readonly supplierCode: string | null;
}

let engine: TestEngine;
let company: Company;
let visits: Visit[];
let answer: (document: LedgerDocument) => Clearance;

beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
  visits = [];
  answer = () => ({ kind: 'REMOVED', what: 'the draft 17' });
  engine.ledger.onAbandon = (document, fate) => {
    const { reference, supplierCode } = document;
    visits.push({ reference, fate, supplierCode });
    return answer(document);
  };
  engine.source.put(views('1', '100.00').record);
});
afterEach(() => engine.close());

async function onlyPosting() {
  const [posting, ...others] = await postings(engine);
  if (!posting || others.length > 0) throw new Error('One posting was expected.');
  return posting;
}

/** Its first attempt is lost and proven absent, its second is refused. */
async function lostThenRefused(): Promise<void> {
  engine.ledger.faults.push({ kind: 'LOST_BEFORE_COMMIT' }, { kind: 'REJECTED', message: 'No.' });
  await sync(engine, company);
  expect((await onlyPosting()).status).toBe('REJECTED');
}

async function cancel(): Promise<void> {
  done(await cancelPosting(engine, company.caller, (await onlyPosting()).id, 'Nobody wants it.'));
  await engine.runJobs();
}

const alerts = () =>
  engine.rows<{ code: string; severity: string; message: string; resolved: boolean }>(
    'select code, severity, message, resolved_at is not null as resolved from alerts order by raised_at',
  );
const told = async (action: string) =>
  (await engine.rows<{ summary: string }>('select summary from audit_events where action = $1', [action])).map(
    ({ summary }) => summary,
  );
const owed = () => engine.rows('select id from postings where next_attempt_at is not null or lease_owner is not null');

describe('what an attempt left', () => {
  it('is removed when the posting ends rejected, and again asked for when it is given up', async () => {
    await lostThenRefused();
    const { reference } = await onlyPosting();
    expect(visits).toMatchObject([{ reference, fate: 'WAITING' }]);
    expect(await told('posting.remainsRemoved')).toEqual([expect.stringContaining('the draft 17')]);
    answer = () => ({ kind: 'NOTHING' });
    await cancel();
    expect(visits.at(-1)).toMatchObject({ reference, fate: 'GIVEN_UP' });
    expect(await told('posting.remainsRemoved')).toHaveLength(1);
    expect(await owed()).toEqual([]);
  });

  it('is cleared away for good when somebody excludes the purchase', async () => {
    await lostThenRefused();
    const [record] = await engine.rows<{ id: string }>('select id from spend_records');
    done(await excludeSpendRecord(engine, company.caller, record?.id ?? '', 'Private.'));
    await engine.runJobs();
    expect((await onlyPosting()).status).toBe('CANCELLED');
    expect(visits.map(({ fate }) => fate)).toEqual(['WAITING', 'GIVEN_UP']);
  });

  it('is cleared away when the posting is planned again and held', async () => {
    engine.ledger.faults.push({ kind: 'REJECTED', message: 'No.' });
    await sync(engine, company);
    expect(visits).toEqual([]);
    engine.source.put(views('1', '100.00', { category: 'UNKNOWN_CATEGORY' }).record);
    await sync(engine, company);
    expect((await onlyPosting()).status).toBe('HELD');
    expect(visits.map(({ fate }) => fate)).toEqual(['WAITING']);
    expect(await owed()).toEqual([]);
  });

  it('of an invoice is looked for under every supplier that it was sent for', async () => {
    const { pipelineId, caller } = company;
    done(
      await updatePipeline(engine, caller, pipelineId, { documentType: 'SUPPLIER_INVOICE', unmatchedVendor: 'HOLD' }),
    );
    await lostThenRefused();
    engine.ledger.knownSuppliers.push({ code: 'S200', name: 'Office Depot East', active: true, currency: 'USD' });
    await engine.rows("update postings set supplier_code = 'S200' where id = $1", [(await onlyPosting()).id]);
    visits.length = 0;
    await cancel();
    expect(visits.map(({ supplierCode }) => supplierCode).sort()).toEqual(['S100', 'S200']);
  });

  it('of a posting that was never sent is not looked for', async () => {
    engine.source.put(views('1', '100.00', { category: 'UNKNOWN_CATEGORY' }).record);
    await sync(engine, company);
    await cancel();
    expect(visits).toEqual([]);
    expect(await owed()).toEqual([]);
  });

  it('is a matter for a person where nothing can remove it, who is told once what and where', async () => {
    answer = () => ({ kind: 'LEFT', advice: 'Delete the batch 9 in GLS840.' });
    await lostThenRefused();
    await cancel();
    expect(await alerts()).toMatchObject([
      { code: 'LEFT_IN_LEDGER', severity: 'INFO', message: expect.stringContaining('Delete the batch 9 in GLS840.') },
    ]);
    expect(await told('posting.remainsLeft')).toHaveLength(2);
    expect(await owed()).toEqual([]);
  });

  it('settles the alert once it is gone after all', async () => {
    answer = () => ({ kind: 'LEFT', advice: 'Turned down; see APS450.' });
    await lostThenRefused();
    answer = () => ({ kind: 'REMOVED', what: 'the batch invoice 9' });
    await cancel();
    expect(await alerts()).toMatchObject([{ code: 'LEFT_IN_LEDGER', resolved: true }]);
  });

  it.each([
    ['the ledger keeps it', new ErpRejectedError('Group LG1 is open at another user.')],
    ['a right is missing', new PermissionError('The user may not use APS450.')],
  ])('stays, with an alert, when %s, and keeps nothing else from being posted', async (_why, fault) => {
    answer = () => {
      throw fault;
    };
    await lostThenRefused();
    expect(await alerts()).toMatchObject([{ code: 'LEFT_IN_LEDGER', message: expect.stringContaining(fault.message) }]);
    engine.source.put(views('2', '20.00').record);
    await sync(engine, company);
    expect((await postings(engine)).map(({ status }) => status).sort()).toEqual(['POSTED', 'REJECTED']);
    expect(await owed()).toEqual([]);
  });

  it('is asked for again while nobody knows whether it is gone, and in the end by a person', async () => {
    answer = () => {
      throw new OutcomeUnknownError('The connection ended.');
    };
    await lostThenRefused();
    expect(visits).toHaveLength(5);
    expect(await alerts()).toMatchObject([{ code: 'LEFT_IN_LEDGER' }]);
    expect(await owed()).toEqual([]);
  });

  it('waits for a ledger that cannot be reached', async () => {
    await lostThenRefused();
    engine.ledger.outage = new OutcomeUnknownError('Down.');
    done(await cancelPosting(engine, company.caller, (await onlyPosting()).id, 'Nobody wants it.'));
    const job = engine.jobs.take();
    if (job) await engine.runJob(job);
    expect(visits).toHaveLength(1);
    expect(await owed()).toHaveLength(1);
    engine.ledger.outage = null;
    await engine.runJobs();
    expect(visits).toHaveLength(2);
    expect(await owed()).toEqual([]);
  });

  it('is no matter at all for a ledger that takes a document in one step', async () => {
    const other = await makeTestEngine();
    try {
      const its = await makeCompany(other);
      other.source.put(views('1', '100.00').record);
      other.ledger.faults.push({ kind: 'LOST_BEFORE_COMMIT' }, { kind: 'REJECTED', message: 'No.' });
      await sync(other, its);
      expect(await other.rows('select id from postings where next_attempt_at is not null')).toEqual([]);
      expect(await other.rows('select id from alerts')).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('a document that turns out to be in the books', () => {
  const TEN_MINUTES_MS = 600_000;

  /** Written ten minutes late, far beyond the settling time; what was sent again meanwhile was refused. */
  async function lateThenRefused(): Promise<void> {
    engine.ledger.faults.push({ kind: 'LATE_COMMIT', afterMs: TEN_MINUTES_MS }, { kind: 'REJECTED', message: 'No.' });
    await sync(engine, company);
    expect((await onlyPosting()).status).toBe('REJECTED');
    engine.clock.advance(TEN_MINUTES_MS);
    visits.length = 0;
  }

  it('is adopted, although its posting was given up, and nothing is removed', async () => {
    await lateThenRefused();
    await cancel();
    expect(await onlyPosting()).toMatchObject({ status: 'POSTED', ledger_document_id: 'DOC-000001', holds: [] });
    expect(visits).toEqual([]);
    expect(await engine.rows('select status, excluded_by, excluded_reason from spend_records')).toEqual([
      { status: 'POSTED', excluded_by: null, excluded_reason: null },
    ]);
    const { totals } = await reconciled(engine, company);
    expect(totals).toMatchObject([{ posted: '100.00', excluded: '0.00', difference: '0.00' }]);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    expect(await owed()).toEqual([]);
  });

  it('is not adopted by a posting that has another plan by now; a person is told', async () => {
    await lateThenRefused();
    engine.source.put(views('1', '120.00', { category: 'UNKNOWN_CATEGORY' }).record);
    await sync(engine, company);
    expect((await onlyPosting()).status).toBe('HELD');
    expect(visits).toEqual([]);
    expect(await alerts()).toMatchObject([
      { code: 'LEDGER_HOLDS_UNSENT', severity: 'WARNING', message: expect.stringContaining('DOC-000001') },
    ]);
    expect(await owed()).toEqual([]);
  });
});
