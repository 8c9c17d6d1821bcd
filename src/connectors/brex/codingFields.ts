import type { CodingFieldKey } from '../contract.js';
import type { BrexSettings } from './config.js';

/**
 * Which Brex field stands for which part of a ledger line. The account and the cost centre are those that the settings
 * name; every other dimension of the ledger has a field of its own, whose remote id is made from the dimension's name.
 */

const DIMENSION_PREFIX = 'ledger-dimension:';

/** What the field is found by in Brex: its remote id, its Brex id or its name. */
export function fieldOf(
  key: CodingFieldKey,
  settings: Pick<BrexSettings, 'glAccountField' | 'costCentreField'>,
): string {
  if (key === 'glAccount') return settings.glAccountField;
  if (key === 'costCentre') return settings.costCentreField;
  // Remote ids are kept to ASCII like everything that is sent to Brex; the encoding keeps two names apart.
  return DIMENSION_PREFIX + encodeURIComponent(key.slice('dimension:'.length));
}

/** The ledger's dimension that a field was made for; null = we did not make it. */
export function dimensionOf(remoteFieldId: string): string | null {
  if (!remoteFieldId.startsWith(DIMENSION_PREFIX)) return null;
  try {
    return decodeURIComponent(remoteFieldId.slice(DIMENSION_PREFIX.length));
  } catch {
    return null;
  }
}
