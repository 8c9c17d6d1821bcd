// Whole datasets as files. What would surprise: a file that breaks off and looks whole, an amount that became a float, a
// text that a spreadsheet runs, memory that grows with a reader who takes his time, or a row of another tenant.
import { type IncomingMessage, request } from 'node:http';
import { tableFromIPC } from 'apache-arrow';
import { parse } from 'csv-parse/sync';
import { readParquet } from 'parquet-wasm/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportRoute } from '../../src/http/exports.js';
import { DATASETS, type DatasetName } from '../../src/services/export/datasets.js';
import { Gateway, seedPipeline, seedPosting, seedRecord, TENANT } from '../support/graphqlFixtures.js';

const EVENTS = 2_000;

let ground: Gateway;
let gateway: Gateway;
let auditor: string;

beforeAll(async () => {
  ground = await Gateway.start();
  gateway = await Gateway.start({ on: ground, routes: [exportRoute(ground)] });
  const ids = await seedPipeline(ground);
  for (let index = 0; index < 3; index += 1) await seedPosting(ground, ids);
  await seedRecord(ground, ids, { amount: '-1234567890123.4567', currency: 'CLF', merchant_name: '=HYPERLINK("x")' });
  await seedRecord(ground, ids, { merchant_name: 'Café "Zwei", Berlin\nMitte', transaction_date: '2026-10-01' });
  await ground.tenant('other');
  await seedPipeline(ground, 'other');
  await events(ground, EVENTS);
  auditor = await gateway.key('AUDITOR');
});
afterAll(async () => {
  await gateway.stop();
  await ground.stop();
});

/** Events behind those that are there, without their hashes: exports show what is stored and judge nothing. */
async function events(on: Gateway, count: number): Promise<void> {
  await on.db.engine(async (tx) => {
    await tx.execute(
      `insert into audit_events (tenant_id, sequence, id, occurred_at, actor, action, subject_type, subject_id, summary,
         before, after, correlation_id, previous_hash, hash)
       select $1, h.sequence + n, 'evt_' || (h.sequence + n), '2026-11-01T00:00:00Z'::timestamptz + n * interval '1 second',
         'system:test', 'test.happened', 'Test', 'test', repeat('Something happened. ', 20), null, '{"text": "é\\n"}', 'c', 'p',
         'h'
       from generate_series(1, $2) n, audit_heads h where h.tenant_id = $1`,
      [TENANT, count],
    );
    await tx.execute('update audit_heads set sequence = sequence + $2 where tenant_id = $1', [TENANT, count]);
  });
}

const get = (path: string, headers: Record<string, string> = {}, key = auditor) =>
  fetch(`${gateway.server.url}/export/${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } });

/** What the database has, as texts. */
async function stored(name: DatasetName): Promise<Record<string, string | null>[]> {
  const { view, key } = DATASETS[name];
  return ground.db.tenant(TENANT, async (tx) => {
    const rows = await tx.query<{ row: Record<string, unknown> }>(
      `select to_jsonb(v) as row from bi.${view} v order by ${key.map(({ column }) => column).join(', ')}`,
    );
    return rows.map(({ row }) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
  });
}

/** One form for what a format writes and what the database holds: texts, numbers without trailing zeros. */
function plain(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') return JSON.stringify(sorted(value));
  const text = String(value);
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return new Date(text).toISOString();
  return text;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

const NAMES = Object.keys(DATASETS) as DatasetName[];
const isJson = (text: string) => /^[[{]/.test(text);
const again = (cell: string) => (isJson(cell) ? plain(JSON.parse(cell)) : plain(cell));

describe.each(NAMES)('%s', (name) => {
  it('as NDJSON is what the database has, row by row', async () => {
    const response = await get(`${name}.ndjson`);
    expect(response.headers.get('content-type')).toContain('ndjson');
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    const rows = lines.map((line) => {
      const row = JSON.parse(line) as Record<string, unknown>;
      return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)]));
    });
    expect(rows.length).toBeGreaterThan(1);
    const wanted = await stored(name);
    // `to_jsonb` makes numbers of decimals, and JavaScript floats of those: compared where that loses nothing.
    for (const [index, row] of rows.entries()) {
      for (const [key, value] of Object.entries(wanted[index] ?? {})) {
        if (row[key] !== value) expect(Number(row[key])).toBe(Number(value));
      }
    }
    expect(rows.length).toBe(wanted.length);
  });

  it('as CSV and as Parquet is the same as NDJSON', async () => {
    const lines = (await (await get(`${name}.ndjson`)).text()).trim().split('\n');
    const wanted = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const cells = parse(await (await get(`${name}.csv?formulas=keep`)).text(), { columns: true }) as Record<
      string,
      string
    >[];
    expect(cells.length).toBe(wanted.length);
    for (const [index, row] of wanted.entries()) {
      for (const [key, value] of Object.entries(row)) {
        const cell = cells[index]?.[key] ?? '';
        if (value === null) expect(cell).toBe('');
        else if (typeof value === 'boolean') expect(cell).toBe(value ? 't' : 'f');
        else expect(again(cell)).toBe(plain(value));
      }
    }
    const bytes = new Uint8Array(await (await get(`${name}.parquet`)).arrayBuffer());
    const table = tableFromIPC(readParquet(bytes).intoIPCStream());
    expect(table.numRows).toBe(wanted.length);
    for (const [index, row] of wanted.entries()) {
      const read = table.get(index);
      for (const field of table.schema.fields)
        expect(inText(read?.[field.name], String(field.type)), field.name).toBe(
          comparable(row[field.name], String(field.type)),
        );
    }
  });
});

/** What the other reader makes of a Parquet value, as text. */
function inText(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  if (type.startsWith('Decimal')) return String(BigInt(String(value)));
  if (type.startsWith('Date')) return new Date(Number(value)).toISOString().slice(0, 10);
  if (type.startsWith('Timestamp')) return new Date(Number(value)).toISOString();
  return isJson(String(value)) ? again(String(value)) : String(value);
}

function comparable(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  const scale = /^Decimal\[\d+e?[+]?(\d+)\]/.exec(type.replace(/,\s*/, 'e'))?.[1];
  if (scale !== undefined) {
    const [whole = '', fraction = ''] = String(value).split('.');
    return String(BigInt(whole + fraction.padEnd(Number(scale), '0')));
  }
  return plain(value);
}

describe('an export', () => {
  it('keeps every digit of an amount, and no text that a spreadsheet would run', async () => {
    const text = await (await get('spend-records.csv')).text();
    const rows = parse(text, { columns: true }) as Record<string, string>[];
    const large = rows.find(({ currency }) => currency === 'CLF');
    expect(large).toMatchObject({ amount: '-1234567890123.4567', merchant_name: `'=HYPERLINK("x")` });
    expect(rows.map((row) => row.merchant_name)).toContain('Café "Zwei", Berlin\nMitte');
  });

  it('of a window holds both of its days, or the instants before its end', async () => {
    const days = async (query: string) =>
      (
        parse(await (await get(`spend-records.csv?${query}`)).text(), { columns: true }) as {
          transaction_date: string;
        }[]
      ).map((row) => row.transaction_date);
    expect(await days('from=2026-10-01&to=2026-10-01')).toEqual(['2026-10-01']);
    expect(await days('to=2026-09-30')).toEqual([]);
    const found = await (
      await get('audit-events.ndjson?from=2026-11-01T00:00:01Z&to=2026-11-01T00:00:04%2B00:00')
    ).text();
    expect(found.trim().split('\n').length).toBe(3);
    const wholeDay = await (await get('audit-events.ndjson?from=2026-11-01&to=2026-11-02')).text();
    expect(wholeDay.trim().split('\n').length).toBe(EVENTS);
  });

  it.each(NAMES)('of %s that was cut is continued after its last row', async (name) => {
    const lines = (await (await get(`${name}.ndjson`)).text()).trim().split('\n');
    const middle = Math.floor(lines.length / 2);
    const row = JSON.parse(lines[middle - 1] ?? '') as Record<string, unknown>;
    const after = DATASETS[name].key.map(({ column }) => row[column]).join(':');
    const rest = (await (await get(`${name}.ndjson?after=${after}`)).text()).trim().split('\n');
    expect([...lines.slice(0, middle), ...rest]).toEqual(lines);
  });

  it('tells at its end how many rows it had, in plain and in gzip', async () => {
    for (const encoding of ['identity', 'gzip']) {
      const { trailers, headers } = await whole('/export/audit-events.csv', { 'accept-encoding': encoding });
      expect(headers['content-encoding'] ?? 'identity').toBe(encoding);
      const [last] = await ground.db.tenant(TENANT, (tx) =>
        tx.query<{ count: string; last: string }>('select count(*), max(sequence) as last from audit_events'),
      );
      expect(trailers).toMatchObject({ 'x-ledgergate-rows': last?.count, 'x-ledgergate-last': last?.last });
    }
  });

  it.each([
    ['from=2026-13-01', 'from'],
    ['to=yesterday', 'to'],
    ['from=2026-11-01T00:00:00Z', 'from'],
    ['after=;drop', 'after'],
    ['until=2026-01-01', 'until'],
    ['formulas=maybe', 'formulas'],
  ])('asked for with %s names the parameter at fault', async (query, field) => {
    const response = await get(`gl-postings.csv?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'BAD_REQUEST', field });
  });

  it('needs role AUDITOR, and shows no other tenant', async () => {
    const refused = await get('gl-postings.csv', {}, await gateway.key('VIEWER'));
    expect(refused.status).toBe(403);
    await refused.body?.cancel();
    const other = await get('gl-posting-lines.ndjson', {}, await gateway.key('AUDITOR', 'other'));
    expect(await other.text()).toBe('');
    const empty = await get('gl-postings.parquet', {}, await gateway.key('AUDITOR', 'other', 'second'));
    expect(tableFromIPC(readParquet(new Uint8Array(await empty.arrayBuffer())).intoIPCStream()).numRows).toBe(0);
  });
});

function whole(path: string, headers: Record<string, string>) {
  return new Promise<{ trailers: NodeJS.Dict<string>; headers: NodeJS.Dict<string | string[]>; bytes: number }>(
    (resolve, reject) => {
      const asked = request(
        new URL(path, gateway.server.url),
        { headers: { authorization: `Bearer ${auditor}`, ...headers } },
        (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
          });
          response.on('end', () => resolve({ trailers: response.trailers, headers: response.headers, bytes }));
          response.on('error', reject);
        },
      );
      asked.on('error', reject);
      asked.end();
    },
  );
}

describe('a slow reader', () => {
  /** Connections that are in the middle of reading an export. */
  const reading = () =>
    ground.db.engine((tx) =>
      tx.query<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
           and wait_event = 'ClientRead' and state <> 'idle' and query like '%from bi.audit_events%'`,
      ),
    );

  function download(path: string, url = gateway.server.url): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${auditor}` };
      const asked = request(new URL(path, url), { headers }, (response) => {
        // Whoever cuts a connection makes an error of it at the other end, which each test looks for in its own way.
        response.on('error', () => undefined);
        resolve(response);
      });
      asked.on('error', reject);
      asked.end();
    });
  }
  const endOf = (response: IncomingMessage) =>
    new Promise<'whole' | 'cut'>((resolve) => {
      response.once('close', () => resolve(response.complete ? 'whole' : 'cut'));
    });
  const ofReading = (count: number) =>
    vi.waitFor(async () => expect((await reading()).length).toBe(count), { timeout: 10_000 });

  beforeAll(() => events(ground, 60_000));

  it('is waited for, and gives its connection back when it goes away', async () => {
    const response = await download('/export/audit-events.ndjson');
    await ofReading(1);
    response.destroy();
    await ofReading(0);
  });

  it('is one of three at a time', async () => {
    const open = [];
    for (let index = 0; index < 3; index += 1) open.push(await download('/export/audit-events.ndjson'));
    const fourth = await download('/export/audit-events.ndjson');
    expect([fourth.statusCode, fourth.headers['retry-after']]).toEqual([503, '10']);
    fourth.resume();
    for (const response of open) response.destroy();
    await ofReading(0);
  });

  it('that takes nothing any more is cut off', async () => {
    const impatient = await Gateway.start({ on: ground, routes: [exportRoute(ground, { stalledMs: 50 })] });
    const response = await download('/export/audit-events.ndjson', impatient.server.url);
    const end = endOf(response);
    await ofReading(0);
    response.resume();
    expect(await end).toBe('cut');
    await impatient.stop();
  });

  it('sees its connection break, and no end, when the database takes its read away', async () => {
    const response = await download('/export/audit-events.csv');
    await ofReading(1);
    const [one] = await reading();
    await ground.db.engine((tx) => tx.query('select pg_terminate_backend($1)', [one?.pid]));
    response.resume();
    expect(await endOf(response)).toBe('cut');
  });
});
