// Histories that the seeded simulation drew and that broke a promise, each told here by itself as short as it goes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection } from '../../../src/connectors/contract.js';
import { localDate } from '../../../src/domain/localDate.js';
import { UpstreamUnavailableError } from '../../../src/errors.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import { replayPosting, reversePosting } from '../../../src/services/postings.js';
import { triggerSync } from '../../../src/services/syncs.js';
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
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

async function differences(): Promise<string[]> {
  return (await reconciled(engine, company)).totals.map((total) => total.difference);
}

describe('the reversal of a corrected purchase', () => {
  // Reversing it put the old amount back beside the new one: the purchase was in the books twice.
  it('cannot be reversed, because its replacement is in the books', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const reversal = (await postings(engine)).find(({ reverses_id }) => reverses_id !== null);
    if (!reversal) throw new Error('The correction made no reversal.');
    const outcome = await reversePosting(engine, callerOf(), reversal.id, 'Wrong company.');
    expect(outcome).toMatchObject({ ok: false, problems: [{ code: 'NOT_REVERSIBLE' }] });
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('an invoice whose supplier is still to be made', () => {
  // Infor M3 refuses to look for an invoice without a supplier, so the first new merchant stopped all postings for good.
  it('is looked for under the code that its supplier will have', async () => {
    const { pipelineId, caller } = company;
    const policy = { documentType: 'SUPPLIER_INVOICE', unmatchedVendor: 'CREATE_SUPPLIER' } as const;
    done(await updatePipeline(engine, caller, pipelineId, policy));
    const { connector } = engine.ledger;
    const connect = connector.connect.bind(connector);
    const asked: (string | null)[] = [];
    connector.connect = (context) => {
      const connection = connect(context);
      const findByReference: LedgerConnection['findByReference'] = (queries) => {
        asked.push(...queries.map(({ supplierCode }) => supplierCode));
        return connection.findByReference(queries);
      };
      return { ...connection, findByReference };
    };
    const merchant = { merchantName: 'Zephyr Kites', merchantDescriptor: 'ZEPHYR KITES' };
    engine.source.put(views('1', '100.00', merchant).record);
    await sync(engine, company);
    expect(asked).toEqual(['ZEPHYRKITE']);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED']);
  });
});

describe('a result that waits behind an older one for the same object', () => {
  // It was due, the older one was not, and the job that found nothing to send was due again at once: thousands a minute.
  it('does not keep the reporting busy until the older one is due', async () => {
    const soon = () => ({ until: new Date(engine.clock.now().getTime() + 5_000) });
    const request = { pipelineId: company.pipelineId, dryRun: false };
    engine.source.failures.push({ on: 'report', error: new UpstreamUnavailableError('The source is away.') });
    engine.source.put(views('1', '100.00').record);
    done(await triggerSync(engine, company.caller, request));
    await engine.runJobs(soon());
    engine.source.put(views('1', '120.00').record);
    done(await triggerSync(engine, company.caller, request));
    await engine.runJobs(soon());
    await engine.runJobs();
    expect(engine.jobs.sent.filter(({ name }) => name === 'source.report').length).toBeLessThan(8);
    const replacement = (await postings(engine)).find(({ status, reverses_id }) => status === 'POSTED' && !reverses_id);
    const ledgerDocumentId = replacement?.ledger_document_id;
    expect(engine.source.reports.at(-1)?.outcome).toEqual({ kind: 'SUCCESS', ledgerDocumentId });
  });
});

describe('the reversal of a day that waits for its period', () => {
  // It was planned once for each purchase of the day, which the database refuses: nothing of the pipeline was planned any more.
  it('is planned again once, not once for each purchase', async () => {
    const { pipelineId, caller } = company;
    done(await updatePipeline(engine, caller, pipelineId, { grouping: 'DAILY' }));
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
    const { periods } = engine.ledger;
    engine.ledger.periods = periods.map((period) => ({ ...period, open: false }));
    done(await refreshMasterData(engine, caller, company.ledgerId));
    const [day] = await postings(engine);
    const { id } = done(await reversePosting(engine, caller, day?.id ?? '', 'Wrong company.'));
    expect((await postings(engine)).map(({ status }) => status).sort()).toEqual(['HELD', 'POSTED']);
    engine.ledger.periods = periods;
    done(await replayPosting(engine, caller, id, null));
    await engine.runJobs();
    expect((await postings(engine)).map(({ status }) => status).sort()).toEqual(['POSTED', 'REVERSED']);
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('a changed purchase of a day that cannot be corrected yet because of another one', () => {
  // Only the other one was said to wait, and the report had no place for the change of this one.
  it('waits with it, and the report counts its change as held', async () => {
    const { pipelineId, caller } = company;
    done(await updatePipeline(engine, caller, pipelineId, { grouping: 'DAILY' }));
    engine.source.put(views('1', '10.00').record, views('1', '10.00').expense, views('2', '20.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '12.00').expense, views('2', '25.00').record);
    await sync(engine, company);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED']);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ held: '5.00', difference: '0.00' }]);
    engine.source.put(views('1', '10.00').expense);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(3_500n);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ posted: '35.00', difference: '0.00' }]);
  });
});

describe('a posting day whose purchases were made under two mapping versions', () => {
  // Once each version was planned by itself; both began to count at the same number, and the pipeline stood still for good.
  it('becomes one document, coded by the version of the posting date', async () => {
    const { pipelineId, caller } = company;
    done(await updatePipeline(engine, caller, pipelineId, { grouping: 'DAILY', postingDate: 'SYNC_DATE' }));
    const rules = [{ category: 'OFFICE_SUPPLIES', glAccount: '6200' }];
    done(await setMappingRules(engine, caller, { pipelineId, rules, effectiveFrom: localDate('2026-11-10') }));
    engine.source.put(
      views('1', '10.00').record,
      views('2', '20.00', { transactionDate: localDate('2026-11-10') }).record,
    );
    await sync(engine, company);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED']);
    expect([engine.ledger.balanceOf('6100'), engine.ledger.balanceOf('6200')]).toEqual([0n, 3_000n]);
    expect(await differences()).toEqual(['0.00']);
  });
});
