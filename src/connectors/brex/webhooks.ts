import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { Webhook } from 'svix';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import type { WebhookReceiver } from '../contract.js';
import { type BrexSettings, secretsIn } from './config.js';

/**
 * Deliveries from Brex, which sends them through Svix: the signature scheme is Svix's, the header names are
 * `Webhook-Id`, `Webhook-Timestamp` and `Webhook-Signature` (`svix-*` is understood too). Bodies have no envelope, no id
 * and no time, so the message id in the header is what repeats are recognised by.
 */

const TOLERANCE_S = 300;

export const brexWebhooks: WebhookReceiver<BrexSettings> = {
  secretsIn,

  verify(headers, rawBody, secrets, now) {
    const named = lowerCased(headers);
    const id = named.get('webhook-id') ?? named.get('svix-id');
    const timestamp = named.get('webhook-timestamp') ?? named.get('svix-timestamp');
    const signatures = named.get('webhook-signature') ?? named.get('svix-signature');
    if (!id || !timestamp || !signatures || !isFresh(timestamp, now) || !isUtf8(rawBody)) return null;
    const given = signatures.split(' ').filter((signature) => signature.startsWith('v1,'));
    const isSigned = secrets.some((secret) => {
      const expected = sign(secret, id, timestamp, rawBody);
      return expected !== null && given.some((signature) => isEqual(signature, expected));
    });
    return isSigned ? id : null;
  },

  translate(body) {
    const parsed = eventSchema.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new InputError(
        'The webhook body is not what Brex documents for its event.',
        (issue?.path ?? []).map((part) => String(part)),
      );
    }
    return parsed.data;
  },
};

function lowerCased(headers: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const named = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) named.set(name.toLowerCase(), value.trim());
  }
  return named;
}

function isFresh(timestamp: string, now: Date): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(now.getTime() / 1000 - Number(timestamp)) <= TOLERANCE_S;
}

/**
 * svix computes the signature; the age and the comparison are judged here, because svix's own `verify` reads the system
 * clock and takes no other. null = the secret is not usable, so nothing fits it.
 */
function sign(secret: string, id: string, timestamp: string, rawBody: Buffer): string | null {
  try {
    return new Webhook(secret).sign(id, new Date(Number(timestamp) * 1000), rawBody);
  } catch {
    return null;
  }
}

function isEqual(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

// ── events ───────────────────────────────────────────────────────────────────────────────────

type Translated = ReturnType<WebhookReceiver<BrexSettings>['translate']>;

const id = z.string().min(1);

/** The one event in camel case, and the one that carries a batch. */
const recordsReady = z
  .object({
    event_type: z.literal('ACCOUNTING_RECORD_READY_FOR_EXPORT'),
    accountingRecordIds: z.array(id),
    companyId: id,
  })
  .transform(
    (event): Translated => ({
      eventType: event.event_type,
      companyId: event.companyId,
      objects: [...new Set(event.accountingRecordIds)].map((recordId) => ({
        stream: 'ACCOUNTING_RECORDS',
        id: recordId,
      })),
    }),
  );

/** Announces authorisations (PENDING, DECLINED), never a settlement. */
const expensePaymentUpdated = z
  .object({ event_type: z.literal('EXPENSE_PAYMENT_UPDATED'), expense_id: id, company_id: id })
  .transform(
    (event): Translated => ({
      eventType: event.event_type,
      companyId: event.company_id,
      objects: [{ stream: 'EXPENSES', id: event.expense_id }],
    }),
  );

const transfer = z
  .object({ event_type: z.enum(['TRANSFER_PROCESSED', 'TRANSFER_FAILED']), transfer_id: id, company_id: id })
  .transform((event): Translated => ({ eventType: event.event_type, companyId: event.company_id, objects: [] }));

const userUpdated = z
  .object({ event_type: z.literal('USER_UPDATED'), user_id: id, company_id: id })
  .transform((event): Translated => ({ eventType: event.event_type, companyId: event.company_id, objects: [] }));

const KNOWN = new Set([
  'ACCOUNTING_RECORD_READY_FOR_EXPORT',
  'EXPENSE_PAYMENT_UPDATED',
  'TRANSFER_PROCESSED',
  'TRANSFER_FAILED',
  'USER_UPDATED',
]);

/** Brex adds event types without notice; what is not known is acknowledged and causes nothing. */
const unknownEvent = z
  .object({
    event_type: z.string().refine((type) => !KNOWN.has(type)),
    company_id: z.string().nullish(),
    companyId: z.string().nullish(),
  })
  .transform(
    (event): Translated => ({
      eventType: event.event_type,
      companyId: event.companyId ?? event.company_id ?? null,
      objects: [],
    }),
  );

const eventSchema = z.union([recordsReady, expensePaymentUpdated, transfer, userUpdated, unknownEvent]);
