import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type BenchGround, layGround } from './ground.js';
import { textOf } from './measure.js';
import { benchPage } from './page.js';
import { benchPosting } from './posting.js';
import { planMonth } from './rows.js';
import { benchVendors } from './vendors.js';
import { benchWebhooks } from './webhooks.js';

const PARTS = ['posting', 'webhooks', 'page', 'vendors'] as const;
type Part = (typeof PARTS)[number];

function say(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

/**
 * Compares the gateway with bare programs that do the same without its promises, in the same run and on the same database.
 * What is printed are ratios: absolute figures say more about the machine.
 * @returns the exit code.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string', default: '3' },
      only: { type: 'string', default: PARTS.join(',') },
      profile: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  const wanted = values.only.split(',');
  const unknown = wanted.filter((name) => !PARTS.includes(name as Part));
  if (unknown.length > 0 || !(seconds > 0)) {
    process.stderr.write(`Usage: npm run bench -- [--seconds 3] [--only ${PARTS.join(',')}] [--profile]\n`);
    return 2;
  }
  const [cpu] = cpus();
  say(`node ${process.versions.node}, ${cpus().length} × ${cpu?.model ?? 'unknown'}`);
  if (wanted.some((name) => name !== 'vendors')) await comparePrograms(seconds, wanted, values.profile);
  if (wanted.includes('vendors')) {
    for (const { name, value, unit, goal } of await benchVendors()) {
      const figure = value >= 100 ? Math.round(value).toLocaleString('en-GB') : value.toFixed(2);
      process.stdout.write(
        `${name.padEnd(44)}${figure.padStart(12)} ${unit}${goal === '' ? '' : ` (goal: ${goal})`}\n`,
      );
    }
  }
  return 0;
}

async function comparePrograms(seconds: number, wanted: readonly string[], profiled: boolean): Promise<void> {
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const ground = await layGround(secret);
  try {
    await planMonth(ground);
    if (wanted.includes('posting')) tell(await benchPosting(ground, seconds, profiled));
    if (wanted.includes('page')) tell(await benchPage(ground, seconds, profiled));
    if (wanted.includes('webhooks')) say(textOf(await benchWebhooks(ground, seconds, secret)));
  } finally {
    await ground.close();
  }
}

function tell({ comparison, profile }: Awaited<ReturnType<typeof benchPage>>): void {
  say(textOf(comparison));
  if (profile !== null) say(`Where the gateway's time went:\n${profile}`);
}

export type { BenchGround };
