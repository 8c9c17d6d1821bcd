import { OutcomeUnknownError } from '../../errors.js';
import type { Clearance, LedgerDocument } from '../contract.js';
import type { PosterFacts } from './facts.js';
import { AP_GROUPS, GL_GROUPS, Groups } from './groups.js';
import { isComplete } from './invoiceState.js';
import type { InvoicePoster } from './invoices.js';
import { isBalanced } from './journalState.js';
import type { JournalPoster } from './journals.js';
import { draftsInGroups, findInvoices, invoicesInGroup, readInvoice } from './lookup.js';
import { groupIdsOf } from './mapper.js';
import type { Work } from './work.js';

/**
 * Takes away what attempts left of a document that nobody sends any more: an invoice or a journal that was entered and not
 * posted, and its group. Only what stands in a group of this document's own, and carries its reference, is touched; the
 * ledger itself deletes nothing that is posted.
 */
export class KineticRemains {
  private readonly invoiceGroups: Groups;
  private readonly journalGroups: Groups;

  constructor(
    private readonly facts: PosterFacts,
    private readonly invoices: InvoicePoster,
    private readonly journals: JournalPoster,
  ) {
    this.invoiceGroups = new Groups(facts.client, AP_GROUPS, facts.logger);
    this.journalGroups = new Groups(facts.client, GL_GROUPS, facts.logger);
  }

  async clear(document: LedgerDocument, work: Work): Promise<Clearance> {
    const removed =
      document.documentType === 'JOURNAL' ? await this.ofJournal(document, work) : await this.ofInvoice(document, work);
    return removed.length === 0 ? { kind: 'NOTHING' } : { kind: 'REMOVED', what: removed.join(', ') };
  }

  private async ofInvoice({ reference, currency }: LedgerDocument, work: Work): Promise<string[]> {
    const { client, settings } = this.facts;
    const groupIds = groupIdsOf(reference, settings.groupIdPrefix);
    const removed: string[] = [];
    for (const { VendorNum, InvoiceNum, GroupID } of await findInvoices(client, settings, [reference], work)) {
      // In another group it is somebody else's work, and the look-up tells of it.
      if (!groupIds.includes(GroupID)) continue;
      const entry = { vendorNum: VendorNum, invoiceNum: InvoiceNum, groupId: GroupID };
      const stored = await readInvoice(client, settings, entry, work);
      if (stored === null) continue;
      if (stored.head.Posted || stored.head.IsLcked) throw stillAtWork(reference);
      await this.requireIdle(this.invoiceGroups, GroupID, reference, work);
      if (!settings.autoPost && isComplete(stored, currency)) throw waitsForPosting(reference);
      await this.invoices.remove(entry, work);
      removed.push(`the unposted invoice ${InvoiceNum} in group ${GroupID}`);
    }
    const isEmpty = async (groupId: string) => (await invoicesInGroup(client, settings, groupId, work)).length === 0;
    return [...removed, ...(await this.removeGroups(this.invoiceGroups, groupIds, isEmpty, work))];
  }

  private async ofJournal(document: LedgerDocument, work: Work): Promise<string[]> {
    const { client, settings } = this.facts;
    const { reference } = document;
    const drafts = await this.journals.markedDraftsOf(document, work);
    for (const draft of drafts) {
      await this.requireIdle(this.journalGroups, draft.head.GroupID, reference, work);
      if (!settings.autoPost && isBalanced(draft)) throw waitsForPosting(reference);
    }
    if (drafts.length > 0) await this.journals.removeDrafts(document, work);
    const removed = drafts.map(({ head }) => `the unposted journal ${head.JournalNum} in group ${head.GroupID}`);
    const groupIds = groupIdsOf(reference, settings.groupIdPrefix);
    const isEmpty = async (groupId: string) => (await draftsInGroups(client, [groupId], work)).length === 0;
    return [...removed, ...(await this.removeGroups(this.journalGroups, groupIds, isEmpty, work))];
  }

  /** A run may have died between the making of its group and the first entry in it. */
  private async removeGroups(
    groups: Groups,
    groupIds: readonly string[],
    isEmpty: (groupId: string) => Promise<boolean>,
    work: Work,
  ): Promise<string[]> {
    const removed: string[] = [];
    for (const groupId of groupIds) {
      const group = await groups.read(groupId, work);
      if (group === null || group.PostInProcess || !(await isEmpty(groupId))) continue;
      await groups.remove(group, work);
      removed.push(`the empty group ${groupId}`);
    }
    return removed;
  }

  /** @throws OutcomeUnknownError the group is being posted just now. */
  private async requireIdle(groups: Groups, groupId: string, reference: string, work: Work): Promise<void> {
    if ((await groups.read(groupId, work))?.PostInProcess) throw stillAtWork(reference);
  }
}

function stillAtWork(reference: string): OutcomeUnknownError {
  return new OutcomeUnknownError(`Epicor Kinetic is posting ${reference}, or has just done so. Look at it there.`, {
    code: 'STILL_AT_WORK',
    detail: { reference },
  });
}

function waitsForPosting(reference: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `Epicor Kinetic holds ${reference} whole, entered for an accountant to post. Post or delete it there.`,
    { code: 'ALREADY_THERE', detail: { reference } },
  );
}
