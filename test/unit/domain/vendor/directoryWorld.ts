import type {
  DirectoryAction,
  DirectoryLink,
  DirectoryState,
  DirectorySupplier,
  DirectoryVendor,
  VendorWord,
} from '../../../../src/domain/vendor/directory.js';

/** A directory in memory, on which decisions are carried out as the service does. */

export const supplier = (code: string, name: string, active = true): DirectorySupplier => ({ code, name, active });
export const vendor = (id: string, name: string): DirectoryVendor => ({ id, name });

export function linked(supplierCode: string, supplierName: string, vendorId: string, vendorName = supplierName) {
  return { supplierCode, supplierName, vendorId, vendorName, state: 'LINKED', note: null } satisfies DirectoryLink;
}

const SILENT: VendorWord = { by: 'MATCHER', supplierCode: null, candidates: [], rejected: [], create: null };
export const word = (over: Partial<VendorWord>): VendorWord => ({ ...SILENT, ...over });

export function stateOf(over: Partial<DirectoryState> = {}): DirectoryState {
  return { suppliers: [], vendors: [], links: [], words: new Map(), createsSuppliers: false, ...over };
}

/** @throws Error what no spend system or table would take: a name or a vendor twice. */
export function carriedOut(state: DirectoryState, actions: readonly DirectoryAction[]): DirectoryState {
  const links = new Map(state.links.map((link) => [link.supplierCode, link]));
  const vendors = new Map(state.vendors.map((one) => [one.id, one]));
  const isTaken = (name: string, own?: string) =>
    [...vendors.values()].some((one) => one.id !== own && one.name.toLowerCase() === name.toLowerCase());
  for (const action of actions) {
    switch (action.kind) {
      case 'END':
        links.delete(action.supplierCode);
        break;
      case 'LINK':
      case 'AGREE':
        links.set(
          action.supplierCode,
          linked(action.supplierCode, action.supplierName, action.vendorId, action.vendorName),
        );
        break;
      case 'CONFLICT': {
        const { kind: _kind, ...facts } = action;
        links.set(action.supplierCode, { ...facts, state: 'CONFLICT' });
        break;
      }
      case 'RENAME':
        if (isTaken(action.name, action.vendorId)) throw new Error(`The name ${action.name} is taken.`);
        vendors.set(action.vendorId, vendor(action.vendorId, action.name));
        links.set(action.supplierCode, linked(action.supplierCode, action.supplierName, action.vendorId, action.name));
        break;
      case 'CREATE': {
        if (isTaken(action.name)) throw new Error(`The name ${action.name} is taken.`);
        const made = vendor(`made-${action.supplierCode}-${vendors.size}`, action.name);
        vendors.set(made.id, made);
        links.set(action.supplierCode, linked(action.supplierCode, action.supplierName, made.id, made.name));
        break;
      }
      case 'CREATE_SUPPLIER':
    }
    const held = [...links.values()].flatMap(({ vendorId }) => vendorId ?? []);
    if (new Set(held).size < held.length) throw new Error(`Two suppliers share a vendor after ${action.kind}.`);
  }
  return { ...state, links: [...links.values()], vendors: [...vendors.values()] };
}
