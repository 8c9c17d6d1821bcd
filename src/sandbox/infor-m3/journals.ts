import { formatAmount, packDay, parseAmount, parseRate, unpackDay } from './amounts.js';
import { type BatchLine, type GlBatch, referenceOf } from './batches.js';
import { COMPANY, type M3Company } from './company.js';
import { alreadyExists, doesNotExist, MiError, notAuthorised, tooLong, unknownField } from './failures.js';
import { checkInput, DIMENSION_FIELDS, fieldList } from './fields.js';
import { DONE, divisionOf, type MiCall, type Program, refuse, transaction, value } from './mi.js';
import { checkAccounting, checkPeriod, localAmounts, rateOf } from './rules.js';
import { append } from './sorted.js';
import type { VoucherDraft, VoucherLine } from './vouchers.js';

const LINE_FIELDS = `DIVI3 GRNR10 EICD1N ${DIMENSION_FIELDS} ACQT17N CRTP2N CUCD3 ARAT13N CUAM17N ACAM17N DBCR1 ACDT10D
  VTCD2N VTXT40l FTCO3 BSCD3 VRNO16 EXN13 EXI145l EXN23 EXI245l SHDT10D`;
const POSITION_FIELDS = fieldList(LINE_FIELDS);
const BATCH_KEY = 'CONO!3N KEY1!15 DIVI3';

/** GLS840MI, the generic interface of the general ledger. It has no list and no get (Infor M3: GL journals). */
export const GLS840MI: Program = {
  name: 'GLS840MI',
  description: 'Generic GL interface',
  transactions: [
    transaction({
      name: 'AddBatchHead',
      description: 'Add batch head',
      input: 'CONO!3N KEY1!15 INTN!15 DESC!40l DIVI3 USID10',
      run: addHead,
    }),
    transaction({
      name: 'AddBatchLine',
      description: 'Add batch line, position based',
      input: 'CONO!3N KEY1!15 LINE!7N PARM!900l DIVI3',
      run: (call) => addLine(call, 'POSITIONS', readPositions(call)),
    }),
    transaction({
      name: 'AddBatchLineFld',
      description: 'Add batch line, field based',
      releases: ['ce-2020', 'ce-latest'],
      input: `KEY1!15 LINE!7N INRI!2 ${LINE_FIELDS}`,
      run: (call) => addLine(call, 'FIELDS', readFields(call)),
    }),
    transaction({ name: 'CtrlBatch', description: 'Control batch', input: BATCH_KEY, run: control }),
    transaction({ name: 'UpdBatch', description: 'Update batch', input: BATCH_KEY, run: update }),
  ],
};

function addHead(call: MiCall): typeof DONE {
  const { company, settings, values } = call;
  checkCompany(call);
  const key = value(values, 'KEY1');
  const division = value(values, 'DIVI') || refuse('Division must be entered', 'WDI0102', 'DIVI');
  if (value(values, 'INTN') !== settings.interfaceName.toUpperCase()) {
    throw doesNotExist('Interface', value(values, 'INTN'), 'INTN', 'WIN0103');
  }
  if (company.batches.find(key) !== undefined) throw alreadyExists('Batch', key, 'KEY1', 'WKE0104');
  const order = company.nextOrder();
  company.batches.add({
    ...{ order, key, division, interfaceName: value(values, 'INTN'), description: value(values, 'DESC') },
  });
  return DONE;
}

function addLine(call: MiCall, usage: 'POSITIONS' | 'FIELDS', line: Omit<BatchLine, 'number'>): typeof DONE {
  const { company, settings, values } = call;
  if (settings.interfaceUsage !== usage) {
    throw new MiError(`Interface ${settings.interfaceName} has another usage type`, 'WUS0105', 'INTN');
  }
  const batch = batchOf(call);
  const number = value(values, 'LINE');
  if (settings.duplicateLines === 'REFUSED' && batch.lines.some((known) => known.number === number)) {
    throw alreadyExists('Line', number, 'LINE', 'WLI0104');
  }
  if (batch.updates > 0) throw new MiError(`Batch ${batch.key} is already updated`, 'WKE0105', 'KEY1');
  company.batches.addLine(batch, { ...line, number });
  return DONE;
}

function readFields({ settings, values }: MiCall): Omit<BatchLine, 'number'> {
  if (value(values, 'INRI') !== settings.inputRecord.toUpperCase()) {
    throw doesNotExist('Input record', value(values, 'INRI'), 'INRI', 'WIR0103');
  }
  return { group: value(values, 'GRNR'), values: { ...values } };
}

/** Cuts a positional line as GLS850's layout says. */
function readPositions({ settings, values }: MiCall): Omit<BatchLine, 'number'> {
  const parameter = value(values, 'PARM');
  const end = Math.max(...settings.positions.map(({ to }) => to));
  if (parameter.length > end) throw tooLong('PARM', end);
  const cut: Record<string, string> = {};
  for (const { field, from, to } of settings.positions) {
    if (!POSITION_FIELDS.some(({ name }) => name === field)) throw unknownField(field);
    const text = parameter.slice(from - 1, to).trim();
    if (text !== '') cut[field] = text;
  }
  const read = checkInput(POSITION_FIELDS, cut, 'YMD8');
  return { group: value(read, 'GRNR'), values: read };
}

function batchOf({ company, values, division }: MiCall): GlBatch {
  const key = value(values, 'KEY1');
  const batch = company.batches.find(key);
  if (batch === undefined || batch.division !== divisionOf({ values, division })) {
    throw doesNotExist('Batch', key, 'KEY1', 'WKE0103');
  }
  return batch;
}

function checkCompany({ values }: MiCall): void {
  const company = value(values, 'CONO');
  if (company !== COMPANY) throw notAuthorised(`company ${company}`, 'CONO');
}

function control(call: MiCall): typeof DONE {
  checkCompany(call);
  const batch = batchOf(call);
  planVouchers(call, batch);
  batch.controlled = true;
  return DONE;
}

function update(call: MiCall): typeof DONE {
  checkCompany(call);
  const { company, settings } = call;
  const batch = batchOf(call);
  if (batch.updates > 0 && settings.repeatedUpdate === 'REFUSED') {
    throw new MiError(`Batch ${batch.key} is already updated`, 'WKE0105', 'KEY1');
  }
  if (settings.controlRequired && !batch.controlled) {
    throw new MiError(`Batch ${batch.key} is not controlled`, 'WKE0106', 'KEY1');
  }
  if (settings.updateErrors === 'ANSWERED') planVouchers(call, batch);
  batch.updates += 1;
  company.jobs.add(settings.updatePolls, settings.updateMs, () => post(call, batch));
  return DONE;
}

/** What became wrong since the update was accepted is told to nobody: the batch just never gets its vouchers. */
function post(call: MiCall, batch: GlBatch): void {
  try {
    for (const draft of planVouchers(call, batch)) batch.vouchers.push(call.company.vouchers.add(draft));
  } catch (error) {
    if (!(error instanceof MiError)) throw error;
    batch.failure = error.packed;
  }
}

/** @returns one voucher for each group of lines. @throws MiError naming what is wrong with the first unusable one. */
function planVouchers({ company, settings, now }: MiCall, batch: GlBatch): VoucherDraft[] {
  if (batch.lines.length === 0) throw new MiError(`Batch ${batch.key} has no lines`, 'WKE0107', 'KEY1');
  const groups = new Map<string, BatchLine[]>();
  for (const line of batch.lines) append(groups, line.group, line);
  return [...groups.values()].map((lines) => {
    const [head] = lines;
    const currency = value(head?.values ?? {}, 'CUCD') || company.seed.currency;
    const packed = value(head?.values ?? {}, 'ACDT') || packDay(now.toISOString().slice(0, 10));
    const date = unpackDay(packed);
    checkPeriod(company, date, 'ACDT');
    const rateText = value(head?.values ?? {}, 'ARAT');
    const rate = (rateText === '' ? undefined : parseRate(rateText)) ?? rateOf(company, currency);
    return {
      ...{ division: batch.division, year: company.yearOf(date), series: 'GL1', date, currency, rate },
      ...{ period: company.periodNumber(date), famFunction: 'GL01', transactionCode: '50', enteredAt: now },
      reference: referenceOf(batch.key, lines),
      lines: readLines(company, settings, lines, currency, packed, rate),
    };
  });
}

function readLines(
  company: M3Company,
  settings: MiCall['settings'],
  lines: readonly BatchLine[],
  currency: string,
  packed: string,
  rate: bigint,
): VoucherLine[] {
  const read = lines.map(({ values }) => {
    if ((value(values, 'CUCD') || company.seed.currency) !== currency) {
      throw new MiError('The lines of a voucher have different currencies', 'WCU0104', 'CUCD');
    }
    if (value(values, 'ACDT') !== '' && value(values, 'ACDT') !== packed) {
      throw new MiError('The lines of a voucher have different accounting dates', 'WAC0104', 'ACDT');
    }
    const dimensions = dimensionsOf(values);
    checkAccounting(company, dimensions, unpackDay(packed));
    return { dimensions, amount: readAmount(settings, values, currency), vatCode: value(values, 'VTCD'), values };
  });
  const balance = read.reduce((sum, { amount }) => sum + amount, 0n);
  if (balance !== 0n) {
    throw new MiError(`The voucher does not balance: ${formatAmount(balance, currency)}`, 'WBA0101', 'CUAM');
  }
  const amounts = read.map(({ amount }) => amount);
  const local = localAmounts(company, amounts, rate);
  return read.map(({ dimensions, amount, vatCode, values }, index) => ({
    ...{ dimensions, amount, vatCode, text: value(values, 'VTXT'), localAmount: local[index] ?? 0n },
  }));
}

/** @returns AIT1 to AIT7. */
export function dimensionsOf(values: Readonly<Record<string, string>>): string[] {
  return [1, 2, 3, 4, 5, 6, 7].map((number) => values[`AIT${number}`] ?? '');
}

function readAmount(settings: MiCall['settings'], values: Readonly<Record<string, string>>, currency: string): bigint {
  const field = value(values, 'CUAM') === '' ? 'ACAM' : 'CUAM';
  const text = value(values, field);
  const amount = parseAmount(text, currency);
  if (amount === undefined || amount === 0n)
    throw new MiError(`Amount ${text || 'blank'} is invalid`, 'WAM0101', field);
  if (settings.signs === 'SIGNED') return amount;
  if (amount < 0n) throw new MiError(`Amount ${text} must be positive`, 'WAM0102', field);
  const side = value(values, 'DBCR');
  if (side === settings.debitCode) return amount;
  if (side === settings.creditCode) return -amount;
  throw new MiError(`Debit/credit code ${side || 'blank'} is invalid`, 'WDC0101', 'DBCR');
}
