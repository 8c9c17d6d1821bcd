import { z } from 'zod';
import type { ReceiptRef } from '../../domain/spend.js';
import { UnreadableReplyError } from '../../errors.js';
import type { ReadsReceipts, ReceiptLink } from '../contract.js';
import type { BrexClient } from './client.js';

/** Receipts of expenses and accounting records. Brex shows their ids always, and links that live for 15 minutes on request. */

const shownSchema = z.object({ receipts: z.array(z.object({ id: z.string().min(1).max(200) })).nullish() });
const linkedSchema = z.object({
  receipts: z
    .array(z.object({ id: z.string().min(1).max(200), download_uris: z.array(z.string().min(1)).nullish() }))
    .nullish(),
});

/** The receipts that an object shows. An unknown form shows none: no purchase is held up for its receipt. */
export function receiptsIn(raw: unknown): { readonly receipts?: readonly ReceiptRef[] } {
  const parsed = shownSchema.safeParse(raw);
  const ids = [...new Set((parsed.data?.receipts ?? []).map(({ id }) => id))];
  return ids.length === 0 ? {} : { receipts: ids.map((key) => ({ key, fileName: null, lastingUrl: null })) };
}

export function createReceipts(client: BrexClient): ReadsReceipts {
  return {
    async links(stream, externalId) {
      const found =
        stream === 'EXPENSES' ? await client.expenseWithReceipts(externalId) : await client.record(externalId);
      return found === null ? [] : linksIn(found.plain);
    },
  };
}

/** @throws UnreadableReplyError naming the fields that do not have the documented form, never their values. */
export function linksIn(raw: unknown): ReceiptLink[] {
  const parsed = linkedSchema.safeParse(raw);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))];
    throw new UnreadableReplyError(`Brex sent receipts of an unknown form: ${fields.join(', ')}.`);
  }
  return (parsed.data.receipts ?? []).flatMap(({ id, download_uris }) =>
    (download_uris ?? []).map((url, index) => ({
      key: index === 0 ? id : `${id}#${index + 1}`,
      // The last part of the path is Brex's own key, no name that anybody gave.
      fileName: null,
      url,
    })),
  );
}
