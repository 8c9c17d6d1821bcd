import { createHash } from 'node:crypto';
import { ConfigurationError, OutcomeUnknownError } from '../../errors.js';
import type { CreatesSuppliers, LedgerSupplier } from '../contract.js';
import type { SysproClient, TransactionCall } from './client.js';
import type { SupplierDefaults, SysproSettings } from './config.js';
import { classOf, rejectionOf, reportedErrors, saysInvalid } from './failures.js';
import { sameKey } from './mapper.js';
import { findSupplier, isoCurrency, supplierOf } from './masterData.js';
import { element, elements, fieldText, ledgerText, textAt } from './xml.js';

/** Supplier set-up: APSSSP. Never sends bank details; what a card feed knows about a merchant is no ground for paying it. */

const NAME_LENGTH = 50;
const SHORT_NAME_LENGTH = 20;
const HASH_LENGTH = 4;

export class SysproSuppliers implements CreatesSuppliers {
  constructor(
    private readonly client: SysproClient,
    private readonly settings: SysproSettings,
  ) {}

  codeFor(name: string): string {
    return supplierCode(name, this.settings.supplierCodeLength);
  }

  async find(code: string): Promise<LedgerSupplier | null> {
    const row = await findSupplier(this.client, code);
    return row ? supplierOf(row, this.settings) : null;
  }

  async create(supplier: { code: string; name: string }): Promise<LedgerSupplier> {
    const defaults = neededDefaults(this.settings.supplierDefaults);
    const deadline = performance.now() + this.settings.submitTimeoutSeconds * 1000;
    const reply = await this.client.setupAdd(this.creation(supplier, defaults), deadline);
    const errors = reportedErrors(reply);
    if (errors.length > 0 || saysInvalid(reply)) {
      // Setup is all or nothing, so an error means that nothing was written by this call. But another may have been first.
      const isDuplicate = classOf(errors, this.settings.errorPatterns) === 'duplicate';
      const existing = isDuplicate ? await this.find(supplier.code) : null;
      if (existing) return existing;
      throw rejectionOf(reply, this.settings.errorPatterns);
    }
    const created = textAt(reply, 'Item', 'Key', 'Supplier');
    if (!sameKey(created, supplier.code)) {
      throw new OutcomeUnknownError(
        `SYSPRO answered the creation of supplier ${supplier.code} without its key. It must be asked whether it exists.`,
        { detail: { supplierCode: supplier.code } },
      );
    }
    return {
      code: created,
      name: ledgerText(supplier.name),
      active: !this.settings.supplierOnHold,
      currency: isoCurrency(defaults.currency, this.settings.localCurrency),
    };
  }

  private creation(supplier: { code: string; name: string }, defaults: CompleteDefaults): TransactionCall {
    return {
      businessObject: 'APSSSP',
      parameters: element('SetupApSupplier', [
        element('Parameters', elements({ IgnoreWarnings: 'N', ApplyIfEntireDocumentValid: 'Y', ValidateOnly: 'N' })),
      ]),
      items: element('SetupApSupplier', [
        element('Item', [
          element('Key', [element('Supplier', supplier.code)]),
          ...elements({
            SupplierName: fieldText(supplier.name, NAME_LENGTH),
            SupShortName: fieldText(supplier.name, SHORT_NAME_LENGTH),
            Branch: defaults.branch,
            TermsCode: defaults.termsCode,
            Bank: defaults.bank,
            Currency: defaults.currency,
            SupplierClass: defaults.supplierClass,
            Area: defaults.area,
            OnHold: this.settings.supplierOnHold ? 'Y' : 'N',
          }),
        ]),
      ]),
    };
  }
}

const NEEDED = ['branch', 'termsCode', 'currency', 'bank'] as const;
type CompleteDefaults = SupplierDefaults & Readonly<Record<(typeof NEEDED)[number], string>>;

/** Names of the defaults that are still to be entered. */
export function missingDefaults(defaults: SupplierDefaults | undefined): string[] {
  return NEEDED.filter((name) => !defaults?.[name]).map((name) => `supplierDefaults.${name}`);
}

/** @throws ConfigurationError naming the keys, before anything is sent. */
function neededDefaults(defaults: SupplierDefaults | undefined): CompleteDefaults {
  const missing = missingDefaults(defaults);
  if (missing.length > 0) {
    throw new ConfigurationError(
      `Suppliers cannot be created in SYSPRO before the connection's settings have ${missing.join(', ')}.`,
      { code: 'SUPPLIER_DEFAULTS_MISSING', detail: { missing } },
    );
  }
  const { branch = '', termsCode = '', currency = '', bank = '', ...others } = defaults ?? {};
  return { ...others, branch, termsCode, currency, bank };
}

/**
 * Letters and digits of the name in upper case. A name that does not fit, or that loses characters no code can hold,
 * ends in a short hash, so that two long names with one beginning stay two suppliers.
 */
export function supplierCode(name: string, length: number): string {
  const plain = ledgerText(name).normalize('NFKD').toUpperCase();
  const letters = plain.replace(/[^A-Z0-9]/g, '');
  const isWhole = letters !== '' && letters.length <= length && !plain.includes('?');
  // A key of digits only would be filled with zeros, and might meet a supplier that has that number.
  if (isWhole && /[A-Z]/.test(letters)) return letters;
  const hash = BigInt(`0x${createHash('sha256').update(ledgerIdentity(name)).digest('hex').slice(0, 12)}`)
    .toString(36)
    .toUpperCase()
    .padStart(HASH_LENGTH, '0')
    .slice(-HASH_LENGTH);
  const beginning = letters.slice(0, length - HASH_LENGTH);
  return `${/[A-Z]/.test(beginning) ? beginning : `V${beginning}`.slice(0, length - HASH_LENGTH)}${hash}`;
}

/** Upper and lower case, and blanks, do not make another supplier. */
function ledgerIdentity(name: string): string {
  return name.normalize('NFC').replace(/\s+/g, ' ').trim().toUpperCase();
}
