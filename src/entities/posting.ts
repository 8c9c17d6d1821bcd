import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { LocalDate } from '../domain/localDate.js';
import type { PlannedDocument } from '../domain/plan.js';
import type { PostingStatus } from '../domain/postingState.js';
import type { DocumentType, Hold } from '../domain/vocabulary.js';

/**
 * One document for one ledger, planned, on its way or there. In a ledger a reference names one posting for ever;
 * `domain/postingState.ts` lists the legal moves of `status`.
 */
@Entity({ name: 'postings' })
export class PostingRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  @Column({ type: 'text', name: 'ledger_id' })
  ledgerId!: string;

  @Column({ type: 'text' })
  status!: PostingStatus;

  @Column({ type: 'text', name: 'document_type' })
  documentType!: DocumentType;

  /** The idempotency key, in the document at the ledger. Deterministic: names the business fact. */
  @Column({ type: 'text' })
  reference!: string;

  /** Over all that reaches the ledger: same hash, same document. */
  @Column({ type: 'text', name: 'plan_hash' })
  planHash!: string;

  /** The ledger's own name of it; null until it is known to be there. */
  @Column({ type: 'text', name: 'ledger_document_id', nullable: true })
  ledgerDocumentId!: string | null;

  @Column({ type: 'date', name: 'posting_date' })
  postingDate!: LocalDate;

  /** The day it was first planned for; never changes, so that counting documents by it never falls. */
  @Column({ type: 'date', name: 'first_planned_for' })
  firstPlannedFor!: LocalDate;

  /** The ledger's own key of the period of `postingDate`; null only when held. */
  @Column({ type: 'jsonb', name: 'period_key', nullable: true })
  periodKey!: Readonly<Record<string, string>> | null;

  @Column({ type: 'text' })
  currency!: string;

  /** Of either side, major units, exact. */
  @Column({ type: 'numeric' })
  total!: string;

  @Column({ type: 'text', name: 'supplier_code', nullable: true })
  supplierCode!: string | null;

  /** The supplier that has to be made before this is sent. */
  @Column({ type: 'jsonb', name: 'create_supplier', nullable: true })
  createSupplier!: PlannedDocument['createSupplier'] | null;

  @Column({ type: 'text' })
  description!: string;

  /** Why it waits for a person, or why the ledger or a person gave it up; empty once it is POSTED. */
  @Column({ type: 'jsonb', default: () => "'[]'" })
  holds!: readonly Hold[];

  /** `version` of the mapping that coded it; null = none. */
  @Column({ type: 'integer', name: 'mapping_version', nullable: true })
  mappingVersion!: number | null;

  /** The posting that this one is the reversal of. */
  @Column({ type: 'text', name: 'reverses_id', nullable: true })
  reversesId!: string | null;

  /** The reversal of this posting, planned or in the ledger. */
  @Column({ type: 'text', name: 'reversed_by_id', nullable: true })
  reversedById!: string | null;

  /** Not sent before this one is in the ledger (a replacement waits for its reversal). */
  @Column({ type: 'text', name: 'after_id', nullable: true })
  afterId!: string | null;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  /** The actor of the plan, as in audit events. Who may not approve it is told by `involvements`. */
  @Column({ type: 'text', name: 'triggered_by' })
  triggeredBy!: string;

  /** The run that planned it last. */
  @Column({ type: 'text', name: 'run_id', nullable: true })
  runId!: string | null;

  @Column({ type: 'text', name: 'approved_by', nullable: true })
  approvedBy!: string | null;

  /** The approver's API key; of one without a key, the actor. */
  @Column({ type: 'text', name: 'approved_key', nullable: true })
  approvedKey!: string | null;

  @Column({ type: 'timestamptz', name: 'approved_at', nullable: true })
  approvedAt!: Date | null;

  /** The plan that was approved: an approval holds for no other. */
  @Column({ type: 'text', name: 'approved_plan_hash', nullable: true })
  approvedPlanHash!: string | null;

  @Column({ type: 'text', name: 'cancel_reason', nullable: true })
  cancelReason!: string | null;

  /** The process that has claimed it. */
  @Column({ type: 'text', name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column({ type: 'timestamptz', name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  /** Goes up with every claim and every new plan; an update that carries an older number is refused. */
  @Column({ type: 'bigint', default: 0 })
  fence!: string;

  /** IN_DOUBT and retries: not before. */
  @Column({ type: 'timestamptz', name: 'next_attempt_at', nullable: true })
  nextAttemptAt!: Date | null;

  /** IN_DOUBT: when the last write that may still appear was certainly over; absence counts only after settling. */
  @Column({ type: 'timestamptz', name: 'doubt_since', nullable: true })
  doubtSince!: Date | null;

  /** How often the ledger was asked since and did not have it. */
  @Column({ type: 'integer', name: 'absent_count', default: 0 })
  absentCount!: number;

  /** How often it failed, for the pause before the next try. */
  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;

  @Column({ type: 'timestamptz', name: 'posted_at', nullable: true })
  postedAt!: Date | null;
}
