import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SpendStream } from '../domain/vocabulary.js';

/** A receipt that an object of a source shows: known by the source's id of it, stored once it was fetched. */
@Entity({ name: 'receipt_links' })
export class ReceiptLinkRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'source_id' })
  sourceId!: string;

  @PrimaryColumn({ type: 'text' })
  stream!: SpendStream;

  @PrimaryColumn({ type: 'text', name: 'external_id' })
  externalId!: string;

  @PrimaryColumn({ type: 'text', name: 'receipt_key' })
  receiptKey!: string;

  @Column({ type: 'text', name: 'file_name', nullable: true })
  fileName!: string | null;

  /** Only of a link that lives on; one that ends is asked for anew and never stored. */
  @Column({ type: 'text', name: 'lasting_url', nullable: true })
  lastingUrl!: string | null;

  /**
   * MISSING = its link never worked; REFUSED = it is too large or no kind of file that is kept; GONE = the source shows it
   * no longer, and what was stored of it stays.
   */
  @Column({ type: 'text' })
  state!: 'PENDING' | 'STORED' | 'MISSING' | 'REFUSED' | 'GONE';

  @Column({ type: 'text', nullable: true })
  sha256!: string | null;

  /** Why it is not here, in a sentence. Never a link. */
  @Column({ type: 'text', nullable: true })
  note!: string | null;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', name: 'next_attempt_at' })
  nextAttemptAt!: Date;

  @Column({ type: 'timestamptz', name: 'seen_at' })
  seenAt!: Date;
}
