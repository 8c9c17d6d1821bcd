import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  composeAccount,
  costCentreSectionOf,
  credentialsSchema,
  maxLinesOf,
  sectionOf,
  settingsSchema,
} from '../../../src/connectors/syspro/config.js';
import { referenceMeant } from '../../../src/connectors/syspro/lookup.js';
import {
  invoiceCall,
  journalCall,
  journalId,
  journalKey,
  minorOf,
  sameKey,
} from '../../../src/connectors/syspro/mapper.js';
import { accountOf, isoCurrency } from '../../../src/connectors/syspro/masterData.js';
import { dateOf, periodsOf } from '../../../src/connectors/syspro/periods.js';
import { supplierCode } from '../../../src/connectors/syspro/suppliers.js';
import { childrenOf, find, parseXml, textAt } from '../../../src/connectors/syspro/xml.js';
import { localDate } from '../../../src/domain/localDate.js';
import { InvariantError } from '../../../src/errors.js';
import { invoice, journal, line } from './sysproHelpers.js';

/** Signs, scale, periods and keys. What would be caught: money on the wrong side, or in the wrong period or supplier. */

const settings = (input: Record<string, unknown> = {}) => settingsSchema.parse(input);
const itemOf = (call: { items: { markup: string } }) => find(parseXml(call.items.markup), 'Item');

describe('journals', () => {
  it('a debit is positive, a credit negative, and the composed account carries the cost centre', () => {
    const { call, lineCount, totalMinor } = journalCall(
      journal,
      settings({ accountTemplate: '{costCentre}-{glAccount}' }),
    );
    const item = itemOf(call);
    const lines = childrenOf(item, 'JournalDetails');
    expect(lines.map((entry) => [textAt(entry, 'LedgerCode'), textAt(entry, 'EntryAmount')])).toEqual([
      ['10-6100', '125.50'],
      ['00-2150', '-125.50'],
    ]);
    expect(lines.map((entry) => textAt(entry, 'Reference'))).toEqual(['BRX7K2M9Q4T1A', 'BRX7K2M9Q4T1A']);
    expect(textAt(lines[0], 'Comment')).toBe('Café Zoë + bar, meals');
    expect(textAt(item, 'PostingYear')).toBe('2027');
    expect(textAt(item, 'PostingPeriod')).toBe('05');
    expect(textAt(item, 'PostJournal')).toBe('Y');
    expect(textAt(item, 'JournalReference')).toBe('BRX7K2M9Q4T1A');
    expect([lineCount, totalMinor]).toEqual([2, 12550n]);
  });

  it('lines without a value are not sent, because the ledger drops them and would count fewer', () => {
    const lines = [...journal.lines, line(3, '6200', '0.00', '0.00')];
    const mapped = journalCall({ ...journal, lines }, settings());
    expect(mapped.lineCount).toBe(2);
    expect(childrenOf(itemOf(mapped.call), 'JournalDetails')).toHaveLength(2);
  });

  it('amounts stay exact whatever their size and number, and a currency without cents gets none', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 1n, max: 10n ** 15n }), { minLength: 1, maxLength: 20 }), (amounts) => {
        const total = amounts.reduce((sum, amount) => sum + amount, 0n);
        const text = (minor: bigint) => `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
        const lines = [
          ...amounts.map((amount, index) => line(index + 1, '6100', text(amount), '0.00')),
          line(amounts.length + 1, '2150', '0.00', text(total)),
        ];
        const { call } = journalCall({ ...journal, total: text(total), lines }, settings());
        const sent = childrenOf(itemOf(call), 'JournalDetails').map((entry) =>
          minorOf(textAt(entry, 'EntryAmount'), 'USD'),
        );
        expect(sent.reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
        expect(sent.slice(0, -1)).toEqual(amounts);
      }),
    );
    const yen = {
      ...journal,
      currency: 'JPY',
      total: '1030',
      lines: [line(1, 'A', '1030', '0'), line(2, 'B', '0', '1030')],
    };
    expect(textAt(itemOf(journalCall(yen, settings()).call), 'JournalDetails', 'EntryAmount')).toBe('1030');
  });

  it('a document that is not balanced never leaves', () => {
    const lines = [line(1, '6100', '10.00', '0.00'), line(2, '2150', '0.00', '9.99')];
    expect(() => journalCall({ ...journal, total: '10.00', lines }, settings())).toThrow(InvariantError);
    expect(() => journalCall({ ...journal, total: '125.51' }, settings())).toThrow(InvariantError);
    expect(() => journalCall({ ...journal, periodKey: {} }, settings())).toThrow(InvariantError);
  });

  it('a dimension with an analysis code travels with its line, and one without is reported', () => {
    const lines = [
      line(1, '6100', '125.50', '0.00', { dimensions: { Project: 'P7', Team: 'X' } }),
      journal.lines[1],
    ].flatMap((entry) => entry ?? []);
    const mapped = journalCall({ ...journal, lines }, settings({ analysisCodes: { Project: 2 } }));
    expect(textAt(itemOf(mapped.call), 'JournalDetails', 'AnalysisLineEntry', 'AnalysisCode2')).toBe('P7');
    expect(textAt(parseXml(mapped.call.parameters.markup), 'Parameters', 'IgnoreAnalysis')).toBe('N');
    expect(mapped.warnings.join()).toMatch(/Team/);
    expect(mapped.warnings.join()).not.toMatch(/Project/);
  });
});

describe('supplier invoices', () => {
  it('the offset line is left out and the rest is the distribution of the gross value', () => {
    const lines = [
      line(1, '6100', '100.00', '0.00', { memo: 'Hosting' }),
      line(2, '1400', '25.50', '0.00', { memo: 'VAT' }),
      line(3, '00-2100', '0.00', '125.50'),
    ];
    const item = itemOf(invoiceCall(invoice({ lines }), settings(), 'P').call);
    expect(textAt(item, 'TransactionCode')).toBe('I');
    expect(textAt(item, 'TransactionValue')).toBe('125.50');
    expect(
      childrenOf(item, 'LedgerDistribution').map((entry) => [
        textAt(entry, 'LedgerCode'),
        textAt(entry, 'LedgerValue'),
      ]),
    ).toEqual([
      ['6100', '100.00'],
      ['1400', '25.50'],
    ]);
    expect(textAt(item, 'Invoice')).toBe('BRX7K2M9Q4T1A');
  });

  it('a refund is refused unless the settings say which transaction code it is', () => {
    const lines = [line(1, '6100', '0.00', '125.50'), line(2, '2100', '125.50', '0.00')];
    expect(() => invoiceCall(invoice({ lines }), settings(), 'C')).toThrow(/creditTransactionCode/);
    const item = itemOf(invoiceCall(invoice({ lines }), settings({ creditTransactionCode: 'C' }), 'C').call);
    expect([textAt(item, 'TransactionCode'), textAt(item, 'TransactionValue')]).toEqual(['C', '125.50']);
    expect(textAt(item, 'LedgerDistribution', 'LedgerValue')).toBe('125.50');
  });

  it('expense lines on both sides are refused instead of being added up wrongly', () => {
    const lines = [
      line(1, '6100', '130.50', '0.00'),
      line(2, '6200', '0.00', '5.00'),
      line(3, '2100', '0.00', '125.50'),
    ];
    expect(() => invoiceCall(invoice({ total: '130.50', lines }), settings(), 'C')).toThrow(/both sides/);
  });
});

describe('the other side of an invoice', () => {
  it('where planning says what a line is for, nothing is guessed from its place', () => {
    const lines = [
      line(1, '2100', '0.00', '125.50', { role: 'OFFSET' }),
      line(2, '6100', '125.50', '0.00', { role: 'EXPENSE' }),
    ];
    const item = itemOf(invoiceCall(invoice({ lines }), settings(), 'C').call);
    expect(textAt(item, 'LedgerDistribution', 'LedgerCode')).toBe('6100');
    const withoutOffset = [
      line(1, '6100', '125.50', '0.00', { role: 'EXPENSE' }),
      line(2, '6100', '0.00', '125.50', { role: 'EXPENSE' }),
    ];
    expect(() => invoiceCall(invoice({ lines: withoutOffset }), settings(), 'C')).toThrow(/cancel each other out/);
  });
});

describe('amounts and keys of the ledger', () => {
  it.each([
    ['     125.50', 12550n],
    ['125.50-', -12550n],
    ['-0000125.50', -12550n],
    ['125', 12500n],
    ['.05', 5n],
    ['', 0n],
    ['125.5000', 12550n],
    ['+1.00', 100n],
  ])('%j is read exactly', (text, minor) => {
    expect(minorOf(text, 'USD')).toBe(minor);
  });

  it('an amount in another form is unreadable, not zero', () => {
    for (const text of ['1,250.00', '1.005', 'n/a', '1e5']) expect(() => minorOf(text, 'USD')).toThrow(/amount/);
  });

  it('a journal has one name however its key is padded', () => {
    expect(journalId({ glyear: '2027', glperiod: '5', gljournal: '117' })).toBe('2027/05/00117');
    expect(journalId({ glyear: '2027', glperiod: '05', gljournal: '0000000117' })).toBe('2027/05/00117');
    expect(journalKey('2027/05/00117')).toEqual({ year: '2027', period: '05', journal: '00117' });
    expect(journalKey('AP ACME/1')).toBeNull();
  });

  it('numeric supplier keys compare without zeros, others as they stand', () => {
    expect(sameKey('000000000000001', '0000001')).toBe(true);
    expect(sameKey('acme ', 'ACME')).toBe(true);
    expect(sameKey('0A1', 'A1')).toBe(false);
    expect(sameKey('000', '0')).toBe(true);
  });

  it('a stored reference is the one that was asked for, padded or cut, and never another that begins alike', () => {
    expect(referenceMeant('BRX7K2M9Q4T1A   ', ['BRX7K2M9Q4T1A'])).toBe('BRX7K2M9Q4T1A');
    expect(referenceMeant('BRX7K2M9Q4', ['BRX7K2M9Q4T1A'])).toBe('BRX7K2M9Q4T1A');
    expect(referenceMeant('BRX7K2M9Q4', ['BRX7K2M9Q4T1A', 'BRX7K2M9Q4T1B'])).toBeNull();
    expect(referenceMeant('BRX', ['BRX7K2M9Q4T1A'])).toBeNull();
    expect(referenceMeant('BRX7K2M9Q4T1AX', ['BRX7K2M9Q4T1A'])).toBeNull();
  });
});

describe('accounts', () => {
  const row = { glcode: '1', description: 'x', accounttype: 'E', acconhldflag: '', controlaccflag: '' };

  it('control, template and statistical accounts are blocked with the reason, held ones inactive', () => {
    expect(accountOf(row, settings())).toMatchObject({ active: true, blockedReason: null });
    expect(accountOf({ ...row, acconhldflag: 'Y' }, settings()).active).toBe(false);
    expect(accountOf({ ...row, controlaccflag: 'N' }, settings()).blockedReason).toBeNull();
    expect(accountOf({ ...row, controlaccflag: 'Y' }, settings()).blockedReason).toMatch(/control account/);
    expect(accountOf({ ...row, controlaccflag: 'Y' }, settings({ ignoreWarnings: 'Y' })).blockedReason).toBeNull();
    expect(accountOf({ ...row, accounttype: 'T' }, settings()).blockedReason).toMatch(/template/);
    expect(accountOf({ ...row, accounttype: 'S' }, settings()).blockedReason).toMatch(/statistical/);
  });

  it('the template composes codes, pads, and leaves an account without cost centre as it stands', () => {
    expect(composeAccount('{costCentre:3}-{glAccount}', { glAccount: '6100', costCentre: '7' })).toBe('007-6100');
    expect(composeAccount('{costCentre}-{glAccount}', { glAccount: '00-2150', costCentre: null })).toBe('00-2150');
    expect(composeAccount('{glAccount}', { glAccount: '6100', costCentre: '7' })).toBe('6100');
  });

  it.each([
    ['{costCentre}-{glAccount}', '10-6100', '10'],
    ['{glAccount}-{costCentre}', '61-00-10', '10'],
    ['X-{costCentre}-{glAccount}', 'X-10-6100', '10'],
    ['{glAccount}.{costCentre:3}', '6100.010', '010'],
  ])('the cost centre of %s is found again in %s', (accountTemplate, code, costCentre) => {
    const place = costCentreSectionOf(settings({ accountTemplate }));
    expect(place && sectionOf(code, place)).toBe(costCentre);
  });

  it('a chart whose codes hold no cost centre has none', () => {
    expect(costCentreSectionOf(settings())).toBeNull();
    expect(costCentreSectionOf(settings({ accountTemplate: '{costCentre}{glAccount}' }))).toBeNull();
    expect(sectionOf('2150', { separator: '-', index: 0 })).toBeNull();
  });

  it('currency symbols are mapped, codes are taken, anything else is unknown', () => {
    expect(isoCurrency('$ ', { $: 'USD' })).toBe('USD');
    expect(isoCurrency('EUR', {})).toBe('EUR');
    expect(isoCurrency('£', {})).toBeNull();
  });
});

describe('fiscal periods', () => {
  const year = (first: number, flags: string) =>
    [...flags].map((flag, index) => {
      const end = new Date(Date.UTC(first, 6 + index + 1, 0)).toISOString().slice(0, 10);
      return { period: index + 1, endsOn: localDate(end), flag };
    });
  const current = { year: 2027, currentPeriod: 5, startsOn: localDate('2026-07-01'), ends: year(2026, 'CCOOOOOOOOOO') };
  const last = { year: 2026, startsOn: null, ends: year(2025, 'CCCCCCCCCCCO') };
  const before = { year: 2025, startsOn: null, ends: year(2024, 'OOOOOOOOOOOO') };

  it('only flagged periods up to the current one and of the previous year are open', () => {
    const periods = periodsOf(current, last, before, 'O');
    expect(periods).toHaveLength(36);
    expect(periods.filter((period) => period.open).map((period) => period.label)).toEqual([
      '2026/12',
      '2027/03',
      '2027/04',
      '2027/05',
    ]);
    expect(periods.find((period) => period.label === '2027/05')).toMatchObject({
      startsOn: '2026-11-01',
      endsOn: '2026-11-30',
      key: { year: '2027', period: '05' },
    });
  });

  it('periods follow each other without a gap or an overlap, across years too', () => {
    const periods = periodsOf(current, last, before, 'O');
    expect(periods[0]?.startsOn).toBe('2024-07-01');
    for (const [index, period] of periods.entries()) {
      const next = periods[index + 1];
      if (next)
        expect(
          new Date(`${next.startsOn}T00:00:00Z`).getTime() - new Date(`${period.endsOn}T00:00:00Z`).getTime(),
        ).toBe(86_400_000);
    }
  });

  it('a thirteenth period for adjustments takes no dates', () => {
    const ends = [...current.ends, { period: 13, endsOn: localDate('2027-06-30'), flag: 'O' }];
    expect(periodsOf({ ...current, ends }, null, null, 'O').map((period) => period.label)).not.toContain('2027/13');
  });

  it('the current period is open unless it is said to be closed', () => {
    const withFlag = (flag: string) => ({
      ...current,
      ends: current.ends.map((end) => (end.period === 5 ? { ...end, flag } : end)),
    });
    const isOpen = (flag: string) =>
      periodsOf(withFlag(flag), null, null, 'O').find((period) => period.label === '2027/05')?.open;
    expect([isOpen(''), isOpen('o'), isOpen('C')]).toEqual([true, true, false]);
  });

  it('dates come in two forms, and an all-zero date is none', () => {
    expect(dateOf('2026-11-30')).toBe('2026-11-30');
    expect(dateOf('20261130')).toBe('2026-11-30');
    for (const text of ['0000-00-00', '00000000', '', '2026-02-30', 'soon']) expect(dateOf(text)).toBeNull();
  });
});

describe('supplier codes', () => {
  it('a name gives the same code each time, in capitals and digits, of the length that is set', () => {
    expect(supplierCode('Acme Cloud', 15)).toBe('ACMECLOUD');
    expect(supplierCode('  acme   cloud ', 15)).toBe('ACMECLOUD');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 6, max: 15 }), (name, length) => {
        const code = supplierCode(name, length);
        expect(code).toMatch(/^[A-Z0-9]+$/);
        expect(code).toMatch(/[A-Z]/);
        expect(code.length).toBeLessThanOrEqual(length);
        expect(supplierCode(name, length)).toBe(code);
      }),
    );
  });

  it('long names with one beginning, and names that cannot be spelled, stay apart', () => {
    const [one, two] = ['Northern Lights Catering Oslo', 'Northern Lights Catering Bergen'].map((name) =>
      supplierCode(name, 15),
    );
    expect(one).not.toBe(two);
    expect(one).toMatch(/^NORTHERNLIG[A-Z0-9]{4}$/);
    expect(supplierCode('咖啡', 15)).not.toBe(supplierCode('茶馆', 15));
    expect(supplierCode('Zürich Café', 15)).toBe('ZURICHCAFE');
    expect(supplierCode('7-11', 15)).toMatch(/[A-Z]/);
  });
});

describe('settings', () => {
  it('unknown keys and wrong values are refused by name, and no secret is repeated', () => {
    const refused = settingsSchema.safeParse({ postingMode: 'x', authorise: 'Z', accountTemplate: '{account}' });
    const text = JSON.stringify(refused.error?.issues);
    for (const word of ['postingMode', 'authorise', 'accountTemplate']) expect(text).toContain(word);
    const bad = credentialsSchema.safeParse({
      operator: 'A',
      operatorPassword: 7,
      companyId: 'E',
      passwrd: 'hunter2secret',
    });
    expect(JSON.stringify(bad.error)).toContain('passwrd');
    expect(bad.error?.message).not.toContain('hunter2secret');
  });

  it('a user-defined journal needs its source code, and a pattern must be a regular expression', () => {
    expect(JSON.stringify(settingsSchema.safeParse({ journalType: 'U' }).error?.issues)).toContain('journalSourceCode');
    expect(settingsSchema.safeParse({ errorPatterns: { period: '(' } }).success).toBe(false);
  });

  it('the settings can be published as JSON Schema, with a description each where they need one', () => {
    const schema = z.toJSONSchema(settingsSchema, { io: 'input' });
    expect(Object.keys(schema.properties ?? {})).toContain('supplierDefaults');
    expect(JSON.stringify(schema)).toContain('GENTJL AuthorizeJournal');
    expect(schema.required).toBeUndefined();
    expect(() => z.toJSONSchema(credentialsSchema)).not.toThrow();
  });

  it('more lines fit when large documents go by PostLD', () => {
    expect([
      maxLinesOf(settings()),
      maxLinesOf(settings({ usePostLD: true })),
      maxLinesOf(settings({ maxLines: 40 })),
    ]).toEqual([25, 500, 40]);
  });
});
