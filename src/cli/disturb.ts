/** Typing noise for measurements: repeatable from a seed, so that a bad result can be looked at again. */

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). Not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Replaces, drops, doubles into or swaps each character with probability `share`. */
export function disturbText(text: string, share: number, random: () => number): string {
  const characters = [...text];
  const disturbed: string[] = [];
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? '';
    if (random() >= share) {
      disturbed.push(character);
      continue;
    }
    const letter = LETTERS[Math.floor(random() * LETTERS.length)] ?? 'x';
    const kind = Math.floor(random() * 4);
    if (kind === 0) disturbed.push(letter);
    else if (kind === 1) disturbed.push(character, letter);
    else if (kind === 2 && i + 1 < characters.length) {
      disturbed.push(characters[i + 1] ?? '', character);
      i += 1;
    }
  }
  const result = disturbed.join('');
  return result.trim() === '' ? text : result;
}
