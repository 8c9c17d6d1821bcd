import { FaultDial, parseInput, startSandboxServer } from '../kit/index.js';
import { answerControl } from './controlHttp.js';
import { ExpensifyHands, type Parts } from './hands.js';
import { ExportJobs } from './jobs.js';
import { CallLimits } from './limits.js';
import { TemplateModel } from './model.js';
import { type ExpensifySeed, parseExpensifySeed } from './seed.js';
import { ENDPOINT, IntegrationServer } from './service.js';
import { type ExpensifySettingsInput, expensifySettingsSchema } from './settings.js';
import { ExpensifyStore } from './store.js';

export { type ExpenseView, ExpensifyHands, type ReportView } from './hands.js';
export type { JobView } from './jobs.js';
export {
  type ExpensifySeed,
  expensifySeedSchema,
  type ParsedExpensifySeed,
  parseExpensifySeed,
  type SeedExpense,
  type SeedReport,
} from './seed.js';
export {
  type ExpensifySettings,
  type ExpensifySettingsInput,
  expensifySettingsSchema,
  NOT_READY_FORMS,
  type NotReadyForm,
} from './settings.js';
export type { ReportState } from './store.js';
export type { ExpensifySummary, ReportTotals } from './summary.js';

/** What a connection to every simulated Expensify is configured with. It opens nothing real. */
export const EXPENSIFY_ACCESS = {
  partnerUserID: 'aa_gateway_halvorsen_example',
  partnerUserSecret: 'sandbox-expensify-secret',
} as const;

export interface ExpensifySandboxOptions {
  /** 0 or absent takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  seed: ExpensifySeed;
  /** Decides the order of reports, which blank fields are left out, and the fault dial's draws. Default 1. */
  randomSeed?: number;
  settings?: ExpensifySettingsInput;
  /**
   * Wall clock for call limits and for when jobs run. What is visible follows the account's own "now" in `seed.now`,
   * moved by `setNow`.
   */
  clock?: { now(): Date };
}

export interface ExpensifyAccess {
  partnerUserID: string;
  partnerUserSecret: string;
  policyIDs: string[];
}

/** A running Expensify. The same controls are below `/_sandbox/`, see the README beside this file. */
export interface RunningExpensify
  extends Pick<
    ExpensifyHands,
    | 'now'
    | 'setNow'
    | 'summary'
    | 'reports'
    | 'report'
    | 'approve'
    | 'unapprove'
    | 'reimburse'
    | 'editExpense'
    | 'addExpense'
    | 'addReport'
    | 'changeCategory'
    | 'markedReports'
    | 'jobs'
    | 'truncateNextFiles'
    | 'requestCounts'
    | 'settings'
    | 'changeSettings'
    | 'reset'
  > {
  url: string;
  /** What a connection to it is configured with: `…/Integration-Server/ExpensifyIntegrations`. */
  baseUrl: string;
  access: ExpensifyAccess;
  faults: FaultDial;
  close(): Promise<void>;
}

/**
 * Starts a simulated Expensify account behind its Integration Server. The seed is not changed; several may share it.
 * @throws InputError naming the unusable field of the seed or the settings.
 */
export async function startExpensifySandbox(options: ExpensifySandboxOptions): Promise<RunningExpensify> {
  const seed = parseExpensifySeed(options.seed);
  const settings = parseInput(expensifySettingsSchema, options.settings ?? {});
  const randomSeed = options.randomSeed ?? 1;
  const nowMs = () => (options.clock?.now() ?? new Date()).getTime();
  const faults = new FaultDial({ seed: randomSeed });
  const makeParts = (): Parts => {
    const store = new ExpensifyStore(seed);
    const model = new TemplateModel(store, settings, randomSeed);
    return { store, jobs: new ExportJobs(store, model, settings, randomSeed, nowMs) };
  };
  let parts = makeParts();
  const limits = new CallLimits(nowMs);
  const server = new IntegrationServer(() => parts, settings, EXPENSIFY_ACCESS, limits);
  const hands = new ExpensifyHands(
    () => parts,
    settings,
    server,
    limits,
    () => {
      parts = makeParts();
    },
  );
  const http = await startSandboxServer({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    faults,
    exchange: (request) => server.exchange(request),
    control: (route, request) => answerControl(hands, route, request),
  });
  return {
    ...bound(hands),
    url: http.url,
    baseUrl: `${http.url}${ENDPOINT}`,
    access: { ...EXPENSIFY_ACCESS, policyIDs: seed.policies.map(({ id }) => id) },
    faults,
    close: () => http.close(),
  };
}

/** The hands as plain functions, so that a caller may take them out of the object. */
function bound(hands: ExpensifyHands) {
  return {
    now: () => hands.now(),
    setNow: (now: string) => hands.setNow(now),
    summary: () => hands.summary(),
    reports: hands.reports.bind(hands),
    report: hands.report.bind(hands),
    approve: hands.approve.bind(hands),
    unapprove: hands.unapprove.bind(hands),
    reimburse: hands.reimburse.bind(hands),
    editExpense: hands.editExpense.bind(hands),
    addExpense: hands.addExpense.bind(hands),
    addReport: hands.addReport.bind(hands),
    changeCategory: hands.changeCategory.bind(hands),
    markedReports: hands.markedReports.bind(hands),
    jobs: hands.jobs.bind(hands),
    truncateNextFiles: hands.truncateNextFiles.bind(hands),
    requestCounts: hands.requestCounts.bind(hands),
    settings: hands.settings.bind(hands),
    changeSettings: hands.changeSettings.bind(hands),
    reset: hands.reset.bind(hands),
  };
}
