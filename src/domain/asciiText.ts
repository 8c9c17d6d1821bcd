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
  const written = [...text.normalize('NFC')].map((letter) => LETTERS[letter] ?? letter).join('');
  const ascii = written
    .normalize('NFKD')
    .replace(/\s/g, ' ')
    .replace(/[^\x20-\x7e]/g, '')
    .replace(/ +/g, ' ')
    .trim();
  return /[A-Za-z0-9]/.test(ascii) ? ascii : null;
}
