// What people decided about merchants is kept, and no supplier is made beside one that may be the same. What would surprise:
// a question asked twice, a purchase on an inactive supplier, a rejected proposal that is back, two suppliers of one name.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OutcomeUnknownError } from '../../../src/errors.js';
import { drainLedger } from '../../../src/services/drain.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { triggerSync } from '../../../src/services/syncs.js';
import { resolveVendorMatch } from '../../../src/services/vendorMatches.js';
import {
  type Company,
  done,
  type Job,
  makeCompany,
  makeTestEngine,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  engine.ledger.knownSuppliers = [];
});
afterEach(() => engine.close());

interface Match {
  id: string;
  status: string;
  supplier_code: string | null;
  alias_code: string | null;
  explanation: string;
  candidates: { supplierCode: string }[];
}
const match = async (): Promise<Match> => {
  const [row] = await engine.rows<Match>('select * from vendor_matches order by id');
  if (!row) throw new Error('There is no match.');
  return row;
};
const refresh = async () => {
  done(await refreshMasterData(engine, company.caller, company.ledgerId));
  await engine.runJobs();
};
const buy = async (id: string, merchant: string) => {
  engine.source.put(views(id, '10.00', { merchantName: merchant, merchantDescriptor: merchant }).record);
  await sync(engine, company);
};
const settle = async (decision: 'CONFIRM' | 'REJECT' | 'ASSIGN' | 'CREATE', supplierCode?: string) => {
  const input = { id: (await match()).id, decision, ...(supplierCode ? { supplierCode } : {}) };
  const answer = done(await resolveVendorMatch(engine, company.caller, input));
  await engine.runJobs();
  return answer;
};
const alertCodes = async () =>
  (await engine.rows<{ code: string }>('select code from alerts where resolved_at is null order by code')).map(
    ({ code }) => code,
  );
const supply = (...named: (readonly [code: string, name: string, active?: boolean])[]) => {
  engine.ledger.knownSuppliers = named.map(([code, name, active = true]) => ({ code, name, active, currency: 'USD' }));
};

describe('what a person confirmed', () => {
  beforeEach(async () => {
    supply(['S1', 'Harbour Cranes Ltd'], ['S2', 'Quillfeather Bindery Ltd']);
    company = await makeCompany(engine, { unmatchedVendor: 'HOLD' });
    await refresh();
    await buy('1', 'HBR CRN 77');
  });

  it('releases what it unblocks and says how much', async () => {
    expect(await settle('ASSIGN', 'S1')).toMatchObject({ releasedPostings: 1 });
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('is followed again after the supplier was renamed', async () => {
    await settle('ASSIGN', 'S1');
    supply(['S1', 'Completely Different Name'], ['S2', 'Quillfeather Bindery Ltd']);
    await refresh();
    await buy('2', 'HBR CRN 77');
    expect(await match()).toMatchObject({ status: 'CONFIRMED', supplier_code: 'S1' });
    expect(engine.ledger.documents).toHaveLength(2);
  });

  it('becomes a question with an alert when the supplier went inactive, and is an answer again when it is back', async () => {
    await settle('ASSIGN', 'S1');
    supply(['S1', 'Harbour Cranes Ltd', false], ['S2', 'Quillfeather Bindery Ltd']);
    await refresh();
    expect(await match()).toMatchObject({ status: 'NEEDS_REVIEW', supplier_code: null, alias_code: 'S1' });
    expect((await match()).explanation).toContain('inactive now');
    expect(await alertCodes()).toEqual(['MAPPING_DRIFT']);
    await buy('2', 'HBR CRN 77');
    expect(engine.ledger.documents).toHaveLength(1);
    supply(['S1', 'Harbour Cranes Ltd'], ['S2', 'Quillfeather Bindery Ltd']);
    await refresh();
    expect(await match()).toMatchObject({ status: 'CONFIRMED', supplier_code: 'S1' });
    expect(await alertCodes()).toEqual([]);
  });

  it('of a supplier that was merged away becomes a question, and the new answer is remembered', async () => {
    await settle('ASSIGN', 'S1');
    supply(['S2', 'Quillfeather Bindery Ltd']);
    await refresh();
    expect(await match()).toMatchObject({ status: 'NEEDS_REVIEW', supplier_code: null });
    await settle('ASSIGN', 'S2');
    expect(await match()).toMatchObject({ status: 'CONFIRMED', supplier_code: 'S2', alias_code: 'S2' });
    expect(await alertCodes()).toEqual(['MAPPING_DRIFT']);
    await refresh();
    expect(await alertCodes()).toEqual([]);
  });
});

describe('what the program matched', () => {
  it('becomes a question with an alert when the supplier went inactive', async () => {
    supply(['S1', 'Harbour Cranes Ltd']);
    company = await makeCompany(engine, { unmatchedVendor: 'HOLD' });
    await refresh();
    await buy('1', 'HARBOUR CRANES');
    expect(await match()).toMatchObject({ status: 'AUTO_MATCHED', supplier_code: 'S1' });
    supply(['S1', 'Harbour Cranes Ltd', false]);
    await refresh();
    expect(await match()).toMatchObject({ status: 'NEEDS_REVIEW', supplier_code: null });
    expect(await alertCodes()).toEqual(['VENDOR_SUPPLIER_LOST']);
  });
});

describe('what a person rejected', () => {
  it('never comes back, also under a new name', async () => {
    supply(['S1', 'Harbour Cranes Group Sales Ltd']);
    company = await makeCompany(engine, { unmatchedVendor: 'HOLD' });
    await refresh();
    await buy('1', 'HARBOUR CRANES SALE');
    expect((await match()).candidates.map(({ supplierCode }) => supplierCode)).toContain('S1');
    await settle('REJECT');
    supply(['S1', 'Harbour Cranes Sale Ltd']);
    await refresh();
    await buy('2', 'HARBOUR CRANES SALE');
    const { status, candidates } = await match();
    expect(status).toBe('REJECTED');
    expect(candidates).toEqual([]);
  });
});

describe('a new supplier', () => {
  const policy = { unmatchedVendor: 'CREATE_SUPPLIER', documentType: 'SUPPLIER_INVOICE' } as const;

  it('that two purchases need is made once', async () => {
    company = await makeCompany(engine, policy);
    await refresh();
    for (const id of ['1', '2'])
      engine.source.put(views(id, '10.00', { merchantName: 'Ostrelle', merchantDescriptor: 'OSTRELLE' }).record);
    await sync(engine, company);
    expect(engine.ledger.knownSuppliers.map(({ name }) => name)).toEqual(['Ostrelle']);
    expect(engine.ledger.documents).toHaveLength(2);
  });

  it('is made once by two processes at work at the same time', async () => {
    company = await makeCompany(engine, policy);
    await refresh();
    for (const id of ['1', '2', '3', '4'])
      engine.source.put(views(id, '10.00', { merchantName: 'Ostrelle', merchantDescriptor: 'OSTRELLE' }).record);
    const other = await engine.another();
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    const drains: Job[] = [];
    for (let job = engine.jobs.take(); job; job = engine.jobs.take()) {
      if (job.name === 'ledger.drain') drains.push(job);
      else await engine.runJob(job);
    }
    const going = { isStopping: () => false };
    await Promise.all([engine, other].map((one) => drainLedger(one, 'default', company.ledgerId, going)));
    await engine.runJobs();
    expect(drains.length).toBeGreaterThan(0);
    expect(engine.ledger.knownSuppliers.map(({ name }) => name)).toEqual(['Ostrelle']);
    expect(engine.ledger.documents).toHaveLength(4);
  });

  it('whose making was answered by nothing is looked for before it is made again', async () => {
    company = await makeCompany(engine, policy);
    await refresh();
    engine.ledger.supplierFault = new OutcomeUnknownError('The line went dead.');
    await buy('1', 'Ostrelle');
    await engine.runJobs();
    expect(engine.ledger.knownSuppliers.map(({ name }) => name)).toEqual(['Ostrelle']);
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('is not made beside one of nearly the same name: the posting waits with the twin shown', async () => {
    company = await makeCompany(engine, policy);
    await refresh();
    const merchants = ['Fenwhistle Textiles', 'Old Fenwhistle Textiles'];
    merchants.forEach((name, i) => {
      engine.source.put(views(String(i), '10.00', { merchantName: name, merchantDescriptor: name }).record);
    });
    await sync(engine, company);
    expect(engine.ledger.knownSuppliers).toHaveLength(1);
    const held = await engine.rows<{ holds: { code: string; message: string }[] }>(
      `select holds from postings where status = 'HELD'`,
    );
    expect(held).toHaveLength(1);
    expect(held[0]?.holds[0]).toMatchObject({ code: 'VENDOR_REVIEW', message: expect.stringContaining('Fenwhistle') });
    const [asked] = await engine.rows<Match>(`select * from vendor_matches where status = 'NEEDS_REVIEW'`);
    expect(asked?.candidates[0]?.supplierCode).toBe(engine.ledger.knownSuppliers[0]?.code);
  });

  it('that a person asked for is made although one is alike', async () => {
    supply(['S1', 'Fenwhistle Textiles']);
    company = await makeCompany(engine, policy);
    await refresh();
    await buy('1', 'Old Fenwhistle Textiles');
    await settle('CREATE');
    expect(engine.ledger.knownSuppliers).toHaveLength(2);
    expect(engine.ledger.documents).toHaveLength(1);
  });
});
