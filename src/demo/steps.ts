import type { Connected } from './flow.js';
import { countPostings, finishedRun, type Run, triggerSync, until } from './runs.js';
import type { LedgerDocuments, LedgerTotals } from './sandboxControl.js';
import type { Screen } from './screen.js';
import { refreshMasterData } from './setUp.js';
import type { Stage } from './stage.js';

/** What several flows let happen, each as one step on the screen. */

/** Explicit, so that the demo reads the same whatever the year is in which it runs. */
export const WINDOW = { from: '2026-09-01T00:00:00Z', to: '2026-12-01T00:00:00Z' };
/** The month of the demo, fixed so that it prints the same in any year. */
export const MONTH = '2026-10';
/** Transaction dates that the print-out of a month is about. */
export const MONTH_DAYS = { from: '2026-09-01', to: '2026-11-30' };
/** The longest that a step waits for what happens by itself; machines in a gate are slow. */
export const SETTLE_MS = 120_000;
export const HOUR_MS = 3_600_000;

export async function dryRun({ api, ledger }: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  await screen.step('Dry run', async (progress) => {
    const id = await triggerSync(api, { pipelineId, dryRun: true, ...WINDOW });
    await finishedRun(api, id, (run) => progress(`${run.recordsRead} objects read`));
    const { syncRun } = await api.query<{ syncRun: { preview: { status: string }[]; recordsRead: number } }>(
      'query ($id: ID!) { syncRun(id: $id) { recordsRead preview { status } } }',
      { id },
    );
    const { journals, invoices } = await ledger.get<LedgerTotals>('summary');
    const held = syncRun.preview.filter((one) => one.status === 'HELD').length;
    if (journals + invoices !== 0) throw new Error(`The dry run left ${journals + invoices} documents in the ledger.`);
    return [
      `${syncRun.preview.length} documents would be made, ${held} of them held; ${journals + invoices} documents in the ledger`,
      null,
    ];
  });
}

export async function sync(
  { api }: Stage,
  screen: Screen,
  { pipelineId }: Connected,
  { title = 'Sync', key = 'demo-first-sync', mayBeRefused = false } = {},
): Promise<void> {
  await screen.step(title, async (progress) => {
    const id = await triggerSync(api, { pipelineId, ...WINDOW, idempotencyKey: key });
    const tell = (now: Run) =>
      progress(`${now.recordsRead} objects read, ${now.postingsPosted} posted, ${now.postingsHeld} held`);
    const run = await finishedRun(api, id, tell, mayBeRefused);
    const failed = run.postingsFailed > 0 ? `, ${run.postingsFailed} turned down by the ledger` : '';
    return [`${run.recordsRead} objects read, ${run.postingsPosted} posted, ${run.postingsHeld} held${failed}`, null];
  });
}

interface Waiting {
  readonly glPostings: {
    readonly nodes: readonly {
      readonly reference: string;
      readonly status: string;
      readonly reverses: { readonly reference: string } | null;
      readonly holds: readonly { readonly message: string; readonly resolution: string }[];
    }[];
  };
}

/**
 * The same, where invoices are posted: no ledger documents a negative invoice, and a journal would leave the supplier's
 * open item, so the pipeline lets a person decide about every correction.
 */
export async function editInvoiced(
  { api, access, source }: Stage,
  screen: Screen,
  { pipelineId }: Connected,
): Promise<void> {
  const edit = access.scenario.plannedEdit;
  if (!edit) return;
  await screen.step('A purchase is corrected at the source after its invoice was posted', async (progress) => {
    await source.post('clock', { now: new Date(Date.parse(edit.at) + HOUR_MS).toISOString() });
    progress('the webhook is on its way');
    const correction = await until('The correction', SETTLE_MS, async () => {
      const { glPostings } = await api.query<Waiting>(
        `query ($filter: GlPostingFilter!) {
          glPostings(first: 200, filter: $filter) {
            nodes { reference status reverses { reference } holds { message resolution } }
          }
        }`,
        { filter: { pipelineId, statuses: ['AWAITING_APPROVAL', 'HELD'] } },
      );
      return glPostings.nodes.find(({ reverses }) => reverses !== null) ?? null;
    });
    const [hold] = correction.holds;
    const why = hold ? `: ${hold.message}` : '';
    return [`the reversal of ${correction.reverses?.reference} is ${correction.status}${why}`, null];
  });
}

interface Corrected {
  readonly reference: string;
  readonly status: string;
  readonly reversedBy: { reference: string; status: string } | null;
  readonly spendRecords: { nodes: { revision: number; status: string; postings: { status: string }[] }[] };
}

/**
 * Somebody corrects a purchase at the source after it was posted; a webhook tells, and the document is replaced.
 * Comes before the first replay: that reads up to now, and the simulated source lives in the past of ours.
 */
export async function editAfterPosting(
  { api, access, source }: Stage,
  screen: Screen,
  { pipelineId }: Connected,
): Promise<void> {
  const edit = access.scenario.plannedEdit;
  if (!edit) return;
  await screen.step('A purchase is corrected at the source after posting', async (progress) => {
    await source.post('clock', { now: new Date(Date.parse(edit.at) + HOUR_MS).toISOString() });
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
export async function resolveOneVendor(
  { api }: Stage,
  screen: Screen,
  { pipelineId, ledgerId }: Connected,
): Promise<void> {
  await screen.step('A person decides about one vendor', async () => {
    const { vendorMatches } = await api.query<{
      vendorMatches: {
        nodes: { id: string; merchantName: string; candidates: { supplier: { code: string; name: string } }[] }[];
      };
    }>(
      `query ($filter: VendorMatchFilter!) {
        vendorMatches(first: 50, filter: $filter) { nodes { id merchantName candidates { supplier { code name } } } }
      }`,
      { filter: { ledgerId, statuses: ['NEEDS_REVIEW'] } },
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

/** The ledger's account is released there; what waited for it is replayed. */
export async function releaseAccount(stage: Stage, screen: Screen, connected: Connected, code: string): Promise<void> {
  const { ledger } = stage;
  await screen.step('The account on hold is released in the ledger and its postings are replayed', async (progress) => {
    await ledger.post('accounts', { code, active: true });
    progress('reading the master data again');
    await refreshMasterData(stage, connected.ledgerId);
    const filter = { pipelineId: connected.pipelineId, holdCodes: ['ACCOUNT_INACTIVE'] };
    const count = await replay(stage, connected, filter, `Account ${code} is open again`, progress);
    const left = await countPostings(stage.api, connected.pipelineId, ['HELD'], ['ACCOUNT_INACTIVE']);
    if (left > 0) throw new Error(`${left} documents are still held for account ${code}.`);
    return [`${count} replayed, ${left} still held for it`, null];
  });
}

interface Attempted {
  readonly reference: string;
  readonly status: string;
  readonly attempts: readonly { outcome: string }[];
}

/**
 * The network loses one answer of the ledger, after it did what it was asked to: the document is looked for by its
 * reference and found, and not sent again.
 * @param match the operation whose answer is lost, as the sandbox calls it.
 */
export async function withLostReply(
  { api, ledger, flow }: Stage,
  screen: Screen,
  { pipelineId }: Connected,
  match: string,
  work: () => Promise<void>,
): Promise<void> {
  await ledger.post('faults', { rules: [{ match, kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }] });
  await work();
  const { title } = flow.ledger;
  await screen.step(
    `One answer of ${title} got lost after it had booked; it is looked up and not sent twice`,
    async () => {
      const { glPostings } = await api.query<{ glPostings: { nodes: readonly Attempted[] } }>(
        `query ($filter: GlPostingFilter!) {
        glPostings(first: 200, filter: $filter) { nodes { reference status attempts { outcome } } }
      }`,
        { filter: { pipelineId, statuses: ['POSTED'] } },
      );
      const unclear = glPostings.nodes.filter(({ attempts }) => attempts.some(({ outcome }) => outcome !== 'POSTED'));
      const [one] = unclear;
      if (!one) throw new Error('No answer was lost.');
      const { total } = await ledger.get<LedgerDocuments>(`documents?reference=${one.reference}`);
      if (total !== 1) throw new Error(`${title} holds ${total} documents with the reference ${one.reference}.`);
      const outcomes = one.attempts.map(({ outcome }) => outcome).join(', ');
      return [`${one.reference} (${outcomes}) is ${one.status}, ${total} document in ${title}`, null];
    },
  );
}

/** Plans postings again and waits until none is on its way. @returns how many were replayed. */
export async function replay(
  { api }: Stage,
  { pipelineId }: Connected,
  filter: Record<string, unknown>,
  note: string,
  progress: (text: string) => void,
): Promise<number> {
  const { count, syncRun } = await api.mutate<{ count: number; syncRun: { id: string } | null }>(
    'replayPostings',
    `mutation ($filter: GlPostingFilter!, $note: String!) {
      replayPostings(filter: $filter, note: $note) { count syncRun { id } userErrors { code message resolution } }
    }`,
    { filter, note },
  );
  if (syncRun) await finishedRun(api, syncRun.id, (run) => progress(`${run.postingsPosted} posted`));
  await atRest(api, pipelineId);
  return count;
}

/** Waits until nothing is on its way to the ledger. */
export async function atRest(api: Stage['api'], pipelineId: string): Promise<void> {
  await until('The end of what is on its way', SETTLE_MS, async () => {
    const open = await countPostings(api, pipelineId, ['PLANNED', 'READY', 'POSTING', 'IN_DOUBT']);
    return open === 0 ? open : null;
  });
}

/** What `ledgergate sandbox` is started with for a generated month of Brex. */
export function monthArguments(purchases: number): string[] {
  const settings = { webhooksOnReveal: true };
  return ['--month', MONTH, '--purchases', String(purchases), '--settings', `brex=${JSON.stringify(settings)}`];
}
