import { describe, expect, it } from 'vitest';
import { fillTemplate, templateProblem } from '../../../src/connectors/infor-m3/bodTemplate.js';
import { replyOf, withoutSecrets } from '../../../src/connectors/infor-m3/failures.js';
import { batchKey, minorOf, sealOf, voucherText } from '../../../src/connectors/infor-m3/mapper.js';
import { supplierCode } from '../../../src/connectors/infor-m3/suppliers.js';
import { UnreadableReplyError } from '../../../src/errors.js';

/** The pure parts: what is made of a document, and what is read out of an answer. */

describe('an answer', () => {
  const nok = {
    errorMessage: 'Supplier number NOPE does not exist              WSU0103    SUNO',
    errorCode: 'WSU0103',
    errorField: 'SUNO',
    errorType: 'ServerReturnedNOK',
  };
  const counts = {
    wasTerminated: false,
    nrOfSuccessfullTransactions: 0,
    nrOfFailedTransactions: 1,
    nrOfNotProcessedTransactions: 0,
  };
  const refusal = { text: 'Supplier number NOPE does not exist', code: 'WSU0103', field: 'SUNO' };
  const read = (value: unknown, status = 200) => replyOf(JSON.stringify(value), status, 'GetBasicData');

  it.each([
    ['in results under HTTP 200', { results: [{ transaction: 'GetBasicData', ...nok, records: [] }], ...counts }, 200],
    ['at the root under HTTP 400', nok, 400],
    [
      'as a termination at the root',
      { wasTerminated: true, terminationReason: nok.errorMessage, errorCode: 'WSU0103', errorField: 'SUNO' },
      400,
    ],
    [
      'bare under v1',
      { '@code': 'WSU0103', '@field': 'SUNO', '@type': 'ServerReturnedNOK', Message: nok.errorMessage },
      200,
    ],
    [
      'wrapped under v1',
      {
        ErrorMessage: { '@code': 'WSU0103', '@field': 'SUNO', '@type': 'ServerReturnedNOK', Message: nok.errorMessage },
      },
      200,
    ],
  ])('that says no %s is read as M3’s words, code and field', (_where, value, status) => {
    expect(read(value, status)).toEqual({ kind: 'REFUSED', refusal });
  });

  it('with a failed transaction is a no, even when its records look fine', () => {
    const value = { results: [{ transaction: 'GetBasicData', records: [{ SUNO: 'X' }] }], ...counts };
    expect(read(value)).toMatchObject({ kind: 'REFUSED' });
  });

  it('keeps texts as texts and takes padding off', () => {
    const v2 = {
      results: [{ transaction: 'GetBasicData', records: [{ SUNO: '0012   ', CUAM: '1.50', N: 3 }] }],
      ...counts,
      nrOfFailedTransactions: 0,
    };
    expect(read(v2)).toEqual({ kind: 'OK', records: [{ SUNO: '0012', CUAM: '1.50', N: '3' }] });
    const v1 = {
      Program: 'CRS620MI',
      Transaction: 'GetBasicData',
      MIRecord: [{ RowIndex: '0', NameValue: [{ Name: 'SUNO', Value: 'B  ' }] }],
    };
    expect(read(v1)).toEqual({ kind: 'OK', records: [{ SUNO: 'B' }] });
  });

  it.each([
    ['nothing', ''],
    ['a page', '<html></html>'],
    ['half a document', '{"results":['],
    ['other JSON', '{"message":"hello"}'],
    ['null', 'null'],
    [
      'another transaction',
      JSON.stringify({ results: [{ transaction: 'AddHead', records: [] }], ...counts, nrOfFailedTransactions: 0 }),
    ],
    ['no result', JSON.stringify({ results: [], ...counts, nrOfFailedTransactions: 0 })],
    [
      'two results',
      JSON.stringify({ results: [{ records: [] }, { records: [] }], ...counts, nrOfFailedTransactions: 0 }),
    ],
    [
      'what was not processed',
      JSON.stringify({ results: [{ notProcessed: true }], ...counts, nrOfFailedTransactions: 0 }),
    ],
  ])('of %s says nothing', (_what, text) => {
    expect(replyOf(text, 200, 'GetBasicData')).toMatchObject({ kind: 'UNREADABLE' });
  });
});

describe('names', () => {
  it('further batches of references that begin alike have keys of their own, all of 15 characters', () => {
    const references = Array.from({ length: 20 }, (_, index) => `CONFORMITY0000${String.fromCharCode(65 + index)}`);
    const keys = references.flatMap((one) => [0, 1, 2, 30].map((attempt) => batchKey(one, attempt)));
    expect(new Set(keys).size).toBe(80);
    expect(keys.every((key) => /^[A-Z][A-Z0-9]{14}$/.test(key))).toBe(true);
    expect(batchKey('BRX7F3A0C91D2E4', 0)).toBe('BRX7F3A0C91D2E4');
  });

  it('another content has another number, the same one the same', () => {
    const content = [{ AIT1: '1', CUAM: '1.00' }];
    expect(sealOf(content)).toBe(sealOf([{ CUAM: '1.00', AIT1: '1' }]));
    expect(sealOf(content)).not.toBe(sealOf([{ AIT1: '2', CUAM: '1.00' }]));
    expect(sealOf(content)).toBeGreaterThan(2);
    expect(sealOf(content) + 900).toBeLessThan(10_000_000);
  });

  it('supplier codes fit, and long names stay apart', () => {
    expect(supplierCode('Brex, Inc.')).toBe('BREXINC');
    const [a, b] = [supplierCode('International Business 1'), supplierCode('International Business 2')];
    expect(a).not.toBe(b);
    for (const name of ['日本', '123', 'Ü', 'x'.repeat(80), ''])
      expect(supplierCode(name)).toMatch(/^[A-Z][A-Z0-9]{0,9}$/);
  });

  it('texts begin with the reference, hold one line, and fit', () => {
    expect(voucherText('BRX7F3A0C91D2E4', 'A\r\n\tB\u0000'.repeat(20), 24)).toMatch(/^BRX7F3A0C91D2E4 A B A B/);
    expect(voucherText('BRX7F3A0C91D2E4', 'x'.repeat(90), 40)).toHaveLength(40);
  });
});

describe('amounts', () => {
  it.each([
    ['', 0n],
    ['0', 0n],
    ['120.5', 12050n],
    ['-120.50', -12050n],
    ['120.50-', -12050n],
    ['.05', 5n],
    ['100.00000', 10000n],
  ])('"%s" is %s cents', (text, minor) => {
    expect(minorOf(text, 'USD')).toBe(minor);
  });

  it('that cannot be told are no amount', () => {
    for (const text of ['1,50', '1.005', 'x', '1 000'])
      expect(() => minorOf(text, 'USD')).toThrow(UnreadableReplyError);
    expect(minorOf('120.000', 'JPY')).toBe(120n);
  });
});

describe('the template of a message', () => {
  const good = '<I><ID>{{documentId}}</ID>{{#lines}}<L>{{ amount }}{{dimension.plant}}</L>{{/lines}}</I>';

  it.each([
    ['<I>{{documentId}}</I>', 'has no {{#lines}}'],
    ['<I>{{#lines}}<L/>{{/lines}}</I>', 'does not hold {{documentId}}'],
    ['<I>{{documentId}}{{nonsense}}{{#lines}}<L/>{{/lines}}</I>', 'unknown placeholders: nonsense'],
    ['<I>{{documentId}}{{amount}}{{#lines}}<L/>{{/lines}}</I>', 'unknown placeholders: amount'],
    ['<I>{{documentId}}{{#if}}{{#lines}}<L/>{{/lines}}</I>', 'braces that are no placeholder'],
  ])('%s is refused', (template, problem) => {
    expect(templateProblem(template)).toContain(problem);
  });

  it('is filled in once, every value as text', () => {
    expect(templateProblem(good)).toBeNull();
    const lines = [{ amount: '1.00', 'dimension.plant': '<&{{documentId}}>' }, { amount: '2.00' }];
    expect(fillTemplate(good, { documentId: 'D$&1', lines })).toBe(
      '<I><ID>D$&amp;1</ID><L>1.00&lt;&amp;{{documentId}}&gt;</L><L>2.00</L></I>',
    );
  });
});

describe('quoted texts', () => {
  it('hold neither secrets, nor what looks like a token, nor addresses, and no half of one', () => {
    const secret = 's3cret/+=x';
    const text = `a ${secret} b ${encodeURIComponent(secret)} c Bearer abcdefghijkl d https://h/x?y=${secret} ${'z'.repeat(280)}${secret}`;
    const clean = withoutSecrets(text, [secret, 'abc']);
    expect(clean).toMatch(/^a \[secret\] b \[secret\] c Bearer \[secret\] d \[address\]/);
    expect(clean).not.toContain('s3c');
    expect(clean.length).toBeLessThanOrEqual(300);
  });
});
