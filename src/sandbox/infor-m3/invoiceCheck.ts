import { formatAmount, parseAmount, parseRate, unpackDay } from './amounts.js';
import type { M3Company } from './company.js';
import { MiError } from './failures.js';
import type { InvoiceLine, StagedInvoice } from './invoices.js';
import { dimensionsOf } from './journals.js';
import { checkAccounting, checkPeriod, localAmounts, rateOf } from './rules.js';
import type { VoucherDraft, VoucherLine } from './vouchers.js';

/** What validation found: a voucher to book, or what is wrong with the head and with which lines. */
export type Verdict =
  | { voucher: VoucherDraft }
  | { headProblems: string[]; lineProblems: { line: InvoiceLine; problem: string }[] };

type Part = Omit<VoucherLine, 'localAmount'>;

/** Line types that carry VAT only (Infor M3: line types). */
const VAT_LINE = '3';
const ACCOUNTING_LINE = '8';

/** Checks a batch invoice as APS455 does; nothing is changed. */
export function checkInvoice(company: M3Company, invoice: StagedInvoice, now: Date): Verdict {
  const headProblems: string[] = [];
  const lineProblems: { line: InvoiceLine; problem: string }[] = [];
  const collect = (check: () => void): void => {
    const problem = problemOf(check);
    if (problem !== undefined) headProblems.push(problem);
  };
  const currency = currencyOf(company, invoice);
  const day = accountingDay(invoice);
  collect(() => checkPeriod(company, day, 'ACDT'));
  collect(() => checkParties(company, invoice));
  const parts: Part[] = [];
  for (const line of invoice.lines) {
    if (line.type === VAT_LINE) continue;
    const problem = problemOf(() => parts.push(costPart(company, invoice, line, currency, day)));
    if (problem !== undefined) lineProblems.push({ line, problem });
  }
  if (lineProblems.length === 0) {
    collect(() => parts.push(...otherParts(company, invoice, parts, currency)));
  }
  if (headProblems.length + lineProblems.length > 0) return { headProblems, lineProblems };
  return { voucher: voucherOf(company, invoice, parts, currency, day, now) };
}

export function accountingDay({ head }: StagedInvoice): string {
  return unpackDay(head.ACDT || head.IVDT || '');
}

export function currencyOf(company: M3Company, { head }: StagedInvoice): string {
  return head.CUCD || company.seed.currency;
}

/** @returns an amount of a head or a line; blank is none. @throws MiError it cannot be read in the currency. */
export function amountOf(values: Readonly<Record<string, string>>, field: string, currency: string): bigint {
  const text = values[field] ?? '';
  const amount = text === '' ? 0n : parseAmount(text, currency);
  if (amount === undefined) throw new MiError(`Amount ${text} is invalid`, 'WAM0101', field);
  return amount;
}

/** @returns the invoice's VAT: that of its VAT lines, or else that of its head. */
export function vatOf(invoice: StagedInvoice, currency: string): bigint {
  const lines = invoice.lines.filter(({ type }) => type === VAT_LINE);
  if (lines.length === 0) return amountOf(invoice.head, 'VTAM', currency);
  return lines.reduce((sum, { values }) => {
    const field = (values.VTA1 ?? '') === '' ? 'CLAM' : 'VTA1';
    return sum + amountOf(values, field, currency);
  }, 0n);
}

/** @returns the net amount of all lines that are not VAT. */
export function netOf(invoice: StagedInvoice, currency: string): bigint {
  const lines = invoice.lines.filter(({ type }) => type !== VAT_LINE);
  return lines.reduce((sum, { values }) => sum + amountOf(values, 'NLAM', currency), 0n);
}

function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof MiError) return error.packed;
    throw error;
  }
}

function checkParties(company: M3Company, invoice: StagedInvoice): void {
  if (invoice.recodes !== null) return;
  const supplier = company.suppliers.get(invoice.supplier);
  if (supplier?.status !== '20') {
    throw new MiError(`Supplier ${invoice.supplier} is not active`, 'WSU0105', 'SUNO');
  }
  if (company.invoices.posted(invoice) !== undefined) {
    throw new MiError(`Supplier invoice ${invoice.invoiceNumber} already exists`, 'WSI0104', 'SINO');
  }
}

function costPart(company: M3Company, invoice: StagedInvoice, line: InvoiceLine, currency: string, day: string): Part {
  const amount = amountOf(line.values, 'NLAM', currency);
  if (amount === 0n) throw new MiError('Net amount must be entered', 'WAM0103', 'NLAM');
  const given = dimensionsOf(line.values);
  const isCoded = (line.type === ACCOUNTING_LINE || invoice.recodes !== null) && given[0] !== '';
  const dimensions = isCoded ? given : [company.derivedAccount(), ...given.slice(1)];
  if (isCoded) checkAccounting(company, dimensions, day);
  return {
    dimensions,
    amount,
    vatCode: line.values.VTCD ?? '',
    text: line.values.VTXT || line.values.CHGT || '',
  };
}

/** VAT and the payables side. A recode has neither: its lines balance among themselves. */
function otherParts(company: M3Company, invoice: StagedInvoice, costs: readonly Part[], currency: string): Part[] {
  const net = costs.reduce((sum, { amount }) => sum + amount, 0n);
  if (invoice.lines.length === 0) throw new MiError('The invoice has no lines', 'WLI0101');
  if (invoice.recodes !== null) {
    if (net !== 0n) throw new MiError('The recoding does not balance', 'WBA0101', 'NLAM');
    return [];
  }
  const total = amountOf(invoice.head, 'CUAM', currency);
  const vat = vatOf(invoice, currency);
  if (total === 0n) throw new MiError('Amount must be entered', 'WAM0103', 'CUAM');
  if (total < 0n && company.settings.negativeInvoices === 'REFUSED') {
    throw new MiError('Negative invoices are not allowed', 'WAM0104', 'CUAM');
  }
  if ((invoice.head.VTAM ?? '') !== '' && amountOf(invoice.head, 'VTAM', currency) !== vat) {
    throw new MiError('VAT amount differs from the VAT lines', 'WVT0101', 'VTAM');
  }
  if (net + vat !== total) {
    const difference = formatAmount(total - net - vat, currency);
    throw new MiError(`The lines differ from the invoice amount by ${difference}`, 'WBA0102', 'CUAM');
  }
  const part = (account: string, amount: bigint): Part => ({
    ...{ dimensions: [account, '', '', '', '', '', ''], amount, vatCode: '', text: invoice.invoiceNumber },
  });
  const { payablesAccount, taxAccount } = company.seed;
  return [...(vat === 0n ? [] : [part(taxAccount, vat)]), part(payablesAccount, -total)];
}

function voucherOf(
  company: M3Company,
  invoice: StagedInvoice,
  parts: readonly Part[],
  currency: string,
  date: string,
  now: Date,
): VoucherDraft {
  const rateText = invoice.head.ARAT ?? '';
  const rate = (rateText === '' ? undefined : parseRate(rateText)) ?? rateOf(company, currency);
  const local = localAmounts(
    company,
    parts.map(({ amount }) => amount),
    rate,
  );
  const isRecode = invoice.recodes !== null;
  return {
    ...{
      division: invoice.division,
      year: company.yearOf(date),
      series: isRecode ? 'AP5' : 'AP1',
      date,
      currency,
      rate,
    },
    ...{ period: company.periodNumber(date), famFunction: isRecode ? 'AP51' : 'AP50', transactionCode: '40' },
    ...{ reference: invoice.invoiceNumber, enteredAt: now },
    lines: parts.map((part, index) => ({ ...part, localAmount: local[index] ?? 0n })),
  };
}
