// Any of the simulated systems from one scenario. What would surprise: a ledger that lacks the accounts of the spend beside
// it, a switch that reaches another system, a system left running when another one did not start.
import { afterEach, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { companySeedSchema } from '../../../src/sandbox/kit/index.js';
import { loadScenario, type RunningSandboxes, SANDBOX_NAMES, startSandboxes } from '../../../src/sandbox/start.js';

const MONTH = { kind: 'month', seed: 3, month: '2026-10', purchases: 200, reports: 60 } as const;

let running: RunningSandboxes | null = null;

afterEach(async () => {
  await running?.close();
  running = null;
});

async function answers(url: string): Promise<number> {
  const response = await fetch(`${url}/_sandbox/summary`);
  await response.body?.cancel();
  return response.status;
}

describe('the simulated systems', () => {
  it('start all six from one scenario, each on a port of its own', async () => {
    running = await startSandboxes({ which: [...SANDBOX_NAMES], scenario: MONTH });
    const urls: string[] = [];
    for (const name of SANDBOX_NAMES) {
      const url = running[name]?.access.url ?? '';
      expect(await answers(url), name).toBe(200);
      urls.push(url);
    }
    expect(new Set(urls).size).toBe(SANDBOX_NAMES.length);
  });

  it('start as asked: the others are null, and a switch reaches only its own system', async () => {
    running = await startSandboxes({
      which: ['sage-x3', 'infor-m3'],
      scenario: MONTH,
      settings: { 'sage-x3': { endpoint: 'FOLDER2' }, 'infor-m3': { validationMs: 7 } },
    });
    expect(SANDBOX_NAMES.filter((name) => running?.[name] !== null)).toEqual(['sage-x3', 'infor-m3']);
    expect(running['sage-x3']?.access.folder).toBe('FOLDER2');
    expect(running['infor-m3']?.sandbox.settings().validationMs).toBe(7);
    // What the month needs of a ledger's second dimension stays where a switch of another kind is given.
    expect(running['sage-x3']?.access.setup.dimensionTypes).toEqual(['CCT', 'PJT']);
  });

  it('leave nothing running when one of them does not start', async () => {
    const port = await freePort();
    const bad = { 'sage-x3': { bogus: 1 } } as object;
    await expect(
      startSandboxes({ which: ['brex', 'sage-x3'], scenario: MONTH, ports: { brex: port }, settings: bad }),
    ).rejects.toThrow(InputError);
    await expect(fetch(`http://127.0.0.1:${port}/_sandbox/summary`)).rejects.toThrow();
  });

  it('are refused where the scenario holds nothing for them', async () => {
    const scenario = { kind: 'cardSpend', file: '/nowhere.csv' } as const;
    await expect(startSandboxes({ which: [], scenario: MONTH })).rejects.toThrow('No sandbox was asked for');
    await expect(startSandboxes({ which: ['expensify'], scenario })).rejects.toThrow('nothing for Expensify');
  });
});

describe("a month's company", () => {
  it('has every account and cost centre that the purchases are coded with, and no code that a ledger cannot hold', async () => {
    const { brex, company, syspro } = await loadScenario(MONTH);
    const seed = companySeedSchema.parse(company);
    const accounts = new Set(seed.accounts.map(({ code }) => code));
    const centres = new Set(seed.costCentres.map(({ code }) => code));
    for (const { coding } of brex.purchases.flatMap(({ lines }) => lines)) {
      if (coding.gl_account) expect(accounts).toContain(coding.gl_account);
      if (coding.cost_center) expect(centres).toContain(coding.cost_center);
    }
    const codes = seed.suppliers.map(({ code }) => code);
    expect(codes).toHaveLength(syspro.suppliers?.length ?? 0);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => code.length > 8)).toEqual([]);
    expect(seed.accounts.filter(({ active }) => !active).map(({ code }) => code)).toContain('6120');
    expect(seed.periods.filter(({ open }) => open).map(({ startsOn }) => startsOn)).toEqual([
      '2026-10-01',
      '2026-11-01',
    ]);
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
