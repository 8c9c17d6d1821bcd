import {
  type CompanySeed,
  companySeedSchema,
  FaultDial,
  type LedgerSandbox,
  parseInput,
  startSandboxServer,
} from '../kit/index.js';
import { sysproSeedOf } from './asLedger.js';
import { SysproCompany } from './company.js';
import { SysproControls, type SysproSettingsPatch } from './controls.js';
import { REST_PATH, SysproRest } from './rest.js';
import { parseSysproSeed, type SysproSeed } from './seed.js';
import { type SessionInfo, SysproSessions } from './sessions.js';
import { type SysproSettingsInput, sysproSettingsSchema } from './settings.js';
import type { SysproLedgerView } from './views.js';

export { COMPANY_ACCESS } from './asLedger.js';
export { loadSysproSeed, parseSysproSeed, type SysproSeed, sysproSeedSchema } from './seed.js';
export type { SessionInfo } from './sessions.js';
export type { SysproSettings, SysproSettingsInput } from './settings.js';
export type { InvoiceView, JournalView, SupplierView, SysproLedgerView } from './views.js';

export interface SysproSandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  seed: SysproSeed;
  /** For the probabilities of faults. */
  randomSeed?: number;
  settings?: SysproSettingsInput;
  /** Decides when sessions are idle; default the system's clock. */
  clock?: { now(): Date };
}

/** A running SYSPRO. The same controls are under `/_sandbox/`, see the README beside this file. */
export interface RunningSyspro extends LedgerSandbox {
  url: string;
  /** What a connection to it is configured with: `…/SYSPROWCFService/Rest`. */
  baseUrl: string;
  faults: FaultDial;
  ledger: SysproLedgerView;
  sessions(): SessionInfo[];
  /** Logons that succeeded since the start. */
  logonCount(): number;
  /** How often each operation was called, by names such as `Transaction/Post GENTJL`. */
  requestCounts(): Record<string, number>;
  closePeriod(year: number, period: number): void;
  openPeriod(year: number, period: number): void;
  setCurrentPeriod(year: number, period: number): void;
  holdAccount(code: string, onHold?: boolean): void;
  holdSupplier(code: string, onHold?: boolean): void;
  /** Ends all sessions, as another client of the same operator would. @returns how many. */
  evictSessions(): number;
  /** The next journals are created but not posted, although they could be. */
  leaveNextJournalsUnposted(times: number): void;
  /** The next payables documents are posted without their ledger journal. */
  failNextGlJournals(times: number): void;
  changeSettings(patch: SysproSettingsPatch): void;
  /** Back to the seed. Settings and faults stay. */
  reset(): void;
  close(): Promise<void>;
}

export interface SysproCompanyOptions extends Omit<SysproSandboxOptions, 'seed'> {
  company: CompanySeed;
}

/** Starts SYSPRO with a company described in the words of all ledgers; log on with `COMPANY_ACCESS`. */
export function startSysproCompany({ company, ...options }: SysproCompanyOptions): Promise<RunningSyspro> {
  return startSysproSandbox({ ...options, seed: sysproSeedOf(parseInput(companySeedSchema, company)) });
}

/**
 * Starts a simulated SYSPRO company behind the e.net REST service.
 * @throws InputError naming the unusable field of the seed or the settings.
 */
export async function startSysproSandbox(options: SysproSandboxOptions): Promise<RunningSyspro> {
  const seed = parseSysproSeed(options.seed);
  const settings = parseInput(sysproSettingsSchema, options.settings ?? {});
  const faults = new FaultDial({ seed: options.randomSeed ?? 1 });
  const clock = options.clock ?? { now: () => new Date() };
  const company = new SysproCompany(seed);
  const sessions = new SysproSessions(seed, settings, () => clock.now().getTime());
  const rest = new SysproRest(company, sessions, settings);
  const controls = new SysproControls(company, sessions, settings, rest);
  const http = await startSandboxServer({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    faults,
    exchange: (request) => rest.exchange(request),
    control: (route, request) => controls.answer(route, request),
  });
  return {
    url: http.url,
    baseUrl: `${http.url}${REST_PATH}`,
    faults,
    ...controls.asLedger,
    ledger: controls.ledger,
    sessions: () => sessions.list(),
    logonCount: () => sessions.logons,
    requestCounts: () => Object.fromEntries(rest.requests),
    closePeriod: (year, period) => controls.setPeriodOpen(year, period, false),
    openPeriod: (year, period) => controls.setPeriodOpen(year, period, true),
    setCurrentPeriod: (year, period) => controls.setCurrentPeriod(year, period),
    holdAccount: (code, onHold = true) => controls.setAccount({ code, onHold }),
    holdSupplier: (code, onHold = true) => controls.holdSupplier(code, onHold),
    evictSessions: () => sessions.endAll(),
    leaveNextJournalsUnposted: (times) => controls.leaveNextJournalsUnposted(times),
    failNextGlJournals: (times) => controls.failNextGlJournals(times),
    changeSettings: (patch) => controls.changeSettings(patch),
    close: () => http.close(),
  };
}
