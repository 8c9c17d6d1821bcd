import { buildSchema, parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { LIMITS, limitsRule } from '../../../src/http/limits.js';

const schema = buildSchema('type Query { a: Query b: Int page(first: Int): Query }');
const codes = (query: string) =>
  validate(schema, parse(query), [...specifiedRules, limitsRule]).map(({ extensions }) => extensions.limit ?? 'other');

describe('limits of an operation', () => {
  it('let ordinary operations pass', () => {
    expect(codes('{ a { a { b } } x: b }')).toEqual([]);
  });

  it('refuse depth, also through fragments', () => {
    const deep = `${'{ a '.repeat(LIMITS.depth)}{ b }${' }'.repeat(LIMITS.depth)}`;
    expect(codes(deep)).toEqual(['depth']);
    expect(codes(`{ ...F } fragment F on Query ${deep}`)).toEqual(['depth']);
  });

  it('refuse many aliases', () => {
    const many = Array.from({ length: LIMITS.aliases + 1 }, (_, index) => `x${index}: b`).join(' ');
    expect(codes(`{ ${many} }`)).toEqual(['aliases']);
  });

  it('refuse fragments that double each other, quickly', () => {
    // 2 to the power of 30 fields in 30 lines.
    const fragments = Array.from({ length: 30 }, (_, index) =>
      index === 29
        ? `fragment F29 on Query { b }`
        : `fragment F${index} on Query { ...F${index + 1} a { ...F${index + 1} } }`,
    );
    expect(codes(`{ ...F0 } ${fragments.join(' ')}`)).toContain('fields');
  });

  it('refuse pages in pages that add up to too many rows', () => {
    const pages = (first: string) => `page${first} { page${first} { page${first} { b } } }`;
    expect(codes(`{ ${pages('(first: 60)')} }`)).toEqual([]);
    expect(codes(`{ ${pages('')} }`)).toEqual([]);
    expect(codes(`{ ${pages('(first: 100)')} }`)).toEqual(['rows']);
    expect(codes(`query ($n: Int) { ${pages('(first: $n)')} }`)).toEqual(['rows']);
    expect(codes('query ($n: Int) { page(first: $n) { page(first: $n) { b } } }')).toEqual([]);
  });

  it('end when fragments go round in circles', () => {
    expect(codes('{ ...F } fragment F on Query { a { ...F } }')).toContain('other');
  });
});
