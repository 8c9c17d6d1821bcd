import type { Command } from 'commander';
import { InputError } from '../../errors.js';
import {
  type RunningSandboxes,
  type SandboxName,
  type ScenarioChoice,
  type StartOptions,
  startSandboxes,
} from '../../sandbox/start.js';
import { EXIT, printJson } from '../output.js';
import type { Cli } from '../program.js';
import { whenAskedToStop } from '../stopSignal.js';

interface SandboxOptions {
  scenario: string;
  seed: string;
  month: string;
  purchases?: string;
  suppliers?: string;
  now?: string;
  host: string;
  brexPort: string;
  sysproPort: string;
  brexSettings?: string;
  sysproSettings?: string;
  json?: boolean;
}

const NAMES: readonly SandboxName[] = ['brex', 'syspro'];

export function addSandbox(program: Command, cli: Cli): void {
  program
    .command('sandbox')
    .argument('[systems...]', `${NAMES.join(', ')}; default: all`)
    .description('starts simulated systems and prints what to connect with; ends with Ctrl-C')
    .option('--scenario <what>', '`month`, or a CSV of card spend (plain or .gz)', 'month')
    .option('--seed <n>', 'makes the generated month repeatable', '1')
    .option('--month <month>', 'the generated month, YYYY-MM', '2026-10')
    .option('--purchases <n>', 'purchases in the generated month; default 2000, at least 200')
    .option('--suppliers <file>', "CSV of the ledger's suppliers, beside a CSV of card spend")
    .option('--now <instant>', "the spend system's own time at the start; moved by POST /_sandbox/clock")
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--brex-port <port>', '0 = any free one', '0')
    .option('--syspro-port <port>', '0 = any free one', '0')
    .option('--brex-settings <json>', 'switches of the simulated Brex, see its README')
    .option('--syspro-settings <json>', 'switches of the simulated SYSPRO, see its README')
    .option('--json', 'prints one JSON document once all are listening')
    .action(cli.action((systems: string[], options: SandboxOptions) => sandbox(cli, systems, options)));
}

async function sandbox(cli: Cli, systems: string[], options: SandboxOptions): Promise<number> {
  const running = await startSandboxes(startOptions(systems, options));
  try {
    const stop = whenAskedToStop();
    if (options.json) printJson(cli.io, described(running));
    else print(cli, running);
    await stop;
  } finally {
    await running.close();
  }
  return EXIT.done;
}

function startOptions(systems: readonly string[], options: SandboxOptions): StartOptions {
  const which = systems.length === 0 ? [...NAMES] : systems.map(nameOf);
  const brexSettings = settingsOf<NonNullable<StartOptions['brexSettings']>>('--brex-settings', options.brexSettings);
  const sysproSettings = settingsOf<NonNullable<StartOptions['sysproSettings']>>(
    '--syspro-settings',
    options.sysproSettings,
  );
  return {
    which: [...new Set(which)],
    scenario: scenarioOf(options),
    host: options.host,
    brexPort: wholeNumber('--brex-port', options.brexPort, 65_535),
    sysproPort: wholeNumber('--syspro-port', options.sysproPort, 65_535),
    randomSeed: wholeNumber('--seed', options.seed),
    ...(brexSettings ? { brexSettings } : {}),
    ...(sysproSettings ? { sysproSettings } : {}),
  };
}

function nameOf(text: string): SandboxName {
  const name = NAMES.find((one) => one === text.toLowerCase());
  if (!name) throw new InputError(`There is no sandbox "${text}". There are: ${NAMES.join(', ')}.`, ['systems']);
  return name;
}

function scenarioOf(options: SandboxOptions): ScenarioChoice {
  const now = options.now === undefined ? {} : { now: options.now };
  if (options.scenario !== 'month') {
    const suppliers = options.suppliers === undefined ? {} : { suppliers: options.suppliers };
    return { kind: 'cardSpend', file: options.scenario, ...suppliers, ...now };
  }
  if (options.suppliers !== undefined) {
    throw new InputError('--suppliers goes with a CSV of card spend; a generated month has suppliers of its own.', [
      '--suppliers',
    ]);
  }
  const purchases = options.purchases === undefined ? {} : { purchases: wholeNumber('--purchases', options.purchases) };
  return { kind: 'month', seed: wholeNumber('--seed', options.seed), month: options.month, ...purchases, ...now };
}

/** The sandbox itself checks what is in it and names the switch at fault. */
function settingsOf<Settings>(option: string, text: string | undefined): Settings | null {
  if (text === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Settings;
  } catch {
    // Told below, with the option's name.
  }
  throw new InputError(`${option} must be a JSON object.`, [option]);
}

function wholeNumber(option: string, text: string, max = 2_147_483_647): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) throw new InputError(`${option} must be a whole number from 0 to ${max}.`, [option]);
  return number;
}

/** What `--json` prints: all that a client needs to connect, and what the scenario holds. */
export interface SandboxDescription {
  readonly pid: number;
  readonly brex: (NonNullable<RunningSandboxes['brex']>['access'] & { controlUrl: string; now: string }) | null;
  readonly syspro: (NonNullable<RunningSandboxes['syspro']>['access'] & { controlUrl: string }) | null;
  readonly scenario: {
    readonly purchases: number;
    readonly firstDay: string | null;
    readonly lastDay: string | null;
    readonly plannedEdit: { at: string; key: string } | null;
    /** Rows of a file that could not be used. */
    readonly problems: RunningSandboxes['scenario']['problems'];
  };
}

export function described({ brex, syspro, scenario }: RunningSandboxes): SandboxDescription {
  const days = scenario.brex.purchases.map((one) => one.purchasedAt.slice(0, 10));
  const extreme = (wins: (a: string, b: string) => boolean) =>
    days.reduce<string | null>((best, day) => (best === null || wins(day, best) ? day : best), null);
  const edit = scenario.expectations?.plannedEdit;
  return {
    pid: process.pid,
    brex: brex && { ...brex.access, controlUrl: `${brex.access.url}/_sandbox`, now: brex.sandbox.control.now },
    syspro: syspro && { ...syspro.access, controlUrl: `${syspro.access.url}/_sandbox` },
    scenario: {
      purchases: scenario.brex.purchases.length,
      firstDay: extreme((a, b) => a < b),
      lastDay: extreme((a, b) => a > b),
      plannedEdit: edit ? { at: edit.at, key: edit.key } : null,
      problems: scenario.problems,
    },
  };
}

function print(cli: Cli, running: RunningSandboxes): void {
  const { brex, syspro, scenario } = described(running);
  const section = (title: string, values: Record<string, string>) => {
    const width = Math.max(...Object.keys(values).map((key) => key.length));
    cli.io.out(`${title}\n`);
    for (const [key, value] of Object.entries(values)) cli.io.out(`  ${key.padEnd(width)}  ${value}\n`);
  };
  if (brex) {
    section('Brex', {
      baseUrl: brex.url,
      'user token': brex.userToken,
      'OAuth token URL': `${brex.authUrl}/v1/token`,
      'client id': brex.clientId,
      'client secret': brex.clientSecret,
      'refresh token': brex.refreshToken,
      'webhook secret': brex.webhookSecret,
      'company id': brex.companyId,
      'its own time': brex.now,
      controls: brex.controlUrl,
    });
  }
  if (syspro) {
    section('SYSPRO', {
      baseUrl: syspro.baseUrl,
      operator: syspro.operator,
      operatorPassword: syspro.password,
      companyId: syspro.companyId,
      controls: syspro.controlUrl,
    });
  }
  cli.io.out(`${scenario.purchases} purchases from ${scenario.firstDay} to ${scenario.lastDay}. Ctrl-C ends it.\n`);
  for (const { file, line, message } of scenario.problems.slice(0, 20)) {
    cli.io.err(`${file}, line ${line}: ${message}\n`);
  }
}
