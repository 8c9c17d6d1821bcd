import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The login session that all processes share with one ledger. Present = believed open; the ledger may have ended it
 * since.
 */
@Entity({ name: 'ledger_sessions' })
export class LedgerSessionRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  /** The session token, encrypted for this tenant and system. */
  @Column({ type: 'bytea' })
  sealed!: Buffer;

  /** null = the ledger does not say. */
  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'opened_at' })
  openedAt!: Date;
}
