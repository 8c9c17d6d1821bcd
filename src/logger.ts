import { type Logger as Pino, pino } from 'pino';

export type Logger = Pino;

/**
 * Field names that never reach a log, wherever they stand. Connectors log ids, counts and times, never bodies; this list
 * is the second line of defence.
 */
const SECRET_FIELDS = [
  'authorization',
  'password',
  'companyPassword',
  'operatorPassword',
  'token',
  'accessToken',
  'refreshToken',
  'clientSecret',
  'secret',
  'webhookSecret',
  'credentials',
  'masterKey',
  'session',
];

/** @param level pino's level names; `silent` for tests. */
export function createLogger(level: string, stream?: NodeJS.WritableStream): Logger {
  const options = {
    level,
    base: null,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[secret]',
    },
  };
  return stream ? pino(options, stream) : pino(options);
}
