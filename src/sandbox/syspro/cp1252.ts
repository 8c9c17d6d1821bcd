/**
 * Windows-1252, the character set of SYSPRO's answers (SYSPRO e.net REST: encoding). Node knows Latin-1 only, which has
 * control characters where Windows-1252 has the euro sign, dashes and curly quotes.
 */
const SPECIAL_FROM_0X80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

const BYTE_OF_SPECIAL = new Map(
  [...SPECIAL_FROM_0X80].map((character, index) => [character.charCodeAt(0), 0x80 + index]),
);

function byteOf(code: number): number | undefined {
  if (code < 0x80 || (code >= 0xa0 && code <= 0xff)) return code;
  return BYTE_OF_SPECIAL.get(code);
}

/** What has no place in the character set becomes a question mark, as it does in any system that stores it. */
export function encodeCp1252(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = byteOf(text.charCodeAt(index)) ?? 0x3f;
  return bytes;
}

export function decodeCp1252(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  let decoded = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    decoded += code >= 0x80 && code < 0xa0 ? SPECIAL_FROM_0X80.charAt(code - 0x80) : character;
  }
  return decoded;
}

/** @returns the text as SYSPRO can store it. */
export function foldToCp1252(text: string): string {
  let folded: string | undefined;
  for (let index = 0; index < text.length; index += 1) {
    if (byteOf(text.charCodeAt(index)) !== undefined) {
      if (folded !== undefined) folded += text.charAt(index);
      continue;
    }
    folded = `${folded ?? text.slice(0, index)}?`;
  }
  return folded ?? text;
}
