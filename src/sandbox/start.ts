import { InputError } from '../errors.js';
import { type BrexSandboxOptions, type RunningBrex, SANDBOX_ACCESS, startBrexSandbox } from './brex/index.js';
import {
  type EpicorKineticAccess,
  type KineticSettingsInput,
  type RunningEpicorKinetic,
  startEpicorKineticSandbox,
} from './epicor-kinetic/index.js';
import {
  type ExpensifyAccess,
  type ExpensifySettingsInput,
  type RunningExpensify,
  startExpensifySandbox,
} from './expensify/index.js';
import {
  type InforM3Access,
  type InforM3SettingsInput,
  type RunningInforM3,
  startInforM3Sandbox,
} from './infor-m3/index.js';
import type { CompanySeed } from './kit/index.js';
import {
  type RunningSageX3,
  type SageX3Access,
  type SageX3SettingsInput,
  startSageX3Sandbox,
} from './sage-x3/index.js';
import {
  type LoadedScenario,
  loadScenario,
  projectValues,
  type ScenarioChoice,
  SYSPRO_ACCESS,
} from './scenario/index.js';
import { type RunningSyspro, type SysproSandboxOptions, startSysproSandbox } from './syspro/index.js';

export { type LoadedScenario, loadScenario, type ScenarioChoice } from './scenario/index.js';

export const SANDBOX_NAMES = ['brex', 'expensify', 'syspro', 'sage-x3', 'infor-m3', 'epicor-kinetic'] as const;
export type SandboxName = (typeof SANDBOX_NAMES)[number];

/** Switches by sandbox; each checks its own and names the one at fault. */
export interface SandboxSettings {
  brex: NonNullable<BrexSandboxOptions['settings']>;
  expensify: ExpensifySettingsInput;
  syspro: NonNullable<SysproSandboxOptions['settings']>;
  'sage-x3': SageX3SettingsInput;
  'infor-m3': InforM3SettingsInput;
  'epicor-kinetic': KineticSettingsInput;
}

export interface StartOptions {
  which: SandboxName[];
  scenario: ScenarioChoice;
  /** Default 127.0.0.1. */
  host?: string;
  /** 0 or absent takes any free port. */
  ports?: Partial<Record<SandboxName, number>>;
  randomSeed?: number;
  settings?: Partial<SandboxSettings>;
  /** The same as `settings.brex` and `settings.syspro`. */
  brexSettings?: SandboxSettings['brex'];
  sysproSettings?: SandboxSettings['syspro'];
}

/** What a client connects with. None of it opens anything real. */
export interface BrexAccess {
  url: string;
  /** The authorization server: token, authorize and revoke are below it. */
  authUrl: string;
  userToken: string;
  clientId: string;
  clientSecret: string;
  refreshToken: string;
  redirectUri: string;
  webhookSecret: string;
  companyId: string;
}

export interface SysproAccess {
  url: string;
  /** `…/SYSPROWCFService/Rest` */
  baseUrl: string;
  operator: string;
  password: string;
  companyId: string;
  companyPassword: string;
}

interface Addresses {
  url: string;
  /** What a connection to it is configured with. */
  baseUrl: string;
}

interface Running<Access, Sandbox> {
  access: Access;
  sandbox: Sandbox;
}

export interface StartedSandboxes {
  brex: Running<BrexAccess, RunningBrex>;
  expensify: Running<Addresses & ExpensifyAccess, RunningExpensify>;
  syspro: Running<SysproAccess, RunningSyspro>;
  'sage-x3': Running<Addresses & SageX3Access, RunningSageX3>;
  'infor-m3': Running<Addresses & InforM3Access, RunningInforM3>;
  'epicor-kinetic': Running<Addresses & EpicorKineticAccess, RunningEpicorKinetic>;
}

/** What was asked for; null is what was not. */
export type RunningSandboxes = { [Name in SandboxName]: StartedSandboxes[Name] | null } & {
  scenario: LoadedScenario;
  close(): Promise<void>;
};

interface Common {
  port: number;
  host?: string;
  randomSeed?: number;
}

type Starters = {
  [Name in SandboxName]: (
    common: Common,
    scenario: LoadedScenario,
    settings: SandboxSettings[Name] | undefined,
  ) => Promise<StartedSandboxes[Name]>;
};

const STARTERS: Starters = {
  brex: async (common, { brex }, settings) => {
    const sandbox = await startBrexSandbox({ ...common, data: brex, ...given(settings) });
    return { access: brexAccess(sandbox), sandbox };
  },
  expensify: async (common, { expensify }, settings) => {
    if (expensify === null) throw new InputError('The scenario holds nothing for Expensify.', ['which']);
    const sandbox = await startExpensifySandbox({ ...common, seed: expensify, ...given(settings) });
    return { access: { ...addressesOf(sandbox), ...sandbox.access }, sandbox };
  },
  syspro: async (common, { syspro }, settings) => {
    const sandbox = await startSysproSandbox({ ...common, seed: syspro, ...given(settings) });
    return { access: { ...addressesOf(sandbox), ...SYSPRO_ACCESS }, sandbox };
  },
  'sage-x3': async (common, scenario, settings) => {
    const projects = { secondType: { code: 'PJT', name: 'Projects', values: projectValues() } };
    const company = companyOf(scenario);
    const sandbox = await startSageX3Sandbox({ ...common, company, settings: { ...projects, ...settings } });
    return { access: { ...sandbox.access, ...addressesOf(sandbox) }, sandbox };
  },
  'infor-m3': async (common, scenario, settings) => {
    const projects = { dimensions: { '3': projectValues() } };
    const company = companyOf(scenario);
    const sandbox = await startInforM3Sandbox({ ...common, company, settings: { ...projects, ...settings } });
    return { access: { ...addressesOf(sandbox), ...sandbox.access }, sandbox };
  },
  'epicor-kinetic': async (common, scenario, settings) => {
    const company = companyOf(scenario);
    const sandbox = await startEpicorKineticSandbox({ ...common, company, ...given(settings) });
    return { access: { ...sandbox.access, ...addressesOf(sandbox) }, sandbox };
  },
};

/** Starts the sandboxes asked for from one scenario. @throws InputError nothing was asked for, or bad data. */
export async function startSandboxes(options: StartOptions): Promise<RunningSandboxes> {
  const { which, ports = {}, host, randomSeed, brexSettings, sysproSettings } = options;
  if (which.length === 0) throw new InputError('No sandbox was asked for.', ['which']);
  const scenario = await loadScenario(options.scenario, which.includes('expensify'));
  const common = { ...(host === undefined ? {} : { host }), ...(randomSeed === undefined ? {} : { randomSeed }) };
  const settings: Partial<SandboxSettings> = {
    ...(brexSettings === undefined ? {} : { brex: brexSettings }),
    ...(sysproSettings === undefined ? {} : { syspro: sysproSettings }),
    ...options.settings,
  };
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closing.map((one) => one()));
  };
  const start = async <Name extends SandboxName>(name: Name): Promise<StartedSandboxes[Name] | null> => {
    if (!which.includes(name)) return null;
    const started = await STARTERS[name]({ ...common, port: ports[name] ?? 0 }, scenario, settings[name]);
    closing.push(() => started.sandbox.close());
    return started;
  };
  try {
    return {
      brex: await start('brex'),
      expensify: await start('expensify'),
      syspro: await start('syspro'),
      'sage-x3': await start('sage-x3'),
      'infor-m3': await start('infor-m3'),
      'epicor-kinetic': await start('epicor-kinetic'),
      scenario,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function given<Settings>(settings: Settings | undefined): { settings?: Settings } {
  return settings === undefined ? {} : { settings };
}

function addressesOf({ url, baseUrl }: Addresses): Addresses {
  return { url, baseUrl };
}

function companyOf({ company }: LoadedScenario): CompanySeed {
  if (company === null) throw new InputError('A CSV of card spend goes to SYSPRO only.', ['which']);
  return company;
}

function brexAccess({ url }: RunningBrex): BrexAccess {
  const { userToken, clientId, clientSecret, refreshToken, redirectUri, webhookSecret, companyId } = SANDBOX_ACCESS;
  return {
    ...{ url, authUrl: `${url}/oauth2/default`, userToken, clientId, clientSecret, refreshToken, redirectUri },
    ...{ webhookSecret, companyId },
  };
}
