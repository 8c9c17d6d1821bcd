import { daysOutOfOrder } from '../facts.js';
import { accessTo, type Connected, type Flow } from '../flow.js';
import { finishedRun, triggerSync } from '../runs.js';
import { type Screen, seconds } from '../screen.js';
import type { Stage } from '../stage.js';
import { brexSource } from './brex.js';
import { sysproLedger } from './syspro.js';

const DAY_MS = 86_400_000;
/** A purchase's accounting record is shown three days after it. */
const SHOWN_AFTER_DAYS = 4;

/** A CSV of real card spend in place of the generated month. */
export function cardSpendFlow(file: string, suppliers: string | undefined): Flow {
  return {
    name: 'brex-syspro',
    title: 'Brex → SYSPRO',
    source: {
      // The days are read one after the other without a gap, so reading behind each of them finds nothing new.
      ...brexSource((access) => accessTo(access, 'syspro').companyId, { postedOverlapDays: 0 }),
      hasWebhooks: false,
    },
    ledger: sysproLedger('GBP', '{costCentre}.{glAccount}'),
    pipeline: {
      name: 'Purchase cards',
      streams: ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
      ...{ documentType: 'JOURNAL', grouping: 'PER_RECORD', offsetAccount: '00-2150' },
      ...{ unmatchedVendor: 'POST_WITHOUT_SUPPLIER', closedPeriod: 'HOLD', correction: 'REVERSE_AND_REPLACE' },
    },
    rules: [],
    sandboxArguments: () => [
      ...['--scenario', file, '--settings', `brex=${JSON.stringify({ rateLimit: null })}`],
      ...(suppliers === undefined ? [] : ['--suppliers', suppliers]),
    ],
    origin: ({ scenario }) => ` from ${scenario.purchases} rows`,
    async run(stage, screen, connected) {
      const { firstDay, lastDay } = stage.access.scenario;
      await runCardSpend(stage, screen, connected);
      const end = new Date(Date.parse(`${lastDay}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
      return { from: firstDay ?? end, to: end };
    },
    async finish(stage, screen, facts) {
      const problems: string[] = [];
      const { AUTO_MATCHED: auto, NEEDS_REVIEW: review, UNMATCHED: none } = facts.matches;
      screen.line(`Vendor matching: ${auto} merchants automatic, ${review} to review, ${none} without a supplier.`);
      for (const { code, examples } of facts.held) for (const one of examples) screen.line(`  e.g. ${code}: ${one}`);
      for (const { line, message } of stage.access.scenario.problems)
        screen.line(`Row ${line} is unusable: ${message}`);
      const outOfOrder = await daysOutOfOrder(stage);
      screen.line(`Order: ${outOfOrder} documents came to the ledger after one of a later day.`);
      if (outOfOrder > 0) problems.push('The ledger did not get the days in their order.');
      if (stage.access.scenario.problems.length > 0) problems.push('Some rows of the file could not be used.');
      // The generated month holds one object that nobody can read, on purpose; a file does not.
      if (!facts.reconciliation.complete)
        problems.push('Something could not be read: the reconciliation is not complete.');
      return problems;
    },
  };
}

/**
 * Moves a file day by day: the source's time goes to the end of a day, and one sync reads that day. The next day begins
 * when all documents of the last one had their chance, so the ledger gets the days in their order.
 */
async function runCardSpend(stage: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  const { scenario } = stage.access;
  const first = Date.parse(`${scenario.firstDay}T00:00:00Z`);
  const last = Date.parse(`${scenario.lastDay}T00:00:00Z`) + SHOWN_AFTER_DAYS * DAY_MS;
  const days = Math.round((last - first) / DAY_MS) + 1;
  const startedAt = Date.now();
  await screen.step(`Move ${scenario.purchases} purchases day by day`, async (progress) => {
    let settled = 0;
    for (let index = 0; index < days; index += 1) {
      const from = new Date(first + index * DAY_MS);
      const to = new Date(from.getTime() + DAY_MS);
      await stage.source.post('clock', { now: to.toISOString() });
      const id = await triggerSync(stage.api, { pipelineId, from: from.toISOString(), to: to.toISOString() });
      const run = await finishedRun(stage.api, id);
      settled += run.postingsPosted + run.postingsHeld + run.postingsFailed;
      const elapsed = Date.now() - startedAt;
      const left = settled > 0 ? ((scenario.purchases - settled) * elapsed) / settled : 0;
      progress(
        `${from.toISOString().slice(0, 10)}, ${settled} documents, ${Math.round((settled * 1000) / elapsed)} a second, ${seconds(Math.max(0, left))} left`,
      );
    }
    const elapsedMs = Date.now() - startedAt;
    return [`${days} days, ${settled} documents, ${((settled * 1000) / elapsedMs).toFixed(0)} a second`, null];
  });
}
