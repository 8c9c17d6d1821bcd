import type { ParsedSysproSeed } from './seed.js';

export type Account = ParsedSysproSeed['accounts'][number];

export type JournalState = 'POSTED' | 'UNPOSTED' | 'HELD' | 'CANCELLED';

/** Amounts are cents, debits positive and credits negative. */
export interface JournalLine {
  entry: number;
  account: string;
  amount: bigint;
  date: string;
  reference: string;
  comment: string;
}

export interface Journal {
  year: number;
  period: number;
  number: number;
  date: string;
  reference: string;
  notation: string;
  /** `JE` journal entry, `AP` payables. */
  source: 'JE' | 'AP';
  type: string;
  state: JournalState;
  authorised: boolean;
  operator: string;
  postedOn: string | null;
  lines: readonly JournalLine[];
}

export interface PostedEntry {
  journal: Journal;
  line: JournalLine;
}

/** Debits and credits of one account in one period; credits positive. */
interface Movement {
  debit: bigint;
  credit: bigint;
}

/**
 * All journals with the indexes that look-ups need: a year of 62,000 journals is asked for one reference at a time, so
 * that a scan per question would make the sandbox slower than what it tests.
 */
export class JournalBook {
  readonly all: Journal[] = [];
  private readonly byKey = new Map<string, Journal>();
  private readonly byReference = new Map<string, Journal[]>();
  private readonly byLineReference = new Map<string, Journal[]>();
  private readonly byNumber = new Map<number, Journal[]>();
  private readonly entriesByAccount = new Map<string, PostedEntry[]>();
  private readonly movements = new Map<string, Movement>();
  private readonly lastNumbers = new Map<string, number>();

  /** @param restart where numbers begin again. Gives the journal its number and books it if it is posted. */
  add(draft: Omit<Journal, 'number'>, restart: 'YEAR' | 'PERIOD'): Journal {
    const counter = restart === 'YEAR' ? `${draft.year}` : `${draft.year}/${draft.period}`;
    const number = (this.lastNumbers.get(counter) ?? 0) + 1;
    this.lastNumbers.set(counter, number);
    const journal: Journal = { ...draft, number };
    this.all.push(journal);
    this.byKey.set(keyOf(journal.year, journal.period, number), journal);
    append(this.byReference, journal.reference, journal);
    append(this.byNumber, number, journal);
    let previous: string | undefined;
    for (const { reference } of journal.lines) {
      if (reference === previous) continue;
      previous = reference;
      const listed = this.byLineReference.get(reference);
      if (listed?.at(-1) !== journal) append(this.byLineReference, reference, journal);
    }
    if (journal.state === 'POSTED') this.book(journal);
    return journal;
  }

  /** Posts a journal that was only created. */
  post(journal: Journal, postedOn: string): void {
    if (journal.state === 'POSTED') return;
    journal.state = 'POSTED';
    journal.postedOn = postedOn;
    this.book(journal);
  }

  find(year: number, period: number, number: number): Journal | undefined {
    return this.byKey.get(keyOf(year, period, number));
  }

  withReference(reference: string): readonly Journal[] {
    return this.byReference.get(reference) ?? [];
  }

  withLineReference(reference: string): readonly Journal[] {
    return this.byLineReference.get(reference) ?? [];
  }

  withNumber(number: number): readonly Journal[] {
    return this.byNumber.get(number) ?? [];
  }

  /** @returns the account's posted entries in the order of posting. */
  entriesOf(account: string): readonly PostedEntry[] {
    return this.entriesByAccount.get(account) ?? [];
  }

  movement(account: string, year: number, period: number): Movement {
    return this.movements.get(movementKey(account, year, period)) ?? { debit: 0n, credit: 0n };
  }

  /** References that more than one journal carries, blank ones left out. */
  duplicates(): { reference: string; count: number }[] {
    const found: { reference: string; count: number }[] = [];
    for (const [reference, journals] of this.byReference) {
      if (reference !== '' && journals.length > 1) found.push({ reference, count: journals.length });
    }
    return found;
  }

  private book(journal: Journal): void {
    for (const line of journal.lines) {
      append(this.entriesByAccount, line.account, { journal, line });
      const key = movementKey(line.account, journal.year, journal.period);
      const movement = this.movements.get(key) ?? { debit: 0n, credit: 0n };
      if (line.amount >= 0n) movement.debit += line.amount;
      else movement.credit -= line.amount;
      this.movements.set(key, movement);
    }
  }
}

/** @returns total debits, and total credits as a positive number. */
export function totalsOf(journal: Journal): Movement {
  const totals: Movement = { debit: 0n, credit: 0n };
  for (const { amount } of journal.lines) {
    if (amount >= 0n) totals.debit += amount;
    else totals.credit -= amount;
  }
  return totals;
}

function keyOf(year: number, period: number, number: number): string {
  return `${year}/${period}/${number}`;
}

function movementKey(account: string, year: number, period: number): string {
  return `${account}/${year}/${period}`;
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
