// Thresholds are shown what they would have done before they are saved. What would surprise: a preview that is helped by the
// decisions it is measured by, thresholds saved against what people decided, a match that ignores the ledger's own ones.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { resolveVendorMatch } from '../../../src/services/vendorMatches.js';
import { previewThresholds, readThresholds, setThresholds } from '../../../src/services/vendorThresholds.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

const DEFAULTS = { autoScore: 0.84, autoMargin: 0.03, reviewScore: 0.5 };
const EVERYTHING = { autoScore: 0.4, autoMargin: 0, reviewScore: 0.1 };

let engine: TestEngine;
let company: Company;
const idOf = async (merchant: string) => {
  const [row] = await engine.rows<{ id: string }>('select id from vendor_matches where merchant_name = $1', [merchant]);
  return row?.id ?? 'none';
};
const statusOf = async (merchant: string) => {
  const [row] = await engine.rows<{ status: string }>('select status from vendor_matches where merchant_name = $1', [
    merchant,
  ]);
  return row?.status;
};

beforeEach(async () => {
  engine = await makeTestEngine();
  engine.ledger.knownSuppliers = [
    { code: 'S1', name: 'Harbour Cranes Ltd', active: true, currency: 'USD' },
    { code: 'S2', name: 'Old Fenwhistle Textiles', active: true, currency: 'USD' },
    { code: 'S3', name: 'Quillfeather Bindery Ltd', active: true, currency: 'USD' },
  ];
  company = await makeCompany(engine, { unmatchedVendor: 'HOLD' });
  done(await refreshMasterData(engine, company.caller, company.ledgerId));
  const merchants = ['HARBOUR CRANES', 'FENWHISTLE TEXTILE CARE', 'FENWHISTLE TEXTILE CARE', 'MARLOW GARDENS'];
  merchants.forEach((name, i) => {
    engine.source.put(views(String(i), '10.00', { merchantName: name, merchantDescriptor: name }).record);
  });
  await sync(engine, company);
  const input = { id: await idOf('FENWHISTLE TEXTILE CARE'), decision: 'ASSIGN' as const, supplierCode: 'S3' };
  done(await resolveVendorMatch(engine, company.caller, input));
  const confirmed = { id: await idOf('HARBOUR CRANES'), decision: 'CONFIRM' as const };
  done(await resolveVendorMatch(engine, company.caller, confirmed));
  await engine.runJobs();
});
afterEach(() => engine.close());

describe('the preview of thresholds', () => {
  it('counts what would be automatic, asked and without a supplier, and what people said to it', async () => {
    expect(done(await previewThresholds(engine, company.caller, company.ledgerId, DEFAULTS))).toEqual({
      ...{ thresholds: DEFAULTS, merchants: 3, purchases: 4, automatic: 1, review: 1, none: 1 },
      ...{ agreements: 1, disagreements: 0, examples: [] },
    });
  });

  it('shows where they disagree with a person, and changes nothing', async () => {
    const preview = done(await previewThresholds(engine, company.caller, company.ledgerId, EVERYTHING));
    expect(preview).toMatchObject({ automatic: 2, agreements: 1, disagreements: 1 });
    expect(preview.examples).toEqual([
      { merchantName: 'FENWHISTLE TEXTILE CARE', wouldMatch: 'S2', personChose: 'S3', purchases: 2 },
    ]);
    expect(await readThresholds(engine, company.caller, company.ledgerId)).toEqual(DEFAULTS);
  });

  it('looks back one year', async () => {
    engine.clock.advance(400 * 86_400_000);
    const preview = done(await previewThresholds(engine, company.caller, company.ledgerId, DEFAULTS));
    expect(preview).toMatchObject({ merchants: 0, purchases: 0 });
  });
});

describe('thresholds', () => {
  const set = (thresholds: typeof DEFAULTS, acceptDisagreements = false) =>
    setThresholds(engine, company.caller, { ledgerId: company.ledgerId, thresholds, acceptDisagreements });

  it('that disagree with people are refused, until somebody accepts that', async () => {
    expect(await set(EVERYTHING)).toMatchObject({ ok: false, problems: [{ code: 'THRESHOLDS_DISAGREE' }] });
    expect(await readThresholds(engine, company.caller, company.ledgerId)).toEqual(DEFAULTS);
    done(await set(EVERYTHING, true));
    expect(await readThresholds(engine, company.caller, company.ledgerId)).toEqual(EVERYTHING);
    const told = await engine.rows<{ summary: string }>(
      `select summary from audit_events where action = 'vendorThresholds.changed'`,
    );
    expect(told).toHaveLength(1);
  });

  it('decide the next purchases of their ledger, and no decision of a person', async () => {
    done(await set({ autoScore: 1, autoMargin: 1, reviewScore: 0.1 }));
    const names = ['OLD FENWHISTLE TEXTILE', 'HARBOUR CRANES'];
    names.forEach((name, i) => {
      engine.source.put(views(`n${i}`, '10.00', { merchantName: name, merchantDescriptor: name }).record);
    });
    await sync(engine, company);
    expect(await statusOf('OLD FENWHISTLE TEXTILE')).toBe('NEEDS_REVIEW');
    expect(await statusOf('HARBOUR CRANES')).toBe('CONFIRMED');
  });

  it.each([
    [{ ...DEFAULTS, autoScore: 1.2 }, 'autoScore'],
    [{ ...DEFAULTS, reviewScore: 0.9 }, 'reviewScore'],
    [{ ...DEFAULTS, autoMargin: Number.NaN }, 'autoMargin'],
  ])('%j are refused, naming %s', async (thresholds, field) => {
    expect(await set(thresholds)).toMatchObject({ ok: false, problems: [{ path: ['input', field] }] });
  });

  it('of what is no ledger are refused', async () => {
    const nowhere = { ledgerId: company.sourceId, thresholds: DEFAULTS, acceptDisagreements: false };
    expect(await setThresholds(engine, company.caller, nowhere)).toMatchObject({ problems: [{ code: 'NOT_FOUND' }] });
  });
});
