import { recordType, sourceType } from './shapes/records.js';
import type { BrexStore } from './store.js';
import type { Timed, Timeline } from './timeline.js';
import { decimalText, microsOf } from './units.js';

export interface CurrencyTotal {
  count: number;
  /** Exact decimals, signed: refunds and money back are negative. */
  total: string;
}

export interface StreamSummary {
  visible: number;
  /** Visible later than the sandbox's "now". */
  future: number;
  /** Of what is visible. */
  byCurrency: Record<string, CurrencyTotal>;
}

export interface BrexSummary {
  now: string;
  cardTransactions: StreamSummary & { byType: Record<string, number> };
  cashTransactions: StreamSummary;
  /** `pending` authorisations are shown beside `visible` and count in no total. */
  expenses: StreamSummary & { pending: number };
  accountingRecords: StreamSummary & {
    byReviewStatus: Record<string, number>;
    byType: Record<string, number>;
    bySourceType: Record<string, number>;
  };
}

/** What the account shows now, added up exactly, for comparison with what a client has read. */
export function summarize(store: BrexStore): BrexSummary {
  const cards = new Adder();
  const expenses = new Adder();
  const records = new Adder();
  const cash = new Adder();
  let pending = 0;
  const [cardTypes, statuses, types, sources] = [new Counter(), new Counter(), new Counter(), new Counter()];
  each(store, store.transactions, cards, ({ purchase, amountMinor }) => {
    const { kind, currency } = purchase.seed;
    if (purchase.postedAt <= store.now) cardTypes.add(kind !== 'CARD' ? kind : amountMinor < 0 ? 'REFUND' : 'PURCHASE');
    return [amountMinor, currency];
  });
  // Children are parts of their parents: the parents alone add up to what was spent.
  each(store, store.expenses, expenses, (view) => {
    const { seed } = view.purchase;
    if (view.pendingMinor !== null) {
      if (store.isVisible(view) && store.isCurrent(view)) pending += 1;
      return null;
    }
    return view.child ? null : [seed.amountMinor, seed.currency];
  });
  each(store, store.records, records, (record) => {
    const { seed } = record.purchase;
    if (store.isVisible(record)) {
      statuses.add(record.reviewStatus);
      types.add(recordType(record));
      sources.add(sourceType(seed));
    }
    return [record.child?.amountMinor ?? seed.amountMinor, seed.currency];
  });
  for (const row of store.seed.cashTransactions) {
    cash.add(microsOf(row.postedAt) <= store.now, row.amountMinor ?? 0, row.currency);
  }
  return {
    now: store.nowText,
    cardTransactions: { ...cards.summary(), byType: cardTypes.counts },
    cashTransactions: cash.summary(),
    expenses: { ...expenses.summary(), pending },
    accountingRecords: {
      ...records.summary(),
      ...{ byReviewStatus: statuses.counts, byType: types.counts, bySourceType: sources.counts },
    },
  };
}

function each<T extends Timed>(
  store: BrexStore,
  timeline: Timeline<T>,
  adder: Adder,
  /** Null for what counts in no total. Also asked for what is not visible yet. */
  amountOf: (entry: T) => [minor: number, currency: string] | null,
): void {
  for (let index = 0; index < timeline.size; index += 1) {
    const entry = timeline.get(index);
    if (!entry) continue;
    const amount = amountOf(entry);
    if (amount) adder.add(store.isVisible(entry), ...amount);
  }
}

class Counter {
  readonly counts: Record<string, number> = {};

  add(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

class Adder {
  future = 0;
  private visible = 0;
  private readonly totals = new Map<string, { count: number; minor: bigint }>();

  add(isVisible: boolean, minor: number, currency: string): void {
    if (!isVisible) {
      this.future += 1;
      return;
    }
    this.visible += 1;
    const total = this.totals.get(currency) ?? { count: 0, minor: 0n };
    this.totals.set(currency, { count: total.count + 1, minor: total.minor + BigInt(minor) });
  }

  summary(): StreamSummary {
    const entries = [...this.totals].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      visible: this.visible,
      future: this.future,
      byCurrency: Object.fromEntries(
        entries.map(([currency, { count, minor }]) => [currency, { count, total: decimalText(minor, currency) }]),
      ),
    };
  }
}
