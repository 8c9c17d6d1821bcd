import {
  type CompanySeed,
  companySeedSchema,
  FaultDial,
  type LedgerSandbox,
  parseInput,
  startSandboxServer,
} from '../kit/index.js';
import { accessTo, type InforM3Access, Tokens } from './access.js';
import { type Acknowledgement, checkSeed, M3Company } from './company.js';
import {
  type AccountChange,
  type GlBatchView,
  InforM3Controls,
  type Mischief,
  type StagedInvoiceView,
} from './controls.js';
import { M3Gateway } from './gateway.js';
import { MiRunner } from './runner.js';
import { type InforM3Settings, type InforM3SettingsInput, inforM3SettingsSchema } from './settings.js';
import { makeCatalogue } from './tools.js';

export type { InforM3Access, IonApiFile } from './access.js';
export type { Acknowledgement } from './company.js';
export type { AccountChange, GlBatchView, Mischief, StagedInvoiceView } from './controls.js';
export type { InforM3Settings, InforM3SettingsInput, Release } from './settings.js';

export interface InforM3SandboxOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  company: CompanySeed;
  /** For the probabilities of faults. */
  randomSeed?: number;
  settings?: InforM3SettingsInput;
  /** Decides when tokens end, when background work is due and what the day is; default the system's clock. */
  clock?: { now(): Date };
}

/** A running Infor M3. The same controls are under `/_sandbox/`, see the README beside this file. */
export interface RunningInforM3 extends LedgerSandbox {
  /** Everything that a client needs to log in and to write. Plain JSON; none of it opens anything real. */
  readonly access: InforM3Access;
  /** `VTCD` of each tax code of the seed: M3's are numbers of at most two digits. */
  readonly taxCodes: Readonly<Record<string, string>>;
  /** Access tokens given out since the start. */
  tokensIssued(): number;
  settings(): InforM3Settings;
  changeSettings(patch: InforM3SettingsInput): void;
  /** Blocks an accounting identity for manual entry or bounds its validity. */
  changeAccount(change: AccountChange): void;
  /** The next bulk call ends in the middle, or the next writes reach M3 twice or meet a locked record. */
  makeMischief(mischief: Mischief): void;
  /** Does all validations, updates and messages that are waiting. @returns how many. */
  finishBackgroundWork(): number;
  /** What became of the messages that ION took in. */
  acknowledgements(): Acknowledgement[];
  /** Batch invoices with the error texts that no API shows. */
  stagedInvoices(): StagedInvoiceView[];
  glBatches(): GlBatchView[];
}

/**
 * Starts a simulated M3 company behind the ION API gateway.
 * @throws InputError naming the unusable field of the seed or the settings.
 */
export async function startInforM3Sandbox(options: InforM3SandboxOptions): Promise<RunningInforM3> {
  const seed = parseInput(companySeedSchema, options.company);
  checkSeed(seed);
  const settings = parseInput(inforM3SettingsSchema, options.settings ?? {});
  const clock = options.clock ?? { now: () => new Date() };
  const nowMs = (): number => clock.now().getTime();
  const faults = new FaultDial({ seed: options.randomSeed ?? 1 });
  const company = new M3Company(seed, settings, nowMs);
  const tokens = new Tokens(settings, nowMs);
  const runner = new MiRunner(company, makeCatalogue(settings), settings, () => clock.now());
  const gateway = new M3Gateway(company, runner, tokens, settings, nowMs);
  const controls = new InforM3Controls(company, tokens, settings, gateway);
  const http = await startSandboxServer({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    faults,
    exchange: (request) => gateway.exchange(request),
    control: (route, request) =>
      `${request.method} ${route}` === 'GET access'
        ? {
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(accessTo(http.url, settings)),
          }
        : controls.answer(route, request),
  });
  return {
    url: http.url,
    baseUrl: http.url,
    faults,
    access: accessTo(http.url, settings),
    taxCodes: Object.fromEntries(company.taxCodes.map(({ seedCode, code }) => [seedCode, code])),
    documents: (reference) => controls.documents(reference),
    summary: () => controls.summary(),
    suppliers: () => controls.suppliers(),
    setPeriodOpen: (on, open) => controls.setPeriodOpen(on, open),
    setAccountActive: (code, active) => controls.setAccountActive(code, active),
    setSupplierActive: (code, active) => controls.setSupplierActive(code, active),
    expireSessions: () => controls.expireSessions(),
    tokensIssued: () => tokens.issued,
    settings: () => ({ ...settings }),
    changeSettings: (patch) => controls.changeSettings(patch),
    changeAccount: (change) => controls.changeAccount(change),
    makeMischief: (mischief) => controls.makeMischief(mischief),
    finishBackgroundWork: () => controls.finishBackgroundWork(),
    acknowledgements: () => controls.acknowledgements(),
    stagedInvoices: () => controls.stagedInvoices(),
    glBatches: () => controls.glBatches(),
    reset: () => controls.reset(),
    close: () => http.close(),
  };
}
