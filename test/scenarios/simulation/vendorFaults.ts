import { DROP_CONNECTION, htmlPage, json } from '../../../src/sandbox/kit/http.js';
import type { Exchange, FaultDial, FaultKind, SandboxReply } from '../../../src/sandbox/kit/index.js';
import type { Random } from '../support/random.js';
import { SETTLING_S } from './ledgers.js';
import type { SourceFault } from './memorySource.js';
import type { SimProcess } from './simProcess.js';
import type { SimulatedTime } from './time.js';

const WEIGHTS: readonly (readonly [FaultKind, number])[] = [
  ['LOSE_REPLY_BEFORE_COMMIT', 16],
  ['LOSE_REPLY_AFTER_COMMIT', 20],
  ['COMMIT_LATE', 16],
  ['RATE_LIMIT', 10],
  ['EXPIRE_SESSION', 10],
  ['HTML', 8],
  ['HTML_AFTER_COMMIT', 8],
  ['SERVER_ERROR', 6],
  ['EMPTY', 4],
];
const SOURCE_FAULTS: readonly SourceFault[] = ['UNREACHABLE', 'THROTTLED', 'UNREADABLE', 'LOST_AFTER'];
/** A late write, and what the ledger does by itself after it, comes before the settling time is over. */
const LATEST_MS = SETTLING_S * 1_000 - 1_000;

/** Of the calls, those before which the ledger's own people change something. */
const MEANWHILE_SHARE = 0.02;

/** Where a call arrives. */
export type Door = 'ledger' | 'source';

export interface CallCounts {
  calls: number;
  disturbed: number;
  readonly byKind: Record<string, number>;
}

/** Stands at the doors of the simulated systems: a share of all calls goes wrong, as the seed decides. */
export class VendorFaults {
  readonly counts: CallCounts = { calls: 0, disturbed: 0, byKind: {} };
  isOn = true;
  /** Until then the ledger's server ends every connection. */
  awayUntilMs = 0;
  /** What happens in the ledger while somebody is at work with it: between its answer to a check, say, and the write. */
  meanwhile: () => void = () => undefined;
  /** Whoever calls at the moment. */
  caller: SimProcess | null = null;
  private readonly random: Random;
  private readonly time: SimulatedTime;
  private readonly share: number;

  constructor(random: Random, time: SimulatedTime, share: number) {
    this.random = random;
    this.time = time;
    this.share = share;
  }

  standAt(dial: FaultDial, door: Door): void {
    dial.run = (_path, exchange) => this.run(exchange, door);
  }

  /** What the source does to a call. */
  readonly ofSource = (operation: string): SourceFault | null => {
    if (!this.isOn) return null;
    this.counts.calls += 1;
    if (!this.random.chance(this.share)) return null;
    const fault = this.random.pick(operation === 'report' ? SOURCE_FAULTS : SOURCE_FAULTS.slice(0, 3));
    this.note(`source ${fault}`);
    return fault;
  };

  private async run(exchange: Exchange, door: Door): Promise<SandboxReply | typeof DROP_CONNECTION> {
    const { caller } = this;
    if (this.isOn) this.counts.calls += 1;
    caller?.beforeCall();
    if (caller?.isDead) return DROP_CONNECTION;
    const reply = await this.answer(exchange, door);
    await caller?.afterCall();
    return caller?.isDead ? DROP_CONNECTION : reply;
  }

  private async answer(exchange: Exchange, door: Door): Promise<SandboxReply | typeof DROP_CONNECTION> {
    if (!this.isOn) return exchange.commit();
    if (this.random.chance(MEANWHILE_SHARE)) this.meanwhile();
    if (door === 'ledger' && this.time.nowMs < this.awayUntilMs) {
      this.note('AWAY');
      return DROP_CONNECTION;
    }
    if (!this.random.chance(this.share)) return exchange.commit();
    const kind = this.draw();
    this.note(door === 'source' ? `source ${kind}` : kind);
    switch (kind) {
      case 'LOSE_REPLY_AFTER_COMMIT':
        await exchange.commit();
        return DROP_CONNECTION;
      case 'COMMIT_LATE':
        this.time.later(this.random.int(1, LATEST_MS), async () => {
          await exchange.commit();
        });
        return DROP_CONNECTION;
      case 'RATE_LIMIT': {
        const seconds = this.random.int(1, 30);
        const plain = json(429, { error: 'Too Many Requests' }, { 'retry-after': String(seconds) });
        return exchange.rateLimited?.(seconds) ?? plain;
      }
      case 'EXPIRE_SESSION':
        exchange.expireSession?.();
        return exchange.commit();
      case 'HTML':
        return htmlPage(this.random.pick([200, 503]), 'Please wait');
      case 'HTML_AFTER_COMMIT':
        await exchange.commit();
        return htmlPage(this.random.pick([200, 503]), 'Please wait');
      case 'SERVER_ERROR':
        return exchange.serverError?.() ?? json(500, { error: 'Internal Server Error' });
      case 'EMPTY':
        return { status: 200, body: '' };
      default:
        return DROP_CONNECTION;
    }
  }

  private draw(): FaultKind {
    let left = this.random.next() * WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of WEIGHTS) {
      left -= weight;
      if (left < 0) return kind;
    }
    return 'LOSE_REPLY_BEFORE_COMMIT';
  }

  private note(kind: string): void {
    this.counts.disturbed += 1;
    this.counts.byKind[kind] = (this.counts.byKind[kind] ?? 0) + 1;
  }
}
