import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The credential of one system with its secret settings, sealed. One a system; replaced in place, never kept. */
@Entity({ name: 'credentials' })
export class CredentialRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  /** As the connector calls it, e.g. a user token or an OAuth grant. */
  @Column({ type: 'text' })
  kind!: string;

  /** Tells two credentials apart and reveals neither. */
  @Column({ type: 'text' })
  fingerprint!: string;

  /** Encrypted for this tenant and system: opened as another's it fails. */
  @Column({ type: 'bytea' })
  sealed!: Buffer;

  /** Goes up with every replacement. */
  @Column({ type: 'integer' })
  version!: number;

  /** As far as the credential itself tells; null = unknown or never. */
  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  /** A person has to enter it anew by then; null = nobody has to. */
  @Column({ type: 'timestamptz', name: 'renew_by', nullable: true })
  renewBy!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  /** When its owner entered it; renewals by the program leave this alone. */
  @Column({ type: 'timestamptz', name: 'given_at' })
  givenAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
