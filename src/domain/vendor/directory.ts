/**
 * Keeping the ledger's suppliers and a spend system's vendors in step: what is to be linked, created, renamed, and what
 * only a person can settle. Pure; the order of what is given does not matter, and once what it says has been done it says
 * nothing more. It never deletes anything on either side.
 */
import { add, byText, formsOf, keyOf, Register } from './directoryNames.js';

export interface DirectorySupplier {
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
}

export interface DirectoryVendor {
  readonly id: string;
  readonly name: string;
}

export type LinkState = 'LINKED' | 'CONFLICT';

export interface DirectoryLink {
  readonly supplierCode: string;
  /** null = this supplier could not be given a vendor, for the reason in `note`. */
  readonly vendorId: string | null;
  /** As they were when both sides last agreed. */
  readonly supplierName: string;
  readonly vendorName: string | null;
  readonly state: LinkState;
  /** CONFLICT: what is wrong and what a person can do, in a sentence. */
  readonly note: string | null;
}

/** What is known of a vendor that no supplier has: a person's decision, or what the matcher makes of its name. */
export interface VendorWord {
  readonly by: 'PERSON' | 'MATCHER';
  /** The supplier it certainly is. */
  readonly supplierCode: string | null;
  /** Suppliers that it may be; a person is asked. */
  readonly candidates: readonly string[];
  /** Suppliers that a person said it is not. */
  readonly rejected: readonly string[];
  /** A person asked for a new supplier of this name. */
  readonly create: { readonly matchId: string; readonly name: string } | null;
}

/** By vendor id. */
export type VendorWords = ReadonlyMap<string, VendorWord>;

export interface DirectoryLists {
  readonly suppliers: readonly DirectorySupplier[];
  readonly vendors: readonly DirectoryVendor[];
  readonly links: readonly DirectoryLink[];
  /** Whether suppliers that a person asked for are made in the ledger for the sake of the directory. */
  readonly createsSuppliers: boolean;
}

export interface DirectoryState extends DirectoryLists {
  readonly words: VendorWords;
}

export type LinkBasis = 'NAME' | 'MATCH' | 'PERSON';

export type DirectoryAction =
  /** Both sides are gone: the link ends. */
  | { readonly kind: 'END'; readonly supplierCode: string }
  | (Names & { readonly kind: 'LINK'; readonly vendorId: string; readonly basis: LinkBasis })
  /** Both sides agree (again) by these names. */
  | (Names & { readonly kind: 'AGREE'; readonly vendorId: string })
  | {
      readonly kind: 'CONFLICT';
      readonly supplierCode: string;
      readonly vendorId: string | null;
      readonly supplierName: string;
      readonly vendorName: string | null;
      readonly note: string;
    }
  /** `vendorName` is what it is called now, `name` what it is to be called. */
  | (Names & { readonly kind: 'RENAME'; readonly vendorId: string; readonly name: string })
  | { readonly kind: 'CREATE'; readonly supplierCode: string; readonly supplierName: string; readonly name: string }
  | { readonly kind: 'CREATE_SUPPLIER'; readonly vendorId: string; readonly matchId: string; readonly name: string };

interface Names {
  readonly supplierCode: string;
  readonly supplierName: string;
  readonly vendorName: string;
}

export interface DirectoryDecision {
  /** In the order in which they are to be done. */
  readonly actions: readonly DirectoryAction[];
  /** Suppliers that get no vendor yet, because a vendor that may be theirs waits for a person. */
  readonly waiting: readonly string[];
}

export function decideDirectory(state: DirectoryState): DirectoryDecision {
  return openDirectory(state).decide(state.words);
}

/** Both sides laid out for look-ups, which takes longer than all the questions that are asked of it. */
export interface OpenDirectory {
  /** Vendors about which a person's decision would count: those without a supplier, and those whose supplier is gone. */
  inQuestion(): DirectoryVendor[];
  /**
   * Vendors about which the matcher is to be asked, and with it a person where it is not certain: all without a supplier,
   * but for those whose name alone says whose they are.
   * @param words what people decided.
   */
  toMatch(words: VendorWords): DirectoryVendor[];
  decide(words: VendorWords): DirectoryDecision;
}

export function openDirectory(lists: DirectoryLists): OpenDirectory {
  const register = new Register(lists);
  return {
    inQuestion: () => new Directory(lists, register, new Map()).inQuestion,
    toMatch: (words) => new Directory(lists, register, words).toMatch(),
    decide: (words) => new Directory(lists, register, words).decide(),
  };
}

interface Claim {
  readonly vendor: DirectoryVendor;
  readonly basis: LinkBasis;
}
type Claims = ReadonlyMap<string, readonly Claim[]>;

const KINDS: readonly DirectoryAction['kind'][] = [
  'END',
  'LINK',
  'AGREE',
  'CONFLICT',
  'CREATE_SUPPLIER',
  'RENAME',
  'CREATE',
];

class Directory {
  private readonly suppliers: Register['suppliers'];
  private readonly vendors: Register['vendors'];
  private readonly links: Register['links'];
  private readonly free: Register['free'];

  constructor(
    private readonly lists: DirectoryLists,
    private readonly register: Register,
    private readonly words: VendorWords,
  ) {
    this.suppliers = register.suppliers;
    this.vendors = register.vendors;
    this.links = register.links;
    this.free = register.free;
  }

  get inQuestion(): DirectoryVendor[] {
    return [...this.free, ...this.abandoned()];
  }

  toMatch(): DirectoryVendor[] {
    const isSettled = ({ by, supplierCode, create }: VendorWord) =>
      by === 'PERSON' && (supplierCode !== null || create !== null);
    const named = this.namedAlone();
    return this.inQuestion.filter((vendor) => {
      const word = this.words.get(vendor.id);
      return !named.has(vendor.id) && !(word && isSettled(word));
    });
  }

  decide(): DirectoryDecision {
    const claims = this.claims();
    const actions: DirectoryAction[] = [];
    const waiting: string[] = [];
    const asked = this.asked();
    for (const code of [...new Set([...this.suppliers.keys(), ...this.links.keys()])].sort(byText)) {
      const link = this.links.get(code);
      const supplier = this.suppliers.get(code);
      const vendor = link?.vendorId ? this.vendors.get(link.vendorId) : undefined;
      if (link && vendor) {
        const action = this.assess(link, supplier, vendor);
        if (action) actions.push(action);
      } else if (!supplier?.active) {
        if (link) actions.push({ kind: 'END', supplierCode: code });
      } else {
        const action = this.place(supplier, link, claims.get(code) ?? [], asked.has(code));
        if (action === 'WAIT') waiting.push(code);
        else if (action) actions.push(action);
      }
    }
    if (this.lists.createsSuppliers) actions.push(...this.suppliersToCreate());
    const order = (action: DirectoryAction) => KINDS.indexOf(action.kind);
    return { actions: actions.sort((a, b) => order(a) - order(b)), waiting };
  }

  // ── which vendor is whose ──────────────────────────────────────────────────────────────────

  /** The supplier whose name the vendor bears, if there is just one: adopted without asking anybody. */
  private namedBy(vendor: DirectoryVendor): string | null {
    const key = this.register.key(vendor);
    const named = this.register.byPlain.get(key) ?? this.register.byCoded.get(key) ?? [];
    const [code] = named;
    if (code === undefined || named.length > 1) return null;
    return this.words.get(vendor.id)?.rejected.includes(code) ? null : code;
  }

  /** Free vendors that a supplier without a vendor will adopt for their name. */
  private namedAlone(): Set<string> {
    const named = [...this.claims()].flatMap(([code, claims]) => {
      const [only, ...others] = claims.filter(({ basis }) => basis === 'NAME');
      return only && others.length === 0 && this.isOpen(code) ? [only.vendor.id] : [];
    });
    return new Set(named);
  }

  /** By supplier: the free vendors that are its own, and on what grounds. */
  private claims(): Claims {
    const claims = new Map<string, Claim[]>();
    for (const vendor of this.free) {
      const word = this.words.get(vendor.id);
      if (word?.create) continue;
      const isDecided = word?.by === 'PERSON' && word.supplierCode !== null;
      const named = isDecided ? null : this.namedBy(vendor);
      const code = named ?? word?.supplierCode ?? null;
      if (code !== null) add(claims, code, { vendor, basis: named ? 'NAME' : isDecided ? 'PERSON' : 'MATCH' });
    }
    // A vendor whose supplier is gone moves only when a person says whose it is now.
    for (const vendor of this.abandoned()) {
      const word = this.words.get(vendor.id);
      if (word?.by !== 'PERSON' || word.supplierCode === null) continue;
      if (this.isOpen(word.supplierCode)) add(claims, word.supplierCode, { vendor, basis: 'PERSON' });
    }
    return claims;
  }

  private isOpen(code: string): boolean {
    const vendorId = this.links.get(code)?.vendorId;
    return this.suppliers.get(code)?.active === true && (!vendorId || !this.vendors.has(vendorId));
  }

  private abandoned(): DirectoryVendor[] {
    return this.lists.links.flatMap((link) => {
      const vendor = link.vendorId === null ? undefined : this.vendors.get(link.vendorId);
      return vendor && !this.suppliers.get(link.supplierCode)?.active ? [vendor] : [];
    });
  }

  /** Suppliers that a person is being asked about: nothing is made for them meanwhile. */
  private asked(): Set<string> {
    return new Set(this.free.flatMap((vendor) => this.words.get(vendor.id)?.candidates ?? []));
  }

  private suppliersToCreate(): DirectoryAction[] {
    return this.free.flatMap(({ id }) => {
      const create = this.words.get(id)?.create;
      return create ? [{ kind: 'CREATE_SUPPLIER' as const, vendorId: id, ...create }] : [];
    });
  }

  // ── a supplier without a vendor ────────────────────────────────────────────────────────────

  private place(
    supplier: DirectorySupplier,
    link: DirectoryLink | undefined,
    claims: readonly Claim[],
    isAsked: boolean,
  ): DirectoryAction | 'WAIT' | null {
    const { code, name } = supplier;
    for (const basis of ['PERSON', 'NAME', 'MATCH'] as const) {
      const fitting = claims.filter((claim) => claim.basis === basis).map((claim) => claim.vendor);
      const [vendor, ...others] = fitting;
      if (!vendor) continue;
      if (others.length === 0) {
        const names = { supplierCode: code, supplierName: name, vendorName: vendor.name };
        return { kind: 'LINK', ...names, vendorId: vendor.id, basis };
      }
      const listed = fitting.map((one) => `"${one.name}" (${one.id})`).sort(byText);
      return this.conflict(
        supplier,
        link,
        `Several vendors fit supplier ${code} "${name}": ${listed.slice(0, 5).join(', ')}. Merge them in the spend system, or say with resolveVendorMatch which one is it.`,
      );
    }
    if (link?.vendorId) {
      return this.conflict(
        supplier,
        link,
        `The vendor "${link.vendorName}" of supplier ${code} "${name}" is gone from the spend system. Make it there again under this name, or deactivate the supplier in the ledger.`,
      );
    }
    if (isAsked) return 'WAIT';
    const free = this.register.freeFor(supplier, null);
    if (free !== null) return { kind: 'CREATE', supplierCode: code, supplierName: name, name: free };
    return this.conflict(supplier, link, noName(supplier));
  }

  // ── a supplier and its vendor ──────────────────────────────────────────────────────────────

  private assess(
    link: DirectoryLink,
    supplier: DirectorySupplier | undefined,
    vendor: DirectoryVendor,
  ): DirectoryAction | null {
    if (!supplier?.active) return this.abandon(link, supplier, vendor);
    const { code, name } = supplier;
    const forms = this.register.of(supplier);
    const key = this.register.key(vendor);
    const isVendorRenamed = vendor.name !== link.vendorName && key !== keyOf(link.vendorName ?? '');
    const isSupplierRenamed =
      name !== link.supplierName && forms.plain !== formsOf({ code, name: link.supplierName }).plain;
    const names = { supplierCode: code, supplierName: name, vendorName: vendor.name };
    const agree = { kind: 'AGREE' as const, ...names, vendorId: vendor.id };
    if (isVendorRenamed) {
      const agrees = key === forms.plainKey || key === forms.codedKey;
      if (agrees) return agree;
      const ledgerSide = isSupplierRenamed
        ? `supplier ${code} was renamed from "${link.supplierName}" to "${name}" in the ledger, and its vendor`
        : `the vendor of supplier ${code} "${name}" was renamed in the spend system`;
      const sentence = isSupplierRenamed
        ? `Both sides were renamed: ${ledgerSide} from "${link.vendorName}" to "${vendor.name}" in the spend system. Give both the same name.`
        : `${capital(ledgerSide)} from "${link.vendorName}" to "${vendor.name}". Rename the supplier in the ledger as well, or the vendor back.`;
      return this.conflict(supplier, link, sentence);
    }
    if (isSupplierRenamed) {
      const wanted = this.register.freeFor(supplier, vendor.id);
      if (wanted === null) return this.conflict(supplier, link, noName(supplier));
      return wanted === vendor.name ? agree : { kind: 'RENAME', ...names, vendorId: vendor.id, name: wanted };
    }
    const isAsSeen = link.state === 'LINKED' && link.supplierName === name && link.vendorName === vendor.name;
    return isAsSeen ? null : agree;
  }

  /** The supplier is inactive or gone: a person says what becomes of its vendor. */
  private abandon(
    link: DirectoryLink,
    supplier: DirectorySupplier | undefined,
    vendor: DirectoryVendor,
  ): DirectoryAction | null {
    const code = link.supplierCode;
    const word = this.words.get(vendor.id);
    const heir =
      word?.by === 'PERSON' && word.supplierCode !== null ? this.suppliers.get(word.supplierCode) : undefined;
    // Whose it is now is said; it is linked there, or it is one more vendor of a supplier that has its own already.
    if (heir?.active) return { kind: 'END', supplierCode: code };
    const what = supplier
      ? `Supplier ${code} "${supplier.name}" is inactive in the ledger`
      : `Supplier ${code} "${link.supplierName}" is no longer in the ledger (removed or merged)`;
    const todo = supplier
      ? 'Activate the supplier, or remove the vendor in the spend system; nothing is removed by itself.'
      : 'Assign the vendor to another supplier with resolveVendorMatch, or remove it in the spend system; nothing is removed by itself.';
    const named = supplier ?? { code, name: link.supplierName, active: false };
    return this.conflict(named, link, `${what}, but its vendor "${vendor.name}" is still there. ${todo}`);
  }

  // ── names and conflicts ────────────────────────────────────────────────────────────────────

  /** null when the same is written down already. The names stay those by which both sides last agreed. */
  private conflict(supplier: DirectorySupplier, link: DirectoryLink | undefined, note: string): DirectoryAction | null {
    if (link?.state === 'CONFLICT' && link.note === note) return null;
    return {
      kind: 'CONFLICT',
      supplierCode: supplier.code,
      vendorId: link?.vendorId ?? null,
      supplierName: link?.supplierName ?? supplier.name,
      vendorName: link?.vendorName ?? null,
      note,
    };
  }
}

function noName({ code, name }: DirectorySupplier): string {
  return `Supplier ${code} "${name}" has no name that is still free in the spend system, not even with its code. Rename the vendor that has it.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
