import { badRequest } from './replies.js';
import type { Position, Timed, Timeline } from './timeline.js';

export interface PageQuery {
  path: string;
  query: URLSearchParams;
  /** 100, 500 or 1000; a larger `limit` is refused. */
  maximum: number;
  cursorNeedsFilters: boolean;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** @throws Refusal 400 for a limit that is no number, below 1 or above the endpoint's maximum. */
export function limitOf({ path, query, maximum }: PageQuery): number {
  const text = query.get('limit');
  if (text === null) return Math.min(100, maximum);
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw badRequest(path, 'limit is invalid');
  if (limit > maximum) throw badRequest(path, `limit must be less than or equal to ${maximum}`);
  return limit;
}

/** The filters of a request in a form that two requests can be compared by. Expansions are no filters. */
function filtersOf(query: URLSearchParams): string {
  const names = ['cursor', 'limit', 'expand[]', 'load_custom_fields', 'single_entry'];
  return [...query]
    .filter(([name]) => !names.includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');
}

function encode(place: unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws Refusal 400 for a cursor that is not ours, or whose filters were not repeated. */
function decode(page: PageQuery): Position | null {
  const text = page.query.get('cursor');
  if (!text) return null;
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw badRequest(page.path, 'cursor is invalid');
  }
  if (!Array.isArray(place)) throw badRequest(page.path, 'cursor is invalid');
  const [path, filters, at, seq] = place;
  if (path !== page.path || typeof at !== 'number' || typeof seq !== 'number') {
    throw badRequest(page.path, 'cursor is invalid');
  }
  if (page.cursorNeedsFilters && filters !== filtersOf(page.query)) {
    throw badRequest(page.path, 'cursor does not belong to these filters');
  }
  return { at, seq };
}

/**
 * A page of a timeline from a moment to another (both inclusive). The cursor names a place in time and not a count, so
 * objects that change while somebody pages move to the end and are neither skipped nor shown twice at one place.
 */
export function pageOfTimeline<T extends Timed>(
  page: PageQuery,
  timeline: Timeline<T>,
  window: { from: number; until: number },
  matches: (entry: T) => boolean,
): Page<T> {
  const limit = limitOf(page);
  const after = decode(page);
  const start = Math.max(timeline.firstFrom(window.from), after ? timeline.firstAfter(after) : 0);
  const items: T[] = [];
  for (let index = start; ; index += 1) {
    const entry = timeline.get(index);
    if (!entry || entry.at > window.until) return { items, nextCursor: null };
    if (!matches(entry)) continue;
    const last = items[limit - 1];
    if (last) return { items, nextCursor: encode([page.path, filtersOf(page.query), last.at, last.seq]) };
    items.push(entry);
  }
}

/** A page of a short list in its own order. */
export function pageOfList<T>(page: PageQuery, list: readonly T[]): Page<T> {
  const limit = limitOf(page);
  const start = decode(page)?.at ?? 0;
  const end = start + limit;
  const nextCursor = end < list.length ? encode([page.path, filtersOf(page.query), end, 0]) : null;
  return { items: list.slice(start, end), nextCursor };
}
