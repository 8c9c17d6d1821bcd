/** The kinds of file that are kept as receipts. What a server calls a file proves nothing: its first bytes decide. */
export interface ReceiptType {
  readonly contentType: string;
  readonly extension: string;
}

const PDF: ReceiptType = { contentType: 'application/pdf', extension: 'pdf' };
const JPEG: ReceiptType = { contentType: 'image/jpeg', extension: 'jpg' };
const PNG: ReceiptType = { contentType: 'image/png', extension: 'png' };
const GIF: ReceiptType = { contentType: 'image/gif', extension: 'gif' };
const WEBP: ReceiptType = { contentType: 'image/webp', extension: 'webp' };
const TIFF: ReceiptType = { contentType: 'image/tiff', extension: 'tif' };
const HEIC: ReceiptType = { contentType: 'image/heic', extension: 'heic' };

export const RECEIPT_TYPES: readonly ReceiptType[] = [PDF, JPEG, PNG, GIF, WEBP, TIFF, HEIC];

/** A receipt may have at most so many bytes: 25 MiB. */
export const RECEIPT_BYTES_MAX = 25 * 1024 * 1024;

/** Brands of ISO 14496-12 files that phones take pictures in. */
const HEIC_BRANDS = new Set(['heic', 'heix', 'heif', 'hevc', 'mif1', 'msf1']);
/** Readers take a PDF whose header stands within the first kilobyte. */
const PDF_HEADER_WITHIN = 1024;

/** null = no kind of file that is kept (HTML, scripts, archives, nothing at all). */
export function receiptTypeOf(content: Uint8Array): ReceiptType | null {
  const text = (from: number, to: number) => String.fromCharCode(...content.subarray(from, to));
  if (text(0, 3) === '\u00ff\u00d8\u00ff') return JPEG;
  if (text(0, 8) === '\u0089PNG\r\n\u001a\n') return PNG;
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return GIF;
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return WEBP;
  if (text(0, 4) === 'II*\u0000' || text(0, 4) === 'MM\u0000*') return TIFF;
  if (text(4, 8) === 'ftyp' && HEIC_BRANDS.has(text(8, 12))) return HEIC;
  return text(0, PDF_HEADER_WITHIN).includes('%PDF-') && !/<(!doctype|html|script)/i.test(text(0, PDF_HEADER_WITHIN))
    ? PDF
    : null;
}

const NAME_LENGTH_MAX = 120;

/**
 * A file name that is safe in a header, on a disk and in a ledger: letters, digits and a few signs, with the ending that
 * the content asks for.
 * @param wanted as the source calls it; null = by the receipt's content.
 */
export function receiptFileName(wanted: string | null, sha256: string, contentType: string): string {
  const extension = RECEIPT_TYPES.find((type) => type.contentType === contentType)?.extension ?? 'bin';
  const stem = (wanted ?? '')
    .normalize('NFKD')
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replace(/[^A-Za-z0-9 _.-]/g, '')
    .replace(/\.{2,}/g, '.')
    .trim()
    .replace(/^[.-]+/, '')
    .slice(0, NAME_LENGTH_MAX);
  return `${stem === '' ? `receipt-${sha256.slice(0, 16)}` : stem}.${extension}`;
}
