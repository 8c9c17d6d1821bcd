// The ledger's accounts and dimensions on their way to the source. What would surprise: a push that nothing called for, a
// change that is never pushed, an account taken from the people who code because a ledger answered with an empty list, two
// processes that fill one source, a failure that nobody hears of.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  CredentialsError,
  InvariantError,
  PermissionError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { readMasterData, refreshMasterData } from '../../../src/services/masterData.js';
import { healMasterData, pushMasterData } from '../../../src/services/masterDataExport.js';
import { createPipeline, updatePipeline } from '../../../src/services/pipelines.js';
import { connectSystem, updateCredentials, updateSystem } from '../../../src/services/systems.js';
import type { PipelineRequest } from '../../../src/services/useCases.js';
import { type Company, done, Gate, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  engine.ledger.knownSuppliers = [];
});
afterEach(() => engine.close());

const HOUR = 3_600_000;
const going = { isStopping: () => false };
const directory = () => engine.source.directory;
const push = (process = engine) => pushMasterData(process, 'default', company.pipelineId, going);
const state = async () => {
  const [row] = await engine.rows<{
    pushed_version: string | null;
    pushed_at: Date | null;
    pushed_fields: Record<string, unknown>;
    due_at: Date | null;
    failures: number;
    last_error: string | null;
    lease_owner: string | null;
  }>('select * from master_data_exports');
  return row;
};
const alerts = () =>
  engine.rows<{ code: string; message: string }>('select code, message from alerts where resolved_at is null');
const events = (action: string) =>
  engine.rows<{ summary: string; after: unknown }>(
    'select summary, after from audit_events where action = $1 order by sequence',
    [action],
  );

/** A company whose first push is done. */
async function pushing(over: Partial<PipelineRequest> = {}): Promise<void> {
  company = await makeCompany(engine, { exportMasterData: true, ...over });
  await push();
  await engine.runJobs();
  directory().writes.length = 0;
}

/** The ledger changed, and somebody read it. */
async function reread(): Promise<void> {
  done(await refreshMasterData(engine, company.caller, company.ledgerId));
}

describe('a pipeline that exports master data', () => {
  it('pushes from the moment it is made, also what was never read', async () => {
    engine.ledger.accounts = engine.ledger.accounts.map((account) =>
      account.code === '2110' ? { ...account, blockedReason: 'A control account.' } : account,
    );
    company = await makeCompany(engine, { exportMasterData: true });
    expect(engine.jobs.sent.filter(({ name }) => name === 'source.masterData')).toHaveLength(1);
    await push();
    expect(directory().offered('glAccount').sort()).toEqual(['1575', '6100', '6200', '9999']);
    expect(directory().writes).toEqual(['push glAccount']);
    expect(await state()).toMatchObject({
      ...{ failures: 0, last_error: null, due_at: null, lease_owner: null, pushed_at: engine.clock.now() },
      pushed_fields: { glAccount: { created: 4, renamed: 0, retired: 0, unchanged: 0 } },
    });
    expect(await events('masterData.pushed')).toMatchObject([
      { summary: expect.stringContaining('4 created, 0 renamed, 0 retired, 0 unchanged') },
    ]);
  });

  it('brings cost centres and dimensions to fields of their own, and empties one that the ledger has no more', async () => {
    engine.ledger.costCentreDimension = 'CC';
    const value = (dimension: string, code: string, active = true) => ({ dimension, code, name: `N ${code}`, active });
    engine.ledger.dimensionValues = [value('CC', 'C1'), value('CC', 'C2', false), value('PROJ', 'P1')];
    await pushing();
    expect(directory().offered('costCentre')).toEqual(['C1']);
    expect(directory().offered('dimension:PROJ')).toEqual(['P1']);
    engine.ledger.dimensionValues = [value('CC', 'C1'), value('CC', 'C2')];
    await reread();
    await engine.runJobs();
    expect(directory().offered('costCentre')).toEqual(['C1', 'C2']);
    expect(directory().offered('dimension:PROJ')).toEqual([]);
    expect((await state())?.pushed_fields).toMatchObject({
      ...{ costCentre: { created: 1 }, 'dimension:PROJ': { retired: 1 } },
    });
  });

  it('pushes what changed in the ledger with the read that found it, and nothing when nothing changed', async () => {
    await pushing();
    await reread();
    expect(engine.jobs.pending).toEqual([]);
    await push();
    expect(directory().writes).toEqual([]);
    engine.ledger.accounts = engine.ledger.accounts.map((one) => ({ ...one, name: `New ${one.name}` }));
    await reread();
    expect(engine.jobs.pending.map(({ name }) => name)).toEqual(['source.masterData']);
    await engine.runJobs();
    expect(directory().writes).toEqual(['push glAccount']);
    expect((await state())?.pushed_fields).toMatchObject({ glAccount: { renamed: 5 } });
  });

  it('pushes when it is switched on, and when the settings of its source changed', async () => {
    company = await makeCompany(engine);
    await readMasterData(engine, company.caller, company.ledgerId);
    expect(engine.jobs.pending).toEqual([]);
    done(await updatePipeline(engine, company.caller, company.pipelineId, { exportMasterData: true }));
    await engine.runJobs();
    expect(directory().writes).toEqual(['push glAccount']);
    done(await updatePipeline(engine, company.caller, company.pipelineId, { name: 'Another name' }));
    await engine.runJobs();
    expect(directory().writes).toHaveLength(1);
    const settings = { webhookSecret: 'other' };
    done(await updateSystem(engine, company.caller, company.sourceId, { settings, baseUrl: 'http://other.test' }));
    await engine.runJobs();
    expect(directory().writes).toHaveLength(2);
  });

  it('is looked through once a day, whatever changed; any number of processes may ask for it', async () => {
    await pushing();
    const other = await engine.another();
    directory().fields.get('glAccount')?.clear();
    engine.clock.advance(22 * HOUR);
    await healMasterData(engine);
    expect(engine.jobs.pending).toEqual([]);
    engine.clock.advance(2 * HOUR);
    await Promise.all([healMasterData(engine), healMasterData(other)]);
    await engine.runJobs();
    await healMasterData(other);
    await engine.runJobs();
    expect(directory().writes).toEqual(['push glAccount']);
    expect(directory().offered('glAccount')).toHaveLength(5);
  });

  it('takes nothing from anybody when the ledger shows no account', async () => {
    await pushing();
    engine.ledger.accounts = [];
    await reread();
    await engine.runJobs({ until: engine.clock.now() });
    expect(directory().offered('glAccount')).toHaveLength(5);
    const raised = await alerts();
    expect(raised.map(({ code }) => code).sort()).toEqual(['MASTER_DATA_EXPORT', 'MASTER_DATA_SHRUNK']);
    const push = raised.find(({ code }) => code === 'MASTER_DATA_EXPORT');
    expect(push?.message).toContain('no account that may be posted to');
  });

  it('is refused where another ledger fills the same source', async () => {
    await pushing();
    const { id: ledgerId } = done(
      await connectSystem(engine, company.caller, { kind: 'SYSPRO', name: 'Others', credentials: { token: 't' } }),
    );
    const [row] = await engine.rows<{ streams: PipelineRequest['streams'] }>('select streams from pipelines');
    const second: PipelineRequest = {
      ...{ name: 'Second', sourceId: company.sourceId, ledgerId, streams: row?.streams ?? [], documentType: 'JOURNAL' },
      ...{ grouping: 'PER_RECORD', schedule: null, timeZone: 'UTC', offsetAccount: '2110', defaultAccount: null },
      ...{ unmatchedVendor: 'HOLD', postingDate: 'TRANSACTION_DATE', closedPeriod: 'HOLD', coding: 'RICHEST' },
      ...{ correction: 'HOLD', requireApproval: false, exportMasterData: true, enabled: true },
    };
    expect(await createPipeline(engine, company.caller, second)).toMatchObject({
      ...{ ok: false, problems: [{ code: 'NOT_SUPPORTED', path: ['input', 'exportMasterData'] }] },
    });
    done(await createPipeline(engine, company.caller, { ...second, exportMasterData: false }));
  });
});

describe('a push that fails', () => {
  it.each(['LOST_BEFORE', 'LOST_AFTER'] as const)(
    'by a lost answer (%s) is repeated, and nobody is alarmed',
    async (fault) => {
      company = await makeCompany(engine, { exportMasterData: true });
      directory().faults.push(fault, fault);
      await push();
      expect(await state()).toMatchObject({
        failures: 1,
        pushed_version: null,
        last_error: expect.stringContaining('ended'),
      });
      await engine.runJobs();
      expect(directory().writes).toHaveLength(3);
      expect(directory().offered('glAccount')).toHaveLength(5);
      expect(await state()).toMatchObject({ failures: 0, last_error: null, due_at: null });
      expect(await engine.rows('select from alerts')).toEqual([]);
    },
  );

  it.each([
    ['the source is busy', new RateLimitedError('Slow down.', 5_000), 3],
    ['the source is away', new UpstreamUnavailableError('Away.'), 3],
    ['a right is missing', new PermissionError('Not allowed.'), 1],
    ['a setting is missing', new ConfigurationError('Say which.'), 1],
  ])('because %s raises one alert when it is time, settled by the next success', async (_what, error, times) => {
    company = await makeCompany(engine, { exportMasterData: true });
    for (let time = 1; time <= times + 1; time += 1) {
      directory().faults.push(error);
      await push();
      const raised = (await alerts()).filter(({ code }) => code === 'MASTER_DATA_EXPORT');
      expect(raised).toHaveLength(time >= times ? 1 : 0);
    }
    await engine.runJobs();
    expect(await alerts()).toEqual([]);
    expect(directory().offered('glAccount')).toHaveLength(5);
  });

  it('because the credential was refused waits for a person, and goes on by itself after that', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    directory().faults.push(new CredentialsError('The token was revoked.'));
    await push();
    expect(await alerts()).toMatchObject([{ code: 'NEEDS_REAUTHORISATION' }]);
    engine.jobs.pending.length = 0;
    engine.clock.advance(48 * HOUR);
    await healMasterData(engine);
    expect(engine.jobs.pending).toEqual([]);
    done(await updateCredentials(engine, company.caller, company.sourceId, { token: 'new' }));
    await engine.runJobs();
    expect(directory().offered('glAccount')).toHaveLength(5);
  });

  it('at the ledger is the ledger’s trouble', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    engine.ledger.outage = new UpstreamUnavailableError('The ledger is down.');
    await push();
    expect(await engine.rows(`select id from systems where status = 'UNREACHABLE'`)).toEqual([
      { id: company.ledgerId },
    ]);
    engine.ledger.outage = null;
    await engine.runJobs();
    expect(directory().offered('glAccount')).toHaveLength(5);
  });

  it('for a reason that is a bug is left to the job, with nothing in hand', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    directory().faults.push(new InvariantError('Cannot be.'));
    await expect(push()).rejects.toBeInstanceOf(InvariantError);
    expect(await state()).toMatchObject({ lease_owner: null, failures: 0 });
    await push();
    expect(directory().offered('glAccount')).toHaveLength(5);
  });

  it('is told no more once the pipeline stops exporting', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    directory().faults.push(new PermissionError('Not allowed.'));
    await push();
    expect(await alerts()).toHaveLength(1);
    done(await updatePipeline(engine, company.caller, company.pipelineId, { exportMasterData: false }));
    expect(await alerts()).toEqual([]);
    await engine.runJobs();
    expect(directory().offered('glAccount')).toEqual([]);
  });
});

describe('two processes', () => {
  it('never fill one source at once: the second comes back later and finds nothing to do', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    const other = await engine.another();
    const [arrived, mayGoOn] = [new Gate(), new Gate()];
    directory().onWrite = async () => {
      arrived.open();
      await mayGoOn.opened;
    };
    const first = push();
    await arrived.opened;
    await push(other);
    expect(directory().writes).toEqual(['push glAccount']);
    mayGoOn.open();
    await first;
    await engine.runJobs();
    expect(directory().writes).toEqual(['push glAccount']);
  });

  it('one of which died in the middle: the other goes on at once, and what the first still says counts for nothing', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    const other = await engine.another();
    const [arrived, mayGoOn] = [new Gate(), new Gate()];
    directory().onWrite = async () => {
      directory().onWrite = null;
      arrived.open();
      await mayGoOn.opened;
    };
    const first = push(other);
    await arrived.opened;
    await other.die();
    await push();
    expect(await state()).toMatchObject({ failures: 0, due_at: null });
    mayGoOn.open();
    await expect(first).rejects.toThrow();
    expect(await state()).toMatchObject({ failures: 0, due_at: null, lease_owner: null });
    expect(directory().offered('glAccount')).toHaveLength(5);
  });

  it('what changes while a push is under way is pushed after it', async () => {
    company = await makeCompany(engine, { exportMasterData: true });
    directory().onWrite = async () => {
      directory().onWrite = null;
      engine.ledger.accounts = engine.ledger.accounts.slice(0, 2);
      await reread();
    };
    await push();
    expect(directory().offered('glAccount')).toHaveLength(5);
    await engine.runJobs();
    expect(directory().offered('glAccount')).toHaveLength(2);
  });
});
