import { countPostings, finishedRun, triggerSync, until } from './runs.js';
import type { Screen } from './screen.js';
import { type Connected, refreshMasterData, type SetUpOptions } from './setUp.js';
import type { Stage } from './stage.js';

/** Explicit, so that the demo reads the same whatever the year is in which it runs. */
const WINDOW = { from: '2026-09-01T00:00:00Z', to: '2026-12-01T00:00:00Z' };
/** Transaction dates that the print-out is about. */
export const MONTH_DAYS = { from: '2026-09-01', to: '2026-11-30' };

const SETTLE_MS = 30_000;

/** What a customer would set: where tax goes, tax codes for four categories, and one merchant with an account of its own. */
export const MONTH_SET_UP: SetUpOptions = {
  pipelineName: 'Card spend',
  unmatchedVendor: 'HOLD',
  streams: ['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
  rules: [
    { category: 'tax', glAccount: '00-1450' },
    { merchant: 'CloudHarbor*', glAccount: '6300' },
    { merchant: '*Blue Heron Cafe*', glAccount: '6220', costCentre: '60' },
    { category: 'RESTAURANTS', glAccount: '6220', taxCode: 'STD' },
    { category: 'LODGING', glAccount: '6210', taxCode: 'STD' },
    { category: 'GAS_AND_FUEL', glAccount: '6240', taxCode: 'STD' },
    { category: 'OFFICE_SUPPLIES', glAccount: '6100', taxCode: 'STD' },
  ],
  currency: 'USD',
  accountTemplate: '{costCentre}-{glAccount}',
  postedOverlapDays: 7,
  withWebhooks: true,
};

/** Moves the generated month and then lets happen what happens after a month was posted. */
export async function runMonth(stage: Stage, screen: Screen, connected: Connected): Promise<void> {
  await dryRun(stage, screen, connected);
  await firstSync(stage, screen, connected);
  await editAfterPosting(stage, screen, connected);
  await resolveOneVendor(stage, screen, connected);
  await releaseAccount(stage, screen, connected);
}

async function dryRun({ api, syspro }: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  await screen.step('Dry run', async (progress) => {
    const id = await triggerSync(api, { pipelineId, dryRun: true, ...WINDOW });
    await finishedRun(api, id, (run) => progress(`${run.recordsRead} objects read`));
    const { syncRun } = await api.query<{ syncRun: { preview: { status: string }[]; recordsRead: number } }>(
      'query ($id: ID!) { syncRun(id: $id) { recordsRead preview { status } } }',
      { id },
    );
    const { journals } = await syspro.get<{ journals: number }>('summary');
    const held = syncRun.preview.filter((one) => one.status === 'HELD').length;
    if (journals !== 0) throw new Error(`The dry run left ${journals} documents in the ledger.`);
    return [
      `${syncRun.preview.length} documents would be made, ${held} of them held; ${journals} documents in the ledger`,
      null,
    ];
  });
}

async function firstSync({ api }: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  await screen.step('Sync', async (progress) => {
    const id = await triggerSync(api, { pipelineId, ...WINDOW, idempotencyKey: 'demo-first-sync' });
    const run = await finishedRun(api, id, (now) =>
      progress(`${now.recordsRead} objects read, ${now.postingsPosted} posted, ${now.postingsHeld} held`),
    );
    return [`${run.recordsRead} objects read, ${run.postingsPosted} posted, ${run.postingsHeld} held`, null];
  });
}

interface Corrected {
  readonly reference: string;
  readonly status: string;
  readonly reversedBy: { reference: string; status: string } | null;
  readonly spendRecords: { nodes: { revision: number; status: string; postings: { status: string }[] }[] };
}

/** Somebody corrects a purchase at the source after it was posted; a webhook tells, and the document is replaced. */
async function editAfterPosting(
  { api, access, brex }: Stage,
  screen: Screen,
  { pipelineId }: Connected,
): Promise<void> {
  const edit = access.scenario.plannedEdit;
  if (!edit) return;
  await screen.step('A purchase is corrected at the source after posting', async (progress) => {
    await brex.post('clock', { now: new Date(Date.parse(edit.at) + 3_600_000).toISOString() });
    progress('the webhook is on its way');
    const found = await until('The correction', SETTLE_MS, async () => {
      const { glPostings } = await api.query<{ glPostings: { nodes: Corrected[] } }>(
        `query ($filter: GlPostingFilter!) {
          glPostings(first: 1, filter: $filter) {
            nodes { reference status reversedBy { reference status } spendRecords(first: 1) { nodes { revision status postings { status } } } }
          }
        }`,
        { filter: { pipelineId, statuses: ['REVERSED'] } },
      );
      const [node] = glPostings.nodes;
      const record = node?.spendRecords.nodes[0];
      return node && record?.status === 'CORRECTED' ? { node, record } : null;
    });
    const { node, record } = found;
    return [`${node.reference} reversed by ${node.reversedBy?.reference}, replaced; revision ${record.revision}`, null];
  });
}

/** A person says which of two suppliers with nearly the same name a merchant is. */
async function resolveOneVendor({ api }: Stage, screen: Screen, { pipelineId, sysproId }: Connected): Promise<void> {
  await screen.step('A person decides about one vendor', async () => {
    const { vendorMatches } = await api.query<{
      vendorMatches: {
        nodes: { id: string; merchantName: string; candidates: { supplier: { code: string; name: string } }[] }[];
      };
    }>(
      `query ($filter: VendorMatchFilter!) {
        vendorMatches(first: 50, filter: $filter) { nodes { id merchantName candidates { supplier { code name } } } }
      }`,
      { filter: { ledgerId: sysproId, statuses: ['NEEDS_REVIEW'] } },
    );
    const match = vendorMatches.nodes.find((one) => /halden/i.test(one.merchantName)) ?? vendorMatches.nodes[0];
    const supplier = match?.candidates[0]?.supplier;
    if (!match || !supplier) return ['nothing to decide', null];
    const before = await countPostings(api, pipelineId, ['POSTED']);
    const { releasedPostings } = await api.mutate<{ releasedPostings: number }>(
      'resolveVendorMatch',
      `mutation ($input: ResolveVendorMatchInput!) {
        resolveVendorMatch(input: $input) { releasedPostings userErrors { code message resolution } }
      }`,
      { input: { id: match.id, decision: 'ASSIGN', supplierCode: supplier.code } },
    );
    const posted = await until('The posting of what was released', SETTLE_MS, async () => {
      const more = (await countPostings(api, pipelineId, ['POSTED'])) - before;
      return more >= releasedPostings ? more : null;
    });
    return [
      `"${match.merchantName}" is ${supplier.name} (${supplier.code}); ${releasedPostings} held documents released, ${posted} posted`,
      null,
    ];
  });
}

/** The ledger's account comes off hold; what waited for it is replayed. */
async function releaseAccount(stage: Stage, screen: Screen, { pipelineId, sysproId }: Connected): Promise<void> {
  const { api, syspro } = stage;
  await screen.step('The account on hold is released in the ledger and its postings are replayed', async (progress) => {
    await syspro.post('accounts', { code: '50-6120', onHold: false });
    progress('reading the master data again');
    await refreshMasterData(stage, sysproId);
    const { count, syncRun } = await api.mutate<{ count: number; syncRun: { id: string } | null }>(
      'replayPostings',
      `mutation ($filter: GlPostingFilter!) {
        replayPostings(filter: $filter, note: "Account 50-6120 is open again") { count syncRun { id } userErrors { code message resolution } }
      }`,
      { filter: { pipelineId, holdCodes: ['ACCOUNT_INACTIVE'] } },
    );
    if (syncRun) await finishedRun(api, syncRun.id, (run) => progress(`${run.postingsPosted} posted`));
    const left = await until('The replay', SETTLE_MS, async () => {
      const { glPostings } = await api.query<{ glPostings: { totalCount: number } }>(
        'query ($filter: GlPostingFilter!) { glPostings(first: 1, filter: $filter) { totalCount } }',
        { filter: { pipelineId, statuses: ['HELD'], holdCodes: ['ACCOUNT_INACTIVE'] } },
      );
      const open = await countPostings(api, pipelineId, ['READY', 'POSTING', 'IN_DOUBT', 'PLANNED']);
      return glPostings.totalCount === 0 && open === 0 ? glPostings.totalCount : null;
    });
    return [`${count} replayed, ${left} still held for it`, null];
  });
}
