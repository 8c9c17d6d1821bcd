import {
  type CompanySeed,
  companySeedSchema,
  FaultDial,
  type LedgerSandbox,
  parseInput,
  startSandboxServer,
} from '../kit/index.js';
import { COMPANY_ID, FAKE_LOGIN, KineticAccess, PLANT } from './access.js';
import { COA_CODE } from './chart.js';
import { AP_JOURNAL_CODE, BOOK_ID, CALENDAR_ID, JOURNAL_CODE, KineticCompany, type Scenarios } from './company.js';
import { KineticControls, type KineticSettingsPatch, type ScenariosPatch } from './controls.js';
import { INSTANCE_PATH, KineticRest, TOKEN_PATH } from './rest.js';
import { type KineticSettings, type KineticSettingsInput, kineticSettingsSchema } from './settings.js';

export type { KineticSettings, KineticSettingsInput } from './settings.js';

export interface EpicorKineticOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  company: CompanySeed;
  /** For the probabilities of faults. */
  randomSeed?: number;
  settings?: KineticSettingsInput;
  /** Decides what today is, when tokens end and when the agent runs; default the system's clock. */
  clock?: { now(): Date };
}

/** Everything that a client needs to log in and to find its way. Plain JSON; none of it opens anything real. */
export interface EpicorKineticAccess {
  /** `…/KineticLive` */
  baseUrl: string;
  company: string;
  plant: string;
  apiKey: string;
  /** For Basic, the password grant and TokenResource. */
  username: string;
  password: string;
  /** The identity provider's token endpoint with client credentials. */
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  tokenResourceUrl: string;
  bookId: string;
  coaCode: string;
  fiscalCalendarId: string;
  journalCode: string;
  apJournalCode: string;
}

/** A running Kinetic company. The same controls are under `/_sandbox/`, see the README beside this file. */
export interface RunningEpicorKinetic extends LedgerSandbox {
  readonly access: EpicorKineticAccess;
  settings(): KineticSettings;
  changeSettings(patch: KineticSettingsPatch): void;
  /** The next calls that go wrong by themselves, counted down as they do. */
  setScenarios(patch: ScenariosPatch): Scenarios;
  /** Payables and ledger groups that are still there, with who holds them. */
  groups(): ReturnType<KineticControls['groups']>;
  /** Gives a group to another user (default CLERK), or with '' to nobody. @throws InputError there is no such group. */
  holdGroup(groupId: string, holder?: string): void;
  /** Another user saves an invoice (by its number) or a journal (by its group): what was read before is stale. */
  touchDocument(reference: string): void;
  /** A person deletes an unposted invoice. */
  deleteInvoice(vendor: string, invoiceNum: string): void;
  /** A person moves an unposted invoice to another vendor or number. */
  renumberInvoice(from: { vendor: string; invoiceNum: string }, to: { vendor?: string; invoiceNum?: string }): void;
  /** Runs what waits for the agent at once. @returns how many tasks ran. */
  runAgent(): number;
  /** Access tokens given since the start. */
  loginCount(): number;
}

/**
 * Starts a simulated Epicor Kinetic company behind its REST services, with its identity provider.
 * @throws InputError naming the unusable field of the company or the settings.
 */
export async function startEpicorKineticSandbox(options: EpicorKineticOptions): Promise<RunningEpicorKinetic> {
  const seed = parseInput(companySeedSchema, options.company);
  const settings = parseInput(kineticSettingsSchema, options.settings ?? {});
  const faults = new FaultDial({ seed: options.randomSeed ?? 1 });
  const clock = options.clock ?? { now: () => new Date() };
  const company = new KineticCompany(seed, settings, clock);
  const access = new KineticAccess(settings, () => clock.now().getTime());
  const rest = new KineticRest(company, access);
  const controls = new KineticControls(company, access, settings, rest);
  const http = await startSandboxServer({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    faults,
    exchange: (request) => rest.exchange(request),
    control: (route, request) => controls.answer(route, request),
  });
  const baseUrl = `${http.url}${INSTANCE_PATH}`;
  return {
    ...{ url: http.url, baseUrl, faults, access: accessTo(http.url, baseUrl) },
    documents: (reference) => controls.documents(reference),
    summary: () => controls.summary(),
    suppliers: () => controls.suppliers(),
    setPeriodOpen: (day, open) => controls.setPeriodOpen(day, open),
    setAccountActive: (code, active) => controls.setAccountActive(code, active),
    setSupplierActive: (code, active) => controls.setSupplierActive(code, active),
    expireSessions: () => controls.expireSessions(),
    reset: () => controls.reset(),
    settings: () => structuredClone(settings),
    changeSettings: (patch) => controls.changeSettings(patch),
    setScenarios: (patch) => controls.setScenarios(patch),
    groups: () => controls.groups(),
    holdGroup: (groupId, holder) => controls.holdGroup(groupId, holder),
    touchDocument: (reference) => controls.touchDocument(reference),
    deleteInvoice: (vendor, invoiceNum) => controls.deleteInvoice(vendor, invoiceNum),
    renumberInvoice: (from, to) => controls.renumberInvoice(from, to),
    runAgent: () => controls.runAgent(),
    loginCount: () => access.logins,
    close: () => http.close(),
  };
}

function accessTo(url: string, baseUrl: string): EpicorKineticAccess {
  return {
    ...{ baseUrl, company: COMPANY_ID, plant: PLANT },
    ...FAKE_LOGIN,
    ...{ tokenUrl: `${url}${TOKEN_PATH}`, tokenResourceUrl: `${baseUrl}/TokenResource.svc/` },
    ...{ bookId: BOOK_ID, coaCode: COA_CODE, fiscalCalendarId: CALENDAR_ID },
    ...{ journalCode: JOURNAL_CODE, apJournalCode: AP_JOURNAL_CODE },
  };
}
