// A surprise here means that a seed with a mistake in it starts a company that behaves oddly instead of naming the field.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSysproSeed, parseSysproSeed } from '../../../src/sandbox/syspro/index.js';
import { smallSeed } from './sysproSupport.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syspro-seed-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('a seed', () => {
  it('is the same from a file as from code', async () => {
    const file = join(folder, 'seed.json');
    await writeFile(file, JSON.stringify(smallSeed()));
    expect(await loadSysproSeed(file)).toEqual(parseSysproSeed(smallSeed()));
  });

  it('that is no JSON is refused', async () => {
    const file = join(folder, 'seed.json');
    await writeFile(file, '{');
    await expect(loadSysproSeed(file)).rejects.toThrow('not JSON');
  });

  it.each([
    ['accounts.0.type', { accounts: [{ code: '1', description: 'x', type: 'X' }] }],
    ['companyDate', { companyDate: '2026-02-30' }],
    ['currentPeriod', { currentPeriod: 14 }],
    ['operators', { operators: [] }],
    ['accuonts', { accuonts: [] }],
  ])('with an unusable %s names it', (field, change) => {
    expect(() => parseSysproSeed({ ...smallSeed(), ...change })).toThrow(field);
  });
});
