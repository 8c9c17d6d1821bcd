import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../domain/vocabulary.js';

/** One key to the API. No two keys of any tenants share a secret; the secret itself is stored nowhere. */
@Entity({ name: 'api_keys' })
export class ApiKeyRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  role!: Role;

  /** Shown, so that a person can tell keys apart: the beginning of the secret, unless a person chose the secret. */
  @Column({ type: 'text' })
  prefix!: string;

  /** SHA-256 of the secret, unique over all tenants. */
  @Column({ type: 'bytea', name: 'secret_hash' })
  secretHash!: Buffer;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  /** Exact to a minute: more would write a row with every request. */
  @Column({ type: 'timestamptz', name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  /** null = never. */
  @Column({ type: 'timestamptz', name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  /** Set once and for good, except for the key that the environment names. */
  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
