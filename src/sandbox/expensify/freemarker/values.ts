import { Decimal } from './decimal.js';
import type { MacroNode } from './nodes.js';

/** A moment with the part of it that counts. */
export class TemplateDate {
  constructor(
    readonly kind: 'date' | 'datetime' | 'time',
    /** Milliseconds since 1970 in UTC. */
    readonly at: number,
  ) {}
}

/** A macro or a function. */
export class Callable {
  constructor(readonly node: MacroNode) {}
}

export type TemplateHash = ReadonlyMap<string, Value>;
export type Value = string | boolean | Decimal | TemplateDate | readonly Value[] | TemplateHash | Callable;
/** Undefined is FreeMarker's missing value. */
export type Maybe = Value | undefined;

export function isSequence(value: Maybe): value is readonly Value[] {
  return Array.isArray(value);
}

export function isHash(value: Maybe): value is TemplateHash {
  return value instanceof Map;
}

/** What kind of value it is, in the words of FreeMarker's own messages. */
export function kindOf(value: Maybe): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (value instanceof Decimal) return 'number';
  if (value instanceof TemplateDate) return value.kind;
  if (value instanceof Callable) return value.node.isFunction ? 'function' : 'macro';
  return isSequence(value) ? 'sequence' : 'hash';
}

/** Brings plain data into the data model; null and undefined are missing. @throws TypeError for anything else. */
export function toValue(data: unknown): Maybe {
  if (data === undefined || data === null) return undefined;
  if (typeof data === 'string' || typeof data === 'boolean') return data;
  if (typeof data === 'number' || typeof data === 'bigint') return Decimal.of(data);
  if (data instanceof Decimal || data instanceof TemplateDate) return data;
  if (data instanceof Date) return new TemplateDate('datetime', data.getTime());
  if (Array.isArray(data)) return data.map((item: unknown) => toValue(item)).filter((item) => item !== undefined);
  if (typeof data === 'object') {
    const entries = Object.entries(data).flatMap(([name, item]) => {
      const value = toValue(item);
      return value === undefined ? [] : ([[name, value]] as const);
    });
    return new Map(entries);
  }
  throw new TypeError(`A data model cannot hold a ${typeof data}.`);
}
