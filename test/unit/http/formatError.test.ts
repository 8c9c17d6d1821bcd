import { Writable } from 'node:stream';
import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, InputError, InvariantError, UpstreamUnavailableError } from '../../../src/errors.js';
import { createFormatError } from '../../../src/http/formatError.js';
import { createLogger } from '../../../src/logger.js';

function formatted(original: Error) {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const error = new GraphQLError(original.message, { originalError: original, path: ['a'] });
  const shown = createFormatError(createLogger('debug', stream))(
    { message: error.message, path: ['a'], extensions: { code: 'INTERNAL_SERVER_ERROR', stacktrace: ['secret'] } },
    error,
  );
  return { shown, log: lines.join('') };
}

describe('errors as callers see them', () => {
  it('name the argument of unusable input', () => {
    const { shown, log } = formatted(new InputError('Not a cursor.', ['input', 'after']));
    expect(shown).toEqual({
      message: 'Not a cursor.',
      path: ['a'],
      extensions: { code: 'BAD_USER_INPUT', reason: 'BAD_INPUT', argument: 'input.after' },
    });
    expect(log).toBe('');
  });

  it('tell what the program decided about expected failures', () => {
    expect(formatted(new ConfigurationError('No.')).shown.extensions).toEqual({
      code: 'CONFIGURATION',
      decision: 'HOLD',
    });
    expect(formatted(new UpstreamUnavailableError('Away.')).shown.extensions).toEqual({
      code: 'UPSTREAM_UNAVAILABLE',
      decision: 'RETRY',
    });
  });

  it.each([
    new Error('relation "postings" does not exist'),
    new InvariantError('A bug.'),
    new TypeError('x is undefined'),
  ])('keep %s to the log, under a number that the caller gets', (bug) => {
    const { shown, log } = formatted(bug);
    expect(shown.extensions?.code).toBe('INTERNAL');
    expect(JSON.stringify(shown)).not.toContain(bug.message);
    expect(log).toContain(String(shown.extensions?.traceId));
    expect(log).toContain(JSON.stringify(bug.message).slice(1, -1));
  });
});
