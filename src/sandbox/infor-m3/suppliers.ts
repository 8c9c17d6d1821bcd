import type { M3Company, Supplier } from './company.js';
import { alreadyExists, doesNotExist } from './failures.js';
import type { Values } from './fields.js';
import { DONE, type MiCall, type Program, transaction, value } from './mi.js';
import { rateOf } from './rules.js';

const BASIC = `SUNO10 SUNM36l SUTY1N ALSU10 STAT2 CSCD3 ECAR2 CUCD3 CRTP2N TEPY3 PYME3 VTCD2N TXAP1N VRNO16 CORG11 TINO15
  PRSU10 SUCL3 REGR3 SERS2N TDCD4 IAPT1N TXIN1N CFI110 CFI210 CFI310 CFI410 CFI510`;
/** Neither the status nor the time of change is shown here (Infor M3: LstSuppliers). */
const FINANCIAL = 'SUNO10 SUNM36l SUTY1N CSCD3 CUCD3 CRTP2N TEPY3 PYME3 VTCD2N PRSU10 SUCL3 REGR3';
const OPTIONAL =
  'ALSU10 ECAR2 TEPY3 PYME3 VTCD2N TXAP1N VRNO16 CORG11 TINO15 PRSU10 SUCL3 REGR3 SERS2N TDCD4 IAPT1N TXIN1N';
const ADD_2020 = 'SUNO!10 SUNM!36l SUTY!1N CSCD!3 DTFM!3 ORTY!3 DT4T!1N DTCD!1N CUCD!3 CRTP!2N ATPR!1N';
const ADD_LATER = 'ECAR!2 LNCD!2 MEPF!2 SUCL!3 QUCL!3 TEDL!3 MODL!3 TEAF!3 TEPA!3 TEPY!3 PYME!3 ACRF!8';
const OPTIONAL_LATER = 'ALSU10 VTCD2N TXAP1N VRNO16 CORG11 TINO15 PRSU10 REGR3 SERS2N TDCD4 IAPT1N TXIN1N STAT2';

/** CRS620MI, suppliers (Infor M3: suppliers). */
export const CRS620MI: Program = {
  name: 'CRS620MI',
  description: 'Suppliers',
  transactions: [
    transaction({
      name: 'GetBasicData',
      description: 'Get basic data',
      input: 'SUNO!10',
      output: BASIC,
      run: (call) => [basicData(supplierAsked(call))],
    }),
    transaction({
      name: 'LstByNumber',
      description: 'List by number',
      input: 'SUNO?10',
      output: 'SUNO10 SUNM36l SUTY1N ALSU10 STAT2 CSCD3 CUCD3 PRSU10',
      run: listByNumber,
    }),
    transaction({
      name: 'LstSuppliers',
      description: 'List suppliers',
      input: 'FRSU10 TOSU10 LMTS18N',
      output: FINANCIAL,
      run: listChanged,
    }),
    transaction({
      name: 'SearchSupplier',
      description: 'Search suppliers',
      input: 'SQRY!256l',
      output: 'SUNO10 SUNM36l STAT2 SUTY1N',
      run: search,
    }),
    transaction({
      name: 'AddSupplier',
      description: 'Add supplier',
      input: ({ release }) =>
        release === 'ce-2020' ? `${ADD_2020} ${OPTIONAL} STAT2` : `${ADD_2020} ${ADD_LATER} ${OPTIONAL_LATER}`,
      output: 'SUNO10 STAT2',
      run: addSupplier,
    }),
    transaction({
      name: 'CopyTemplate',
      description: 'Copy a template supplier',
      input: 'STEM!10 SUNO!10 SUTY1N OPYC1 STMP1',
      output: 'SUNO10 STAT2',
      run: copyTemplate,
    }),
    transaction({
      name: 'UpdSupplier',
      description: 'Change supplier',
      input: `SUNO!10 SUNM36l SUTY1N STAT2 CSCD3 CUCD3 CRTP2N LNCD2 ${OPTIONAL}`,
      run: updateSupplier,
    }),
    transaction({
      name: 'AddAddress',
      description: 'Add address',
      input: 'SUNO!10 ADTE!2N CSCD!3 ADID6 STDT10D SUNM36l ADR136l ADR236l ADR336l ADR436l TOWN20l ECAR2 PONO10 PRIA1N',
      run: (call) => {
        supplierAsked(call).addresses.push(call.values);
        return DONE;
      },
    }),
  ],
};

function supplierAsked({ company, values }: Pick<MiCall, 'company' | 'values'>): Supplier {
  const code = value(values, 'SUNO');
  const supplier = company.suppliers.get(code);
  if (supplier === undefined) throw doesNotExist('Supplier number', code, 'SUNO', 'WSU0103');
  return supplier;
}

function basicData(supplier: Supplier): Values {
  const { code, name, status, type, currency, country, payee, fields } = supplier;
  return {
    ...{ ALSU: code, CRTP: '1', TEPY: '30', PYME: 'CHK', SUCL: '100', REGR: '' },
    ...fields,
    ...{ SUNO: code, SUNM: name, STAT: status, SUTY: type, CUCD: currency, CSCD: country, PRSU: payee },
  };
}

function* listByNumber({ company, values }: MiCall): Generator<Values> {
  for (const supplier of company.suppliers.from(value(values, 'SUNO'))) yield basicData(supplier);
}

function* listChanged({ company, values }: MiCall): Generator<Values> {
  const [last, since] = [value(values, 'TOSU'), Number(value(values, 'LMTS') || '0')];
  for (const supplier of company.suppliers.from(value(values, 'FRSU'))) {
    if (last !== '' && supplier.code > last) return;
    if (supplier.changedAtMs >= since) yield basicData(supplier);
  }
}

function* search({ company, values }: MiCall): Generator<Values> {
  const words = value(values, 'SQRY').toUpperCase().replaceAll('*', '').split(/\s+/).filter(Boolean);
  for (const supplier of company.suppliers.all()) {
    const text = `${supplier.code} ${supplier.name}`.toUpperCase();
    if (words.every((word) => text.includes(word))) yield basicData(supplier);
  }
}

function addSupplier(call: MiCall): Values[] {
  const { company, settings, values, now } = call;
  const code = value(values, 'SUNO');
  checkFree(company, code);
  rateOf(company, value(values, 'CUCD'));
  const status = value(values, 'STAT') || settings.newSupplierStatus;
  company.suppliers.set(code, {
    ...{ code, name: value(values, 'SUNM'), status, type: value(values, 'SUTY'), currency: value(values, 'CUCD') },
    ...{ country: value(values, 'CSCD'), payee: value(values, 'PRSU') || code, addresses: [] },
    ...{ fields: { ...values }, changedAtMs: now.getTime() },
  });
  return [{ SUNO: code, STAT: status }];
}

function copyTemplate({ company, settings, values, now }: MiCall): Values[] {
  const [from, code] = [value(values, 'STEM'), value(values, 'SUNO')];
  const template = company.suppliers.get(from);
  if (template === undefined) throw doesNotExist('Supplier number', from, 'STEM', 'WSU0103');
  checkFree(company, code);
  company.suppliers.set(code, {
    ...{ ...template, code, payee: code, addresses: [], fields: { ...template.fields }, changedAtMs: now.getTime() },
    ...{ status: settings.newSupplierStatus, type: value(values, 'SUTY') || '0' },
  });
  return [{ SUNO: code, STAT: settings.newSupplierStatus }];
}

function checkFree(company: M3Company, code: string): void {
  if (company.suppliers.get(code) !== undefined) throw alreadyExists('Supplier number', code, 'SUNO', 'WSU0104');
}

/** Blank leaves a field as it is; a question mark clears it. */
function updateSupplier(call: MiCall): typeof DONE {
  const supplier = supplierAsked(call);
  const given = Object.entries(call.values)
    .filter(([field, text]) => text !== '' && field !== 'SUNO')
    .map(([field, text]): [string, string] => [field, text === '?' ? '' : text]);
  const fields = Object.fromEntries(given);
  if (fields.CUCD !== undefined) rateOf(call.company, fields.CUCD);
  Object.assign(supplier.fields, fields);
  supplier.name = fields.SUNM ?? supplier.name;
  supplier.type = fields.SUTY ?? supplier.type;
  supplier.status = fields.STAT ?? supplier.status;
  supplier.country = fields.CSCD ?? supplier.country;
  supplier.currency = fields.CUCD ?? supplier.currency;
  supplier.payee = fields.PRSU ?? supplier.payee;
  supplier.changedAtMs = call.now.getTime();
  return DONE;
}
