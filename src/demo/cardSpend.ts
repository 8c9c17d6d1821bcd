import { finishedRun, triggerSync } from './runs.js';
import { type Screen, seconds } from './screen.js';
import type { Connected, SetUpOptions } from './setUp.js';
import type { Stage } from './stage.js';

const DAY_MS = 86_400_000;
/** A purchase's accounting record is shown three days after it. */
const SHOWN_AFTER_DAYS = 4;

export const CARD_SPEND_SET_UP: SetUpOptions = {
  pipelineName: 'Purchase cards',
  unmatchedVendor: 'POST_WITHOUT_SUPPLIER',
  streams: ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
  rules: [],
  currency: 'GBP',
  accountTemplate: '{costCentre}.{glAccount}',
  // The days are read one after the other without a gap, so reading behind each of them finds nothing new.
  postedOverlapDays: 0,
  withWebhooks: false,
};

export interface CardSpendRun {
  readonly days: number;
  readonly elapsedMs: number;
}

/**
 * Moves a file day by day: the source's time goes to the end of a day, and one sync reads that day. The next day begins
 * when all documents of the last one had their chance, so the ledger gets the days in their order.
 */
export async function runCardSpend(stage: Stage, screen: Screen, { pipelineId }: Connected): Promise<CardSpendRun> {
  const { scenario } = stage.access;
  const first = Date.parse(`${scenario.firstDay}T00:00:00Z`);
  const last = Date.parse(`${scenario.lastDay}T00:00:00Z`) + SHOWN_AFTER_DAYS * DAY_MS;
  const days = Math.round((last - first) / DAY_MS) + 1;
  const startedAt = Date.now();
  return screen.step(`Move ${scenario.purchases} purchases day by day`, async (progress) => {
    let settled = 0;
    for (let index = 0; index < days; index += 1) {
      const from = new Date(first + index * DAY_MS);
      const to = new Date(from.getTime() + DAY_MS);
      await stage.brex.post('clock', { now: to.toISOString() });
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
    return [
      `${days} days, ${settled} documents, ${((settled * 1000) / elapsedMs).toFixed(0)} a second`,
      { days, elapsedMs },
    ];
  });
}
