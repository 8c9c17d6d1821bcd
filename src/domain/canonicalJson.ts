import { InvariantError } from '../errors.js';

/**
 * JSON with one spelling per value: keys sorted by code unit, no blanks, bigint as its decimal digits in quotes,
 * properties that are `undefined` left out. Two values that mean the same give the same text, whatever order their
 * properties were written in, so that the text can be hashed.
 *
 * A bigint and the string of the same digits share a spelling; fields keep one type, so nothing is mixed up by that.
 * @throws InvariantError a value that has no exact text: a fraction that is not finite, a function, a symbol, a Date.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `"${value.toString()}"`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new InvariantError('A number that is not finite cannot be hashed.');
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? arrayText(value) : objectText(value);
    default:
      throw new InvariantError(`A value of type ${typeof value} cannot be hashed.`);
  }
}

function arrayText(values: readonly unknown[]): string {
  let text = '[';
  for (let index = 0; index < values.length; index += 1) {
    if (index > 0) text += ',';
    // JSON has no undefined; in a list it is null, as JSON.stringify has it.
    text += canonicalJson(values[index] ?? null);
  }
  return `${text}]`;
}

function objectText(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new InvariantError(`A ${value.constructor?.name ?? 'class instance'} cannot be hashed: only plain data can.`);
  }
  const record = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(record).sort()) {
    const field = record[key];
    if (field === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}
