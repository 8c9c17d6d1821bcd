import {
  type CompanySeed,
  companySeedSchema,
  type Exchange,
  FaultDial,
  htmlPage,
  type LedgerSandbox,
  parseInput,
  type SandboxRequest,
  startSandboxServer,
} from '../kit/index.js';
import { accessOf, type SageX3Access, SOAP_PATH, WSDL_PATH } from './access.js';
import { X3Company } from './company.js';
import { X3Controls } from './controls.js';
import { X3GraphQL } from './graphql.js';
import { X3Pool } from './pools.js';
import { X3Rest } from './rest.js';
import { type SageX3SettingsInput, sageX3SettingsSchema } from './settings.js';
import { X3Soap } from './soap.js';
import { X3Programs } from './subprograms.js';
import { X3Tokens } from './tokens.js';

export type { SageX3Access } from './access.js';
export type { SageX3Settings, SageX3SettingsInput } from './settings.js';

export interface SageX3SandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  company: CompanySeed;
  /** For the probabilities of faults. */
  randomSeed?: number;
  settings?: SageX3SettingsInput;
  /** Decides when tokens end and what stamps say; default the system's clock. */
  clock?: { now(): Date };
}

/** A running Sage X3. The same controls are under `/_sandbox/`, see the README beside this file. */
export interface RunningSageX3 extends LedgerSandbox {
  /** Everything that a client needs to log in and to know the set-up, as the settings are now. Plain JSON. */
  readonly access: SageX3Access;
  /** @throws InputError naming the unusable field. */
  changeSettings(patch: SageX3SettingsInput): void;
  setDimensionActive(type: string, code: string, active: boolean): void;
  /** Does the batch imports that wait. @returns how many. */
  runBatches(): number;
  /** Each of the next writes arrives twice, as behind a proxy that repeats requests. The second answer goes back. */
  repeatNextWrites(times: number): void;
  /** The customer takes the consent for the hosted gateway back. @returns how many refresh tokens died. */
  revokeRefreshTokens(): number;
}

/**
 * Starts a simulated Sage X3 folder behind REST, SOAP and GraphQL.
 * @throws InputError naming the unusable field of the company or the settings.
 */
export async function startSageX3Sandbox(options: SageX3SandboxOptions): Promise<RunningSageX3> {
  const seed = parseInput(companySeedSchema, options.company);
  const settings = parseInput(sageX3SettingsSchema, options.settings ?? {});
  const faults = new FaultDial({ seed: options.randomSeed ?? 1 });
  const clock = options.clock ?? { now: () => new Date() };
  const requests = new Map<string, number>();
  const count = (operation: string): void => {
    requests.set(operation, (requests.get(operation) ?? 0) + 1);
  };
  let url = '';
  const urlNow = (): string => url;
  const company = new X3Company(seed, settings, clock);
  const tokens = new X3Tokens(settings, clock, () => `${url}/xtrem/api`, count);
  const programs = new X3Programs(company, () => clock.now().getTime());
  const pool = new X3Pool(settings);
  const access = (): SageX3Access => accessOf(url, settings);
  const controls = new X3Controls(company, settings, tokens, programs, pool, requests, access);
  const rest = new X3Rest(company, tokens, urlNow, count);
  const soap = new X3Soap(company, tokens, programs, pool, urlNow, count);
  const graphql = new X3GraphQL(company, tokens, count);
  const exchange = (request: SandboxRequest): Exchange => controls.repeated(surface(request));
  const surface = (request: SandboxRequest): Exchange => {
    programs.runDue();
    if (request.path.startsWith('/api1/')) return rest.exchange(request);
    if (request.path === SOAP_PATH || request.path === WSDL_PATH) return soap.exchange(request);
    if (request.path.replace(/\/$/, '') === '/xtrem/api') return graphql.exchange(request);
    return tokens.exchange(request) ?? page(request, count);
  };
  const http = await startSandboxServer({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    faults,
    exchange,
    control: (route, request) => controls.answer(route, request),
  });
  url = http.url;
  return {
    url,
    baseUrl: url,
    faults,
    get access() {
      return access();
    },
    documents: (reference) => controls.documents(reference),
    summary: () => controls.summary(),
    suppliers: () => controls.suppliers(),
    setPeriodOpen: (day, open) => controls.setPeriodOpen(day, open),
    setAccountActive: (code, active) => controls.setAccountActive(code, active),
    setSupplierActive: (code, active) => controls.setSupplierActive(code, active),
    setDimensionActive: (type, code, active) => controls.setDimensionActive(type, code, active),
    expireSessions: () => controls.expireSessions(),
    revokeRefreshTokens: () => controls.revokeRefreshTokens(),
    runBatches: () => controls.runBatches(),
    repeatNextWrites: (times) => controls.repeatNextWrites(times),
    changeSettings: (patch) => controls.changeSettings(patch),
    reset: () => controls.reset(),
    close: () => {
      pool.dispose();
      return http.close();
    },
  };
}

/** Everything else is the web client, which wants a person: also `/sdata/`, which would open an interactive session. */
function page(request: SandboxRequest, count: (operation: string) => void): Exchange {
  const interactive = request.path.startsWith('/sdata/');
  const operation = interactive ? 'sdata' : 'unknown path';
  count(operation);
  return { operation, commit: () => (interactive ? htmlPage(200, 'Sage X3 sign in') : htmlPage(404, 'Not Found')) };
}
