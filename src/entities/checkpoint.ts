import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SpendStream } from '../domain/vocabulary.js';

/** How far one stream has been read for one pipeline. */
@Entity({ name: 'checkpoints' })
export class CheckpointRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  @PrimaryColumn({ type: 'text' })
  stream!: SpendStream;

  /** Moves only after what was read is stored; the next reading overlaps it. */
  @Column({ type: 'timestamptz', name: 'read_until' })
  readUntil!: Date;
}
