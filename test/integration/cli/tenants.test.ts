// Companies and their keys on the command line. What would surprise: a secret that is shown twice or stored, a key that opens
// another company, a command that works for a company that there is not, a revoked key that still opens.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Database } from '../../../src/entities/database.js';
import { createDataSource } from '../../../src/entities/dataSource.js';
import { newMasterKey } from '../../../src/secrets.js';
import { authenticate } from '../../../src/services/apiKeys.js';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { cli } from './cliGround.js';

const TIME = 120_000;
let fresh: FreshDatabase;
let env: Record<string, string>;
let source: ReturnType<typeof createDataSource>;
let db: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  env = { DATABASE_URL: fresh.connectionString, LEDGERGATE_MASTER_KEY: newMasterKey().reveal() };
  source = await createDataSource({ connectionString: fresh.connectionString }).initialize();
  db = new Database(source);
});
afterAll(async () => {
  await source.destroy();
  await fresh.drop();
});
beforeEach(() => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
});
afterEach(() => vi.unstubAllEnvs());

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it asked for, and fails when it is not there.
async function json(...args: string[]): Promise<{ code: number; answer: any }> {
  const { code, out } = await cli(...args, '--json');
  return { code, answer: JSON.parse(out) };
}

const opens = (secret: string) => authenticate(db, secret, new Date());

describe('a tenant', { timeout: TIME }, () => {
  it('is made with a first key, whose secret is on standard output alone and opens that tenant as ADMIN', async () => {
    const made = await cli('tenants', 'create', 'Åland Färger & Co.', '--admin-key-name', 'owner');
    expect(made.code).toBe(0);
    expect(made.out).toMatch(/^lgk_[\w-]{43}\n$/);
    expect(made.err).toContain('aland-farger-co');
    expect(made.err).not.toContain(made.out.trim());
    expect(await opens(made.out.trim())).toMatchObject({ tenantId: 'aland-farger-co', role: 'ADMIN', name: 'owner' });
    const trail = await db.tenant('aland-farger-co', (tx) =>
      tx.query('select action from audit_events order by sequence'),
    );
    expect(trail).toEqual([{ action: 'tenant.created' }, { action: 'apiKey.created' }]);
    const { answer } = await json('tenants', 'list');
    expect(answer.tenants.map((one: { id: string }) => one.id)).toEqual(['aland-farger-co', 'default']);
  });

  it('is not made twice, nor under an id that cannot be one', async () => {
    const made = await json('tenants', 'create', 'North', '--id', 'north');
    expect(made).toMatchObject({ code: 0, answer: { ok: true, id: 'north', name: 'North' } });
    expect(await json('tenants', 'create', 'North')).toMatchObject({
      code: 1,
      answer: { problems: [{ code: 'TENANT_EXISTS' }] },
    });
    for (const args of [['N', '--id', 'Not Good'], ['株式会社'], ['  '], ['South', '--admin-key-name', ' ']]) {
      expect(await json('tenants', 'create', ...args)).toMatchObject({
        code: 1,
        answer: { problems: [{ code: 'BAD_INPUT' }] },
      });
    }
    expect((await json('tenants')).answer.tenants).toHaveLength(3);
  });

  it('that there is not stops a command with the names of those there are', async () => {
    const { code, err } = await cli('keys', 'create', '--tenant', 'nowhere', '--name', 'x', '--role', 'VIEWER');
    expect(code).toBe(2);
    expect(err).toContain('There are: aland-farger-co, default, north.');
  });
});

describe('the keys of a tenant', { timeout: TIME }, () => {
  it('are made with role and expiry, listed without what opens, and revoked for that tenant only', async () => {
    const of = ['--tenant', 'north'];
    const args = ['--name', 'dashboard', '--role', 'viewer', '--expires', '2099-01-31'];
    const { answer: made } = await json('keys', 'create', ...of, ...args);
    expect(await opens(made.secret)).toMatchObject({ tenantId: 'north', role: 'VIEWER' });
    const listed = await cli('keys', 'list', ...of, '--json');
    const [key] = JSON.parse(listed.out).keys;
    expect(key).toMatchObject({ id: made.id, state: 'in force', expiresAt: '2099-01-31T00:00:00.000Z' });
    expect(listed.out).not.toContain(made.secret);
    expect(Object.keys(key)).not.toContain('secretHash');
    expect((await cli('keys', 'list', '--tenant', 'default')).out).not.toContain(made.id);

    expect(await json('keys', 'revoke', made.id, '--tenant', 'default')).toMatchObject({
      code: 1,
      answer: { problems: [{ code: 'NOT_FOUND' }] },
    });
    expect(await opens(made.secret)).not.toBeNull();
    expect(await json('keys', 'revoke', made.id, ...of)).toMatchObject({ code: 0 });
    expect(await opens(made.secret)).toBeNull();
    expect((await cli('keys', 'list', ...of)).out).toMatch(/dashboard +VIEWER +lgk_\S+ +revoked +2099-01-31/);
  });
});
