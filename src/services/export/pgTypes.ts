import { InvariantError } from '../../errors.js';
import type { ColumnType } from './datasets.js';

const TYPES: Readonly<Record<string, ColumnType>> = {
  ...{ text: 'text', int4: 'integer', int8: 'integer', numeric: 'decimal', float8: 'float' },
  ...{ bool: 'boolean', date: 'day', timestamptz: 'instant', jsonb: 'json', _text: 'json' },
};

/** @param name as in `pg_type.typname`; arrays begin with an underscore. */
export function pgTypeOf(name: string): ColumnType {
  const type = TYPES[name];
  if (!type) throw new InvariantError(`A column of type ${name} has no form in exports.`);
  return type;
}
