import { parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { DateScalar, DateTimeScalar, DecimalScalar, JsonScalar } from '../../../src/schema/scalars.js';

describe('Date', () => {
  it.each(['2026-02-30', '2026-13-01', '2026-1-1', '20260101', '2026-01-01T00:00:00Z', '', 'today'])(
    'refuses %j',
    (text) => {
      expect(() => DateScalar.parseValue(text)).toThrow();
      expect(() => DateScalar.parseLiteral(parseValue(JSON.stringify(text)))).toThrow();
    },
  );

  it('refuses an instant where a day is given out', () => {
    expect(() => DateScalar.serialize(new Date())).toThrow();
  });

  it('takes the leap day', () => {
    expect(DateScalar.parseValue('2028-02-29')).toBe('2028-02-29');
  });
});

describe('DateTime', () => {
  it('is given out in UTC', () => {
    expect(DateTimeScalar.serialize(new Date('2026-11-20T10:00:00+02:00'))).toBe('2026-11-20T08:00:00.000Z');
  });

  it.each(['2026-11-20', '2026-11-20T10:00:00', '2026-02-30T10:00:00Z', '2026-11-20T25:00:00Z', '1763600000'])(
    'refuses %j',
    (text) => {
      expect(() => DateTimeScalar.parseValue(text)).toThrow();
    },
  );

  it('refuses numbers', () => {
    expect(() => DateTimeScalar.parseValue(1_763_600_000)).toThrow();
  });

  it('takes any offset and lower case', () => {
    expect(DateTimeScalar.parseValue('2026-11-20t10:00:00.5z')).toEqual(new Date('2026-11-20T10:00:00.500Z'));
    expect(DateTimeScalar.parseLiteral(parseValue('"2026-11-20T10:00:00-05:00"'))).toEqual(
      new Date('2026-11-20T15:00:00Z'),
    );
  });
});

describe('Decimal', () => {
  it.each([1.5, 1, '1e3', '.5', '1.', '+1', '01', 'NaN', '1,5', ' 1'])('refuses %j', (value) => {
    expect(() => DecimalScalar.parseValue(value)).toThrow();
  });

  it('refuses a number in the document, which would have been a float', () => {
    expect(() => DecimalScalar.parseLiteral(parseValue('1.50'))).toThrow();
  });

  it('keeps every digit', () => {
    expect(DecimalScalar.serialize('-123456789012345678901234567890.10')).toBe('-123456789012345678901234567890.10');
    expect(DecimalScalar.serialize(10n)).toBe('10');
    expect(() => DecimalScalar.serialize(0.1)).toThrow();
  });
});

describe('JSON', () => {
  it('takes variables inside a literal and keeps odd field names harmless', () => {
    const literal = parseValue('{ a: [1, "b", true, null, $v], __proto__: { polluted: true } }');
    const value = JsonScalar.parseLiteral(literal, { v: { deep: 1 } }) as Record<string, unknown>;
    expect(value.a).toEqual([1, 'b', true, null, { deep: 1 }]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
