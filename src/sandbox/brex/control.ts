import { z } from 'zod';
import { InputError } from '../../errors.js';
import type { BrexApp } from './app.js';
import type { ReceiptShelf } from './receiptShelf.js';
import { TRANSFER_STATUSES, type TransferStatus } from './routes/transfers.js';
import type { ExpenseEdit, ReviewStatus, SeedPurchase } from './seed.js';
import { type BrexSettings, SETTINGS } from './settings.js';
import type { ExpenseView } from './store.js';
import { type BrexSummary, summarize } from './summary.js';
import { parseMicros } from './units.js';
import type { Delivery, SendOptions, WebhookSecret } from './webhookSender.js';

export type WebhookOrder = SendOptions & {
  /** Several events are sent in the opposite order. */
  reorder?: boolean | undefined;
  /** A second key becomes active first, so that the message carries two signatures. */
  rotate?: boolean | undefined;
};

/** The hand on the simulated account: what a test or a demo makes happen there. Also over HTTP below `/_sandbox/`. */
export class BrexControl {
  constructor(private readonly app: BrexApp) {}

  get now(): string {
    return this.app.parts.store.nowText;
  }

  /**
   * Moves the account's "now". Nothing that is visible later than it is served.
   * @throws InputError the moment is unreadable, or lies before the last change (going back would hide that change).
   */
  setNow(now: string): string {
    const at = parseMicros(now);
    if (at === null) throw new InputError(`"${now}" is not a date-time.`, ['now']);
    if (!this.app.parts.store.moveTo(at)) {
      throw new InputError('The clock cannot go back behind a change that was made here.', ['now']);
    }
    return this.now;
  }

  /** The storage behind the links of receipts. */
  get receipts(): ReceiptShelf {
    return this.app.parts.shapes.receipts;
  }

  summary(): BrexSummary {
    return summarize(this.app.parts.store);
  }

  settings(): BrexSettings {
    return { ...this.app.parts.settings };
  }

  /** Changes switches while it runs. @throws InputError naming the unusable switch. */
  changeSettings(change: Partial<BrexSettings>): BrexSettings {
    const parsed = SETTINGS.partial().safeParse(change);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new InputError(issue?.message ?? 'unusable', issue?.path.map(String));
    }
    Object.assign(this.app.parts.settings, parsed.data);
    return this.settings();
  }

  /** @throws InputError there is no such expense, or not yet. */
  editExpense(id: string, edit: ExpenseEdit): { expenseId: string; recordIds: string[] } {
    const view = this.expense(id);
    this.app.parts.store.edit(view, edit);
    return touched(view);
  }

  voidExpense(id: string): { expenseId: string; recordIds: string[] } {
    const view = this.expense(id);
    this.app.parts.store.void(view);
    return touched(view);
  }

  /** @throws InputError the key is taken. */
  addPurchase(row: SeedPurchase): { key: string; expenseId: string | null; recordIds: string[] } {
    const { store } = this.app.parts;
    if (store.purchasesByKey.has(row.key)) throw new InputError(`The key ${row.key} is taken.`, ['key']);
    const purchase = store.add(row);
    return { key: row.key, expenseId: purchase.expense?.id ?? null, recordIds: purchase.records.map((one) => one.id) };
  }

  setReviewStatus(recordId: string, status: ReviewStatus): void {
    const record = this.app.parts.store.record(recordId);
    if (!record) throw new InputError(`There is no record ${recordId}.`, ['id']);
    this.app.parts.store.setReviewStatus(record, status);
  }

  /** What the last export report said about a record; null before the first. */
  lastExport(recordId: string): { referenceId: string | null; errorMessage: string | null } | null {
    return this.app.parts.store.record(recordId)?.lastExport ?? null;
  }

  /** What people can code with under a field that an integration made; empty when there is no such field. */
  codingValues(remoteFieldId: string): { code: string; active: boolean }[] {
    const values = this.app.parts.fields.fieldByRemoteId(remoteFieldId)?.valuesByRemoteId ?? new Map<string, never>();
    return [...values].map(([code, { isDisabled }]) => ({ code, active: !isDisabled }));
  }

  setTransferStatus(id: string, status: TransferStatus, reason: string | null = null): void {
    const transfer = this.app.parts.transfers.get(id);
    if (!transfer) throw new InputError(`There is no transfer ${id}.`, ['id']);
    Object.assign(transfer, { status, cancellation_reason: reason });
    const event = { PROCESSED: 'TRANSFER_PROCESSED', FAILED: 'TRANSFER_FAILED' }[status as string];
    if (event === undefined || !this.app.parts.settings.webhooksOnReveal) return;
    this.app.parts.webhooks.background(() => this.sendWebhooks([this.transferEvent(event, id)]));
  }

  transferEvent(eventType: string, id: string): Record<string, unknown> {
    const transfer = this.app.parts.transfers.get(id);
    return {
      ...{ event_type: eventType, transfer_id: id, payment_type: transfer?.payment_type ?? 'ACH' },
      ...{ return_for_id: null, company_id: this.app.parts.store.seed.company.id },
    };
  }

  /** ACCOUNTING_RECORD_READY_FOR_EXPORT for these records; resolves when the first attempts have ended. */
  sendReady(recordIds: readonly string[], order: WebhookOrder = {}): Promise<Delivery[]> {
    return this.sendWebhooks(this.app.readyEvents(recordIds), order);
  }

  async sendWebhooks(events: readonly Record<string, unknown>[], order: WebhookOrder = {}): Promise<Delivery[]> {
    const { reorder, rotate, ...options } = order;
    if (rotate) this.rotateSecret();
    const deliveries: Delivery[] = [];
    for (const event of reorder ? [...events].reverse() : events) {
      deliveries.push(...(await this.app.parts.webhooks.send(event, options)));
    }
    return deliveries;
  }

  /** Runs sends in the background, for callers over HTTP. */
  sendWebhooksLater(events: readonly Record<string, unknown>[], order: WebhookOrder): void {
    this.app.parts.webhooks.background(() => this.sendWebhooks(events, order));
  }

  deliveries(): readonly Delivery[] {
    return this.app.parts.webhooks.deliveries;
  }

  whenWebhooksIdle(): Promise<void> {
    return this.app.parts.webhooks.whenIdle();
  }

  rotateSecret(secret?: string): WebhookSecret {
    return this.app.parts.webhooks.beginRotation(secret);
  }

  endRotation(): void {
    this.app.parts.webhooks.endRotation();
  }

  /** Ends one access token or, without one, all that OAuth has given out. @returns how many. */
  expireTokens(token: string | null = null): number {
    return this.app.parts.access.expire(token);
  }

  readyEvents(recordIds: readonly string[]): Record<string, unknown>[] {
    return this.app.readyEvents(recordIds);
  }

  private expense(id: string): ExpenseView {
    const view = this.app.parts.store.expense(id);
    if (!view) throw new InputError(`There is no expense ${id}.`, ['id']);
    if (view.pendingMinor !== null) throw new InputError(`The expense ${id} is not settled yet.`, ['id']);
    return view;
  }
}

function touched(view: ExpenseView): { expenseId: string; recordIds: string[] } {
  const { records } = view.purchase;
  const related = records.filter((record) => view.child === null || record.child === view.child);
  return { expenseId: view.id, recordIds: related.map((record) => record.id) };
}

const REVIEW_STATUS = z.enum(['PREPARE', 'REVIEW', 'READY_FOR_EXPORT', 'EXPORTED']);

export const EDIT_BODY = z.strictObject({
  amount: z.int().optional(),
  memo: z.string().nullable().optional(),
  glAccount: z.string().nullable().optional(),
  costCentre: z.string().nullable().optional(),
  coding: z.record(z.string(), z.string().nullable()).optional(),
  category: z.string().optional(),
  transaction: z.boolean().optional(),
  reviewStatus: REVIEW_STATUS.optional(),
});
export const STATUS_BODY = z.strictObject({ status: REVIEW_STATUS });
export const TRANSFER_BODY = z.strictObject({
  status: z.enum(TRANSFER_STATUSES),
  reason: z.string().nullable().optional(),
});
