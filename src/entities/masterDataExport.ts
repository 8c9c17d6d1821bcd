import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a pipeline pushed of its ledger's master data to its source, when, and what stands in the way. */
@Entity({ name: 'master_data_exports' })
export class MasterDataExportRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  /** The ledger's master version that the last push was made from; null = nothing was pushed yet. */
  @Column({ type: 'bigint', name: 'pushed_version', nullable: true })
  pushedVersion!: string | null;

  /** A digest of the settings that decide what is pushed and where to. */
  @Column({ type: 'text', name: 'pushed_settings', nullable: true })
  pushedSettings!: string | null;

  @Column({ type: 'timestamptz', name: 'pushed_at', nullable: true })
  pushedAt!: Date | null;

  /** By field: how many values were created, renamed, retired and left as they were. */
  @Column({ type: 'jsonb', name: 'pushed_fields', default: () => "'{}'" })
  pushedFields!: Readonly<Record<string, unknown>>;

  /** Since when somebody is to look again although nothing changed; later than now = after a failure. */
  @Column({ type: 'timestamptz', name: 'due_at', nullable: true })
  dueAt!: Date | null;

  /** Counts the times somebody asked, so that a run does not take back what was asked during it. */
  @Column({ type: 'integer', default: 0 })
  asked!: number;

  /** In a row. */
  @Column({ type: 'integer', default: 0 })
  failures!: number;

  /** null = the last push went well. */
  @Column({ type: 'text', name: 'last_error', nullable: true })
  lastError!: string | null;

  @Column({ type: 'timestamptz', name: 'failed_at', nullable: true })
  failedAt!: Date | null;

  @Column({ type: 'text', name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column({ type: 'timestamptz', name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  /** Counts claims: what a claim writes is written under its number only. */
  @Column({ type: 'integer', default: 0 })
  fence!: number;
}
