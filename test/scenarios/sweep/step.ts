import type { World } from '../crash/world.js';
import { isMadeName } from './work.js';

/** What is looked at: our tables, and the ledger itself. */
export interface Books extends Pick<World, 'sql'> {
  readonly ledger: { readonly sandbox: Pick<World['ledger']['sandbox'], 'documents' | 'suppliers'> };
}

export interface RememberedPosting {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly document: string | null;
  readonly reverses: string | null;
  readonly why: string | null;
  /** Ids of the expenses that it is about. */
  readonly expenses: readonly string[];
}

/** All postings as they are now. */
export function postingsOf(world: Books): Promise<RememberedPosting[]> {
  return world.sql<{ -readonly [K in keyof RememberedPosting]: RememberedPosting[K] }>(
    `select p.id, p.reference, p.status, p.ledger_document_id as document, p.reverses_id as reverses,
       p.holds->0->>'message' as why,
       coalesce((select array_agg(o.external_id) from posting_spend ps
         join source_objects o on o.tenant_id = ps.tenant_id and o.spend_record_id = ps.spend_record_id
         where ps.tenant_id = p.tenant_id and ps.posting_id = p.id and o.stream = 'EXPENSES'), '{}') as expenses
     from postings p order by p.id`,
  );
}

/**
 * What is wrong after a death, when all has settled: with the postings of the purchases that were on their way, with the
 * ledger's documents of these, and with any other posting that was there before.
 * @param changed expenses; the last of them is the new one.
 */
export async function differences(
  world: Books,
  before: readonly RememberedPosting[],
  changed: readonly string[],
): Promise<string[]> {
  const told: string[] = [];
  const after = await postingsOf(world);
  const isChanged = ({ expenses }: RememberedPosting) => expenses.some((one) => changed.includes(one));
  const now = new Map(after.map((posting) => [posting.id, posting]));
  for (const posting of before.filter((one) => !isChanged(one))) told.push(...changes(posting, now.get(posting.id)));
  for (const posting of after.filter(isChanged)) told.push(...documentsOf(world, posting));
  for (const expense of changed) {
    const own = after.filter(({ expenses, reverses }) => reverses === null && expenses.includes(expense));
    const standing = own.filter(({ status }) => status !== 'REVERSED' && status !== 'CANCELLED');
    const isNew = expense === changed.at(-1);
    // A correction may have to wait for a person beside the document that it is about, so that may be two.
    const isRight = isNew ? own.length === 1 && own[0]?.status === 'POSTED' : standing.length > 0;
    const posted = standing.filter(({ status }) => status === 'POSTED');
    if (!isRight || posted.length > 1) told.push(`${expense} has ${own.map(shown).join(' and ') || 'no posting'}`);
  }
  const inBooks = world.ledger.sandbox.documents().filter(({ posted }) => posted).length;
  const sent = after.filter(wasSent).length;
  if (inBooks !== sent) told.push(`${inBooks} documents are in the ledger, and ${sent} postings say that theirs is`);
  return [...told, ...twins(world)];
}

function changes(was: RememberedPosting, is: RememberedPosting | undefined): string[] {
  if (is?.status === was.status && is.document === was.document) return [];
  return [`${was.reference} was ${was.status} and had nothing to do with it, and is ${is ? shown(is) : 'gone'}`];
}

function documentsOf(world: Books, posting: RememberedPosting): string[] {
  const { sandbox } = world.ledger;
  const found = sandbox.documents().filter(({ reference, posted }) => posted && reference.trim() === posting.reference);
  const told: string[] = [];
  if (found.length !== (wasSent(posting) ? 1 : 0))
    told.push(`${shown(posting)} is in the ledger ${found.length} times`);
  for (const { debit, credit } of found) {
    if (debit !== credit) told.push(`${posting.reference} does not balance in the ledger: ${debit} and ${credit}`);
  }
  return told;
}

/** Suppliers that were made twice. Those that the month began with may have the same name on purpose. */
function twins({ ledger }: Books): string[] {
  const byName = Map.groupBy(ledger.sandbox.suppliers(), ({ name }) => name.toUpperCase());
  const made = [...byName].filter(([name, all]) => all.length > 1 && isMadeName(name));
  return made.map(([name, all]) => `${name} is a supplier ${all.length} times`);
}

function wasSent({ status }: RememberedPosting): boolean {
  return status === 'POSTED' || status === 'REVERSED';
}

function shown({ reference, status, why }: RememberedPosting): string {
  return `${reference} (${status}${why === null ? '' : `: ${why}`})`;
}
