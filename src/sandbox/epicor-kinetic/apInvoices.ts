import { apGroup, checkGroupLock } from './apGroups.js';
import { AP_TABLES, type InvoiceKey, invoiceOf, keyOf, wholeInvoice } from './apRows.js';
import { activeVendor, changeable, openGroup, removeInvoice, saveInvoiceRow } from './apSaving.js';
import { update, updateExt, updateMaster } from './apUpdates.js';
import { COA_CODE } from './chart.js';
import { BOOK_ID, TERMS_CODE } from './company.js';
import { notFound, refusal } from './failures.js';
import { getList, getRows } from './lists.js';
import { formatUnits, rawNumber, UNIT } from './numbers.js';
import { flag, type Row, type SentRow, type TableDef, text, whole } from './rows.js';
import { type Call, duplicate, type Effect, type Method, type Outcome, type Service, tableset } from './service.js';
import { AP_CODING, AP_EXPENSE, AP_INVOICE, AP_LINE, AP_TAX } from './tables.js';
import { UPDATE_EXT_PARAMETERS } from './updateExt.js';

/** Every where clause that `GetRows` of invoices insists on. */
const CLAUSES =
  `APInvHed APInvHedAttch APIHAPInvExp APIHAPInvExpTGLC APIHAPInvMsc RcvMisc APIHAPLnTax APInvDtl APInvDtlAttch
  APInvDtlDEASch APInvExp APInvExpTGLC GlbAPIETGLC APInvJob APInvMsc APInvLnMscTax APInvPB APLnTax APInvDtlTGLC
  APInvHedMscTax APInvSched APInvTax PESUNATDtl EntityGLC PEAPInvTax AdditionalForms_ParametersView LegalNumGenOpts
  SupplierXRef TaxConnectStatus`.split(/\s+/);

/** Changes one row of the caller's tableset, as the screen does when a field is left. */
type Change = (call: Call, row: Row) => { row: Row; out?: Record<string, unknown> };

function method(effect: Effect, parameters: string, run: (call: Call) => Outcome): Method {
  return { effect, parameters: parameters.split(' ').filter(Boolean), run };
}

/** A `Change…` or `OnChange…` method: nothing is stored, and what a screen would ask comes as text with 200. */
function change(def: TableDef, parameters: string, apply: Change): Method {
  return method('prepare', `${parameters} ds`, (call) => {
    let out: Record<string, unknown> = {};
    let isDone = false;
    const rows = call.args.rows(AP_TABLES).map((sent): SentRow => {
      // The screen works on the row that is new or changed; where none is, on the last one of the table.
      if (sent.def !== def || isDone || !isTarget(call, sent, def)) return sent;
      isDone = true;
      const changed = apply(call, sent.row);
      out = changed.out ?? {};
      return { ...sent, row: changed.row, rowMod: sent.rowMod === '' ? 'U' : sent.rowMod };
    });
    if (!isDone) throw refusal(`${def.name} has no row to change.`, { table: def.name });
    return { parameters: { ...out, ds: tableset(AP_TABLES, rows, call.wire) } };
  });
}

function isTarget(call: Call, sent: SentRow, def: TableDef): boolean {
  const rows = call.args.rows(AP_TABLES).filter((row) => row.def === def);
  return sent.rowMod !== '' || rows.every(({ rowMod }) => rowMod === '');
}

function withNew(call: Call, def: TableDef, row: Row): Outcome {
  const blank = { Company: call.company.database.company, ...row };
  const rows = [...call.args.rows(AP_TABLES), { def, row: blank, rowMod: 'A' }];
  return { parameters: { ds: tableset(AP_TABLES, rows, call.wire) } };
}

function newHeader(call: Call, isDebitMemo: boolean): Outcome {
  const group = apGroup(call.company, call.args.text('cGroupID'));
  checkGroupLock(group, call.user);
  return withNew(call, AP_INVOICE, {
    ...{ GroupID: text(group, 'GroupID'), DebitMemo: isDebitMemo, InvoiceDate: call.company.today },
    ...{ ApplyDate: text(group, 'ApplyDate'), FiscalYear: whole(group, 'FiscalYear'), OpenPayable: true },
    ...{ FiscalPeriod: whole(group, 'FiscalPeriod'), FiscalCalendarID: text(group, 'FiscalCalendarID') },
    ...{ CurrencyCode: call.company.baseCurrency, ExchangeRate: UNIT, EntryPerson: call.user },
  });
}

function newLine(call: Call, lineType: string): Outcome {
  const key = { vendorNum: call.args.whole('iVendorNum'), invoiceNum: call.args.text('cInvoiceNum') };
  const header = changeableInvoice(call, key);
  return withNew(call, AP_LINE, {
    ...{ VendorNum: key.vendorNum, InvoiceNum: text(header, 'InvoiceNum'), LineType: lineType, CostPerCode: 'E' },
    VendorNumVendorID: text(header, 'VendorNumVendorID'),
  });
}

function changeableInvoice(call: Call, key: InvoiceKey): Row {
  const header = invoiceOf(call.company, key);
  if (flag(header, 'Posted')) throw refusal('The invoice is posted and cannot be changed.', { table: 'APInvHed' });
  return header;
}

function namedKey(call: Call): InvoiceKey {
  return { vendorNum: call.args.whole('vendorNum'), invoiceNum: call.args.text('invoiceNum') };
}

function expenseRow(call: Call): Row {
  const header = changeableInvoice(call, namedKey(call));
  const common = { VendorNum: whole(header, 'VendorNum'), InvoiceNum: text(header, 'InvoiceNum') };
  return { ...common, InvoiceLine: call.args.whole('invoiceLine'), BookID: BOOK_ID, COACode: COA_CODE };
}

function periodMessage(call: Call, day: string): string {
  return call.company.isOpen(day) ? '' : `The fiscal period for ${day} is closed.`;
}

const changeVendor: Change = (call, row) => {
  const vendor = activeVendor(call.company, call.args.text('ProposedVendorID'), -1);
  const currency = text(vendor, 'CurrencyCode') || call.company.baseCurrency;
  const changed = {
    ...row,
    ...{ VendorNum: whole(vendor, 'VendorNum'), VendorNumVendorID: text(vendor, 'VendorID') },
    ...{
      VendorNumName: text(vendor, 'Name'),
      TermsCode: text(vendor, 'TermsCode') || TERMS_CODE,
      CurrencyCode: currency,
    },
  };
  const confirmMsg =
    flag(vendor, 'PayHold') && call.args.flag('confirmCheck') ? 'Payments are held for the vendor.' : '';
  return { row: changed, out: { confirmMsg } };
};

const changeInvoiceDate: Change = (call, row) => {
  const day = call.args.date('ProposedInvoiceDate');
  return { row: { ...row, InvoiceDate: day, TaxPoint: day }, out: { cMessageText: '' } };
};

const changeCurrency: Change = (call, row) => {
  const currency = call.args.text('ProposedCurrencyCode');
  const rate = call.company.rateOf(currency);
  const out = { vExchangeRate: rawNumber(formatUnits(rate)), vXRateLabel: currency };
  return { row: { ...row, CurrencyCode: currency, ExchangeRate: rate }, out };
};

/** An extended cost that is typed sets the unit cost, and the other way round. */
const changeExtended: Change = (call, row) => {
  const value = call.args.amount('ProposedExtCost');
  const costs = { DocUnitCost: value, DocScrUnitCost: value, ScrUnitCost: value };
  return { row: { ...row, ...costs, ScrDocExtCost: value, ScrExtCost: value, ScrVendorQty: UNIT, VendorQty: UNIT } };
};

const applyDate = (call: Call, row: Row) => ({ ...row, ApplyDate: call.args.date('NewApplyDate') });
const APPLY_PARAMETERS = 'VendorNum InvoiceNum recalcAmts NewApplyDate';

const changes: Record<string, Method> = {
  ChangeVendorID: change(AP_INVOICE, 'ProposedVendorID confirmCheck', changeVendor),
  ChangeInvoiceDateEx: change(AP_INVOICE, 'ProposedInvoiceDate recalcAmts', changeInvoiceDate),
  ChangeInvoiceDateWithDateCheck: change(AP_INVOICE, 'ProposedInvoiceDate recalcAmts', (call, row) => {
    const { row: changed, out } = changeInvoiceDate(call, row);
    return { row: changed, out: { ...out, DateMessage: periodMessage(call, text(changed, 'ApplyDate')) } };
  }),
  OnChangeofApplyDate: change(AP_INVOICE, APPLY_PARAMETERS, (call, row) => ({ row: applyDate(call, row) })),
  OnChangeofApplyDateEx: change(AP_INVOICE, APPLY_PARAMETERS, (call, row) => ({ row: applyDate(call, row) })),
  OnChangeofApplyDateWithDateCheck: change(AP_INVOICE, APPLY_PARAMETERS, (call, row) => ({
    row: applyDate(call, row),
    out: { DateMessage: periodMessage(call, call.args.date('NewApplyDate')) },
  })),
  ChangeInvoiceVendorAmt: change(AP_INVOICE, 'ProposedInvoiceVendorAmt', (call, row) => {
    const value = call.args.amount('ProposedInvoiceVendorAmt');
    const sign = flag(row, 'DebitMemo') ? -1n : 1n;
    return { row: { ...row, ScrDocInvoiceVendorAmt: value, DocInvoiceVendorAmt: sign * value } };
  }),
  ChangeCurrencyMaster: change(AP_INVOICE, 'ProposedCurrencyCode vRateGrpCode', changeCurrency),
  ChangeTermsCode: change(AP_INVOICE, 'ProposedTermsCode', (call, row) => ({
    row: { ...row, TermsCode: call.args.text('ProposedTermsCode') },
  })),
  ChangeDueDate: change(AP_INVOICE, 'ProposedDueDate', (call, row) => ({
    row: { ...row, DueDate: call.args.date('ProposedDueDate') },
  })),
  ChangePartNum: change(AP_LINE, 'ProposedPartNum', (call, row) => ({
    row: { ...row, PartNum: call.args.text('ProposedPartNum') },
  })),
  ChangeVendorQty: change(AP_LINE, 'ProposedVendorQty', (call, row) => {
    const quantity = call.args.amount('ProposedVendorQty');
    return { row: { ...row, ScrVendorQty: quantity, VendorQty: quantity } };
  }),
  ChangeUnitCost: change(AP_LINE, 'ProposedUnitCost', (call, row) => {
    const cost = call.args.amount('ProposedUnitCost');
    return { row: { ...row, DocUnitCost: cost, DocScrUnitCost: cost } };
  }),
  ChangeExtCost: change(AP_LINE, 'ProposedExtCost', changeExtended),
  ChangeExpLineAmt: change(AP_EXPENSE, 'ProposedAmt', (call, row) => {
    const value = call.args.amount('ProposedAmt');
    return { row: { ...row, DocScrExpAmt: value, ScrExpAmt: value, DocExpAmt: value } };
  }),
};

const news: Record<string, Method> = {
  GetNewAPInvHedInvoice: method('prepare', 'cGroupID ds', (call) => newHeader(call, false)),
  GetNewAPInvHedDebitMemo: method('prepare', 'cGroupID ds', (call) => newHeader(call, true)),
  GetNewAPInvDtlMiscellaneous: method('prepare', 'iVendorNum cInvoiceNum ds', (call) => newLine(call, 'M')),
  GetNewAPInvDtlUnreceived: method('prepare', 'iVendorNum cInvoiceNum ds', (call) => newLine(call, 'U')),
  GetNewAPInvExp: method('prepare', 'vendorNum invoiceNum invoiceLine ds', (call) =>
    withNew(call, AP_EXPENSE, expenseRow(call)),
  ),
  GetNewAPInvExpTGLC: method('prepare', 'vendorNum invoiceNum invoiceLine invExpSeq ds', (call) =>
    withNew(call, AP_CODING, { ...expenseRow(call), InvExpSeq: call.args.whole('invExpSeq'), RecordType: 'A' }),
  ),
};

const reads: Record<string, Method> = {
  GetByID: method('read', 'vendorNum invoiceNum', (call) => {
    const rows = wholeInvoice(call.company, keyOf(invoiceOf(call.company, namedKey(call))));
    return { returnObj: tableset(AP_TABLES, rows, call.wire) };
  }),
  GetBySysRowID: method('read', 'id', (call) => {
    const [row] = call.company.database.table(AP_INVOICE).where('SysRowID', call.args.text('id'));
    if (row === undefined) throw notFound();
    return { returnObj: tableset(AP_TABLES, wholeInvoice(call.company, keyOf(row)), call.wire) };
  }),
  GetRows: getRows(AP_INVOICE, CLAUSES, AP_TABLES, (company, row) => wholeInvoice(company, keyOf(row))),
  GetList: getList(AP_INVOICE),
  ValidateGroupID: method('read', 'sGroupID', (call) => {
    apGroup(call.company, call.args.text('sGroupID'));
    return { returnObj: true };
  }),
  // Looks at logged invoices only, of which this company has none: it never tells of a duplicate.
  ValidateInvoiceID: method('read', 'txtVendorID txtInvoiceNum', (call) => {
    const vendor = call.company.vendorByCode(call.args.text('txtVendorID'));
    return {
      parameters: { intVendorNum: vendor === undefined ? 0 : whole(vendor, 'VendorNum'), logAPInvFound: false },
    };
  }),
  InvokeLocateGroupID: method('read', 'ipLocGrpInvoiceNum ipLocGrpVendorID', (call) => {
    const vendor = call.company.vendorByCode(call.args.text('ipLocGrpVendorID'));
    const vendorNum = vendor === undefined ? -1 : whole(vendor, 'VendorNum');
    const found = call.company.database.table(AP_INVOICE).find(vendorNum, call.args.text('ipLocGrpInvoiceNum'));
    const outLocGrpVendorID = text(vendor ?? {}, 'VendorID');
    return { parameters: { outLocGrpVendorID, GroupID: text(found ?? {}, 'GroupID') } };
  }),
  CheckDocumentIsLocked: method('read', 'keyValue keyValue2', (call) => {
    const key = { vendorNum: call.args.whole('keyValue'), invoiceNum: call.args.text('keyValue2') };
    if (flag(invoiceOf(call.company, key), 'IsLcked')) throw refusal('The document is locked.');
    return {};
  }),
};

const writes: Record<string, Method> = {
  PreUpdate: method('prepare', 'ds', (call) => {
    const ds = tableset(AP_TABLES, call.args.rows(AP_TABLES), call.wire);
    return { parameters: { ds, requiresUserInput: call.company.settings.legalNumbersRequired } };
  }),
  Update: method('write', 'ds', update),
  UpdateMaster: method(
    'write',
    'cGroupID cTableName runChkCPay runChkBankRef runChkRevChrg suppressUserPrompts ds',
    updateMaster,
  ),
  UpdateExt: method('write', UPDATE_EXT_PARAMETERS.join(' '), updateExt),
  DeleteByID: method('write', 'vendorNum invoiceNum', (call) => {
    removeInvoice(call, invoiceOf(call.company, namedKey(call)));
    return {};
  }),
  ChangeInvoiceNumber: method('write', 'vendorNum originalInvoiceNum newInvoiceNum', (call) => {
    const key = { vendorNum: call.args.whole('vendorNum'), invoiceNum: call.args.text('originalInvoiceNum') };
    renumberInvoice(call, key, { ...key, invoiceNum: call.args.text('newInvoiceNum') });
    return {};
  }),
  TransferInvoiceToGroup: method(
    'write',
    'TransferToGroupID XferInvVendorNum XferInvInvoiceNum XferApplyDate cGroupID ds',
    (call) => {
      const key = { vendorNum: call.args.whole('XferInvVendorNum'), invoiceNum: call.args.text('XferInvInvoiceNum') };
      const header = changeable(call, invoiceOf(call.company, key));
      const group = openGroup(call, call.args.text('TransferToGroupID'));
      const ApplyDate = call.args.date('XferApplyDate') || text(header, 'ApplyDate');
      const period = call.company.periodColumns(ApplyDate, 'APInvHed');
      const GroupID = text(group, 'GroupID');
      call.company.database.table(AP_INVOICE).put({ ...header, GroupID, ApplyDate, ...period });
      return { parameters: { ds: tableset(AP_TABLES, wholeInvoice(call.company, key), call.wire) } };
    },
  ),
};

/** Moves an invoice to another number or vendor; its `SysRowID` stays. */
export function renumberInvoice(call: Pick<Call, 'company' | 'user'>, from: InvoiceKey, to: InvoiceKey): void {
  const { company } = call;
  const header = changeable(call, invoiceOf(company, from));
  if (company.database.table(AP_INVOICE).find(to.vendorNum, to.invoiceNum) !== undefined) {
    throw duplicate(company, 'APInvHed');
  }
  const vendor = activeVendor(company, '', to.vendorNum);
  const names = { VendorNumVendorID: text(vendor, 'VendorID'), VendorNumName: text(vendor, 'Name') };
  for (const { def, row } of wholeInvoice(company, keyOf(header))) {
    const table = company.database.table(def);
    table.remove(row);
    const keys = def === AP_CODING ? { Key1: String(to.vendorNum), Key2: to.invoiceNum } : {};
    const shown = def === AP_INVOICE ? names : {};
    table.put({ ...row, ...shown, ...keys, VendorNum: to.vendorNum, InvoiceNum: to.invoiceNum });
  }
}

/** Supplier invoices (Epicor REST: AP invoice flow). */
export const apInvoiceService: Service = {
  name: 'Erp.BO.APInvoiceSvc',
  sets: {
    APInvoices: { def: AP_INVOICE, children: { APInvDtls: AP_LINE, APInvExps: AP_EXPENSE, APInvTaxes: AP_TAX } },
    APInvDtls: { def: AP_LINE },
    APInvExps: { def: AP_EXPENSE },
    APInvExpTGLCs: { def: AP_CODING },
    APInvTaxes: { def: AP_TAX },
  },
  save: (context, row) => saveInvoiceRow(context, row, { rows: [] }),
  methods: { ...news, ...changes, ...reads, ...writes },
};

/** The light view of invoices: the same rows in a single table. */
export const apSearchService: Service = {
  name: 'Erp.BO.APInvSearchSvc',
  sets: { APInvSearches: { def: AP_INVOICE } },
  methods: {
    GetRows: getRows(AP_INVOICE, ['APInvHed'], [AP_INVOICE], (_company, row) => [{ def: AP_INVOICE, row }]),
    GetList: getList(AP_INVOICE),
  },
};
