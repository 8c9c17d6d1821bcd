import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One process of ours that has started. Whether it lives is told by its advisory lock alone. Of no tenant: for the
 * engine only.
 */
@Entity({ name: 'processes' })
export class ProcessRow {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** The advisory lock that it holds for as long as its connection does; unique. */
  @Column({ type: 'bigint', name: 'lock_key' })
  lockKey!: string;

  @Column({ type: 'text' })
  host!: string;

  @Column({ type: 'integer' })
  pid!: number;

  /** What it does, e.g. `api,worker`. */
  @Column({ type: 'text' })
  roles!: string;

  @Column({ type: 'timestamptz', name: 'started_at' })
  startedAt!: Date;
}
