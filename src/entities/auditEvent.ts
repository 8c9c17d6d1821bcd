import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One event of a tenant's audit trail. Append-only for the application; numbers have no gaps and become visible in
 * order, and each event's hash covers the one before it.
 */
@Entity({ name: 'audit_events' })
export class AuditEventRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  /** From 1. */
  @PrimaryColumn({ type: 'bigint' })
  sequence!: string;

  @Column({ type: 'text' })
  id!: string;

  @Column({ type: 'timestamptz', name: 'occurred_at' })
  occurredAt!: Date;

  /** `user:<key name>`, `system:<part>` or `webhook:<kind>`. */
  @Column({ type: 'text' })
  actor!: string;

  /** `subject.pastTense`, e.g. `posting.posted`. */
  @Column({ type: 'text' })
  action!: string;

  /** A type of the API. */
  @Column({ type: 'text', name: 'subject_type' })
  subjectType!: string;

  @Column({ type: 'text', name: 'subject_id' })
  subjectId!: string;

  /** One sentence that a finance person understands. */
  @Column({ type: 'text' })
  summary!: string;

  /** What was, as far as it matters; free form. */
  @Column({ type: 'jsonb', nullable: true })
  before!: unknown;

  /** What is now; free form. */
  @Column({ type: 'jsonb', nullable: true })
  after!: unknown;

  /** One id from the first event to the ledger document. */
  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  /** `hash` of the event before; 64 zeros for the first. */
  @Column({ type: 'text', name: 'previous_hash' })
  previousHash!: string;

  @Column({ type: 'text' })
  hash!: string;
}
