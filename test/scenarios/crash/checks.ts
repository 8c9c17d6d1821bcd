import type * as PostingStates from '../../../src/domain/postingState.js';
import type { LedgerDocumentView } from '../../../src/sandbox/kit/index.js';
import type { Product } from '../support/product.js';
import type { StartedLedger } from './ledger.js';
import { exported } from './watch.js';
import type { World } from './world.js';

export interface Verdict {
  /** Empty when every promise was kept. */
  readonly broken: string[];
  readonly documents: number;
  readonly duplicates: number;
  /** Begun and given up beside the one that counts; not in the books. */
  readonly abandoned: number;
  readonly postingsByStatus: Record<string, number>;
  readonly foundByReference: number;
  readonly sentAgain: number;
  readonly reversals: number;
  readonly exportedRecords: number;
  readonly totals: readonly ReconciliationTotal[];
  readonly auditEvents: number;
}

interface ReconciliationTotal {
  readonly currency: string;
  readonly source: string;
  readonly posted: string;
  readonly difference: string;
  readonly recordCount: number;
}

interface PostingRow {
  id: string;
  reference: string;
  status: string;
  ledger_document_id: string | null;
  total: string;
  lines: number;
}

const SHOWN_MAX = 12;

/** Compares what the simulated systems hold with what the gateway says about it. */
export async function check(world: World, product: Product): Promise<Verdict> {
  const broken: string[] = [];
  const postings = await world.sql<PostingRow>(
    `select p.id, p.reference, p.status, p.ledger_document_id, p.total::text as total,
       (select count(*)::int from posting_lines l where l.tenant_id = p.tenant_id and l.posting_id = p.id) as lines
     from postings p`,
  );
  const documents = world.ledger.sandbox.documents();
  const inBooks = documents.filter(({ posted }) => posted);
  const duplicates = checkDocuments(broken, postings, inBooks, world.ledger);
  const abandoned = checkAbandoned(broken, postings, documents, world.ledger);
  checkSummary(broken, documents, world.ledger);
  const { canMove } = await product.load<typeof PostingStates>('domain/postingState.js');
  await checkMoves(broken, world, postings, canMove);
  const exportedRecords = await checkExports(broken, world);
  const totals = await checkReconciliation(broken, world);
  const auditEvents = await checkAudit(broken, world);
  broken.push(...world.exports.tooEarly);
  const [told] = await world.sql<{ found: number; again: number }>(
    `select count(*) filter (where action = 'posting.posted' and summary like '%found in the ledger by its reference%')::int as found,
       count(*) filter (where action = 'posting.provenAbsent')::int as again from audit_events`,
  );
  const postingsByStatus: Record<string, number> = {};
  for (const { status } of postings) postingsByStatus[status] = (postingsByStatus[status] ?? 0) + 1;
  return {
    ...{ broken, duplicates, abandoned, postingsByStatus, exportedRecords, totals, auditEvents },
    documents: inBooks.length,
    foundByReference: told?.found ?? 0,
    sentAgain: told?.again ?? 0,
    reversals: postingsByStatus.REVERSED ?? 0,
  };
}

/** One document for each posting that says so, with its totals; none for any other. @returns how many are too many. */
function checkDocuments(
  broken: string[],
  postings: readonly PostingRow[],
  inBooks: readonly LedgerDocumentView[],
  ledger: StartedLedger,
): number {
  const byReference = Map.groupBy(inBooks, (document) => document.reference.trim());
  let duplicates = 0;
  for (const [reference, found] of byReference) {
    if (found.length > 1) broken.push(`${reference} is in the ledger ${found.length} times`);
    duplicates += found.length - 1;
  }
  for (const posting of postings) {
    const found = byReference.get(posting.reference) ?? [];
    byReference.delete(posting.reference);
    const isSent = posting.status === 'POSTED' || posting.status === 'REVERSED';
    if (!isSent && found.length > 0) broken.push(`${posting.reference} is ${posting.status} but in the ledger`);
    if (isSent && found.length === 0) broken.push(`${posting.reference} is ${posting.status} but not in the ledger`);
    const [document] = found;
    if (isSent && document) broken.push(...differences(posting, document, ledger));
    if (['READY', 'POSTING', 'IN_DOUBT', 'PLANNED'].includes(posting.status)) {
      broken.push(`${posting.reference} is still ${posting.status}`);
    }
  }
  for (const reference of byReference.keys()) broken.push(`nobody knows the document ${reference}`);
  return duplicates;
}

/**
 * What was begun and given up is in the books of no ledger, and nothing of it stays in any: it is cleared away by the time all
 * work is done. But some ledgers let nobody delete it, and some keep what they turned down for a person to see why. @returns how many.
 */
function checkAbandoned(
  broken: string[],
  postings: readonly PostingRow[],
  documents: readonly LedgerDocumentView[],
  { keepsAbandoned, keepsRefused }: StartedLedger,
): number {
  const statuses = new Map(postings.map(({ reference, status }) => [reference, status]));
  const unposted = documents.filter(({ posted }) => !posted);
  for (const { reference, type, number } of unposted) {
    const status = statuses.get(reference.trim());
    const isKnown = status !== undefined;
    if (isKnown && keepsAbandoned.includes(type)) continue;
    if ((status === 'REJECTED' || status === 'HELD') && keepsRefused.includes(type)) continue;
    const name = `the ${type === 'JOURNAL' ? 'journal' : 'invoice'} ${number} (${reference})`;
    broken.push(`${name} was entered and never posted, and its posting is ${status ?? 'unknown'}`);
  }
  return unposted.length;
}

/** The ledger's own count. Some count what was never posted as well; that is looked at above. */
function checkSummary(broken: string[], documents: readonly LedgerDocumentView[], { sandbox }: StartedLedger): void {
  const { unbalanced, duplicates } = sandbox.summary();
  const halfDone = documents.filter(({ posted, debit, credit }) => !posted && debit !== credit).length;
  if (unbalanced > halfDone) broken.push(`${unbalanced} documents do not balance in the ledger`);
  for (const reference of duplicates) broken.push(`the ledger counts ${reference} more than once`);
}

function differences(posting: PostingRow, document: LedgerDocumentView, ledger: StartedLedger): string[] {
  const told: string[] = [];
  const { reference, total } = posting;
  const { debit, credit, lines } = document;
  if (cents(debit) !== cents(total) || cents(credit) !== cents(total)) {
    told.push(`${reference} is over ${total} and in the ledger over ${debit}/${credit}`);
  }
  const sum = lines.reduce((minor, line) => minor + cents(line.debit) - cents(line.credit), 0n);
  if (sum !== 0n) told.push(`the lines of ${reference} do not balance in the ledger`);
  if (lines.length !== posting.lines) told.push(`${reference} has ${lines.length} lines instead of ${posting.lines}`);
  const { ledger_document_id } = posting;
  if (ledger.nameOf(document) !== ledger.nameIn(ledger_document_id ?? '')) {
    told.push(`${reference} is ${ledger.nameOf(document)} in the ledger, not ${ledger_document_id}`);
  }
  return told;
}

function cents(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal.trim());
  if (!match) throw new Error(`${decimal} is no amount`);
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > 2) throw new Error(`${decimal} has more than two decimals`);
  const minor = BigInt(`${match[2]}${fraction.padEnd(2, '0')}`);
  return match[1] === '-' ? -minor : minor;
}

/** The story of each posting has no gap and no illegal step, and ends where the posting is. */
async function checkMoves(
  broken: string[],
  world: World,
  postings: readonly PostingRow[],
  canMove: typeof PostingStates.canMove,
): Promise<void> {
  const events = await world.sql<{
    posting_id: string;
    previous_status: PostingStates.PostingStatus | null;
    status: PostingStates.PostingStatus;
  }>('select posting_id, previous_status, status from posting_events order by sequence');
  // Planning again goes over PLANNED and is told as one step, because nobody can see the posting between the two.
  const isLegal = (from: PostingStates.PostingStatus, to: PostingStates.PostingStatus) =>
    canMove(from, to) || ((from === 'PLANNED' || canMove(from, 'PLANNED')) && canMove('PLANNED', to));
  const byPosting = Map.groupBy(events, (event) => event.posting_id);
  for (const { id, status } of postings) {
    let current: PostingStates.PostingStatus | null = null;
    for (const event of byPosting.get(id) ?? []) {
      if (event.previous_status !== current)
        broken.push(`${id}: a step from ${event.previous_status} while ${current}`);
      if (current !== null && !isLegal(current, event.status)) broken.push(`${id}: ${current} > ${event.status}`);
      current = event.status;
    }
    if (current !== status) broken.push(`${id} is ${status}, its story ends with ${current}`);
  }
}

/** Brex was told of exactly the records whose posting is in the ledger. */
async function checkExports(broken: string[], world: World): Promise<number> {
  const told = exported(world.brex, world.recordIds);
  const rows = await world.sql<{ external_id: string; documents: string[]; states: string[] }>(
    `select o.external_id, array_agg(p.ledger_document_id) as documents, array_agg(p.status) as states
     from source_objects o
     join posting_spend ps on ps.tenant_id = o.tenant_id and ps.spend_record_id = o.spend_record_id
     join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
     where o.stream = 'ACCOUNTING_RECORDS' and p.reverses_id is null and p.status in ('POSTED', 'REVERSED')
     group by o.external_id`,
  );
  const inLedger = new Map(rows.map((row) => [row.external_id, row]));
  for (const [id, documentId] of told) {
    if (!inLedger.get(id)?.documents.includes(documentId))
      broken.push(`Brex was told ${documentId} for ${id}, which is not its document`);
  }
  for (const { external_id, states } of rows) {
    if (states.includes('POSTED') && !told.has(external_id)) broken.push(`Brex was not told of ${external_id}`);
  }
  return told.size;
}

async function checkReconciliation(broken: string[], world: World): Promise<readonly ReconciliationTotal[]> {
  const { report } = await world.client.ask<{
    report: { complete: boolean; unknowns: string[]; totals: ReconciliationTotal[] };
  }>(
    `query ($id: ID!, $from: Date!, $to: Date!) { report: reconciliation(pipelineId: $id, from: $from, to: $to) {
       complete unknowns totals { currency source posted difference recordCount } } }`,
    { id: world.flow.pipelineId, from: '2000-01-01', to: '2100-01-01' },
  );
  if (!report.complete) broken.push(`The reconciliation is not complete: ${report.unknowns.join('; ')}`);
  for (const { currency, difference } of report.totals) {
    if (cents(difference) !== 0n) broken.push(`The reconciliation differs by ${difference} ${currency}`);
  }
  if (report.totals.length === 0) broken.push('The reconciliation is empty');
  return report.totals;
}

async function checkAudit(broken: string[], world: World): Promise<number> {
  const { chain } = await world.client.ask<{
    chain: { ok: boolean; eventsChecked: number | string; firstBrokenSequence: unknown };
  }>('{ chain: verifyAuditChain { ok eventsChecked firstBrokenSequence } }');
  if (!chain.ok) broken.push(`The audit chain is broken at ${JSON.stringify(chain.firstBrokenSequence)}`);
  return Number(chain.eventsChecked);
}

/** For a person: the first few, and how many more there are. */
export function shown(broken: readonly string[]): string[] {
  const more = broken.length - SHOWN_MAX;
  return [...broken.slice(0, SHOWN_MAX), ...(more > 0 ? [`and ${more} more`] : [])];
}
