import type { SandboxDescription } from '../cli/sandboxOutput.js';
import type { SandboxName } from '../sandbox/start.js';
import type { Facts } from './facts.js';
import type { DemoOptions } from './options.js';
import type { Screen } from './screen.js';
import type { Stage } from './stage.js';

export const FLOW_NAMES = [
  'brex-syspro',
  'expensify-syspro',
  'brex-sage-x3',
  'brex-infor-m3',
  'brex-epicor-kinetic',
] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

/** What the simulated systems said about themselves when they had started. */
export type Access = SandboxDescription;

/** For the mutation `connectSystem`, without the name. */
export interface SystemInput {
  readonly kind: string;
  /** Left out where the credentials say where the system is. */
  readonly baseUrl?: string;
  readonly credentials: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface FlowSystem {
  /** As the vendor calls it. */
  readonly title: string;
  readonly sandbox: SandboxName;
  input(access: Access): SystemInput;
}

export interface FlowSource extends FlowSystem {
  /** What one record is called, in the plural. */
  readonly records: string;
  readonly hasWebhooks: boolean;
  /** How many results the source says it was told, from its control `summary`. */
  exported(summary: unknown): number;
  /** What that number counts. */
  readonly exportedWords: string;
}

/** For the mutation `createPipeline`, without the two systems. */
export interface PipelineInput {
  readonly name: string;
  readonly streams: readonly string[];
  readonly documentType: 'JOURNAL' | 'SUPPLIER_INVOICE';
  readonly grouping: 'PER_RECORD' | 'DAILY';
  readonly offsetAccount: string;
  readonly unmatchedVendor: 'HOLD' | 'POST_WITHOUT_SUPPLIER' | 'DEFAULT_ACCOUNT' | 'CREATE_SUPPLIER' | 'SKIP';
  readonly closedPeriod: 'HOLD' | 'NEXT_OPEN_PERIOD';
  readonly correction: 'REVERSE_AND_REPLACE' | 'HOLD';
  readonly defaultAccount?: string;
  readonly postingDate?: 'TRANSACTION_DATE' | 'POSTED_DATE' | 'SYNC_DATE';
  readonly timeZone?: string;
  readonly roundingAccount?: string;
  readonly taxCodes?: Readonly<Record<string, unknown>>;
}

export interface Days {
  readonly from: string;
  readonly to: string;
}

export interface Connected {
  readonly sourceId: string;
  readonly ledgerId: string;
  readonly pipelineId: string;
}

/** One source, one ledger, a pipeline between them, and what the demo lets happen on it. */
export interface Flow {
  readonly name: FlowName;
  readonly title: string;
  readonly source: FlowSource;
  readonly ledger: FlowSystem;
  readonly pipeline: PipelineInput;
  readonly rules: readonly Readonly<Record<string, unknown>>[];
  /** For `ledgergate sandbox`, after the systems. */
  sandboxArguments(options: DemoOptions): string[];
  /** @returns the transaction dates that the print-out is about. */
  run(stage: Stage, screen: Screen, connected: Connected): Promise<Days>;
  /** What the records came from, for the print-out's first line. */
  origin?(access: Access): string;
  /** Prints what only this flow shows. @returns what is not as it must be. */
  finish?(stage: Stage, screen: Screen, facts: Facts): Promise<string[]>;
}

/** @throws Error the sandbox was not started. */
export function accessTo<Name extends SandboxName>(access: Access, name: Name): NonNullable<Access[Name]> {
  const found = access[name];
  if (!found) throw new Error(`The sandbox ${name} did not start.`);
  return found;
}
