// On a machine whose own node is old, `ledgergate` has to find the one that was installed along, or say what to do.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODE_OLDEST, nodeVersionProblem } from '../../../src/platform/nodeVersion.js';
import { buildStandalone } from '../../support/standalone.js';

const project = resolve(import.meta.dirname, '../../..');

describe('the oldest node', () => {
  it.each(['22.19.0', '22.20.1', '24.21.0', '26.0.0'])('%s is new enough', (version) => {
    expect(nodeVersionProblem(version)).toBeNull();
  });

  it.each(['22.18.9', '22.9.0', '20.20.2', '18.0.0'])('%s is told what to do, in one line', (version) => {
    expect(nodeVersionProblem(version)).toMatch(/^node ≥ 22\.19 needed.*npm run.*--omit=optional$/);
  });

  it('is the one that package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    expect(engines.node).toBe(`>=${NODE_OLDEST}`);
  });
});

describe.skipIf(process.platform === 'win32')('the command line', () => {
  let base: string;
  let dist: string;

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), 'ledgergate-bin-'));
    dist = await buildStandalone(join(base, 'built'), []);
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  /** An installation whose command only tells what it was given. */
  function install(name: string, ownNode?: string): string {
    const folder = join(base, name);
    mkdirSync(join(folder, 'dist', 'cli'), { recursive: true });
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    cpSync(join(project, 'bin'), join(folder, 'bin'), { recursive: true });
    cpSync(join(dist, 'platform', 'nodeVersion.js'), join(folder, 'dist', 'platform', 'nodeVersion.js'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'dist', 'cli', 'index.js'),
      `export async function run(args) {
        const told = args[0] !== 'wait' ? undefined : new Promise((resolve) => {
          const timer = setInterval(() => {}, 1000);
          process.once('SIGTERM', () => { clearInterval(timer); resolve(); });
        });
        console.log(JSON.stringify({ args, node: process.versions.node }));
        await told;
        return 3;
      }`,
    );
    if (ownNode) symlinkSync(ownNode, join(folder, 'node_modules', '.bin', 'node'));
    return join(folder, 'bin', 'ledgergate.mjs');
  }

  /** A script that is this node, passing itself off as an old one. */
  function oldNode(): string {
    const file = join(base, 'old-node.sh');
    const pretend = join(base, 'pretend.mjs');
    writeFileSync(
      pretend,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
    );
    writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" --import "${pretend}" "$@"\n`, { mode: 0o755 });
    return file;
  }

  function start(node: string, args: string[]) {
    // NODE_OPTIONS of the test runner would reach the program under test.
    const child = spawn(node, args, { env: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const closed = once(child, 'close').then(([code]) => ({ code, output }));
    return { child, closed };
  }

  it('runs under a new node, with its arguments and its exit code', async () => {
    const { code, output } = await start(process.execPath, [install('new'), 'keys', 'create', '--json']).closed;
    expect(code).toBe(3);
    expect(JSON.parse(output)).toEqual({ args: ['keys', 'create', '--json'], node: process.versions.node });
  });

  it('called with an old node, starts itself again under the one installed along', async () => {
    const { code, output } = await start(oldNode(), [install('again', process.execPath), 'systems']).closed;
    expect(code).toBe(3);
    expect(JSON.parse(output)).toEqual({ args: ['systems'], node: process.versions.node });
  });

  it('passes SIGTERM on to the node that it started', async () => {
    const { child, closed } = start(oldNode(), [install('signal', process.execPath), 'wait']);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await closed).code).toBe(3);
  });

  it.each([
    ['no other node', undefined],
    ['only another old node', 'old'],
  ])('called with an old node and %s, says what to do and ends with 78', async (name, own) => {
    const { code, output } = await start(oldNode(), [install(name, own && oldNode()), 'systems']).closed;
    expect(code).toBe(78);
    expect(output).toMatch(/^node ≥ 22\.19 needed.*\n$/);
  });

  it('not compiled yet, says so', async () => {
    const bin = install('source');
    rmSync(join(base, 'source', 'dist'), { recursive: true });
    const { code, output } = await start(process.execPath, [bin]).closed;
    expect([code, output]).toEqual([78, 'Ledgergate is not compiled yet: run npm run build first\n']);
  });
});
