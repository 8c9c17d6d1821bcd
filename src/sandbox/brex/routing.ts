import type { z } from 'zod';
import type { SandboxRequest } from '../kit/index.js';
import type { Caller } from './access.js';
import type { PageQuery } from './paging.js';
import { type BrexReply, badRequest } from './replies.js';
import type { BrexSettings } from './settings.js';

/** One authorised request to one operation. */
export interface Call {
  request: SandboxRequest;
  path: string;
  query: URLSearchParams;
  caller: Caller;
  /** Named parts of the path. */
  params: Readonly<Record<string, string>>;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/v1/expenses/:id` */
  pattern: string;
  /** Any one of them suffices. */
  scopes: readonly string[];
  /** `required`: 400 without the header. `optional`: used when it is there. Absent: the header means nothing. */
  idempotency?: 'required' | 'optional';
  handle(call: Call): BrexReply;
}

interface Compiled {
  route: Route;
  parts: string[];
}

/** Finds the route of a path. Literal parts win over named ones, as `/v1/webhooks/secrets` over `/v1/webhooks/:id`. */
export class Router {
  private readonly compiled: Compiled[];

  constructor(routes: readonly Route[]) {
    const named = (route: Route) => (route.pattern.match(/:/g) ?? []).length;
    this.compiled = [...routes]
      .sort((a, b) => named(a) - named(b))
      .map((route) => ({ route, parts: route.pattern.split('/') }));
  }

  find(method: string, path: string): { route: Route; params: Record<string, string> } | 'METHOD' | null {
    const parts = path.replace(/(.)\/+$/, '$1').split('/');
    let isKnownPath = false;
    for (const { route, parts: pattern } of this.compiled) {
      const params = matchParts(pattern, parts);
      if (params === null) continue;
      if (route.method === method) return { route, params };
      isKnownPath = true;
    }
    return isKnownPath ? 'METHOD' : null;
  }
}

function matchParts(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (expected.startsWith(':')) params[expected.slice(1)] = part;
    else if (expected !== part) return null;
  }
  return params;
}

/** The JSON body of a call. @throws Refusal 400 naming the first unusable field. */
export function bodyOf<Schema extends z.ZodType>(call: Call, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(call.request.body.toString('utf8'));
  } catch {
    throw badRequest(call.path, 'The request body is not valid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') || 'Request body';
  throw badRequest(call.path, `${path} is invalid: ${issue?.message ?? ''}`);
}

export function pageQuery(call: Call, maximum: number, settings: BrexSettings): PageQuery {
  return { path: call.path, query: call.query, maximum, cursorNeedsFilters: settings.cursorNeedsFilters };
}

/** All values of a repeated `name[]`; Brex documents comma lists too. Null when the filter was not sent. */
export function listParam(query: URLSearchParams, name: string): ReadonlySet<string> | null {
  const values = query.getAll(name).flatMap((value) => value.split(','));
  return values.length === 0 ? null : new Set(values);
}

/** @throws Refusal 400 for text with anything but ASCII in it. */
export function requireAscii(call: Call, fields: Record<string, string | null | undefined>): void {
  for (const [name, text] of Object.entries(fields)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole ASCII range is what Brex accepts.
    if (text && !/^[\x00-\x7f]*$/.test(text)) throw badRequest(call.path, `${name} is invalid`);
  }
}
