import type { Database } from '../entities/database.js';
import { TenantRow } from '../entities/tenant.js';
import { createApiKey } from './apiKeys.js';
import { recordFor } from './audit.js';
import type { Caller } from './engine.js';
import { done, type Outcome, refused } from './outcome.js';

/** Companies on one installation: each sees its own rows and nothing of the others. Made on the command line only. */

export interface TenantFacts {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

export interface NewTenant {
  readonly name: string;
  /** As the command line and the claims of tokens spell it; made from the name when left out. */
  readonly id?: string | undefined;
  /** What the first key is called. */
  readonly adminKeyName: string;
}

export interface MadeTenant {
  readonly id: string;
  readonly name: string;
  /** The first key, with role ADMIN. The secret is in the answer and nowhere else. */
  readonly adminKey: { readonly id: string; readonly secret: string };
}

const NAME_LENGTH_MAX = 100;
const ID_LENGTH_MAX = 40;
const ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Makes a tenant and its first key. */
export async function createTenant(
  db: Database,
  by: Omit<Caller, 'tenantId'>,
  input: NewTenant,
  now: Date,
): Promise<Outcome<MadeTenant>> {
  const name = input.name.trim();
  if (name.length === 0 || name.length > NAME_LENGTH_MAX) {
    return refused('BAD_INPUT', `A tenant needs a name of 1 to ${NAME_LENGTH_MAX} characters.`, { path: ['name'] });
  }
  const id = input.id ?? idOf(name);
  if (!ID.test(id) || id.length > ID_LENGTH_MAX) {
    return refused('BAD_INPUT', `"${id}" cannot be the id of a tenant: small letters, digits and single hyphens.`, {
      path: ['id'],
      resolution: `Choose one of 1 to ${ID_LENGTH_MAX} characters, such as acme-ltd.`,
    });
  }
  const keyName = input.adminKeyName.trim();
  if (keyName.length === 0 || keyName.length > NAME_LENGTH_MAX) {
    return refused('BAD_INPUT', `A key needs a name of 1 to ${NAME_LENGTH_MAX} characters.`, {
      path: ['adminKeyName'],
    });
  }
  const added = await db.engine((tx) =>
    tx.execute('insert into tenants (id, name, created_at) values ($1, $2, $3) on conflict (id) do nothing', [
      ...[id, name, now],
    ]),
  );
  if (added === 0) {
    return refused('TENANT_EXISTS', `There is a tenant ${id} already.`, {
      path: ['id'],
      resolution: 'Choose another id, or make a key of that tenant with `keys create`.',
    });
  }
  const caller: Caller = { ...by, tenantId: id };
  await db.tenant(id, async (tx) => {
    recordFor(tx, caller, now, {
      ...{ action: 'tenant.created', subjectType: 'Tenant', subjectId: id },
      summary: `The tenant "${name}" was made.`,
      after: { name },
    });
  });
  const key = await createApiKey(db, caller, { name: keyName, role: 'ADMIN', expiresAt: null }, now);
  return key.ok ? done({ id, name, adminKey: key.value }) : key;
}

/** All of the installation, by id. */
export function listTenants(db: Database): Promise<TenantFacts[]> {
  return db.engine((tx) => tx.manager.find(TenantRow, { order: { id: 'ASC' } }));
}

/** "Åland Färger & Co." becomes `aland-farger-co`. */
function idOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mark}/gu, '');
  const words = plain.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, ID_LENGTH_MAX).replace(/-+$/, '');
}
