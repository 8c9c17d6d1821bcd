import { formatAmount, packDay } from './amounts.js';
import { doesNotExist } from './failures.js';
import type { Values } from './fields.js';
import { vatOf } from './invoiceCheck.js';
import type { StagedInvoice } from './invoices.js';
import { DONE, divisionOf, type MiCall, type Program, transaction, value } from './mi.js';
import type { Voucher } from './vouchers.js';

const SUPPLIER_INVOICE = '40';
const OUTPUT = `DIVI3 YEA44N JRNO7N JSNO7N VSER3 VONO8N SPYN10 SUNO10 SINO24 INYR4N TRCD2N CUCD3 CUAM17N VTAM17N
  IVDT10D ACDT10D DUDT10D APRV1`;
const INVOICE = 'SPYN!10 SINO!24 INYR!4N SUNO!10';

/** APS200MI: supplier invoices that are in the books (Infor M3: read back a posted invoice). */
export const APS200MI: Program = {
  name: 'APS200MI',
  description: 'Supplier invoices',
  transactions: [
    transaction({
      name: 'LstInvoiceTrans',
      description: 'List transactions of an invoice',
      releases: ['ce-2020'],
      input: `${INVOICE} DIVI3 TRCD2N`,
      output: OUTPUT,
      isPoll: true,
      run: (call) => {
        const wanted = ['', SUPPLIER_INVOICE].includes(value(call.values, 'TRCD'));
        return invoicesAsked(call)
          .filter(() => wanted)
          .map(rowOf);
      },
    }),
    transaction({
      name: 'GetInvTotInfo',
      description: 'Get totals of an invoice',
      input: `DIVI!3 ${INVOICE}`,
      // Without the voucher: whoever wants it asks further with year and journal.
      output: 'DIVI3 YEA44N JRNO7N JSNO7N TRCD2N SPYN10 SUNO10 SINO24 INYR4N CUCD3 CUAM17N VTAM17N IVDT10D TOPA17N',
      isPoll: true,
      run: (call) => [theRow(invoicesAsked(call), value(call.values, 'SINO'))],
    }),
    transaction({
      name: 'GetUniqueKey',
      description: 'Get key of an invoice',
      input: 'SUNO!10 SINO!24 IVDT!10D INYR!4N TRCD!2N DIVI3',
      output: 'DIVI3 YEA44N JRNO7N JSNO7N',
      isPoll: true,
      run: (call) => [theRow(bySupplier(call), value(call.values, 'SINO'))],
    }),
    transaction({
      name: 'GetInvoice',
      description: 'Get an invoice by its journal',
      input: 'YEA4!4N JRNO!7N JSNO!7N DIVI3',
      output: OUTPUT,
      isPoll: true,
      run: getInvoice,
    }),
    transaction({
      name: 'SearchSupInvoic',
      description: 'Search supplier invoices',
      input: 'SQRY!256l',
      output: OUTPUT,
      isPoll: true,
      run: search,
    }),
  ],
};

export const APS110MI: Program = {
  name: 'APS110MI',
  description: 'Approval of supplier invoices',
  transactions: [
    transaction({
      name: 'ApproveInvoice',
      description: 'Approve an invoice',
      input: 'DIVI!3 SUNO!10 SINO!24 INYR!4N SPYN10',
      run: (call) => {
        const [found] = bySupplier(call);
        if (found === undefined) throw missing(value(call.values, 'SINO'));
        found.invoice.approved = true;
        return DONE;
      },
    }),
  ],
};

interface PostedInvoice {
  invoice: StagedInvoice;
  voucher: Voucher;
}

function posted(invoices: readonly StagedInvoice[]): PostedInvoice[] {
  return invoices.flatMap((invoice) =>
    invoice.voucher === null || invoice.recodes !== null ? [] : [{ invoice, voucher: invoice.voucher }],
  );
}

function invoicesAsked(call: MiCall): PostedInvoice[] {
  const { values, company } = call;
  const found = company.invoices.posted({
    ...{ division: divisionOf(call), payee: value(values, 'SPYN'), supplier: value(values, 'SUNO') },
    ...{ invoiceNumber: value(values, 'SINO'), invoiceYear: value(values, 'INYR') },
  });
  return posted(found === undefined ? [] : [found]);
}

function bySupplier(call: MiCall): PostedInvoice[] {
  const { values, company } = call;
  const candidates = company.invoices.withInvoiceNumber(value(values, 'SINO')).filter((invoice) => {
    const isTheirs = invoice.supplier === value(values, 'SUNO') && invoice.division === divisionOf(call);
    return isTheirs && invoice.invoiceYear === value(values, 'INYR');
  });
  return posted(candidates);
}

function getInvoice(call: MiCall): Values[] {
  const { company, values } = call;
  const voucher = company.vouchers.withJournal(value(values, 'YEA4'), value(values, 'JRNO'));
  const invoice = voucher && company.invoices.withVoucher(voucher);
  if (voucher === undefined || invoice === undefined) throw missing(value(values, 'JRNO'));
  return [rowOf({ invoice, voucher })];
}

function search(call: MiCall): Values[] {
  const match = /^(?:SINO:)?"?([^\s":*]+)"?$/.exec(value(call.values, 'SQRY').trim());
  const invoices = match === null ? [] : call.company.invoices.withInvoiceNumber(match[1] ?? '');
  return posted(invoices.filter(({ division }) => division === call.division)).map(rowOf);
}

function theRow(found: readonly PostedInvoice[], number: string): Values {
  const [row] = found.map(rowOf);
  if (row === undefined) throw missing(number);
  return row;
}

function missing(number: string): Error {
  return doesNotExist('Supplier invoice', number, 'SINO', 'WSI0103');
}

function rowOf({ invoice, voucher }: PostedInvoice): Values {
  const { currency } = voucher;
  const total = invoice.head.CUAM ?? '';
  return {
    ...{ DIVI: invoice.division, YEA4: String(voucher.year), JRNO: String(voucher.journal), VSER: voucher.series },
    // The payables line is the last of the voucher.
    ...{ JSNO: String(voucher.lines.length), VONO: String(voucher.number), TRCD: SUPPLIER_INVOICE, CUCD: currency },
    ...{ SPYN: invoice.payee, SUNO: invoice.supplier, SINO: invoice.invoiceNumber, INYR: invoice.invoiceYear },
    ...{ CUAM: total, VTAM: formatAmount(vatOf(invoice, currency), currency), TOPA: total },
    ...{ IVDT: invoice.head.IVDT ?? '', ACDT: packDay(voucher.date), DUDT: invoice.head.DUDT ?? '' },
    APRV: invoice.approved ? '1' : '0',
  };
}
