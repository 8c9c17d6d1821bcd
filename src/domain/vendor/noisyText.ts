/**
 * How much likelier a text is a known name with letters wrong than a text of its own: in bits, so that letters that
 * agree are weighed against letters that differ, and names of any length compare. Differences are letters replaced, lost,
 * added or swapped, each about one in twenty-five; the text may stop early (a cut field) or go on behind the name.
 */

const LENGTH_MAX = 48;
const AGREES = Math.log2(0.86);
const DIFFERS = Math.log2(0.04);
/** What a letter that came in by mistake costs: any letter is as likely. */
const ANY_LETTER = -Math.log2(30);
/** A text that goes on behind the name, or stops before its end without being cut. */
const GOES_ON = 2;
const STOPS = 3;
const CUT = 1;
/** A text must show this share of a name; less where the field cut it off. */
const SHOWN_MIN = 0.6;
const SHOWN_MIN_CUT = 0.4;
/** Letters that the two may be out of step. */
const BAND = 6;
const NEVER = -1e9;

const rows = [new Float64Array(LENGTH_MAX + 2), new Float64Array(LENGTH_MAX + 2), new Float64Array(LENGTH_MAX + 2)];

export interface NoisyText {
  readonly text: string;
  /** The field may have cut the end off. */
  readonly cut: boolean;
  /** What each letter tells, in bits. */
  readonly bits: Float64Array;
  /** The most that the letters from this one on can still add. */
  readonly rest: Float64Array;
}

export function noisyText(text: string, cut: boolean, surprise: (bits: Float64Array) => void): NoisyText {
  const length = Math.min(text.length, LENGTH_MAX);
  const bits = new Float64Array(length);
  surprise(bits);
  const rest = new Float64Array(length + 1);
  for (let i = length - 1; i >= 0; i -= 1) rest[i] = (rest[i + 1] ?? 0) + Math.max(0, AGREES + (bits[i] ?? 0));
  return { text: text.slice(0, length), cut, bits, rest };
}

export interface Odds {
  readonly bits: number;
  /** Letters of the text that the name accounts for. */
  readonly letters: number;
  /** Letters of the name that the text shows. */
  readonly named: number;
}

let foundLetters = 0;
let foundNamed = 0;

/**
 * The log odds, in bits, that the text is this name; `letters` and `named` say how far the two reach into each other.
 * @param least below this the answer may be any lower figure: the comparison stops as soon as it cannot be reached.
 */
export function oddsOf(noisy: NoisyText, name: string, least: number): Odds {
  const bits = compare(noisy, name.length > LENGTH_MAX ? name.slice(0, LENGTH_MAX) : name, least);
  return { bits, letters: foundLetters, named: foundNamed };
}

function compare({ text, cut, bits, rest }: NoisyText, name: string, least: number): number {
  const n = text.length;
  const m = name.length;
  foundLetters = 0;
  if (n === 0 || m === 0) return NEVER;
  let [before, last, current] = rows as [Float64Array, Float64Array, Float64Array];
  last[0] = 0;
  for (let j = 1; j <= m; j += 1) last[j] = j <= BAND ? (last[j - 1] as number) + DIFFERS : NEVER;
  last[m + 1] = NEVER;
  let best = NEVER;
  for (let i = 1; i <= n; i += 1) {
    const told = bits[i - 1] as number;
    const added = DIFFERS + ANY_LETTER + told;
    const equal = AGREES + told;
    const letter = text.charCodeAt(i - 1);
    const earlier = i > 1 ? text.charCodeAt(i - 2) : 0;
    const low = Math.max(1, i - BAND);
    const high = Math.min(m, i + BAND);
    if (low > high) break;
    current[low - 1] = low === 1 ? (last[0] as number) + added : NEVER;
    let top = current[low - 1] as number;
    for (let j = low; j <= high; j += 1) {
      const other = name.charCodeAt(j - 1);
      let score = (last[j - 1] as number) + (letter === other ? equal : added);
      const inserted = (last[j] as number) + added;
      if (inserted > score) score = inserted;
      const lost = (current[j - 1] as number) + DIFFERS;
      if (lost > score) score = lost;
      if (i > 1 && j > 1 && letter === name.charCodeAt(j - 2) && earlier === other) {
        const swapped = (before[j - 2] as number) + DIFFERS + told + (bits[i - 2] as number);
        if (swapped > score) score = swapped;
      }
      current[j] = score;
      if (score > top) top = score;
    }
    if (high < m) current[high + 1] = NEVER;
    if (high === m) {
      const whole = (current[m] as number) - (i < n ? GOES_ON : 0);
      if (whole > best) {
        best = whole;
        foundLetters = i;
        foundNamed = m;
      }
    }
    if (top + (rest[i] as number) < least && best < least) return NEVER;
    [before, last, current] = [last, current, before];
  }
  if (n - BAND > m) return best;
  const from = Math.max(1, n - BAND, Math.ceil(m * (cut ? SHOWN_MIN_CUT : SHOWN_MIN)));
  for (let j = from; j < Math.min(m, n + BAND); j += 1) {
    const part = (last[j] as number) - (cut ? CUT : STOPS);
    if (part > best) {
      best = part;
      foundLetters = n;
      foundNamed = j;
    }
  }
  return best;
}
