import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Api } from './api.js';
import { Child } from './child.js';
import { type Access, accessTo, type Flow } from './flow.js';
import type { DemoOptions } from './options.js';
import { SandboxControl } from './sandboxControl.js';
import type { WorkFolder } from './workFolder.js';

const HOST = '127.0.0.1';
const KEY_BYTES = 24;
const READY_MS = 120_000;

/** Everything that runs for one flow. */
export class Stage {
  private constructor(
    readonly flow: Flow,
    readonly sandboxes: Child,
    readonly gateway: Child,
    readonly access: Access,
    readonly api: Api,
    readonly source: SandboxControl,
    readonly ledger: SandboxControl,
  ) {}

  /** Starts the sandboxes, then the gateway with its own database. What was started is in `children` even when this fails. */
  static async start(flow: Flow, options: DemoOptions, folder: WorkFolder, children: Child[]): Promise<Stage> {
    const common = { folder: folder.path };
    const systems = [flow.source.sandbox, flow.ledger.sandbox];
    const sandboxes = Child.start({
      ...common,
      name: 'sandboxes',
      program: 'bin/ledgergate.mjs',
      args: ['sandbox', ...systems, '--json', '--seed', String(options.seed), ...flow.sandboxArguments(options)],
      env: {},
      logFile: join(folder.path, 'sandboxes.log'),
    });
    children.push(sandboxes);
    const access = await describedBy(sandboxes);
    const key = `lgk_demo_${randomBytes(KEY_BYTES).toString('base64url')}`;
    const gateway = Child.start({
      ...common,
      name: 'gateway',
      program: 'dist/main.js',
      nodeOptions: options.cpuProf ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : [],
      env: {
        HOST,
        PORT: String(await portFor(options.port)),
        LEDGERGATE_DATA_DIR: folder.dataDir,
        LEDGERGATE_BOOTSTRAP_ADMIN_KEY: key,
        LOG_LEVEL: 'warn',
      },
      logFile: join(folder.path, 'gateway.log'),
    });
    children.push(gateway);
    const url = await gateway.waitFor((line) => /^listening on (http\S+)$/.exec(line)?.[1] ?? null, READY_MS);
    return new Stage(
      flow,
      sandboxes,
      gateway,
      access,
      new Api(url, key),
      new SandboxControl(accessTo(access, flow.source.sandbox).controlUrl),
      new SandboxControl(accessTo(access, flow.ledger.sandbox).controlUrl),
    );
  }
}

/** The sandboxes print one JSON document over several lines. */
function describedBy(child: Child): Promise<Access> {
  let text = '';
  return child.waitFor<Access>((line) => {
    text += `${line}\n`;
    return line === '}' ? (JSON.parse(text) as Access) : null;
  }, READY_MS);
}

/** The wished port, or any free one when somebody has it. */
function portFor(wished: number): Promise<number> {
  if (wished === 0) return Promise.resolve(0);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(wished, HOST, () => probe.close(() => resolve(wished)));
  });
}
