// A surprise here means that supplier invoices of the simulated M3 are staged, validated or found otherwise than the
// reference says, so that a connector could post one twice in the real one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INVOICE_HEAD, type PlainM3, StillClock, start } from './inforM3Support.js';

let client: PlainM3;
let clock: StillClock;
const SINO = INVOICE_HEAD.SINO;
const INVOICE = { SPYN: 'BREX01', SUNO: 'BREX01', SINO, DIVI: 'AAA' };

beforeEach(async () => {
  clock = new StillClock();
  client = await start({ clock });
});
afterEach(() => client.m3.close());

async function validate(number: string): Promise<void> {
  await client.ok('APS455MI/ValidByBatchNo', { INBN: number, DIVI: 'AAA' });
}

async function post(head: Record<string, string> = {}, line: Record<string, string> = {}): Promise<string> {
  const number = await client.stageInvoice(head, line);
  await validate(number);
  client.m3.finishBackgroundWork();
  return number;
}

describe('a supplier invoice', () => {
  it('is staged, validated after two more looks, and then in the books', async () => {
    const number = await client.stageInvoice({}, { AIT2: 'SALES', VTXT: 'Hotel' });
    expect(client.m3.documents(SINO)).toMatchObject([{ posted: false, supplier: 'BREX01', credit: '120.50' }]);
    await validate(number);
    expect(await client.head(number)).toMatchObject({ VONO: '0', SUPA: '12', BIST: '1' });
    expect(await client.head(number)).toMatchObject({ VONO: '0' });
    const head = await client.head(number);
    expect(head).toMatchObject({ SUPA: '90', IBHE: '0', IBLE: '0', VSER: 'AP1', YEA4: '2026', TOPA: '120.50' });
    expect(Number(head.VONO)).toBeGreaterThan(0);
    expect(client.m3.documents(SINO)).toMatchObject([
      {
        ...{ type: 'SUPPLIER_INVOICE', posted: true, date: '2026-11-19', debit: '120.50', credit: '120.50' },
        lines: [
          { account: '62510', costCentre: 'SALES', debit: '120.50', text: 'Hotel' },
          { account: '44000', credit: '120.50' },
        ],
      },
    ]);
  });

  it('is validated by time alone where nobody looks, and never where the installation hangs', async () => {
    await validate(await client.stageInvoice());
    clock.ms += 249;
    expect(client.m3.documents(SINO)).toMatchObject([{ posted: false }]);
    clock.ms += 1;
    expect(client.m3.documents(SINO)).toMatchObject([{ posted: true }]);
    client.m3.changeSettings({ validationPolls: null, validationMs: null });
    const stuck = await client.stageInvoice({ SINO: 'OTHER' });
    await validate(stuck);
    clock.ms += 3_600_000;
    expect(await client.head(stuck)).toMatchObject({ BIST: '1', VONO: '0' });
  });

  it('is found before and after it is in the books', async () => {
    expect(await client.ok('APS450MI/LstInvBySupInv', INVOICE)).toEqual([]);
    const year = { ...INVOICE, INYR: '2026' };
    expect((await client.result('APS200MI/GetInvTotInfo', year)).errorMessage).toContain('does not exist');
    const number = await post();
    expect(await client.ok('APS450MI/LstInvBySupInv', INVOICE)).toEqual([{ INBN: number, IBTP: '20', SUPA: '90' }]);
    const [info] = await client.ok('APS200MI/GetInvTotInfo', year);
    expect(info).toMatchObject({ CUAM: '120.50', CUCD: 'USD' });
    expect(info).not.toHaveProperty('VONO');
    const [invoice] = await client.ok('APS200MI/GetInvoice', {
      ...{ YEA4: info?.YEA4 ?? '', JRNO: info?.JRNO ?? '', JSNO: info?.JSNO ?? '' },
    });
    expect(invoice).toMatchObject({ VONO: (await client.head(number)).VONO, SINO });
    client.m3.changeSettings({ listsPostedInvoices: false });
    expect(await client.ok('APS450MI/LstInvBySupInv', INVOICE)).toEqual([]);
    const wrongYear = await client.result('APS200MI/GetInvTotInfo', { ...INVOICE, INYR: '2025' });
    expect(wrongYear.errorType).toBe('ServerReturnedNOK');
  });

  it('LstInvoiceTrans is there in the release of 2020 only', async () => {
    const asked = { SPYN: 'BREX01', SUNO: 'BREX01', SINO, INYR: '2026', DIVI: 'AAA', TRCD: '40' };
    await post();
    expect((await client.result('APS200MI/LstInvoiceTrans', asked)).errorMessage).toContain('not found');
    client.m3.changeSettings({ release: 'ce-2020' });
    expect(await client.ok('APS200MI/LstInvoiceTrans', asked)).toMatchObject([{ CUAM: '120.50', VSER: 'AP1' }]);
  });

  it('can be staged twice under one number, but only one gets into the books', async () => {
    const [first, second] = [await client.stageInvoice(), await client.stageInvoice()];
    expect(await client.ok('APS450MI/LstInvBySupInv', INVOICE)).toHaveLength(2);
    await validate(first);
    await validate(second);
    client.m3.finishBackgroundWork();
    expect(await client.head(second)).toMatchObject({ SUPA: '15', IBHE: '1', VONO: '0' });
    expect(client.m3.summary()).toMatchObject({ invoices: 2, posted: 1, duplicates: [] });
    expect(client.m3.stagedInvoices()[1]?.problems[0]).toContain('already exists');
    client.m3.changeSettings({ duplicateInvoices: 'AT_ADD_HEAD' });
    expect((await client.result('APS450MI/AddHead', INVOICE_HEAD)).errorField).toBe('SINO');
  });

  it('may carry the number of another year or of another supplier', async () => {
    await post();
    await post({ IVDT: '20251230' });
    await post({ SUNO: 'OFFICE' });
    expect(client.m3.summary()).toMatchObject({ posted: 3 });
  });

  it.each([
    ['its lines differ from its total', { CUAM: '120.51' }, { NLAM: '120.50' }, { IBHE: '1', IBLE: '0' }],
    ['its period is closed', { ACDT: '20261031' }, {}, { IBHE: '1' }],
    ['its supplier is stopped', { SUNO: 'STOPPED' }, {}, { IBHE: '1' }],
    ['an account is blocked', {}, { AIT1: '62900' }, { IBHE: '0', IBLE: '1' }],
    ['an account is a control account', {}, { AIT1: '44000' }, { IBLE: '1' }],
    ['a cost centre is missing', {}, { AIT1: '62600' }, { IBLE: '1' }],
    ['a cost centre is blocked', {}, { AIT2: 'GONE' }, { IBLE: '1' }],
  ])('is refused with status 15 and no text when %s', async (_what, head, line, errors) => {
    const number = await post(head, line);
    const shown = await client.head(number);
    expect(shown).toMatchObject({ SUPA: '15', VONO: '0', ...errors });
    expect(JSON.stringify(shown)).not.toMatch(/differ|closed|blocked|mandatory|active/);
    expect(client.m3.stagedInvoices()[0]?.problems).toHaveLength(1);
    expect(client.m3.summary().posted).toBe(0);
  });

  it('that was refused can be validated again, or deleted where the release can do that', async () => {
    const number = await post({ ACDT: '20261031' });
    client.m3.setPeriodOpen('2026-10-31', true);
    await validate(number);
    client.m3.finishBackgroundWork();
    expect(await client.head(number)).toMatchObject({ SUPA: '90', IBHE: '0' });
    expect((await client.result('APS450MI/DltInvoice', { INBN: number, DIVI: 'AAA' })).errorField).toBe('INBN');
    const other = await client.stageInvoice({ SINO: 'OTHER' });
    await client.ok('APS450MI/DltInvoice', { INBN: other, DIVI: 'AAA' });
    expect((await client.result('APS450MI/GetHead', { INBN: other, DIVI: 'AAA' })).errorField).toBe('INBN');
    client.m3.changeSettings({ release: 'onprem-15' });
    const third = await client.stageInvoice({ SINO: 'THIRD' }, {}).catch((error: Error) => error.message);
    expect(third).toContain('AIT1');
    expect((await client.result('APS450MI/DltInvoice', { INBN: other })).errorMessage).toContain('not found');
  });

  it('has VAT on lines of type 3, and a total below nothing only where that is allowed', async () => {
    const number = await client.stageInvoice({ CUAM: '120.00', VTAM: '20.00' }, { NLAM: '100.00' });
    await client.ok('APS450MI/AddLine', { INBN: number, DIVI: 'AAA', RDTP: '3', VTCD: '1', VTA1: '20.00' });
    expect((await client.ok('APS450MI/LstLines', { INBN: number, DIVI: 'AAA' })).map(({ TRNO }) => TRNO)).toEqual([
      '1',
      '2',
    ]);
    await validate(number);
    client.m3.finishBackgroundWork();
    expect(client.m3.documents(SINO)[0]?.lines.map(({ account, debit, credit }) => [account, debit, credit])).toEqual([
      ['62510', '100.00', '0.00'],
      ['44500', '20.00', '0.00'],
      ['44000', '0.00', '120.00'],
    ]);
    await post({ SINO: 'REFUND', CUAM: '-5.00' });
    expect(client.m3.documents('REFUND')).toMatchObject([
      { posted: true, lines: [{ credit: '5.00' }, { debit: '5.00' }] },
    ]);
    client.m3.changeSettings({ negativeInvoices: 'REFUSED' });
    const refused = await post({ SINO: 'REFUND2', CUAM: '-5.00' });
    expect(await client.head(refused)).toMatchObject({ SUPA: '15' });
  });

  it('goes where M3 decides when the release takes no account, and can be recoded afterwards', async () => {
    client.m3.changeSettings({ addLineDimensions: false, derivedAccount: '45800' });
    const [added] = await client.ok('APS450MI/AddHead', INVOICE_HEAD);
    const number = added?.INBN ?? '';
    const line = { INBN: number, DIVI: 'AAA', RDTP: '8', NLAM: '120.50' };
    expect((await client.result('APS450MI/AddLine', { ...line, AIT1: '62510' })).errorField).toBe('AIT1');
    await client.ok('APS450MI/AddLine', line);
    await validate(number);
    client.m3.finishBackgroundWork();
    const { YEA4 = '', VSER = '', VONO = '' } = await client.head(number);
    const [recode] = await client.ok('APS450MI/AddHeadRecode', { DIVI: 'AAA', YEA4, VSER, VONO, ACDT: '20261119' });
    const INBN = recode?.INBN ?? '';
    await client.ok('APS450MI/AddLineRecode', { DIVI: 'AAA', INBN, NLAM: '-120.50', AIT1: '45800' });
    await client.ok('APS450MI/AddLineRecode', { DIVI: 'AAA', INBN, NLAM: '120.50', AIT1: '62510', VTXT: 'Hotel' });
    await validate(INBN);
    client.m3.finishBackgroundWork();
    expect(await client.head(INBN)).toMatchObject({ IBTP: '25', SUPA: '90' });
    const [view] = client.m3.documents(SINO);
    expect(view?.lines.map(({ account, debit, credit }) => [account, debit, credit])).toEqual([
      ['45800', '120.50', '0.00'],
      ['44000', '0.00', '120.50'],
      ['45800', '0.00', '120.50'],
      ['62510', '120.50', '0.00'],
    ]);
    expect(client.m3.summary()).toMatchObject({ posted: 1, duplicates: [] });
  });

  it('a recoding that does not balance gets status 78', async () => {
    const { YEA4 = '', VSER = '', VONO = '' } = await client.head(await post());
    const [recode] = await client.ok('APS450MI/AddHeadRecode', { DIVI: 'AAA', YEA4, VSER, VONO });
    const INBN = recode?.INBN ?? '';
    await client.ok('APS450MI/AddLineRecode', { DIVI: 'AAA', INBN, NLAM: '-1.00', AIT1: '62510' });
    await validate(INBN);
    client.m3.finishBackgroundWork();
    expect(await client.head(INBN)).toMatchObject({ SUPA: '78', VONO: '0' });
  });

  it('a selection with open ranges takes the invoices of everybody', async () => {
    await client.stageInvoice();
    await client.stageInvoice({ SINO: 'OF SOMEBODY ELSE', SUNO: 'OFFICE' });
    await client.ok('APS455MI/ValidBySelect', { DIVI: 'AAA' });
    client.m3.finishBackgroundWork();
    expect(client.m3.summary().posted).toBe(2);
  });

  it('a lost answer of ValidByBatchNo leaves an invoice in the books', async () => {
    const number = await client.stageInvoice();
    client.m3.faults.set([{ match: 'APS455MI/ValidByBatchNo', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(client.v2('APS455MI/ValidByBatchNo', { INBN: number, DIVI: 'AAA' })).rejects.toThrow();
    client.m3.finishBackgroundWork();
    expect(client.m3.documents(SINO)).toMatchObject([{ posted: true }]);
    expect((await client.result('APS455MI/ValidByBatchNo', { INBN: number, DIVI: 'AAA' })).errorField).toBe('INBN');
  });

  it('an installation’s own APS100MI finds a head by its invoice number', async () => {
    client.m3.changeSettings({ aps100: true });
    expect((await client.result('APS100MI/GetHead', { SUNO: 'BREX01', SINO })).errorField).toBe('SINO');
    const [added] = await client.ok('APS100MI/AddHead', INVOICE_HEAD);
    expect(await client.ok('APS100MI/GetHead', { SUNO: 'BREX01', SINO })).toMatchObject([
      { INBN: added?.INBN, VONO: '0' },
    ]);
  });
});
