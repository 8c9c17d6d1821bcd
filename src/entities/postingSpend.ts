import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Which purchase a document carries, in which revision, with how much of it. Removed with its posting. */
@Entity({ name: 'posting_spend' })
export class PostingSpendRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'posting_id' })
  postingId!: string;

  @PrimaryColumn({ type: 'text', name: 'spend_record_id' })
  spendRecordId!: string;

  @Column({ type: 'integer' })
  revision!: number;

  /** Major units, exact; a reversal carries the negative. */
  @Column({ type: 'numeric' })
  amount!: string;

  /** What was booked of the purchase (see `accountingHashOf`): a purchase whose hash differs has to be corrected. */
  @Column({ type: 'text', name: 'accounting_hash' })
  accountingHash!: string;
}
