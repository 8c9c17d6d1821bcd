import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { localDate } from '../domain/localDate.js';

/** RFC 3339 section 5.6: date and time with an offset; the fraction is optional. */
const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
const PLAIN_DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?$/;

function refuse(message: string): never {
  throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

function textOf(node: ValueNode, wanted: string): string {
  if (node.kind === Kind.STRING) return node.value;
  return refuse(wanted);
}

const DATE_TIME_FORM = 'A DateTime is an RFC 3339 text with an offset, e.g. "2026-11-20T08:30:00Z".';

function parseInstant(value: unknown): Date {
  if (typeof value !== 'string') return refuse(DATE_TIME_FORM);
  const match = RFC3339.exec(value);
  if (!match) return refuse(`${DATE_TIME_FORM} Not ${JSON.stringify(value)}.`);
  parseDay(match[1]);
  const instant = new Date(value.toUpperCase());
  if (Number.isNaN(instant.getTime())) return refuse(`${DATE_TIME_FORM} Not ${JSON.stringify(value)}.`);
  return instant;
}

export const DateTimeScalar = new GraphQLScalarType({
  name: 'DateTime',
  description: 'An instant: RFC 3339, given out in UTC with milliseconds, e.g. "2026-11-20T08:30:00.000Z".',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize(value: unknown): string {
    const instant = value instanceof Date ? value : new Date(String(value));
    if (Number.isNaN(instant.getTime())) throw new GraphQLError('An instant could not be written.');
    return instant.toISOString();
  },
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(textOf(node, DATE_TIME_FORM)),
});

const DATE_FORM = 'A Date is a calendar day in the form YYYY-MM-DD.';

function parseDay(value: unknown): string {
  if (typeof value !== 'string') return refuse(DATE_FORM);
  try {
    return localDate(value);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : DATE_FORM);
  }
}
export const DateScalar = new GraphQLScalarType({
  name: 'Date',
  description: 'A calendar day of the company, YYYY-MM-DD. Never an instant: it has no time and no zone.',
  serialize: parseDay,
  parseValue: parseDay,
  parseLiteral: (node) => parseDay(textOf(node, DATE_FORM)),
});

const DECIMAL_FORM = 'A Decimal is a text of plain decimal digits, e.g. "1234.50". Numbers are refused: they round.';

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string' || !PLAIN_DECIMAL.test(value)) return refuse(DECIMAL_FORM);
  return value;
}

export const DecimalScalar = new GraphQLScalarType({
  name: 'Decimal',
  description: 'An exact decimal as text, e.g. "1234.50". Never a floating-point number.',
  serialize(value: unknown): string {
    return parseDecimal(typeof value === 'bigint' ? value.toString() : value);
  },
  parseValue: parseDecimal,
  parseLiteral: (node) => parseDecimal(textOf(node, DECIMAL_FORM)),
});

function jsonLiteral(node: ValueNode, variables: Record<string, unknown> | null | undefined): unknown {
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((item) => jsonLiteral(item, variables));
    case Kind.OBJECT:
      // Entries are defined, not assigned, so that a field called __proto__ is only a field.
      return Object.fromEntries(node.fields.map((field) => [field.name.value, jsonLiteral(field.value, variables)]));
    case Kind.VARIABLE:
      return variables?.[node.name.value] ?? null;
  }
}

export const JsonScalar = new GraphQLScalarType({
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value: unknown) => value,
  parseValue: (value: unknown) => value,
  parseLiteral: jsonLiteral,
});
