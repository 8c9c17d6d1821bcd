// What BI tools read. What would surprise: a login that sees another tenant, a base table, or that writes; a column that
// nobody described; a page of documentation that tells of columns that are not there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exponentOf } from '../../src/domain/money.js';
import { biLogins, createBiLogin, dropBiLogin } from '../../src/services/biLogins.js';
import type { Caller } from '../../src/services/engine.js';
import { DATASETS } from '../../src/services/export/datasets.js';
import { Gateway, seedPipeline, seedPosting, seedRecord, TENANT } from '../support/graphqlFixtures.js';

const NOW = new Date('2026-11-20T10:00:00Z');
const caller = (tenantId: string): Caller => ({
  ...{ tenantId, actor: 'user:test', keyId: null },
  ...{ role: 'ADMIN', correlationId: 'bi' },
});

let gateway: Gateway;
let logins: { acme: string; other: string };

beforeAll(async () => {
  gateway = await Gateway.start();
  const ids = await seedPipeline(gateway);
  await seedPosting(gateway, ids);
  await seedRecord(gateway, ids);
  await gateway.tenant('other');
  await seedPipeline(gateway, 'other');
  logins = { acme: await urlOf(TENANT), other: await urlOf('other') };
});
afterAll(async () => {
  for (const tenant of [TENANT, 'other']) {
    for (const { login } of await biLogins(gateway.db, tenant)) {
      await dropBiLogin(gateway.db, caller(tenant), login, NOW);
    }
  }
  await gateway.stop();
});

async function urlOf(tenant: string): Promise<string> {
  const made = await createBiLogin(gateway.db, caller(tenant), NOW);
  if (!made.ok) throw new Error(made.problems[0]?.message);
  const url = new URL(gateway.database.connectionString);
  url.username = made.value.login;
  url.password = made.value.password;
  return url.href;
}

async function as<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const VIEWS = ['spend_records', 'gl_postings', 'gl_posting_lines', 'vendor_matches', 'audit_events', 'sync_runs'];
const countOf = (client: pg.Client, view: string) =>
  client.query(`select count(*)::int as count from bi.${view}`).then(({ rows }) => rows[0].count as number);

describe('a BI login', () => {
  it('reads its own tenant and no other, whatever setting or role it takes', async () => {
    await as(logins.acme, async (client) => {
      const attempts = [
        'select 1',
        "set ledgergate.tenant = 'other'",
        "select set_config('ledgergate.tenant', 'other', false)",
        'set role ledgergate_bi',
      ];
      for (const attempt of attempts) {
        await client.query(attempt);
        expect(await countOf(client, 'spend_records')).toBeGreaterThan(0);
        const { rows } = await client.query('select distinct pipeline from bi.gl_postings');
        expect(rows).toEqual([{ pipeline: 'Cards' }]);
      }
    });
    await as(logins.other, async (client) => {
      await client.query(`set ledgergate.tenant = '${TENANT}'`);
      for (const view of VIEWS.slice(0, 3)) expect(await countOf(client, view)).toBe(0);
    });
  });

  it('reads no table, becomes no other role and writes nothing', async () => {
    await as(logins.acme, async (client) => {
      await client.query('set default_transaction_read_only = off');
      const { rows } = await client.query<{ name: string }>(
        "select quote_ident(relname) as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
      );
      expect(rows.length).toBeGreaterThan(30);
      for (const { name } of rows) await expect(client.query(`select * from public.${name}`)).rejects.toThrow(/denied/);
      for (const view of VIEWS) await expect(client.query(`delete from bi.${view}`)).rejects.toThrow(/denied|cannot/);
      for (const role of ['ledgergate_bi_views', 'ledgergate_app', 'ledgergate']) {
        await expect(client.query(`set role ${role}`)).rejects.toThrow(/denied/);
      }
      await expect(client.query('create table bi.mine (a int)')).rejects.toThrow(/denied/);
    });
  });

  it('is ended at once, open connections included, and only by its own tenant', async () => {
    const url = await urlOf('other');
    const login = new URL(url).username;
    expect(await dropBiLogin(gateway.db, caller(TENANT), login, NOW)).toMatchObject({ ok: false });
    const client = new pg.Client({ connectionString: url });
    const broken = new Promise((resolve) => {
      client.on('error', resolve);
    });
    await client.connect();
    expect(await dropBiLogin(gateway.db, caller('other'), login, NOW)).toMatchObject({ ok: true });
    await broken;
    await expect(as(url, (again) => countOf(again, 'gl_postings'))).rejects.toThrow();
    expect(await dropBiLogin(gateway.db, caller('other'), login, NOW)).toMatchObject({ ok: false });
  });
});

describe('schema bi', () => {
  it('is also read as role ledgergate_bi by the gateway’s own login, which names the tenant', async () => {
    await as(gateway.database.connectionString, async (client) => {
      await client.query(`set role ledgergate_bi; set ledgergate.tenant = '${TENANT}'`);
      expect(await countOf(client, 'gl_posting_lines')).toBe(2);
      await client.query("set ledgergate.tenant = 'other'");
      expect(await countOf(client, 'gl_posting_lines')).toBe(0);
      await client.query('reset ledgergate.tenant');
      expect(await countOf(client, 'gl_posting_lines')).toBe(0);
    });
  });

  it('describes every view and column, in the database and in docs/bi.md alike', async () => {
    const described = await gateway.db.engine((tx) =>
      tx.query<{ view: string; about: string | null; column: string; text: string | null }>(
        `select c.relname as view, obj_description(c.oid) as about, a.attname as column,
           col_description(c.oid, a.attnum) as text
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where c.relnamespace = 'bi'::regnamespace order by c.relname, a.attnum`,
      ),
    );
    expect(new Set(described.map(({ view }) => view))).toEqual(new Set(VIEWS));
    expect(described.filter(({ about, text }) => !about || !text)).toEqual([]);
    const page = readFileSync(join(import.meta.dirname, '../../docs/bi.md'), 'utf8');
    const sections = (page.split(/^## The views$/m)[1] ?? '').split(/^### /m).slice(1);
    const documented = sections.flatMap((section) => {
      const view = /^`bi\.(\w+)`/.exec(section)?.[1] ?? '';
      return [...section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, column, text]) => `${view}.${column}: ${text}`);
    });
    expect(documented).toEqual(
      described.map(({ view, column, text }) => `${view}.${column}: ${text?.replaceAll('|', '\\|')}`),
    );
  });

  it('has a view for every export', () => {
    expect(VIEWS).toEqual(expect.arrayContaining(Object.values(DATASETS).map(({ view }) => view)));
  });

  it('shows amounts in major units of their currency', async () => {
    await as(logins.acme, async (client) => {
      const { rows } = await client.query(
        'select amount, original_amount, original_currency, exchange_rate, tax_amount from bi.spend_records limit 1',
      );
      expect(rows).toEqual([
        {
          ...{ amount: '1234.5', original_amount: '1000', original_currency: 'JPY' },
          ...{ exchange_rate: '1.2345', tax_amount: '-0.05' },
        },
      ]);
    });
    const currencies = Intl.supportedValuesOf('currency');
    const rows = await gateway.db.engine((tx) =>
      tx.query<{ currency: string; digits: number }>(
        'select currency, currency_digits(currency) as digits from unnest($1::text[]) as currency',
        [currencies],
      ),
    );
    expect(rows).toEqual(currencies.map((currency) => ({ currency, digits: exponentOf(currency) })));
  });
});
