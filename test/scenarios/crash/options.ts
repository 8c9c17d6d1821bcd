import type { Product } from '../support/product.js';
import type { CrashLedger, Documents } from './ledger.js';

export const PATIENCE_MS = 600_000;

export interface CrashOptions {
  readonly ledger: CrashLedger;
  readonly documents: Documents;
  readonly kills: number;
  readonly seed: number;
  /** Purchases of the generated month; more arrive while the workers are being killed. */
  readonly purchases: number;
  /** Workers that are stopped for so long that their leases run out: a minute each, so not in a short run. */
  readonly longPauses: number;
  /** Workers at once. More than two let kills come close together where a worker takes long to start. */
  readonly workers?: number;
  /** No kill after so many minutes, however many are left: on a busy machine a worker takes long to start. */
  readonly minutes?: number;
  /** How long is waited for any one thing to happen before the run counts as stuck; ten minutes. */
  readonly patienceMs?: number;
  readonly product: Product;
  readonly databaseUrl: string;
  readonly say?: (line: string) => void;
}
