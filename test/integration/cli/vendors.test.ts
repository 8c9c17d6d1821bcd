// Decisions about merchants from the command line. What would surprise: a file carried out by half, a dry run that changes
// something, a question put to a script, an answer about another merchant than the one that was asked about.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ground } from '../../../src/app.js';
import type { Io } from '../../../src/cli/output.js';
import { runProgram } from '../../../src/cli/program.js';
import { newMasterKey } from '../../../src/secrets.js';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { cli, connectLedger, openWithKeyFile } from './cliGround.js';

let database: FreshDatabase;
let folder: string;
let opened: Awaited<ReturnType<typeof openWithKeyFile>>;
let ledgerId: string;

beforeEach(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-vendors-'));
  opened = await openWithKeyFile(database.connectionString);
  ledgerId = await connectLedger(opened.ground, 'Books');
  await fill(opened.ground);
  vi.stubEnv('DATABASE_URL', database.connectionString);
  vi.stubEnv('LEDGERGATE_MASTER_KEY', newMasterKey().reveal());
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

async function fill(ground: Ground): Promise<void> {
  await ground.db.tenant('default', async (tx) => {
    await tx.execute(
      `insert into suppliers (tenant_id, system_id, code, name, active) values
         ('default', $1, 'S1', 'Harbour Cranes', true), ('default', $1, 'S2', 'Old Textiles', false),
         ('default', $1, 'S3', 'Quillfeather', true)`,
      [ledgerId],
    );
    const candidates = JSON.stringify([
      { supplierCode: 'S1', supplierName: 'Harbour Cranes', active: true, score: 0.7, evidence: {} },
    ]);
    for (const key of ['harbour', 'quill'])
      await tx.execute(
        `insert into vendor_matches (tenant_id, id, ledger_id, merchant_key, merchant_name, status, score, method, evidence,
           candidates, explanation, created_at, updated_at)
         values ('default', $1, $2, $3, $4, 'NEEDS_REVIEW', 0.7, 'FUZZY', '{}', $5, 'It may be.', now(), now())`,
        [`vm_${key}`, ledgerId, key, key.toUpperCase(), candidates],
      );
  });
}

const matches = async () =>
  opened.ground.db.tenant('default', (tx) =>
    tx.query<{ id: string; status: string; supplier_code: string | null; rejected_codes: string[] }>(
      'select id, status, supplier_code, rejected_codes, create_as from vendor_matches order by id',
    ),
  );
function file(...lines: string[]): string {
  const path = join(folder, 'decisions.csv');
  writeFileSync(path, ['merchant,decision,supplier_code', ...lines].join('\n'));
  return path;
}

/** At a terminal whose person gives these answers, one after the other, and then leaves. */
async function answering(answers: readonly string[], ...args: string[]): Promise<{ code: number; out: string }> {
  const left = [...answers];
  let out = '';
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: () => undefined,
    outSlowly: async (text) => {
      out += text;
    },
    askLine: async () => left.shift() ?? null,
  };
  return { code: await runProgram(args, io), out };
}

describe('vendors import', () => {
  it('carries out decisions by the name of the merchant, and a repeat does no harm', async () => {
    const path = file('Harbour,CONFIRM,', 'Quill 0042,,S3');
    for (const _ of ['once', 'again'])
      expect(await cli('vendors', 'import', path)).toMatchObject({ code: 0, out: '2 decided, 0 postings released.\n' });
    expect(await matches()).toMatchObject([
      { id: 'vm_harbour', status: 'CONFIRMED', supplier_code: 'S1' },
      { id: 'vm_quill', status: 'CONFIRMED', supplier_code: 'S3' },
    ]);
  });

  it('only looks when it is a dry run', async () => {
    const { code, out } = await cli('vendors', 'import', file('HARBOUR,REJECT,'), '--dry-run');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') });
    expect(await matches()).toMatchObject([{ status: 'NEEDS_REVIEW' }, { status: 'NEEDS_REVIEW' }]);
  });

  it.each([
    ['an unknown merchant', 'NOBODY,REJECT,', 'no purchase of this merchant'],
    ['an unknown supplier', 'QUILL,ASSIGN,S9', 'has no supplier S9'],
    ['an inactive supplier', 'QUILL,ASSIGN,S2', 'S2 is inactive'],
    ['a merchant twice', 'HARBOUR 7,REJECT,', 'about the same merchant'],
  ])('does nothing at all when one line has %s', async (_, line, problem) => {
    const { code, out } = await cli('vendors', 'import', file('HARBOUR,CONFIRM,', line));
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(problem) });
    expect(await matches()).toMatchObject([{ status: 'NEEDS_REVIEW' }, { status: 'NEEDS_REVIEW' }]);
  });

  it('names line and column of what it cannot read', async () => {
    const { code, err } = await cli('vendors', 'import', file('HARBOUR,PERHAPS,'));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringMatching(/line 2, column decision: “PERHAPS”/) });
  });
});

describe('vendors review', () => {
  it('asks about one merchant at a time and carries out what is answered', async () => {
    const { code, out } = await answering(['what?', '1', 'r'], 'vendors', 'review');
    expect(code).toBe(0);
    expect(out).toContain('That is none of the answers.');
    expect(out).toContain('2 decided, 0 postings released, 0 left.');
    expect(await matches()).toMatchObject([
      { id: 'vm_harbour', status: 'CONFIRMED', supplier_code: 'S1' },
      { id: 'vm_quill', status: 'REJECTED', rejected_codes: ['S1'] },
    ]);
  });

  it('asks again when the ledger cannot take the answer, leaves what is put off, and stops when asked to', async () => {
    const { out } = await answering(['=S2', 's', 'q'], 'vendors', 'review');
    expect(out).toContain('S2 is inactive');
    expect(out).toContain('0 decided, 0 postings released, 2 left.');
  });

  it('makes a supplier of the given name', async () => {
    await answering(['c Harbour Cranes of York', 'q'], 'vendors', 'review');
    expect((await matches())[0]).toMatchObject({ status: 'UNMATCHED', create_as: 'Harbour Cranes of York' });
  });

  it('keeps no script waiting', async () => {
    expect(await cli('vendors', 'review')).toMatchObject({ code: 2, err: expect.stringContaining('--json') });
    const { code, out } = await cli('vendors', 'review', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).waiting).toHaveLength(2);
  });
});

describe('vendors thresholds', () => {
  it('shows what they would do, and saves them only when told to', async () => {
    const shown = await cli('vendors', 'thresholds', '--ledger', 'Books', '--auto-score', '0.9');
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('not saved') });
    await cli('vendors', 'thresholds', '--auto-score', '0.9', '--save');
    const after = await cli('vendors', 'thresholds', '--json');
    expect(JSON.parse(after.out)).toMatchObject({ saved: false, thresholds: { autoScore: 0.9, autoMargin: 0.03 } });
  });
});
