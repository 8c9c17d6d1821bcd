import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InputError, UnreadableReplyError } from '../../errors.js';

/**
 * Where a read of one stream stands: which part of the stream (a source of records, a cash account), Brex's own cursor
 * in it, and the bounds of the window, fixed by the first page so that every page asks the same question.
 */
const cursorSchema = z.strictObject({
  /** Parts still to read; the first one is being read. */
  parts: z.array(z.string()),
  brex: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  guard: z.strictObject({ mark: z.string(), steps: z.int(), power: z.int() }),
});
export type StreamCursor = z.output<typeof cursorSchema>;

export function startCursor(parts: readonly string[], from: Date | null, to: Date | null): StreamCursor {
  return {
    parts: [...parts],
    brex: null,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
    guard: { mark: '', steps: 0, power: 1 },
  };
}

export function encodeCursor(cursor: StreamCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** @throws InputError not a cursor of ours. */
export function decodeCursor(text: string): StreamCursor {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new InputError('This is not a cursor of a Brex stream.', ['cursor'], { cause });
  }
}

/**
 * The cursor of the page after this one; null = the stream is read to its end.
 * @throws UnreadableReplyError Brex's cursors run in a circle. Stopping there in silence would lose the rest.
 */
export function advance(cursor: StreamCursor, nextBrex: string | null): StreamCursor | null {
  if (nextBrex !== null) return { ...cursor, brex: nextBrex, guard: watch(cursor, nextBrex) };
  const parts = cursor.parts.slice(1);
  if (parts.length === 0) return null;
  return { ...cursor, parts, brex: null, guard: { mark: '', steps: 0, power: 1 } };
}

/**
 * Brent's cycle finder: one remembered cursor, replaced after 1, 2, 4, 8 … pages, meets itself again in a circle of any
 * length. So the guard works across processes without carrying every cursor seen.
 */
function watch(cursor: StreamCursor, nextBrex: string): StreamCursor['guard'] {
  const { mark, steps, power } = cursor.guard;
  const current = createHash('sha256').update(nextBrex).digest('base64url').slice(0, 12);
  if (current === mark || nextBrex === cursor.brex) {
    throw new UnreadableReplyError('Brex repeated a page cursor; the list would never end.', {
      code: 'CURSOR_REPEATED',
    });
  }
  return steps + 1 >= power ? { mark: current, steps: 0, power: power * 2 } : { mark, steps: steps + 1, power };
}
