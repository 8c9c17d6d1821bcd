import type { Product } from '../support/product.js';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** Purchases of the generated month; more arrive while the workers are being killed. */
  readonly purchases: number;
  /** Workers that are stopped for so long that their leases run out: a minute each, so not in a short run. */
  readonly longPauses: number;
  readonly product: Product;
  readonly databaseUrl: string;
  readonly say?: (line: string) => void;
}

/** Short, so that the settling of lost answers is a matter of seconds. The simulated ledger keeps to it. */
export const SUBMIT_TIMEOUT_S = 2;
export const SETTLING_S = 1;
