import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { amountOf, decimalText } from '../../../src/services/read/amounts.js';
import { containing, cursorOf, type ListSpec, pageRequest, pageStatement } from '../../../src/services/read/pages.js';

const LIST: ListSpec<object> = {
  name: 'things',
  from: 'things t',
  columns: 't.id',
  keys: [
    { sql: 't.sequence', type: 'bigint' },
    { sql: 't.id', type: 'text' },
  ],
  direction: 'asc',
};

describe('cursors', () => {
  it('carry any sort key there and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.string(), (sequence, id) => {
        fc.pre(!id.includes('\u0000'));
        const cursor = cursorOf('things', [String(sequence), id]);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(pageRequest(LIST, 5, cursor)).toEqual({ first: 5, after: [String(sequence), id] });
      }),
    );
  });

  it('are refused as bad input, never by another error, when they are anything else', () => {
    const forged = fc.json().map((text) => Buffer.from(text).toString('base64url'));
    const parts = fc.array(fc.string()).map((list) => cursorOf('things', list));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), forged, parts), (text) => {
        try {
          const { after } = pageRequest(LIST, 5, text);
          // What is taken is a key that the database can compare.
          expect(after).toHaveLength(2);
          expect(after?.[0]).toMatch(/^-?\d{1,18}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as InputError).path).toEqual(['after']);
        }
      }),
    );
  });
});

describe('the statement of a page', () => {
  it('holds no value of the caller, only places for them', () => {
    const request = pageRequest(LIST, 7, cursorOf('things', ['5', "x'; drop table things; --"]));
    const { sql, parameters } = pageStatement(LIST, 'acme', [''], request, (where) =>
      where.and('t.name = $?', "o'hara"),
    );
    expect(sql).not.toMatch(/drop|o'hara|acme/);
    expect(parameters).toEqual(['acme', [''], "o'hara", '5', "x'; drop table things; --"]);
    expect(sql).toContain('($4::bigint, $5::text)');
    expect(sql).toContain('limit 8');
  });
});

describe('text that is searched for', () => {
  it('is taken literally', () => {
    expect(containing('50%_\\')).toBe('%50\\%\\_\\\\%');
    expect(containing('')).toBeNull();
  });
});

describe('amounts of the database', () => {
  it.each([
    ['1234.5', 'USD', '1234.50'],
    ['-0.5', 'USD', '-0.50'],
    ['7', 'USD', '7.00'],
    ['1030.00', 'JPY', '1030'],
    ['1.5', 'KWD', '1.500'],
    ['1.500000', 'USD', '1.50'],
    // Never cut: whoever sees it can tell that something is wrong.
    ['1.005', 'USD', '1.005'],
    ['12345678901234567890.10', 'USD', '12345678901234567890.10'],
  ])('%s %s is %s', (numeric, currency, text) => {
    expect(decimalText(numeric, currency)).toBe(text);
    expect(amountOf(numeric, currency)).toEqual({ amount: text, currency });
  });
});
