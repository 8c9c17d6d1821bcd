// What would surprise: a start with half a setting, a made-up master key beside a shared database, two processes with two
// keys, or an error that repeats a secret.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, readConfig } from '../../src/config.js';
import { ConfigurationError } from '../../src/errors.js';
import { masterKeysIn, replaceMasterKeys } from '../../src/platform/masterKeyFile.js';
import { newMasterKey, readMasterKey } from '../../src/secrets.js';
import { buildStandalone } from '../support/standalone.js';

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-config-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const KEY = Buffer.alloc(32, 9).toString('base64');
const URL_WITH_PASSWORD = 'postgresql://ledger:hunter2@db.example:5432/ledger';

function problemOf(env: Record<string, string>): string {
  try {
    readConfig({ LEDGERGATE_DATA_DIR: dataDir, ...env });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
  return 'accepted';
}

describe('settings', () => {
  it('have the documented defaults', () => {
    const config = readConfig({ LEDGERGATE_DATA_DIR: dataDir });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: null,
      redisUrl: null,
      dataDir,
      masterKeySource: 'file',
      bootstrapAdminKey: null,
      isProduction: false,
      roles: ['api', 'worker'],
      logLevel: 'info',
      workerPort: null,
      shutdownMs: 25_000,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('keep their data below the working folder unless told otherwise', () => {
    expect(readConfig({ LEDGERGATE_MASTER_KEY: KEY }).dataDir).toBe(resolve('.ledgergate'));
  });

  it('are read from their variables', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '0.0.0.0',
      DATABASE_URL: URL_WITH_PASSWORD,
      LEDGERGATE_MASTER_KEY: KEY,
      LEDGERGATE_BOOTSTRAP_ADMIN_KEY: 'first-admin-key',
      NODE_ENV: 'production',
      ROLE: 'worker',
      LOG_LEVEL: 'debug',
      LEDGERGATE_WORKER_PORT: '9464',
      LEDGERGATE_SHUTDOWN_SECONDS: '5',
    });
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 0,
      isProduction: true,
      roles: ['worker'],
      logLevel: 'debug',
      workerPort: 9464,
      shutdownMs: 5000,
      masterKeySource: 'environment',
    });
    expect(config.databaseUrl?.reveal()).toBe(URL_WITH_PASSWORD);
    expect(config.bootstrapAdminKey?.reveal()).toBe('first-admin-key');
    expect(config.masterKeys.map(({ id }) => id)).toEqual([readMasterKey(KEY)?.id]);
  });

  it('set to nothing count as unset', () => {
    const config = readConfig({ LEDGERGATE_DATA_DIR: dataDir, PORT: '', DATABASE_URL: '', ROLE: '', LOG_LEVEL: '' });
    expect(config).toMatchObject({ port: 4000, databaseUrl: null, roles: ['api', 'worker'], logLevel: 'info' });
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['DATABASE_URL', 'mysql://root:topsecret@db/ledger'],
    ['DATABASE_URL', 'topsecret'],
    ['LEDGERGATE_MASTER_KEY', 'topsecret'],
    ['LEDGERGATE_MASTER_KEY_PREVIOUS', 'topsecret'],
    ['LEDGERGATE_BOOTSTRAP_ADMIN_KEY', 'topsec'],
    ['LEDGERGATE_BOOTSTRAP_ADMIN_KEY', 'topsecret with blanks'],
    ['ROLE', 'topsecret'],
    ['LOG_LEVEL', 'topsecret'],
    ['LEDGERGATE_SHUTDOWN_SECONDS', '0'],
    ['LEDGERGATE_OIDC_ISSUER', 'topsecret'],
    ['LEDGERGATE_OIDC_ISSUER', 'http://issuer.example/topsecret'],
    ['LEDGERGATE_OIDC_ISSUER', 'https://user:topsecret@issuer.example'],
    ['LEDGERGATE_OIDC_ISSUER', 'https://issuer.example/?topsecret'],
    ['LEDGERGATE_OIDC_ROLES', 'topsecret'],
    ['LEDGERGATE_OIDC_ROLES', 'a=ADMIN,b=TOPSECRET'],
  ])('a bad %s is named in one line that does not repeat its value', (variable, value) => {
    const problem = problemOf({ LEDGERGATE_MASTER_KEY: KEY, [variable]: value });
    expect(problem).toContain(variable);
    expect(problem).not.toMatch(/topsec|\n/);
  });

  it('for logins are all there or none, with our own words for claims and roles unless told otherwise', () => {
    const both = { LEDGERGATE_OIDC_ISSUER: 'https://issuer.example/a', LEDGERGATE_OIDC_AUDIENCE: 'ledgergate' };
    const oidcOf = (env: Record<string, string>) => readConfig({ LEDGERGATE_DATA_DIR: dataDir, ...env }).oidc;
    expect(oidcOf({})).toBeNull();
    const read = { issuer: 'https://issuer.example/a', audience: 'ledgergate' };
    expect(oidcOf(both)).toEqual({ ...read, tenantClaim: 'tenant', roleClaim: 'role', roles: null });
    const LEDGERGATE_OIDC_ROLES = ' Finance admins = ADMIN, https://x.example/r=1=VIEWER';
    expect(
      oidcOf({
        ...both,
        LEDGERGATE_OIDC_TENANT_CLAIM: 'org',
        LEDGERGATE_OIDC_ROLE_CLAIM: 'a.b',
        LEDGERGATE_OIDC_ROLES,
      }),
    ).toEqual({
      ...{ ...read, tenantClaim: 'org', roleClaim: 'a.b' },
      roles: new Map([
        ['Finance admins', 'ADMIN'],
        ['https://x.example/r=1', 'VIEWER'],
      ]),
    });
    const { LEDGERGATE_OIDC_ISSUER, LEDGERGATE_OIDC_AUDIENCE } = both;
    expect(problemOf({ LEDGERGATE_OIDC_ISSUER })).toMatch(/^LEDGERGATE_OIDC_AUDIENCE must be set/);
    expect(problemOf({ LEDGERGATE_OIDC_AUDIENCE })).toMatch(/^LEDGERGATE_OIDC_ISSUER must be set/);
    expect(problemOf({ LEDGERGATE_OIDC_ROLE_CLAIM: 'groups' })).toMatch(/^LEDGERGATE_OIDC_ISSUER must be set/);
  });

  it('all at fault are named together', () => {
    expect(problemOf({ PORT: 'x', ROLE: 'y' })).toMatch(/PORT .*; ROLE /);
  });

  it('can be printed without giving a secret away', () => {
    const config = readConfig({
      DATABASE_URL: URL_WITH_PASSWORD,
      LEDGERGATE_MASTER_KEY: KEY,
      LEDGERGATE_BOOTSTRAP_ADMIN_KEY: 'first-admin-key',
    });
    for (const printed of [inspect(config, { depth: 9, showHidden: true }), JSON.stringify(config)]) {
      expect(printed).not.toMatch(/hunter2|first-admin-key/);
      expect(printed).not.toContain(KEY);
    }
  });

  it('are also taken from a file .env, which the environment overrules', () => {
    const here = process.cwd();
    const before = { ...process.env };
    writeFileSync(join(folder, '.env'), `PORT=1234\nHOST=from.file\nLEDGERGATE_MASTER_KEY=${KEY}\n`);
    process.env.HOST = 'from.environment';
    process.chdir(folder);
    try {
      expect(loadConfig()).toMatchObject({ port: 1234, host: 'from.environment' });
    } finally {
      process.chdir(here);
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      if (before.HOST === undefined) delete process.env.HOST;
    }
  });
});

describe('the master key', () => {
  it('must be given when the database is', () => {
    expect(problemOf({ DATABASE_URL: URL_WITH_PASSWORD })).toMatch(/LEDGERGATE_MASTER_KEY/);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('is made once for an embedded database and kept for its owner only', () => {
    const first = readConfig({ LEDGERGATE_DATA_DIR: dataDir });
    const second = readConfig({ LEDGERGATE_DATA_DIR: dataDir });
    expect(second.masterKeys[0]?.id).toBe(first.masterKeys[0]?.id);
    expect(readdirSync(dataDir)).toEqual(['master.key']);
    expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
  });

  it('is the same for all of several processes that start at once', async () => {
    const dist = await buildStandalone(join(folder, 'app'), ['zod']);
    const script = `import { masterKeysIn } from '${dist}/platform/masterKeyFile.js';
      console.log(masterKeysIn(process.argv[1])[0].id);`;
    const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, dataDir]);
    const ids = (await Promise.all([1, 2, 3, 4, 5, 6].map(start))).map(({ stdout }) => stdout.trim());
    expect(new Set(ids)).toEqual(new Set([masterKeysIn(dataDir)[0]?.id]));
    expect(readdirSync(dataDir)).toEqual(['master.key']);
  });

  it('may be followed by the one before it, from the environment or in the file', () => {
    const [old, next] = [newMasterKey().reveal(), newMasterKey().reveal()];
    const ids = [readMasterKey(next)?.id, readMasterKey(old)?.id];
    const fromEnvironment = readConfig({ LEDGERGATE_MASTER_KEY: next, LEDGERGATE_MASTER_KEY_PREVIOUS: old });
    expect(fromEnvironment.masterKeys.map(({ id }) => id)).toEqual(ids);
    masterKeysIn(dataDir);
    replaceMasterKeys(dataDir, [next, old]);
    expect(readConfig({ LEDGERGATE_DATA_DIR: dataDir }).masterKeys.map(({ id }) => id)).toEqual(ids);
    expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
  });

  it('is not replaced when its file is damaged: that would lose every credential for good', () => {
    masterKeysIn(dataDir);
    writeFileSync(join(dataDir, 'master.key'), 'half-a-ke');
    expect(problemOf({})).toMatch(/damaged/);
    expect(problemOf({})).not.toMatch(/half-a-ke/);
    expect(readFileSync(join(dataDir, 'master.key'), 'utf8')).toBe('half-a-ke');
    expect(() => replaceMasterKeys(dataDir, ['nonsense'])).toThrow(ConfigurationError);
  });

  it('that cannot be kept is an error that says so', () => {
    writeFileSync(dataDir, 'a file where the folder should be');
    expect(problemOf({})).toMatch(/LEDGERGATE_DATA_DIR/);
  });
});
