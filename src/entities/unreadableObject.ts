import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SpendStream } from '../domain/vocabulary.js';

/** What the source sent and nobody could read: counted as unknown until it can be read or is gone. */
@Entity({ name: 'unreadable_objects' })
export class UnreadableObjectRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'source_id' })
  sourceId!: string;

  @PrimaryColumn({ type: 'text' })
  stream!: SpendStream;

  /** The source's id, or a hash of the content where it has none. */
  @PrimaryColumn({ type: 'text', name: 'external_id' })
  externalId!: string;

  /** A sentence. */
  @Column({ type: 'text' })
  reason!: string;

  /** What was sent, whole. */
  @Column({ type: 'jsonb' })
  raw!: unknown;

  @Column({ type: 'timestamptz', name: 'seen_at' })
  seenAt!: Date;

  /** null = still unknown. */
  @Column({ type: 'timestamptz', name: 'resolved_at', nullable: true })
  resolvedAt!: Date | null;
}
