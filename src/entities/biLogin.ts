import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Whose data a database login of a BI tool reads. Made and ended by `services/biLogins`. */
@Entity('bi_logins')
export class BiLoginRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'login' })
  login!: string;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
