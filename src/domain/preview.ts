import type { LocalDate } from './localDate.js';
import type { LineRole } from './plan.js';
import type { PostingStatus } from './postingState.js';
import type { DocumentType, Hold } from './vocabulary.js';

/** A document as a dry run shows it, and as it is kept with the run. */
export interface PreviewDocument {
  readonly status: PostingStatus;
  readonly documentType: DocumentType;
  readonly reference: string;
  readonly planHash: string;
  readonly postingDate: LocalDate;
  readonly currency: string;
  /** Of either side, exact decimal. */
  readonly total: string;
  readonly supplierCode: string | null;
  readonly mappingVersion: number | null;
  readonly holds: readonly Hold[];
  /** The posting that it would reverse. */
  readonly reversesId: string | null;
  readonly lines: readonly {
    readonly lineNumber: number;
    readonly glAccount: string;
    readonly costCentre: string | null;
    readonly dimensions: Readonly<Record<string, string>>;
    readonly taxCode: string | null;
    readonly debit: string;
    readonly credit: string;
    readonly memo: string | null;
    readonly spendRecordIds: readonly string[];
    readonly explanation: string;
    readonly role: LineRole;
  }[];
}
