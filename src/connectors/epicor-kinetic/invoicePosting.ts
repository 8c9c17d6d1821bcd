import { setTimeout as delay } from 'node:timers/promises';
import { OutcomeUnknownError } from '../../errors.js';
import type { PosterFacts } from './facts.js';
import { refusedUnder200 } from './failures.js';
import { AP_GROUPS, type Groups } from './groups.js';
import { jsonDecimal } from './json.js';
import { readInvoice } from './lookup.js';
import { promptsOf } from './replies.js';
import { rowIn } from './rows.js';
import type { Work } from './work.js';

const POSTING = 'Erp.PROC.APInvoicePostSvc';
/** Between two looks at a posting process that runs. */
const LOOK_EVERY_MS = 500;

/**
 * Posts the group of one invoice and waits for it. Posting answers nothing: what became of it is read from the invoice and
 * from the group's error log.
 * @returns what Epicor would have told a user.
 * @throws ErpRejectedError, PeriodClosedError it was not posted, with the group's error log.
 * @throws OutcomeUnknownError the process still runs.
 */
export async function postInvoiceGroup(
  facts: PosterFacts,
  groups: Groups,
  entry: { vendorNum: string; invoiceNum: string; groupId: string },
  work: Work,
): Promise<string[]> {
  const { client, settings } = facts;
  const { groupId } = entry;
  // Entering it opened it.
  await groups.makeFree(groupId, work);
  const before = await client.ask(AP_GROUPS.service, 'PrePostGroupInvoices', { PostGroupID: groupId }, work);
  const told = promptsOf(before.parameters);
  const fresh = await client.read(POSTING, 'GetNewParameters', {}, work);
  if (fresh === null) throw refusedUnder200([], await client.facts(`${POSTING}/GetNewParameters`));
  const row = { ...rowIn(fresh, 'APInvoicePostParam'), GroupID: groupId };
  const ds = { ...fresh.tables, APInvoicePostParam: [row] };
  let hasRun = false;
  if (settings.postingMode === 'direct') {
    hasRun = !(await client.write(POSTING, 'RunDirect', { ds }, work, { isVoid: true })).isEmpty;
  } else {
    const { agentId, maintProgram } = settings;
    const task = { agentID: agentId, agentSchedNum: jsonDecimal('0'), agentTaskNum: jsonDecimal('0'), maintProgram };
    await client.write(POSTING, 'SubmitToAgent', { ds, ...task }, work, { isVoid: true });
  }
  const waitUntil = performance.now() + Math.min(settings.postingWaitSeconds * 1000, work.remainingMs - LOOK_EVERY_MS);
  for (;;) {
    const stored = await readInvoice(client, settings, entry, work);
    if (stored?.head.Posted) return told;
    const group = await groups.read(groupId, work);
    const log = group?.PostErrorLog ?? '';
    if (log !== '' && !group?.PostInProcess) {
      throw refusedUnder200([log, ...told], await client.facts(`${POSTING}/RunDirect`));
    }
    if (performance.now() >= waitUntil) {
      // A direct run is over when it answers, so what is not posted then was not posted; an agent may not have begun.
      if (hasRun && group !== null && !group.PostInProcess && stored !== null) {
        const reason =
          told.length > 0 ? told : [`Posting group ${groupId} ended without posting it and without a reason`];
        throw refusedUnder200(reason, await client.facts(`${POSTING}/RunDirect`));
      }
      throw new OutcomeUnknownError(`Group ${groupId} is entered whole, and its posting has not come to an end.`, {
        code: 'POSTING_RUNS',
        detail: { groupId },
      });
    }
    await delay(LOOK_EVERY_MS);
  }
}
