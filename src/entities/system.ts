import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SystemKind, SystemRole, SystemStatus } from '../domain/vocabulary.js';

/**
 * One connected system, a source of spend or a ledger. Its secrets are in `CredentialRow`. Never removed, only
 * DISABLED.
 */
@Entity({ name: 'systems' })
export class SystemRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  kind!: SystemKind;

  /** Follows from the kind; kept so that a query need not know the connectors. */
  @Column({ type: 'text' })
  role!: SystemRole;

  @Column({ type: 'text' })
  name!: string;

  /** Without a slash at its end. */
  @Column({ type: 'text', name: 'base_url' })
  baseUrl!: string;

  @Column({ type: 'text' })
  status!: SystemStatus;

  /** What the connector's own schema let through, without the secret settings: those are sealed with the credential. */
  @Column({ type: 'jsonb' })
  settings!: Record<string, unknown>;

  /**
   * The vendor's id of the company, once a test or a subscription learned it. Finds the system of a webhook delivery.
   */
  @Column({ type: 'text', name: 'company_id', nullable: true })
  companyId!: string | null;

  @Column({ type: 'timestamptz', name: 'last_checked_at', nullable: true })
  lastCheckedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_webhook_at', nullable: true })
  lastWebhookAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'master_data_read_at', nullable: true })
  masterDataReadAt!: Date | null;

  /** Goes up whenever what is stored of the ledger's master data changes; what was made from it is made anew then. */
  @Column({ type: 'bigint', name: 'master_version', default: 0 })
  masterVersion!: string;

  /** How many entries each list of master data had when it was last believed, by list. */
  @Column({ type: 'jsonb', name: 'master_data_counts', default: () => "'{}'" })
  masterDataCounts!: Readonly<Record<string, number>>;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
