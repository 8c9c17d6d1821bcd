import { ErpRejectedError, InvariantError, OutcomeUnknownError, UpstreamUnavailableError } from '../../errors.js';
import type { FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import { accountColumns } from './accounts.js';
import type { PosterFacts } from './facts.js';
import { classOf, isRefusal, refused, unreadableWrite } from './failures.js';
import { AP_GROUPS, Groups, requireDate } from './groups.js';
import { postInvoiceGroup } from './invoicePosting.js';
import { difference, foundInvoice, isComplete } from './invoiceState.js';
import { jsonDecimal, minorOf, type Row } from './json.js';
import {
  findInvoices,
  type InvoiceKeyFacts,
  invoicesInGroup,
  isOurCoding,
  readInvoice,
  type StoredInvoice,
} from './lookup.js';
import {
  decimalText,
  groupIdsOf,
  invoiceId,
  type MappedInvoice,
  type MappedLine,
  mapInvoice,
  marked,
} from './mapper.js';
import { isoCurrency, validateAccounts, vendorById } from './masterData.js';
import { parsedRow, promptsOf, rowsOf, type Tables } from './replies.js';
import { added, newRow, rowIn, tablesAfter, updated } from './rows.js';
import { codingRow, groupRow, invoiceLineRow, invoiceRow, type VendorRow } from './wire.js';
import type { Work } from './work.js';

const INVOICES = 'Erp.BO.APInvoiceSvc';

interface Key {
  readonly vendorNum: string;
  readonly invoiceNum: string;
}

/** A document that is being entered. */
interface Entry extends Key {
  readonly groupId: string;
}

/**
 * AP invoices, step by step: group, header, lines, coding, control total, posting. There is no transaction over the steps,
 * so the last one is the mark of a whole invoice: the control total stays zero until everything else was read back, and
 * what has none is a remnant that nobody can post and the next try takes away.
 */
export class InvoicePoster {
  private readonly groups: Groups;

  constructor(private readonly facts: PosterFacts) {
    this.groups = new Groups(facts.client, AP_GROUPS, facts.logger);
  }

  async submit(document: LedgerDocument, work: Work): Promise<SubmittedDocument> {
    const { client, settings } = this.facts;
    const mapped = mapInvoice(document, settings);
    const vendor = await this.usableVendor(document, work);
    const whole = await this.takeUp(document, mapped, vendor, work);
    if (whole !== null) return this.finish(whole, work, mapped.warnings);
    if (settings.validateAccounts) await validateAccounts(client, settings, mapped.lines, document.postingDate, work);
    return this.enter(document, mapped, vendor, work);
  }

  // ── before ─────────────────────────────────────────────────────────────────────────────────

  /** The supplier as it is now: it may have been closed since the document was planned. */
  private async usableVendor(document: LedgerDocument, work: Work): Promise<VendorRow> {
    const { client, settings } = this.facts;
    const code = document.supplierCode;
    if (code === null) throw new InvariantError('A supplier invoice came without its supplier.');
    const vendor = await vendorById(client, code, work);
    if (vendor === null) throw refused(`it has no supplier ${code}; nothing was sent`, 'other');
    if (vendor.Inactive) throw refused(`the supplier ${code} is inactive; nothing was sent`, 'other');
    const local = await this.facts.localCurrency();
    const currency = vendor.CurrencyCode === '' ? local : isoCurrency(vendor.CurrencyCode, settings);
    if (currency !== document.currency) {
      throw new ErpRejectedError(
        `Supplier ${code} is kept in ${currency ?? `"${vendor.CurrencyCode}"`} and the invoice is in ${document.currency}. Nothing was sent. Post it as a journal, or enter what "${vendor.CurrencyCode}" is in the setting currencyCodes.`,
        { code: 'CURRENCY_UNSUPPORTED' },
      );
    }
    return vendor;
  }

  /**
   * Looks for what an earlier try left, and removes remnants.
   * @returns an invoice that is whole and only waits for its posting, or null when there is nothing (any more).
   * @throws OutcomeUnknownError the ledger has the invoice: the look-up says what it is.
   */
  private async takeUp(
    document: LedgerDocument,
    mapped: MappedInvoice,
    vendor: VendorRow,
    work: Work,
  ): Promise<Entry | null> {
    const { client, settings } = this.facts;
    const ourGroups = groupIdsOf(document.reference, settings.groupIdPrefix);
    for (const known of await findInvoices(client, settings, [document.reference], work)) {
      if (known.Posted || !ourGroups.includes(known.GroupID)) throw alreadyThere(known);
      const entry = { vendorNum: known.VendorNum, invoiceNum: known.InvoiceNum, groupId: known.GroupID };
      const stored = await readInvoice(client, settings, entry, work);
      if (stored === null) continue;
      if (stored.head.Posted) throw alreadyThere(known);
      if (stored.head.IsLcked || (await this.groups.read(entry.groupId, work))?.PostInProcess) {
        throw new UpstreamUnavailableError(`Epicor Kinetic is still working on group ${entry.groupId}.`, {
          code: 'GROUP_BUSY',
        });
      }
      if (isComplete(stored, document.currency)) {
        if (!settings.autoPost) throw alreadyThere(known);
        if (known.VendorNum === vendor.VendorNum && difference(stored, mapped, document) === null) return entry;
      }
      await this.remove(entry, work);
    }
    return null;
  }

  /** @throws ErpRejectedError the ledger keeps it. */
  async remove(entry: Entry, work: Work): Promise<void> {
    const { client, settings } = this.facts;
    const wasBegun = work.hasBegun;
    work.begin();
    const group = await this.groups.read(entry.groupId, work);
    if (group) await this.groups.release(group, work);
    const parameters = { vendorNum: Number(entry.vendorNum), invoiceNum: entry.invoiceNum };
    try {
      await client.write(INVOICES, 'DeleteByID', parameters, work, { isVoid: true });
    } catch (error) {
      if (classOf(error) !== 'notFound') throw error;
    }
    if ((await readInvoice(client, settings, entry, work)) !== null) {
      throw unreadableWrite(`${INVOICES}/DeleteByID`, 'a yes, and still has the invoice');
    }
    if (!wasBegun) work.undo();
    this.facts.logger.info({ groupId: entry.groupId, reference: entry.invoiceNum }, 'removed an unfinished invoice');
  }

  // ── entering ───────────────────────────────────────────────────────────────────────────────

  private async enter(
    document: LedgerDocument,
    mapped: MappedInvoice,
    vendor: VendorRow,
    work: Work,
  ): Promise<SubmittedDocument> {
    const warnings: string[] = [...mapped.warnings];
    const groupId = await this.openGroup(document, work, warnings);
    const entry = { vendorNum: vendor.VendorNum, invoiceNum: document.reference, groupId };
    try {
      await this.addHeader(document, mapped, entry, work, warnings);
      const linesSeen = new Set<string>();
      for (const line of mapped.lines) await this.addLine(document, line, entry, linesSeen, work, warnings);
      await this.setControlTotal(document, mapped, await this.requireStored(document, mapped, entry, work), work);
      return await this.finish(entry, work, warnings);
    } catch (error) {
      if (isRefusal(error) && work.hasBegun) await this.takeBack(entry, error, work);
      throw error;
    } finally {
      await this.groups.leave(groupId, work);
    }
  }

  private async openGroup(document: LedgerDocument, work: Work, warnings: string[]): Promise<string> {
    const { client, settings } = this.facts;
    const ids = groupIdsOf(document.reference, settings.groupIdPrefix);
    const isFree = async (groupId: string) => {
      const invoices = await invoicesInGroup(client, settings, groupId, work);
      return invoices.every((invoice) => invoice.Posted);
    };
    return this.groups.open(ids, work, isFree, (groupId) => this.createGroup(groupId, document, work, warnings));
  }

  private async createGroup(groupId: string, document: LedgerDocument, work: Work, warnings: string[]): Promise<void> {
    const { client } = this.facts;
    const { service, table } = AP_GROUPS;
    const fresh = await client.ask(service, 'GetNewAPInvGrpNoLock', { ds: { [table]: [] } }, work);
    let row: Row = added(newRow(fresh, table), { GroupID: groupId });
    // The period of a new group is that of today; its date decides the period of what is entered in it.
    const dated = await client.ask(
      service,
      'OnChangeofApplyDate',
      { GroupID: groupId, NewApplyDate: document.postingDate, ds: { [table]: [row] } },
      work,
    );
    warnings.push(...promptsOf(dated.parameters));
    row = added(rowIn({ ...dated, tables: tablesAfter(dated, table, { [table]: [row] }) }, table), {
      GroupID: groupId,
      ApplyDate: document.postingDate,
    });
    const saved = await client.write(service, 'Update', { ds: { [table]: [row] } }, work);
    const [group] = rowsOf(saved.tables, table, groupRow);
    if (!group) throw unreadableWrite(`${service}/Update`, 'no group');
    requireDate(`Group ${groupId}`, group.ApplyDate, document.postingDate);
  }

  private async addHeader(
    document: LedgerDocument,
    mapped: MappedInvoice,
    entry: Entry,
    work: Work,
    warnings: string[],
  ): Promise<void> {
    const { client, settings } = this.facts;
    const method = mapped.isDebitMemo ? 'GetNewAPInvHedDebitMemo' : 'GetNewAPInvHedInvoice';
    const fresh = await client.ask(INVOICES, method, { cGroupID: entry.groupId, ds: {} }, work);
    const proposed = { ProposedVendorID: document.supplierCode ?? '', confirmCheck: false };
    const supplied = await client.ask(INVOICES, 'ChangeVendorID', { ...proposed, ds: fresh.tables }, work);
    const before = tablesAfter(supplied, 'APInvHed', fresh.tables);
    const dates = { ProposedInvoiceDate: document.postingDate, recalcAmts: '' };
    const dated = await client.ask(INVOICES, 'ChangeInvoiceDateEx', { ...dates, ds: before }, work);
    warnings.push(...promptsOf(supplied.parameters), ...promptsOf(dated.parameters));
    const tables = tablesAfter(dated, 'APInvHed', before);
    const row = added(newRow({ ...dated, tables }, 'APInvHed'), {
      InvoiceNum: entry.invoiceNum,
      InvoiceDate: document.postingDate,
      ApplyDate: document.postingDate,
      Description: marked(document.reference, document.description, settings.descriptionLength),
    });
    work.begin();
    const saved = await this.saveHeader(tables, row, entry, work);
    const [head] = rowsOf(saved, 'APInvHed', invoiceRow);
    if (!head || head.InvoiceNum !== entry.invoiceNum || head.VendorNum !== entry.vendorNum) {
      throw unreadableWrite(`${INVOICES}/Update`, 'another invoice than was sent');
    }
    requireDate('The invoice', head.ApplyDate, document.postingDate);
    const currency = head.CurrencyCode === '' ? document.currency : isoCurrency(head.CurrencyCode, settings);
    if (currency !== document.currency) {
      throw refused(`it made the invoice in ${currency ?? head.CurrencyCode} instead of ${document.currency}`, 'other');
    }
  }

  private async saveHeader(tables: Tables, row: Row, entry: Entry, work: Work): Promise<Tables> {
    const { client } = this.facts;
    try {
      const ds = { ...tables, APInvHed: [row] };
      return (await client.write(INVOICES, 'Update', { ds }, work)).tables;
    } catch (error) {
      // Nothing of ours was there a moment ago, so this may be an earlier try that arrived late: its own copy decides.
      if (classOf(error) !== 'duplicate') throw error;
      throw alreadyThere({ VendorNum: entry.vendorNum, InvoiceNum: entry.invoiceNum });
    }
  }

  private async addLine(
    document: LedgerDocument,
    line: MappedLine,
    entry: Entry,
    linesSeen: Set<string>,
    work: Work,
    warnings: string[],
  ): Promise<void> {
    const { client, settings } = this.facts;
    const { groupId, invoiceNum } = entry;
    const key = { iVendorNum: Number(entry.vendorNum), cInvoiceNum: invoiceNum };
    const fresh = await client.ask(INVOICES, 'GetNewAPInvDtlMiscellaneous', { ...key, ds: {} }, work);
    const cost = decimalText(line.minor < 0n ? -line.minor : line.minor, document.currency);
    const row = added(newRow(fresh, 'APInvDtl'), {
      Description: line.description,
      // A line against the direction of the document has quantity −1 and a positive cost.
      DocUnitCost: jsonDecimal(cost),
      ScrVendorQty: jsonDecimal(line.minor < 0n ? '-1' : '1'),
      ScrDocExtCost: jsonDecimal(decimalText(line.minor, document.currency)),
      ...(settings.lineTaxExempt === undefined ? {} : { TaxExempt: settings.lineTaxExempt }),
    });
    const saved = await client.write(
      INVOICES,
      'UpdateMaster',
      {
        cGroupID: groupId,
        cTableName: 'APInvDtl',
        runChkCPay: false,
        runChkBankRef: false,
        runChkRevChrg: false,
        suppressUserPrompts: false,
        ds: { ...fresh.tables, APInvDtl: [row] },
      },
      work,
    );
    if (saved.parameters.lUpdateRan !== true) {
      throw unreadableWrite(`${INVOICES}/UpdateMaster`, 'no word whether it ran');
    }
    warnings.push(...promptsOf(saved.parameters));
    const newLines = rowsOf(saved.tables, 'APInvDtl', invoiceLineRow).filter(
      ({ InvoiceLine }) => !linesSeen.has(InvoiceLine),
    );
    const lineNumber = newLines.map(({ InvoiceLine }) => InvoiceLine).sort((a, b) => Number(b) - Number(a))[0];
    if (lineNumber === undefined) throw unreadableWrite(`${INVOICES}/UpdateMaster`, 'no new line');
    linesSeen.add(lineNumber);
    await this.codeLine(line, lineNumber, entry, saved.tables, work);
  }

  /** The server gave the line an account from its GL controls; ours goes in its place. */
  private async codeLine(
    line: MappedLine,
    lineNumber: string,
    entry: Entry,
    tables: Tables,
    work: Work,
  ): Promise<void> {
    const { client } = this.facts;
    let all = tables;
    let codings = this.codingsOf(all, lineNumber);
    if (codings.length === 0) {
      const parameters = { vendorNum: Number(entry.vendorNum), invoiceNum: entry.invoiceNum };
      all = (await client.read(INVOICES, 'GetByID', parameters, work))?.tables ?? {};
      codings = this.codingsOf(all, lineNumber);
    }
    const [coding] = codings;
    if (!coding || codings.length > 1) {
      throw refused(
        coding
          ? `line ${lineNumber} has ${codings.length} account rows instead of one`
          : `it gave line ${lineNumber} no account row to code. Set up a default GL control with an expense account for the company or the supplier`,
        'other',
        { lineNumber },
      );
    }
    const changed = updated(coding, accountColumns(line.account));
    const ds = { ...all, APInvExpTGLC: (all.APInvExpTGLC ?? []).map((row) => (row === coding ? changed : row)) };
    await client.write(INVOICES, 'Update', { ds }, work);
  }

  private codingsOf(tables: Tables, lineNumber: string): Row[] {
    return (tables.APInvExpTGLC ?? []).filter((row) => {
      const coding = parsedRow(codingRow, row, 'APInvExpTGLC');
      return coding.InvoiceLine === lineNumber && isOurCoding(coding, this.facts.settings);
    });
  }

  /** Everything but the control total is read back and compared before the invoice is made whole. */
  private async requireStored(document: LedgerDocument, mapped: MappedInvoice, entry: Entry, work: Work): Promise<Row> {
    const { client, settings } = this.facts;
    const stored = await readInvoice(client, settings, entry, work);
    const head = stored?.tables.APInvHed?.[0];
    if (!stored || !head) throw unreadableWrite(INVOICES, 'a yes, and has no invoice');
    const doubt = difference(stored, mapped, document);
    if (doubt !== null) throw refused(`it did not keep the invoice as sent: ${doubt}`, 'other');
    return head;
  }

  private async setControlTotal(document: LedgerDocument, mapped: MappedInvoice, head: Row, work: Work): Promise<void> {
    const { client } = this.facts;
    const amount = jsonDecimal(decimalText(mapped.amountMinor, document.currency));
    const before = { APInvHed: [updated(head)] };
    const changed = await client.ask(
      INVOICES,
      'ChangeInvoiceVendorAmt',
      { ProposedInvoiceVendorAmt: amount, ds: before },
      work,
    );
    const tables = tablesAfter(changed, 'APInvHed', before);
    const ds = { APInvHed: (tables.APInvHed ?? []).map((row) => updated(row)) };
    const saved = await client.write(INVOICES, 'Update', { ds }, work);
    const [now] = rowsOf(saved.tables, 'APInvHed', invoiceRow);
    const total = now ? minorOf(now.DocInvoiceVendorAmt, document.currency) : null;
    if (total === null || (total < 0n ? -total : total) !== mapped.amountMinor) {
      throw unreadableWrite(`${INVOICES}/Update`, 'another control total than was sent');
    }
  }

  // ── after ──────────────────────────────────────────────────────────────────────────────────

  /** Posts it where that is ours to do, and says what it is called. */
  private async finish(entry: Entry, work: Work, warnings: readonly string[]): Promise<SubmittedDocument> {
    const { settings } = this.facts;
    const ledgerDocumentId = invoiceId(entry.vendorNum, entry.invoiceNum);
    if (!settings.autoPost) return { ledgerDocumentId, warnings };
    work.begin();
    try {
      const told = await postInvoiceGroup(this.facts, this.groups, entry, work);
      return { ledgerDocumentId, warnings: [...warnings, ...told] };
    } catch (error) {
      // A taken-up invoice has no caller above that would take it back.
      if (isRefusal(error) && work.hasBegun) await this.takeBack(entry, error, work);
      throw error;
    }
  }

  /**
   * After a refusal nothing of the document may stay: a refusal says that nothing was written.
   * @throws OutcomeUnknownError it could not be taken back, or not for certain.
   */
  private async takeBack(entry: Entry, refusal: Error, work: Work): Promise<void> {
    try {
      await this.remove(entry, work);
      work.undo();
      const group = await this.groups.read(entry.groupId, work);
      if (group) await this.groups.remove(group, work);
    } catch (error) {
      if (!work.hasBegun) return;
      throw new OutcomeUnknownError(
        `${refusal.message} What was entered of it in group ${entry.groupId} could not be taken back yet.`,
        { code: 'NOT_TAKEN_BACK', detail: { groupId: entry.groupId }, cause: error },
      );
    }
  }

  // ── looking ────────────────────────────────────────────────────────────────────────────────

  /** What the ledger holds under these references; see the README for what counts. */
  async find(references: readonly string[]): Promise<FoundDocument[]> {
    const { client, settings } = this.facts;
    const found: FoundDocument[] = [];
    for (const known of await findInvoices(client, settings, references)) {
      const reference = references.find((asked) => asked.toUpperCase() === known.InvoiceNum.toUpperCase());
      if (reference === undefined) continue;
      const stored = await readInvoice(client, settings, { vendorNum: known.VendorNum, invoiceNum: known.InvoiceNum });
      if (stored === null) continue;
      const document = await this.judged(stored, reference);
      if (document !== null) found.push(document);
    }
    return found;
  }

  async readBack(key: Key, reference: string): Promise<FoundDocument | null> {
    const stored = await readInvoice(this.facts.client, this.facts.settings, key);
    return stored ? foundInvoice(stored, reference, await this.currencyOf(stored), this.facts.settings) : null;
  }

  /** null = a remnant of ours, which the next submit takes up or away. */
  private async judged(stored: StoredInvoice, reference: string): Promise<FoundDocument | null> {
    const { settings } = this.facts;
    const currency = await this.currencyOf(stored);
    const isOurs = groupIdsOf(reference, settings.groupIdPrefix).includes(stored.head.GroupID);
    const isReady = isComplete(stored, currency) && !settings.autoPost;
    if (isOurs && !stored.head.Posted && !isReady) return null;
    if (isOurs) await this.groups.tidy(stored.head.GroupID, settings);
    return foundInvoice(stored, reference, currency, settings);
  }

  private async currencyOf({ head }: StoredInvoice): Promise<string> {
    const iso = isoCurrency(head.CurrencyCode, this.facts.settings);
    return iso ?? (await this.facts.localCurrency());
  }
}

function alreadyThere(known: Pick<InvoiceKeyFacts, 'VendorNum' | 'InvoiceNum'>): OutcomeUnknownError {
  return new OutcomeUnknownError(`Epicor Kinetic has the invoice ${known.InvoiceNum} already. Its own copy decides.`, {
    code: 'ALREADY_THERE',
    detail: { ledgerDocumentId: invoiceId(known.VendorNum, known.InvoiceNum) },
  });
}
