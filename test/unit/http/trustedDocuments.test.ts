// A manifest of documents. What would surprise: a document that is answered although nobody put it there, or a manifest
// whose hash and document do not belong together and that is taken all the same.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/errors.js';
import { KnownDocuments } from '../../../src/http/trustedDocuments.js';

const DOCUMENT = '{ viewer { name } }';
const HASH = createHash('sha256').update(DOCUMENT).digest('hex');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-documents-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function from(content: string): KnownDocuments {
  const path = join(folder, 'manifest.json');
  writeFileSync(path, content);
  return KnownDocuments.fromFile(path);
}

describe('known documents', () => {
  it('without a manifest are all', async () => {
    const documents = KnownDocuments.open();
    expect(documents.refusal('{ anything }', 'VIEWER')).toBeNull();
    await documents.set(`apq:${HASH}`, DOCUMENT);
    expect(await documents.get(`apq:${HASH}`)).toBe(DOCUMENT);
    expect(await documents.delete(`apq:${HASH}`)).toBe(true);
    expect(await documents.get(`apq:${HASH}`)).toBeUndefined();
  });

  it('with a manifest are those in it, for everybody but administrators', async () => {
    const documents = from(JSON.stringify({ [HASH]: DOCUMENT }));
    expect(documents.refusal(DOCUMENT, 'VIEWER')).toBeNull();
    expect(documents.refusal('{ viewer { role } }', 'OPERATOR')?.extensions.code).toBe('DOCUMENT_NOT_TRUSTED');
    expect(documents.refusal('{ viewer { role } }', 'ADMIN')).toBeNull();
    expect(await documents.get(`apq:${HASH}`)).toBe(DOCUMENT);
  });

  it.each([
    ['is missing', null],
    ['is not JSON', '{'],
    ['has no hash as key', JSON.stringify({ viewer: DOCUMENT })],
    ['has a document under the hash of another', JSON.stringify({ [HASH]: '{ viewer { role } }' })],
  ])('are refused at the start when the file %s', (_what, content) => {
    const load = () => (content === null ? KnownDocuments.fromFile(join(folder, 'none.json')) : from(content));
    expect(load).toThrow(ConfigurationError);
    expect(load).toThrow(/LEDGERGATE_TRUSTED_DOCUMENTS/);
  });
});
