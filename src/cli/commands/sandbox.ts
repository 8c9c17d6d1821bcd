import type { Command } from 'commander';
import { InputError } from '../../errors.js';
import {
  SANDBOX_NAMES,
  type SandboxName,
  type ScenarioChoice,
  type StartOptions,
  startSandboxes,
} from '../../sandbox/start.js';
import { EXIT, printJson } from '../output.js';
import type { Cli } from '../program.js';
import { described, print } from '../sandboxOutput.js';
import { whenAskedToStop } from '../stopSignal.js';

export type { SandboxDescription } from '../sandboxOutput.js';

interface SandboxOptions {
  scenario: string;
  seed: string;
  month: string;
  purchases?: string;
  reports?: string;
  suppliers?: string;
  now?: string;
  host: string;
  port: string[];
  settings: string[];
  brexPort?: string;
  sysproPort?: string;
  brexSettings?: string;
  sysproSettings?: string;
  json?: boolean;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

export function addSandbox(program: Command, cli: Cli): void {
  program
    .command('sandbox')
    .argument('[systems...]', `${SANDBOX_NAMES.join(', ')}; default: brex syspro`)
    .description('starts simulated systems and prints what to connect with; ends with Ctrl-C')
    .option('--scenario <what>', '`month`, or a CSV of card spend (plain or .gz; brex and syspro only)', 'month')
    .option('--seed <n>', 'makes the generated month repeatable', '1')
    .option('--month <month>', 'the generated month, YYYY-MM', '2026-10')
    .option('--purchases <n>', 'purchases in the generated month of Brex; default 2000, at least 200')
    .option('--reports <n>', 'reports in the generated month of Expensify; default 120, at least 60')
    .option('--suppliers <file>', "CSV of the ledger's suppliers, beside a CSV of card spend")
    .option('--now <instant>', "the spend systems' own time at the start; moved by POST /_sandbox/clock")
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <name=port>', 'port of one system; default any free one; may be repeated', collect, [])
    .option('--settings <name=json>', 'switches of one system, see its README; may be repeated', collect, [])
    .option('--brex-port <port>', 'short for --port brex=…')
    .option('--syspro-port <port>', 'short for --port syspro=…')
    .option('--brex-settings <json>', 'short for --settings brex=…')
    .option('--syspro-settings <json>', 'short for --settings syspro=…')
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
  const which: SandboxName[] = systems.length === 0 ? ['brex', 'syspro'] : systems.map(nameOf);
  return {
    which: [...new Set(which)],
    scenario: scenarioOf(options),
    host: options.host,
    ports: portsOf(options),
    randomSeed: wholeNumber('--seed', options.seed),
    settings: settingsOf(options),
  };
}

function nameOf(text: string): SandboxName {
  const name = SANDBOX_NAMES.find((one) => one === text.toLowerCase());
  if (!name)
    throw new InputError(`There is no sandbox "${text}". There are: ${SANDBOX_NAMES.join(', ')}.`, ['systems']);
  return name;
}

function portsOf(options: SandboxOptions): NonNullable<StartOptions['ports']> {
  const ports: NonNullable<StartOptions['ports']> = {};
  for (const [option, name, value] of byName(options, '--port')) ports[name] = wholeNumber(option, value, 65_535);
  return ports;
}

/** The sandbox itself checks what is in its settings and names the switch at fault. */
function settingsOf(options: SandboxOptions): NonNullable<StartOptions['settings']> {
  const settings: Partial<Record<SandboxName, object>> = {};
  for (const [option, name, value] of byName(options, '--settings')) settings[name] = jsonObject(option, value);
  return settings as NonNullable<StartOptions['settings']>;
}

/** What was said of each system, by either way to say it. @throws InputError naming the option. */
function byName(options: SandboxOptions, option: '--port' | '--settings'): [string, SandboxName, string][] {
  const said: [string, SandboxName, string][] = (option === '--port' ? options.port : options.settings).map((text) => {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new InputError(`${option} must name the system first, as in ${option} brex=….`, [option]);
    }
    return [option, nameOf(name), value];
  });
  const { brexPort, sysproPort, brexSettings, sysproSettings } = options;
  const short =
    option === '--port' ? { brex: brexPort, syspro: sysproPort } : { brex: brexSettings, syspro: sysproSettings };
  for (const name of ['brex', 'syspro'] as const) {
    const value = short[name];
    if (value !== undefined) said.push([`--${name}${option.slice(1)}`, name, value]);
  }
  return said;
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
  const { purchases, reports } = options;
  return {
    ...{ kind: 'month', seed: wholeNumber('--seed', options.seed), month: options.month, ...now },
    ...(purchases === undefined ? {} : { purchases: wholeNumber('--purchases', purchases) }),
    ...(reports === undefined ? {} : { reports: wholeNumber('--reports', reports) }),
  };
}

function jsonObject(option: string, text: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
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
