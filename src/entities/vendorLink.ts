import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Which vendor of a source stands for which supplier of a ledger, as both sides last agreed. */
@Entity({ name: 'vendor_links' })
export class VendorLinkRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'source_id' })
  sourceId!: string;

  @PrimaryColumn({ type: 'text', name: 'ledger_id' })
  ledgerId!: string;

  @PrimaryColumn({ type: 'text', name: 'supplier_code' })
  supplierCode!: string;

  /** null = the supplier could not be given a vendor; `note` says why. No two suppliers of a ledger share one. */
  @Column({ type: 'text', name: 'vendor_id', nullable: true })
  vendorId!: string | null;

  @Column({ type: 'text', name: 'supplier_name' })
  supplierName!: string;

  @Column({ type: 'text', name: 'vendor_name', nullable: true })
  vendorName!: string | null;

  @Column({ type: 'text' })
  state!: 'LINKED' | 'CONFLICT';

  /** CONFLICT: what is wrong and what a person can do. */
  @Column({ type: 'text', nullable: true })
  note!: string | null;

  @Column({ type: 'timestamptz', name: 'linked_at', nullable: true })
  linkedAt!: Date | null;

  /** The actor, as in audit events. */
  @Column({ type: 'text', name: 'linked_by', nullable: true })
  linkedBy!: string | null;

  /** Counts the changes. */
  @Column({ type: 'integer', default: 0 })
  revision!: number;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
