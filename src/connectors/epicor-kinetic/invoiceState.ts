import type { FoundDocument, LedgerDocument } from '../contract.js';
import { sameAccount } from './accounts.js';
import type { KineticSettings } from './config.js';
import { minorOf, unsignedDecimal } from './json.js';
import type { StoredInvoice } from './lookup.js';
import { decimalText, invoiceId, type MappedInvoice } from './mapper.js';

/** Reading invoices as they are stored. Pure. */

/**
 * Whether an invoice was entered to its end: the control total is set last, and equals what the lines come to. One whose
 * writer died has no control total yet.
 */
export function isComplete(stored: StoredInvoice, currency: string): boolean {
  const total = minorOf(stored.head.DocInvoiceAmt, currency);
  const control = minorOf(stored.head.DocInvoiceVendorAmt, currency);
  // The two may be stored with different signs on a debit memo.
  return total !== 0n && (total === control || total === -control) && stored.lines.length > 0;
}

/** Amounts of the lines, debit positive. Debit memos are stored with a minus; should a server store a plus, it is turned. */
function signedLinesOf(stored: StoredInvoice, currency: string): bigint[] {
  const amounts = stored.lines.map(({ amount }) => minorOf(amount, currency));
  const isPositive = amounts.reduce((sum, minor) => sum + minor, 0n) > 0n;
  return stored.head.DebitMemo && isPositive ? amounts.map((minor) => -minor) : amounts;
}

/** The payables side, which Epicor makes itself, counts as one more line. */
export function foundInvoice(
  stored: StoredInvoice,
  reference: string,
  currency: string,
  settings: Pick<KineticSettings, 'autoPost'>,
): FoundDocument {
  const amounts = signedLinesOf(stored, currency);
  const stated = minorOf(stored.head.DocInvoiceAmt, currency);
  const payable = amounts.reduce((sum, minor) => sum - minor, 0n);
  // Where header and lines do not agree, the header is what would be paid, and the difference must show.
  const size = stated < 0n ? -stated : stated;
  const offset = payable < 0n ? -size : size;
  const all = [...amounts, offset];
  const debit = all.reduce((sum, minor) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = all.reduce((sum, minor) => (minor < 0n ? sum - minor : sum), 0n);
  return {
    reference,
    ledgerDocumentId: invoiceId(stored.head.VendorNum, stored.head.InvoiceNum),
    currency,
    totalDebit: unsignedDecimal(debit, currency),
    totalCredit: unsignedDecimal(credit, currency),
    lineCount: stored.lines.length + 1,
    // Where accountants post, an invoice that was entered to its end is where it belongs.
    isPosted: stored.head.Posted || (!settings.autoPost && isComplete(stored, currency)),
  };
}

/** What of a stored invoice is not as it was sent; null = all is. The control total is looked at elsewhere. */
export function difference(stored: StoredInvoice, mapped: MappedInvoice, document: LedgerDocument): string | null {
  const { currency } = document;
  if (stored.head.DebitMemo !== mapped.isDebitMemo) return 'it is of the other kind (invoice or debit memo)';
  if (stored.head.ApplyDate !== '' && stored.head.ApplyDate !== document.postingDate) {
    return `its date is ${stored.head.ApplyDate} instead of ${document.postingDate}`;
  }
  if (stored.lines.length !== mapped.lines.length) {
    return `it has ${stored.lines.length} lines instead of ${mapped.lines.length}`;
  }
  const amounts = signedLinesOf(stored, currency);
  for (const [index, line] of mapped.lines.entries()) {
    const kept = stored.lines[index];
    const wanted = mapped.isDebitMemo ? -line.minor : line.minor;
    if (!kept || amounts[index] !== wanted) return `line ${index + 1} has another amount`;
    const [account, ...more] = kept.accounts;
    if (account === undefined || more.length > 0 || !sameAccount(account, line.account)) {
      return `line ${index + 1} is on ${kept.accounts.join(' and ') || 'no account'} instead of ${line.account}`;
    }
    const expenses = kept.expenses.map((amount) => minorOf(amount, currency)).reduce((sum, minor) => sum + minor, 0n);
    if (kept.expenses.length > 0 && expenses !== minorOf(kept.amount, currency)) {
      return `the expenses of line ${index + 1} are not its amount`;
    }
  }
  const total = minorOf(stored.head.DocInvoiceAmt, currency);
  if ((total < 0n ? -total : total) !== mapped.amountMinor) {
    return `it comes to ${decimalText(total, currency)} instead of ${decimalText(mapped.amountMinor, currency)} (tax or charges that the ledger added)`;
  }
  return null;
}
