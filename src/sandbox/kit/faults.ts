import { z } from 'zod';
import { DROP_CONNECTION, htmlPage, json, type SandboxReply } from './http.js';
import { type Random, seededRandom } from './random.js';

/** What a rule does to a request that it matches. */
export const FAULT_KINDS = [
  /** The connection is cut; nothing was done. */
  'LOSE_REPLY_BEFORE_COMMIT',
  /** The change is done, then the connection is cut. */
  'LOSE_REPLY_AFTER_COMMIT',
  /** The connection is cut at once and the change is done `delayMs` later. */
  'COMMIT_LATE',
  /** 429 with Retry-After; nothing was done. */
  'RATE_LIMIT',
  /** The caller's session or token ends first, then the request runs: the vendor's own refusal comes back. */
  'EXPIRE_SESSION',
  /** An HTML page (`status` 503 or 200) in place of the API's answer; nothing was done. */
  'HTML',
  /** The same, after the change was done. */
  'HTML_AFTER_COMMIT',
  /** Done at once, answered after `delayMs`. */
  'SLOW',
  /** 500; nothing was done. */
  'SERVER_ERROR',
  /** 200 with an empty body; nothing was done. */
  'EMPTY',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const faultRuleSchema = z.strictObject({
  /** Part of the request's path or of the operation's name, in any case; `*` is every request. */
  match: z.string().min(1),
  kind: z.enum(FAULT_KINDS),
  probability: z.number().min(0).max(1).default(1),
  /** Matching requests that pass before the rule begins; how a test reaches the third step of a write. */
  skip: z.int().min(0).default(0),
  /** How often the rule may fire; null is without end. */
  times: z.int().min(0).nullable().default(null),
  delayMs: z.int().min(0).max(600_000).default(0),
  /** Status of the HTML page. */
  status: z.union([z.literal(200), z.literal(503)]).default(503),
  retryAfterSeconds: z.int().min(0).default(1),
});
export const faultRulesSchema = z.strictObject({
  rules: z.array(faultRuleSchema).max(1000),
  /** Starts the random numbers again, so that a run repeats. */
  seed: z.int().optional(),
});

export type FaultRuleInput = z.input<typeof faultRuleSchema>;
export type FaultRule = z.output<typeof faultRuleSchema>;
export interface FaultRuleStatus extends FaultRule {
  fired: number;
  /** How many requests it let pass, see `skip`. */
  passed: number;
}

/** One request to the vendor, prepared but not yet done. */
export interface Exchange {
  /** The operation's name, for rules: say `Transaction/Post GENTJL`. */
  operation: string;
  /**
   * Does the change (or reads) and gives the vendor's answer. Called at most once; nothing may be changed outside of it.
   * The session or token is checked when the exchange is made, not here: a late commit was already admitted, and a
   * caller that logs in again meanwhile must not save itself from it.
   */
  commit(): SandboxReply | Promise<SandboxReply>;
  /** Ends the caller's session or token, so that `commit` gives the vendor's refusal. Without it the answer is 401. */
  expireSession?(): void;
  /** The vendor's own form of a 429 or 500, where it differs from the plain one. */
  rateLimited?(retryAfterSeconds: number): SandboxReply;
  serverError?(): SandboxReply;
}

/** The rules that disturb requests. They are asked in their order and the first that fires wins. */
export class FaultDial {
  private rules: FaultRuleStatus[] = [];
  private random: Random;
  private readonly late = new Set<Promise<void>>();
  private readonly lateFailures: unknown[] = [];
  private readonly timers = new Map<NodeJS.Timeout, () => void>();

  constructor(options: { seed?: number } = {}) {
    this.random = seededRandom(options.seed ?? 1);
  }

  /** Replaces all rules. @throws ZodError naming the field of an unusable rule. */
  set(rules: readonly FaultRuleInput[], seed?: number): void {
    const parsed = faultRulesSchema.parse({ rules, ...(seed === undefined ? {} : { seed }) });
    this.rules = parsed.rules.map((rule) => ({ ...rule, fired: 0, passed: 0 }));
    if (parsed.seed !== undefined) this.random = seededRandom(parsed.seed);
  }

  clear(): void {
    this.rules = [];
  }

  list(): FaultRuleStatus[] {
    return this.rules.map((rule) => ({ ...rule }));
  }

  /** Runs one exchange under the rules. */
  async run(path: string, exchange: Exchange): Promise<SandboxReply | typeof DROP_CONNECTION> {
    const rule = this.draw(path, exchange.operation);
    if (rule === undefined) return exchange.commit();
    switch (rule.kind) {
      case 'LOSE_REPLY_BEFORE_COMMIT':
        return DROP_CONNECTION;
      case 'LOSE_REPLY_AFTER_COMMIT':
        await exchange.commit();
        return DROP_CONNECTION;
      case 'COMMIT_LATE':
        this.commitLate(exchange, rule.delayMs);
        return DROP_CONNECTION;
      case 'RATE_LIMIT':
        return exchange.rateLimited?.(rule.retryAfterSeconds) ?? plainRateLimit(rule.retryAfterSeconds);
      case 'EXPIRE_SESSION':
        if (exchange.expireSession === undefined) return json(401, { error: 'The session has expired.' });
        exchange.expireSession();
        return exchange.commit();
      case 'HTML':
        return faultPage(rule.status);
      case 'HTML_AFTER_COMMIT':
        await exchange.commit();
        return faultPage(rule.status);
      case 'SLOW': {
        const reply = await exchange.commit();
        return (await this.wait(rule.delayMs)) ? reply : DROP_CONNECTION;
      }
      case 'SERVER_ERROR':
        return exchange.serverError?.() ?? json(500, { error: 'Internal Server Error' });
      case 'EMPTY':
        return { status: 200 };
    }
  }

  /** Resolves when no late commit is outstanding. @throws the error of a late commit that failed. */
  async whenLateCommitsApplied(): Promise<void> {
    while (this.late.size > 0) await Promise.all(this.late);
    if (this.lateFailures.length > 0) throw this.lateFailures.shift();
  }

  /** Drops outstanding late commits and slow answers. For the sandbox's end. */
  dispose(): void {
    for (const [timer, cancelled] of this.timers) {
      clearTimeout(timer);
      cancelled();
    }
    this.timers.clear();
  }

  private draw(path: string, operation: string): FaultRule | undefined {
    if (this.rules.length === 0) return undefined;
    const names = [path.toLowerCase(), operation.toLowerCase()];
    for (const rule of this.rules) {
      const part = rule.match.toLowerCase();
      if (part !== '*' && !names.some((name) => name.includes(part))) continue;
      if (rule.passed < rule.skip) {
        rule.passed += 1;
        continue;
      }
      if (rule.times !== null && rule.fired >= rule.times) continue;
      if (rule.probability < 1 && this.random() >= rule.probability) continue;
      rule.fired += 1;
      return rule;
    }
    return undefined;
  }

  private commitLate(exchange: Exchange, delayMs: number): void {
    const work = this.wait(delayMs)
      .then(async (due) => {
        if (due) await exchange.commit();
      })
      .catch((error: unknown) => {
        this.lateFailures.push(error);
      })
      .finally(() => this.late.delete(work));
    this.late.add(work);
  }

  /** @returns false when the sandbox was closed meanwhile. */
  private wait(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve(true);
      }, delayMs);
      this.timers.set(timer, () => resolve(false));
    });
  }
}

function plainRateLimit(retryAfterSeconds: number): SandboxReply {
  return json(429, { error: 'Too Many Requests' }, { 'retry-after': String(retryAfterSeconds) });
}

function faultPage(status: 200 | 503): SandboxReply {
  return htmlPage(status, status === 503 ? 'Service Unavailable' : 'Please sign in');
}
