import { formatAmount } from './amounts.js';
import type { M3Company, Supplier } from './company.js';
import { doesNotExist, MiError } from './failures.js';
import type { Values } from './fields.js';
import { accountingDay, amountOf, checkInvoice, currencyOf, netOf, vatOf } from './invoiceCheck.js';
import {
  HEAD_OUTPUT,
  headFields,
  LINE_OUTPUT,
  LINE_RECODE_FIELDS,
  lineFields,
  UPDATE_FIELDS,
} from './invoiceFields.js';
import type { StagedInvoice } from './invoices.js';
import { DONE, divisionOf, type MiCall, type Program, transaction, value } from './mi.js';
import { rateOf } from './rules.js';

const NEWEST = ['ce-latest'] as const;
const BATCH = 'INBN!10N DIVI3';

/** APS450MI, batch supplier invoices: staged here, booked by APS455MI (Infor M3: supplier invoices). */
export const APS450MI: Program = {
  name: 'APS450MI',
  description: 'Supplier invoice batch',
  transactions: [
    transaction({ name: 'AddHead', description: 'Add head', input: headFields, output: 'INBN10N', run: addHead }),
    transaction({ name: 'AddLine', description: 'Add line', input: lineFields, output: 'TRNO7N', run: addLine }),
    transaction({
      name: 'AddHeadRecode',
      description: 'Add head of a recoding',
      releases: NEWEST,
      input: 'DIVI3 YEA4!4N VSER!3 VONO!8N ACDT10D',
      output: 'INBN10N',
      run: addHeadRecode,
    }),
    transaction({
      name: 'AddLineRecode',
      description: 'Add line of a recoding',
      releases: NEWEST,
      input: LINE_RECODE_FIELDS,
      output: 'TRNO7N',
      run: addLineRecode,
    }),
    transaction({ name: 'UpdHead', description: 'Change head', input: UPDATE_FIELDS, run: updateHead }),
    transaction({
      name: 'DltInvoice',
      description: 'Delete invoice',
      releases: NEWEST,
      input: BATCH,
      run: deleteInvoice,
    }),
    transaction({
      name: 'GetHead',
      description: 'Get head',
      input: BATCH,
      output: HEAD_OUTPUT,
      isPoll: true,
      run: (call) => [headOf(call.company, theInvoice(call))],
    }),
    transaction({
      name: 'LstLines',
      description: 'List lines',
      input: `${BATCH} TRNO7N`,
      output: LINE_OUTPUT,
      isPoll: true,
      run: listLines,
    }),
    transaction({
      name: 'LstInvBySupInv',
      description: 'List batch invoices by supplier invoice number',
      input: 'SPYN!10 SUNO!10 SINO!24 DIVI3',
      output: 'INBN10N IBTP2 SUPA2',
      isPoll: true,
      run: listByNumber,
    }),
    transaction({
      name: 'LstInvBatchNo',
      description: 'List batch invoices of a payee',
      input: 'SPYN!10 DIVI3 SUNO10 IBTP2 SUPA2 INBN10N',
      output: 'INBN10N SUNO10 SINO24 IBTP2 SUPA2',
      isPoll: true,
      run: listByPayee,
    }),
  ],
};

export const APS455MI: Program = {
  name: 'APS455MI',
  description: 'Validation of batch invoices',
  transactions: [
    transaction({
      name: 'ValidBySelect',
      description: 'Validate by selection',
      input: 'DIVI3 FSIN24 TSIN24 FINB10N TINB10N FSUN10 TSUN10',
      run: validateSelection,
    }),
    transaction({ name: 'ValidByBatchNo', description: 'Validate by batch number', input: BATCH, run: validate }),
  ],
};

/** Not a program of M3 as far as is known; for installations that made one of that name. */
export const APS100MI: Program = {
  name: 'APS100MI',
  description: 'Supplier invoice',
  isThere: ({ aps100 }) => aps100,
  transactions: [
    transaction({ name: 'AddHead', description: 'Add head', input: headFields, output: 'INBN10N', run: addHead }),
    transaction({ name: 'AddLine', description: 'Add line', input: lineFields, output: 'TRNO7N', run: addLine }),
    transaction({
      name: 'GetHead',
      description: 'Get head by invoice number',
      input: 'INBN10N SUNO10 SPYN10 SINO24 INYR4N DIVI3',
      output: HEAD_OUTPUT,
      isPoll: true,
      run: getHeadByNumber,
    }),
  ],
};

function addHead(call: MiCall): Values[] {
  const { company, settings, values } = call;
  const supplier = supplierOf(company, value(values, 'SUNO'), 'SUNO');
  const payee = value(values, 'SPYN') === '' ? supplier.payee : supplierOf(company, value(values, 'SPYN'), 'SPYN').code;
  const type = value(values, 'IBTP') || '20';
  if (type !== '20') throw new MiError(`Invoice batch type ${type} is invalid`, 'WIB0103', 'IBTP');
  const currency = value(values, 'CUCD') || company.seed.currency;
  rateOf(company, currency);
  for (const field of ['CUAM', 'VTAM']) amountOf(values, field, currency);
  const head = { ...values, CUCD: currency, IBTP: type, SPYN: payee };
  const key = {
    ...{ division: divisionOf(call), supplier: supplier.code, payee, invoiceNumber: value(values, 'SINO') },
    invoiceYear: value(values, 'IVDT').slice(0, 4),
  };
  if (settings.duplicateInvoices === 'AT_ADD_HEAD' && isTaken(company, key)) {
    throw new MiError(`Supplier invoice ${key.invoiceNumber} already exists`, 'WSI0104', 'SINO');
  }
  return [{ INBN: String(stage(call, key, head, null).number) }];
}

type InvoiceKey = Pick<StagedInvoice, 'division' | 'supplier' | 'payee' | 'invoiceNumber' | 'invoiceYear'>;

function isTaken(company: M3Company, key: InvoiceKey): boolean {
  const staged = company.invoices.staged(key.division, key.payee, key.supplier, key.invoiceNumber);
  return (
    company.invoices.posted(key) !== undefined || staged.some(({ invoiceYear }) => invoiceYear === key.invoiceYear)
  );
}

function stage(
  { company, settings }: MiCall,
  key: InvoiceKey,
  head: Record<string, string>,
  recodes: StagedInvoice | null,
): StagedInvoice {
  return company.invoices.add({
    ...{ ...key, head, recodes, order: company.nextOrder(), lines: [], status: settings.statusNew, isSubmitted: false },
    ...{ headError: false, lineError: false, problems: [], voucher: null, approved: false, recodedBy: [] },
  });
}

function supplierOf(company: M3Company, code: string, field: string): Supplier {
  const supplier = company.suppliers.get(code);
  if (supplier === undefined) throw doesNotExist('Supplier number', code, field, 'WSU0103');
  return supplier;
}

function theInvoice(call: MiCall): StagedInvoice {
  const number = value(call.values, 'INBN');
  const invoice = call.company.invoices.find(number);
  if (invoice === undefined || invoice.division !== divisionOf(call)) {
    throw doesNotExist('Invoice batch number', number, 'INBN', 'WIN0103');
  }
  return invoice;
}

/** @throws MiError the invoice is in the books, or on its way there. */
function changeable(call: MiCall): StagedInvoice {
  const invoice = theInvoice(call);
  if (invoice.voucher === null && !invoice.isSubmitted) return invoice;
  throw new MiError(`Invoice batch number ${invoice.number} cannot be changed`, 'WIN0105', 'INBN');
}

const LINE_TYPES = ['1', '2', '3', '5', '8'];

function addLine(call: MiCall): Values[] {
  const { company, values } = call;
  const invoice = changeable(call);
  const type = String(Number(value(values, 'RDTP')));
  if (!LINE_TYPES.includes(type)) throw new MiError(`Line type ${type} is invalid`, 'WRD0103', 'RDTP');
  const currency = currencyOf(company, invoice);
  for (const field of ['NLAM', 'GLAM', 'VTA1', 'VTA2', 'CLAM']) amountOf(values, field, currency);
  const vatCode = value(values, 'VTCD');
  if (vatCode !== '' && company.taxCodes.every(({ code }) => Number(code) !== Number(vatCode))) {
    throw doesNotExist('VAT code', vatCode, 'VTCD', 'WVT0103');
  }
  return [{ TRNO: pushLine(invoice, type, values) }];
}

function pushLine(invoice: StagedInvoice, type: string, values: Values): string {
  const number = String(Number(invoice.lines.at(-1)?.number ?? '0') + 1);
  invoice.lines.push({ number, type, values: { ...values }, hasError: false });
  return number;
}

function addHeadRecode(call: MiCall): Values[] {
  const { company, values } = call;
  const voucher = company.vouchers
    .withNumber(divisionOf(call), value(values, 'YEA4'), value(values, 'VONO'))
    .find(({ series }) => series === value(values, 'VSER'));
  const invoice = voucher && company.invoices.withVoucher(voucher);
  if (invoice === undefined) throw doesNotExist('Supplier invoice voucher', value(values, 'VONO'), 'VONO', 'WVO0103');
  const { division, supplier, payee, invoiceNumber, invoiceYear } = invoice;
  const head = { ...invoice.head, IBTP: '25', ACDT: value(values, 'ACDT') || (invoice.head.ACDT ?? '') };
  const recode = stage(call, { division, supplier, payee, invoiceNumber, invoiceYear }, head, invoice);
  return [{ INBN: String(recode.number) }];
}

function addLineRecode(call: MiCall): Values[] {
  const invoice = changeable(call);
  if (invoice.recodes === null) throw new MiError('The invoice is no recoding', 'WIB0104', 'INBN');
  amountOf(call.values, 'NLAM', currencyOf(call.company, invoice));
  return [{ TRNO: pushLine(invoice, '8', call.values) }];
}

function updateHead(call: MiCall): typeof DONE {
  const invoice = changeable(call);
  const currency = value(call.values, 'CUCD') || currencyOf(call.company, invoice);
  rateOf(call.company, currency);
  for (const field of ['CUAM', 'VTAM']) amountOf(call.values, field, currency);
  for (const [field, text] of Object.entries(call.values)) {
    // Blank leaves a field as it is; the key of the invoice is changed by deleting it.
    if (text !== '' && !['INBN', 'DIVI', 'SUNO', 'SPYN', 'SINO', 'IVDT'].includes(field)) invoice.head[field] = text;
  }
  return DONE;
}

function deleteInvoice(call: MiCall): typeof DONE {
  call.company.invoices.remove(changeable(call));
  return DONE;
}

/** OK means no more than that it was handed over (Infor M3: APS455MI). */
function validate(call: MiCall): typeof DONE {
  const invoice = theInvoice(call);
  if (invoice.voucher !== null) {
    throw new MiError(`Invoice batch number ${invoice.number} is already updated`, 'WIN0106', 'INBN');
  }
  submit(call, invoice);
  return DONE;
}

function submit({ company, settings, now }: MiCall, invoice: StagedInvoice): void {
  if (invoice.isSubmitted) return;
  invoice.isSubmitted = true;
  invoice.status = settings.statusSubmitted;
  company.jobs.add(settings.validationPolls, settings.validationMs, () => finishValidation(company, invoice, now));
}

/** Takes every batch invoice within the ranges, whoever staged it: a range left open takes them all. */
function validateSelection(call: MiCall): typeof DONE {
  const { company, values } = call;
  const within = (text: string, from: string, to: string): boolean =>
    text >= value(values, from) && (value(values, to) === '' || text <= value(values, to));
  const last = value(values, 'TINB') === '' ? Number.POSITIVE_INFINITY : Number(value(values, 'TINB'));
  for (const invoice of company.invoices.all()) {
    if (invoice.voucher !== null || invoice.division !== divisionOf(call)) continue;
    if (invoice.number < Number(value(values, 'FINB')) || invoice.number > last) continue;
    if (!within(invoice.invoiceNumber, 'FSIN', 'TSIN') || !within(invoice.supplier, 'FSUN', 'TSUN')) continue;
    submit(call, invoice);
  }
  return DONE;
}

export function finishValidation(company: M3Company, invoice: StagedInvoice, now: Date): void {
  const { settings } = company;
  const verdict = checkInvoice(company, invoice, now);
  invoice.isSubmitted = false;
  if ('voucher' in verdict) {
    company.invoices.book(invoice, company.vouchers.add(verdict.voucher));
    Object.assign(invoice, { status: settings.statusPosted, headError: false, lineError: false, problems: [] });
    for (const line of invoice.lines) line.hasError = false;
    return;
  }
  const { headProblems, lineProblems } = verdict;
  invoice.status = invoice.recodes === null ? settings.statusRefused : '78';
  invoice.headError = headProblems.length > 0;
  invoice.lineError = lineProblems.length > 0;
  invoice.problems = [...headProblems, ...lineProblems.map(({ problem }) => problem)];
  for (const line of invoice.lines) line.hasError = lineProblems.some((found) => found.line === line);
}

function headOf(company: M3Company, invoice: StagedInvoice): Values {
  const currency = currencyOf(company, invoice);
  const { head, voucher } = invoice;
  const [net, vat] = [netOf(invoice, currency), vatOf(invoice, currency)];
  return {
    ...head,
    ...{ INBN: String(invoice.number), DIVI: invoice.division, SUPA: invoice.status },
    ...{
      BIST: invoice.isSubmitted ? '1' : '0',
      IBHE: invoice.headError ? '1' : '0',
      IBLE: invoice.lineError ? '1' : '0',
    },
    ...{ CUAM: formatAmount(amountOf(head, 'CUAM', currency), currency), VTAM: formatAmount(vat, currency) },
    ACDT: accountingDay(invoice).replaceAll('-', ''),
    ...{ VONO: voucher === null ? '0' : String(voucher.number), VSER: voucher?.series ?? '' },
    YEA4: voucher === null ? '0' : String(voucher.year),
    ...{ TLNA: formatAmount(net, currency), TCHG: formatAmount(0n, currency), TOPA: formatAmount(net + vat, currency) },
  };
}

function* listLines(call: MiCall): Generator<Values> {
  const invoice = theInvoice(call);
  const from = Number(value(call.values, 'TRNO') || '0');
  for (const line of invoice.lines) {
    if (Number(line.number) < from) continue;
    yield {
      ...line.values,
      TRNO: line.number,
      RDTP: line.type,
      IBLE: line.hasError ? '1' : '0',
      INYR: invoice.invoiceYear,
    };
  }
}

function listed({ settings }: MiCall, invoice: StagedInvoice): boolean {
  return settings.listsPostedInvoices || invoice.voucher === null;
}

function listByNumber(call: MiCall): Values[] {
  const { company, values } = call;
  return company.invoices
    .staged(divisionOf(call), value(values, 'SPYN'), value(values, 'SUNO'), value(values, 'SINO'))
    .filter((invoice) => listed(call, invoice))
    .map((invoice) => ({ INBN: String(invoice.number), IBTP: invoice.head.IBTP ?? '', SUPA: invoice.status }));
}

function* listByPayee(call: MiCall): Generator<Values> {
  const { company, values } = call;
  for (const invoice of company.invoices.ofPayee(
    divisionOf(call),
    value(values, 'SPYN'),
    value(values, 'INBN') || '0',
  )) {
    const row = {
      ...{ INBN: String(invoice.number), SUNO: invoice.supplier, SINO: invoice.invoiceNumber },
      ...{ IBTP: invoice.head.IBTP ?? '', SUPA: invoice.status },
    };
    const wanted = (['SUNO', 'IBTP', 'SUPA'] as const).every((field) =>
      ['', row[field]].includes(value(values, field)),
    );
    if (wanted && listed(call, invoice)) yield row;
  }
}

function getHeadByNumber(call: MiCall): Values[] {
  const { company, values } = call;
  if (value(values, 'INBN') !== '') return [headOf(company, theInvoice(call))];
  const number = value(values, 'SINO');
  const found = company.invoices
    .withInvoiceNumber(number)
    .filter((invoice) => invoice.division === divisionOf(call) && invoice.recodes === null)
    .filter((invoice) => ['', invoice.supplier].includes(value(values, 'SUNO')))
    .filter((invoice) => ['', invoice.payee].includes(value(values, 'SPYN')))
    .find((invoice) => ['', invoice.invoiceYear].includes(value(values, 'INYR')));
  if (found === undefined) throw doesNotExist('Supplier invoice', number, 'SINO', 'WSI0103');
  return [headOf(company, found)];
}
