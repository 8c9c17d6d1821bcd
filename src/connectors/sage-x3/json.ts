import { UnreadableReplyError } from '../../errors.js';

/** JSON in which every number stays the text that was sent, so that no amount passes through a float. */
export type Json = string | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

interface ReviverContext {
  readonly source?: string;
}

/** @throws UnreadableReplyError the text is not JSON (an HTML page, a cut body). The text itself is not quoted. */
export function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text, numberAsText) as Json;
  } catch {
    const kind = text.trim() === '' ? 'empty' : /^\s*</.test(text) ? 'a web page' : 'not JSON';
    throw new UnreadableReplyError(`Sage X3's answer to ${what} is ${kind}.`, { detail: { characters: text.length } });
  }
}

function numberAsText(_key: string, value: unknown, context?: ReviverContext): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A field as text: what is missing, null or no plain value is empty. */
export function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'boolean' ? String(value) : '';
}

/** The plain fields of a resource; `$…` properties are the server's own and are left out. */
export function fieldsOf(resource: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(resource).flatMap(([name, value]) =>
      name.startsWith('$') || (typeof value === 'object' && value !== null) ? [] : [[name, textOf(value)]],
    ),
  );
}
