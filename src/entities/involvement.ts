import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Which key had a hand in a run, a purchase or a posting, and may therefore not approve what came of it. */
@Entity({ name: 'involvements' })
export class InvolvementRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  /** Id of a sync run, a spend record or a posting. */
  @PrimaryColumn({ type: 'text', name: 'subject_id' })
  subjectId!: string;

  /** The API key's id; of whoever has no key, the actor as in audit events. */
  @PrimaryColumn({ type: 'text', name: 'key_id' })
  keyId!: string;

  @PrimaryColumn({ type: 'text' })
  deed!: 'SYNC' | 'REPLAY' | 'INCLUDE' | 'REVERSE' | 'VENDOR';

  /** The last time. */
  @Column({ type: 'timestamptz' })
  at!: Date;
}
