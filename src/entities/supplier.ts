import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One supplier of one ledger, as last read or as this gateway made it there. */
@Entity({ name: 'suppliers' })
export class SupplierRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  /** As the ledger spells it, leading zeros included. */
  @PrimaryColumn({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'boolean' })
  active!: boolean;

  /** null = the ledger does not say. */
  @Column({ type: 'text', nullable: true })
  currency!: string | null;
}
