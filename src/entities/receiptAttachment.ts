import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A receipt on its way to, or at, a document in a ledger that takes attachments. */
@Entity({ name: 'receipt_attachments' })
export class ReceiptAttachmentRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'posting_id' })
  postingId!: string;

  @PrimaryColumn({ type: 'text' })
  sha256!: string;

  /** REFUSED = the ledger will not take it, however often it is asked. */
  @Column({ type: 'text' })
  state!: 'PENDING' | 'DONE' | 'REFUSED';

  @Column({ type: 'text', nullable: true })
  note!: string | null;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', name: 'next_attempt_at' })
  nextAttemptAt!: Date;

  @Column({ type: 'timestamptz', name: 'attached_at', nullable: true })
  attachedAt!: Date | null;
}
