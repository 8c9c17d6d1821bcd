import { asciiOf } from '../../domain/asciiText.js';
import { InputError } from '../../errors.js';

/**
 * Text as Brex accepts it: free text with anything but ASCII is a 400 "[field] is invalid" (error guide). The original
 * stays on our side.
 * @throws InputError nothing readable is left, as with a name in another script.
 */
export function asciiText(text: string, field: string): string {
  const ascii = asciiOf(text);
  if (ascii !== null) return ascii;
  throw new InputError('Brex takes plain ASCII text only, and nothing of this text can be written in it.', [field]);
}
