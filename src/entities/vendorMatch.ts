import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { VendorMatchMethod, VendorMatchStatus } from '../domain/vocabulary.js';

/** A supplier that a merchant might be, as it was when the match was decided last. */
export interface StoredCandidate {
  readonly supplierCode: string;
  readonly supplierName: string;
  readonly active: boolean;
  /** 0 to 1. */
  readonly score: number;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/**
 * What is known about one merchant in one ledger. One row a merchant key and ledger; what a person decided stands until
 * a person decides otherwise.
 */
@Entity({ name: 'vendor_matches' })
export class VendorMatchRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text', name: 'ledger_id' })
  ledgerId!: string;

  /** The merchant's name in normal form. */
  @Column({ type: 'text', name: 'merchant_key' })
  merchantKey!: string;

  /** As the source wrote it when it was first met. */
  @Column({ type: 'text', name: 'merchant_name' })
  merchantName!: string;

  @Column({ type: 'text' })
  status!: VendorMatchStatus;

  /** Set with AUTO_MATCHED, CONFIRMED and CREATED. */
  @Column({ type: 'text', name: 'supplier_code', nullable: true })
  supplierCode!: string | null;

  /** 0 to 1. */
  @Column({ type: 'double precision' })
  score!: number;

  @Column({ type: 'text' })
  method!: VendorMatchMethod;

  /** What the score was made of, by name, with the `margin` to the second best. */
  @Column({ type: 'jsonb' })
  evidence!: Record<string, unknown>;

  /** The best few, best first. */
  @Column({ type: 'jsonb' })
  candidates!: readonly StoredCandidate[];

  @Column({ type: 'text' })
  explanation!: string;

  /** Suppliers that a person said it is not. */
  @Column({ type: 'text', name: 'rejected_codes', array: true, default: () => "'{}'" })
  rejectedCodes!: readonly string[];

  /** The supplier that a person chose or that was made for it; kept while that supplier cannot be posted to. */
  @Column({ type: 'text', name: 'alias_code', nullable: true })
  aliasCode!: string | null;

  /** A person asked for a new supplier of this name; made when the first posting needs it. */
  @Column({ type: 'text', name: 'create_as', nullable: true })
  createAs!: string | null;

  /** The supplier is made for the sake of the vendor directory, without waiting for a posting. */
  @Column({ type: 'boolean', name: 'create_now', default: false })
  createNow!: boolean;

  /** The actor, as in audit events; null = the program alone. */
  @Column({ type: 'text', name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
