import { InputError } from '../../errors.js';

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
 * Text as Brex accepts it: free text with anything but ASCII is a 400 "[field] is invalid" (error guide). Accents are
 * dropped, the well-known letters written out, everything else left out; the original stays on our side.
 * @throws InputError nothing readable is left, as with a name in another script.
 */
export function asciiText(text: string, field: string): string {
  const written = [...text.normalize('NFC')].map((letter) => LETTERS[letter] ?? letter).join('');
  const ascii = written
    .normalize('NFKD')
    .replace(/[^\x20-\x7e]/g, '')
    .replace(/ +/g, ' ')
    .trim();
  if (/[A-Za-z0-9]/.test(ascii)) return ascii;
  throw new InputError('Brex takes plain ASCII text only, and nothing of this text can be written in it.', [field]);
}
