import { setTimeout as delay } from 'node:timers/promises';
import { ErpRejectedError, OutcomeUnknownError, UpstreamUnavailableError } from '../../errors.js';
import type { DocumentQuery, FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import { accountColumns } from './accounts.js';
import type { PosterFacts } from './facts.js';
import { classOf, isRefusal, refused, refusedUnder200, unreadableWrite } from './failures.js';
import { GL_GROUPS, Groups, requireDate } from './groups.js';
import { difference, foundDraft, foundPosted, isBalanced } from './journalState.js';
import { JsonNumber, jsonDecimal, type Row } from './json.js';
import {
  type DraftJournal,
  draftsInGroups,
  findPostedJournals,
  isDraftOf,
  type PostedJournal,
  readDrafts,
  readPostedJournal,
} from './lookup.js';
import {
  carries,
  decimalText,
  groupIdsOf,
  type JournalKey,
  journalId,
  type MappedJournal,
  type MappedLine,
  mapJournal,
  marked,
  periodOf,
  plainText,
} from './mapper.js';
import { validateAccounts } from './masterData.js';
import { promptsOf, rowsOf, type Tables } from './replies.js';
import { added, newRow, rowIn, tablesAfter } from './rows.js';
import { groupRow, type JournalRow, journalRow } from './wire.js';
import type { Work } from './work.js';

const ENTRY = 'Erp.BO.GLJournalEntrySvc';
/** Between two looks for a journal that was posted. */
const LOOK_EVERY_MS = 500;

/**
 * GL journals, step by step: group, header, lines, posting. Epicor knows no key that would keep a journal from being
 * entered twice, so each has a group of its own whose ID is made from the reference, and carries the reference in its texts.
 * Lines go debits first, so that nothing but the whole journal is balanced: a remnant cannot be posted by anybody.
 */
export class JournalPoster {
  private readonly groups: Groups;

  constructor(private readonly facts: PosterFacts) {
    this.groups = new Groups(facts.client, GL_GROUPS, facts.logger);
  }

  async submit(document: LedgerDocument, work: Work): Promise<SubmittedDocument> {
    const { client, settings } = this.facts;
    const mapped = mapJournal(document, settings);
    await this.requireLocalCurrency(document);
    const whole = await this.takeUp(document, mapped, work);
    if (whole !== null) return this.finish(document, mapped, whole, work, mapped.warnings);
    if (settings.validateAccounts) await validateAccounts(client, settings, mapped.lines, document.postingDate, work);
    return this.enter(document, mapped, work);
  }

  private async requireLocalCurrency(document: LedgerDocument): Promise<void> {
    const localCurrency = await this.facts.localCurrency();
    if (document.currency === localCurrency) return;
    throw new ErpRejectedError(
      `The document is in ${document.currency}, and book ${this.facts.settings.bookId} is kept in ${localCurrency}. Nothing was sent.`,
      { code: 'CURRENCY_UNSUPPORTED' },
    );
  }

  // ── what an earlier try left ───────────────────────────────────────────────────────────────

  /**
   * @returns a journal that is whole and only waits for its posting, or null when there is nothing (any more).
   * @throws OutcomeUnknownError the ledger has the journal: the look-up says what it is.
   */
  private async takeUp(document: LedgerDocument, mapped: MappedJournal, work: Work): Promise<DraftJournal | null> {
    const { client, settings } = this.facts;
    const drafts = await this.markedDraftsOf(document, work);
    const [posted] = await findPostedJournals(client, settings, [queryOf(document)], work);
    if (posted) throw alreadyThere(document.reference, journalId(posted.journal.key));
    const [draft] = drafts;
    if (!draft) return null;
    const group = await this.groups.read(draft.head.GroupID, work);
    if (group?.PostInProcess) {
      throw new UpstreamUnavailableError(`Epicor Kinetic is still working on group ${draft.head.GroupID}.`, {
        code: 'GROUP_BUSY',
      });
    }
    if (drafts.length === 1 && isBalanced(draft)) {
      if (!settings.autoPost) throw alreadyThere(document.reference, journalId(draft.key));
      if (difference(draft, mapped, document) === null) return draft;
    }
    await this.removeDrafts(document, work);
    return null;
  }

  private async draftsOf(reference: string, currency: string, work?: Work): Promise<DraftJournal[]> {
    const { client, settings } = this.facts;
    const heads = await draftsInGroups(client, groupIdsOf(reference, settings.groupIdPrefix), work);
    const groupIds = heads.filter((head) => isDraftOf(head, reference)).map((head) => head.GroupID);
    const drafts: DraftJournal[] = [];
    for (const groupId of new Set(groupIds)) {
      const inGroup = await readDrafts(client, groupId, currency, work);
      drafts.push(...inGroup.filter(({ head }) => isDraftOf(head, reference)));
    }
    return drafts;
  }

  /** Only what carries our reference is ever taken away; a group in which there is more is left to whoever made it. */
  async markedDraftsOf({ reference, currency }: LedgerDocument, work: Work): Promise<DraftJournal[]> {
    const drafts = await this.draftsOf(reference, currency, work);
    return drafts.filter(({ head }) => carries(head.Description, reference));
  }

  /** @throws ErpRejectedError the ledger keeps one. */
  async removeDrafts(document: LedgerDocument, work: Work): Promise<void> {
    const { client } = this.facts;
    const wasBegun = work.hasBegun;
    work.begin();
    for (const { head } of await this.markedDraftsOf(document, work)) {
      const group = await this.groups.read(head.GroupID, work);
      if (group) await this.groups.release(group, work);
      const key = { ...entryKey(head), fiscalCalendarID: head.FiscalCalendarID };
      try {
        await client.write(ENTRY, 'DeleteByID', key, work, { isVoid: true });
      } catch (error) {
        if (classOf(error) !== 'notFound') throw error;
      }
      this.facts.logger.info({ groupId: head.GroupID, reference: document.reference }, 'removed an unfinished journal');
    }
    if ((await this.markedDraftsOf(document, work)).length > 0) {
      throw unreadableWrite(`${ENTRY}/DeleteByID`, 'a yes, and still has the journal');
    }
    if (!wasBegun) work.undo();
  }

  // ── entering ───────────────────────────────────────────────────────────────────────────────

  private async enter(document: LedgerDocument, mapped: MappedJournal, work: Work): Promise<SubmittedDocument> {
    const warnings: string[] = [...mapped.warnings];
    const groupId = await this.openGroup(document, work, warnings);
    try {
      const head = await this.addHeader(document, groupId, work, warnings);
      for (const line of mapped.lines) await this.addLine(document, line, head, work);
      const draft = await this.requireStored(document, mapped, groupId, work);
      return await this.finish(document, mapped, draft, work, warnings);
    } catch (error) {
      if (isRefusal(error) && work.hasBegun) await this.takeBack(document, groupId, error, work);
      throw error;
    } finally {
      await this.groups.leave(groupId, work);
    }
  }

  private async openGroup(document: LedgerDocument, work: Work, warnings: string[]): Promise<string> {
    const { client, settings } = this.facts;
    const ids = groupIdsOf(document.reference, settings.groupIdPrefix);
    const isFree = async (groupId: string) => (await draftsInGroups(client, [groupId], work)).length === 0;
    return this.groups.open(ids, work, isFree, (groupId) => this.createGroup(groupId, document, work, warnings));
  }

  private async createGroup(groupId: string, document: LedgerDocument, work: Work, warnings: string[]): Promise<void> {
    const { client, settings } = this.facts;
    const { service, table } = GL_GROUPS;
    const columns = { GroupID: groupId, JEDate: document.postingDate };
    const fresh = await client.ask(service, 'GetNewGLJrnGrpNoLock', { ds: {} }, work);
    let tables: Tables = { ...fresh.tables, [table]: [added(newRow(fresh, table), columns)] };
    const steps = [
      ['CheckFiscalYear', { cGroupID: groupId, cJEDate: document.postingDate }],
      ['ChangeEntryMode', { proposedBookMode: 'S' }],
      ['ChangeBookID', { proposeBookID: settings.bookId }],
    ] as const;
    for (const [method, parameters] of steps) {
      const reply = await client.ask(service, method, { ...parameters, ds: tables }, work);
      warnings.push(...promptsOf(reply.parameters));
      tables = tablesAfter(reply, table, tables);
    }
    const row = added(rowIn({ returnObj: undefined, parameters: {}, tables }, table), {
      ...columns,
      ...periodColumns(document),
      JournalCode: settings.journalCode,
    });
    const saved = await client.write(service, 'Update', { ds: { ...tables, [table]: [row] } }, work);
    const [group] = rowsOf(saved.tables, table, groupRow);
    if (!group) throw unreadableWrite(`${service}/Update`, 'no group');
    requireDate(`Group ${groupId}`, group.JEDate, document.postingDate);
  }

  private async addHeader(document: LedgerDocument, groupId: string, work: Work, warnings: string[]): Promise<Row> {
    const { client, settings } = this.facts;
    const fresh = await client.ask(ENTRY, 'GetNewGlJrnHedTran', { GroupID: groupId, ds: {} }, work);
    const row = added(newRow(fresh, 'GLJrnHed'), {
      JEDate: document.postingDate,
      Description: marked(document.reference, document.description, settings.descriptionLength),
      CommentText: plainText(`${document.reference} ${document.description}`, 1000),
    });
    const before = { ...fresh.tables, GLJrnHed: [row] };
    const checked = await client.ask(ENTRY, 'PreUpdate', { ds: before }, work);
    if (checked.parameters.RequiresUserInput === true) {
      throw refusedUnder200(promptsOf(checked.parameters), await client.facts(`${ENTRY}/PreUpdate`));
    }
    warnings.push(...promptsOf(checked.parameters));
    work.begin();
    const saved = await client.write(ENTRY, 'Update', { ds: tablesAfter(checked, 'GLJrnHed', before) }, work);
    const [head] = rowsOf(saved.tables, 'GLJrnHed', journalRow);
    const stored = saved.tables.GLJrnHed?.[0];
    if (!head || !stored || head.JournalNum === '0') throw unreadableWrite(`${ENTRY}/Update`, 'no journal number');
    requireDate('The journal', head.JEDate, document.postingDate);
    return stored;
  }

  private async addLine(document: LedgerDocument, line: MappedLine, stored: Row, work: Work): Promise<void> {
    const { client } = this.facts;
    const head = journalRow.parse(stored);
    const key = { ...entryKey(head), journalLine: jsonDecimal('0') };
    const before = { GLJrnHed: [stored] };
    const fresh = await client.ask(ENTRY, 'GetNewGLJrnDtlMnl', { ...key, ds: before }, work);
    const amount = jsonDecimal(decimalText(line.minor < 0n ? -line.minor : line.minor, document.currency));
    const row = added(newRow(fresh, 'GLJrnDtlMnl'), {
      ...accountColumns(line.account),
      Description: line.description,
      TransAmt: jsonDecimal(decimalText(line.minor, document.currency)),
      ...(line.minor > 0n ? { TotDebit: amount } : { TotCredit: amount }),
    });
    const ds = { ...before, GLJrnDtlMnl: [row] };
    const saved = await client.write(ENTRY, 'Update', { ds }, work);
    if ((saved.tables.GLJrnDtlMnl?.length ?? 0) === 0) throw unreadableWrite(`${ENTRY}/Update`, 'no line');
  }

  private async requireStored(
    document: LedgerDocument,
    mapped: MappedJournal,
    groupId: string,
    work: Work,
  ): Promise<DraftJournal> {
    const drafts = await readDrafts(this.facts.client, groupId, document.currency, work);
    const [draft, ...more] = drafts;
    if (!draft || more.length > 0) {
      throw unreadableWrite(`${ENTRY}/Update`, `a yes, and has ${drafts.length} journals in group ${groupId}`);
    }
    const doubt = difference(draft, mapped, document);
    if (doubt !== null) throw refused(`it did not keep the journal as sent: ${doubt}`, 'other');
    return draft;
  }

  // ── posting ────────────────────────────────────────────────────────────────────────────────

  private async finish(
    document: LedgerDocument,
    mapped: MappedJournal,
    draft: DraftJournal,
    work: Work,
    warnings: readonly string[],
  ): Promise<SubmittedDocument> {
    if (!this.facts.settings.autoPost) return { ledgerDocumentId: journalId(draft.key), warnings };
    work.begin();
    try {
      const { journal, told } = await this.post(document, draft.head.GroupID, work);
      const found = foundPosted(journal, document.reference, document.currency);
      const total = decimalText(mapped.totalMinor, document.currency);
      if (found.totalDebit === total && found.totalCredit === total) {
        return { ledgerDocumentId: found.ledgerDocumentId, warnings: [...warnings, ...told] };
      }
      throw new OutcomeUnknownError(
        `Epicor Kinetic posted ${found.ledgerDocumentId} with ${found.totalDebit} and ${found.totalCredit} instead of ${total}. Look at it there before anything else is done.`,
        { code: 'CREATED_NOT_CONFIRMED', detail: { ledgerDocumentId: found.ledgerDocumentId } },
      );
    } catch (error) {
      // A taken-up journal has no caller above that would take it back.
      if (isRefusal(error) && work.hasBegun) await this.takeBack(document, draft.head.GroupID, error, work);
      throw error;
    }
  }

  private async post(
    document: LedgerDocument,
    groupId: string,
    work: Work,
  ): Promise<{ journal: PostedJournal; told: string[] }> {
    const { client, settings } = this.facts;
    const { service } = GL_GROUPS;
    // Entering it opened it.
    await this.groups.makeFree(groupId, work);
    await client.ask(service, 'CheckBeforePost', { groupID: groupId }, work, { isVoid: true });
    const reply = await client.write(service, 'PostGroupJournals', { postGroupID: groupId }, work);
    const notAll = reply.parameters.NotAllPostedMessage;
    const told = [...promptsOf(reply.parameters), ...(typeof notAll === 'string' && notAll !== '' ? [notAll] : [])];
    const waitUntil =
      performance.now() + Math.min(settings.postingWaitSeconds * 1000, work.remainingMs - LOOK_EVERY_MS);
    for (;;) {
      const [found] = await findPostedJournals(client, settings, [queryOf(document)], work);
      if (found) return { journal: found.journal, told };
      const group = await this.groups.read(groupId, work);
      const log = group?.PostErrorLog ?? '';
      const isOver = performance.now() >= waitUntil;
      // A message alone may also say that a process of its own posts it, so that is waited for first.
      if (group && !group.PostInProcess && (log !== '' || (isOver && told.length > 0))) {
        throw refusedUnder200([log, ...told], await client.facts(`${service}/PostGroupJournals`));
      }
      if (isOver) {
        throw new OutcomeUnknownError(`The journal in group ${groupId} is entered whole, and not found posted yet.`, {
          code: 'POSTING_RUNS',
          detail: { groupId },
        });
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /**
   * After a refusal nothing of the document may stay: a refusal says that nothing was written.
   * @throws OutcomeUnknownError it could not be taken back, or not for certain.
   */
  private async takeBack(document: LedgerDocument, groupId: string, refusal: Error, work: Work): Promise<void> {
    try {
      await this.removeDrafts(document, work);
      work.undo();
      const group = await this.groups.read(groupId, work);
      if (group) await this.groups.remove(group, work);
    } catch (error) {
      if (!work.hasBegun) return;
      throw new OutcomeUnknownError(
        `${refusal.message} What was entered of it in group ${groupId} could not be taken back yet.`,
        { code: 'NOT_TAKEN_BACK', detail: { groupId }, cause: error },
      );
    }
  }

  // ── looking ────────────────────────────────────────────────────────────────────────────────

  /** What the ledger holds under these references; see the README for what counts. */
  async find(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    if (queries.length === 0) return [];
    const { client, settings } = this.facts;
    const currency = await this.facts.localCurrency();
    // Before the posted ones: a journal that is posted in between is then seen there, and not missed in both places.
    const entered = settings.autoPost ? [] : await this.findEntered(queries, currency);
    const posted = await findPostedJournals(client, settings, queries);
    const found = posted.map(({ reference, journal }) => foundPosted(journal, reference, currency));
    return [...found, ...entered.filter((draft) => !found.some(({ reference }) => reference === draft.reference))];
  }

  /** Journals that wait for an accountant, as far as they were entered to their end. */
  private async findEntered(queries: readonly DocumentQuery[], currency: string): Promise<FoundDocument[]> {
    const { client, settings } = this.facts;
    const groupsOf = new Map(
      queries.map(({ reference }) => [reference, groupIdsOf(reference, settings.groupIdPrefix)]),
    );
    const heads = await draftsInGroups(client, [...groupsOf.values()].flat());
    const found: FoundDocument[] = [];
    for (const [reference, groupIds] of groupsOf) {
      if (!heads.some((head) => groupIds.includes(head.GroupID) && isDraftOf(head, reference))) continue;
      const drafts = await this.draftsOf(reference, currency);
      const whole = drafts.filter(isBalanced);
      for (const { head } of whole) await this.groups.tidy(head.GroupID, settings);
      found.push(...whole.map((draft) => foundDraft(draft, reference, currency)));
    }
    return found;
  }

  async readBack(key: JournalKey, reference: string): Promise<FoundDocument | null> {
    const { client, settings } = this.facts;
    const currency = await this.facts.localCurrency();
    const posted = await readPostedJournal(client, key);
    if (posted) return foundPosted(posted, reference, currency);
    if (settings.autoPost) return null;
    const drafts = await this.draftsOf(reference, currency);
    const draft = drafts.find((one) => journalId(one.key) === journalId(key));
    return draft ? foundDraft(draft, reference, currency) : null;
  }
}

// ── pieces ───────────────────────────────────────────────────────────────────────────────────

function queryOf(document: LedgerDocument): DocumentQuery {
  const { documentType, reference, supplierCode, postingDate } = document;
  return { documentType, reference, supplierCode, postingDate };
}

function entryKey(head: JournalRow): Record<string, unknown> {
  return {
    bookID: head.BookID,
    fiscalYear: new JsonNumber(head.FiscalYear),
    fiscalYearSuffix: head.FiscalYearSuffix,
    journalCode: head.JournalCode,
    journalNum: new JsonNumber(head.JournalNum),
  };
}

function periodColumns(document: LedgerDocument): Row {
  const key = periodOf(document);
  if (key === null) return {};
  const { year, suffix, period } = key;
  return { FiscalYear: new JsonNumber(year), FiscalYearSuffix: suffix, FiscalPeriod: new JsonNumber(period) };
}

function alreadyThere(reference: string, ledgerDocumentId: string): OutcomeUnknownError {
  return new OutcomeUnknownError(`Epicor Kinetic has the journal ${reference} already. Its own copy decides.`, {
    code: 'ALREADY_THERE',
    detail: { ledgerDocumentId },
  });
}
