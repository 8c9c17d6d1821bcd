/** Text in XML as fast-xml-parser gives it with entities left alone: what every simulated SOAP or XML service reads. */

const NAMED_ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** @returns the text with the predefined and numeric entities resolved; others stay as they are. */
export function unescapeXml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED_ENTITIES[name] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}

/** @param content a CDATA node of the parser with `preserveOrder`. */
export function cdataText(content: unknown): string {
  if (!Array.isArray(content)) return '';
  return content.map((node: unknown) => (isRecord(node) ? String(node['#text'] ?? '') : '')).join('');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
