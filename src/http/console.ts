import { readFile } from 'node:fs/promises';
import { type Exchange, send, sendJson } from './exchange.js';

/** Everything comes from here and nothing runs that is not in these files. */
const SECURITY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/console/console.css', file: 'console.css', type: 'text/css; charset=utf-8' },
  { path: '/console/console.js', file: 'console.js', type: 'text/javascript; charset=utf-8' },
  { path: '/console/api.js', file: 'api.js', type: 'text/javascript; charset=utf-8' },
  { path: '/console/views.js', file: 'views.js', type: 'text/javascript; charset=utf-8' },
] as const;

/**
 * The compiler copies no pages: in a build they are beside this module when the build has copied `src/http/console` to
 * `dist/http/console`, and otherwise still where they were written.
 */
const PLACES = [new URL('./console/', import.meta.url), new URL('../../src/http/console/', import.meta.url)];

async function read(file: string): Promise<Buffer> {
  const [beside, written] = PLACES;
  try {
    return await readFile(new URL(file, beside));
  } catch {
    return readFile(new URL(file, written));
  }
}

/** @throws the file system's error when the console's files are missing. */
export async function loadConsole(): Promise<{ answer(exchange: Exchange): boolean }> {
  const pages = new Map(
    await Promise.all(FILES.map(async ({ path, file, type }) => [path, { type, body: await read(file) }] as const)),
  );
  return {
    /** Whether the address is the console's. */
    answer(exchange) {
      const page = pages.get(exchange.url.pathname as (typeof FILES)[number]['path']);
      if (!page) return false;
      const { method } = exchange.request;
      if (method !== 'GET' && method !== 'HEAD') {
        sendJson(exchange, 405, { error: 'METHOD_NOT_ALLOWED', message: 'Use GET.' }, { allow: 'GET, HEAD' });
        return true;
      }
      send(exchange, 200, page.body, page.type, {
        'content-security-policy': SECURITY,
        'x-frame-options': 'DENY',
        'cache-control': 'no-cache',
      });
      return true;
    },
  };
}
