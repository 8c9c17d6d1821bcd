// The demo as a newcomer starts it, in processes of its own. What would surprise: a figure that does not add up and exit
// code 0 all the same, a gateway or a database that outlives the demo.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStandalone } from '../support/standalone.js';

const project = resolve(import.meta.dirname, '../..');
const TIME = 420_000;

let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-try-'));
  await buildStandalone(folder, []);
  cpSync(join(project, 'bin'), join(folder, 'bin'), { recursive: true });
  cpSync(join(project, 'src/http/console'), join(folder, 'dist/http/console'), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'tmp'), { mode: 0o711 });
}, TIME);

afterAll(() => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(folder, 'dist/demo/index.js'), '--port', '0', ...args], {
    // A folder for temporary files of its own, to see what is left behind.
    env: { PATH: '/usr/bin:/bin', TMPDIR: join(folder, 'tmp'), DATABASE_URL: 'postgresql://not:used@127.0.0.1:1/x' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  const seen = async (text: string) => {
    while (!output.includes(text)) await once(child.stdout, 'data');
  };
  return { child, seen, output: () => output, ended: once(child, 'exit') as Promise<[number | null, string | null]> };
}

/** Processes that work on this test's demo, by their command line or their folder. */
function leftOver(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(folder) ? [command] : [];
      } catch {
        return [];
      }
    });
}

describe('npm run demo', { timeout: TIME }, () => {
  it('moves a month, finds every difference 0.00, exits 0 and leaves nothing behind', async () => {
    const demo = start('--once', '--purchases', '200');
    const [code] = await demo.ended;
    const text = demo.output();
    expect(text).toContain('All is well');
    expect(code).toBe(0);
    const posted = Number(/posted\s+(\d+) documents are in the ledger/.exec(text)?.[1]);
    expect(posted).toBeGreaterThan(50);
    expect(text).toContain(`SYSPRO: ${posted} journals, ${posted} posted, 0 out of balance, 0 references twice.`);
    expect(text).toMatch(/1 reversed, 1 purchases replaced/);
    for (const code of ['VENDOR_UNMATCHED', 'PERIOD_CLOSED', 'MAPPING_MISSING', 'CURRENCY_UNSUPPORTED']) {
      expect(text).toContain(code);
    }
    expect(text).toMatch(/Audit trail: whole, \d+ events verified/);
    for (const line of text.split('\n').filter((one) => /^ {2}[A-Z]{3} +\d+ /.test(one)))
      expect(line).toMatch(/ 0\.00$/);
    expect(leftOver()).toEqual([]);
    expect(readdirSync(join(folder, 'tmp')).filter((name) => name.startsWith('ledgergate-demo-'))).toEqual([]);
  });

  // Each flow with what only it shows; that every promise holds is the exit code.
  it.each([
    [
      'expensify-syspro',
      'SYSPRO: ',
      [/are a supplementary posting/, /21 of 60 with the label LEDGERGATE, and no other/],
    ],
    [
      'brex-sage-x3',
      'Sage X3: ',
      [/dimension type CCT : at least one dimension required/, /mapping version 2, [1-9]\d* replayed/],
    ],
    ['brex-infor-m3', 'Infor M3: ', [/is POSTED, 1 document in Infor M3/]],
    ['brex-epicor-kinetic', 'Epicor Kinetic: ', [/is the new vendor/, /AWAITING_APPROVAL/]],
  ] as const)('moves %s and keeps every promise', async (flow, ledger, shown) => {
    const demo = start('--once', '--flow', flow, '--purchases', '200');
    const [code] = await demo.ended;
    const text = demo.output();
    expect(text).toContain('All is well');
    expect(code).toBe(0);
    const posted = Number(/posted\s+(\d+) documents are in the ledger/.exec(text)?.[1]);
    expect(text).toMatch(
      new RegExp(`${ledger}${posted} (journals|invoices), ${posted} posted, 0 out of balance, 0 references twice`),
    );
    expect(text).toMatch(/Audit trail: whole, \d+ events verified/);
    for (const one of shown) expect(text).toMatch(one);
    for (const line of text.split('\n').filter((one) => /^ {2}[A-Z]{3} +\d+ /.test(one)))
      expect(line).toMatch(/ 0\.00$/);
    expect(leftOver()).toEqual([]);
  });

  it('takes its children along when it is asked to stop half way', async () => {
    const demo = start('--once', '--purchases', '200');
    await demo.seen('✓ Connect SYSPRO');
    demo.child.kill('SIGTERM');
    const [code] = await demo.ended;
    expect(code).toBe(130);
    expect(leftOver()).toEqual([]);
    expect(readdirSync(join(folder, 'tmp')).filter((name) => name.startsWith('ledgergate-demo-'))).toEqual([]);
  });

  it('is outlived by none of its children even when it is killed; the next demo clears its folder', async () => {
    const demo = start('--once', '--purchases', '200');
    await demo.seen('✓ Connect SYSPRO');
    demo.child.kill('SIGKILL');
    await demo.ended;
    await expect.poll(leftOver, { timeout: 60_000, interval: 250 }).toEqual([]);
    const next = start('--once', '--purchases', '199');
    await next.ended;
    expect(existsSync(join(folder, 'tmp'))).toBe(true);
    expect(readdirSync(join(folder, 'tmp')).filter((name) => name.startsWith('ledgergate-demo-'))).toEqual([]);
  });

  it('refuses what it does not know: exit code 2', async () => {
    for (const args of [
      ['--nonsense'],
      ['--suppliers', 'x.csv'],
      ['--purchases', 'many'],
      ['--flow', 'brex-oracle'],
      ['--flow', 'all', '--data', 'x.csv'],
    ]) {
      const [code] = await start(...args).ended;
      expect(code).toBe(2);
    }
  });
});
