import { randomBytes } from 'node:crypto';
import { EnetError, OBSERVED, PLACEHOLDER_TEXTS } from './failures.js';
import type { ParsedSysproSeed } from './seed.js';
import type { SysproSettings } from './settings.js';

export type Operator = ParsedSysproSeed['operators'][number];

export interface LogonRequest {
  operator: string;
  password: string;
  companyId: string;
  companyPassword: string;
  failWhenLoggedIn: boolean;
}

interface Session {
  id: string;
  operator: Operator;
  lastUsedMs: number;
}

export interface SessionInfo {
  operator: string;
  idleSeconds: number;
}

/**
 * Who is logged in. One session per operator: a new logon ends the old one, whoever holds it, unless it asks to fail
 * instead (SYSPRO e.net REST: sessions, licences, concurrency).
 */
export class SysproSessions {
  private readonly byId = new Map<string, Session>();
  /** Logons that succeeded, for tests that count them. */
  logons = 0;

  constructor(
    private readonly seed: ParsedSysproSeed,
    private readonly settings: SysproSettings,
    private readonly nowMs: () => number,
  ) {}

  /** @returns the id: 34 hex characters and two blanks. @throws EnetError the logon was refused. */
  logon(request: LogonRequest): string {
    const operator = this.authenticate(request);
    this.dropIdle();
    const held = [...this.byId.values()].find((session) => session.operator === operator);
    if (held !== undefined && request.failWhenLoggedIn) throw new EnetError(PLACEHOLDER_TEXTS.loggedInElsewhere);
    if (held !== undefined) this.byId.delete(held.id);
    if (this.byId.size >= this.settings.seats) throw new EnetError(PLACEHOLDER_TEXTS.noSeat);
    const id = randomBytes(17).toString('hex').toUpperCase();
    this.byId.set(id, { id, operator, lastUsedMs: this.nowMs() });
    this.logons += 1;
    return `${id}  `;
  }

  /** @returns the operator of a live session, whose idle time begins again. @throws EnetError there is none. */
  use(userId: string): Operator {
    this.dropIdle();
    const session = this.byId.get(userId.trim());
    if (session === undefined) throw new EnetError(OBSERVED.badSession);
    session.lastUsedMs = this.nowMs();
    return session.operator;
  }

  end(userId: string): void {
    this.byId.delete(userId.trim());
  }

  /** @returns how many sessions ended. */
  endAll(): number {
    const count = this.byId.size;
    this.byId.clear();
    return count;
  }

  /** Never shows the ids: they are as good as a password. */
  list(): SessionInfo[] {
    this.dropIdle();
    const now = this.nowMs();
    return [...this.byId.values()].map(({ operator, lastUsedMs }) => ({
      operator: operator.name,
      idleSeconds: Math.floor((now - lastUsedMs) / 1000),
    }));
  }

  private authenticate(request: LogonRequest): Operator {
    const name = request.operator.trim().toUpperCase();
    const operator = this.seed.operators.find((candidate) => candidate.name.toUpperCase() === name);
    if (operator === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badOperator);
    if (operator.password !== request.password) throw new EnetError(OBSERVED.badPassword);
    if (this.seed.companyId.toUpperCase() !== request.companyId.trim().toUpperCase()) {
      throw new EnetError(PLACEHOLDER_TEXTS.badCompany);
    }
    if (this.seed.companyPassword !== request.companyPassword) {
      throw new EnetError(PLACEHOLDER_TEXTS.badCompanyPassword);
    }
    return operator;
  }

  private dropIdle(): void {
    const oldest = this.nowMs() - this.settings.idleSeconds * 1000;
    for (const session of this.byId.values()) if (session.lastUsedMs < oldest) this.byId.delete(session.id);
  }
}
