/** Letters that NFKD does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  ẞ: 'SS',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  ı: 'i',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '€': 'EUR',
  '£': 'GBP',
};

/**
 * A text in plain ASCII: accents dropped, the well-known letters written out, everything else left out, white space
 * collapsed.
 * @returns null when no letter or digit is left, as with a name in another script.
 */
export function asciiOf(text: string): string | null {
  const ascii = PLAIN.test(text) ? text.replace(/ {2,}/g, ' ').trim() : transliterated(text);
  return /[A-Za-z0-9]/.test(ascii) ? ascii : null;
}

/** Nearly all names are: a directory of 100,000 is gone through in a moment. */
const PLAIN = /^[\x20-\x7e]*$/;

function transliterated(text: string): string {
  const written = text.normalize('NFC').replace(/[^\x20-\x7e]/gu, (letter) => LETTERS[letter] ?? letter);
  return written
    .normalize('NFKD')
    .replace(/\s/g, ' ')
    .replace(/[^\x20-\x7e]/g, '')
    .replace(/ +/g, ' ')
    .trim();
}
