import { append } from './sorted.js';

/** One line in the books. Amounts are thousandths, debits positive. */
export interface VoucherLine {
  /** AIT1 to AIT7. */
  dimensions: readonly string[];
  /** In the voucher's currency, and in the company's. */
  amount: bigint;
  localAmount: bigint;
  vatCode: string;
  text: string;
}

export interface VoucherDraft {
  division: string;
  /** Financial year of the accounting date. */
  year: number;
  series: string;
  /** Accounting date, yyyy-mm-dd. */
  date: string;
  /** yyyypp. */
  period: string;
  currency: string;
  rate: bigint;
  /** FAM function, and the transaction code: 40 is a supplier invoice. */
  famFunction: string;
  transactionCode: string;
  /** What the caller gave to find it again by. */
  reference: string;
  lines: readonly VoucherLine[];
  enteredAt: Date;
}

export interface Voucher extends VoucherDraft {
  number: number;
  journal: number;
}

/** Where voucher numbers of each series begin. */
const FIRST_NUMBERS: Readonly<Record<string, number>> = { GL1: 10_000_001, AP1: 20_000_001, AP5: 30_000_001 };
const BUCKET_LENGTH = 8;

/** The general ledger, with the indexes that look-ups need: nothing but the controls reads it from end to end. */
export class VoucherBook {
  readonly all: Voucher[] = [];
  private readonly byNumber = new Map<string, Voucher[]>();
  private readonly byJournal = new Map<string, Voucher>();
  private readonly byDay = new Map<string, Voucher[]>();
  /** By the first letters of every word that begins a line's text. */
  private readonly byWord = new Map<string, Voucher[]>();
  private readonly lastNumbers = new Map<string, number>();
  private lastJournal = 0;

  add(draft: VoucherDraft): Voucher {
    const counter = `${draft.division}/${draft.year}/${draft.series}`;
    const number = this.lastNumbers.get(counter) ?? FIRST_NUMBERS[draft.series] ?? 1;
    this.lastNumbers.set(counter, number + 1);
    this.lastJournal += 1;
    const voucher: Voucher = { ...draft, number, journal: this.lastJournal };
    this.all.push(voucher);
    append(this.byNumber, `${draft.division}/${draft.year}/${number}`, voucher);
    this.byJournal.set(`${draft.year}/${voucher.journal}`, voucher);
    append(this.byDay, `${draft.division}/${draft.date}`, voucher);
    const words = new Set(draft.lines.map(({ text }) => bucketOf(firstWord(text))));
    for (const word of words) append(this.byWord, word, voucher);
    return voucher;
  }

  /** @returns all vouchers with that number; series may share numbers. */
  withNumber(division: string, year: string, number: string): readonly Voucher[] {
    return this.byNumber.get(`${division}/${year}/${Number(number)}`) ?? [];
  }

  withJournal(year: string, journal: string): Voucher | undefined {
    return this.byJournal.get(`${year}/${Number(journal)}`);
  }

  onDay(division: string, day: string): readonly Voucher[] {
    return this.byDay.get(`${division}/${day}`) ?? [];
  }

  /** @returns vouchers of the days from `first` to `last`, both included, by day and in the order of entry. */
  *between(division: string, first: string, last: string): Generator<Voucher> {
    const days = [...this.byDay.keys()]
      .filter((key) => key.startsWith(`${division}/`))
      .map((key) => key.slice(division.length + 1))
      .filter((day) => first <= day && day <= last)
      .sort();
    for (const day of days) yield* this.onDay(division, day);
  }

  /** @returns vouchers with a line whose text begins with that word; with `isPrefix` the word may go on. */
  withWord(word: string, isPrefix: boolean): Voucher[] {
    const candidates =
      word.length >= BUCKET_LENGTH || !isPrefix
        ? (this.byWord.get(bucketOf(word)) ?? [])
        : [...this.byWord].filter(([bucket]) => bucket.startsWith(word)).flatMap(([, vouchers]) => vouchers);
    return [...new Set(candidates)].filter(({ lines }) =>
      lines.some(({ text }) => (isPrefix ? firstWord(text).startsWith(word) : firstWord(text) === word)),
    );
  }
}

/** @returns the text up to the first blank. */
export function firstWord(text: string): string {
  return /^\S*/.exec(text)?.[0] ?? '';
}

function bucketOf(word: string): string {
  return word.slice(0, BUCKET_LENGTH);
}

/** @returns debits, and credits as a positive number, in the voucher's currency. */
export function totalsOf(lines: readonly { amount: bigint }[]): { debit: bigint; credit: bigint } {
  let debit = 0n;
  let credit = 0n;
  for (const { amount } of lines) {
    if (amount >= 0n) debit += amount;
    else credit -= amount;
  }
  return { debit, credit };
}
