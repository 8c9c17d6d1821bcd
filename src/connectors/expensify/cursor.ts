import { z } from 'zod';
import { addDays, type LocalDate, localDate } from '../../domain/localDate.js';
import { InputError } from '../../errors.js';

/**
 * Where a read by approval date stands. A window is read in slices of some days, oldest first, one exporter job each:
 * Expensify has no pages, refuses spans over a year and gives at most `limit` reports a job.
 */
const day = z.iso.date().transform((text) => localDate(text));
const cursorSchema = z.strictObject({
  v: z.literal(1),
  /** First day that is still to be read. */
  at: day,
  /** Last day of the window; null = open end. */
  to: day.nullable(),
  /** Days of the next slice. */
  days: z.int().min(1).max(366),
  /** A single day that filled the limit is read without a limit. */
  unlimited: z.boolean(),
});
export type SliceCursor = z.output<typeof cursorSchema>;

export interface Slice {
  readonly first: LocalDate;
  /** null = open end: everything from `first` on. */
  readonly last: LocalDate | null;
  readonly isUnlimited: boolean;
}

export function encodeCursor(cursor: SliceCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** @throws InputError not a cursor of ours. */
export function decodeCursor(text: string): SliceCursor {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new InputError('This is not a cursor of Expensify’s reports.', ['cursor'], { cause });
  }
}

/** The slice that a cursor stands at. The one that reaches today has no end, so that no zone's day is cut off. */
export function sliceAt(cursor: SliceCursor, today: LocalDate): Slice {
  const end = addDays(cursor.at, cursor.days - 1);
  const { to } = cursor;
  if (to !== null && to < today) return { first: cursor.at, last: end < to ? end : to, isUnlimited: cursor.unlimited };
  return { first: cursor.at, last: end < today ? end : null, isUnlimited: cursor.unlimited };
}

/** After a slice that was read whole; slices that were cut finer grow again. null = that was the last one. */
export function afterSlice(cursor: SliceCursor, slice: Slice, sliceDays: number): SliceCursor | null {
  if (slice.last === null || slice.last === cursor.to) return null;
  return { ...cursor, at: addDays(slice.last, 1), days: Math.min(sliceDays, cursor.days * 2), unlimited: false };
}

/** After a slice that came back full: the same beginning, cut finer, or its single day without a limit. */
export function finerSlice(cursor: SliceCursor, slice: Slice, today: LocalDate): SliceCursor {
  const days = slice.last === null ? daysBetween(slice.first, today) : daysBetween(slice.first, slice.last);
  if (days <= 1) return { ...cursor, days: 1, unlimited: true };
  return { ...cursor, days: Math.floor(Math.min(days, cursor.days) / 2) || 1, unlimited: false };
}

/** Days from the first to the last, both counted. */
function daysBetween(first: LocalDate, last: LocalDate): number {
  return Math.round((Date.parse(`${last}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86_400_000) + 1;
}
