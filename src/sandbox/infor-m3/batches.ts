import { append } from './sorted.js';
import { firstWord, type Voucher } from './vouchers.js';

/** A line of a GL interface batch, as it was sent. */
export interface BatchLine {
  number: string;
  group: string;
  values: Readonly<Record<string, string>>;
}

export interface GlBatch {
  order: number;
  key: string;
  division: string;
  interfaceName: string;
  description: string;
  lines: BatchLine[];
  controlled: boolean;
  /** How often it was handed over for update. */
  updates: number;
  vouchers: Voucher[];
  /** Why an update failed without telling anybody. */
  failure: string | null;
}

/** The GL interface's batches: by key, and by the words that their lines' texts begin with. */
export class GlBatches {
  private readonly byKey = new Map<string, GlBatch>();
  private readonly byWord = new Map<string, GlBatch[]>();

  /** @returns a new batch. The caller has made sure that the key is free. */
  add(batch: Pick<GlBatch, 'order' | 'key' | 'division' | 'interfaceName' | 'description'>): GlBatch {
    const added: GlBatch = { ...batch, lines: [], controlled: false, updates: 0, vouchers: [], failure: null };
    this.byKey.set(batch.key, added);
    append(this.byWord, batch.key, added);
    return added;
  }

  find(key: string): GlBatch | undefined {
    return this.byKey.get(key);
  }

  all(): Iterable<GlBatch> {
    return this.byKey.values();
  }

  addLine(batch: GlBatch, line: BatchLine): void {
    batch.lines.push(line);
    batch.controlled = false;
    const word = firstWord(line.values.VTXT ?? '');
    if (this.byWord.get(word)?.at(-1) !== batch) append(this.byWord, word, batch);
  }

  /** @returns batches that carry the word as their key or at the beginning of a line's text. */
  withWord(word: string): readonly GlBatch[] {
    return [...new Set(this.byWord.get(word))];
  }
}

/** @returns what the lines were marked with: the word that all their texts begin with, or else the batch's key. */
export function referenceOf(key: string, lines: readonly BatchLine[]): string {
  const words = new Set(lines.map(({ values }) => firstWord(values.VTXT ?? '')));
  const [word] = words;
  return words.size === 1 && word !== undefined && /^[A-Z0-9]{1,15}$/.test(word) ? word : key;
}
