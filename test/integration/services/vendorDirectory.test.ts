// Suppliers and vendors kept in step. What would surprise: a vendor made twice after a lost answer or by two processes, a
// rename over a person's own, a supplier made because nobody was asked, a directory that stops half way, anything deleted.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError, InputError, OutcomeUnknownError, PermissionError } from '../../../src/errors.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { healMasterData, pushMasterData } from '../../../src/services/masterDataExport.js';
import type { PipelineRequest } from '../../../src/services/useCases.js';
import { resolveVendorMatch } from '../../../src/services/vendorMatches.js';
import { type Company, done, Gate, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  engine.ledger.knownSuppliers = [];
});
afterEach(() => engine.close());

const going = { isStopping: () => false };
const directory = () => engine.source.directory;
const vendorNames = () => [...directory().vendors.values()].sort();
const links = () =>
  engine.rows<{
    supplier_code: string;
    vendor_id: string | null;
    state: string;
    note: string | null;
    linked_by: string;
  }>(
    'select supplier_code, vendor_id, supplier_name, vendor_name, state, note, linked_by from vendor_links order by 1',
  );
const alerts = () =>
  engine.rows<{ code: string; message: string }>('select code, message from alerts where resolved_at is null');
const told = async () =>
  (
    await engine.rows<{ action: string }>(
      `select action from audit_events where action like 'vendorLink%' order by sequence`,
    )
  ).map(({ action }) => action);

function suppliers(...named: (readonly [code: string, name: string, active?: boolean])[]): void {
  engine.ledger.knownSuppliers = named.map(([code, name, active = true]) => ({ code, name, active, currency: 'USD' }));
}

function vendors(...named: (readonly [id: string, name: string])[]): void {
  directory().vendors.clear();
  for (const [id, name] of named) directory().vendors.set(id, name);
}

/** Everything that follows from a company with these directories. */
async function start(over: Partial<PipelineRequest> = {}): Promise<void> {
  company = await makeCompany(engine, { exportMasterData: true, ...over });
  await again();
}

/** The ledger was read, and a day has passed on which nobody looked at the source. */
async function again(): Promise<void> {
  done(await refreshMasterData(engine, company.caller, company.ledgerId));
  await engine.runJobs();
  engine.clock.advance(86_400_000);
  await healMasterData(engine);
  await engine.runJobs();
}

const settle = async (
  merchant: string,
  decision: 'CONFIRM' | 'REJECT' | 'ASSIGN' | 'CREATE',
  supplierCode?: string,
) => {
  const [match] = await engine.rows<{ id: string }>('select id from vendor_matches where merchant_name = $1', [
    merchant,
  ]);
  const input = { id: match?.id ?? 'none', decision, ...(supplierCode ? { supplierCode } : {}) };
  done(await resolveVendorMatch(engine, company.caller, input));
  await engine.runJobs();
};

describe('a new supplier', () => {
  it('adopts the vendor of its name or gets one, in ASCII, and every link is told', async () => {
    suppliers(['S1', 'Müller GmbH'], ['S2', 'Café Zoé'], ['S3', 'Gone Ltd', false]);
    vendors(['v100', 'Muller GmbH']);
    await start();
    expect(vendorNames()).toEqual(['Cafe Zoe', 'Muller GmbH']);
    expect(await links()).toMatchObject([
      { supplier_code: 'S1', vendor_id: 'v100', state: 'LINKED', linked_by: 'system:masterData' },
      { supplier_code: 'S2', vendor_name: 'Cafe Zoe', supplier_name: 'Café Zoé', state: 'LINKED' },
    ]);
    expect(await told()).toEqual(['vendorLink.linked', 'vendorLink.created']);
    const writes = directory().writes.length;
    await again();
    expect(directory().writes.slice(writes)).toEqual(['push glAccount']);
    expect(await told()).toHaveLength(2);
  });

  it('whose vendor the source refuses is a conflict of its own; the others are made', async () => {
    suppliers(['S1', 'Acme'], ['S2', 'Beta'], ['S3', 'Gamma']);
    directory().onWrite = (write) => {
      if (write === 'create Beta') directory().faults.unshift(new InputError('Not this name.'));
    };
    await start();
    expect(vendorNames()).toEqual(['Acme', 'Gamma']);
    expect(await links()).toMatchObject([
      { state: 'LINKED' },
      { supplier_code: 'S2', vendor_id: null, state: 'CONFLICT', note: expect.stringContaining('could not be made') },
      { state: 'LINKED' },
    ]);
    expect(await alerts()).toMatchObject([{ code: 'VENDOR_CONFLICT' }]);
    directory().onWrite = null;
    await again();
    expect(vendorNames()).toEqual(['Acme', 'Beta', 'Gamma']);
    expect(await alerts()).toEqual([]);
  });

  it('among thousands is linked or made in bounded steps, by itself, with one event a step', async () => {
    const all = Array.from({ length: 1_300 }, (_, n) => [`S${n}`, `Supplier number ${n}`] as const);
    suppliers(...all);
    vendors(...all.slice(0, 900).map(([code, name]) => [`x${code}`, name.toUpperCase()] as const));
    company = await makeCompany(engine, { exportMasterData: true });
    await pushMasterData(engine, 'default', company.pipelineId, going);
    expect(directory().vendors.size).toBe(1_200);
    expect(engine.jobs.pending.map(({ name }) => name)).toContain('source.masterData');
    await engine.runJobs();
    expect(directory().vendors.size).toBe(1_300);
    const [row] = await engine.rows<{ count: string }>(`select count(*) from vendor_links where state = 'LINKED'`);
    expect(row?.count).toBe('1300');
    const events = await told();
    expect(new Set(events)).toEqual(new Set(['vendorLinks.changed']));
    expect(events.length).toBeLessThan(25);
  });
});

describe('a new vendor', () => {
  it('is linked to the supplier that it certainly is', async () => {
    suppliers(['S1', 'Brindlewood Timber Merchants Limited']);
    vendors(['v100', 'Brindlewood Timber Merchants Ltd.']);
    await start();
    expect(await links()).toMatchObject([{ supplier_code: 'S1', vendor_id: 'v100' }]);
    expect(vendorNames()).toEqual(['Brindlewood Timber Merchants Ltd.']);
  });

  it('that may be a supplier waits for a person with that supplier, and follows the decision at once', async () => {
    suppliers(['S1', 'Halloran Brewing'], ['S2', 'Halloran Motors']);
    vendors(['v100', 'Halloran']);
    await start();
    expect(await engine.rows('select status from vendor_matches')).toEqual([{ status: 'NEEDS_REVIEW' }]);
    expect(await links()).toEqual([]);
    await settle('Halloran', 'ASSIGN', 'S1');
    expect(await links()).toMatchObject([
      { supplier_code: 'S1', vendor_id: 'v100', linked_by: 'user:test' },
      { supplier_code: 'S2', vendor_name: 'Halloran Motors' },
    ]);
    expect(vendorNames()).toEqual(['Halloran', 'Halloran Motors']);
  });

  it('that a person said is no supplier of ours stays as it is, and the suppliers get their own', async () => {
    suppliers(['S1', 'Halloran Brewing'], ['S2', 'Halloran Motors']);
    vendors(['v100', 'Halloran']);
    await start();
    await settle('Halloran', 'REJECT');
    expect(vendorNames()).toEqual(['Halloran', 'Halloran Brewing', 'Halloran Motors']);
    expect((await links()).map(({ supplier_code }) => supplier_code)).toEqual(['S1', 'S2']);
  });

  it.each([
    ['CREATE_SUPPLIER', true],
    ['HOLD', false],
  ] as const)(
    'becomes a supplier by a person’s word only, where the policy is %s: %s',
    async (unmatchedVendor, isMade) => {
      vendors(['v100', 'Zarnwick Oxlips']);
      await start({ unmatchedVendor });
      expect(engine.ledger.knownSuppliers).toEqual([]);
      expect(await engine.rows('select status from vendor_matches')).toEqual([{ status: 'UNMATCHED' }]);
      await settle('Zarnwick Oxlips', 'CREATE');
      expect(engine.ledger.knownSuppliers.map(({ name }) => name)).toEqual(isMade ? ['Zarnwick Oxlips'] : []);
      expect(await links()).toMatchObject(
        isMade ? [{ vendor_id: 'v100', state: 'LINKED', linked_by: 'system:posting' }] : [],
      );
      expect(vendorNames()).toEqual(['Zarnwick Oxlips']);
    },
  );

  it('for which the ledger will not have a supplier is told, and other work goes on', async () => {
    vendors(['v100', 'Zarnwick Oxlips']);
    await start({ unmatchedVendor: 'CREATE_SUPPLIER' });
    engine.ledger.supplierFault = new PermissionError('May not create suppliers.');
    await settle('Zarnwick Oxlips', 'CREATE');
    expect(await engine.rows(`select summary from audit_events where action = 'supplier.refused'`)).toMatchObject([
      { summary: expect.stringContaining('May not create suppliers.') },
    ]);
    engine.ledger.supplierFault = new OutcomeUnknownError('No answer.');
    await again();
    expect(engine.ledger.knownSuppliers).toHaveLength(1);
  });
});

describe('a link', () => {
  beforeEach(async () => {
    suppliers(['S1', 'Acme'], ['S2', 'Beta']);
    vendors(['v100', 'Acme'], ['v200', 'Beta']);
    await start();
    directory().writes.length = 0;
  });

  it('follows a rename in the ledger, and back, and forth again', async () => {
    for (const name of ['Acme Größe', 'Acme', 'Acme Größe']) {
      suppliers(['S1', name], ['S2', 'Beta']);
      await again();
    }
    expect(directory().vendors.get('v100')).toBe('Acme Grosse');
    const renames = directory().writes.filter((write) => write.startsWith('rename'));
    expect(renames).toEqual(['rename v100 Acme Grosse', 'rename v100 Acme', 'rename v100 Acme Grosse']);
    // A source that remembers a key would answer the third with what it did the first time.
    expect(new Set(directory().keys).size).toBe(3);
    expect(await alerts()).toEqual([]);
  });

  it('is a conflict after a rename in the source, on both sides, a deactivation or a deletion; one alert for all', async () => {
    suppliers(['S1', 'Acme One'], ['S2', 'Beta', false]);
    vendors(['v100', 'Acme Two'], ['v200', 'Beta']);
    await again();
    expect(await links()).toMatchObject([
      { state: 'CONFLICT', vendor_id: 'v100', note: expect.stringContaining('Both sides were renamed') },
      { state: 'CONFLICT', vendor_id: 'v200', note: expect.stringContaining('inactive') },
    ]);
    expect(await alerts()).toMatchObject([
      { code: 'VENDOR_CONFLICT', message: expect.stringContaining('2 suppliers and their vendors') },
    ]);
    expect(directory().vendors.size).toBe(2);
    expect(directory().writes.filter((write) => write.startsWith('rename'))).toEqual([]);
    const before = (await told()).length;
    await again();
    expect(await told()).toHaveLength(before);
    suppliers(['S1', 'Acme Two'], ['S2', 'Beta']);
    await again();
    expect(await links()).toMatchObject([
      { state: 'LINKED', note: null, supplier_name: 'Acme Two', vendor_name: 'Acme Two' },
      { state: 'LINKED', note: null },
    ]);
    expect(await alerts()).toEqual([]);
    expect((await told()).slice(before)).toEqual(['vendorLink.agreed', 'vendorLink.agreed']);
  });

  it('to a deleted vendor is a conflict and the vendor is not made again; with the supplier gone as well it ends', async () => {
    vendors(['v200', 'Beta']);
    await again();
    expect(vendorNames()).toEqual(['Beta']);
    expect(await links()).toMatchObject([{ state: 'CONFLICT', note: expect.stringContaining('is gone') }, {}]);
    suppliers(['S2', 'Beta']);
    await again();
    expect(await links()).toMatchObject([{ supplier_code: 'S2' }]);
    expect((await told()).slice(-2)).toEqual(['vendorLink.conflict', 'vendorLink.ended']);
    expect(await alerts()).toEqual([]);
  });

  it('of a supplier that was merged into another is a question that a person can answer', async () => {
    suppliers(['S2', 'Beta']);
    await again();
    expect(await links()).toMatchObject([{ supplier_code: 'S1', state: 'CONFLICT' }, {}]);
    await settle('Acme', 'ASSIGN', 'S2');
    expect(await links()).toMatchObject([{ supplier_code: 'S2', vendor_id: 'v200', state: 'LINKED' }]);
    expect(await alerts()).toEqual([]);
    expect(vendorNames()).toEqual(['Acme', 'Beta']);
  });

  it('whose rename the source refuses stays as it was agreed, and is renamed once it can be', async () => {
    suppliers(['S1', 'Acme New'], ['S2', 'Beta']);
    directory().onWrite = (write) => {
      if (write.startsWith('rename')) directory().faults.unshift(new InputError('Not this name.'));
    };
    await again();
    expect(await links()).toMatchObject([{ state: 'CONFLICT', supplier_name: 'Acme', vendor_name: 'Acme' }, {}]);
    directory().onWrite = null;
    await again();
    expect(await links()).toMatchObject([{ state: 'LINKED', supplier_name: 'Acme New', vendor_name: 'Acme New' }, {}]);
  });
});

describe('whatever goes wrong', () => {
  it('with the fields, the vendors are kept in step all the same', async () => {
    suppliers(['S1', 'Acme']);
    company = await makeCompany(engine, { exportMasterData: true });
    directory().faults.push(new ConfigurationError('Say which field.'));
    await pushMasterData(engine, 'default', company.pipelineId, going);
    expect(await links()).toMatchObject([{ supplier_code: 'S1', state: 'LINKED' }]);
    expect(await alerts()).toMatchObject([{ message: expect.stringContaining('Say which field.') }]);
  });

  it('with what a login may see, an empty list is no reason to doubt all links', async () => {
    suppliers(...many);
    await start();
    suppliers();
    done(await refreshMasterData(engine, company.caller, company.ledgerId));
    await engine.runJobs({ until: engine.clock.now() });
    expect(await alerts()).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('The ledger shows no supplier at all') }),
    );
    suppliers(...many);
    await again();
    expect(await alerts()).toEqual([]);
    const kept = [...directory().vendors];
    directory().vendors.clear();
    engine.clock.advance(86_400_000);
    await healMasterData(engine);
    await engine.runJobs({ until: engine.clock.now() });
    expect(await alerts()).toMatchObject([{ message: expect.stringContaining('shows no vendor at all') }]);
    vendors(...kept);
    await again();
    expect((await links()).every(({ state }) => state === 'LINKED')).toBe(true);
    expect(await engine.rows(`select from audit_events where action = 'vendorLink.conflict'`)).toEqual([]);
  });

  const many = Array.from({ length: 60 }, (_, n) => [`S${n}`, `Supplier number ${n}`] as const);

  it.each(['LOST_BEFORE', 'LOST_AFTER'] as const)(
    'a lost answer (%s) at any call makes no vendor twice',
    async (fault) => {
      const few = many.slice(0, 4);
      suppliers(...few);
      company = await makeCompany(engine, { exportMasterData: true });
      // The first write is the push of the accounts.
      for (let call = 0; call < 6; call += 1) directory().faults.push(fault);
      await engine.runJobs();
      await pushMasterData(engine, 'default', company.pipelineId, going);
      await engine.runJobs();
      expect(vendorNames()).toEqual(few.map(([, name]) => name));
      expect((await links()).map(({ state }) => state)).toEqual(few.map(() => 'LINKED'));
      expect(await alerts()).toEqual([]);
    },
  );

  it('a process that dies between two calls is followed by another one that adopts what was made', async () => {
    suppliers(...many);
    company = await makeCompany(engine, { exportMasterData: true });
    const other = await engine.another();
    const [reached, never] = [new Gate(), new Gate()];
    directory().onWrite = async (write) => {
      if (write !== 'create Supplier number 33') return;
      directory().onWrite = null;
      reached.open();
      await never.opened;
    };
    const first = pushMasterData(other, 'default', company.pipelineId, going);
    await reached.opened;
    await other.die();
    await pushMasterData(engine, 'default', company.pipelineId, going);
    never.open();
    await expect(first).rejects.toThrow();
    await engine.runJobs();
    expect(directory().vendors.size).toBe(60);
    expect((await links()).filter(({ state }) => state === 'LINKED')).toHaveLength(60);
  });

  it('two processes at once end with one vendor a supplier', async () => {
    suppliers(...many.slice(0, 20));
    company = await makeCompany(engine, { exportMasterData: true });
    const other = await engine.another();
    const push = (process: TestEngine) => pushMasterData(process, 'default', company.pipelineId, going);
    await Promise.all([push(engine), push(other)]);
    await engine.runJobs();
    await Promise.all([push(engine), push(other)]);
    await engine.runJobs();
    expect(directory().vendors.size).toBe(20);
    expect(directory().writes.filter((write) => write.startsWith('create'))).toHaveLength(20);
    expect(await links()).toHaveLength(20);
  });

  it('a process that is asked to stop leaves the rest to the next', async () => {
    suppliers(...many);
    company = await makeCompany(engine, { exportMasterData: true });
    const isStopping = () => directory().writes.length >= 10;
    await pushMasterData(engine, 'default', company.pipelineId, { isStopping });
    expect(directory().vendors.size).toBeLessThan(60);
    await engine.runJobs();
    expect(directory().vendors.size).toBe(60);
  });
});
