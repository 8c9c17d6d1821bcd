import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Database, Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import type { Caller } from './engine.js';
import { done, type Outcome, refused } from './outcome.js';

/**
 * Logins of the database for BI tools. Each reads schema `bi` and nothing else, and there one tenant for good: the
 * database goes by who logged in (migration 0007).
 */

const PASSWORD_BYTES = 24;
const STATEMENT_TIMEOUT = '10min';
/** A dashboard opens a handful; more than this from one tool would take them from the gateway. */
const CONNECTIONS_MAX = 10;
const INSUFFICIENT_PRIVILEGE = '42501';

export interface BiLogin {
  readonly login: string;
  readonly createdAt: Date;
}

/** Makes a login. The password is in the answer and nowhere else, the server's log included. */
export async function createBiLogin(
  db: Database,
  caller: Caller,
  now: Date,
): Promise<Outcome<{ login: string; password: string }>> {
  const login = `ledgergate_bi_${randomBytes(5).toString('hex')}`;
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  try {
    await db.engine(async (tx) => {
      await tx.execute(
        `create role ${login} login in role ledgergate_bi connection limit ${CONNECTIONS_MAX} password '${verifierOf(password)}'`,
      );
      await tx.execute(`alter role ${login} set search_path = bi`);
      await tx.execute(`alter role ${login} set default_transaction_read_only = on`);
      await tx.execute(`alter role ${login} set statement_timeout = '${STATEMENT_TIMEOUT}'`);
      await tx.execute('insert into bi_logins (tenant_id, login, created_at) values ($1, $2, $3)', [
        caller.tenantId,
        login,
        now,
      ]);
    });
  } catch (error) {
    const mayNot = error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE;
    if (!mayNot) throw error;
    return refused('NOT_PERMITTED', 'The gateway’s own database login may not make logins.', {
      resolution: 'Have it given CREATEROLE, or have an administrator of the database make one as docs/bi.md says.',
    });
  }
  await note(db, caller, now, 'biLogin.created', login, `The BI login ${login} was made; it reads this tenant only.`);
  return done({ login, password });
}

/** Ends a login at once, its open connections included. Ending one that is gone changes nothing. */
export async function dropBiLogin(
  db: Database,
  caller: Caller,
  login: string,
  now: Date,
): Promise<Outcome<{ login: string }>> {
  const isOurs = await db.engine(async (tx) => {
    const [row] = await tx.query('select from bi_logins where tenant_id = $1 and login = $2 for update', [
      caller.tenantId,
      login,
    ]);
    if (!row) return false;
    await tx.execute('delete from bi_logins where tenant_id = $1 and login = $2', [caller.tenantId, login]);
    await dropRole(tx, login);
    return true;
  });
  if (!isOurs) return refused('NOT_FOUND', 'There is no such BI login.', { path: ['login'] });
  await db.engine((tx) =>
    tx.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [login]),
  );
  await note(db, caller, now, 'biLogin.dropped', login, `The BI login ${login} was ended.`);
  return done({ login });
}

export async function biLogins(db: Database, tenantId: string): Promise<BiLogin[]> {
  const rows = await db.engine((tx) =>
    tx.query<{ login: string; created_at: Date }>(
      'select login, created_at from bi_logins where tenant_id = $1 order by created_at, login',
      [tenantId],
    ),
  );
  return rows.map((row) => ({ login: row.login, createdAt: row.created_at }));
}

/** Its open connections end too. An administrator may have dropped it already. */
async function dropRole(tx: Tx, login: string): Promise<void> {
  const [role] = await tx.query<{ name: string }>(
    'select quote_ident(rolname) as name from pg_roles where rolname = $1',
    [login],
  );
  if (!role) return;
  // Only a member of a role may end its connections.
  await tx.execute(`grant ${role.name} to current_user`);
  await tx.execute(`alter role ${role.name} nologin`);
  await tx.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [login]);
  await tx.execute(`drop role ${role.name}`);
}

function note(db: Database, caller: Caller, now: Date, action: string, login: string, summary: string): Promise<void> {
  return db.tenant(caller.tenantId, async (tx) => {
    recordFor(tx, caller, now, { action, subjectType: 'BiLogin', subjectId: login, summary, after: { login } });
  });
}

/** What PostgreSQL stores of a password (RFC 5802), made here so that no statement, and no log of one, holds the password. */
function verifierOf(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
