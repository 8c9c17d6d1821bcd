import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { SandboxDescription } from '../cli/commands/sandbox.js';
import { Api } from './api.js';
import { Child } from './child.js';
import type { DemoOptions } from './options.js';
import { SandboxControl } from './sandboxControl.js';
import type { WorkFolder } from './workFolder.js';

/** The month of the demo, fixed so that it prints the same in any year. */
const MONTH = '2026-10';
const HOST = '127.0.0.1';
const KEY_BYTES = 24;
const READY_MS = 120_000;

/** Everything that runs for a demo. */
export class Stage {
  private constructor(
    readonly sandboxes: Child,
    readonly gateway: Child,
    readonly access: Access,
    readonly api: Api,
    readonly brex: SandboxControl,
    readonly syspro: SandboxControl,
  ) {}

  /** Starts the sandboxes, then the gateway with its own database. What was started is in `children` even when this fails. */
  static async start(options: DemoOptions, folder: WorkFolder, children: Child[]): Promise<Stage> {
    const common = { folder: folder.path };
    const sandboxes = Child.start({
      ...common,
      name: 'sandboxes',
      program: 'bin/ledgergate.mjs',
      args: sandboxArguments(options),
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
      sandboxes,
      gateway,
      access,
      new Api(url, key),
      new SandboxControl(access.brex.controlUrl),
      new SandboxControl(access.syspro.controlUrl),
    );
  }
}

type Access = {
  readonly brex: NonNullable<SandboxDescription['brex']>;
  readonly syspro: NonNullable<SandboxDescription['syspro']>;
  readonly scenario: SandboxDescription['scenario'];
};

function sandboxArguments(options: DemoOptions): string[] {
  const common = ['sandbox', 'brex', 'syspro', '--json', '--seed', String(options.seed)];
  if (options.data === undefined) {
    const settings = { webhooksOnReveal: true };
    const month = ['--month', MONTH, '--purchases', String(options.purchases)];
    return [...common, ...month, '--brex-settings', JSON.stringify(settings)];
  }
  return [
    ...common,
    ...['--scenario', options.data, '--brex-settings', JSON.stringify({ rateLimit: null })],
    ...(options.suppliers === undefined ? [] : ['--suppliers', options.suppliers]),
  ];
}

/** The sandboxes print one JSON document over several lines. */
async function describedBy(child: Child): Promise<Access> {
  let text = '';
  const described = await child.waitFor<SandboxDescription>((line) => {
    text += `${line}\n`;
    return line === '}' ? (JSON.parse(text) as SandboxDescription) : null;
  }, READY_MS);
  const { brex, syspro, scenario } = described;
  if (!brex || !syspro) throw new Error('The sandboxes did not both start.');
  return { brex, syspro, scenario };
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
