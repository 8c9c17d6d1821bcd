import type { KineticCompany } from './company.js';
import { notFound, refusal } from './failures.js';
import { getList, getRows } from './lists.js';
import { type Row, type SentRow, text, whole } from './rows.js';
import { type Call, duplicate, merged, type SaveContext, type Service, storedRow, tableset } from './service.js';
import { VENDOR } from './tables.js';

const TABLES = [VENDOR];
/** Every where clause that `GetRows` of vendors insists on. */
const CLAUSES = `Vendor VendorAttch EntityGLC TaxExempt Partner PEVendWhldHist VendRestriction VendBank VendBankAttch
  VendCntMain VenMFBill VendorPP VenPPMFBill VenPPUPSEmail VendPPRestriction VendCnt VendCntAttch VenUPSEmail
  VendRemitTo`.split(/\s+/);

/** Suppliers (Epicor REST: vendors). */
export const vendorService: Service = {
  name: 'Erp.BO.VendorSvc',
  sets: { Vendors: { def: VENDOR } },
  save: saveVendor,
  methods: {
    GetNewVendor: {
      effect: 'prepare',
      parameters: ['ds'],
      run: (call) => {
        const row: Row = { Company: call.company.database.company, CurrencyCode: call.company.baseCurrency };
        const rows = [...call.args.rows(TABLES), { def: VENDOR, row, rowMod: 'A' }];
        return { parameters: { ds: tableset(TABLES, rows, call.wire) } };
      },
    },
    Update: {
      effect: 'write',
      parameters: ['ds'],
      run: (call) => {
        const saved = call.args.rows(TABLES).map((row) => saveVendor(call, row));
        return { parameters: { ds: shown(call, saved) } };
      },
    },
    GetByID: {
      effect: 'read',
      parameters: ['vendorNum'],
      run: (call) => found(call, call.company.database.table(VENDOR).find(call.args.whole('vendorNum'))),
    },
    GetByVendID: {
      effect: 'read',
      parameters: ['vendorID'],
      run: (call) => found(call, call.company.vendorByCode(call.args.text('vendorID'))),
    },
    GetRows: getRows(VENDOR, CLAUSES, TABLES, (_company, row) => [{ def: VENDOR, row }]),
    GetList: getList(VENDOR),
  },
};

function found(call: Call, row: Row | undefined) {
  if (row === undefined) throw notFound();
  return { returnObj: shown(call, [row]) };
}

function saveVendor({ company }: SaveContext, sent: SentRow): Row | undefined {
  const table = company.database.table(VENDOR);
  if (sent.rowMod === 'A') {
    const { SysRowID: _id, ...row } = sent.row;
    checkVendor(company, row);
    if (company.vendorByCode(text(row, 'VendorID')) !== undefined) throw duplicate(company, 'Vendor');
    const currency = text(row, 'CurrencyCode') || company.baseCurrency;
    company.rateOf(currency);
    return table.put({ ...row, VendorNum: company.nextVendorNum(), CurrencyCode: currency });
  }
  if (sent.rowMod === 'U') {
    const stored = storedRow(company, sent);
    const row = merged(company, stored, sent, new Set());
    checkVendor(company, row);
    const other = company.vendorByCode(text(row, 'VendorID'));
    if (other !== undefined && whole(other, 'VendorNum') !== whole(row, 'VendorNum')) {
      throw duplicate(company, 'Vendor');
    }
    return table.put(row);
  }
  if (sent.rowMod === 'D') throw refusal('Vendors cannot be deleted here.', { table: 'Vendor' });
  return table.same(sent.row);
}

function checkVendor({ settings }: KineticCompany, row: Row): void {
  for (const field of settings.vendorMandatory) {
    if ((row[field] ?? '') === '') throw refusal(`${field} is required.`, { table: 'Vendor', field });
  }
  const place = { table: 'Vendor', field: 'VendorID' };
  if (text(row, 'VendorID').length > settings.vendorIdMax) throw refusal('Vendor ID is too long.', place);
  if (text(row, 'Name').length > settings.vendorNameMax)
    throw refusal('Name is too long.', { ...place, field: 'Name' });
}

function shown(call: Call, rows: readonly (Row | undefined)[]): Record<string, unknown> {
  const known = rows.filter((row) => row !== undefined);
  return tableset(
    TABLES,
    known.map((row) => ({ def: VENDOR, row })),
    call.wire,
  );
}
