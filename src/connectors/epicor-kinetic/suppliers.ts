import { createHash } from 'node:crypto';
import type { CreatesSuppliers, LedgerSupplier } from '../contract.js';
import type { PosterFacts } from './facts.js';
import { classOf, unreadableWrite } from './failures.js';
import { JsonNumber, type Row } from './json.js';
import { plainText } from './mapper.js';
import { supplierOf, vendorById } from './masterData.js';
import { outcomeOf } from './poster.js';
import { rowsOf } from './replies.js';
import { added, newRow } from './rows.js';
import { vendorRow } from './wire.js';
import { Work } from './work.js';

/** Supplier set-up. Never sends bank or tax data: what a card feed knows about a merchant is no ground for paying it. */

const VENDORS = 'Erp.BO.VendorSvc';
const NAME_LENGTH = 50;
const HASH_LENGTH = 3;

export class KineticSuppliers implements CreatesSuppliers {
  constructor(private readonly facts: PosterFacts) {}

  codeFor(name: string): string {
    return vendorIdOf(name, this.facts.settings.vendorIdLength);
  }

  async find(code: string): Promise<LedgerSupplier | null> {
    const row = await vendorById(this.facts.client, code);
    return row ? supplierOf(row, this.facts.settings, await this.facts.localCurrency()) : null;
  }

  async create(supplier: { code: string; name: string }): Promise<LedgerSupplier> {
    const { client, settings } = this.facts;
    const localCurrency = await this.facts.localCurrency();
    const work = new Work(settings.submitTimeoutSeconds * 1000);
    try {
      const fresh = await client.ask(VENDORS, 'GetNewVendor', { ds: {} }, work);
      const row = added(newRow(fresh, 'Vendor'), {
        ...defaultColumns(settings.vendorDefaults),
        VendorID: supplier.code,
        Name: plainText(supplier.name, NAME_LENGTH),
      });
      work.begin();
      const saved = await client.write(VENDORS, 'Update', { ds: { ...fresh.tables, Vendor: [row] } }, work);
      const [stored] = rowsOf(saved.tables, 'Vendor', vendorRow);
      if (!stored || stored.VendorID.toUpperCase() !== supplier.code.toUpperCase() || stored.VendorNum === '0') {
        throw unreadableWrite(`${VENDORS}/Update`, 'another supplier than was sent');
      }
      return supplierOf(stored, settings, localCurrency);
    } catch (error) {
      // Vendor IDs are unique, so somebody (an earlier try that arrived late) was first.
      const existing = classOf(error) === 'duplicate' ? await this.find(supplier.code) : null;
      if (existing) return existing;
      throw outcomeOf(error, work, `supplier ${supplier.code}`);
    }
  }
}

function defaultColumns(defaults: Readonly<Record<string, string | number | boolean>>): Row {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      typeof value === 'number' ? new JsonNumber(String(value)) : value,
    ]),
  );
}

/**
 * Letters and digits of the name in upper case. A name that does not fit, or that loses characters no code can hold,
 * ends in a short hash, so that two long names with one beginning stay two suppliers.
 */
export function vendorIdOf(name: string, length: number): string {
  const identity = name.normalize('NFC').replace(/\s+/g, ' ').trim().toUpperCase();
  const plain = identity.normalize('NFKD').replace(/\p{M}/gu, '');
  const letters = plain.replace(/[^A-Z0-9]/g, '');
  const isWhole = letters !== '' && letters.length <= length && /^[\x20-\x7e]*$/.test(plain);
  if (isWhole && /[A-Z]/.test(letters)) return letters;
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const hash = BigInt(`0x${digest}`).toString(36).toUpperCase().padStart(HASH_LENGTH, '0').slice(-HASH_LENGTH);
  const beginning = letters.slice(0, length - HASH_LENGTH);
  return `${/[A-Z]/.test(beginning) ? beginning : `V${beginning}`.slice(0, length - HASH_LENGTH)}${hash}`;
}
