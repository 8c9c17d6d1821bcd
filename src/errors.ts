/**
 * The errors of the whole product. One base class; what to *do* about an error is data (`decision`), so that the job
 * runner, the GraphQL formatter and the audit writer each read a field and nobody branches on error text.
 *
 * No field of an error may hold a secret: not a token, a password, a session id or a URL with a query string.
 */

/** What the program does about an error. */
export type Decision =
  /** Wait until a person changed a setting, a mapping or master data. */
  | 'HOLD'
  /** Stop using the connection, raise one alert, go on when somebody reconnects it. */
  | 'PAUSE_CONNECTION'
  /** The ledger said no; a person decides. */
  | 'REJECT'
  /** Try again later; bounded. Never chosen for a write that may have happened. */
  | 'RETRY'
  /** Nobody knows whether the write happened: ask the ledger first. */
  | 'PROBE'
  /** The caller sent something unusable; nothing was done. */
  | 'REFUSE'
  /** A bug or a conflict: stop and tell the developers. Never retried. */
  | 'STOP';

export interface ErrorDetails {
  /** Machine-readable, UPPER_SNAKE_CASE, stable across versions. */
  code?: string;
  /** Facts for the log and the audit trail. Never secrets. */
  detail?: Record<string, unknown>;
  cause?: unknown;
}

export abstract class LedgergateError extends Error {
  abstract readonly decision: Decision;
  readonly code: string;
  readonly detail: Record<string, unknown>;

  /** @param userMessage what happened and who can fix it where, in one or two sentences a finance person understands. */
  constructor(
    readonly userMessage: string,
    defaultCode: string,
    details: ErrorDetails = {},
  ) {
    super(userMessage, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code ?? defaultCode;
    this.detail = details.detail ?? {};
  }
}

/** A setting is missing or unusable. */
export class ConfigurationError extends LedgergateError {
  readonly decision = 'HOLD';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'CONFIGURATION', details);
  }
}

/** Input from outside does not have the form that is asked for. `path` names the field. */
export class InputError extends LedgergateError {
  readonly decision = 'REFUSE';
  constructor(
    userMessage: string,
    readonly path: readonly string[] = [],
    details?: ErrorDetails,
  ) {
    super(userMessage, 'BAD_INPUT', details);
  }
}

/** A login or token was refused and renewing it did not help: the owner of the connection must act. */
export class CredentialsError extends LedgergateError {
  readonly decision = 'PAUSE_CONNECTION';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'CREDENTIALS_REFUSED', details);
  }
}

/** The credential is valid but may not do this (a missing scope, role or right). Renewing it cannot help. */
export class PermissionError extends LedgergateError {
  readonly decision = 'HOLD';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'PERMISSION_MISSING', details);
  }
}

/** The ledger refused the posting date's period. */
export class PeriodClosedError extends LedgergateError {
  readonly decision = 'REJECT';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'PERIOD_CLOSED', details);
  }
}

/** The ledger read the document and said no. Nothing was written. */
export class ErpRejectedError extends LedgergateError {
  readonly decision = 'REJECT';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'LEDGER_REJECTED', details);
  }
}

/** The vendor throttled us. It certainly did not start. */
export class RateLimitedError extends LedgergateError {
  readonly decision = 'RETRY';
  constructor(
    userMessage: string,
    readonly retryAfterMs: number | null = null,
    details?: ErrorDetails,
  ) {
    super(userMessage, 'RATE_LIMITED', details);
  }
}

/**
 * The vendor could not be reached or answered with a fault, on a call that is safe to repeat: a read, or a write that
 * certainly did not start (connection refused). An unclear answer to a write is an `OutcomeUnknownError`.
 */
export class UpstreamUnavailableError extends LedgergateError {
  readonly decision = 'RETRY';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'UPSTREAM_UNAVAILABLE', details);
  }
}

/** A vendor's answer does not have the form its documentation gives. On a write this is an `OutcomeUnknownError`. */
export class UnreadableReplyError extends LedgergateError {
  readonly decision = 'RETRY';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'UNREADABLE_REPLY', details);
  }
}

/** A write was sent and no clear answer came back. Only the ledger can say whether it happened. */
export class OutcomeUnknownError extends LedgergateError {
  readonly decision = 'PROBE';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'OUTCOME_UNKNOWN', details);
  }
}

/** The same key was used for something else. */
export class IdempotencyConflictError extends LedgergateError {
  readonly decision = 'STOP';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'IDEMPOTENCY_CONFLICT', details);
  }
}

/** Something that cannot be, is. A bug; never retried. */
export class InvariantError extends LedgergateError {
  readonly decision = 'STOP';
  constructor(userMessage: string, details?: ErrorDetails) {
    super(userMessage, 'INVARIANT', details);
  }
}
