import type { z } from 'zod';
import { OutcomeUnknownError, UnreadableReplyError } from '../../errors.js';
import type { QueryPairs } from '../http.js';
import type { BrexFailure } from './failures.js';
import type { ParsedJson } from './json.js';
import { type BrexCall, type BrexTransport, operationOf, readAs, unclearReply } from './transport.js';
import {
  cashAccountSchema,
  companySchema,
  exportResultsSchema,
  fieldSchema,
  fieldValueListSchema,
  integrationSchema,
  pageSchema,
  transferSchema,
  userSchema,
  vendorSchema,
  webhookSecretsSchema,
  webhookSubscriptionSchema,
} from './wire.js';

/**
 * One method per endpoint of Brex's API, on parsed answers; no rules of ours. Names of array parameters differ by
 * endpoint (`expand[]`, `ids`), and so do the largest pages: both are fixed here and nowhere else.
 * Pages: https://developer.brex.com/openapi (transactions, expenses, accounting, payments, webhooks, team, fields).
 */

/** Largest `limit` of each list; one more is a 400. Expenses went from 1000 to 100 in February 2026. */
export const PAGE_MAX = { transactions: 1000, expenses: 100, records: 500, others: 1000 } as const;
/** Keeps the address of a read by ids far below any limit of length. */
export const IDS_MAX = 100;

export interface BrexPage {
  /** For reading; amounts exact. */
  readonly items: readonly unknown[];
  /** The same items as plain JSON, to be stored. */
  readonly rawItems: readonly unknown[];
  /** null = the end. */
  readonly nextCursor: string | null;
}

export interface PageQuery {
  readonly limit: number;
  readonly cursor: string | null;
}

export interface ExpenseQuery extends PageQuery {
  readonly updatedFrom: Date | null;
  readonly updatedTo: Date | null;
  readonly parentExpenseId?: string;
}

export interface RecordQuery extends PageQuery {
  /**
   * Required: without an explicit bound Brex looks at a narrow window of its own and answers with an empty list.
   * There is no `review_status` here: together with BILL it is refused, and a filter on it would hide later edits.
   */
  readonly updatedFrom: Date;
  readonly updatedBefore: Date | null;
  readonly source: string;
}

export interface ExportResult {
  readonly accounting_record_id: string;
  readonly success?: { readonly reference_id: string };
  readonly failure?: { readonly error_message: string };
}

export interface Integration {
  readonly id: string;
  readonly status: string | null;
}

export type Transfer = z.output<typeof transferSchema>;
export type WebhookSubscription = z.output<typeof webhookSubscriptionSchema>;

export interface TransferOrder {
  readonly paymentInstrumentId: string;
  /** Cents; Brex transfers are in USD and positive. */
  readonly amountMinor: bigint;
  readonly description: string;
  readonly externalMemo: string;
  readonly cashAccountId: string;
  /** true = a cash admin must approve in Brex, whatever the account's policy says. */
  readonly requireApproval: boolean;
}

const EXPENSE_EXPANSIONS = ['merchant', 'user', 'location', 'department', 'budget'];

export class BrexClient {
  constructor(private readonly transport: BrexTransport) {}

  // ── company ────────────────────────────────────────────────────────────────────────────────

  async me(): Promise<{ id: string }> {
    return this.readOne({ method: 'GET', path: '/v2/users/me' }, userSchema);
  }

  async company(): Promise<{ id: string; name: string | null }> {
    const found = await this.readOne({ method: 'GET', path: '/v2/company' }, companySchema);
    return { id: found.id, name: found.legal_name ?? null };
  }

  // ── spend ──────────────────────────────────────────────────────────────────────────────────

  /** Settled transactions of all card accounts. `merchant` is always included and may not be expanded. */
  cardTransactions(query: PageQuery & { postedFrom: Date | null }): Promise<BrexPage> {
    return this.readPage('/v2/transactions/card/primary', [
      ['expand[]', 'expense_id'],
      ...dateTimePair('posted_at_start', query.postedFrom),
      ...pagePairs(query, PAGE_MAX.transactions),
    ]);
  }

  cashTransactions(accountId: string, query: PageQuery & { postedFrom: Date | null }): Promise<BrexPage> {
    return this.readPage(`/v2/transactions/cash/${encodeURIComponent(accountId)}`, [
      ...dateTimePair('posted_at_start', query.postedFrom),
      ...pagePairs(query, PAGE_MAX.transactions),
    ]);
  }

  /** `limit` is not declared for this list; a cursor is followed should Brex ever send one. */
  async cashAccounts(): Promise<{ id: string }[]> {
    const items = await this.readAll((cursor) =>
      this.readPage('/v2/accounts/cash', cursor === null ? [] : [['cursor', cursor]]),
    );
    return items.map((item) => readAs(cashAccountSchema, item, 'GET /v2/accounts/cash'));
  }

  /** Receipts come as ids only: their links are asked for when they are fetched (`expenseWithReceipts`). */
  expenses(query: ExpenseQuery): Promise<BrexPage> {
    return this.readPage('/v1/expenses', [
      ...expensePairs(),
      ...dateTimePair('updated_at_start', query.updatedFrom),
      ...dateTimePair('updated_at_end', query.updatedTo, Math.ceil),
      ...(query.parentExpenseId === undefined ? [] : pairs(['parent_expense_id[]', query.parentExpenseId])),
      ...pagePairs(query, PAGE_MAX.expenses),
    ]);
  }

  /** null = Brex does not know it. */
  expense(id: string): Promise<ParsedJson | null> {
    return this.transport.read({
      method: 'GET',
      path: `/v1/expenses/${encodeURIComponent(id)}`,
      query: expensePairs(),
    });
  }

  /** The same with links to its receipts, which open for anybody for 15 minutes. null = Brex does not know it. */
  expenseWithReceipts(id: string): Promise<ParsedJson | null> {
    return this.transport.read({
      method: 'GET',
      path: `/v1/expenses/${encodeURIComponent(id)}`,
      query: [['expand[]', 'receipts.download_uris']],
    });
  }

  records(query: RecordQuery): Promise<BrexPage> {
    return this.readPage('/v3/accounting/records', [
      ['source_type', query.source],
      ...dateTimePair('updated_at[gte]', query.updatedFrom),
      ...dateTimePair('updated_at[lt]', query.updatedBefore, Math.ceil),
      ['single_entry', 'true'],
      ...pagePairs(query, PAGE_MAX.records),
    ]);
  }

  /** @param ids at most `IDS_MAX`. Those that Brex does not know are missing from the answer. */
  recordsById(ids: readonly string[]): Promise<BrexPage> {
    return this.readPage('/v3/accounting/records', [
      ...ids.map((id): [string, string] => ['ids', id]),
      ['single_entry', 'true'],
      ['limit', String(PAGE_MAX.records)],
    ]);
  }

  /** null = Brex does not know it. */
  record(id: string): Promise<ParsedJson | null> {
    return this.transport.read({
      method: 'GET',
      path: `/v3/accounting/records/${encodeURIComponent(id)}`,
      query: [['single_entry', 'true']],
    });
  }

  /** @returns the ids Brex updated, or its refusal (404, 422) naming the ids that stood in the way. */
  async reportExports(results: readonly ExportResult[]): Promise<{ updated: string[] } | { refused: BrexFailure }> {
    const call: BrexCall = { method: 'POST', path: '/v3/accounting/records/export-results', body: { results } };
    const answer = await this.transport.write(call, [404, 422]);
    if (!('exact' in answer)) return { refused: answer };
    return { updated: this.written(call, answer, exportResultsSchema).updated_accounting_record_ids ?? [] };
  }

  // ── accounting integration ─────────────────────────────────────────────────────────────────

  /** Returns the active integration of that vendor and account, creating it if there is none; repeating is safe. */
  ensureIntegration(vendor: string, vendorAccountId: string): Promise<Integration> {
    return this.changeIntegration('/v3/accounting/integration', { vendor, vendor_account_id: vendorAccountId });
  }

  disconnectIntegration(id: string): Promise<Integration> {
    return this.changeIntegration(`/v3/accounting/integration/${encodeURIComponent(id)}/disconnect`);
  }

  reactivateIntegration(id: string): Promise<Integration> {
    return this.changeIntegration(`/v3/accounting/integration/${encodeURIComponent(id)}/reactivate`);
  }

  private async changeIntegration(path: string, body?: Record<string, string>): Promise<Integration> {
    const found = await this.writeOne({ method: 'POST', path, ...(body ? { body } : {}) }, integrationSchema);
    return { id: found.integration_id ?? found.id ?? '', status: found.status ?? null };
  }

  // ── vendors and transfers ──────────────────────────────────────────────────────────────────

  /** @param name filter; whether Brex compares the whole name or its beginning is not established. */
  async vendors(query: PageQuery & { name?: string }): Promise<{ items: VendorItem[]; nextCursor: string | null }> {
    const page = await this.readPage('/v1/vendors', [
      ...(query.name === undefined ? [] : pairs(['name', query.name])),
      ...pagePairs(query, PAGE_MAX.others),
    ]);
    return { items: page.items.map((item) => vendorItem(item)), nextCursor: page.nextCursor };
  }

  /** @returns the refusal when Brex says 400 or 409, which it also does for a name that exists. */
  async createVendor(companyName: string, idempotencyKey: string): Promise<VendorItem | { refused: BrexFailure }> {
    const call: BrexCall = { method: 'POST', path: '/v1/vendors', body: { company_name: companyName }, idempotencyKey };
    const answer = await this.transport.write(call, [400, 409, 422]);
    if (!('exact' in answer)) return { refused: answer };
    const found = this.written(call, answer, vendorSchema);
    return { id: found.id, name: (found.company_name ?? companyName).trim() };
  }

  /**
   * Only the name is sent: what else is left out stays as it is, bank details above all.
   * @returns the refusal when Brex does not know the vendor or will not have the name.
   */
  async renameVendor(
    id: string,
    companyName: string,
    idempotencyKey: string,
  ): Promise<VendorItem | { refused: BrexFailure }> {
    const path = `/v1/vendors/${encodeURIComponent(id)}`;
    const call: BrexCall = { method: 'PUT', path, body: { company_name: companyName }, idempotencyKey };
    const answer = await this.transport.write(call, [400, 404, 409, 422]);
    if (!('exact' in answer)) return { refused: answer };
    const found = this.written(call, answer, vendorSchema);
    return { id: found.id, name: (found.company_name ?? companyName).trim() };
  }

  /** The key names the business fact: the same payment always travels under the same key. */
  createTransfer(order: TransferOrder, idempotencyKey: string): Promise<Transfer> {
    const body = {
      counterparty: { type: 'VENDOR', payment_instrument_id: order.paymentInstrumentId },
      amount: { amount: Number(order.amountMinor), currency: 'USD' },
      description: order.description,
      external_memo: order.externalMemo,
      originating_account: { type: 'BREX_CASH', id: order.cashAccountId },
      ...(order.requireApproval ? { approval_type: 'MANUAL' } : {}),
    };
    return this.writeOne({ method: 'POST', path: '/v1/transfers', body, idempotencyKey }, transferSchema);
  }

  async transfer(id: string): Promise<Transfer | null> {
    const call: BrexCall = { method: 'GET', path: `/v1/transfers/${encodeURIComponent(id)}` };
    const answer = await this.transport.read(call);
    return answer && readAs(transferSchema, answer.exact, operationOf(call));
  }

  async transfers(query: PageQuery): Promise<{ items: Transfer[]; nextCursor: string | null }> {
    const page = await this.readPage('/v1/transfers', pagePairs(query, PAGE_MAX.others));
    const items = page.items.map((item) => readAs(transferSchema, item, 'GET /v1/transfers'));
    return { items, nextCursor: page.nextCursor };
  }

  // ── webhooks ───────────────────────────────────────────────────────────────────────────────

  async webhooks(): Promise<WebhookSubscription[]> {
    const items = await this.readAll((cursor) =>
      this.readPage('/v1/webhooks', pagePairs({ limit: 100, cursor }, PAGE_MAX.others)),
    );
    return items.map((item) => readAs(webhookSubscriptionSchema, item, 'GET /v1/webhooks'));
  }

  createWebhook(url: string, eventTypes: readonly string[], idempotencyKey: string): Promise<WebhookSubscription> {
    const body = { url, event_types: eventTypes };
    return this.writeOne({ method: 'POST', path: '/v1/webhooks', body, idempotencyKey }, webhookSubscriptionSchema);
  }

  /** A full replacement: what is left out is lost. */
  replaceWebhook(subscription: WebhookSubscription): Promise<WebhookSubscription> {
    const { id, url, event_types, group_id } = subscription;
    const body = { url, event_types, status: 'ACTIVE', ...(group_id ? { group_id } : {}) };
    const path = `/v1/webhooks/${encodeURIComponent(id)}`;
    return this.writeOne({ method: 'PUT', path, body }, webhookSubscriptionSchema);
  }

  /** A bare list, not a page. */
  webhookSecrets(): Promise<{ secret: string; status?: string | null | undefined }[]> {
    return this.readOne({ method: 'GET', path: '/v1/webhooks/secrets' }, webhookSecretsSchema);
  }

  // ── fields ─────────────────────────────────────────────────────────────────────────────────

  async fields(query: PageQuery): Promise<{ items: z.output<typeof fieldSchema>[]; nextCursor: string | null }> {
    const page = await this.readPage('/v1/fields', pagePairs(query, PAGE_MAX.others));
    return {
      items: page.items.map((item) => readAs(fieldSchema, item, 'GET /v1/fields')),
      nextCursor: page.nextCursor,
    };
  }

  /** A field of group ERP belongs to an accounting integration, which Brex does not show afterwards. */
  createField(
    field: { name: string; remoteId: string; integrationId: string },
    idempotencyKey: string,
  ): Promise<z.output<typeof fieldSchema>> {
    const body = { name: field.name, group: 'ERP', remote_id: field.remoteId, integration_id: field.integrationId };
    return this.writeOne({ method: 'POST', path: '/v1/fields', body, idempotencyKey }, fieldSchema);
  }

  async fieldValues(fieldId: string, query: PageQuery) {
    const path = `/v1/fields/${encodeURIComponent(fieldId)}/values`;
    const page = await this.readPage(path, pagePairs(query, PAGE_MAX.others));
    const items = page.items.map((item) => readAs(fieldValueListSchema, item, `GET ${path}`));
    return { items, nextCursor: page.nextCursor };
  }

  /** @param values 1 to 1000. */
  async createFieldValues(
    fieldId: string,
    values: readonly { value: string; value_id: string; remote_id: string; is_disabled: boolean }[],
    idempotencyKey: string,
  ): Promise<void> {
    const path = `/v1/fields/${encodeURIComponent(fieldId)}/values`;
    await this.transport.write({ method: 'POST', path, body: { items: values }, idempotencyKey });
  }

  /** @param changes 1 to 1000. Only the name and the switch can change; ids never do. */
  async updateFieldValues(
    fieldId: string,
    changes: readonly { brex_id: string; data: { value?: string; is_disabled?: boolean } }[],
  ): Promise<void> {
    const path = `/v1/fields/${encodeURIComponent(fieldId)}/values`;
    await this.transport.write({ method: 'PUT', path, body: { items: changes } });
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  // ── shapes ─────────────────────────────────────────────────────────────────────────────────

  private async readOne<T>(call: BrexCall, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.transport.read(call);
    if (!answer) throw new UnreadableReplyError(`Brex does not know ${operationOf(call)}.`);
    return readAs(schema, answer.exact, operationOf(call));
  }

  private async writeOne<T>(call: BrexCall, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.transport.write(call);
    if ('exact' in answer) return this.written(call, answer, schema);
    throw new OutcomeUnknownError(`Brex gave no clear answer to ${operationOf(call)}.`);
  }

  private written<T>(call: BrexCall, answer: ParsedJson, schema: z.ZodType<T>): T {
    try {
      return readAs(schema, answer.exact, operationOf(call));
    } catch (error) {
      throw unclearReply(operationOf(call), error);
    }
  }

  private async readPage(path: string, query: QueryPairs): Promise<BrexPage> {
    const call: BrexCall = { method: 'GET', path, query };
    const answer = await this.transport.read(call);
    if (!answer) throw new UnreadableReplyError(`Brex does not know the list ${operationOf(call)}.`);
    const page = readAs(pageSchema, answer.exact, operationOf(call));
    const plain = readAs(pageSchema, answer.plain, operationOf(call));
    const isLast = !page.next_cursor || page.has_next_page === false;
    return { items: page.items, rawItems: plain.items, nextCursor: isLast ? null : (page.next_cursor ?? null) };
  }

  /** For short lists. @throws UnreadableReplyError Brex repeats a cursor, so that the list would never end. */
  private async readAll(read: (cursor: string | null) => Promise<BrexPage>): Promise<unknown[]> {
    const items: unknown[] = [];
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const page: BrexPage = await read(cursor);
      items.push(...page.items);
      cursor = page.nextCursor;
      if (cursor !== null && seen.has(cursor)) throw new UnreadableReplyError('Brex repeated a page of a list.');
      if (cursor !== null) seen.add(cursor);
    } while (cursor !== null);
    return items;
  }
}

export interface VendorItem {
  readonly id: string;
  readonly name: string;
}

function vendorItem(item: unknown): VendorItem {
  const found = readAs(vendorSchema, item, 'GET /v1/vendors');
  return { id: found.id, name: (found.company_name ?? '').trim() };
}

function pairs(...list: [string, string][]): QueryPairs {
  return list;
}

function pagePairs(query: PageQuery, max: number): QueryPairs {
  const limit: [string, string] = ['limit', String(Math.min(query.limit, max))];
  return query.cursor === null ? [limit] : [limit, ['cursor', query.cursor]];
}

function expensePairs(): QueryPairs {
  return [...EXPENSE_EXPANSIONS.map((name): [string, string] => ['expand[]', name]), ['load_custom_fields', 'true']];
}

/**
 * `2026-11-20T12:00:00Z`: seconds and a zone, the one form that is known to work on all of these parameters. A start is
 * rounded down and an end up, so that rounding only ever reads more.
 */
function dateTimePair(name: string, instant: Date | null, round: (seconds: number) => number = Math.floor): QueryPairs {
  if (instant === null) return [];
  const rounded = new Date(round(instant.getTime() / 1000) * 1000);
  return [[name, `${rounded.toISOString().slice(0, 19)}Z`]];
}
