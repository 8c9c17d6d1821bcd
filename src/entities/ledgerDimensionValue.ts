import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One value that one ledger allows for one analysis dimension. A dimension without any row has no list at the ledger.
 */
@Entity({ name: 'ledger_dimension_values' })
export class LedgerDimensionValueRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  /** The dimension's name at the ledger, e.g. its cost centre. */
  @PrimaryColumn({ type: 'text' })
  dimension!: string;

  /** As the ledger spells it, leading zeros included. */
  @PrimaryColumn({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'boolean' })
  active!: boolean;
}
