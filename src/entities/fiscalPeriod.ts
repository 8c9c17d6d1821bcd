import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { LocalDate } from '../domain/localDate.js';

/**
 * One fiscal period of one ledger, as last read. Periods of one ledger are taken not to overlap; the database does not
 * check it.
 */
@Entity({ name: 'fiscal_periods' })
export class FiscalPeriodRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  /** As a person names it. */
  @PrimaryColumn({ type: 'text' })
  label!: string;

  /** First day in it. */
  @Column({ type: 'date', name: 'starts_on' })
  startsOn!: LocalDate;

  /** Last day in it. */
  @Column({ type: 'date', name: 'ends_on' })
  endsOn!: LocalDate;

  @Column({ type: 'boolean' })
  open!: boolean;

  /** The ledger's own key of the period; opaque outside its connector. */
  @Column({ type: 'jsonb' })
  key!: Readonly<Record<string, string>>;
}
