import { z } from 'zod';
import type { BrexParts } from '../app.js';
import { pageOfList } from '../paging.js';
import { type BrexReply, badRequest, notFound, ok } from '../replies.js';
import { bodyOf, type Call, pageQuery, type Route, requireAscii } from '../routing.js';
import type { SeedVendor } from '../seed.js';

type Details = z.infer<typeof DETAILS>;
type Instrument = Details & { payment_instrument_id: string };

export interface Vendor extends SeedVendor {
  instruments: Instrument[];
}

const ADDRESS = z.record(z.string(), z.string().nullable());
const BANK = { routing_number: z.string().min(1), account_number: z.string().min(1) };
const DETAILS = z.discriminatedUnion('type', [
  z.object({
    ...{ type: z.literal('ACH'), ...BANK, beneficiary_name: z.string().nullish() },
    ...{ account_type: z.enum(['CHECKING', 'SAVING']), account_class: z.enum(['BUSINESS', 'PERSONAL']) },
  }),
  z.object({ type: z.literal('DOMESTIC_WIRE'), ...BANK, address: ADDRESS, beneficiary_name: z.string().nullish() }),
  z.object({
    ...{ type: z.literal('CHEQUE'), mailing_address: ADDRESS },
    ...{ recipient_name: z.string().max(40), beneficiary_name: z.string().nullish() },
  }),
]);
const ACCOUNTS = z.array(z.object({ details: DETAILS })).nullish();
const CREATE = z.object({
  ...{ company_name: z.string().min(1), email: z.string().nullish(), phone: z.string().nullish() },
  payment_accounts: ACCOUNTS,
});
const UPDATE = CREATE.partial().extend({ beneficiary_name: z.string().nullish() });

/** The account's payees. */
export class Vendors {
  readonly all = new Map<string, Vendor>();
  private nextId = 1;

  constructor(seeds: readonly SeedVendor[]) {
    for (const seed of seeds) this.all.set(seed.id, { ...seed, instruments: [] });
  }

  byName(name: string): Vendor | undefined {
    return [...this.all.values()].find((vendor) => vendor.companyName === name);
  }

  add(vendor: Omit<Vendor, 'id' | 'instruments'>): Vendor {
    const added: Vendor = { ...vendor, id: `vendor_sbxn${this.number()}`, instruments: [] };
    this.all.set(added.id, added);
    return added;
  }

  /** One instrument of a type: a second one overwrites the first and keeps its id. */
  setInstruments(vendor: Vendor, details: readonly Details[]): void {
    for (const one of details) {
      const before = vendor.instruments.find((known) => known.type === one.type);
      const id = before?.payment_instrument_id ?? `pi_sbx${this.number()}`;
      vendor.instruments = [
        ...vendor.instruments.filter((known) => known !== before),
        { ...one, payment_instrument_id: id },
      ];
    }
  }

  byInstrument(id: string): { vendor: Vendor; instrument: Instrument } | undefined {
    for (const vendor of this.all.values()) {
      const instrument = vendor.instruments.find((one) => one.payment_instrument_id === id);
      if (instrument) return { vendor, instrument };
    }
    return undefined;
  }

  private number(): number {
    this.nextId += 1;
    return this.nextId;
  }
}

/** The Vendors API (§9). No external id, no change time: a full list is the only way to find changes. */
export function vendorRoutes(parts: BrexParts): Route[] {
  const [all, one] = ['/v1/vendors', '/v1/vendors/:id'];
  const read = ['vendors.readonly'];
  return [
    { method: 'GET', pattern: all, scopes: read, handle: (call) => list(parts, call) },
    {
      ...{ method: 'POST', pattern: all, scopes: ['vendors'], idempotency: 'required' },
      handle: (call) => create(parts, call),
    },
    { method: 'GET', pattern: one, scopes: read, handle: (call) => ok(shape(find(parts, call))) },
    {
      ...{ method: 'PUT', pattern: one, scopes: ['vendors'], idempotency: 'optional' },
      handle: (call) => update(parts, call),
    },
    {
      ...{ method: 'DELETE', pattern: one, scopes: ['vendors'] },
      handle: (call) => {
        parts.vendors.all.delete(find(parts, call).id);
        return ok();
      },
    },
  ];
}

function find({ vendors }: BrexParts, call: Call): Vendor {
  const found = vendors.all.get(call.params.id ?? '');
  if (!found) throw notFound('Vendor not found');
  return found;
}

function shape(vendor: Vendor): unknown {
  return {
    ...{ id: vendor.id, company_name: vendor.companyName, email: vendor.email, phone: vendor.phone },
    payment_accounts: vendor.instruments.map((details) => ({ details: masked(details) })),
  };
}

function masked(details: Instrument): unknown {
  if (!('account_number' in details)) return details;
  return { ...details, account_number: `****${details.account_number.slice(-4)}` };
}

function list({ vendors, settings }: BrexParts, call: Call): BrexReply {
  const name = call.query.get('name')?.toLowerCase();
  const found = [...vendors.all.values()].filter((one) => !name || one.companyName.toLowerCase().startsWith(name));
  const page = pageOfList(pageQuery(call, 1000, settings), found);
  return ok({ next_cursor: page.nextCursor, items: page.items.map(shape) });
}

function create({ vendors, settings }: BrexParts, call: Call): BrexReply {
  const body = bodyOf(call, CREATE);
  if (settings.asciiOnly) requireAscii(call, { company_name: body.company_name });
  if (vendors.byName(body.company_name)) throw badRequest(call.path, 'Vendor with this name already exists');
  const { email = null, phone = null } = body;
  const vendor = vendors.add({ companyName: body.company_name, email, phone });
  vendors.setInstruments(
    vendor,
    (body.payment_accounts ?? []).map((account) => account.details),
  );
  return ok(shape(vendor));
}

function update(parts: BrexParts, call: Call): BrexReply {
  const body = bodyOf(call, UPDATE);
  const vendor = find(parts, call);
  const name = body.company_name;
  if (parts.settings.asciiOnly) requireAscii(call, { company_name: name });
  const namesake = name === undefined ? undefined : parts.vendors.byName(name);
  if (namesake && namesake !== vendor) throw badRequest(call.path, 'Vendor with this name already exists');
  vendor.companyName = name ?? vendor.companyName;
  vendor.email = body.email ?? vendor.email;
  vendor.phone = body.phone ?? vendor.phone;
  parts.vendors.setInstruments(
    vendor,
    (body.payment_accounts ?? []).map((account) => account.details),
  );
  return ok(shape(vendor));
}
