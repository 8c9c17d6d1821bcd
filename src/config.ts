import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type ClaimRules, isSafeAddress } from './domain/loginClaims.js';
import { ROLES } from './domain/vocabulary.js';
import { ConfigurationError } from './errors.js';
import { masterKeysIn } from './platform/masterKeyFile.js';
import { type MasterKey, readMasterKey, Secret } from './secrets.js';

export type Role = 'api' | 'worker';
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything the environment decides. Safe to print: secrets are wrapped. */
export interface Config {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** null = the embedded PostgreSQL, kept in `dataDir`. */
  readonly databaseUrl: Secret | null;
  /** Carries wake-ups between processes in place of the database; null = the database does. */
  readonly redisUrl: Secret | null;
  /** Absolute. */
  readonly dataDir: string;
  /** The current one first; further ones only open what was sealed before a change. */
  readonly masterKeys: readonly MasterKey[];
  /** Whether the keys come from the file in `dataDir` (and a rotation has to rewrite it) or from the environment. */
  readonly masterKeySource: 'environment' | 'file';
  readonly bootstrapAdminKey: Secret | null;
  /** Introspection and error details are then for administrators only. */
  readonly isProduction: boolean;
  readonly roles: readonly Role[];
  readonly logLevel: LogLevel;
  /** `plain` is graphql-js's own executor: slower, a way out should compiled operations ever answer otherwise. */
  readonly graphqlExecutor: 'jit' | 'plain';
  /** Of one key at one process; 0 = no limit. */
  readonly requestsPerMinute: number;
  /** A JSON file of GraphQL documents by their SHA-256; nothing else is answered then. null = everything is. */
  readonly trustedDocuments: string | null;
  /** Whose login tokens are taken where an API key is asked for. null = API keys only. */
  readonly oidc: (ClaimRules & { readonly issuer: string; readonly audience: string }) | null;
  /** What a scraper of /metrics sends as its bearer token. null = whoever reaches the server may look. */
  readonly metricsToken: Secret | null;
  /** Where a process with role `worker` alone answers probes and scrapes, on `host`; 0 = any free one. null = nowhere. */
  readonly workerPort: number | null;
  /** How long running work may take to finish after SIGTERM. */
  readonly shutdownMs: number;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const BOOTSTRAP_KEY_CHARS_MIN = 8;
const SHUTDOWN_SECONDS_MAX = 600;

/** No message repeats a value: one that belongs to the wrong variable may be a secret. */
const Environment = z.object({
  PORT: integer(0, 65_535).default(4000),
  HOST: z.string().default('127.0.0.1'),
  DATABASE_URL: z.string().refine(isPostgresUrl, 'must look like postgresql://user:password@host:5432/name').optional(),
  REDIS_URL: z.string().refine(isRedisUrl, 'must look like redis://user:password@host:6379/0').optional(),
  LEDGERGATE_DATA_DIR: z.string().default('./.ledgergate'),
  LEDGERGATE_MASTER_KEY: masterKey().optional(),
  LEDGERGATE_MASTER_KEY_PREVIOUS: masterKey().optional(),
  LEDGERGATE_BOOTSTRAP_ADMIN_KEY: z
    .string()
    .regex(/^[\x21-\x7e]*$/, 'may hold only visible ASCII characters, without blanks')
    .min(BOOTSTRAP_KEY_CHARS_MIN, `must have at least ${BOOTSTRAP_KEY_CHARS_MIN} characters; make it long and random`)
    .optional(),
  NODE_ENV: z.string().default('development'),
  ROLE: z.enum(['api', 'worker'], 'must be api or worker, or unset for both').optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  GRAPHQL_EXECUTOR: z.enum(['jit', 'plain'], 'must be jit or plain').default('jit'),
  LEDGERGATE_REQUESTS_PER_MINUTE: integer(0, 999_999).default(6_000),
  LEDGERGATE_TRUSTED_DOCUMENTS: z.string().optional(),
  LEDGERGATE_METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{8,}$/, 'must have at least 8 visible ASCII characters, without blanks')
    .optional(),
  LEDGERGATE_WORKER_PORT: integer(0, 65_535).optional(),
  LEDGERGATE_OIDC_ISSUER: z
    .string()
    .refine(
      (text) => isSafeAddress(text) && !/[?#]/.test(text),
      'must be the https address of an issuer, as its tokens spell it',
    )
    .optional(),
  LEDGERGATE_OIDC_AUDIENCE: z.string().optional(),
  LEDGERGATE_OIDC_TENANT_CLAIM: z.string().optional(),
  LEDGERGATE_OIDC_ROLE_CLAIM: z.string().optional(),
  LEDGERGATE_OIDC_ROLES: z.string().transform(rolesByWord).optional(),
  LEDGERGATE_SHUTDOWN_SECONDS: integer(1, SHUTDOWN_SECONDS_MAX).default(25),
});

/** What a process may be given. Documentation and deployment files are held to it. */
export const SETTING_NAMES: readonly string[] = Object.keys(Environment.shape);

function integer(from: number, to: number) {
  const problem = `must be a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,6}$/, problem)
    .transform(Number)
    .pipe(z.number().min(from, problem).max(to, problem));
}

function masterKey() {
  return z.string().transform((text, context) => {
    const key = readMasterKey(text);
    if (key) return key;
    context.addIssue({
      code: 'custom',
      message: 'must be 32 bytes in base64 (make one with: openssl rand -base64 32)',
    });
    return z.NEVER;
  });
}

function isRedisUrl(text: string): boolean {
  return ['redis:', 'rediss:'].includes(URL.parse(text)?.protocol ?? '');
}

/** `finance-admins=ADMIN,auditors=AUDITOR`: what the issuer's words mean here. */
function rolesByWord(text: string, context: z.RefinementCtx): ClaimRules['roles'] {
  const pairs = text.split(',').map((pair) => /^\s*(\S(?:.*\S)?)\s*=\s*([A-Z]+)\s*$/.exec(pair));
  const roles = new Map(
    pairs.flatMap((pair) => {
      const role = ROLES.find((one) => one === pair?.[2]);
      return pair?.[1] !== undefined && role ? [[pair[1], role] as const] : [];
    }),
  );
  if (roles.size === pairs.length) return roles;
  const message = `must be a list such as finance-admins=ADMIN,auditors=AUDITOR, of the roles ${ROLES.join(', ')}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/** @throws ConfigurationError half a setting: who logs in would then be decided by what was left out. */
function oidcIn(read: z.infer<typeof Environment>): Config['oidc'] {
  const { LEDGERGATE_OIDC_ISSUER: issuer, LEDGERGATE_OIDC_AUDIENCE: audience } = read;
  if (issuer !== undefined && audience !== undefined) {
    return {
      ...{ issuer, audience },
      tenantClaim: read.LEDGERGATE_OIDC_TENANT_CLAIM ?? 'tenant',
      roleClaim: read.LEDGERGATE_OIDC_ROLE_CLAIM ?? 'role',
      roles: read.LEDGERGATE_OIDC_ROLES ?? null,
    };
  }
  const given = Object.entries(read).flatMap(([name, value]) =>
    name.startsWith('LEDGERGATE_OIDC_') && value !== undefined ? [name] : [],
  );
  if (given.length === 0) return null;
  const missing = issuer === undefined ? 'LEDGERGATE_OIDC_ISSUER' : 'LEDGERGATE_OIDC_AUDIENCE';
  throw new ConfigurationError(`${missing} must be set when ${given.join(', ')} is.`, {
    detail: { variables: [missing] },
  });
}

function isPostgresUrl(text: string): boolean {
  try {
    return ['postgres:', 'postgresql:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/**
 * Reads the settings, making the master key of an embedded database on the way if there is none yet.
 * A variable set to nothing counts as unset, as compose files write it.
 * @throws ConfigurationError one line that names each variable at fault and none of their values.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new ConfigurationError(`${problems.join('; ')}.`, {
      detail: { variables: parsed.error.issues.map(({ path }) => path.join('.')) },
    });
  }
  const read = parsed.data;
  const dataDir = resolve(read.LEDGERGATE_DATA_DIR);
  const fromEnvironment = [read.LEDGERGATE_MASTER_KEY, read.LEDGERGATE_MASTER_KEY_PREVIOUS].filter(
    (key) => key !== undefined,
  );
  if (read.LEDGERGATE_MASTER_KEY === undefined) requireKeyFile(read);
  const usesFile = read.LEDGERGATE_MASTER_KEY === undefined;
  return Object.freeze({
    host: read.HOST,
    port: read.PORT,
    databaseUrl: read.DATABASE_URL === undefined ? null : new Secret(read.DATABASE_URL),
    redisUrl: read.REDIS_URL === undefined ? null : new Secret(read.REDIS_URL),
    dataDir,
    masterKeys: Object.freeze(usesFile ? masterKeysIn(dataDir) : fromEnvironment),
    masterKeySource: usesFile ? 'file' : 'environment',
    bootstrapAdminKey:
      read.LEDGERGATE_BOOTSTRAP_ADMIN_KEY === undefined ? null : new Secret(read.LEDGERGATE_BOOTSTRAP_ADMIN_KEY),
    isProduction: read.NODE_ENV === 'production',
    roles: Object.freeze<Role[]>(read.ROLE === undefined ? ['api', 'worker'] : [read.ROLE]),
    logLevel: read.LOG_LEVEL,
    graphqlExecutor: read.GRAPHQL_EXECUTOR,
    requestsPerMinute: read.LEDGERGATE_REQUESTS_PER_MINUTE,
    trustedDocuments: read.LEDGERGATE_TRUSTED_DOCUMENTS ?? null,
    oidc: oidcIn(read),
    metricsToken: read.LEDGERGATE_METRICS_TOKEN === undefined ? null : new Secret(read.LEDGERGATE_METRICS_TOKEN),
    workerPort: read.LEDGERGATE_WORKER_PORT ?? null,
    shutdownMs: read.LEDGERGATE_SHUTDOWN_SECONDS * 1000,
  });
}

/**
 * A key may be made up only beside the database it belongs to. With a server of one's own, two gateways on two machines
 * would make two keys and neither could read the other's credentials.
 */
function requireKeyFile(read: z.infer<typeof Environment>): void {
  if (read.DATABASE_URL !== undefined) {
    throw new ConfigurationError(
      'LEDGERGATE_MASTER_KEY must be set when DATABASE_URL is: 32 bytes in base64 (make one with: openssl rand -base64 32).',
      { detail: { variables: ['LEDGERGATE_MASTER_KEY'] } },
    );
  }
  if (read.LEDGERGATE_MASTER_KEY_PREVIOUS !== undefined) {
    throw new ConfigurationError('LEDGERGATE_MASTER_KEY_PREVIOUS needs LEDGERGATE_MASTER_KEY beside it.', {
      detail: { variables: ['LEDGERGATE_MASTER_KEY'] },
    });
  }
}

/** The settings of this process: its environment, filled up from a file `.env` in the working folder if there is one. */
export function loadConfig(): Config {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return readConfig(process.env);
}
