import type {
  ConnectionContext,
  CredentialVault,
  RenewedCredential,
  SharedQuota,
  SharedSession,
} from '../../src/connectors/contract.js';
import { createLogger } from '../../src/logger.js';

/** What the engine gives a connector, for one process and in memory. */

export class MemoryVault<C> implements CredentialVault<C> {
  rotations = 0;
  /** What the last renewal said about its end. */
  last: RenewedCredential<C> | null = null;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(public credential: C) {}

  async read(): Promise<C> {
    return this.credential;
  }

  rotate(isStale: (current: C) => boolean, renew: (current: C) => Promise<RenewedCredential<C>>): Promise<C> {
    const next = this.turn.then(async () => {
      if (!isStale(this.credential)) return this.credential;
      this.last = await renew(this.credential);
      this.rotations += 1;
      this.credential = this.last.credential;
      return this.credential;
    });
    this.turn = next.catch(() => undefined);
    return next;
  }
}

export class MemorySession implements SharedSession {
  token: string | null = null;
  logons = 0;
  private turn: Promise<unknown> = Promise.resolve();

  async current(): Promise<string | null> {
    return this.token;
  }

  renew(stale: string | null, logon: () => Promise<{ token: string; expiresAt: Date | null }>): Promise<string> {
    const next = this.turn.then(async () => {
      if (this.token !== null && this.token !== stale) return this.token;
      const { token } = await logon();
      this.logons += 1;
      this.token = token;
      return token;
    });
    this.turn = next.catch(() => undefined);
    return next;
  }

  async end(token: string, logoff: (token: string) => Promise<void>): Promise<void> {
    if (this.token !== token) return;
    await logoff(token);
    this.token = null;
  }
}

/** Counts the calls and lets every one through. */
export class OpenQuota implements SharedQuota {
  taken = 0;
  readonly blocks: number[] = [];

  async take(): Promise<void> {
    this.taken += 1;
  }

  async block(waitMs: number): Promise<void> {
    this.blocks.push(waitMs);
  }
}

export interface ContextOptions<C> {
  readonly vault?: CredentialVault<C>;
  readonly session?: SharedSession;
  readonly quota?: SharedQuota;
  readonly systemId?: string;
  readonly now?: () => Date;
  readonly signal?: AbortSignal;
}

let systems = 0;

/** A connection's context. Every system has an id of its own, so that nothing is shared between tests by chance. */
export function contextFor<C, S>(
  baseUrl: string,
  credentials: C,
  settings: S,
  options: ContextOptions<C> = {},
): ConnectionContext<C, S> {
  systems += 1;
  return {
    tenantId: 'tenant',
    systemId: options.systemId ?? `system-${systems}`,
    baseUrl,
    settings,
    credentials: options.vault ?? new MemoryVault(credentials),
    session: options.session ?? new MemorySession(),
    quota: options.quota ?? new OpenQuota(),
    clock: { now: options.now ?? (() => new Date()) },
    logger: createLogger('silent'),
    ...(options.signal ? { signal: options.signal } : {}),
  };
}
