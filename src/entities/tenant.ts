import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One tenant. Made by the owner of the tables only; a tenant itself may read its row and nothing more. */
@Entity({ name: 'tenants' })
export class TenantRow {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
