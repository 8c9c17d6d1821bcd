import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One account of one ledger's chart, as last read. Rows that the ledger no longer has are removed by the next reading.
 */
@Entity({ name: 'gl_accounts' })
export class GlAccountRow {
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

  /** Why nothing may be posted to it although it exists and is active; null when it may. */
  @Column({ type: 'text', name: 'blocked_reason', nullable: true })
  blockedReason!: string | null;

  /** Dimensions that every line on it must carry, with the ledger's own words for them. */
  @Column({ type: 'jsonb', name: 'required_dimensions', default: () => "'[]'" })
  requiredDimensions!: readonly { dimension: string; label: string }[];
}
