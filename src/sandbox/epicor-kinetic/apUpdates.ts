import { apGroup } from './apGroups.js';
import { AP_TABLES, type InvoiceKey, keyOf, wholeInvoice } from './apRows.js';
import { saveInvoiceRow, saveInvoiceRows } from './apSaving.js';
import type { KineticCompany } from './company.js';
import { badRequest, refusal } from './failures.js';
import { formatUnits, rawNumber } from './numbers.js';
import { type SentRow, text, whole } from './rows.js';
import { type Call, type Outcome, tableset } from './service.js';
import { AP_INVOICE } from './tables.js';
import { saveRowByRow } from './updateExt.js';

/** `Update`: all rows or none; the answer is everything of the invoices that the rows belong to. */
export function update(call: Call): Outcome {
  const rows = call.args.rows(AP_TABLES);
  saveInvoiceRows(call, rows);
  return { parameters: { ds: touched(call, rows) } };
}

/**
 * `UpdateMaster`: the save of the screen with its checks. A question that nobody answered ends it with HTTP 200,
 * `lUpdateRan: false` and nothing saved (Epicor REST: AP methods).
 */
export function updateMaster(call: Call): Outcome {
  const { company, args } = call;
  const tableName = args.text('cTableName');
  if (!AP_TABLES.some(({ name }) => name === tableName)) throw badRequest(`Table ${tableName} is not valid.`);
  const groupId = args.text('cGroupID');
  apGroup(company, groupId);
  const rows = args.rows(AP_TABLES);
  for (const { row, def } of rows) {
    if (def === AP_INVOICE && text(row, 'GroupID').toUpperCase() !== groupId.toUpperCase()) {
      throw refusal(`The invoice is not in group ${groupId}.`, { table: 'APInvHed', field: 'GroupID' });
    }
  }
  const requiresUserInput = company.settings.legalNumbersRequired;
  const isPrompted = requiresUserInput || company.strikes('promptedSaves');
  if (!isPrompted) saveInvoiceRows(call, rows);
  const total = company.groupTotals.get(groupId.toUpperCase()) ?? 0n;
  return {
    parameters: {
      ds: isPrompted ? tableset(AP_TABLES, rows, call.wire) : touched(call, rows),
      grpTotalInvAmt: rawNumber(formatUnits(total)),
      requiresUserInput,
      opMessage:
        isPrompted && !requiresUserInput ? 'The invoice differs from what is expected. Do you want to continue?' : '',
      opMsgChkBankRef: '',
      opChkRevMsg: '',
      lEnableGenLegalNum: requiresUserInput,
      lUpdateRan: !isPrompted,
      opDUAMsg: '',
    },
  };
}

/** `UpdateExt` of invoices. A line whose expense rows come along gets none by itself. */
export function updateExt(call: Call): Outcome {
  const rows = call.args.rows(AP_TABLES);
  return saveRowByRow(call, rows, {
    save: (sent) => saveInvoiceRow(call, sent, { rows }),
    shown: () => touched(call, rows),
  });
}

function touched(call: Call, rows: readonly SentRow[]): Record<string, unknown> {
  const keys = new Map(
    rows.map((sent) => keyOfSent(call.company, sent)).map((key) => [`${key.vendorNum} ${key.invoiceNum}`, key]),
  );
  const all = [...keys.values()].flatMap((key) => wholeInvoice(call.company, key));
  return tableset(AP_TABLES, all, call.wire);
}

/** A new row may name its vendor by code alone. */
function keyOfSent(company: KineticCompany, { row }: SentRow): InvoiceKey {
  const key = keyOf(row);
  const vendor = company.vendorByCode(text(row, 'VendorNumVendorID'));
  if (vendor === undefined || (key.vendorNum !== 0 && company.database.table(AP_INVOICE).same(row) !== undefined))
    return key;
  return { vendorNum: whole(vendor, 'VendorNum'), invoiceNum: key.invoiceNum.trim() };
}
