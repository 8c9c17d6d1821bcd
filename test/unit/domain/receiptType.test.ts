// What is kept as a receipt is decided by its first bytes. What would surprise: a page or a script that is kept because a
// server called it an image, a file name that leaves its folder or breaks a header.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { receiptFileName, receiptTypeOf } from '../../../src/domain/receiptType.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const SHA = 'ab'.repeat(32);

describe('a receipt', () => {
  it.each([
    ['application/pdf', '%PDF-1.7\n'],
    ['application/pdf', '\r\n%PDF-1.4'],
    ['image/jpeg', '\u00ff\u00d8\u00ff\u00e0\u0000\u0010JFIF'],
    ['image/png', '\u0089PNG\r\n\u001a\n\u0000'],
    ['image/gif', 'GIF89a\u0001'],
    ['image/webp', 'RIFF\u0010\u0000\u0000\u0000WEBPVP8 '],
    ['image/tiff', 'II*\u0000\u0008'],
    ['image/heic', '\u0000\u0000\u0000\u0018ftypheic'],
  ])('is %s by its content', (contentType, content) => {
    expect(receiptTypeOf(bytes(content))?.contentType).toBe(contentType);
  });

  it.each([
    ['nothing', ''],
    ['a page', '<!DOCTYPE html><title>Sign in</title>'],
    ['a page that names a PDF', '<html>%PDF-1.4</html>'],
    ['a drawing that may run scripts', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['an archive', 'PK\u0003\u0004'],
    ['a film', '\u0000\u0000\u0000\u0018ftypisom'],
    ['a sound', 'RIFF\u0010\u0000\u0000\u0000WAVE'],
  ])('is not %s', (_what, content) => {
    expect(receiptTypeOf(bytes(content))).toBeNull();
  });
});

describe('the name of a receipt', () => {
  it('keeps what is harmless and takes the ending of the content', () => {
    expect(receiptFileName('Taxi Zürich 12.JPEG', SHA, 'application/pdf')).toBe('Taxi Zurich 12.pdf');
    expect(receiptFileName(null, SHA, 'image/png')).toBe(`receipt-${'ab'.repeat(8)}.png`);
    expect(receiptFileName('../../etc/passwd', SHA, 'image/png')).toBe('etcpasswd.png');
    expect(receiptFileName('"; rm\r\nX: y', SHA, 'image/gif')).toBe('rmX y.gif');
  });

  it('is never empty, hidden, a path or more than one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (wanted) => {
        expect(receiptFileName(wanted, SHA, 'application/pdf')).toMatch(/^[A-Za-z0-9 _][A-Za-z0-9 _.-]{0,119}\.pdf$/);
      }),
    );
  });
});
