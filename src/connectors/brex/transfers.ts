import { InputError } from '../../errors.js';
import { type BrexClient, PAGE_MAX, type Transfer, type TransferOrder } from './client.js';
import { asciiText } from './text.js';

/**
 * Payments from a Brex cash account. Not part of the spend flows, which never move money; offered for callers that pay.
 * Brex rewrites the description it is given and has no cancel call, so a transfer is known by its returned id only.
 */
export interface BrexTransfers {
  /**
   * @param businessKey names the payment, e.g. the source transaction id; the same payment always has the same key, so
   * that a repeat after a lost answer lands on the first one instead of paying twice.
   * @throws OutcomeUnknownError the answer was lost: repeat with the same key, or look for it in `list`.
   */
  create(order: TransferOrder, businessKey: string): Promise<Transfer>;
  get(id: string): Promise<Transfer | null>;
  list(cursor: string | null): Promise<{ items: Transfer[]; nextCursor: string | null }>;
}

/** ACH and wire take 90 characters, a cheque 40. The rail is known to Brex only, so the longer limit is checked. */
const MEMO_MAX = 90;

export function createTransfers(client: BrexClient): BrexTransfers {
  return {
    create(order, businessKey) {
      if (order.amountMinor <= 0n || order.amountMinor > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw new InputError('A transfer needs a positive amount in cents.', ['amountMinor']);
      }
      if (!/^[\x21-\x7e]{1,200}$/.test(businessKey)) {
        throw new InputError('The key of a transfer is 1 to 200 ASCII characters without spaces.', ['businessKey']);
      }
      const externalMemo = asciiText(order.externalMemo, 'externalMemo');
      if (externalMemo.length > MEMO_MAX) {
        throw new InputError(`The memo of a transfer has at most ${MEMO_MAX} characters.`, ['externalMemo']);
      }
      const description = asciiText(order.description, 'description');
      return client.createTransfer({ ...order, externalMemo, description }, businessKey);
    },
    get: (id) => client.transfer(id),
    list: (cursor) => client.transfers({ limit: PAGE_MAX.others, cursor }),
  };
}
