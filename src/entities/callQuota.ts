import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The calls that all processes made to one system lately, counted against the vendor's limit. */
@Entity({ name: 'call_quotas' })
export class CallQuotaRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  /** Milliseconds since 1970, as text. */
  @Column({ type: 'bigint', array: true, default: () => "'{}'" })
  calls!: string[];

  /** The vendor throttled us: nobody may call before. */
  @Column({ type: 'timestamptz', name: 'blocked_until', nullable: true })
  blockedUntil!: Date | null;
}
