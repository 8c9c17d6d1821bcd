import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection } from '../../../src/connectors/contract.js';
import { ConfigurationError, ErpRejectedError, OutcomeUnknownError } from '../../../src/errors.js';
import { connect, FakeM3, failureOf, invoice, line, type Record_, Refused, type Trouble } from './inforM3Fake.js';

/**
 * Supplier invoices: staged, validated in M3's own time, watched to the end. What would be caught: an invoice twice, one
 * that is called posted when M3 turned it down, and one that carries the accounts of an older coding.
 */

let m3: FakeM3;
let ledger: LedgerConnection;
const REFERENCE = invoice().reference;

beforeEach(async () => {
  m3 = new FakeM3();
  await m3.start();
  ledger = connect(m3).connection;
});
afterEach(async () => {
  await ledger.disconnect();
  await m3.close();
});

const recoded = () =>
  invoice({
    lines: [
      line(1, '69999', '100.00', '0.00', { memo: 'Hotel + café, J&D', role: 'EXPENSE' }),
      line(2, '62520', '20.50', '0.00', { role: 'EXPENSE' }),
      line(3, '45800', '0.00', '120.50', { memo: 'Brex clearing', role: 'OFFSET' }),
    ],
  });

/** M3 validates and turns the invoice down, until `clear` is called. */
function turnDown(flags: Record_ = { SUPA: '15', IBLE: '1' }): void {
  m3.hooks.set('APS455MI.ValidByBatchNo', (inputs) => {
    const head = m3.invoices.get(inputs.INBN ?? '')?.head;
    m3.hooks.set('APS450MI.GetHead', () => {
      if (head) Object.assign(head, flags, { VONO: '0' });
      m3.postedInvoices.length = 0;
    });
  });
}

describe('a supplier invoice', () => {
  it('is staged, validated, and posted once M3 has made its voucher', async () => {
    const { ledgerDocumentId, warnings } = await ledger.submit(invoice());
    expect([ledgerDocumentId, warnings]).toEqual([expect.stringMatching(`^AP BREX01/${REFERENCE} \\(2026/310/2`), []]);
    const [staged] = m3.invoices.values();
    expect(staged?.head).toMatchObject({ SPYN: 'BREXPAY', IVDT: '20261119', CUAM: '120.50', CUCD: 'USD', IBTP: '20' });
    expect(staged?.lines).toMatchObject([
      { RDTP: '8', NLAM: '100.00', AIT1: '62510', AIT2: 'SALES' },
      { RDTP: '8', NLAM: '20.50', AIT1: '62520' },
    ]);
    const expected = {
      reference: REFERENCE,
      ledgerDocumentId,
      currency: 'USD',
      totalDebit: '120.50',
      totalCredit: '120.50',
      isPosted: true,
    };
    expect(await ledger.findByReference([invoice()])).toMatchObject([expected]);
    expect(await ledger.readBack(ledgerDocumentId, invoice())).toMatchObject(expected);
    expect(await ledger.submit(invoice())).toMatchObject({ ledgerDocumentId });
    expect(m3.count('APS450MI.AddHead')).toBe(1);
  });

  // The engine asks for all that it is about to send at once: one question that M3 cannot answer held up the whole ledger.
  it('whose supplier is still to be made is not there, and M3 is not asked', async () => {
    expect(await ledger.findByReference([invoice({ supplierCode: null })])).toEqual([]);
    expect(m3.count('CRS620MI.GetBasicData')).toBe(0);
  });

  it('is found in APS200MI after its batch was cleaned away, in the years beside its date too', async () => {
    await ledger.submit(invoice());
    m3.invoices.clear();
    for (const head of m3.postedInvoices) head.IVDT = '20270102';
    expect(await ledger.findByReference([invoice()])).toMatchObject([{ totalDebit: '120.50', isPosted: true }]);
    await ledger.submit(invoice());
    expect(m3.count('APS450MI.AddHead')).toBe(1);
  });

  // Brex is told this name; under the crash test a release without LstInvoiceTrans gave "AP SUPPLIER/REFERENCE (2026)".
  it('has the same name when it is found again where GetInvTotInfo tells the journal only', async () => {
    delete m3.fields['APS200MI.LstInvoiceTrans'];
    m3.fields['APS200MI.GetInvoice'] = 'YEA4:4* JRNO:7* JSNO:7* DIVI:3';
    const { ledgerDocumentId } = await ledger.submit(invoice());
    m3.invoices.clear();
    expect(await ledger.findByReference([invoice()])).toMatchObject([{ ledgerDocumentId }]);
  });

  it('is named without a voucher where M3 tells none', async () => {
    delete m3.fields['APS200MI.LstInvoiceTrans'];
    await ledger.submit(invoice());
    m3.invoices.clear();
    expect(await ledger.findByReference([invoice()])).toMatchObject([{ ledgerDocumentId: `AP BREX01/${REFERENCE}` }]);
  });

  it('that M3 validates with errors is refused, however friendly the first answer was', async () => {
    turnDown();
    const error = await failureOf(ledger.submit(invoice()));
    expect(error).toBeInstanceOf(ErpRejectedError);
    expect(error).toMatchObject({ message: expect.stringContaining('errors in its lines (status 15)') });
    expect(await ledger.findByReference([invoice()])).toEqual([]);
  });

  it.each(['15', '78'])('in status %s is refused without any error flag', async (SUPA) => {
    turnDown({ SUPA });
    expect(await failureOf(ledger.submit(invoice()))).toMatchObject({ code: 'INVOICE_INVALID' });
  });

  it('that M3 is not done with in time is in doubt, and the next attempt validates the same batch', async () => {
    const quick = connect(m3, { watchSeconds: 0 }).connection;
    m3.hooks.set('APS455MI.ValidByBatchNo', (inputs) => {
      const staged = m3.invoices.get(inputs.INBN ?? '');
      m3.hooks.set('APS450MI.GetHead', () => Object.assign(staged?.head ?? {}, { VONO: '0' }));
    });
    expect(await failureOf(quick.submit(invoice()))).toMatchObject({ code: 'NOT_SEEN_IN_TIME' });
    m3.hooks.clear();
    m3.postedInvoices.length = 0;
    await quick.submit(invoice());
    expect([m3.count('APS450MI.AddHead'), m3.count('APS450MI.AddLine'), m3.postedInvoices.length]).toEqual([1, 2, 1]);
    await quick.disconnect();
  });

  it('of a supplier that M3 does not know is refused in M3’s words', async () => {
    m3.hooks.set('APS450MI.AddHead', () => {
      throw new Refused('Supplier number NOPE does not exist', 'WSU0103', 'SUNO');
    });
    const error = await failureOf(ledger.submit(invoice({ supplierCode: 'NOPE' })));
    expect(error).toBeInstanceOf(ErpRejectedError);
    expect(error).toMatchObject({ message: expect.stringContaining('Supplier number NOPE does not exist') });
  });

  it('is approved by setting, and posted whatever becomes of that', async () => {
    const { connection } = connect(m3, { invoice: { approve: true } });
    const { warnings } = await connection.submit(invoice());
    expect(warnings).toEqual([expect.stringContaining('it could not be approved')]);
    await connection.disconnect();
  });
});

describe('what is no invoice here', () => {
  const refund = invoice({
    lines: [
      line(1, '62510', '0.00', '120.50', { role: 'EXPENSE' }),
      line(2, '45800', '120.50', '0.00', { role: 'OFFSET' }),
    ],
  });

  it('a refund is refused unsent, and negative where the setting allows it', async () => {
    expect(await failureOf(ledger.submit(refund))).toMatchObject({ code: 'NOT_AN_INVOICE' });
    expect(m3.count('APS450MI.AddHead')).toBe(0);
    const { connection } = connect(m3, { invoice: { refunds: 'negative', creditBatchType: '21' } });
    await connection.submit(refund);
    const [staged] = m3.invoices.values();
    expect(staged).toMatchObject({ head: { CUAM: '-120.50', IBTP: '21' }, lines: [{ NLAM: '-120.50' }] });
    expect(await connection.findByReference([refund])).toMatchObject([{ totalDebit: '120.50' }]);
    await connection.disconnect();
  });

  it('purchases and refunds in one are refused unsent', async () => {
    const mixed = invoice({
      lines: [line(1, '1', '120.50', '0.00'), line(2, '2', '0.00', '20.50'), line(3, '45800', '0.00', '100.00')],
    });
    expect(await failureOf(ledger.submit(mixed))).toMatchObject({ code: 'NOT_AN_INVOICE' });
  });

  it('a release whose lines take no accounts drops none in silence', async () => {
    m3.fields['APS450MI.AddLine'] = 'INBN:10* RDTP:1* DIVI:3 NLAM:17 VTCD:2 CHGT:30';
    const error = await failureOf(ledger.submit(invoice()));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: 'INVOICE_LINES_WITHOUT_ACCOUNT' });
    const { connection } = connect(m3, { invoice: { coding: 'm3-derived' } });
    expect((await connection.submit(invoice())).warnings.join()).toContain('accounts of the lines were not sent');
    await connection.disconnect();
  });

  it('a dimension that this release has no field for is refused unsent', async () => {
    const { connection } = connect(m3, { dimensions: { costCentre: 'AIT7' } });
    expect(await failureOf(connection.submit(invoice()))).toMatchObject({ code: 'RELEASE_LACKS_FIELD' });
    expect(m3.count('APS450MI.AddHead')).toBe(0);
    await connection.disconnect();
  });

  it('a field that the release wants and nobody gives is named before anything is sent', async () => {
    m3.fields['APS450MI.AddHead'] += ' GEOC:9*';
    expect(await failureOf(ledger.submit(invoice()))).toMatchObject({ message: expect.stringContaining('GEOC') });
    expect(m3.count('APS450MI.AddHead')).toBe(0);
  });
});

const WRITES = ['APS450MI.AddHead', 'APS450MI.AddLine', 'APS455MI.ValidByBatchNo'] as const;
const UNCLEAR: Trouble[] = ['lose-before', 'lose-after', 'html', 'html-after', 'empty', '500', 'redirect'];

describe('a reply to a write that is lost or cannot be understood', () => {
  it.each(WRITES.flatMap((write) => UNCLEAR.map((trouble) => [write, trouble] as const)))(
    '%s, %s: in doubt, sent once, and the next attempt makes one invoice',
    async (operation, trouble) => {
      m3.trouble(operation, trouble);
      expect(await failureOf(ledger.submit(invoice()))).toBeInstanceOf(OutcomeUnknownError);
      expect(m3.count(operation)).toBe(1);
      const again = connect(m3).connection;
      if ((await again.findByReference([invoice()])).length === 0) await again.submit(invoice());
      expect(m3.postedInvoices.length).toBe(1);
      expect([...m3.invoices.values()].map((one) => one.lines.map((row) => row.NLAM))).toEqual([['100.00', '20.50']]);
      await again.disconnect();
    },
  );

  it('a line that comes late is seen before anything is validated', async () => {
    m3.hooks.set('APS450MI.LstLines', () => {
      const [staged] = m3.invoices.values();
      if (staged?.lines.length === 2) staged.lines.push({ ...staged.lines[1], TRNO: '3' } as Record_);
    });
    expect(await failureOf(ledger.submit(invoice()))).toMatchObject({ code: 'STAGED_OTHERWISE' });
    expect(m3.count('APS455MI.ValidByBatchNo')).toBe(0);
    m3.hooks.clear();
    await ledger.submit(invoice());
    expect([...m3.invoices.values()].map((one) => one.lines.length)).toEqual([2]);
  });
});

describe('what an earlier attempt left in APS450', () => {
  it('with the same amounts and other accounts is deleted, because M3 does not show the accounts', async () => {
    m3.trouble('APS455MI.ValidByBatchNo', 'lose-before');
    expect(await failureOf(ledger.submit(invoice()))).toBeInstanceOf(OutcomeUnknownError);
    await ledger.submit(recoded());
    expect([...m3.invoices.values()].map((one) => one.lines.map((row) => row.AIT1))).toEqual([['69999', '62520']]);
    expect(m3.postedInvoices.length).toBe(1);
  });

  it('and M3 turned down is deleted, never validated again beside its old error flags', async () => {
    turnDown();
    expect(await failureOf(ledger.submit(invoice()))).toBeInstanceOf(ErpRejectedError);
    m3.hooks.clear();
    await ledger.submit(invoice());
    expect(m3.count('APS450MI.DltInvoice')).toBe(1);
    expect([m3.invoices.size, m3.postedInvoices.length]).toEqual([1, 1]);
  });

  it('and cannot be deleted in this release is a person’s to put right', async () => {
    delete m3.fields['APS450MI.DltInvoice'];
    turnDown();
    expect(await failureOf(ledger.submit(invoice()))).toMatchObject({ code: 'INVOICE_INVALID' });
    m3.hooks.clear();
    expect(await failureOf(ledger.submit(invoice()))).toMatchObject({ code: 'UNFINISHED_BATCH_INVOICE' });
    expect([m3.count('APS450MI.AddHead'), m3.count('APS455MI.ValidByBatchNo')]).toEqual([1, 1]);
  });
});

describe('what is left of an invoice that is not sent any more', () => {
  const clear = async (fate: 'WAITING' | 'GIVEN_UP', document = invoice()) => {
    if (!ledger.abandon) throw new Error('Nothing is cleared away.');
    return ledger.abandon(document, fate);
  };
  const leave = async () => {
    m3.trouble('APS455MI.ValidByBatchNo', 'lose-before');
    expect(await failureOf(ledger.submit(invoice()))).toBeInstanceOf(OutcomeUnknownError);
    expect([m3.invoices.size, m3.postedInvoices.length]).toEqual([1, 0]);
  };

  it('is deleted from APS450, and then there is nothing', async () => {
    await leave();
    expect(await clear('WAITING')).toMatchObject({
      kind: 'REMOVED',
      what: expect.stringContaining('the batch invoice'),
    });
    expect(m3.invoices.size).toBe(0);
    expect(await clear('GIVEN_UP')).toEqual({ kind: 'NOTHING' });
  });

  it('stays with its reasons when M3 turned it down, until it is given up', async () => {
    turnDown();
    expect(await failureOf(ledger.submit(invoice()))).toBeInstanceOf(ErpRejectedError);
    expect(await clear('WAITING')).toMatchObject({ kind: 'LEFT', advice: expect.stringContaining('APS450') });
    expect(m3.invoices.size).toBe(1);
    expect(await clear('GIVEN_UP')).toMatchObject({ kind: 'REMOVED' });
    expect(m3.invoices.size).toBe(0);
  });

  it('is a person’s to delete where this release cannot, or a setting says so', async () => {
    await leave();
    await ledger.disconnect();
    ledger = connect(m3, { invoice: { deleteUnfinished: false } }).connection;
    expect(await clear('GIVEN_UP')).toMatchObject({
      kind: 'LEFT',
      advice: expect.stringMatching(/^Delete .* in APS450/),
    });
    delete m3.fields['APS450MI.DltInvoice'];
    await ledger.disconnect();
    ledger = connect(m3).connection;
    expect(await clear('GIVEN_UP')).toMatchObject({ kind: 'LEFT' });
    expect(m3.count('APS450MI.DltInvoice')).toBe(0);
  });

  it('is in doubt while M3 does not delete it, or was just posted', async () => {
    await leave();
    m3.hooks.set('APS450MI.DltInvoice', () => {
      throw new Refused('The invoice is being validated', 'AP45099');
    });
    expect(await failureOf(clear('GIVEN_UP'))).toMatchObject({ code: 'UNFINISHED_BATCH_INVOICE', decision: 'PROBE' });
    m3.hooks.clear();
    await ledger.submit(invoice());
    expect(await failureOf(clear('GIVEN_UP'))).toBeInstanceOf(OutcomeUnknownError);
    expect([m3.count('APS450MI.DltInvoice'), m3.postedInvoices.length]).toEqual([1, 1]);
  });

  it('is nothing without a supplier; of a journal a person is told where a batch may stand', async () => {
    expect(await clear('GIVEN_UP', invoice({ supplierCode: null }))).toEqual({ kind: 'NOTHING' });
    const document = invoice({ documentType: 'JOURNAL' });
    const { reference } = document;
    expect(await clear('GIVEN_UP', document)).toMatchObject({
      kind: 'LEFT',
      advice: expect.stringContaining(reference),
    });
  });
});

describe('an answer that does not say no in so many words', () => {
  it('a look-up that M3 refuses for another reason than absence is no absence', async () => {
    m3.hooks.set('APS450MI.LstInvBySupInv', () => {
      throw new Refused('Internal error in program', 'ZZ00001');
    });
    expect(await failureOf(ledger.findByReference([invoice()]))).toMatchObject({ code: 'READ_REFUSED' });
    expect(await failureOf(ledger.submit(invoice()))).toMatchObject({ code: 'READ_REFUSED' });
    expect(m3.count('APS450MI.AddHead')).toBe(0);
  });

  it('a posted invoice whose amount M3 does not show is not called absent', async () => {
    await ledger.submit(invoice());
    for (const head of m3.postedInvoices) delete head.CUAM;
    expect(await failureOf(ledger.findByReference([invoice()]))).toMatchObject({ code: 'AMOUNT_MISSING' });
  });
});
