import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ZodType } from 'zod';
import type { Clock } from '../../clock.js';
import type { SourceObject } from '../../domain/spend.js';
import type { SpendStream } from '../../domain/vocabulary.js';
import { InputError } from '../../errors.js';
import type { ReadWindow, SpendPage } from '../contract.js';
import { type BrexClient, type BrexPage, IDS_MAX } from './client.js';
import type { BrexSettings } from './config.js';
import { advance, decodeCursor, encodeCursor, type StreamCursor, startCursor } from './cursor.js';
import { isMissingParts, mapExpense } from './expenseMapper.js';
import { mapCardTransaction, mapCashTransaction, withoutPresignedLinks } from './mapper.js';
import { mapAccountingRecord } from './recordMapper.js';
import {
  accountingRecordSchema,
  cardTransactionSchema,
  cashTransactionSchema,
  type Expense,
  expensePartSchema,
  expenseSchema,
} from './wire.js';

/** Reads pages of the four streams and turns their items into source objects. Saves nothing. */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

type Unreadable = SpendPage['unreadable'][number];
type MapOne = (exact: unknown, raw: unknown) => Promise<SourceObject> | SourceObject;

export class BrexReader {
  constructor(
    private readonly client: BrexClient,
    private readonly settings: BrexSettings,
    private readonly clock: Clock,
  ) {}

  async readPage(stream: SpendStream, window: ReadWindow, cursor: string | null): Promise<SpendPage> {
    const at = cursor === null ? await this.start(stream, window) : decodeCursor(cursor);
    const part = at.parts[0];
    // A company without cash accounts has an empty stream.
    if (part === undefined) return { objects: [], unreadable: [], nextCursor: null };
    const page = await this.pageOf(stream, part, at);
    const next = advance(at, page.nextCursor);
    const read = await mapItems(page, this.mapperOf(stream));
    return { ...read, nextCursor: next && encodeCursor(next) };
  }

  async readObjects(stream: SpendStream, ids: readonly string[]): Promise<SpendPage> {
    const unique = [...new Set(ids)];
    if (stream === 'ACCOUNTING_RECORDS') return this.readRecords(unique);
    if (stream === 'EXPENSES') {
      return this.readOneByOne(unique, (id) => this.client.expense(id), this.mapperOf(stream));
    }
    throw new InputError(`Brex cannot read single objects of the stream ${stream}.`, ['stream']);
  }

  // ── windows ────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads overlap on purpose: a date-grained filter is no exact watermark, and Brex's times have microseconds where ours
   * have milliseconds. Repeats are recognised by id and version.
   */
  private async start(stream: SpendStream, window: ReadWindow): Promise<StreamCursor> {
    const { updatedOverlapMinutes, postedOverlapDays, accountingLookbackDays, sources } = this.settings;
    switch (stream) {
      case 'CARD_TRANSACTIONS':
        return startCursor(['all'], earlier(window.since, postedOverlapDays * DAY_MS), null);
      case 'CASH_TRANSACTIONS': {
        const accounts = await this.client.cashAccounts();
        const ids = accounts.map((account) => account.id);
        return startCursor(ids, earlier(window.since, postedOverlapDays * DAY_MS), null);
      }
      case 'EXPENSES':
        return startCursor(['all'], earlier(window.since, updatedOverlapMinutes * MINUTE_MS), window.until);
      case 'ACCOUNTING_RECORDS': {
        const since = earlier(window.since, updatedOverlapMinutes * MINUTE_MS);
        const from = since ?? new Date(this.clock.now().getTime() - accountingLookbackDays * DAY_MS);
        return startCursor([...new Set(sources)], from, window.until);
      }
      default:
        throw new InputError(`Brex has no stream ${stream}.`, ['stream']);
    }
  }

  private pageOf(stream: SpendStream, part: string, at: StreamCursor): Promise<BrexPage> {
    const page = { limit: this.settings.pageSize, cursor: at.brex };
    const from = at.from === null ? null : new Date(at.from);
    const to = at.to === null ? null : new Date(at.to);
    switch (stream) {
      case 'CARD_TRANSACTIONS':
        return this.client.cardTransactions({ ...page, postedFrom: startOfDay(from) });
      case 'CASH_TRANSACTIONS':
        return this.client.cashTransactions(part, { ...page, postedFrom: startOfDay(from) });
      case 'EXPENSES':
        return this.client.expenses({ ...page, updatedFrom: from, updatedTo: to });
      default:
        if (from === null) throw new InputError('A cursor of accounting records needs its lower bound.', ['cursor']);
        return this.client.records({ ...page, updatedFrom: from, updatedBefore: to, source: part });
    }
  }

  // ── items ──────────────────────────────────────────────────────────────────────────────────

  private mapperOf(stream: SpendStream): MapOne {
    switch (stream) {
      case 'CARD_TRANSACTIONS':
        return (exact, raw) => mapCardTransaction(readItem(cardTransactionSchema, exact), raw);
      case 'CASH_TRANSACTIONS':
        return (exact, raw) => mapCashTransaction(readItem(cashTransactionSchema, exact), raw);
      case 'EXPENSES':
        return async (exact, raw) =>
          mapExpense(await this.withParts(readItem(expenseSchema, exact)), raw, this.settings);
      default:
        return (exact, raw) => mapAccountingRecord(readItem(accountingRecordSchema, exact), raw, this.settings);
    }
  }

  /** Parts of a split name no parent, so a split that came without them is asked for its own. */
  private async withParts(expense: Expense): Promise<Expense> {
    if (!isMissingParts(expense)) return expense;
    const query = { limit: 100, cursor: null, updatedFrom: null, updatedTo: null, parentExpenseId: expense.id };
    const page = await this.client.expenses(query);
    const items = page.items.map((item) => readItem(expensePartSchema, item));
    return { ...expense, expense_line_items: items };
  }

  // ── single objects ─────────────────────────────────────────────────────────────────────────

  private async readRecords(ids: readonly string[]): Promise<SpendPage> {
    const objects: SourceObject[] = [];
    const unreadable: Unreadable[] = [];
    for (let start = 0; start < ids.length; start += IDS_MAX) {
      const chunk = ids.slice(start, start + IDS_MAX);
      const page = await this.client.recordsById(chunk);
      const listed = await mapItems(page, this.mapperOf('ACCOUNTING_RECORDS'));
      // The list leaves out what lies outside a time window of its own, in silence; the single read does not.
      const seen = new Set(page.rawItems.map(idOf));
      const missing = chunk.filter((id) => !seen.has(id));
      const single = await this.readOneByOne(
        missing,
        (id) => this.client.record(id),
        this.mapperOf('ACCOUNTING_RECORDS'),
      );
      objects.push(...listed.objects, ...single.objects);
      unreadable.push(...listed.unreadable, ...single.unreadable);
    }
    return { objects, unreadable, nextCursor: null };
  }

  private async readOneByOne(
    ids: readonly string[],
    read: (id: string) => Promise<{ exact: unknown; plain: unknown } | null>,
    map: MapOne,
  ): Promise<SpendPage> {
    const exact: unknown[] = [];
    const plain: unknown[] = [];
    for (const id of ids) {
      const found = await read(id);
      if (!found) continue;
      exact.push(found.exact);
      plain.push(found.plain);
    }
    return { ...(await mapItems({ items: exact, rawItems: plain, nextCursor: null }, map)), nextCursor: null };
  }
}

/** Maps each item by itself: one that cannot be understood is reported and the rest of the page is read. */
async function mapItems(page: BrexPage, map: MapOne): Promise<Pick<SpendPage, 'objects' | 'unreadable'>> {
  const objects: SourceObject[] = [];
  const unreadable: Unreadable[] = [];
  for (const [index, item] of page.items.entries()) {
    const raw = page.rawItems[index];
    try {
      objects.push(await map(item, raw));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unreadable.push({ externalId: idOf(raw), reason: error.userMessage, raw: withoutPresignedLinks(raw) });
    }
    // A page holds up to a thousand items; other work of the process goes on in between.
    if (index % 200 === 199) await yieldToOthers();
  }
  return { objects, unreadable };
}

function idOf(raw: unknown): string | null {
  if (raw === null || typeof raw !== 'object' || !('id' in raw)) return null;
  return typeof raw.id === 'string' ? raw.id : null;
}

/** @throws InputError naming the fields that do not have the documented form, never their values. */
function readItem<T>(schema: ZodType<T>, item: unknown): T {
  const parsed = schema.safeParse(item);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(the object)');
  throw new InputError(`Brex sent an object of an unknown form: ${[...new Set(fields)].slice(0, 5).join(', ')}.`);
}

function earlier(instant: Date | null, ms: number): Date | null {
  return instant === null ? null : new Date(instant.getTime() - ms);
}

/** Posting dates have no time: a start in the middle of a day would be read differently by different servers. */
function startOfDay(instant: Date | null): Date | null {
  return instant === null ? null : new Date(`${instant.toISOString().slice(0, 10)}T00:00:00Z`);
}
