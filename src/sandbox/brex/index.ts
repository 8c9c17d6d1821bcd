import { FaultDial, startSandboxServer } from '../kit/index.js';
import { BrexApp } from './app.js';
import { BrexControl } from './control.js';
import { answerControl } from './controlHttp.js';
import type { BrexSeed } from './seed.js';
import { type BrexSettings, DEFAULT_SETTINGS, SETTINGS } from './settings.js';

export { blankAccount, SANDBOX_ACCESS } from './blankAccount.js';
export { BrexControl, type WebhookOrder } from './control.js';
export type * from './seed.js';
export { type BrexSettings, DEFAULT_SETTINGS } from './settings.js';
export type { BrexSummary, CurrencyTotal, StreamSummary } from './summary.js';
export { type Delivery, signature } from './webhookSender.js';

export interface BrexSandboxOptions {
  /** 0 or absent takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  data: BrexSeed;
  /** Decides which objects are odd, and the fault dial's draws. Default 1. */
  randomSeed?: number;
  /**
   * Wall clock for token lifetimes, rate limits and webhook timestamps. What is visible follows the account's own "now"
   * in `data.now`, moved by `control.setNow`.
   */
  clock?: { now(): Date };
  settings?: Partial<BrexSettings>;
}

export interface RunningBrex {
  url: string;
  faults: FaultDial;
  control: BrexControl;
  close(): Promise<void>;
}

/** Starts a simulated Brex account as a real HTTP server. The data is not changed; several servers may share it. */
export async function startBrexSandbox(options: BrexSandboxOptions): Promise<RunningBrex> {
  const randomSeed = options.randomSeed ?? 1;
  const settings = SETTINGS.parse({ ...DEFAULT_SETTINGS, ...options.settings });
  const faults = new FaultDial({ seed: randomSeed });
  const nowMs = () => (options.clock?.now() ?? new Date()).getTime();
  const app = new BrexApp({ data: options.data, settings, randomSeed, nowMs });
  const control = new BrexControl(app);
  const http = await startSandboxServer({
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.host === undefined ? {} : { host: options.host }),
    faults,
    exchange: (request) => app.exchange(request),
    control: (route, request) => answerControl(control, route, request),
  });
  app.parts.shapes.receipts.baseUrl = http.url;
  return {
    url: http.url,
    faults,
    control,
    close: async () => {
      app.parts.webhooks.close();
      await http.close();
    },
  };
}
