// The whole way to the simulated Brex over HTTP: fields, values and vendors. What would surprise: a field made beside the
// one that the settings name, a value or a vendor twice after a lost reply, a name that Brex refuses, a person's own lost.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brexConnector } from '../../../src/connectors/brex/index.js';
import type { Connector, ReadsVendors } from '../../../src/connectors/contract.js';
import { field } from '../../../src/sandbox/brex/blankAccount.js';
import { blankAccount, type RunningBrex, SANDBOX_ACCESS, startBrexSandbox } from '../../../src/sandbox/brex/index.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { healMasterData, pushMasterData } from '../../../src/services/masterDataExport.js';
import { type Company, done, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';

let brex: RunningBrex;
let engine: TestEngine;
let company: Company;

beforeEach(async () => {
  const account = blankAccount('2026-11-20T12:00:00Z');
  brex = await startBrexSandbox({
    data: {
      ...account,
      fields: [
        field('gl_account', 'GL Account', [
          ['6100', 'Old name'],
          ['5999', 'Gone'],
        ]),
        field('kst', 'Kostenstelle', []),
      ],
      vendors: [vendor(1, 'CAFE MULLER'), vendor(2, 'Brindlewood Timber Merchants Ltd.'), vendor(3, 'Halloran')],
    },
    settings: { rateLimit: null },
  });
  engine = await makeTestEngine({ spendConnector: brexConnector as Connector });
  engine.ledger.costCentreDimension = 'CC';
  const value = (dimension: string, code: string) => ({ dimension, code, name: `Große ${code}`, active: true });
  engine.ledger.dimensionValues = [value('CC', 'K1'), value('Projekt Süd', 'P1')];
  suppliers(['S1', 'Café Müller'], ['S2', 'Brindlewood Timber Merchants Limited'], ['S3', 'Łódź Supplies']);
  company = await makeCompany(engine, { exportMasterData: true }, 'default', {
    baseUrl: brex.url,
    credentials: { kind: 'userToken', token: SANDBOX_ACCESS.userToken },
    settings: {
      integrationVendor: SANDBOX_ACCESS.integrationVendor,
      vendorAccountId: 'HPW1',
      costCentreField: 'kostenstelle',
    },
  });
});
afterEach(async () => {
  await engine.close();
  await brex.close();
});

function vendor(number: number, companyName: string) {
  return { id: `vendor_sbx${number}`, companyName, email: 'ap@example.test', phone: null };
}

function suppliers(...named: (readonly [code: string, name: string, active?: boolean])[]): void {
  engine.ledger.knownSuppliers = named.map(([code, name, active = true]) => ({ code, name, active, currency: 'USD' }));
}

const going = { isStopping: () => false };
const push = (process: TestEngine) => pushMasterData(process, 'default', company.pipelineId, going);

/** Making the company left the queue empty. */
async function first(): Promise<void> {
  await push(engine);
  await engine.runJobs();
}

/** The ledger was read, and a day has passed on which nobody looked at Brex. */
async function again(): Promise<void> {
  done(await refreshMasterData(engine, company.caller, company.ledgerId));
  engine.clock.advance(86_400_000);
  await healMasterData(engine);
  await engine.runJobs();
}

async function vendors(): Promise<ReadsVendors> {
  const { connection } = await engine.connections.spend('default', company.sourceId);
  if (!connection.vendors) throw new Error('Brex keeps vendors.');
  return connection.vendors;
}

async function vendorNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const page of (await vendors()).list()) names.push(...page.map(({ name }) => name));
  return names.sort();
}

const links = () =>
  engine.rows<{ supplier_code: string; vendor_id: string; vendor_name: string; state: string; note: string | null }>(
    'select supplier_code, vendor_id, vendor_name, state, note from vendor_links order by supplier_code',
  );

/** More writes than one round takes. */
const STEPS_MAX = 40;
/** Replies to writes; that reads are repeated is tested with the connector. */
const LOSSES = [
  ['LOSE_REPLY_AFTER_COMMIT', 'POST '],
  ['LOSE_REPLY_AFTER_COMMIT', 'PUT '],
  ['COMMIT_LATE', 'POST '],
  ['COMMIT_LATE', 'PUT '],
] as const;

describe('a ledger and its Brex account', () => {
  it('are in step: fields by the names that the settings use, vendors linked or made', async () => {
    await first();
    expect(brex.control.codingValues('gl_account')).toEqual(
      expect.arrayContaining([
        { code: '6100', active: true },
        { code: '5999', active: false },
        { code: '2110', active: true },
      ]),
    );
    expect(brex.control.codingValues('kst')).toEqual([{ code: 'K1', active: true }]);
    expect(brex.control.codingValues('ledger-dimension:Projekt%20S%C3%BCd')).toEqual([{ code: 'P1', active: true }]);
    expect(await links()).toEqual([
      ...[{ supplier_code: 'S1', vendor_id: 'vendor_sbx1', vendor_name: 'CAFE MULLER', state: 'LINKED', note: null }],
      expect.objectContaining({ supplier_code: 'S2', vendor_id: 'vendor_sbx2', state: 'LINKED' }),
      expect.objectContaining({ supplier_code: 'S3', vendor_name: 'Lodz Supplies', state: 'LINKED' }),
    ]);
    expect(await vendorNames()).toHaveLength(4);
    expect(
      await engine.rows(`select merchant_name, status from vendor_matches where status <> 'AUTO_MATCHED'`),
    ).toEqual([{ merchant_name: 'Halloran', status: 'UNMATCHED' }]);
    expect(await engine.rows('select from alerts')).toEqual([]);
  });

  it('follow each other’s changes, and what only a person can settle is left to one', async () => {
    await first();
    suppliers(
      ['S1', 'Café Müller Süd'],
      ['S2', 'Brindlewood Timber Merchants Limited', false],
      ['S3', 'Łódź Supplies'],
      ['S4', 'Lodz Supplies'],
    );
    const [, , third] = await links();
    await (await vendors()).rename(third?.vendor_id ?? '', 'Lodz Trading', 'person-1');
    await again();
    expect(await vendorNames()).toEqual([
      'Brindlewood Timber Merchants Ltd.',
      'Cafe Muller Sud',
      'Halloran',
      'Lodz Supplies (S4)',
      'Lodz Trading',
    ]);
    expect(await links()).toMatchObject([
      { state: 'LINKED', vendor_name: 'Cafe Muller Sud' },
      { state: 'CONFLICT', note: expect.stringContaining('inactive') },
      { state: 'CONFLICT', note: expect.stringContaining('renamed in the spend system') },
      { state: 'LINKED' },
    ]);
    expect(await engine.rows('select code from alerts where resolved_at is null')).toEqual([
      { code: 'VENDOR_CONFLICT' },
    ]);
  });

  it('stay in step whichever reply is lost, before or after the change', async () => {
    await first();
    for (const [kind, match] of LOSSES) {
      for (let step = 0; step < STEPS_MAX; step += 1) {
        const name = `Round ${kind} ${match}${step}`;
        suppliers(['S1', name], ['S2', `${name} other`], ['S3', 'Łódź Supplies'], [name, `${name} new`]);
        engine.ledger.dimensionValues = [{ dimension: 'CC', code: `K${step}`, name, active: true }];
        brex.faults.set([{ match, kind, times: 1, skip: step, delayMs: 20 }], 5);
        await again();
        await brex.faults.whenLateCommitsApplied();
        await again();
        const hadStep = brex.faults.list().some(({ fired }) => fired > 0);
        brex.faults.clear();
        const names = await vendorNames();
        expect(names, `${kind} at ${match}${step}`).toEqual(
          expect.arrayContaining([name, `${name} new`, `${name} other`]),
        );
        expect(new Set(names).size).toBe(names.length);
        // Those of earlier rounds are no longer in the ledger, and their vendors stay.
        const current = (await links()).filter(({ note }) => !note?.includes('no longer in the ledger'));
        expect(current.map(({ state }) => state)).toEqual(['LINKED', 'LINKED', 'LINKED', 'LINKED']);
        const offered = brex.control.codingValues('kst').filter(({ active }) => active);
        expect(offered).toEqual([{ code: `K${step}`, active: true }]);
        if (!hadStep) break;
      }
    }
    expect(await engine.rows(`select from vendor_links group by vendor_id having count(*) > 1`)).toEqual([]);
  }, 240_000);

  it('need one process: of one that died in the middle and two at once comes one vendor a supplier', async () => {
    suppliers(...Array.from({ length: 40 }, (_, n) => [`S${n}`, `Supplier number ${n}`] as const));
    const other = await engine.another();
    brex.faults.set([{ match: 'vendors', kind: 'SLOW', delayMs: 200, skip: 20, times: 1 }]);
    const dying = push(other);
    while (brex.faults.list().every(({ fired }) => fired === 0)) await new Promise((resolve) => setImmediate(resolve));
    await other.die();
    // The dead one may still be talking to Brex, as a process that only lost its database would.
    await Promise.all([push(engine), expect(dying).rejects.toThrow()]);
    const third = await engine.another();
    await Promise.all([push(engine), push(third)]);
    await engine.runJobs();
    const names = await vendorNames();
    expect(names).toHaveLength(43);
    expect(new Set(names).size).toBe(43);
    const all = await links();
    expect(all.filter(({ state }) => state === 'LINKED')).toHaveLength(40);
    expect(new Set(all.map(({ vendor_id }) => vendor_id)).size).toBe(40);
  });
});
