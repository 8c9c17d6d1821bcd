import { Column, Entity, PrimaryColumn } from 'typeorm';

/** From which score on one ledger's merchants are matched without a person; see `VendorThresholds` in the domain. */
@Entity({ name: 'vendor_thresholds' })
export class VendorThresholdRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'ledger_id' })
  ledgerId!: string;

  @Column({ type: 'double precision', name: 'auto_score' })
  autoScore!: number;

  @Column({ type: 'double precision', name: 'auto_margin' })
  autoMargin!: number;

  @Column({ type: 'double precision', name: 'review_score' })
  reviewScore!: number;

  /** The actor, as in audit events. */
  @Column({ type: 'text', name: 'updated_by' })
  updatedBy!: string;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
