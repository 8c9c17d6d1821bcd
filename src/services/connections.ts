import type { LedgerConnection, LedgerConnector, SpendConnection, SpendConnector } from '../connectors/contract.js';
import type { SystemKind, SystemStatus } from '../domain/vocabulary.js';

/** A connected system as stored, without its secrets. */
export interface SystemFacts {
  readonly tenantId: string;
  readonly id: string;
  readonly kind: SystemKind;
  readonly name: string;
  readonly baseUrl: string;
  readonly status: SystemStatus;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface OpenSpend {
  readonly system: SystemFacts;
  readonly connector: SpendConnector;
  readonly connection: SpendConnection;
}

export interface OpenLedger {
  readonly system: SystemFacts;
  readonly connector: LedgerConnector;
  readonly connection: LedgerConnection;
}

/** Live connections of this process, one a system, opened on first use and kept until the system changes. */
export interface Connections {
  /** @throws ConfigurationError no such system, not a spend system, or disabled. */
  spend(tenantId: string, systemId: string): Promise<OpenSpend>;
  /** @throws ConfigurationError no such system, not a ledger, or disabled. */
  ledger(tenantId: string, systemId: string): Promise<OpenLedger>;
  /**
   * The credential has just worked. Written down at most once an hour and process, with the day until which a credential
   * that lives on use now lives.
   */
  noteUse(tenantId: string, systemId: string): Promise<void>;
  /** After a change of address, settings or credentials: the next use opens anew. Other processes notice by themselves. */
  forget(tenantId: string, systemId: string): void;
  /** Ends what this process holds; sessions at vendors only when no other process of ours lives. */
  closeAll(options: { lastProcess: boolean }): Promise<void>;
}
