import type { FaultRuleInput, LedgerDocumentView, LedgerSandbox } from '../../../src/sandbox/kit/index.js';
import type { MonthScenario } from '../../../src/sandbox/scenario/index.js';
import type { Product } from '../support/product.js';

/** What the crash test must know of one ledger; everything else is the same for all of them. */
export interface CrashLedger {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** The first is the default. */
  readonly documents: readonly Documents[];
  start(product: Product, plan: LedgerPlan): Promise<StartedLedger>;
}

export type Documents = 'journal' | 'invoice';

export interface LedgerPlan {
  readonly month: MonthScenario;
  readonly documents: Documents;
  /** For the probabilities of faults. */
  readonly seed: number;
}

export interface StartedLedger {
  readonly sandbox: LedgerSandbox;
  /** As `ConnectSystemInput.kind`. */
  readonly kind: string;
  readonly credentials: unknown;
  /** With `submitTimeoutS` and `settlingS`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** As `CreatePipelineInput`. */
  readonly pipeline: Readonly<Record<string, unknown>>;
  /** Short, so that the settling of lost answers is a matter of seconds. */
  readonly submitTimeoutS: number;
  readonly settlingS: number;
  /** Calls that change something. Matched against the path and the operation of a request. */
  readonly writes: RegExp;
  /** So many of them are about one document, so that a kill may come at any of them. */
  readonly writesOfDocument: number;
  /** The one call among them that puts a document into the books. */
  readonly decides: RegExp;
  readonly faults: readonly FaultRuleInput[];
  /** Types of documents of which an attempt that was given up stays in the ledger, outside the books. */
  readonly keepsAbandoned: readonly LedgerDocumentView['type'][];
  /** Types of which the ledger keeps what it turned down, with its reasons, until the posting is given up or sent again. */
  readonly keepsRefused: readonly LedgerDocumentView['type'][];
  /** One and the same name for a document in the ledger and for the id that the gateway has of it. */
  nameOf(document: LedgerDocumentView): string;
  nameIn(ledgerDocumentId: string): string;
}

/** Parts of paths or operations of a ledger, for its fault rules. */
export interface CallsOfLedger {
  /** The calls that put a document into the books. */
  readonly deciding: readonly string[];
  /** Calls that prepare it. Every document takes many of them, so that each is disturbed more seldom. */
  readonly otherWrites: readonly string[];
  readonly reads: readonly string[];
}

/** Late commits come this late, well within the settling time of every connection. */
export const LATE_MS = 600;

/** What goes wrong at a ledger meanwhile. Late commits keep to the settling time that the connection is set to. */
export function faultsOf(calls: CallsOfLedger, submitTimeoutS: number): FaultRuleInput[] {
  const many = calls.otherWrites.length > 0;
  const share = many ? 0.6 : 1;
  const deciding: Omit<FaultRuleInput, 'match'>[] = [
    { kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: 0.04 * share },
    { kind: 'LOSE_REPLY_AFTER_COMMIT', probability: 0.05 * share },
    { kind: 'COMMIT_LATE', probability: 0.04 * share, delayMs: LATE_MS },
    { kind: 'HTML', probability: 0.03 * share },
    { kind: 'HTML_AFTER_COMMIT', probability: 0.03 * share },
    { kind: 'RATE_LIMIT', probability: 0.03 * share, retryAfterSeconds: 1 },
    { kind: 'EXPIRE_SESSION', probability: 0.03 * share },
    { kind: 'EMPTY', probability: 0.01 * share },
    { kind: 'SLOW', probability: 0.01 * share, delayMs: submitTimeoutS * 1_000 + 600 },
  ];
  const other: Omit<FaultRuleInput, 'match'>[] = [
    { kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: 0.003 },
    { kind: 'LOSE_REPLY_AFTER_COMMIT', probability: 0.005 },
    { kind: 'COMMIT_LATE', probability: 0.005, delayMs: LATE_MS },
    { kind: 'HTML', probability: 0.002 },
    { kind: 'HTML_AFTER_COMMIT', probability: 0.003 },
    { kind: 'RATE_LIMIT', probability: 0.002, retryAfterSeconds: 1 },
    { kind: 'EXPIRE_SESSION', probability: 0.004 },
    { kind: 'EMPTY', probability: 0.001 },
  ];
  const reading: Omit<FaultRuleInput, 'match'>[] = [
    { kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: 0.002 },
    { kind: 'HTML', probability: 0.002 },
    { kind: 'RATE_LIMIT', probability: 0.001, retryAfterSeconds: 1 },
    { kind: 'EXPIRE_SESSION', probability: 0.004 },
  ];
  return [
    ...calls.deciding.flatMap((match) => deciding.map((rule) => ({ match, ...rule }))),
    ...calls.otherWrites.flatMap((match) => other.map((rule) => ({ match, ...rule }))),
    ...calls.reads.flatMap((match) => reading.map((rule) => ({ match, ...rule }))),
    // So that there is such a thing as the middle of a submit.
    ...calls.deciding.map((match): FaultRuleInput => ({ match, kind: 'SLOW', probability: 0.4, delayMs: 40 })),
    ...calls.otherWrites.map((match): FaultRuleInput => ({ match, kind: 'SLOW', probability: 0.1, delayMs: 20 })),
  ];
}
