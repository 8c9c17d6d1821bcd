import { formatAmount, zeros } from './amounts.js';
import {
  type BusinessContext,
  type QueryObject,
  readFlag,
  readWriteParameters,
  type WriteObject,
} from './documents.js';
import { errorXml, type Failure, failure } from './failures.js';
import { type Supplier, shownSupplierKey, storedSupplierKey } from './payables.js';
import { answerDocument, group, leaf, leaves, type XmlElement } from './xml.js';

const SUPPLIER_LENGTH = 15;

export type SupplierAction = 'ADD' | 'UPDATE' | 'DELETE';

/** APSSSP, set up suppliers (SYSPRO e.net: APSSSP). Names in set-up answers are lower-case throughout. */
export function setupSupplier(action: SupplierAction): WriteObject {
  return (context, parameters, document) => {
    const common = readWriteParameters(parameters, false);
    const items = document.all('Item');
    const checks = items.map((item) => checkItem(context, item, action));
    const invalid = checks.filter(({ errors }) => errors.length > 0).length;
    const nothing = common.failures.length > 0 || common.validateOnly || (common.wholeDocument && invalid > 0);
    const written = nothing ? [] : checks.filter(({ errors }) => errors.length === 0);
    for (const { supplier } of written) {
      if (action === 'DELETE') context.company.payables.remove(supplier.key);
      else context.company.payables.add(supplier);
    }
    return answerDocument(
      'setupapsupplier',
      ...common.failures.map(lowerError),
      ...checks.map(({ supplier, errors }) => itemXml(context, supplier, errors)),
      group(
        'StatusOfItems',
        leaves({
          RecordsRead: zeros(items.length, 6),
          RecordsInvalid: zeros(common.failures.length > 0 ? items.length : invalid, 6),
        }),
      ),
    );
  };
}

function checkItem(
  context: BusinessContext,
  item: XmlElement,
  action: SupplierAction,
): { supplier: Supplier; errors: Failure[] } {
  const { payables } = context.company;
  const errors: Failure[] = [];
  const code = item.value('Key', 'Supplier');
  const found = payables.supplier(code);
  if (code === '') errors.push(failure('required', '', 'Supplier'));
  else if (code.length > SUPPLIER_LENGTH) errors.push(failure('textTooLong', code, 'Supplier'));
  else if (action === 'ADD' && found !== undefined) errors.push(failure('supplierExists', code, 'Supplier'));
  else if (action !== 'ADD' && found === undefined) errors.push(failure('supplierMissing', code, 'Supplier'));
  if (action === 'DELETE') {
    if (found !== undefined && payables.invoicesOf(found.key).length > 0)
      errors.push(failure('supplierInUse', code, 'Supplier'));
    return { supplier: found ?? blankSupplier(context, code), errors };
  }
  return { supplier: readSupplier(context, item, found ?? blankSupplier(context, code), errors), errors };
}

function blankSupplier({ company }: BusinessContext, code: string): Supplier {
  return {
    key: storedSupplierKey(code),
    name: '',
    shortName: '',
    onHold: false,
    currency: '',
    branch: '',
    termsCode: '',
    bank: '',
    supplierClass: '',
    email: '',
    taxNumber: '',
    addedOn: company.companyDate,
  };
}

/** Elements that are left out keep what was there; the four references must exist in their set-up tables. */
function readSupplier({ company }: BusinessContext, item: XmlElement, base: Supplier, errors: Failure[]): Supplier {
  const { seed } = company;
  const reference = (name: string, before: string, known: readonly string[]): string => {
    const value = item.value(name) || before;
    if (!known.includes(value)) errors.push(failure(value === '' ? 'required' : 'referenceMissing', value, name));
    return value;
  };
  const name = item.value('SupplierName') || base.name;
  if (name === '') errors.push(failure('required', '', 'SupplierName'));
  return {
    ...base,
    name: name.slice(0, 50),
    shortName: (item.value('SupShortName') || base.shortName || name).slice(0, 20),
    branch: reference('Branch', base.branch, seed.branches),
    termsCode: reference('TermsCode', base.termsCode, seed.termsCodes),
    bank: reference('Bank', base.bank, seed.banks),
    currency: reference('Currency', base.currency, [...seed.currencies, seed.localCurrency]),
    supplierClass: item.value('SupplierClass') || base.supplierClass,
    email: item.value('Email') || base.email,
    taxNumber: item.value('TaxRegnNum') || base.taxNumber,
    onHold: readFlag(item, 'OnHold', base.onHold ? 'Y' : 'N', 'YN', errors) === 'Y',
  };
}

function itemXml({ company }: BusinessContext, supplier: Supplier, errors: readonly Failure[]): string {
  const shown = shownSupplierKey(supplier.key, company.seed.supplierKeyLength);
  return group('item', group('key', leaf('supplier', shown)), ...errors.map(lowerError));
}

function lowerError(error: Failure): string {
  return errorXml({ ...error, element: error.element?.toLowerCase() });
}

/** APSQRY, one supplier (SYSPRO e.net: APSQRY). `Supplier` is the name of the group and of the key in it. */
export const querySupplier: QueryObject = ({ company }, document) => {
  const code = document.value('Key', 'Supplier');
  const supplier = company.payables.supplier(code);
  if (supplier === undefined) return answerDocument('ApQuery', errorXml(failure('supplierMissing', code, 'Supplier')));
  let balance = 0n;
  const invoices: string[] = [];
  for (const invoice of company.payables.invoicesOf(supplier.key)) {
    balance += invoice.value;
    invoices.push(
      group(
        'Invoice',
        leaves({ Invoice: invoice.invoice, InvoiceDate: invoice.date, OrigInvValue: formatAmount(invoice.value) }),
      ),
    );
  }
  // The invoices come unless they are declined: they are on by default, and heavy.
  const wanted = (document.value('Option', 'IncludeInvoices') || 'Y') === 'Y';
  return answerDocument(
    'ApQuery',
    group(
      'Supplier',
      leaves({
        Supplier: shownSupplierKey(supplier.key, company.seed.supplierKeyLength),
        SupplierName: supplier.name,
        SupplierType: 'T',
        OnHold: supplier.onHold ? 'Y' : 'N',
        Bank: supplier.bank,
        Currency: supplier.currency,
        Branch: supplier.branch,
        SupplierClass: supplier.supplierClass,
        Area: '',
        TaxRegnNum: supplier.taxNumber,
        Email: supplier.email,
        CurrentBalance: formatAmount(balance),
        DateSuppAdded: supplier.addedOn,
      }),
    ),
    wanted ? invoices.join('') : '',
  );
};
