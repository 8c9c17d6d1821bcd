import type { Engine } from './engine.js';
import type { ClaimedPosting } from './ledgerWork.js';
import { type ExportStreams, type Result, settle } from './settle.js';

interface Settlement {
  readonly posting: ClaimedPosting;
  readonly result: Result;
  readonly exports: ExportStreams;
}

/**
 * Stores results while the next document is already on its way: what came in during one transaction goes into the next
 * one together. A process that dies before its results are stored leaves them in doubt, and the ledger is asked.
 */
export class Settler {
  private waiting: Settlement[] = [];
  private working: Promise<void> | null = null;
  private failure: { readonly error: unknown } | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly tenantId: string,
  ) {}

  /** Storing failed: nothing more may be sent, because its result could not be stored either. */
  get hasFailed(): boolean {
    return this.failure !== null;
  }

  add(settlement: Settlement): void {
    this.waiting.push(settlement);
    this.working ??= this.work();
  }

  private async work(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const together = this.waiting;
        this.waiting = [];
        await this.engine.db.tenant(this.tenantId, async (tx) => {
          for (const { posting, result, exports } of together) await settle(this.engine, tx, posting, result, exports);
        });
      }
    } catch (error) {
      this.failure = { error };
    } finally {
      this.working = null;
    }
  }

  /** Resolves when all that was added is stored. @throws what kept a result from being stored. */
  async finish(): Promise<void> {
    while (this.working !== null) await this.working;
    if (this.failure) throw this.failure.error;
  }
}
