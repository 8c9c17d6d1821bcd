import type { DocumentQuery } from '../contract.js';

/** What is read of Sage X3, whichever surface it is read by. Rows have the column names of X3's own tables. */

export type Row = Readonly<Record<string, string>>;

export interface JournalKey {
  readonly type: string;
  readonly number: string;
}

export interface JournalRecord {
  readonly key: JournalKey;
  /** FCY, ACCDAT, CUR, REFINT, STA, CAT as far as the surface shows them. */
  readonly header: Row;
  /** General lines of all ledger types: ACC, SNS, AMTCUR, DES, LEDTYP. */
  readonly lines: readonly Row[];
}

/** Every method throws like a read of the contract. */
export interface X3Reader {
  /** A small question that needs the login; what it found, in a sentence. */
  login(): Promise<string>;
  accounts(): AsyncIterable<Row[]>;
  suppliers(): AsyncIterable<Row[]>;
  dimensions(): AsyncIterable<Row[]>;
  periods(): Promise<Row[]>;
  supplier(code: string): Promise<Row | null>;
  /** Suppliers whose text field holds exactly that. */
  suppliersWith(field: string, value: string): Promise<Row[]>;
  /**
   * Journals that carry the reference, whole. An empty answer means that there is none: whatever cannot be read to its
   * end is an error.
   */
  journalsOf(query: Pick<DocumentQuery, 'reference' | 'postingDate'>): Promise<JournalRecord[]>;
  journal(key: JournalKey): Promise<JournalRecord | null>;
}

/** Whether a row is a general line and not an analytical one, by the columns that it has. */
export function isGeneralLine(row: Row): boolean {
  return row.ACC !== undefined && row.SNS !== undefined && row.AMTCUR !== undefined && row.ANALIN === undefined;
}
