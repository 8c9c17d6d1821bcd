import { randomUUID } from 'node:crypto';
import type { GraphQLFormattedError } from 'graphql';
import { InputError, LedgergateError } from '../errors.js';
import type { Logger } from '../logger.js';

export type FormatError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/** What resolvers threw, under what the executor wrapped it in. */
function originalOf(error: unknown): unknown {
  let found = error;
  for (let depth = 0; depth < 5; depth += 1) {
    const inner = found instanceof Error && 'originalError' in found ? found.originalError : undefined;
    if (!inner) return found;
    found = inner;
  }
  return found;
}

/**
 * Errors as callers see them: what they can act on in full, everything else as a number under which the log has it.
 */
export function createFormatError(logger: Logger): FormatError {
  return (formatted, error) => {
    const original = originalOf(error);
    const place = {
      ...(formatted.locations ? { locations: formatted.locations } : {}),
      ...(formatted.path ? { path: formatted.path } : {}),
    };
    if (original instanceof LedgergateError && original.decision !== 'STOP') {
      return { message: original.userMessage, ...place, extensions: extensionsOf(original) };
    }
    const { stacktrace: _never, ...extensions } = formatted.extensions ?? {};
    const isOurs = typeof extensions.code === 'string' && extensions.code !== 'INTERNAL_SERVER_ERROR';
    if (isOurs && !(original instanceof LedgergateError)) return { message: formatted.message, ...place, extensions };
    const traceId = randomUUID();
    logger.error({ err: original, traceId, path: formatted.path }, 'a request failed');
    return {
      message: `Something went wrong here. The log has it under ${traceId}.`,
      ...place,
      extensions: { code: 'INTERNAL', traceId },
    };
  };
}

function extensionsOf(error: LedgergateError): Record<string, unknown> {
  if (error.decision !== 'REFUSE') return { code: error.code, decision: error.decision };
  const path = error instanceof InputError ? error.path : [];
  return { code: 'BAD_USER_INPUT', reason: error.code, ...(path.length > 0 ? { argument: path.join('.') } : {}) };
}
