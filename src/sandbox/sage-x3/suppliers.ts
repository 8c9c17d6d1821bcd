import type { Supplier, X3Company } from './company.js';
import { type Refusal, words } from './words.js';

export const SUPPLIER_FIELDS: readonly string[] = [
  ...['BSGCOD', 'BPSNUM', 'BPSNAM', 'BPSSHO', 'BPSTYP', 'ENAFLG', 'CUR', 'PTE', 'VACBPR', 'ACCCOD', 'BPRPAY', 'BPSINV'],
  ...[
    'BPSGRU',
    'BPSRSK',
    'BPAADD',
    'BPAINV',
    'BPAPAY',
    'CHGTYP',
    'DOUFLG',
    'PAYLOKFLG',
    'BPSREM',
    'FRM1099',
    'BOX1099',
  ],
];
export const ADDRESS_FIELDS: readonly string[] = [
  ...['CODADR', 'BPADES', 'BPAADDLIG', 'CRY', 'POSCOD', 'CTY', 'SAT', 'BPAADDFLG'],
];
const LENGTHS: Record<string, number> = { BPSNUM: 15, BPSNAM: 35, BPSSHO: 10, BPSREM: 250 };

export interface SupplierDraft {
  fields: Map<string, string>;
  addresses: Map<string, string>[];
}

/** Creates a supplier. The category is mandatory and decides who gives the number (reference: create a supplier). */
export function writeSupplier(company: X3Company, draft: SupplierDraft): Supplier | Refusal {
  const { settings } = company;
  const refused: string[] = [];
  const fields = new Map(draft.fields);
  for (const [name, length] of Object.entries(LENGTHS)) {
    const value = fields.get(name) ?? '';
    if (value.length > length && settings.longText === 'REFUSE') refused.push(words.tooLong(name));
    if (value.length > length) fields.set(name, value.slice(0, length));
  }
  const categoryCode = fields.get('BSGCOD') ?? '';
  const category = settings.supplierCategories.find((candidate) => candidate.code === categoryCode);
  if (categoryCode === '') refused.push(words.mandatory('Category'));
  else if (category === undefined) refused.push(words.unknown('Category', categoryCode));
  if ((fields.get('BPSNAM') ?? '') === '') refused.push(words.mandatory('Company name'));
  const given = fields.get('BPSNUM') ?? '';
  if (given === '' && category?.automaticNumbers === false) refused.push(words.mandatory('Supplier'));
  if (given !== '' && company.suppliers.get(given) !== undefined) refused.push(words.exists('Supplier', given));
  const currency = fields.get('CUR') || company.ledgerCurrency;
  if (company.rate(currency) === undefined) refused.push(words.unknown('Currency', currency));
  fields.set('CUR', currency);
  if (settings.supplierNeedsAddress) checkAddresses(draft.addresses, refused);
  const enabled = fields.get('ENAFLG') || '2';
  if (enabled !== '1' && enabled !== '2') refused.push(words.invalid('Active', enabled));
  if (refused.length > 0) return { refused };
  const code = given === '' ? automaticCode(company) : given;
  fields.set('BPSNUM', code);
  const now = company.now;
  const active = enabled === '2';
  const supplier: Supplier = { code, fields, addresses: draft.addresses, active, createdAt: now, updatedAt: now };
  company.suppliers.put(supplier);
  return supplier;
}

function automaticCode(company: X3Company): string {
  for (;;) {
    const code = `S${String(company.next('supplier')).padStart(6, '0')}`;
    if (company.suppliers.get(code) === undefined) return code;
  }
}

function checkAddresses(addresses: readonly ReadonlyMap<string, string>[], refused: string[]): void {
  if (addresses.length === 0) refused.push(words.mandatory('Address'));
  for (const address of addresses) {
    if ((address.get('CODADR') ?? '') === '') refused.push(words.mandatory('Address code'));
    if ((address.get('CRY') ?? '') === '') refused.push(words.mandatory('Country'));
  }
  if (addresses.length > 0 && !addresses.some((address) => address.get('BPAADDFLG') === '2')) {
    refused.push(words.mandatory('Default address'));
  }
}
