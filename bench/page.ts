import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import autocannon from 'autocannon';
import type { BenchGround } from './ground.js';
import { type Comparison, inTurns } from './measure.js';
import { summaryOf } from './profile.js';
import { PAGE_QUERY, PAGE_SIZE } from './rawPage.js';
import { copyPostings } from './rows.js';

const ROUNDS = 5;
const CONNECTIONS = 10;
const POSTINGS = 20_000;

/** A page of postings with their lines, through GraphQL and by hand. */
export async function benchPage(
  ground: BenchGround,
  seconds: number,
  profiled: boolean,
): Promise<{ comparison: Comparison; profile: string | null }> {
  await copyPostings(ground, 'P', POSTINGS, 'POSTED');
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-profile-'));
  const api = ground.startApi(profiled ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []);
  const url = `${await api.ready}/graphql`;
  const bare = await ground.startBare('page', {});
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${ground.client.key}` };
  const body = JSON.stringify({ query: PAGE_QUERY });
  const ask = async (address: string) => (await fetch(address, { method: 'POST', headers, body })).text();
  const window = async (target: string): Promise<number> => {
    const requests = [{ method: 'POST' as const, headers, body }];
    const result = await autocannon({ url: target, connections: CONNECTIONS, duration: seconds, requests });
    if (result.non2xx + result.errors > 0)
      throw new Error(`${target} refused ${result.non2xx + result.errors} requests.`);
    return result['2xx'] / result.duration;
  };
  let profile: string | null = null;
  try {
    const [ours, raw] = [await ask(url), await ask(bare.url)];
    if (!isDeepStrictEqual(JSON.parse(ours), JSON.parse(raw))) {
      throw new Error(`The two pages differ:\n${ours.slice(0, 900)}\n${raw.slice(0, 900)}`);
    }
    const measured = await inTurns(
      ROUNDS,
      () => window(url),
      () => window(bare.url),
    );
    const { rows } = await ground.pool.query<{ count: number }>('select count(*)::int as count from postings');
    const how =
      `${ROUNDS} rounds of ${seconds} s each, in turns, ${CONNECTIONS} connections, ${PAGE_SIZE} of ${rows[0]?.count ?? 0} postings with ` +
      `their lines (${Math.round(ours.length / 1_024)} KB, the same JSON on both sides), API key checked in the database each time. ` +
      'Bare: node:http, pg, one hand-written statement, JSON.stringify.';
    await api.stop();
    if (profiled) profile = readProfiles(folder);
    return { comparison: { name: 'Page of postings', unit: 'pages/s', ...measured, how }, profile };
  } finally {
    await bare.stop();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function readProfiles(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  return summaryOf(files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}
