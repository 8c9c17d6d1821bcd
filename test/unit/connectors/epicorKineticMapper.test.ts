import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accountOf, listedAccountOf, sameAccount } from '../../../src/connectors/epicor-kinetic/accounts.js';
import { credentialsSchema, SECRET_FIELDS, settingsSchema } from '../../../src/connectors/epicor-kinetic/config.js';
import { epicorKineticConnector } from '../../../src/connectors/epicor-kinetic/index.js';
import { JsonNumber, minorOf, parseExact, writeExact } from '../../../src/connectors/epicor-kinetic/json.js';
import {
  carries,
  groupIdsOf,
  invoiceKey,
  journalId,
  journalKey,
  mapInvoice,
  mapJournal,
} from '../../../src/connectors/epicor-kinetic/mapper.js';
import { vendorIdOf } from '../../../src/connectors/epicor-kinetic/suppliers.js';
import { UnreadableReplyError } from '../../../src/errors.js';
import { basic, invoice, journal, line, oauth, SECRETS } from './epicorKineticHelpers.js';

const settings = settingsSchema.parse({
  company: 'EPIC06',
  glSegmentOrder: ['glAccount', 'division', 'costCentre', 'project'],
});
const coded = (glAccount: string, costCentre: string | null = null, dimensions: Record<string, string> = {}) => ({
  glAccount,
  costCentre,
  dimensions,
});

describe('accounts', () => {
  it('are segments in physical order, empty ones at the end left out', () => {
    expect(accountOf(coded('6400', '20', { project: 'P1' }), settings)).toBe('6400||20|P1');
    expect(accountOf(coded('6400', '20'), settings)).toBe('6400||20');
    expect(accountOf(coded('6400'), settings)).toBe('6400');
    expect(accountOf(coded('6400'), { ...settings, segmentDefaults: { division: '00', costCentre: '99' } })).toBe(
      '6400|00|99',
    );
  });

  it('written whole stay as they are', () => {
    expect(accountOf(coded('2150|00|00', '20'), settings)).toBe('2150|00|00');
    expect(accountOf(coded('2150|00||'), settings)).toBe('2150|00');
  });

  it('are listed without the segments that combine freely', () => {
    const dynamic = { ...settings, dynamicSegments: ['costCentre', 'project'], segmentDefaults: { division: '00' } };
    expect(listedAccountOf(coded('6400', '20'), dynamic)).toBe('6400|00');
    expect(listedAccountOf(coded('6400|00|20|P1'), dynamic)).toBe('6400|00');
    expect(accountOf(coded('6400', '20'), dynamic)).toBe('6400|00|20');
  });

  it('compare without regard to empty segments and case', () => {
    expect(sameAccount('6400|00|a', '6400|00|A||')).toBe(true);
    expect(sameAccount('6400|00', '6400|01')).toBe(false);
  });
});

describe('numbers', () => {
  it('keep their digits through reading and writing, above 2^53 and below a cent', () => {
    const text = '{"SysRevID":9007199254740993,"Amt":123.450,"N":1E2,"deep":[{"x":-0.10}],"t":"1","n":null,"b":true}';
    expect(writeExact(parseExact(text)?.value)).toBe(text);
  });

  it('are amounts whatever their form, and never rounded', () => {
    expect(minorOf('123.45000', 'USD')).toBe(12345n);
    expect(minorOf('1.5e3', 'USD')).toBe(150000n);
    expect(minorOf('-90071992547409.93', 'USD')).toBe(-9007199254740993n);
    expect(() => minorOf('1.005', 'USD')).toThrow(UnreadableReplyError);
    expect(() => minorOf('n/a', 'USD')).toThrow(UnreadableReplyError);
  });

  it('are sent digit by digit', () => {
    expect(writeExact({ a: new JsonNumber('90071992547409.93') })).toBe('{"a":90071992547409.93}');
  });

  it('no JSON is no value', () => {
    expect(parseExact('<html></html>')).toBeNull();
  });
});

describe('group IDs', () => {
  it('are made from the reference alone: eight capitals and digits, another one in reserve', () => {
    const ids = groupIdsOf(journal.reference, 'LG');
    expect(ids).toEqual(groupIdsOf(journal.reference, 'LG'));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^LG[A-Z0-9]{6}$/);
    expect(groupIdsOf('B7F3K2M9Q4T1A0Y', 'LG')).not.toEqual(ids);
  });
});

describe('documents', () => {
  it('a journal goes debits first, so that no beginning of it is balanced', () => {
    const lines = [
      line(1, '6400', '10.00', '0.00'),
      line(2, '6500', '0.00', '10.00'),
      line(3, '6600', '5.00', '0.00'),
      line(4, '2150', '0.00', '5.00'),
    ];
    const mapped = mapJournal({ ...journal, total: '15.00', lines }, settings).lines.map(({ minor }) => minor);
    const sums = mapped.map((_, index) => mapped.slice(0, index + 1).reduce((sum, minor) => sum + minor, 0n));
    expect(sums.indexOf(0n)).toBe(mapped.length - 1);
  });

  it('an invoice leaves the offset out, by its role or as the last line', () => {
    expect(mapInvoice(invoice(), settings).lines.map(({ minor }) => minor)).toEqual([10000n, 2550n]);
    const plain = invoice({
      total: '10.00',
      lines: [line(1, '6400', '10.00', '0.00'), line(2, '2150', '0.00', '10.00')],
    });
    expect(mapInvoice(plain, settings)).toMatchObject({ isDebitMemo: false, amountMinor: 1000n });
  });

  it('what has no place in Epicor is told', () => {
    const lines = [
      line(1, '6400', '10.00', '0.00', { dimensions: { region: 'N' }, taxCode: 'V1' }),
      line(2, '2150', '0.00', '10.00'),
    ];
    const { warnings } = mapJournal({ ...journal, total: '10.00', lines }, settings);
    expect(warnings.join(' ')).toMatch(/region.*V1/);
  });

  it('texts are one line, cut behind the reference', () => {
    const memo = `a\nb\t${'x'.repeat(100)}`;
    const lines = [line(1, '6400', '10.00', '0.00', { memo }), line(2, '2150', '0.00', '10.00')];
    const [first] = mapJournal({ ...journal, total: '10.00', lines }, settings).lines;
    expect(first?.description).toBe(`${journal.reference} a b ${'x'.repeat(30)}`);
  });

  it('are recognised by a whole word', () => {
    expect(carries('x B7F3K2M9Q4T1A0X: y', journal.reference)).toBe(true);
    expect(carries('B7F3K2M9Q4T1A0XY', journal.reference)).toBe(false);
  });

  it('their numbers are read back from what they are called', () => {
    const key = { book: 'MAIN', year: '2026', suffix: 'A', code: 'GJ', number: '1043' };
    expect(journalKey(journalId(key))).toEqual(key);
    expect(invoiceKey('AP 204/BRX-1')).toEqual({ vendorNum: '204', invoiceNum: 'BRX-1' });
    expect([journalKey('x'), invoiceKey('x')]).toEqual([null, null]);
  });
});

describe('codes of new suppliers', () => {
  it('are the name where it fits, and end in a hash where it does not', () => {
    expect(vendorIdOf('Acme 24', 8)).toBe('ACME24');
    expect(vendorIdOf(' acme  24 ', 8)).toBe('ACME24');
    const long = ['Blue Bottle Coffee', 'Blue Bottle Cafe', '北京', '12345', 'Café Zoë'].map((name) =>
      vendorIdOf(name, 8),
    );
    expect(new Set(long).size).toBe(5);
    for (const id of long) expect(id).toMatch(/^(?=.*[A-Z])[A-Z0-9]{1,8}$/);
  });
});

describe('set-up', () => {
  it('takes the two kinds of credentials, names unknown keys, and echoes no secret', () => {
    expect(credentialsSchema.parse(basic)).toEqual(basic);
    expect(credentialsSchema.parse({ ...oauth('https://idp.example'), scope: undefined })).toMatchObject({
      scope: 'epicor_erp',
    });
    const { apiKey, ...without } = basic;
    expect(apiKey).toBe(SECRETS.apiKey);
    for (const wrong of [
      without,
      { ...basic, apiKey: `${SECRETS.apiKey}\n` },
      { ...basic, more: 1 },
      { kind: 'token' },
    ]) {
      const result = credentialsSchema.safeParse(wrong);
      expect(result.success).toBe(false);
      expect(JSON.stringify(result.error?.issues)).not.toContain('pl4nted');
    }
    expect(SECRET_FIELDS).toEqual(['password', 'clientSecret', 'apiKey']);
  });

  it('needs no more than the company, and says which key is wrong', () => {
    const parsed = settingsSchema.parse({ company: 'EPIC06' });
    expect(parsed).toMatchObject({
      bookId: 'MAIN',
      coaCode: 'MAIN',
      journalCode: 'GJ',
      groupIdPrefix: 'LG',
      autoPost: false,
      apiVersion: 'v2',
    });
    for (const [key, value] of Object.entries({
      compani: 'x',
      company: 'a/b',
      groupIdPrefix: 'toolong',
      glSegmentOrder: ['costCentre'],
      vendorDefaults: { BankAcctNumber: '1' },
      extraMethodParams: { Update: {} },
      errorPatterns: { period: '(' },
    })) {
      const result = settingsSchema.safeParse({ company: 'EPIC06', [key]: value });
      expect(JSON.stringify(result.error?.issues)).toContain(key);
    }
  });

  it('is published as JSON Schema with a sentence for every setting', () => {
    const { properties = {}, additionalProperties } = z.toJSONSchema(settingsSchema, { io: 'input' });
    expect(additionalProperties).toBe(false);
    const silent = Object.entries(properties).filter(([, field]) => typeof field === 'boolean' || !field.description);
    expect(silent.map(([name]) => name)).toEqual([]);
    expect(z.toJSONSchema(credentialsSchema, { io: 'input' })).toMatchObject({ oneOf: [{}, {}] });
  });

  it('describes itself', () => {
    expect(epicorKineticConnector).toMatchObject({
      kind: 'EPICOR_KINETIC',
      role: 'LEDGER',
      defaultBaseUrl: null,
      secretSettings: [],
    });
    const described = epicorKineticConnector.describeCredential(basic, new Date());
    expect(described).toEqual({ kind: 'basic', expiresAt: null, renewBy: null });
  });
});
