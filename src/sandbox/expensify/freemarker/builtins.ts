import { Decimal } from './decimal.js';
import type { Environment, LoopState } from './environment.js';
import { type Position, TemplateError, unsupported } from './errors.js';
import { computerNumber, formatDate, formatNumber, parseDate } from './formats.js';
import { html, jsonString, jsString, xml } from './texts.js';
import {
  Callable,
  isHash,
  isSequence,
  kindOf,
  type Maybe,
  TemplateDate,
  type TemplateHash,
  type Value,
} from './values.js';

/** One use of a built-in: `value?name(args)`. */
export interface BuiltinCall {
  readonly name: string;
  /** What stands before the `?`; undefined only for built-ins that ask whether it is there. */
  readonly value: Maybe;
  readonly at: Position;
  readonly loop: LoopState | undefined;
  readonly isCalled: boolean;
  readonly count: number;
  readonly env: Environment;
  /** @throws TemplateError there is no such argument. */
  arg(index: number): Value;
  lambda(index: number): (item: Value) => Value;
}

export interface Builtin {
  /** Fewest and most arguments. */
  readonly args: readonly [least: number, most: number];
  readonly isOfLoop?: boolean;
  run(call: BuiltinCall): Maybe;
}

/** @throws TemplateError wrong number of arguments, or a value of the wrong kind. */
export function callBuiltin(builtin: Builtin, call: BuiltinCall): Maybe {
  const [least, most] = builtin.args;
  if (call.count < least || call.count > most) {
    throw fail(call, `takes ${least === most ? least : `${least} to ${most}`} arguments, not ${call.count}`);
  }
  return builtin.run(call);
}

function fail(call: BuiltinCall, what: string): TemplateError {
  return new TemplateError('TYPE', `?${call.name} ${what}.`, call.at);
}

function textOf(call: BuiltinCall, value: Maybe = call.value): string {
  return call.env.textOf(value, call.at, `The value of ?${call.name}`);
}

function numberOf(call: BuiltinCall, value: Maybe = call.value): Decimal {
  if (value instanceof Decimal) return value;
  throw fail(call, `needs a number, not a ${kindOf(value)}`);
}

function sequenceOf(call: BuiltinCall): readonly Value[] {
  if (isSequence(call.value)) return call.value;
  throw fail(call, `needs a sequence, not a ${kindOf(call.value)}`);
}

function hashOf(call: BuiltinCall): TemplateHash {
  if (isHash(call.value)) return call.value;
  throw fail(call, `needs a hash, not a ${kindOf(call.value)}`);
}

function wholeArg(call: BuiltinCall, index: number): number {
  return Number(numberOf(call, call.arg(index)).truncated());
}

function textArg(call: BuiltinCall, index: number): string {
  return textOf(call, call.arg(index));
}

/** A built-in from text to text, without arguments. Numbers arrive with their grouping. */
function ofText(run: (text: string) => Value): Builtin {
  return { args: [0, 0], run: (call) => run(textOf(call)) };
}

function ofTextAndText(run: (text: string, other: string) => Value): Builtin {
  return { args: [1, 1], run: (call) => run(textOf(call), textArg(call, 0)) };
}

function ofNumber(run: (value: Decimal) => Value): Builtin {
  return { args: [0, 0], run: (call) => run(numberOf(call)) };
}

function ofSequence(run: (items: readonly Value[]) => Maybe): Builtin {
  return { args: [0, 0], run: (call) => run(sequenceOf(call)) };
}

function ofLoop(run: (loop: LoopState) => Value): Builtin {
  return { args: [0, 0], isOfLoop: true, run: ({ loop }) => loop && run(loop) };
}

function isKind(...kinds: readonly string[]): Builtin {
  return { args: [0, 0], run: ({ value }) => kinds.includes(kindOf(value)) };
}

function hasContent(value: Maybe): boolean {
  if (value === undefined || value === '') return false;
  if (isSequence(value)) return value.length > 0;
  return !isHash(value) || value.size > 0;
}

function computer(call: BuiltinCall): string {
  if (call.value instanceof Decimal) return computerNumber(call.value);
  if (typeof call.value === 'boolean') return String(call.value);
  throw fail(call, `needs a number or a boolean, not a ${kindOf(call.value)}`);
}

function string(call: BuiltinCall): string {
  const { value } = call;
  if (typeof value === 'boolean') {
    if (call.count === 2) return textArg(call, value ? 0 : 1);
    return call.count === 0 ? String(value) : refuse(call);
  }
  if (call.count > 1) throw fail(call, 'takes two arguments for booleans only');
  const format = call.count === 1 ? textArg(call, 0) : null;
  if (value instanceof Decimal && format !== null) return formatNumber(value, format);
  if (value instanceof TemplateDate && format !== null) return formatDate(value, format);
  return format === null ? textOf(call) : refuse(call);
}

function refuse(call: BuiltinCall): never {
  throw fail(call, `has no such form for a ${kindOf(call.value)}`);
}

function moment(kind: TemplateDate['kind']): Builtin {
  return {
    args: [0, 1],
    run: (call) => {
      if (call.value instanceof TemplateDate) return new TemplateDate(kind, call.value.at);
      const format = call.count === 1 ? textArg(call, 0) : call.env.setting(`${kind}_format`);
      return parseDate(textOf(call), kind, format);
    },
  };
}

function number(call: BuiltinCall): Decimal {
  if (call.value instanceof Decimal) return call.value;
  const text = textOf(call);
  const parsed = Decimal.parse(text.trim());
  if (!parsed) throw fail(call, `cannot read "${text}"`);
  return parsed;
}

function replace(call: BuiltinCall): string {
  const flags = call.count === 3 ? textArg(call, 2) : '';
  const odd = /[^rifm]/.exec(flags)?.[0];
  if (odd !== undefined) throw unsupported(`the flag "${odd}" of ?replace`, call.at);
  const [text, search, by] = [textOf(call), textArg(call, 0), textArg(call, 1)];
  if (!/[rim]/.test(flags))
    return flags.includes('f') ? text.replace(search, () => by) : text.replaceAll(search, () => by);
  const source = flags.includes('r') ? search : search.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(
    source,
    `${flags.includes('f') ? '' : 'g'}${flags.includes('i') ? 'i' : ''}${flags.includes('m') ? 'm' : ''}`,
  );
  return flags.includes('r') ? text.replace(pattern, by) : text.replace(pattern, () => by);
}

function substring(call: BuiltinCall): string {
  const text = textOf(call);
  const from = wholeArg(call, 0);
  const to = call.count === 2 ? wholeArg(call, 1) : text.length;
  if (from < 0 || to > text.length || to < from) throw fail(call, `cannot cut ${from} to ${to} out of ${text.length}`);
  return text.slice(from, to);
}

function join(call: BuiltinCall): string {
  const items = sequenceOf(call).map((item) => textOf(call, item));
  if (items.length === 0) return call.count > 1 ? textArg(call, 1) : '';
  return items.join(textArg(call, 0)) + (call.count > 2 ? textArg(call, 2) : '');
}

function pad(call: BuiltinCall, isLeft: boolean): string {
  const [text, width] = [textOf(call), wholeArg(call, 0)];
  const filling = call.count === 2 ? textArg(call, 1) : ' ';
  return isLeft ? text.padStart(width, filling) : text.padEnd(width, filling);
}

function sameValue(left: Value, right: Value): boolean {
  if (left instanceof Decimal && right instanceof Decimal) return left.compare(right) === 0;
  return left === right;
}

function sorted(call: BuiltinCall, keyOf: (item: Value) => Maybe): Value[] {
  return [...sequenceOf(call)].sort((one, other) => {
    const [left, right] = [keyOf(one), keyOf(other)];
    if (left instanceof Decimal && right instanceof Decimal) return left.compare(right);
    if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
    throw fail(call, `cannot order a ${kindOf(left)} and a ${kindOf(right)}`);
  });
}

function size(call: BuiltinCall): Decimal {
  if (isHash(call.value)) return Decimal.of(call.value.size);
  return Decimal.of(sequenceOf(call).length);
}

const OTHERS: Readonly<Record<string, Builtin>> = {
  c: { args: [0, 0], run: computer },
  string: { args: [0, 2], run: string },
  number: { args: [0, 0], run: number },
  date: moment('date'),
  datetime: moment('datetime'),
  time: moment('time'),
  default: { args: [1, 1], run: (call) => call.value ?? call.arg(0) },
  exists: { args: [0, 0], run: ({ value }) => value !== undefined },
  if_exists: { args: [0, 0], run: ({ value }) => value ?? '' },
  has_content: { args: [0, 0], run: ({ value }) => hasContent(value) },
  // biome-ignore lint/suspicious/noThenProperty: it is the name of FreeMarker's built-in, and nobody awaits this table.
  then: {
    args: [2, 2],
    run: (call) => (typeof call.value === 'boolean' ? call.arg(call.value ? 0 : 1) : refuse(call)),
  },
  iso_utc: {
    args: [0, 0],
    run: (call) => (call.value instanceof TemplateDate ? formatDate(call.value, 'iso') : refuse(call)),
  },
};

const TEXTS: Readonly<Record<string, Builtin>> = {
  json_string: ofText(jsonString),
  js_string: ofText(jsString),
  html: ofText(html),
  xml: ofText(xml),
  trim: ofText((text) => text.trim()),
  length: ofText((text) => Decimal.of(text.length)),
  upper_case: ofText((text) => text.toUpperCase()),
  lower_case: ofText((text) => text.toLowerCase()),
  cap_first: ofText((text) => text.replace(/\S/, (sign) => sign.toUpperCase())),
  uncap_first: ofText((text) => text.replace(/\S/, (sign) => sign.toLowerCase())),
  contains: ofTextAndText((text, part) => text.includes(part)),
  starts_with: ofTextAndText((text, part) => text.startsWith(part)),
  ends_with: ofTextAndText((text, part) => text.endsWith(part)),
  index_of: ofTextAndText((text, part) => Decimal.of(text.indexOf(part))),
  last_index_of: ofTextAndText((text, part) => Decimal.of(text.lastIndexOf(part))),
  keep_before: ofTextAndText((text, part) => (text.includes(part) ? text.slice(0, text.indexOf(part)) : text)),
  keep_after: ofTextAndText((text, part) => (text.includes(part) ? text.slice(text.indexOf(part) + part.length) : '')),
  remove_beginning: ofTextAndText((text, part) => (text.startsWith(part) ? text.slice(part.length) : text)),
  remove_ending: ofTextAndText((text, part) => (part && text.endsWith(part) ? text.slice(0, -part.length) : text)),
  split: ofTextAndText((text, part) => text.split(part)),
  replace: { args: [2, 3], run: replace },
  substring: { args: [1, 2], run: substring },
  left_pad: { args: [1, 2], run: (call) => pad(call, true) },
  right_pad: { args: [1, 2], run: (call) => pad(call, false) },
};

const NUMBERS: Readonly<Record<string, Builtin>> = {
  abs: ofNumber((value) => (value.isNegative ? value.negated() : value)),
  floor: ofNumber((value) => value.floor()),
  ceiling: ofNumber((value) => value.ceiling()),
  int: ofNumber((value) => Decimal.of(value.truncated())),
  // Java's rule: half goes towards positive infinity.
  round: ofNumber((value) => value.plus(Decimal.of(0.5)).floor()),
};

const LISTS: Readonly<Record<string, Builtin>> = {
  size: { args: [0, 0], run: size },
  first: ofSequence((items) => items[0]),
  last: ofSequence((items) => items.at(-1)),
  reverse: ofSequence((items) => [...items].reverse()),
  join: { args: [1, 3], run: join },
  keys: { args: [0, 0], run: (call) => [...hashOf(call).keys()] },
  values: { args: [0, 0], run: (call) => [...hashOf(call).values()] },
  sort: { args: [0, 0], run: (call) => sorted(call, (item) => item) },
  sort_by: {
    args: [1, 1],
    run: (call) => sorted(call, (item) => (isHash(item) ? item.get(textArg(call, 0)) : undefined)),
  },
  seq_contains: { args: [1, 1], run: (call) => sequenceOf(call).some((item) => sameValue(item, call.arg(0))) },
  seq_index_of: {
    args: [1, 1],
    run: (call) => Decimal.of(sequenceOf(call).findIndex((item) => sameValue(item, call.arg(0)))),
  },
  filter: { args: [1, 1], run: (call) => sequenceOf(call).filter((item) => call.lambda(0)(item) === true) },
  map: { args: [1, 1], run: (call) => sequenceOf(call).map(call.lambda(0)) },
};

const LOOPS: Readonly<Record<string, Builtin>> = {
  index: ofLoop(({ index }) => Decimal.of(index)),
  counter: ofLoop(({ index }) => Decimal.of(index + 1)),
  has_next: ofLoop(({ hasNext }) => hasNext),
  is_first: ofLoop(({ index }) => index === 0),
  is_last: ofLoop(({ hasNext }) => !hasNext),
  is_odd_item: ofLoop(({ index }) => index % 2 === 0),
  is_even_item: ofLoop(({ index }) => index % 2 === 1),
  item_parity: ofLoop(({ index }) => (index % 2 === 0 ? 'odd' : 'even')),
};

const KINDS: Readonly<Record<string, Builtin>> = {
  is_string: isKind('string'),
  is_number: isKind('number'),
  is_boolean: isKind('boolean'),
  is_sequence: isKind('sequence'),
  is_enumerable: isKind('sequence'),
  is_indexable: isKind('sequence'),
  is_collection: isKind('sequence'),
  is_hash: isKind('hash'),
  is_hash_ex: isKind('hash'),
  is_date: isKind('date', 'datetime', 'time'),
  is_date_like: isKind('date', 'datetime', 'time'),
  is_date_only: isKind('date'),
  is_datetime: isKind('datetime'),
  is_macro: { args: [0, 0], run: ({ value }) => value instanceof Callable },
  is_directive: { args: [0, 0], run: ({ value }) => value instanceof Callable },
};

export const BUILTINS: Readonly<Record<string, Builtin | undefined>> = {
  ...OTHERS,
  ...TEXTS,
  ...NUMBERS,
  ...LISTS,
  ...LOOPS,
  ...KINDS,
};
