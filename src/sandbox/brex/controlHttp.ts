import { z } from 'zod';
import { json, parseControlBody, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { type BrexControl, EDIT_BODY, STATUS_BODY, TRANSFER_BODY } from './control.js';
import type { SeedPurchase } from './seed.js';
import { SETTINGS } from './settings.js';
import { parseMicros } from './units.js';

const SEND_BODY = z.strictObject({
  event: z.looseObject({ event_type: z.string() }).optional(),
  events: z.array(z.looseObject({ event_type: z.string() })).optional(),
  recordIds: z.array(z.string()).optional(),
  repeat: z.int().min(0).max(100).optional(),
  reorder: z.boolean().optional(),
  rotate: z.boolean().optional(),
  ageSeconds: z.int().optional(),
  badSignature: z.boolean().optional(),
  tamper: z.boolean().optional(),
  headerNames: z.enum(['webhook', 'svix']).optional(),
});

const moment = z.string().refine((text) => parseMicros(text) !== null, { message: 'must be a date-time' });
const line = z.strictObject({
  amountMinor: z.int(),
  memo: z.string().optional(),
  coding: z.record(z.string(), z.string().nullable()),
});
/** A late arrival. Moments default to the clock's "now". */
const PURCHASE_BODY = z.strictObject({
  key: z.string().regex(/^[A-Za-z0-9-]+$/),
  kind: z.enum(['CARD', 'REIMBURSEMENT', 'BILL', 'COLLECTION', 'REWARDS_CREDIT']).default('CARD'),
  user: z.int().min(0).nullable().default(0),
  merchant: z.int().min(0).nullable().default(0),
  descriptor: z.string(),
  amountMinor: z.int(),
  currency: z.string().length(3),
  originalMinor: z.int().optional(),
  originalCurrency: z.string().length(3).optional(),
  purchasedAt: moment.optional(),
  postedAt: moment.optional(),
  expenseAt: moment.optional(),
  recordAt: moment.optional(),
  reviewStatus: STATUS_BODY.shape.status.optional(),
  memo: z.string().optional(),
  taxMinor: z.int().optional(),
  lines: z.array(line).optional(),
});

/** Answers the controls below `/_sandbox/`; they are listed in the README beside this file. */
export function answerControl(control: BrexControl, route: string, request: SandboxRequest): SandboxReply | undefined {
  const [room = '', id = '', action = ''] = route.split('/');
  const operation = [request.method, room, id === '' ? '' : ':id', action].filter(Boolean).join(' ');
  switch (operation) {
    case 'GET summary':
      return json(200, control.summary());
    case 'GET clock':
      return json(200, { now: control.now });
    case 'POST clock':
      return json(200, { now: control.setNow(parseControlBody(z.strictObject({ now: z.string() }), request).now) });
    case 'GET settings':
      return json(200, control.settings());
    case 'POST settings':
      return json(200, control.changeSettings(defined(parseControlBody(SETTINGS.partial(), request))));
    case 'POST expenses :id edit':
      return json(200, control.editExpense(id, parseControlBody(EDIT_BODY, request)));
    case 'POST expenses :id void':
      return json(200, control.voidExpense(id));
    case 'POST purchases':
      return json(200, control.addPurchase(lateArrival(control.now, parseControlBody(PURCHASE_BODY, request))));
    case 'POST records :id review-status':
      control.setReviewStatus(id, parseControlBody(STATUS_BODY, request).status);
      return json(200, { ok: true });
    case 'GET records :id export':
      return json(200, { lastExport: control.lastExport(id) });
    case 'POST transfers :id status': {
      const { status, reason = null } = parseControlBody(TRANSFER_BODY, request);
      control.setTransferStatus(id, status, reason);
      return json(200, { ok: true });
    }
    case 'POST tokens :id':
      return id === 'expire' ? json(200, { ended: control.expireTokens() }) : undefined;
    case 'POST webhooks :id':
      return webhookControl(control, id, request);
    case 'GET webhooks :id':
      return id === 'deliveries' ? json(200, { deliveries: control.deliveries() }) : undefined;
    default:
      return undefined;
  }
}

function webhookControl(control: BrexControl, action: string, request: SandboxRequest): SandboxReply | undefined {
  if (action === 'rotate-secret') return json(200, control.rotateSecret());
  if (action === 'end-rotation') {
    control.endRotation();
    return json(200, { ok: true });
  }
  if (action !== 'send') return undefined;
  const { event, events = [], recordIds = [], ...order } = parseControlBody(SEND_BODY, request);
  const all = [...(event ? [event] : []), ...events, ...control.readyEvents(recordIds)];
  control.sendWebhooksLater(all, order);
  return json(202, { events: all.length });
}

// With exactOptionalPropertyTypes an absent switch must be absent, not undefined.
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function lateArrival(now: string, body: z.infer<typeof PURCHASE_BODY>): SeedPurchase {
  const { purchasedAt = now, postedAt = now, expenseAt = now, recordAt = now, lines, ...rest } = body;
  return {
    ...(defined(rest) as Omit<SeedPurchase, 'lines' | 'purchasedAt' | 'postedAt' | 'expenseAt' | 'recordAt'>),
    ...{ purchasedAt, postedAt, expenseAt, recordAt },
    lines: (lines ?? [{ amountMinor: body.amountMinor, coding: {} }]) as SeedPurchase['lines'],
  };
}
