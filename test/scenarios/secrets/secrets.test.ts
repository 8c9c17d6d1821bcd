import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessTo, FLOW_NAMES, type Flow } from '../../../src/demo/flow.js';
import { FLOWS } from '../../../src/demo/flows/index.js';
import { newMasterKey } from '../../../src/secrets.js';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { GatewayClient } from '../support/gateway.js';
import { buildProduct, type Product } from '../support/product.js';
import { until } from '../support/wait.js';
import { type HostileCompany, startHostileCompany } from './hostileSandbox.js';

// The compiled program at its most talkative, connected to all six systems by credentials that the test knows, while
// calls are refused, lost and answered by pages that repeat those credentials. A surprise here is a secret that somebody
// finds in a log collector, a backup of the database or a support ticket.

const PATIENCE_MS = 480_000;
/** Shorter ones would be found in the middle of other words. */
const CHARS_MIN = 8;
const ERRORS = 'userErrors { code message path }';

const planted = new Set<string>();

function plant(secret: string): string {
  planted.add(secret);
  return secret;
}

const ofGateway = {
  masterKey: plant(newMasterKey().reveal()),
  previousMasterKey: plant(newMasterKey().reveal()),
  bootstrapKey: plant(`bootstrap-${randomBytes(16).toString('hex')}`),
  metricsToken: plant(`metrics-${randomBytes(16).toString('hex')}`),
};

let product: Product;
let database: FreshDatabase;
let gateway: ChildProcess;
let client: GatewayClient;
const companies: HostileCompany[] = [];
/** Everything that the process wrote, to either stream. */
const said: string[] = [];

/** As it was given, and as it would look in a URL, a JSON text, a header of Basic credentials or bytes written out. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Of the middle of a longer text, base64 shows one of three forms; the ends that its neighbours decide are cut off.
  const inside = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = shift === 0 ? 0 : shift + 1;
    return encoded.slice(from, encoded.length - ((bytes.length + shift) % 3 === 0 ? 0 : 1));
  });
  const form = new URLSearchParams({ a: secret }).toString().slice(2);
  return [
    ...[secret, encodeURIComponent(secret), form, JSON.stringify(secret).slice(1, -1)],
    ...[...inside, ...inside.map((one) => one.replaceAll('+', '-').replaceAll('/', '_')), bytes.toString('hex')],
  ].filter((one) => one.length >= CHARS_MIN);
}

/** Names what was found by its kind and where, and never repeats it. */
function findings(where: string, text: string, secrets: Iterable<string> = planted): string[] {
  const found: string[] = [];
  for (const secret of secrets) {
    const form = formsOf(secret).find((one) => text.includes(one));
    if (form === undefined) continue;
    const at = text.indexOf(form);
    const around = `${text.slice(Math.max(0, at - 120), at)}<HERE>`;
    found.push(`${where}: secret ${createHash('sha256').update(secret).digest('hex').slice(0, 6)} after ${around}`);
  }
  return found;
}

beforeAll(async () => {
  [product, database] = await Promise.all([buildProduct(), freshDatabase()]);
  plant(new URL(database.connectionString).password);
  gateway = spawn(process.execPath, [product.main], {
    cwd: product.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...{ PATH: process.env.PATH ?? '', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'trace' },
      DATABASE_URL: database.connectionString,
      LEDGERGATE_MASTER_KEY: ofGateway.masterKey,
      LEDGERGATE_MASTER_KEY_PREVIOUS: ofGateway.previousMasterKey,
      LEDGERGATE_BOOTSTRAP_ADMIN_KEY: ofGateway.bootstrapKey,
      LEDGERGATE_METRICS_TOKEN: ofGateway.metricsToken,
    },
  });
  const url = await new Promise<string>((resolve, reject) => {
    gateway.once('exit', () => reject(new Error(said.slice(-20).join('\n'))));
    for (const stream of [gateway.stdout, gateway.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const address = /^listening on (\S+)$/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    }
  });
  client = new GatewayClient(url, ofGateway.bootstrapKey);
}, 180_000);

afterAll(async () => {
  if (gateway && gateway.exitCode === null) {
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
  }
  await Promise.all(companies.map((company) => company.close()));
  await database?.drop();
  product?.remove();
});

async function rows<Row extends pg.QueryResultRow>(statement: string, values: unknown[] = []): Promise<Row[]> {
  const sql = new pg.Client({ connectionString: database.connectionString, application_name: 'test' });
  await sql.connect();
  try {
    return (await sql.query<Row>(statement, values)).rows;
  } finally {
    await sql.end();
  }
}

/** Every text among the credentials that is a secret; names, addresses and numbers of a company are none. */
const SECRET_PARTS = /^(token|operatorPassword|password|partnerUserSecret|apiKey|clientSecret|webhookSecret|cs|sask)$/;

function plantAll(given: unknown, of: Set<string>): void {
  if (typeof given !== 'object' || given === null) return;
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string' && SECRET_PARTS.test(name)) of.add(plant(value));
    else plantAll(value, of);
  }
}

async function connect(input: object): Promise<string> {
  const connected = await client.change<{ system: { id: string } }>(
    `mutation ($input: ConnectSystemInput!) { done: connectSystem(input: $input) { system { id } ${ERRORS} } }`,
    { input },
  );
  return connected.system.id;
}

/** Connects both systems, with a credential that is refused first, and moves spend while calls are disturbed. */
async function goThrough(flow: Flow): Promise<void> {
  const secrets = { source: new Set<string>(), ledger: new Set<string>() };
  const company = await startHostileCompany(flow, secrets, plant);
  companies.push(company);
  const source = flow.source.input(company.access);
  const ledger = flow.ledger.input(company.access);
  plantAll(source, secrets.source);
  plantAll(ledger, secrets.ledger);
  expect([secrets.source.size, secrets.ledger.size]).not.toContain(0);
  const sourceId = await connect({ name: `${flow.name} source`, ...source });
  const ledgerId = await connect({ name: `${flow.name} ledger`, ...ledger });
  for (const [id, { credentials }] of [[sourceId, source] as const, [ledgerId, ledger] as const]) {
    await refusedCredential(id, credentials);
  }
  const { pipeline } = await client.change<{ pipeline: { id: string } }>(
    `mutation ($input: CreatePipelineInput!) { done: createPipeline(input: $input) { pipeline { id } ${ERRORS} } }`,
    { input: { ...flow.pipeline, name: flow.name, sourceId, ledgerId } },
  );
  await client.change(
    `mutation ($id: ID!, $rules: [MappingRuleInput!]!) {
      done: setMappingRules(pipelineId: $id, rules: $rules, note: "Secrets") { mapping { version } ${ERRORS} } }`,
    { id: pipeline.id, rules: flow.rules },
  );
  company.source.begin();
  company.ledger.begin();
  await until(`${flow.name}: documents in the ledger and every disturbance of it`, PATIENCE_MS, async () => {
    await reconnect(sourceId, source.credentials);
    await reconnect(ledgerId, ledger.credentials);
    await syncAgain(pipeline.id);
    const [{ posted } = { posted: 0 }] = await rows<{ posted: number }>(
      `select count(*)::int as posted from postings where pipeline_id = $1 and status = 'POSTED'`,
      [pipeline.id],
    );
    return posted >= 2 && company.ledger.isThrough && company.source.done.has('UNAUTHORISED');
  });
}

/** What its owner does when the vendor refused the credential: one of the disturbances does that. */
async function reconnect(id: string, credentials: unknown): Promise<void> {
  const [system] = await rows<{ status: string }>('select status from systems where id = $1', [id]);
  if (system?.status === 'NEEDS_REAUTHORISATION') await client.change(UPDATE, { id, credentials });
}

/** A disturbed sync may end with a part only. */
async function syncAgain(pipelineId: string): Promise<void> {
  const runs = `select from sync_runs where pipeline_id = $1 and status in ('QUEUED', 'RUNNING')
    union all select from postings where pipeline_id = $1 and status in ('PLANNED', 'READY', 'POSTING', 'IN_DOUBT')`;
  if ((await rows(runs, [pipelineId])).length > 0) return;
  await client.change(
    `mutation ($input: TriggerSyncInput!) { done: triggerSync(input: $input) { syncRun { id } ${ERRORS} } }`,
    { input: { pipelineId } },
  );
}

const UPDATE = `mutation ($id: ID!, $credentials: JSON!) {
  done: updateCredentials(id: $id, credentials: $credentials) { system { id } ${ERRORS} }
}`;

/** A slip of the hand is a secret too: it is mostly the right password with one letter wrong. */
async function refusedCredential(id: string, credentials: unknown): Promise<void> {
  const wrong = JSON.parse(JSON.stringify(credentials), (name: string, value: unknown) =>
    typeof value === 'string' && SECRET_PARTS.test(name) ? plant(`${value}-${randomBytes(6).toString('hex')}`) : value,
  ) as unknown;
  const answer = await client.ask(UPDATE, { id, credentials: wrong });
  expect(findings('answer', JSON.stringify(answer))).toEqual([]);
  const tested = await client.ask(
    `mutation ($id: ID!) { done: testSystem(id: $id) { ok checks { detail } userErrors { message } } }`,
    {
      id,
    },
  );
  expect(findings('answer', JSON.stringify(tested))).toEqual([]);
  await client.change(UPDATE, { id, credentials });
}

describe('no secret is found outside the place where it is sealed', () => {
  it('although all six systems refuse, lose and garble calls and repeat their callers’ credentials', async () => {
    const { secret } = await client.change<{ secret: string }>(
      `mutation { done: createApiKey(name: "Reader", role: VIEWER) { secret ${ERRORS} } }`,
      {},
    );
    plant(secret);
    await Promise.all(FLOW_NAMES.map((name) => goThrough(FLOWS[name])));
    await unwelcomeRequests(secret);

    const told = await client.ask(
      `{ systems { name settings } alerts(includeResolved: true) { message } auditEvents(first: 200) { nodes { action } } }`,
    );
    const figures = await fetch(`${client.url}/metrics`, {
      headers: { authorization: `Bearer ${ofGateway.metricsToken}` },
    });
    expect(figures.status).toBe(200);
    expect(findings('GraphQL', JSON.stringify(told))).toEqual([]);
    expect(findings('/metrics', await figures.text())).toEqual([]);

    gateway.kill('SIGTERM');
    await once(gateway, 'exit');
    expect(said.some((line) => line.includes('"level":20'))).toBe(true);
    const wholeLog = said.join('\n');
    expect(findings('log', wholeLog)).toEqual([]);
    const tables = await rows<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss', 'bi')`,
    );
    expect(tables.length).toBeGreaterThan(40);
    for (const { name } of tables) {
      const [{ text } = { text: null }] = await rows<{ text: string | null }>(
        `select string_agg(t::text, E'\\n') as text from ${name} t`,
      );
      expect(findings(name, text ?? '')).toEqual([]);
    }
    // Sealed and in use, or nothing of this was about anything.
    const [{ sealed } = { sealed: 0 }] = await rows<{ sealed: number }>(
      'select count(*)::int as sealed from credentials',
    );
    expect(sealed).toBe(FLOW_NAMES.length * 2);
    expect(planted.size).toBeGreaterThan(25);
  }, 900_000);

  it('and a secret that is there is found, however it is written', () => {
    const secret = 'Zürich+/= 17&"pass';
    const known = [secret];
    const texts = [
      secret,
      `https://host/?p=${encodeURIComponent(secret)}&q`,
      `grant=a&${new URLSearchParams({ p: secret })}`,
      JSON.stringify({ deep: { secret } }),
      `Basic ${Buffer.from(`u:${secret}`).toString('base64')}`,
      `Basic ${Buffer.from(`us:${secret}:more`).toString('base64')}`,
      `Basic ${Buffer.from(`usr:${secret}`).toString('base64url')}`,
      `\\x${Buffer.from(`x${secret}x`).toString('hex')}`,
    ];
    for (const text of texts) expect(findings('text', `before ${text} after`, known), text).toHaveLength(1);
    expect(findings('text', 'nothing here', known)).toEqual([]);
  });
});

/** Strangers, callers whose key is wrong by one letter or stands in the address, and forged webhooks. */
async function unwelcomeRequests(key: string): Promise<void> {
  const body = JSON.stringify({ query: '{ nowhere }' });
  const headers = { 'content-type': 'application/json' };
  for (const authorization of [`Bearer ${key}`, `Bearer ${plant(`${key}x`)}`, `Basic ${plant(`${key}y`)}`]) {
    await fetch(`${client.url}/graphql`, { method: 'POST', headers: { ...headers, authorization }, body });
  }
  await fetch(`${client.url}/graphql?key=${key}`, { method: 'POST', headers, body });
  await fetch(`${client.url}/nowhere?token=${key}`);
  const [system] = await rows<{ id: string }>(`select id from systems where kind = 'BREX' limit 1`);
  const found = companies.find(({ access }) => access.brex !== null);
  if (!found) throw new Error('No Brex was started.');
  const { webhookSecret } = accessTo(found.access, 'brex');
  const forged = await fetch(`${client.url}/webhooks/${system?.id}`, {
    method: 'POST',
    headers: { ...headers, 'webhook-id': 'm', 'webhook-timestamp': '1', 'webhook-signature': `v1,${webhookSecret}` },
    body,
  });
  expect(forged.status).toBe(401);
}
