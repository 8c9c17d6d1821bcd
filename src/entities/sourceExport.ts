import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One result owed to the source about one of its objects. Written with the posting's settlement and worked off
 * afterwards, so none is lost; the source may be told twice.
 */
@Entity({ name: 'source_exports' })
export class SourceExportRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'source_id' })
  sourceId!: string;

  @PrimaryColumn({ type: 'text', name: 'external_id' })
  externalId!: string;

  @PrimaryColumn({ type: 'text', name: 'posting_id' })
  postingId!: string;

  @Column({ type: 'text' })
  outcome!: 'SUCCESS' | 'FAILURE';

  @Column({ type: 'text', name: 'ledger_document_id', nullable: true })
  ledgerDocumentId!: string | null;

  /** For a FAILURE: the sentence that the source is told. */
  @Column({ type: 'text', nullable: true })
  message!: string | null;

  /** REFUSED = the source will not take it, however often it is asked. */
  @Column({ type: 'text' })
  state!: 'PENDING' | 'DONE' | 'REFUSED';

  /** What the source said, or why it was not told. */
  @Column({ type: 'text', nullable: true })
  answer!: string | null;

  /** Counts claims, so it is the claim's fencing number as well. */
  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', name: 'next_attempt_at' })
  nextAttemptAt!: Date;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'reported_at', nullable: true })
  reportedAt!: Date | null;
}
