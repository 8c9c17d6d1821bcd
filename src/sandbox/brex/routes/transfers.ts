import { z } from 'zod';
import type { BrexParts } from '../app.js';
import { pageOfList } from '../paging.js';
import { type BrexReply, badRequest, notFound, ok, Refusal } from '../replies.js';
import { bodyOf, type Call, pageQuery, type Route } from '../routing.js';
import { dateText } from '../units.js';

export const TRANSFER_STATUSES = ['PENDING_APPROVAL', 'SCHEDULED', 'PROCESSING', 'PROCESSED', 'FAILED'] as const;
export type TransferStatus = (typeof TRANSFER_STATUSES)[number];

export interface Transfer {
  id: string;
  status: TransferStatus;
  payment_type: string;
  [name: string]: unknown;
}

const MEMO_MAX = 90;
const CHEQUE_MEMO_MAX = 40;

const CREATE = z.object({
  counterparty: z.discriminatedUnion('type', [
    z.object({ type: z.literal('VENDOR'), payment_instrument_id: z.string().min(1) }),
    z.object({
      type: z.literal('BOOK_TRANSFER'),
      recipient: z.object({ type: z.enum(['ACCOUNT_ID', 'PAYMENT_INSTRUMENT_ID']), id: z.string().min(1) }),
    }),
  ]),
  amount: z.object({ amount: z.int().positive(), currency: z.literal('USD').nullish() }),
  description: z.string(),
  external_memo: z.string().max(MEMO_MAX),
  originating_account: z.object({ type: z.literal('BREX_CASH'), id: z.string().min(1) }),
  approval_type: z.literal('MANUAL').nullish(),
  is_ppro_enabled: z.boolean().nullish(),
});

/** Outgoing payments (§10). */
export function transferRoutes(parts: BrexParts): Route[] {
  const read = ['transfers.readonly', 'incoming_transfers'];
  const { transfers } = parts;
  return [
    {
      ...{ method: 'GET', pattern: '/v1/transfers', scopes: read },
      handle: (call) => {
        const page = pageOfList(pageQuery(call, 1000, parts.settings), [...transfers.values()]);
        return ok({ next_cursor: page.nextCursor, items: page.items });
      },
    },
    {
      ...{ method: 'GET', pattern: '/v1/transfers/:id', scopes: read },
      handle: (call) => {
        const found = transfers.get(call.params.id ?? '');
        if (!found) throw notFound('Transfer not found');
        return ok(found);
      },
    },
    {
      ...{ method: 'POST', pattern: '/v1/transfers', scopes: ['transfers'], idempotency: 'required' },
      handle: (call) => create(parts, call),
    },
  ];
}

function create(parts: BrexParts, call: Call): BrexReply {
  const { access, settings, store, transfers } = parts;
  const body = bodyOf(call, CREATE);
  if (!store.seed.cashAccounts.some((account) => account.id === body.originating_account.id)) {
    throw badRequest(call.path, 'originating_account is invalid');
  }
  const party = counterparty(parts, call, body.counterparty);
  if (party.rail === 'CHEQUE' && body.external_memo.length > CHEQUE_MEMO_MAX) {
    throw badRequest(call.path, 'external_memo is too long for a cheque');
  }
  if (!access.allow(`transfers:${call.caller.account}`, settings.transferLimit)) {
    throw new Refusal(429, 'RATE_LIMITED', 'Too many requests');
  }
  const id = `ptx_sbx${transfers.size + 1}`;
  const day = dateText(store.now);
  const transfer: Transfer = {
    id,
    counterparty: party.shape,
    description:
      party.rail === 'CHEQUE'
        ? `Check #${1000 + transfers.size} to ${party.name} - ${body.external_memo}`
        : `${party.name} - ${body.external_memo}`,
    payment_type: party.rail,
    amount: { amount: body.amount.amount, currency: 'USD' },
    process_date: null,
    originating_account: body.originating_account,
    status: body.approval_type === 'MANUAL' ? 'PENDING_APPROVAL' : 'SCHEDULED',
    cancellation_reason: null,
    estimated_delivery_date: dateText(store.now + 4 * 86_400_000_000),
    creator_user_id: call.caller.userId,
    created_at: day,
    display_name: party.name,
    external_memo: body.external_memo,
    is_ppro_enabled: body.is_ppro_enabled ?? null,
  };
  transfers.set(id, transfer);
  return ok(transfer);
}

function counterparty(
  { vendors }: BrexParts,
  call: Call,
  wanted: z.infer<typeof CREATE>['counterparty'],
): { name: string; rail: string; shape: unknown } {
  if (wanted.type === 'BOOK_TRANSFER') {
    return {
      ...{ name: 'Book transfer', rail: 'BOOK_TRANSFER' },
      shape: { type: 'BOOK_TRANSFER', deposit_account_id: wanted.recipient.id },
    };
  }
  const found = vendors.byInstrument(wanted.payment_instrument_id);
  if (!found) throw badRequest(call.path, 'payment_instrument_id is invalid');
  const { vendor, instrument } = found;
  const bank = 'routing_number' in instrument ? instrument : null;
  return {
    name: vendor.companyName,
    rail: instrument.type,
    shape: {
      ...{ type: 'VENDOR', payment_instrument_id: wanted.payment_instrument_id, id: vendor.id },
      routing_number: bank?.routing_number ?? null,
      account_number: bank ? `****${bank.account_number.slice(-4)}` : null,
    },
  };
}
