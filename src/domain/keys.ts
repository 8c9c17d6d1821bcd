import { hash } from 'node:crypto';
import { canonicalJson } from './canonicalJson.js';

/** SHA-256 over the canonical JSON of a value, 64 hex digits. Same value, same hash, on every machine. */
export function hashOf(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

/** M3's `KEY1` is the shortest searchable field of the ledgers we write to. */
export const REFERENCE_LENGTH = 15;

export const REFERENCE_FORM = /^[A-Z][A-Z0-9]{14}$/;

/** The business fact that a document stands for. */
export interface DocumentFact {
  readonly ledgerId: string;
  readonly pipelineId: string;
  /** What is posted: a purchase's origin key, a day with its currency and sequence, a reversed document's reference. */
  readonly fact: string;
  readonly revision: number;
  readonly role: 'ORIGINAL' | 'REVERSAL';
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const REST = 36n ** 14n;

/**
 * Names a document in its ledger: 15 characters, a letter and then 14 of `A-Z0-9`, made from the business fact alone,
 * without clock or chance. Planning the same fact again, after a crash or on a rebuilt database, gives the same name,
 * and that is how a document that the ledger already holds is recognised.
 *
 * It starts with a letter because some ledgers zero-fill or reformat keys of digits only.
 *
 * Collisions: 26 · 36^14 ≈ 1.6 · 10^23 names (77 bits of SHA-256). Among n documents in one ledger two share a name
 * with a probability of at most n² / 3.2 · 10^23: 3 · 10^-6 for a thousand million documents, 3 · 10^-12 for a million.
 * A collision would not post wrongly in silence either: the ledger's document is compared with ours when it is found.
 */
export function documentReference(fact: DocumentFact): string {
  const text = canonicalJson(['reference/1', fact.ledgerId, fact.pipelineId, fact.fact, fact.revision, fact.role]);
  const digest = hash('sha256', text, 'hex');
  // 128 of the 256 bits: taking them modulo 26 and 36^14 leaves a bias below 2^-50, which no one can measure.
  const number = BigInt(`0x${digest.slice(0, 32)}`);
  const letter = LETTERS.charAt(Number(number % 26n));
  const rest = ((number / 26n) % REST).toString(36).toUpperCase().padStart(14, '0');
  return letter + rest;
}
