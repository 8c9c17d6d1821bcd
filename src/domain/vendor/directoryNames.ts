import { asciiOf } from '../asciiText.js';
import type { DirectoryLink, DirectoryLists, DirectorySupplier, DirectoryVendor } from './directory.js';

/** Names that the spend system would take for the same. */
export function keyOf(name: string): string {
  return (asciiOf(name) ?? name.trim()).toLowerCase();
}

export interface Forms {
  readonly plain: string;
  /** With the code, where names become equal. */
  readonly coded: string;
  readonly plainKey: string;
  readonly codedKey: string;
}

/** What a supplier may be called where names are ASCII. */
export function formsOf({ code, name }: Pick<DirectorySupplier, 'code' | 'name'>): Forms {
  const ascii = asciiOf(name);
  const plain = ascii ?? `Supplier ${code}`;
  const coded = `${ascii ?? 'Supplier'} (${code})`;
  return { plain, coded, plainKey: keyOf(plain), codedKey: keyOf(coded) };
}

/** Who is called what. */
export class Register {
  readonly suppliers: ReadonlyMap<string, DirectorySupplier>;
  readonly vendors: ReadonlyMap<string, DirectoryVendor>;
  readonly links: ReadonlyMap<string, DirectoryLink>;
  /** Of active suppliers, by code. */
  private readonly forms = new Map<string, Forms>();
  /** Codes of active suppliers by the key of their plain and of their coded name. */
  readonly byPlain = new Map<string, string[]>();
  readonly byCoded = new Map<string, string[]>();
  private readonly keys = new Map<string, string>();
  private readonly vendorsByKey = new Map<string, string[]>();
  /** Vendors that no supplier has. */
  readonly free: readonly DirectoryVendor[];

  constructor(lists: DirectoryLists) {
    this.suppliers = new Map(lists.suppliers.map((one) => [one.code, one]));
    this.vendors = new Map(lists.vendors.map((one) => [one.id, one]));
    this.links = new Map(lists.links.map((one) => [one.supplierCode, one]));
    for (const supplier of this.suppliers.values()) {
      if (!supplier.active) continue;
      const forms = formsOf(supplier);
      this.forms.set(supplier.code, forms);
      add(this.byPlain, forms.plainKey, supplier.code);
      add(this.byCoded, forms.codedKey, supplier.code);
    }
    for (const { id, name } of this.vendors.values()) {
      const key = keyOf(name);
      this.keys.set(id, key);
      add(this.vendorsByKey, key, id);
    }
    const held = new Set(lists.links.map((link) => link.vendorId));
    this.free = [...this.vendors.values()].filter(({ id }) => !held.has(id)).sort((a, b) => byText(a.id, b.id));
  }

  of(supplier: DirectorySupplier): Forms {
    return this.forms.get(supplier.code) ?? formsOf(supplier);
  }

  key(vendor: DirectoryVendor): string {
    return this.keys.get(vendor.id) ?? keyOf(vendor.name);
  }

  /** A name that no other vendor and no other supplier lays claim to; null = there is none. */
  freeFor(supplier: DirectorySupplier, ownVendorId: string | null): string | null {
    const { plain, coded, plainKey, codedKey } = this.of(supplier);
    const isOurs = (codes: readonly string[] = []) => codes.every((code) => code === supplier.code);
    const isFree = (key: string) => (this.vendorsByKey.get(key) ?? []).every((id) => id === ownVendorId);
    if (isFree(plainKey) && isOurs(this.byPlain.get(plainKey)) && isOurs(this.byCoded.get(plainKey))) return plain;
    return isFree(codedKey) && isOurs(this.byCoded.get(codedKey)) ? coded : null;
  }
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
