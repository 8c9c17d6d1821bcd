import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A receipt's content, kept once however many purchases show it. */
@Entity({ name: 'receipts' })
export class ReceiptRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  /** Of the content, 64 characters of lower-case hexadecimal. */
  @PrimaryColumn({ type: 'text' })
  sha256!: string;

  @Column({ type: 'text' })
  id!: string;

  /** As the content itself shows it, never as a server called it. */
  @Column({ type: 'text', name: 'content_type' })
  contentType!: string;

  /** Bytes. */
  @Column({ type: 'integer' })
  size!: number;

  @Column({ type: 'bytea' })
  content!: Buffer;

  @Column({ type: 'timestamptz', name: 'stored_at' })
  storedAt!: Date;
}
