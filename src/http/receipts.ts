import type { Engine } from '../services/engine.js';
import { type ReceiptContent, receiptContent, receiptsOfReference } from '../services/receiptContent.js';
import { sendJson } from './exchange.js';
import type { HttpRoute } from './options.js';

const RECEIPT = /^\/receipts\/(receipt_[0-9a-f]{32})$/;
const OF_DOCUMENT = /^\/receipts\/([A-Z0-9]{1,15})$/;
/** Kinds that a browser may show; all others are saved. Nothing is ever run. */
const POLICY = "default-src 'none'; sandbox";

/**
 * Stored receipts, for whoever may read the purchases: one by its id, and the list of a document's by the reference that
 * the ledger's document carries.
 */
export function receiptRoutes({ db }: Pick<Engine, 'db'>): HttpRoute[] {
  return [
    {
      method: 'GET',
      pattern: RECEIPT,
      role: 'VIEWER',
      async handle({ request, response, match, key }) {
        const found = key && (await receiptContent(db, key.tenantId, match[1] ?? ''));
        if (!found) return sendJson({ response }, 404, NOT_FOUND);
        const tag = `"${found.sha256}"`;
        if (request.headers['if-none-match'] === tag) {
          response.writeHead(304, { etag: tag, 'cache-control': CACHING });
          response.end();
          return;
        }
        response.writeHead(200, headersOf(found, tag));
        response.end(found.content);
      },
    },
    {
      method: 'GET',
      pattern: OF_DOCUMENT,
      role: 'VIEWER',
      async handle({ response, match, key }) {
        const receipts = key ? await receiptsOfReference(db, key.tenantId, match[1] ?? '') : [];
        if (receipts.length === 0) return sendJson({ response }, 404, NOT_FOUND);
        sendJson({ response }, 200, {
          reference: match[1],
          receipts: receipts.map((receipt) => ({ ...receipt, url: `/receipts/${receipt.id}` })),
        });
      },
    },
  ];
}

const NOT_FOUND = { error: 'NOT_FOUND', message: 'There is no such receipt.' };
/** A receipt never changes, but who may see it does. */
const CACHING = 'private, no-cache';

function headersOf(found: ReceiptContent, etag: string): Record<string, string> {
  return {
    'content-type': found.contentType,
    'content-length': String(found.content.length),
    // The name is plain ASCII without quotes (see `receiptFileName`).
    'content-disposition': `attachment; filename="${found.fileName.replace(/[^A-Za-z0-9 _.-]/g, '_')}"`,
    'content-security-policy': POLICY,
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': CACHING,
    'x-content-type-options': 'nosniff',
    etag,
  };
}
