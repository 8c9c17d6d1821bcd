import { formatAmount, packDay, unpackDay } from './amounts.js';
import { COMPANY } from './company.js';
import { doesNotExist, MiError, noSuchTransaction } from './failures.js';
import { DIMENSION_FIELDS, type Values } from './fields.js';
import { divisionOf, type MiCall, type Program, transaction, value } from './mi.js';
import { totalsOf, type Voucher, type VoucherLine } from './vouchers.js';

const LINE_OUTPUT = `CONO3N DIVI3 YEA44N JRNO7N JSNO7N VSER3 VONO8N VSNO7N FEID4 FNCN3N TRCD2N ACDT10D OCDT10D ${DIMENSION_FIELDS}
  ACAM17N CUAM17N CUCD3 ARAT13N DBCR1 DCFG1 VTCD2N VTXT40l ACYP6N RGDT10D RGTM6N CHID10 LMDT10D CHNO3N`;
const VOUCHER_KEY = 'DIVI!3 YEA4!4N VONO!8N VSER3 JRNO7N';

/** GLS200MI: how vouchers are read back (Infor M3: reading the ledger back). */
export const GLS200MI: Program = {
  name: 'GLS200MI',
  description: 'General ledger',
  transactions: [
    transaction({
      name: 'LstVouchersByDt',
      description: 'List transactions of vouchers within dates',
      input: 'FRDT!10D TODT!10D DIVI3',
      output: LINE_OUTPUT,
      isPoll: true,
      run: listByDate,
    }),
    transaction({
      name: 'LstVoucherLines',
      description: 'List lines of a voucher',
      input: VOUCHER_KEY,
      output: LINE_OUTPUT,
      isPoll: true,
      run: (call) => vouchersAsked(call).flatMap((voucher) => linesOf(call, voucher)),
    }),
    transaction({
      name: 'GetVoucherHead',
      description: 'Get totals of a voucher',
      input: VOUCHER_KEY,
      output: 'DIVI3 YEA44N VONO8N VSER3 JRNO7N ACDT10D DSUM17N CSUM17N CUAD17N CUAC17N CUCD3',
      isPoll: true,
      run: (call) => [headOf(call, theVoucher(call))],
    }),
    transaction({
      name: 'GetVoucherLine',
      description: 'Get a line of a voucher',
      input: 'DIVI!3 YEA4!4N JRNO!7N JSNO!7N',
      output: LINE_OUTPUT,
      isPoll: true,
      run: getLine,
    }),
    transaction({
      name: 'SearchGenLedger',
      description: 'Search the general ledger',
      input: 'SQRY!256l',
      output: LINE_OUTPUT,
      isPoll: true,
      run: search,
    }),
  ],
};

function* listByDate(call: MiCall): Generator<Values> {
  const [first, last] = [unpackDay(value(call.values, 'FRDT')), unpackDay(value(call.values, 'TODT'))];
  for (const voucher of call.company.vouchers.between(divisionOf(call), first, last)) yield* linesOf(call, voucher);
}

function vouchersAsked(call: MiCall): Voucher[] {
  const { company, values } = call;
  const [series, journal] = [value(values, 'VSER'), value(values, 'JRNO')];
  return company.vouchers
    .withNumber(value(values, 'DIVI'), value(values, 'YEA4'), value(values, 'VONO'))
    .filter((voucher) => series === '' || voucher.series === series)
    .filter((voucher) => journal === '' || voucher.journal === Number(journal));
}

function theVoucher(call: MiCall): Voucher {
  const [voucher] = vouchersAsked(call);
  if (voucher === undefined) throw doesNotExist('Voucher', value(call.values, 'VONO'), 'VONO', 'WVO0103');
  return voucher;
}

function getLine(call: MiCall): Values[] {
  const { company, values } = call;
  const voucher = company.vouchers.withJournal(value(values, 'YEA4'), value(values, 'JRNO'));
  const line = voucher && linesOf(call, voucher)[Number(value(values, 'JSNO')) - 1];
  if (line === undefined) throw doesNotExist('Voucher line', value(values, 'JSNO'), 'JSNO', 'WVO0104');
  return [line];
}

/** Only what the search index holds can be asked for: the first word of a line's text, with or without a star. */
function search(call: MiCall): Values[] {
  if (!call.settings.ledgerSearch) throw noSuchTransaction('GLS200MI', 'SearchGenLedger');
  const query = value(call.values, 'SQRY').trim();
  const match = /^(?:VTXT:)?"?([^\s":*]+)(\*?)"?$/.exec(query);
  if (match === null) throw new MiError(`Search ${query} cannot be read`, 'WSQ0101', 'SQRY');
  const found = call.company.vouchers.withWord(match[1] ?? '', match[2] === '*');
  return found.filter(({ division }) => division === call.division).flatMap((voucher) => linesOf(call, voucher));
}

function headOf({ company }: MiCall, voucher: Voucher): Values {
  const { currency, lines } = voucher;
  const foreign = totalsOf(lines);
  const local = totalsOf(lines.map(({ localAmount }) => ({ amount: localAmount })));
  return {
    ...keyOf(voucher),
    ACDT: packDay(voucher.date),
    DSUM: formatAmount(local.debit, company.seed.currency),
    CSUM: formatAmount(local.credit, company.seed.currency),
    CUAD: formatAmount(foreign.debit, currency),
    CUAC: formatAmount(foreign.credit, currency),
    CUCD: currency,
  };
}

function keyOf({ division, year, number, series, journal }: Voucher): Record<string, string> {
  return { DIVI: division, YEA4: String(year), VONO: String(number), VSER: series, JRNO: String(journal) };
}

function linesOf(call: MiCall, voucher: Voucher): Values[] {
  return voucher.lines.map((line, index) => lineOf(call, voucher, line, index + 1));
}

function lineOf({ company, settings }: MiCall, voucher: Voucher, line: VoucherLine, sequence: number): Values {
  const shown = (amount: bigint): bigint => (settings.readSigns === 'SIGNED' || amount >= 0n ? amount : -amount);
  const entered = voucher.enteredAt.toISOString();
  const day = packDay(entered.slice(0, 10));
  return {
    ...keyOf(voucher),
    CONO: COMPANY,
    ...{ JSNO: String(sequence), VSNO: '1', FEID: voucher.famFunction, FNCN: '1', TRCD: voucher.transactionCode },
    ...{ ACDT: packDay(voucher.date), OCDT: packDay(voucher.date) },
    ...Object.fromEntries(line.dimensions.map((code, index) => [`AIT${index + 1}`, code])),
    ACAM: formatAmount(shown(line.localAmount), company.seed.currency),
    CUAM: formatAmount(shown(line.amount), voucher.currency),
    CUCD: voucher.currency,
    ARAT: rateText(voucher.rate),
    DBCR: line.amount >= 0n ? settings.debitCode : settings.creditCode,
    ...{ DCFG: '', VTCD: line.vatCode, VTXT: line.text, ACYP: voucher.period },
    ...{ RGDT: day, RGTM: entered.slice(11, 19).replaceAll(':', ''), CHID: 'LGATE', LMDT: day, CHNO: '1' },
  };
}

/** @returns a rate with six decimals. */
export function rateText(rate: bigint): string {
  const millionths = ((rate + 500n) / 1000n).toString().padStart(7, '0');
  return `${millionths.slice(0, -6)}.${millionths.slice(-6)}`;
}
