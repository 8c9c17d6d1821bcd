import { type InputError, LedgergateError } from '../errors.js';

/**
 * What a use case answers. Failures that a caller should expect are data, not exceptions: they end up in `userErrors`.
 */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** One thing that is wrong with a request; the shape of the contract's `UserError`. */
export interface Problem {
  /** UPPER_SNAKE_CASE, stable. */
  readonly code: string;
  readonly message: string;
  /** The argument at fault, e.g. `["input", "settings", "usePostLD"]`. */
  readonly path: readonly string[] | null;
  /** What the caller can do about it. */
  readonly resolution: string | null;
}

export function done<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function refused(
  code: string,
  message: string,
  options: { path?: readonly string[]; resolution?: string } = {},
): { readonly ok: false; readonly problems: readonly Problem[] } {
  return {
    ok: false,
    problems: [{ code, message, path: options.path ?? null, resolution: options.resolution ?? null }],
  };
}

/** Turns an expected error into an answer; anything else (bugs, a lost database) is thrown on. */
export function refusedBy(error: unknown): { readonly ok: false; readonly problems: readonly Problem[] } {
  if (error instanceof LedgergateError && error.decision !== 'STOP') {
    const path = 'path' in error ? (error as InputError).path : [];
    return refused(error.code, error.userMessage, path.length > 0 ? { path } : {});
  }
  throw error;
}
