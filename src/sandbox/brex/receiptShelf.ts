import { createHmac } from 'node:crypto';
import type { SandboxReply, SandboxRequest } from '../kit/index.js';

/** How long a presigned link opens. */
const LINK_LIVES_MS = 15 * 60_000;
const PATH = /^\/receipts\/([A-Za-z0-9_-]{1,200})$/;
const KEY = 'receipts of the sandbox';

/**
 * The receipts of the simulated account, behind links like those of a storage service: they open without a login, for
 * fifteen minutes, and for nobody who changed them.
 */
export class ReceiptShelf {
  /** Where the server listens; links made before that open nowhere. */
  baseUrl = 'http://receipts.sandbox.invalid';
  /** Receipts that the storage has lost. */
  readonly lost = new Set<string>();
  /** How often each was fetched. */
  readonly fetched = new Map<string, number>();

  constructor(private readonly nowMs: () => number) {}

  linkOf(id: string): string {
    const expires = String(this.nowMs() + LINK_LIVES_MS);
    return `${this.baseUrl}/receipts/${id}?expires=${expires}&signature=${signatureOf(id, expires)}`;
  }

  /** Whether a request is for a receipt and not for the API. */
  handles({ method, path }: SandboxRequest): boolean {
    return method === 'GET' && PATH.test(path);
  }

  answer({ path, query }: SandboxRequest): SandboxReply {
    const id = PATH.exec(path)?.[1] ?? '';
    const expires = query.get('expires') ?? '';
    if (query.get('signature') !== signatureOf(id, expires)) return xml(403, 'SignatureDoesNotMatch');
    if (Number(expires) < this.nowMs()) return xml(403, 'AccessDenied');
    if (this.lost.has(id)) return xml(404, 'NoSuchKey');
    this.fetched.set(id, (this.fetched.get(id) ?? 0) + 1);
    // What storage services say of files whose kind nobody told them.
    return { status: 200, headers: { 'content-type': 'binary/octet-stream' }, body: contentOf(id) };
  }
}

function signatureOf(id: string, expires: string): string {
  return createHmac('sha256', KEY).update(`${id}\n${expires}`).digest('hex');
}

/** A small PDF that is another one for each receipt. */
function contentOf(id: string): Buffer {
  const parts = ['%PDF-1.4', '1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj'];
  parts.push(
    '2 0 obj << /Type /Pages /Kids [] /Count 0 >> endobj',
    `% ${id}`,
    'trailer << /Root 1 0 R >>',
    '%%EOF',
    '',
  );
  return Buffer.from(parts.join('\n'), 'latin1');
}

function xml(status: number, code: string): SandboxReply {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}
