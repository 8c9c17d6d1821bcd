import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One identity key of one purchase. Objects of a source that share a key are views of one purchase, so a key has one
 * purchase.
 */
@Entity({ name: 'spend_keys' })
export class SpendKeyRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'source_id' })
  sourceId!: string;

  /** For example `expense:expense_9`. */
  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ type: 'text', name: 'spend_record_id' })
  spendRecordId!: string;
}
