// A database that was restored from a backup remembers less than the ledger holds. What would surprise: a second document
// for what was posted since the backup, a document of the ledger that our books call held or excluded, a purchase that was
// corrected since and is now adopted as it was before, or a source that is never told.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { setMappingRules } from '../../../src/services/pipelines.js';
import { approvePosting, cancelPosting, reversePosting } from '../../../src/services/postings.js';
import { includeSpendRecord } from '../../../src/services/spendRecords.js';
import {
  type Company,
  callerOf,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  reconciled,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
});
afterEach(() => engine.close());

/** What the ledger has been given, so that what comes later can be told apart. */
let sentBefore: number;

/** Everything that happens from here on is forgotten by `restore`, by us and not by the ledger. */
async function backUp(): Promise<void> {
  engine = await engine.backUp();
}

async function restore(): Promise<void> {
  engine = await engine.restore();
  sentBefore = engine.ledger.submitted.length;
  engine.source.reports.length = 0;
}

const sentSince = () => engine.ledger.submitted.slice(sentBefore).map(({ reference }) => reference);
const differences = async () => (await reconciled(engine, company)).totals.map(({ difference }) => difference);

async function adopted(): Promise<string[]> {
  const rows = await engine.rows<{ reference: string }>(
    `select p.reference from audit_events e join postings p on p.tenant_id = e.tenant_id and p.id = e.subject_id
     where e.action = 'posting.posted' and e.after ->> 'adopted' = 'true' order by e.sequence`,
  );
  return rows.map(({ reference }) => reference);
}

/** Reference, state and document of every posting: what must be the same after a restore as it was before. */
async function story(): Promise<string[]> {
  const all = await postings(engine);
  return all.map(({ reference, status, ledger_document_id: id }) => `${reference} ${status} ${id}`).sort();
}

async function only(status: string) {
  const all = await postings(engine);
  const [posting] = all.filter((one) => one.status === status);
  expect(all.map((one) => one.status).filter((one) => one === status)).toEqual([status]);
  if (!posting) throw new Error(`No posting is ${status}.`);
  return posting;
}

describe('what was posted since the backup', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
  });

  it('is adopted under its name, and the source is told again', async () => {
    engine.source.put(views('1', '100.00').record);
    await backUp();
    await sync(engine, company);
    const before = await story();
    await restore();
    expect(await postings(engine)).toEqual([]);
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);
    expect(await adopted()).toEqual(engine.ledger.documents.map(({ reference }) => reference));
    expect(engine.source.reports).toEqual([
      { externalId: 'record_1', outcome: { kind: 'SUCCESS', ledgerDocumentId: 'DOC-000001' } },
    ]);
    expect(await differences()).toEqual(['0.00']);
  });

  it('does not keep what is new since the restore from being posted', async () => {
    await backUp();
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await restore();
    engine.source.put(views('2', '50.00').record);
    await sync(engine, company);
    expect(sentSince()).toHaveLength(1);
    expect(engine.ledger.balanceOf('6100')).toBe(15_000n);
    expect(await differences()).toEqual(['0.00']);
  });

  it('and corrected since is adopted with its reversal and its replacement', async () => {
    await backUp();
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const before = await story();
    expect(before).toHaveLength(3);
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);
    expect(await adopted()).toHaveLength(3);
    expect(engine.source.reports).toMatchObject([{ outcome: { ledgerDocumentId: 'DOC-000003' } }]);
    expect(await differences()).toEqual(['0.00']);

    engine.source.put(views('1', '130.00').record);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(13_000n);
    expect(await differences()).toEqual(['0.00']);
  });

  it('and coded anew since, for the same amount, is not taken for what it was before', async () => {
    done(
      await setMappingRules(engine, company.caller, {
        pipelineId: company.pipelineId,
        effectiveFrom: localDate('2026-01-01'),
        rules: [
          { category: 'OFFICE_SUPPLIES', glAccount: '6100' },
          { category: 'TRAVEL', glAccount: '6200' },
        ],
      }),
    );
    await engine.runJobs();
    await backUp();
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '100.00', { category: 'TRAVEL' }).record);
    await sync(engine, company);
    const before = await story();
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);

    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    expect(engine.ledger.balanceOf('6200')).toBe(0n);
    expect(await differences()).toEqual(['0.00']);
  });

  it('and corrected twice since is followed to what stands now', async () => {
    await backUp();
    for (const amount of ['100.00', '120.00', '140.00']) {
      engine.source.put(views('1', amount).record);
      await sync(engine, company);
    }
    const before = await story();
    expect(before).toHaveLength(5);
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);
    expect(await differences()).toEqual(['0.00']);
  });

  it('and changed at the source, but not corrected yet, waits for a person; nothing is sent', async () => {
    await backUp();
    engine.source.put(views('1', '100.00').record, views('2', '50.00').record);
    await sync(engine, company);
    await restore();
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    expect(sentSince()).toEqual([]);
    expect(await only('HELD')).toMatchObject({ holds: [{ code: 'SUSPECTED_DUPLICATE' }] });
    expect((await only('POSTED')).ledger_document_id).toBe('DOC-000002');
    expect(await differences()).toEqual(['0.00']);
  });

  it('and taken back by hand since stays out of the books until a person includes it again', async () => {
    await backUp();
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    done(await reversePosting(engine, company.caller, (await only('POSTED')).id, 'Private.'));
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    await restore();
    await sync(engine, company);
    await sync(engine, company);
    expect(sentSince()).toEqual([]);
    expect(await differences()).toEqual(['0.00']);
    expect(await engine.rows('select code from alerts where resolved_at is null')).toEqual([
      { code: 'TAKEN_BACK_IN_LEDGER' },
    ]);

    const [record] = await engine.rows<{ id: string }>(`select id from spend_records where status = 'EXCLUDED'`);
    done(await includeSpendRecord(engine, company.caller, record?.id ?? ''));
    await engine.runJobs();
    expect(sentSince()).toHaveLength(1);
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('what was posted before the backup', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await backUp();
  });

  it('and corrected since gets its reversal and its replacement from the ledger', async () => {
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const before = await story();
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);
    expect(await adopted()).toHaveLength(2);
    expect(await differences()).toEqual(['0.00']);
  });

  it('and taken back by hand since is taken back again by repeating that, without a second reversal', async () => {
    done(await reversePosting(engine, company.caller, (await only('POSTED')).id, 'Private.'));
    await engine.runJobs();
    const before = await story();
    await restore();
    done(await reversePosting(engine, company.caller, (await only('POSTED')).id, 'Private.'));
    await engine.runJobs();
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('what waited for a person when the backup was made', () => {
  it('and was released and posted since is adopted, whatever the mapping says now', async () => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00', { category: 'TRAVEL' }).record);
    await sync(engine, company);
    const held = await only('HELD');
    await backUp();
    done(
      await setMappingRules(engine, company.caller, {
        pipelineId: company.pipelineId,
        effectiveFrom: localDate('2026-01-01'),
        rules: [{ category: 'TRAVEL', glAccount: '6200' }],
      }),
    );
    await engine.runJobs();
    expect((await only('POSTED')).id).toBe(held.id);
    await restore();
    expect((await only('HELD')).id).toBe(held.id);
    await sync(engine, company);
    expect(await only('POSTED')).toMatchObject({ id: held.id, ledger_document_id: 'DOC-000001' });
    expect(sentSince()).toEqual([]);
    expect(engine.source.reports).toHaveLength(1);
    expect(await cancelPosting(engine, company.caller, held.id, 'Not ours.')).toMatchObject({ ok: false });
    expect(await differences()).toEqual(['0.00']);
  });

  it('and was approved and posted since is adopted', async () => {
    company = await makeCompany(engine, { requireApproval: true });
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await backUp();
    const [shown] = await engine.rows<{ id: string; plan_hash: string }>('select id, plan_hash from postings');
    const approver = callerOf('default', 'user:approver');
    done(await approvePosting(engine, approver, shown?.id ?? '', shown?.plan_hash ?? ''));
    await engine.runJobs();
    await restore();
    await sync(engine, company);
    expect((await only('POSTED')).id).toBe(shown?.id);
    expect(sentSince()).toEqual([]);
    expect(await differences()).toEqual(['0.00']);
  });

  it('and is still unknown to the ledger goes on waiting', async () => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00', { category: 'TRAVEL' }).record);
    await sync(engine, company);
    const before = await story();
    await backUp();
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(sentSince()).toEqual([]);
  });
});

describe('what was on its way when the backup was made', () => {
  it.each([
    ['and reached the ledger', { kind: 'LOST_AFTER_COMMIT' as const }, 1],
    ['and never reached the ledger, but was sent again since', { kind: 'LOST_BEFORE_COMMIT' as const }, 2],
  ])('%s is adopted', async (_what, fault, sends) => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push(fault);
    engine.ledger.onSubmit = async () => {
      engine.ledger.onSubmit = null;
      await engine.die();
    };
    const first = engine;
    const other = await engine.another();
    await sync(first, company).catch(() => undefined);
    engine = other;
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTING']);
    await backUp();
    await sync(engine, company);
    const before = await story();
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(engine.ledger.submitted).toHaveLength(sends);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('a supplier that was created since the backup', () => {
  it('is found, with the invoice that it was created for', async () => {
    company = await makeCompany(engine, { documentType: 'SUPPLIER_INVOICE', unmatchedVendor: 'CREATE_SUPPLIER' });
    await backUp();
    engine.source.put(
      views('1', '100.00', { merchantName: 'Zephyr Tools', merchantDescriptor: 'ZEPHYR TOOLS' }).record,
    );
    await sync(engine, company);
    const before = await story();
    const suppliers = engine.ledger.knownSuppliers.length;
    await restore();
    await sync(engine, company);
    expect(await story()).toEqual(before);
    expect(engine.ledger.knownSuppliers).toHaveLength(suppliers);
    expect(sentSince()).toEqual([]);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('a day that was corrected since the backup', () => {
  it('waits for a person, because what replaced it cannot be told from its name', async () => {
    company = await makeCompany(engine, { grouping: 'DAILY' });
    await backUp();
    engine.source.put(views('1', '100.00').record, views('2', '50.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const documents = engine.ledger.documents.length;
    await restore();
    await sync(engine, company);
    expect(sentSince()).toEqual([]);
    expect(engine.ledger.documents).toHaveLength(documents);
    expect((await only('HELD')).holds[0]).toMatchObject({ code: 'SUSPECTED_DUPLICATE' });
    expect(await differences()).toEqual(['0.00']);
  });
});
