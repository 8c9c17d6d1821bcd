import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A person's word that a purchase is no second copy of another one, for as long as it looks as it did. */
@Entity({ name: 'duplicate_clearances' })
export class DuplicateClearanceRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'ledger_id' })
  ledgerId!: string;

  @PrimaryColumn({ type: 'text', name: 'spend_record_id' })
  spendRecordId!: string;

  /** Merchant, currency, amount and day. With another one the word does not hold. */
  @PrimaryColumn({ type: 'text' })
  fingerprint!: string;

  /** The purchase it was taken for. */
  @Column({ type: 'text', name: 'twin_id' })
  twinId!: string;

  @Column({ type: 'text' })
  note!: string;

  /** The actor, as in audit events. */
  @Column({ type: 'text', name: 'cleared_by' })
  clearedBy!: string;

  @Column({ type: 'timestamptz', name: 'cleared_at' })
  clearedAt!: Date;
}
