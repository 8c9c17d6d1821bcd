import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TaxCodes } from '../domain/taxCodes.js';
import type {
  ClosedPeriodPolicy,
  CodingPolicy,
  CorrectionPolicy,
  DocumentType,
  DuplicateCheck,
  Grouping,
  PostingDatePolicy,
  SpendStream,
  UnmatchedVendorPolicy,
} from '../domain/vocabulary.js';

/**
 * One pipeline: a source, a ledger, and the policies by which purchases of the one become documents of the other. Names
 * are unique in a tenant because every writer holds the tenant's lock; source and ledger never change.
 */
@Entity({ name: 'pipelines' })
export class PipelineRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  /** A system with role SPEND. */
  @Column({ type: 'text', name: 'source_id' })
  sourceId!: string;

  /** A system with role LEDGER. */
  @Column({ type: 'text', name: 'ledger_id' })
  ledgerId!: string;

  /** At least one, each a stream that the source has. */
  @Column({ type: 'text', array: true })
  streams!: readonly SpendStream[];

  @Column({ type: 'text', name: 'document_type' })
  documentType!: DocumentType;

  @Column({ type: 'text' })
  grouping!: Grouping;

  /** A cron expression, in `timeZone`; null = runs only when asked. */
  @Column({ type: 'text', nullable: true })
  schedule!: string | null;

  /** IANA name. Decides which day an instant falls on. */
  @Column({ type: 'text', name: 'time_zone' })
  timeZone!: string;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  /** The other side of every entry. */
  @Column({ type: 'text', name: 'offset_account' })
  offsetAccount!: string;

  /** For purchases that nothing codes; set whenever `unmatchedVendor` needs it. */
  @Column({ type: 'text', name: 'default_account', nullable: true })
  defaultAccount!: string | null;

  @Column({ type: 'text', name: 'unmatched_vendor' })
  unmatchedVendor!: UnmatchedVendorPolicy;

  @Column({ type: 'text', name: 'posting_date' })
  postingDate!: PostingDatePolicy;

  @Column({ type: 'text', name: 'closed_period' })
  closedPeriod!: ClosedPeriodPolicy;

  @Column({ type: 'text' })
  coding!: CodingPolicy;

  @Column({ type: 'text' })
  correction!: CorrectionPolicy;

  @Column({ type: 'boolean', name: 'require_approval' })
  requireApproval!: boolean;

  @Column({ type: 'boolean', name: 'export_master_data' })
  exportMasterData!: boolean;

  /** Where a remainder goes that rounding leaves; null = such purchases are held. */
  @Column({ type: 'text', name: 'rounding_account', nullable: true })
  roundingAccount!: string | null;

  /** What is done with the tax of each tax code; codes that are not in it are treated as ever. */
  @Column({ type: 'jsonb', name: 'tax_codes', default: () => "'{}'" })
  taxCodes!: TaxCodes;

  @Column({ type: 'text', name: 'duplicate_check', default: () => "'ACROSS_SOURCES'" })
  duplicateCheck!: DuplicateCheck;

  /** How many days apart two purchases may be and still be suspected to be one. */
  @Column({ type: 'integer', name: 'duplicate_days', default: 0 })
  duplicateDays!: number;

  /** From how many days between their first appearances on two purchases of one source come from two imports. */
  @Column({ type: 'integer', name: 'duplicate_import_days', default: 2 })
  duplicateImportDays!: number;

  /** Public address of this gateway; where it is set, documents carry a link to their receipts. */
  @Column({ type: 'text', name: 'receipt_link_base', nullable: true })
  receiptLinkBase!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
