import { InputError } from '../errors.js';
import {
  type BrexSandboxOptions,
  type BrexSeed,
  type RunningBrex,
  SANDBOX_ACCESS,
  startBrexSandbox,
} from './brex/index.js';
import {
  fromCardSpend,
  generateMonth,
  type LineProblem,
  type MonthExpectations,
  SYSPRO_ACCESS,
} from './scenario/index.js';
import { type RunningSyspro, type SysproSandboxOptions, type SysproSeed, startSysproSandbox } from './syspro/index.js';

export type SandboxName = 'brex' | 'syspro';

/** What the sandboxes hold at the start. Plain JSON. */
export type ScenarioChoice =
  | { kind: 'month'; seed: number; month: string; purchases?: number; now?: string }
  | { kind: 'cardSpend'; file: string; suppliers?: string; now?: string };

export interface StartOptions {
  which: SandboxName[];
  scenario: ScenarioChoice;
  /** Default 127.0.0.1. */
  host?: string;
  /** 0 or absent takes any free port. */
  brexPort?: number;
  sysproPort?: number;
  randomSeed?: number;
  brexSettings?: NonNullable<BrexSandboxOptions['settings']>;
  sysproSettings?: NonNullable<SysproSandboxOptions['settings']>;
}

export interface LoadedScenario {
  brex: BrexSeed;
  syspro: SysproSeed;
  /** Of generated months only. */
  expectations: MonthExpectations | null;
  /** Lines of a file that could not be used. */
  problems: LineProblem[];
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

export interface RunningSandboxes {
  brex: { access: BrexAccess; sandbox: RunningBrex } | null;
  syspro: { access: SysproAccess; sandbox: RunningSyspro } | null;
  scenario: LoadedScenario;
  close(): Promise<void>;
}

/** @throws InputError the scenario's options or files are unusable. */
export async function loadScenario(choice: ScenarioChoice): Promise<LoadedScenario> {
  if (choice.kind === 'month') {
    const { kind: _kind, ...options } = choice;
    return { ...generateMonth(options), problems: [] };
  }
  const { file, suppliers, now } = choice;
  const loaded = await fromCardSpend(file, {
    ...(suppliers === undefined ? {} : { suppliers }),
    ...(now === undefined ? {} : { now }),
  });
  return { ...loaded, expectations: null };
}

/** Starts the sandboxes asked for from one scenario. @throws InputError nothing was asked for, or bad data. */
export async function startSandboxes(options: StartOptions): Promise<RunningSandboxes> {
  if (options.which.length === 0) throw new InputError('No sandbox was asked for.', ['which']);
  const scenario = await loadScenario(options.scenario);
  const common = {
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.randomSeed === undefined ? {} : { randomSeed: options.randomSeed }),
  };
  const brex = options.which.includes('brex')
    ? await startBrexSandbox({
        ...{ ...common, data: scenario.brex, port: options.brexPort ?? 0 },
        ...(options.brexSettings === undefined ? {} : { settings: options.brexSettings }),
      })
    : null;
  let syspro: RunningSyspro | null = null;
  try {
    if (options.which.includes('syspro')) {
      syspro = await startSysproSandbox({
        ...{ ...common, seed: scenario.syspro, port: options.sysproPort ?? 0 },
        ...(options.sysproSettings === undefined ? {} : { settings: options.sysproSettings }),
      });
    }
  } catch (error) {
    await brex?.close();
    throw error;
  }
  return {
    brex: brex && { access: brexAccess(brex), sandbox: brex },
    syspro: syspro && { access: sysproAccess(syspro), sandbox: syspro },
    scenario,
    close: async () => {
      await Promise.all([brex?.close(), syspro?.close()]);
    },
  };
}

function brexAccess({ url }: RunningBrex): BrexAccess {
  const { userToken, clientId, clientSecret, refreshToken, redirectUri, webhookSecret, companyId } = SANDBOX_ACCESS;
  return {
    ...{ url, authUrl: `${url}/oauth2/default`, userToken, clientId, clientSecret, refreshToken, redirectUri },
    ...{ webhookSecret, companyId },
  };
}

function sysproAccess({ url, baseUrl }: RunningSyspro): SysproAccess {
  return { url, baseUrl, ...SYSPRO_ACCESS };
}
