import { FilterError, parseRelaxed, type Relaxed } from './relaxedJson.js';

/** A node as GraphQL shows it. References are objects with a `code`, collections are functions. */
export type GraphNode = { readonly _id: string; readonly [property: string]: unknown };
type Scalar = string | number | boolean;

const OPERATORS: Record<string, (order: number) => boolean> = {
  _eq: (order) => order === 0,
  _ne: (order) => order !== 0,
  _gt: (order) => order > 0,
  _gte: (order) => order >= 0,
  _lt: (order) => order < 0,
  _lte: (order) => order <= 0,
};

export interface NodeFilter {
  matches(node: GraphNode): boolean;
  /** Properties that must have this value, for an index. */
  readonly equals: readonly { property: string; value: string }[];
}

/** @throws FilterError the text cannot be read; a property that a node does not have is found when it is asked. */
export function parseFilter(text: string | null | undefined): NodeFilter {
  if (text === undefined || text === null || text.trim() === '') return { matches: () => true, equals: [] };
  const filter = parseRelaxed(text);
  if (!isObject(filter)) throw new FilterError('The filter is no object');
  const equals = Object.entries(filter).flatMap(([property, wanted]) => {
    const value = isObject(wanted) ? (wanted._eq ?? wanted.code) : wanted;
    return typeof value === 'string' ? [{ property, value }] : [];
  });
  return { matches: (node) => fitsObject(node, filter), equals };
}

function fitsObject(source: unknown, filter: { [name: string]: Relaxed }): boolean {
  return Object.entries(filter).every(([name, wanted]) => {
    if (name === '_and' && Array.isArray(wanted))
      return wanted.every((part) => isObject(part) && fitsObject(source, part));
    if (name === '_or' && Array.isArray(wanted))
      return wanted.some((part) => isObject(part) && fitsObject(source, part));
    if (!isRecord(source) || !(name in source)) throw new FilterError(`The property '${name}' does not exist`);
    return fitsValue(source[name], wanted);
  });
}

function fitsValue(value: unknown, wanted: Relaxed): boolean {
  if (!isObject(wanted)) return compare(value, wanted) === 0;
  const names = Object.keys(wanted);
  if (!names.some((name) => name.startsWith('_'))) return fitsObject(value, wanted);
  return names.every((name) => fitsOperator(value, name, wanted[name] ?? null));
}

function fitsOperator(value: unknown, operator: string, operand: Relaxed): boolean {
  const holds = OPERATORS[operator];
  if (holds !== undefined) return holds(compare(value, operand));
  if (operator === '_in' && Array.isArray(operand)) return operand.some((one) => compare(value, one) === 0);
  if (operator === '_regex' && typeof operand === 'string') return new RegExp(operand).test(String(plain(value)));
  if (operator === '_id') return compare(value, operand) === 0;
  throw new FilterError(`The operator '${operator}' is not supported`);
}

/** @returns how two nodes are ordered; undefined for the key's order. @throws FilterError the text cannot be read. */
export function parseNodeOrder(text: string | null | undefined): ((a: GraphNode, b: GraphNode) => number) | undefined {
  if (text === undefined || text === null || text.trim() === '') return undefined;
  const order = parseRelaxed(text);
  if (!isObject(order)) throw new FilterError('orderBy is no object');
  const parts = Object.entries(order).map(([name, direction]) => ({ name, factor: directionOf(direction) }));
  return (a, b) => {
    for (const { name, factor } of parts) {
      if (!(name in a)) throw new FilterError(`The property '${name}' does not exist`);
      const result = compare(a[name], plain(b[name]));
      if (result !== 0) return result * factor;
    }
    return 0;
  };
}

function directionOf(direction: Relaxed): 1 | -1 {
  const inner = isObject(direction) ? Object.values(direction)[0] : direction;
  if (inner === 1) return 1;
  if (inner === -1) return -1;
  throw new FilterError('orderBy takes 1 or -1');
}

/** A reference counts as its code. */
function plain(value: unknown): Scalar | null {
  if (isRecord(value)) return plain(value.code ?? value._id);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function compare(value: unknown, wanted: Relaxed | Scalar): number {
  const left = plain(value);
  if (left === wanted) return 0;
  if (left === null || wanted === null) return left === null ? -1 : 1;
  if (typeof left === 'number' && typeof wanted === 'number') return left - wanted;
  return String(left) < String(wanted) ? -1 : 1;
}

function isObject(value: Relaxed): value is { [name: string]: Relaxed } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
