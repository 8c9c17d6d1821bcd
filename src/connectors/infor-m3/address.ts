import { InvariantError } from '../../errors.js';
import type { QueryPairs } from '../http.js';

/** How a transaction and its options are written into a URL. */

/** Fields of a transaction; empty values are not sent, because an empty text means different things to programs. */
export type Inputs = Readonly<Record<string, string | undefined>>;

export interface Target {
  readonly version: 'v1' | 'v2';
  readonly style: 'both' | 'query' | 'matrix';
  readonly program: string;
  readonly transaction: string;
  readonly inputs: Inputs;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * v1 takes options as matrix parameters and fields in the query; v2 takes both in the query, and on some grids only the
 * matrix form counts. Names are fixed in this code; a name that is none would end up in a path.
 */
export function pathAndQuery(target: Target): { path: string; query: QueryPairs } {
  const { version, program, transaction } = target;
  for (const name of [program, transaction]) {
    if (!/^[A-Za-z0-9]{1,30}$/.test(name)) throw new InvariantError(`"${name}" is not the name of an M3 transaction.`);
  }
  const options = Object.entries(target.options);
  const inMatrix = version === 'v1' || target.style !== 'query';
  const inQuery = version === 'v2' && target.style !== 'matrix';
  const more: [string, string][] =
    version === 'v2'
      ? [
          ['dateformat', 'YMD8'],
          ['excludeempty', 'false'],
          ['righttrim', 'true'],
        ]
      : [];
  const matrix = inMatrix ? options.map(([name, value]) => `;${name}=${encodeURIComponent(value)}`).join('') : '';
  const root = version === 'v1' ? 'execute' : 'v2/execute';
  const fields = Object.entries(target.inputs).filter((pair): pair is [string, string] => !!pair[1]);
  return {
    path: `${root}/${program}/${transaction}${matrix}`,
    query: [...fields, ...(inQuery ? options : []), ...more],
  };
}
