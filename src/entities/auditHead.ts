import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The end of one tenant's audit trail. Whoever appends holds this row's lock until the commit. */
@Entity({ name: 'audit_heads' })
export class AuditHeadRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  /** The last number given. */
  @Column({ type: 'bigint' })
  sequence!: string;

  /** Of the event with that number. */
  @Column({ type: 'text' })
  hash!: string;
}
