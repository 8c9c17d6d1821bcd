import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { LineRole } from '../domain/plan.js';

/**
 * One line of one document. The lines of a document balance because the planner made them so; the database does not
 * check it. Removed with its posting.
 */
@Entity({ name: 'posting_lines' })
export class PostingLineRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'posting_id' })
  postingId!: string;

  /** From 1, in the document's order. */
  @PrimaryColumn({ type: 'integer', name: 'line_number' })
  lineNumber!: number;

  @Column({ type: 'text' })
  role!: LineRole;

  /** As the mapping or the source names it; the ledger's rules make its own code from it and `costCentre`. */
  @Column({ type: 'text', name: 'gl_account' })
  glAccount!: string;

  @Column({ type: 'text', name: 'cost_centre', nullable: true })
  costCentre!: string | null;

  @Column({ type: 'jsonb' })
  dimensions!: Readonly<Record<string, string>>;

  @Column({ type: 'text', name: 'tax_code', nullable: true })
  taxCode!: string | null;

  /** Major units, exact, at least 0; at most one side is above 0. */
  @Column({ type: 'numeric' })
  debit!: string;

  /** Major units, exact, at least 0. */
  @Column({ type: 'numeric' })
  credit!: string;

  @Column({ type: 'text', nullable: true })
  memo!: string | null;

  @Column({ type: 'text', name: 'spend_record_ids', array: true })
  spendRecordIds!: readonly string[];

  /** Which rule, coding or default decided the account. */
  @Column({ type: 'text' })
  explanation!: string;
}
