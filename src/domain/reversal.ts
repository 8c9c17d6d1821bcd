import { documentReference } from './keys.js';
import type { LocalDate } from './localDate.js';
import type { PlanContext, PlannedDocument, PlannedLine } from './plan.js';
import { distinctHolds, LedgerChecks } from './planChecks.js';
import { currencyHolds, finishDocument } from './planDocument.js';
import { clip, joinMemo } from './planLines.js';
import type { DocumentType, Hold } from './vocabulary.js';

/** A document as the ledger has it: what was sent, not what would be planned today. */
export interface PostedDocument {
  readonly reference: string;
  readonly documentType: DocumentType;
  readonly postingDate: LocalDate;
  readonly currency: string;
  readonly supplierCode: string | null;
  readonly description: string;
  readonly lines: readonly PlannedLine[];
  readonly spend: readonly { readonly id: string; readonly revision: number }[];
  readonly mappingVersion: number | null;
}

/**
 * The equal and opposite document: the same lines on the other side, on the original date while its period is open,
 * else by the pipeline's policy for closed periods. Its reference is made from the original's, so that one document has
 * one reversal, however often it is asked for.
 *
 * The original's lines are taken as they were posted; mapping and vendors are not asked again. Accounts are: one that was
 * closed meanwhile would be refused by the ledger, so the reversal is held.
 *
 * An invoice is reversed by a journal, where the ledger takes journals: no ledger of ours takes a negative invoice that
 * its vendor documents. Such a journal corrects the books but leaves the supplier's open item, so it goes to the
 * control account, and where the ledger closes that to journals it is held until a person has entered a credit note
 * there. Where the ledger takes no journals it is always held.
 *
 * @param reason why, in a person's words; it reaches the audit trail and the lines' explanations, not the ledger.
 */
export function planReversal(context: PlanContext, posted: PostedDocument, reason: string): PlannedDocument {
  const { pipeline, rules, masterData, ledgerId } = context;
  const checks = new LedgerChecks(masterData, rules, pipeline.closedPeriod);
  const day = checks.postingDay(posted.postingDate);
  const takesJournals = rules.documentTypes.includes('JOURNAL');
  const documentType = takesJournals ? 'JOURNAL' : posted.documentType;
  const note = day.moved ? ` ${day.moved.explanation}` : '';
  const lines = posted.lines.map((line) => ({
    ...line,
    debitMinor: line.creditMinor,
    creditMinor: line.debitMinor,
    memo: joinMemo([`reversal ${posted.reference}`, day.moved && `of ${day.moved.from}`, line.memo], rules.memoLength),
    explanation: `Reverses line ${line.lineNumber} of document ${posted.reference}: ${reason}${note}`,
  }));
  const holds: Hold[] = [
    ...lines.flatMap((line) => checks.line(line).map((hold) => adviceFor(posted, line, hold))),
    ...(day.hold ? [day.hold] : []),
    ...currencyHolds(documentType, posted.currency, rules.localCurrency),
    ...(takesJournals ? [] : [noJournals(posted)]),
  ];
  return finishDocument({
    reference: reversalReference(ledgerId, pipeline.id, posted.reference),
    documentType,
    postingDate: day.day,
    period: day.period,
    currency: posted.currency,
    supplierCode: posted.supplierCode,
    createSupplier: null,
    description: clip(`Reversal of ${posted.reference} ${posted.description}`.trim(), 100),
    lines,
    holds: distinctHolds(holds),
    mappingVersion: posted.mappingVersion,
    spend: posted.spend,
  });
}

/** The name of the one reversal of a document. */
export function reversalReference(ledgerId: string, pipelineId: string, reference: string): string {
  return documentReference({ ledgerId, pipelineId, fact: reference, revision: 1, role: 'REVERSAL' });
}

/** The control account of an invoice is closed to journals on purpose: nobody should be told to open it. */
function adviceFor(posted: PostedDocument, line: PlannedLine, hold: Hold): Hold {
  if (posted.documentType !== 'SUPPLIER_INVOICE' || line.role !== 'OFFSET') return hold;
  return {
    ...hold,
    resolution: `Enter a credit note for ${posted.reference} in the ledger by hand, then cancel this posting.`,
  };
}

function noJournals(posted: PostedDocument): Hold {
  return {
    code: 'LEDGER_REJECTED',
    message: `Document ${posted.reference} is a supplier invoice, and this ledger takes no journal that would reverse it.`,
    field: 'documentType',
    value: posted.documentType,
    resolution: 'Enter a credit note for it in the ledger by hand, then cancel this posting.',
  };
}
