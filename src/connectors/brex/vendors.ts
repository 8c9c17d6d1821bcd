import { InputError, UnreadableReplyError } from '../../errors.js';
import type { ReadsVendors } from '../contract.js';
import { type BrexClient, PAGE_MAX, type VendorItem } from './client.js';
import type { BrexFailure } from './failures.js';
import { asciiText } from './text.js';

/**
 * Brex's vendors are payees. They have no external id, no update time and no webhook, so our own table links them to
 * suppliers, and only a full list shows edits. Names are unique in the account; how Brex reports a duplicate is not
 * documented, so any refusal of a name leads to one more look for it.
 */
export function createVendors(client: BrexClient): ReadsVendors {
  async function* pages(name?: string): AsyncIterable<readonly VendorItem[]> {
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const query: { limit: number; cursor: string | null } = { limit: PAGE_MAX.others, cursor };
      const page: { items: VendorItem[]; nextCursor: string | null } = await client.vendors(
        name === undefined ? query : { ...query, name },
      );
      yield page.items;
      cursor = page.nextCursor;
      if (cursor !== null && seen.has(cursor)) throw new UnreadableReplyError('Brex repeated a page of vendors.');
      if (cursor !== null) seen.add(cursor);
    } while (cursor !== null);
  }

  async function find(name: string, filter?: string): Promise<VendorItem | null> {
    for await (const page of pages(filter)) {
      const found = page.find((vendor) => isSameName(vendor.name, name));
      if (found) return found;
    }
    return null;
  }

  return {
    list: () => pages(),
    async ensure(name, idempotencyKey) {
      const ascii = asciiText(name, 'name');
      const existing = await find(ascii, ascii);
      if (existing) return { ...existing, created: false };
      const made = await client.createVendor(ascii, idempotencyKey);
      if (!('refused' in made)) return { ...made, created: true };
      // The filter's way of comparing is not documented, so this time the whole list is searched.
      const adopted = await find(ascii);
      if (adopted) return { ...adopted, created: false };
      throw refusal(ascii, made.refused);
    },
    async rename(id, name, idempotencyKey) {
      const ascii = asciiText(name, 'name');
      const renamed = await client.renameVendor(id, ascii, idempotencyKey);
      if ('refused' in renamed) throw refusal(ascii, renamed.refused);
      return renamed;
    },
  };
}

function refusal(name: string, { message, status }: BrexFailure): InputError {
  return new InputError(`Brex refused the vendor name "${name}" (${message || `status ${status}`}).`, ['name']);
}

function isSameName(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .normalize('NFKD')
      .replace(/[^\x20-\x7e]/g, '')
      .replace(/\s+/g, ' ')
      .trim()
      .toLowerCase();
  return plain(a) === plain(b);
}
