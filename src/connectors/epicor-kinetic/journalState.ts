import type { FoundDocument, LedgerDocument } from '../contract.js';
import { sameAccount } from './accounts.js';
import { minorOf, unsignedDecimal } from './json.js';
import type { DraftJournal, PostedJournal } from './lookup.js';
import { journalId, type MappedJournal } from './mapper.js';

/** Reading journals as they are stored. Pure. */

/** Whole: lines go debits first, so no beginning of a journal is balanced. */
export function isBalanced({ lines }: DraftJournal): boolean {
  return lines.length > 0 && lines.reduce((sum, { minor }) => sum + minor, 0n) === 0n;
}

/** What of an entered journal is not as it was sent; null = all is. */
export function difference(draft: DraftJournal, mapped: MappedJournal, document: LedgerDocument): string | null {
  if (draft.head.JEDate !== '' && draft.head.JEDate !== document.postingDate) {
    return `its date is ${draft.head.JEDate} instead of ${document.postingDate}`;
  }
  if (draft.lines.length !== mapped.lines.length) {
    return `it has ${draft.lines.length} lines instead of ${mapped.lines.length}`;
  }
  for (const [index, line] of mapped.lines.entries()) {
    const kept = draft.lines[index];
    if (!kept || kept.minor !== line.minor) return `line ${index + 1} has another amount`;
    if (kept.invalid !== null)
      return `the account of line ${index + 1} (${line.account}) is not valid: ${kept.invalid}`;
    if (!sameAccount(kept.account, line.account)) {
      return `line ${index + 1} is on ${kept.account || 'no account'} instead of ${line.account}`;
    }
  }
  return null;
}

export function foundPosted(journal: PostedJournal, reference: string, currency: string): FoundDocument {
  const sum = (texts: readonly string[]) => texts.reduce((total, text) => total + minorOf(text, currency), 0n);
  return {
    reference,
    ledgerDocumentId: journalId(journal.key),
    currency,
    totalDebit: unsignedDecimal(sum(journal.lines.map((line) => line.DebitAmount)), currency),
    totalCredit: unsignedDecimal(sum(journal.lines.map((line) => line.CreditAmount)), currency),
    lineCount: journal.lines.length,
    isPosted: true,
  };
}

/** Where accountants post, a journal that was entered to its end is where it belongs. */
export function foundDraft(draft: DraftJournal, reference: string, currency: string): FoundDocument {
  const debit = draft.lines.reduce((sum, { minor }) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = draft.lines.reduce((sum, { minor }) => (minor < 0n ? sum - minor : sum), 0n);
  return {
    reference,
    ledgerDocumentId: journalId(draft.key),
    currency,
    totalDebit: unsignedDecimal(debit, currency),
    totalCredit: unsignedDecimal(credit, currency),
    lineCount: draft.lines.length,
    isPosted: isBalanced(draft),
  };
}
