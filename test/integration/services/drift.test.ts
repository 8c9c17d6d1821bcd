// What a mapping names and the ledger has lost is told before a posting fails on it. What would surprise: an alert after a
// list that was cut off, an alert that stays when the account is back, one every refresh, or none because another list
// was doubtful.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { UpstreamUnavailableError } from '../../../src/errors.js';
import { resolveAlert } from '../../../src/services/alerts.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import { resolveVendorMatch } from '../../../src/services/vendorMatches.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

const HOUR_MS = 3_600_000;

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
  engine.ledger.knownSuppliers.push({ code: 'S200', name: 'Harbour Cranes', active: true, currency: 'USD' });
  await refresh();
});
afterEach(() => engine.close());

const refresh = async () => done(await refreshMasterData(engine, company.caller, company.ledgerId));

interface Alert {
  id: string;
  code: string;
  message: string;
  pipeline_id: string | null;
}
const open = () =>
  engine.rows<Alert>('select id, code, message, pipeline_id from alerts where resolved_at is null order by message');
const drift = async () => (await open()).filter(({ code }) => code === 'MAPPING_DRIFT');

/** Takes an account out of the ledger, or closes it. */
function lose(code: string, how: 'GONE' | 'INACTIVE' | 'BLOCKED' = 'GONE'): void {
  engine.ledger.accounts =
    how === 'GONE'
      ? engine.ledger.accounts.filter((one) => one.code !== code)
      : engine.ledger.accounts.map((one) => {
          if (one.code !== code) return one;
          return how === 'BLOCKED' ? { ...one, blockedReason: 'it is a control account' } : { ...one, active: false };
        });
}

describe('an account that a rule names', () => {
  it.each(['GONE', 'INACTIVE', 'BLOCKED'] as const)('and that is %s raises one alert until it is back', async (how) => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
    const { accounts } = engine.ledger;
    lose('6100', how);
    await refresh();
    await refresh();
    const alerts = await drift();
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.pipeline_id).toBe(company.pipelineId);
    for (const part of [
      '"Books"',
      '6100',
      'rule 1 of mapping version 1 of "Cards to books"',
      '2 purchases of the last 90',
    ]) {
      expect(alerts[0]?.message).toContain(part);
    }
    engine.ledger.accounts = accounts;
    await refresh();
    expect(await drift()).toEqual([]);
    const told = await engine.rows(`select from audit_events where action like 'alert.%'`);
    expect(told).toHaveLength(2);
  });

  it('in a version to come counts, and in one that is over does not', async () => {
    const { pipelineId, caller } = company;
    const rules = (glAccount: string) => [{ category: 'OFFICE_SUPPLIES', glAccount }];
    done(await setMappingRules(engine, caller, { pipelineId, rules: rules('6200') }));
    const effectiveFrom = localDate('2027-01-01');
    done(await setMappingRules(engine, caller, { pipelineId, rules: rules('9999'), effectiveFrom }));
    lose('6100');
    await refresh();
    expect(await drift()).toEqual([]);
    lose('9999');
    await refresh();
    expect((await drift())[0]?.message).toContain('mapping version 3');
  });

  it('counts as the offset and the default account do, each for itself', async () => {
    done(await updatePipeline(engine, company.caller, company.pipelineId, { defaultAccount: '9999' }));
    lose('2110');
    lose('9999', 'INACTIVE');
    await refresh();
    const messages = (await drift()).map(({ message }) => message);
    expect(messages).toHaveLength(2);
    expect(messages.join()).toContain('the offset account of "Cards to books"');
    expect(messages.join()).toContain('the default account of "Cards to books"');
  });

  it('of which a person took note is told again a day later, not with the next refresh', async () => {
    lose('6100');
    await refresh();
    done(await resolveAlert(engine, company.caller, (await drift())[0]?.id ?? ''));
    await refresh();
    expect(await drift()).toEqual([]);
    engine.clock.advance(25 * HOUR_MS);
    await refresh();
    expect(await drift()).toHaveLength(1);
  });
});

describe('cost centres, dimensions, tax codes and suppliers', () => {
  it('that a rule names and the ledger lost are one alert each', async () => {
    const value = (dimension: string, code: string) => ({ dimension, code, name: code, active: true });
    engine.ledger.costCentreDimension = 'Centre';
    engine.ledger.dimensionValues = ['A', 'B'].flatMap((code) =>
      ['Centre', 'Project', 'TaxCode'].map((dimension) => value(dimension, code)),
    );
    await refresh();
    const rules = [
      { category: 'OFFICE_SUPPLIES', glAccount: '6100', costCentre: 'A', dimensions: { Project: 'A' }, taxCode: 'A' },
    ];
    const effectiveFrom = localDate('2026-11-01');
    done(await setMappingRules(engine, company.caller, { pipelineId: company.pipelineId, rules, effectiveFrom }));
    engine.source.put(views('1', '10.00').record);
    await sync(engine, company);
    expect(await drift()).toEqual([]);
    engine.ledger.dimensionValues = engine.ledger.dimensionValues.filter(({ code }) => code !== 'A');
    await refresh();
    const messages = (await drift()).map(({ message }) => message);
    expect(messages).toHaveLength(3);
    for (const message of messages) expect(message).toContain('1 purchase of the last 90 days');
  });

  it('of a match that a person confirmed is told when the supplier is gone or inactive', async () => {
    engine.source.put(views('1', '10.00', { merchantName: 'Harbour', merchantDescriptor: 'HARBOUR 12' }).record);
    await sync(engine, company);
    const [match] = await engine.rows<{ id: string }>('select id from vendor_matches');
    const input = { id: match?.id ?? '', decision: 'ASSIGN' as const, supplierCode: 'S200' };
    done(await resolveVendorMatch(engine, company.caller, input));
    await refresh();
    expect(await drift()).toEqual([]);
    engine.ledger.knownSuppliers = engine.ledger.knownSuppliers.map((one) => ({ ...one, active: one.code !== 'S200' }));
    await refresh();
    const [alert] = await drift();
    expect(alert?.message).toMatch(/S200 \(Harbour Cranes\) is not active.*merchant "HARBOUR 12".*1 purchase/);
    engine.ledger.knownSuppliers = engine.ledger.knownSuppliers.map((one) => ({ ...one, active: true }));
    await refresh();
    expect(await drift()).toEqual([]);
  });
});

describe('a read that may not be whole', () => {
  it('and fails raises nothing and settles nothing', async () => {
    lose('6100');
    await refresh();
    engine.ledger.outage = new UpstreamUnavailableError('Down.');
    engine.ledger.accounts = [];
    expect(await refreshMasterData(engine, company.caller, company.ledgerId)).toMatchObject({ ok: false });
    expect(await drift()).toHaveLength(1);
    expect(await open()).toHaveLength(1);
  });

  it('comes back empty: a person is asked, and no account is said to be lost', async () => {
    const { accounts } = engine.ledger;
    engine.ledger.accounts = [];
    await refresh();
    await refresh();
    expect((await open()).map(({ code }) => code)).toEqual(['MASTER_DATA_SHRUNK']);
    engine.ledger.accounts = accounts;
    await refresh();
    expect(await open()).toEqual([]);
  });

  it('comes back with less than half: no drift until a person says that the rest is gone for good', async () => {
    const { accounts } = engine.ledger;
    const many = Array.from({ length: 60 }, (_, n) => ({
      ...{ code: `8${String(n).padStart(3, '0')}`, name: 'Other', active: true, blockedReason: null },
    }));
    engine.ledger.accounts = [...accounts, ...many];
    await refresh();
    engine.ledger.accounts = accounts.filter(({ code }) => code !== '6100');
    await refresh();
    engine.clock.advance(HOUR_MS);
    await refresh();
    expect((await open()).map(({ code }) => code)).toEqual(['MASTER_DATA_SHRUNK']);
    // What is lost from another list is told all the same.
    engine.ledger.costCentreDimension = 'Centre';
    engine.ledger.dimensionValues = [{ dimension: 'Centre', code: 'B', name: 'B', active: true }];
    const rules = [{ category: 'OFFICE_SUPPLIES', glAccount: '2110', costCentre: 'A' }];
    done(await setMappingRules(engine, company.caller, { pipelineId: company.pipelineId, rules }));
    await refresh();
    expect((await drift()).map(({ message }) => message.includes('"A"'))).toEqual([true]);
    const [shrunk] = (await open()).filter(({ code }) => code === 'MASTER_DATA_SHRUNK');
    done(await resolveAlert(engine, company.caller, shrunk?.id ?? ''));
    const again = [{ category: 'OFFICE_SUPPLIES', glAccount: '6100' }];
    done(await setMappingRules(engine, company.caller, { pipelineId: company.pipelineId, rules: again }));
    await refresh();
    expect((await drift()).map(({ message }) => message.includes('6100'))).toEqual([true]);
    expect((await open()).map(({ code }) => code)).toEqual(['MAPPING_DRIFT']);
  });

  it('and that nobody made yet says nothing', async () => {
    const other = await makeTestEngine();
    try {
      await makeCompany(other);
      expect(await other.rows('select from alerts')).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('a mapping that is saved', () => {
  it('with what the ledger does not have is saved with a warning, and the alert is there at once', async () => {
    const { pipelineId, caller } = company;
    const rules = [
      { category: 'OFFICE_SUPPLIES', glAccount: '6100' },
      { category: 'FOOD', glAccount: '7777' },
    ];
    const { warnings } = done(await setMappingRules(engine, caller, { pipelineId, rules }));
    expect(warnings).toMatchObject([{ code: 'MAPPING_DRIFT', path: ['rules'] }]);
    expect(warnings[0]?.message).toContain('rule 2 of mapping version 2');
    expect(await drift()).toHaveLength(1);
    const { warnings: none } = done(await setMappingRules(engine, caller, { pipelineId, rules: rules.slice(0, 1) }));
    expect(none).toEqual([]);
    expect(await drift()).toEqual([]);
  });

  it('is saved when the ledger cannot be reached', async () => {
    engine.ledger.outage = new UpstreamUnavailableError('Down.');
    const rules = [{ category: 'FOOD', glAccount: '7777' }];
    const saved = await setMappingRules(engine, company.caller, { pipelineId: company.pipelineId, rules });
    expect(saved).toMatchObject({ ok: true, value: { warnings: [] } });
  });
});
