import { described } from '../../../src/cli/sandboxOutput.js';
import type { Access, Flow } from '../../../src/demo/flow.js';
import { readOptions } from '../../../src/demo/options.js';
import {
  DROP_CONNECTION,
  type Exchange,
  type FaultDial,
  htmlPage,
  json,
  type SandboxReply,
} from '../../../src/sandbox/kit/index.js';
import {
  type RunningSandboxes,
  type SandboxName,
  type SandboxSettings,
  startSandboxes,
} from '../../../src/sandbox/start.js';

/** What happens to a call once the disturbances have begun; those of null pass. */
type Disturbance = 'UNAUTHORISED' | 'TELLING_PAGE' | 'LOST_BEFORE' | 'LOST_AFTER' | 'GARBAGE' | 'SERVER_ERROR';

const ORDER: readonly Disturbance[] = [
  'LOST_BEFORE',
  'UNAUTHORISED',
  'TELLING_PAGE',
  'GARBAGE',
  'LOST_AFTER',
  'SERVER_ERROR',
  'UNAUTHORISED',
  'LOST_AFTER',
];
/** Calls between two disturbances, so that work goes on. */
const PASSING = 3;

/**
 * A system that is disturbed by each kind of fault in turn, shows the caller's own secrets on its error pages, and tells
 * the test every session and token that it gives out.
 */
export class HostileSandbox {
  readonly done = new Set<Disturbance>();
  private isOn = false;
  private calls = 0;
  private readonly left = [...ORDER];

  constructor(
    dial: FaultDial,
    private readonly secrets: ReadonlySet<string>,
    private readonly onToken: (token: string) => void,
    private readonly isSource: boolean,
  ) {
    dial.run = (_path, exchange) => this.answer(exchange);
  }

  begin(): void {
    this.isOn = true;
  }

  get isThrough(): boolean {
    return this.left.length === 0;
  }

  private async answer(exchange: Exchange): Promise<SandboxReply | typeof DROP_CONNECTION> {
    if (!this.isOn) return this.heard(exchange);
    this.calls += 1;
    const disturbance = this.calls % PASSING === 0 ? this.left.shift() : undefined;
    if (disturbance === undefined) return this.heard(exchange);
    this.done.add(disturbance);
    const words = [...this.secrets].join(' ');
    switch (disturbance) {
      case 'UNAUTHORISED':
        // What a source is asked with is no session: one that ends never comes back, and neither does its token.
        if (this.isSource || exchange.expireSession === undefined) return json(401, { error: words });
        exchange.expireSession();
        return this.heard(exchange);
      case 'TELLING_PAGE':
        return htmlPage(503, `Service unavailable for ${words}`);
      case 'GARBAGE':
        return { status: 200, headers: { 'content-type': 'application/json' }, body: `{"half": "${words}` };
      case 'SERVER_ERROR':
        return exchange.serverError?.() ?? json(500, { error: 'Internal Server Error' });
      case 'LOST_AFTER':
        await this.heard(exchange);
        return DROP_CONNECTION;
      case 'LOST_BEFORE':
        return DROP_CONNECTION;
    }
  }

  private async heard(exchange: Exchange): Promise<SandboxReply> {
    const reply = await exchange.commit();
    const body = String(reply.body ?? '');
    for (const [, token] of body.matchAll(/"(?:access_token|refresh_token|id_token)"\s*:\s*"([^"]+)"/g)) {
      if (token !== undefined) this.onToken(token);
    }
    if (/Logon/i.test(exchange.operation) && reply.status === 200 && /^[\w-]{20,80}\s*$/.test(body)) {
      this.onToken(body.trim());
    }
    return reply;
  }
}

export interface HostileCompany {
  readonly access: Access;
  readonly source: HostileSandbox;
  readonly ledger: HostileSandbox;
  close(): Promise<void>;
}

/** The switches that the flow's demo starts its systems with, from its command line: `--settings name={…}`. */
function settingsOf(flow: Flow): Partial<SandboxSettings> {
  const options = readOptions([]);
  const given = (options ? flow.sandboxArguments(options) : []).flatMap((word) => {
    const [, name, text] = /^([a-z0-9-]+)=(\{.*)$/.exec(word) ?? [];
    return name === undefined || text === undefined ? [] : [[name, JSON.parse(text)] as const];
  });
  return Object.fromEntries(given) as Partial<SandboxSettings>;
}

/** Both systems of one way through the gateway. */
export async function startHostileCompany(
  flow: Flow,
  secrets: { readonly source: ReadonlySet<string>; readonly ledger: ReadonlySet<string> },
  onToken: (token: string) => void,
): Promise<HostileCompany> {
  const running: RunningSandboxes = await startSandboxes({
    which: [flow.source.sandbox, flow.ledger.sandbox],
    scenario: { kind: 'month', seed: 7, month: '2026-10', purchases: 200, reports: 60 },
    settings: settingsOf(flow),
  });
  const system = (name: SandboxName, isSource: boolean): HostileSandbox => {
    const started = running[name];
    if (started === null) throw new Error(`The sandbox ${name} did not start.`);
    return new HostileSandbox(started.sandbox.faults, isSource ? secrets.source : secrets.ledger, onToken, isSource);
  };
  const source = system(flow.source.sandbox, true);
  const ledger = system(flow.ledger.sandbox, false);
  return { access: described(running), source, ledger, close: () => running.close() };
}
