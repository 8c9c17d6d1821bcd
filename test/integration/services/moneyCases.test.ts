// The hard money cases through the whole engine: currencies of three and of no decimals, tax codes, rounding, refunds,
// invoices. What would surprise: a fils that is lost between source and ledger, a refund that meets its purchase half way,
// a document over nothing, or a purchase that stays held although what it waited for was given.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { type Money, moneyFromDecimal } from '../../../src/domain/money.js';
import type { SourceObject, SpendPart } from '../../../src/domain/spend.js';
import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import { ReadServices } from '../../../src/services/read/index.js';
import {
  type Company,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  reconciled,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await makeTestEngine();
});
afterEach(() => engine.close());

const MAPPING = {
  effectiveFrom: localDate('2020-01-01'),
  rules: [
    { category: 'tax', glAccount: '1575' },
    { category: 'OFFICE_SUPPLIES', glAccount: '6100', taxCode: 'V' },
    { category: 'TRAVEL', glAccount: '6200' },
  ],
};

async function companyWith(over: Parameters<typeof makeCompany>[1] = {}): Promise<Company> {
  const company = await makeCompany(engine, over);
  done(await setMappingRules(engine, company.caller, { ...MAPPING, pipelineId: company.pipelineId }));
  engine.jobs.pending.length = 0;
  return company;
}

/** A purchase as its accounting record shows it, in any currency. */
function record(id: string, amount: Money, over: Partial<SourceObject> = {}): SourceObject {
  const kind = amount.minor < 0n ? 'REFUND' : 'PURCHASE';
  return views(id, '0.00', { amount, kind, version: `${amount.minor}`, ...over }).record;
}

function parts(...amounts: readonly Money[]): SpendPart[] {
  return amounts.map((amount, index) => ({
    ...{ sourceLineId: `${index}`, amount, tax: null, category: 'TRAVEL', glAccount: null },
    ...{ costCentre: null, dimensions: {}, memo: null },
  }));
}

const usd = (text: string) => moneyFromDecimal(text, 'USD');
const totals = async (company: Company) => (await reconciled(engine, company)).totals;
const holds = async () => (await postings(engine)).flatMap((posting) => posting.holds.map(({ code }) => code));

describe('a ledger kept in a currency without the usual two decimals', () => {
  it.each([
    ['KWD', ['12.345', '-0.005', '0.001'], '1.971', '12.341'],
    ['JPY', ['12345', '-5', '1'], '1971', '12341'],
    ['TND', ['999999999999.999', '0.001', '-0.001'], '0.500', '999999999999.999'],
  ])('in %s has every minor unit of the source', async (currency, amounts, tax, sum) => {
    engine.ledger.localCurrency = currency;
    const company = await companyWith();
    const [first = '', ...others] = amounts;
    engine.source.put(
      record('0', moneyFromDecimal(first, currency), { tax: moneyFromDecimal(tax, currency) }),
      ...others.map((amount, index) => record(`${index + 1}`, moneyFromDecimal(amount, currency))),
    );
    await sync(engine, company);
    const total = moneyFromDecimal(sum, currency).minor;
    expect(engine.ledger.balanceOf('2110')).toBe(-total);
    expect(engine.ledger.balanceOf('1575')).toBe(moneyFromDecimal(tax, currency).minor);
    expect(await totals(company)).toMatchObject([{ currency, source: sum, posted: sum }]);
    expect((await totals(company))[0]?.difference).toMatch(/^0(\.000)?$/);
    // What the ledger is sent and what a caller reads are in the currency's own decimals.
    const sent = engine.ledger.documents.find((document) => document.lines.length === 3);
    expect(sent?.lines[1]?.debit).toBe(tax);
    const read = new ReadServices(engine.db, engine.connectors, 'default');
    const { nodes } = await read.postings.list({ reference: sent?.reference }, { first: 1 });
    const [posting] = nodes;
    if (!posting) throw new Error('The posting is not there.');
    const taxLines = (await read.postings.lines(posting)).filter(({ role }) => role === 'TAX');
    expect(taxLines.map(({ debit }) => debit)).toEqual([tax]);
  });
});

describe('what a pipeline says about tax codes', () => {
  it('releases what was held for it, and nothing is left over', async () => {
    const company = await companyWith({ taxCodes: { '*': { treatment: 'HOLD' } } });
    engine.source.put(record('1', usd('100.00')));
    await sync(engine, company);
    expect(await holds()).toEqual(['MAPPING_MISSING']);
    expect(await totals(company)).toMatchObject([{ held: '100.00', difference: '0.00' }]);

    const taxCodes = { V: { treatment: 'REVERSE_CHARGE', rate: '19', outputAccount: '9999' } };
    done(await updatePipeline(engine, company.caller, company.pipelineId, { taxCodes }));
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    expect([engine.ledger.balanceOf('1575'), engine.ledger.balanceOf('9999')]).toEqual([1_900n, -1_900n]);
    expect(await totals(company)).toMatchObject([{ posted: '100.00', difference: '0.00' }]);
  });
});

describe('a receipt whose lines do not add up to it by rounding', () => {
  const thirds = () => record('1', usd('100.00'), { parts: parts(usd('33.33'), usd('33.33'), usd('33.33')) });

  it('is held until the pipeline has a rounding account, and whole after that', async () => {
    const company = await companyWith();
    engine.source.put(thirds());
    await sync(engine, company);
    expect(await holds()).toEqual(['UNBALANCED']);
    expect(await totals(company)).toMatchObject([{ source: '100.00', held: '100.00', difference: '0.00' }]);

    done(await updatePipeline(engine, company.caller, company.pipelineId, { roundingAccount: '9999' }));
    await engine.runJobs();
    expect([engine.ledger.balanceOf('6200'), engine.ledger.balanceOf('9999')]).toEqual([9_999n, 1n]);
    expect(await totals(company)).toMatchObject([{ posted: '100.00', difference: '0.00' }]);
    const rows = await engine.rows(`select debit, gl_account from posting_lines where role = 'ROUNDING'`);
    expect(rows).toEqual([{ debit: '0.01', gl_account: '9999' }]);
  });

  it('stays booked as it was when the change after posting leaves figures that contradict each other', async () => {
    const company = await companyWith();
    engine.source.put(record('1', usd('100.00'), { parts: parts(usd('60.00'), usd('40.00')) }));
    await sync(engine, company);
    engine.source.put(record('1', usd('120.00'), { parts: parts(usd('60.00'), usd('40.00')) }));
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    const [row] = await engine.rows<{ waiting_reason: string }>('select waiting_reason from spend_records');
    expect(row?.waiting_reason).toBe('The parts add up to 100.00 USD, the whole is 120.00 USD.');
    expect(await totals(company)).toMatchObject([
      { source: '120.00', posted: '100.00', held: '20.00', difference: '0.00' },
    ]);
  });

  it('in records of its own is worth what was paid, in the books and in the report', async () => {
    const company = await companyWith({ roundingAccount: '9999' });
    const card = views('1', '100.00').card;
    engine.source.put(
      { ...card, keys: [...card.keys, 'expense:expense_1'] },
      ...['a', 'b', 'c'].map((id) => ({
        ...record(id, usd('33.33'), { category: 'TRAVEL' }),
        keys: [`record:record_${id}`, 'expense:expense_1'],
      })),
    );
    await sync(engine, company);
    expect([engine.ledger.balanceOf('2110'), engine.ledger.balanceOf('9999')]).toEqual([-10_000n, 1n]);
    expect(await totals(company)).toMatchObject([{ source: '100.00', posted: '100.00', difference: '0.00' }]);
  });
});

describe('a refund', () => {
  const [october, november] = [localDate('2026-10-20'), localDate('2026-11-09')];

  it('larger than the purchase that it follows, a month later, leaves a credit on the account', async () => {
    const company = await companyWith();
    engine.source.put(record('1', usd('80.00'), { transactionDate: october }));
    await sync(engine, company);
    engine.source.put(
      record('1r', usd('-95.50'), {
        transactionDate: november,
        keys: ['record:record_1r', 'expense:expense_1#refund'],
      }),
    );
    await sync(engine, company);
    expect(engine.ledger.documents.map(({ postingDate, total }) => [postingDate, total])).toEqual([
      [october, '80.00'],
      [november, '95.50'],
    ]);
    expect(engine.ledger.balanceOf('6100')).toBe(-1_550n);
    expect(await totals(company)).toMatchObject([{ source: '-15.50', posted: '-15.50', difference: '0.00' }]);
  });

  it('without any purchase is posted by itself', async () => {
    const company = await companyWith();
    engine.source.put(record('1', usd('-19.99')));
    await sync(engine, company);
    expect(engine.ledger.balanceOf('2110')).toBe(1_999n);
    expect(await totals(company)).toMatchObject([{ posted: '-19.99', difference: '0.00' }]);
  });

  it.each([
    ['zero', '-30.00', '0.00', 3],
    ['negative', '-50.00', '-20.00', 3],
  ])('makes the net of its day %s, and the document balances all the same', async (_, amount, sum) => {
    const company = await companyWith({ grouping: 'DAILY' });
    engine.source.put(record('1', usd('10.00')), record('2', usd('20.00')), record('3', usd(amount)));
    await sync(engine, company);
    const [document, ...others] = engine.ledger.documents;
    expect(others).toEqual([]);
    expect(document?.lines.filter(({ role }) => role === 'OFFSET')).toHaveLength(sum === '0.00' ? 0 : 1);
    const net = (side: 'debit' | 'credit') =>
      document?.lines.reduce((total, line) => total + usd(line[side]).minor, 0n) ?? -1n;
    expect(net('debit')).toBe(net('credit'));
    expect(engine.ledger.balanceOf('6100')).toBe(usd(sum).minor);
    expect(await totals(company)).toMatchObject([{ source: sum, posted: sum, difference: '0.00' }]);
  });

  it('of nothing is excluded with its reason', async () => {
    const company = await companyWith();
    engine.source.put(record('1', usd('0.00')));
    await sync(engine, company);
    const [row] = await engine.rows('select status, excluded_reason from spend_records');
    expect(row).toEqual({ status: 'EXCLUDED', excluded_reason: 'The amount is zero.' });
  });
});

describe('a pipeline of supplier invoices', () => {
  const invoices = { documentType: 'SUPPLIER_INVOICE', unmatchedVendor: 'CREATE_SUPPLIER' } as const;

  it('makes a credit note of a refund where the ledger takes one', async () => {
    engine.ledger.invoices = { refundAdvice: null, takesBothSides: false };
    const company = await companyWith(invoices);
    engine.source.put(record('1', usd('-25.00')));
    await sync(engine, company);
    expect(engine.ledger.documents).toMatchObject([{ documentType: 'SUPPLIER_INVOICE', total: '25.00' }]);
    expect(await totals(company)).toMatchObject([{ posted: '-25.00', difference: '0.00' }]);
  });

  it('holds it with advice where the ledger does not, and sends nothing', async () => {
    engine.ledger.invoices = { refundAdvice: 'Set the code of credit notes.', takesBothSides: false };
    const company = await companyWith(invoices);
    engine.source.put(
      record('refund', usd('-25.00')),
      record('mixed', usd('10.00'), { parts: parts(usd('12.00'), usd('-2.00')) }),
      record('nothing', usd('0.00'), {
        parts: parts(usd('12.00'), usd('-12.00')).map((part, index) =>
          index === 0 ? part : { ...part, category: 'OFFICE_SUPPLIES' },
        ),
      }),
      record('plain', usd('40.00')),
    );
    await sync(engine, company);
    expect(engine.ledger.submitted).toMatchObject([{ total: '40.00' }]);
    const held = (await postings(engine)).filter(({ status }) => status === 'HELD');
    expect(held.map((posting) => posting.holds.map(({ code }) => code))).toEqual([
      ['LEDGER_REJECTED'],
      ['LEDGER_REJECTED'],
      ['LEDGER_REJECTED'],
    ]);
    const [refund] = await engine.rows<{ resolution: string }>(
      `select holds -> 0 ->> 'resolution' as resolution from postings where holds::text like '%it is a refund%'`,
    );
    expect(refund?.resolution).toMatch(/^Set the code of credit notes\. Or enter it/);
    expect(await totals(company)).toMatchObject([
      { source: '25.00', posted: '40.00', held: '-15.00', difference: '0.00' },
    ]);
  });
});
