// Amounts on their way into each ledger and back, in currencies of no, two and three decimals. What would surprise: a dinar
// that loses its last digit, a yen that gains two, or a ledger whose answer in such a currency cannot be read.
import { describe, expect, it } from 'vitest';
import type { LedgerDocument } from '../../../src/connectors/contract.js';
import { settingsSchema as kineticSettings } from '../../../src/connectors/epicor-kinetic/config.js';
import { minorOf as fromKinetic } from '../../../src/connectors/epicor-kinetic/json.js';
import {
  decimalText,
  mapJournal as kineticJournal,
  mapInvoice,
} from '../../../src/connectors/epicor-kinetic/mapper.js';
import { settingsSchema as m3Settings } from '../../../src/connectors/infor-m3/config.js';
import { invoiceOf } from '../../../src/connectors/infor-m3/invoiceMapper.js';
import { minorOf as fromM3, journalBatch } from '../../../src/connectors/infor-m3/mapper.js';
import { minorOf as fromX3, mapJournal as x3Journal } from '../../../src/connectors/sage-x3/mapper.js';
import { settingsSchema as sysproSettings } from '../../../src/connectors/syspro/config.js';
import { minorOf as fromSyspro, invoiceCall, journalCall } from '../../../src/connectors/syspro/mapper.js';
import { documentOf as xmlOf } from '../../../src/connectors/syspro/xml.js';
import { localDate } from '../../../src/domain/localDate.js';
import { settingsWith as x3Settings } from './sageX3Helpers.js';

const syspro = sysproSettings.parse({});
const kinetic = kineticSettings.parse({ company: 'EPIC06' });
const m3 = m3Settings.parse({
  cono: 100,
  journalInterface: 'LEDGERGATE',
  gl: { recordIdentity: 'I1', usage: 'field', sign: 'signed' },
});

/** A purchase with tax and a rounding line; amounts are exact decimal text in the currency's own decimals. */
function documentOf(
  currency: string,
  [expense, tax, rounding, total]: readonly [string, string, string, string],
): LedgerDocument {
  const zero = total.replace(/\d/g, '0').replace(/^0+(?=\d)/, '');
  const bare = { costCentre: null, dimensions: {}, taxCode: null, memo: null, debit: zero, credit: zero };
  return {
    ...{ documentType: 'JOURNAL', reference: 'BRX7K2M9Q4T1A', postingDate: localDate('2026-11-19'), currency, total },
    ...{ periodKey: { year: '2026', period: '11' }, supplierCode: 'S100', description: 'A test' },
    lines: [
      { ...bare, lineNumber: 1, glAccount: '6100', debit: expense, role: 'EXPENSE' },
      { ...bare, lineNumber: 2, glAccount: '1575', debit: tax, role: 'TAX' },
      { ...bare, lineNumber: 3, glAccount: '6990', debit: rounding, role: 'ROUNDING' },
      { ...bare, lineNumber: 4, glAccount: '2110', credit: total, role: 'OFFSET' },
    ],
  };
}

const CASES = [
  ['KWD', ['10.374', '1.971', '0.001', '12.346']],
  ['BHD', ['999999999999.998', '0.001', '0.001', '1000000000000.000']],
  ['TND', ['0.003', '0.002', '0.001', '0.006']],
  ['JPY', ['10373', '1971', '1', '12345']],
  ['KRW', ['999999999999998', '1', '1', '1000000000000000']],
  ['USD', ['103.73', '19.71', '0.01', '123.45']],
] as const;

describe.each(CASES)('%s %j', (currency, amounts) => {
  const document = documentOf(currency, amounts);
  const [expense, tax, rounding, total] = amounts;

  it('reaches SYSPRO in all its decimals', () => {
    const sent = xmlOf(journalCall(document, syspro).call.items);
    const found = [...sent.matchAll(/<EntryAmount>(.*?)<\/EntryAmount>/g)].map((match) => match[1]);
    expect(found).toEqual([expense, tax, rounding, `-${total}`]);
    const invoice = xmlOf(invoiceCall({ ...document, documentType: 'SUPPLIER_INVOICE' }, syspro, 'C').call.items);
    expect(invoice).toContain(`<TransactionValue>${total}</TransactionValue>`);
    expect([...invoice.matchAll(/<LedgerValue>(.*?)<\/LedgerValue>/g)].map((match) => match[1])).toEqual([
      expense,
      tax,
      rounding,
    ]);
  });

  it('reaches Sage X3 in all its decimals', () => {
    const { lines } = x3Journal(document, x3Settings());
    expect(lines.map(({ fields }) => [fields.SNS, fields.AMTCUR])).toEqual([
      ['1', expense],
      ['1', tax],
      ['1', rounding],
      ['-1', total],
    ]);
  });

  it('reaches Infor M3 in all its decimals', () => {
    const { lines } = journalBatch(document, document.reference, m3);
    expect(lines.map(({ CUAM }) => CUAM)).toEqual([expense, tax, rounding, `-${total}`]);
    const invoice = invoiceOf({ ...document, documentType: 'SUPPLIER_INVOICE' }, 'S100', 'accounting-line', m3);
    expect(invoice.head.CUAM).toBe(total);
    expect(invoice.lines.map(({ NLAM }) => NLAM)).toEqual([expense, tax, rounding]);
  });

  it('reaches Epicor Kinetic in all its decimals', () => {
    const journal = kineticJournal(document, kinetic).lines.map(({ minor }) => decimalText(minor, currency));
    expect(journal).toEqual([expense, tax, rounding, `-${total}`]);
    const invoice = mapInvoice({ ...document, documentType: 'SUPPLIER_INVOICE' }, kinetic);
    expect(invoice.lines.map(({ minor }) => decimalText(minor, currency))).toEqual([expense, tax, rounding]);
    expect(decimalText(invoice.amountMinor, currency)).toBe(total);
  });

  it.each([
    ['SYSPRO', fromSyspro],
    ['Sage X3', fromX3],
    ['Infor M3', fromM3],
    ['Epicor Kinetic', fromKinetic],
  ])('is read back from %s as it was sent, with zeros at its end or without', (_, minorOf) => {
    const minor = BigInt(total.replace('.', ''));
    const shorter = total.includes('.') ? total.replace(/0+$/, '').replace(/\.$/, '') : total;
    expect([minorOf(total, currency), minorOf(shorter, currency)]).toEqual([minor, minor]);
    // A digit finer than the currency is a ledger that is not what we think: never rounded.
    const finer = total.includes('.') ? `${total}1` : `${total}.1`;
    expect(() => minorOf(finer, currency)).toThrow();
  });
});
