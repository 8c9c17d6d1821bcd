import { type ListSpec, type Page, pageRequest } from './pages.js';
import type { ReadSession } from './session.js';

export interface VendorLinkRow {
  readonly sourceId: string;
  readonly ledgerId: string;
  readonly supplierCode: string;
  readonly supplierName: string;
  readonly vendorId: string | null;
  readonly vendorName: string | null;
  readonly state: 'LINKED' | 'CONFLICT';
  readonly note: string | null;
  readonly linkedAt: Date | null;
  readonly linkedBy: string | null;
  readonly updatedAt: Date;
}

const VENDOR_LINKS: ListSpec<VendorLinkRow> = {
  name: 'vendorLinks',
  from: 'vendor_links t',
  columns: `t.source_id as "sourceId", t.ledger_id as "ledgerId", t.supplier_code as "supplierCode",
    t.supplier_name as "supplierName", t.vendor_id as "vendorId", t.vendor_name as "vendorName", t.state, t.note,
    t.linked_at as "linkedAt", t.linked_by as "linkedBy", t.updated_at as "updatedAt"`,
  keys: [
    { sql: 't.supplier_code', type: 'text' },
    { sql: 't.source_id', type: 'text' },
    { sql: 't.ledger_id', type: 'text' },
  ],
  direction: 'asc',
};

/** Which vendor of a spend system is which supplier of a ledger, by the supplier's code. */
export class VendorLinkReads {
  constructor(private readonly session: ReadSession) {}

  /** @param systemId a ledger or a spend system. */
  async list(
    systemId: string,
    state: VendorLinkRow['state'] | null | undefined,
    page: { readonly first?: number | null | undefined; readonly after?: string | null | undefined },
  ): Promise<Page<VendorLinkRow>> {
    return this.session.page(VENDOR_LINKS, pageRequest(VENDOR_LINKS, page.first, page.after), (where) =>
      where.and('(t.ledger_id = $? or t.source_id = $?)', systemId).and('t.state = $?', state),
    );
  }
}
