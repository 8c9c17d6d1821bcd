import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SpendKind } from '../domain/spend.js';
import type { StoredSourceObject } from '../domain/spendJson.js';
import type { SpendStream } from '../domain/vocabulary.js';

/**
 * One object of one stream as last read, parsed beside raw. An object is stored in the transaction that joins it with
 * its purchase.
 */
@Entity({ name: 'source_objects' })
export class SourceObjectRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'source_id' })
  sourceId!: string;

  @PrimaryColumn({ type: 'text' })
  stream!: SpendStream;

  /** The source's id within the stream. */
  @PrimaryColumn({ type: 'text', name: 'external_id' })
  externalId!: string;

  /** The id under which the source takes a result, where several objects share one; null = its own. */
  @Column({ type: 'text', name: 'export_id', nullable: true })
  exportId!: string | null;

  /** The source's own mark; compared for equality only. */
  @Column({ type: 'text' })
  version!: string;

  /** Of what was parsed: an object whose hash did not change is not written again. */
  @Column({ type: 'text', name: 'content_hash' })
  contentHash!: string;

  @Column({ type: 'text' })
  kind!: SpendKind;

  /** Major units, exact, signed: negative is money back to the company. */
  @Column({ type: 'numeric' })
  amount!: string;

  @Column({ type: 'text' })
  currency!: string;

  /** As parsed, bigints as decimal text. */
  @Column({ type: 'jsonb' })
  object!: StoredSourceObject;

  /** The vendor's reply, whole. */
  @Column({ type: 'jsonb' })
  raw!: unknown;

  /** The purchase it is a view of; changes when two purchases turn out to be one. */
  @Column({ type: 'text', name: 'spend_record_id' })
  spendRecordId!: string;

  @Column({ type: 'timestamptz', name: 'first_seen_at' })
  firstSeenAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_changed_at' })
  lastChangedAt!: Date;
}
