import type { LedgerDocumentView, LedgerSummary } from '../kit/index.js';
import { decimalsOf, formatMinor } from './amounts.js';
import { type Entry, type EntryLine, entryField, type X3Company } from './company.js';

/** The journals as the tests and the demo see them; supplier invoices have no place in this simulator. */
export function entryView(company: X3Company, entry: Entry): LedgerDocumentView {
  const decimals = decimalsOf(entryField(entry, 'CUR'));
  const { debit, credit } = totalsOf(entry);
  return {
    type: 'JOURNAL',
    reference: entryField(entry, 'REFINT'),
    number: `${entry.type}~${entry.number}`,
    supplier: null,
    date: entryField(entry, 'ACCDAT'),
    currency: entryField(entry, 'CUR'),
    debit: formatMinor(debit, decimals),
    credit: formatMinor(credit, decimals),
    // Temporary entries are in the balances as well; simulations and templates are not.
    posted: entryField(entry, 'CAT') === '1',
    lines: entry.lines.map((line) => lineView(company, line, decimals)),
  };
}

function lineView(company: X3Company, line: EntryLine, decimals: number): LedgerDocumentView['lines'][number] {
  const codes = new Map(line.analytics.flatMap((analytic) => [...analytic.codes]));
  const { costCentreType } = company.codes;
  const amount = formatMinor(line.amount, decimals);
  const zero = formatMinor(0n, decimals);
  return {
    account: line.account,
    costCentre: codes.get(costCentreType) ?? null,
    dimensions: Object.fromEntries([...codes].filter(([type]) => type !== costCentreType)),
    debit: line.sign === 1 ? amount : zero,
    credit: line.sign === 1 ? zero : amount,
    text: line.fields.get('DES') ?? '',
  };
}

function totalsOf(entry: Entry): { debit: bigint; credit: bigint } {
  let debit = 0n;
  let credit = 0n;
  for (const line of entry.lines) {
    if (line.sign === 1) debit += line.amount;
    else credit += line.amount;
  }
  return { debit, credit };
}

/** @returns all journals in the order they were written, or those with exactly that reference. */
export function entryViews(company: X3Company, reference?: string): LedgerDocumentView[] {
  if (reference !== undefined) {
    return (company.entries.withValue('REFINT', reference) ?? []).map((entry) => entryView(company, entry));
  }
  return company.written.flatMap((key) => {
    const entry = company.entries.get(key);
    return entry === undefined ? [] : [entryView(company, entry)];
  });
}

export function summaryOf(company: X3Company, requests: ReadonlyMap<string, number>): LedgerSummary {
  let posted = 0;
  let unbalanced = 0;
  for (const entry of company.entries.above()) {
    if (entryField(entry, 'CAT') === '1') posted += 1;
    const { debit, credit } = totalsOf(entry);
    if (debit !== credit) unbalanced += 1;
  }
  const counts = [...company.entries.counts('REFINT')];
  return {
    journals: company.entries.size,
    invoices: 0,
    posted,
    unbalanced,
    duplicates: counts.filter(([reference, count]) => reference !== '' && count > 1).map(([reference]) => reference),
    suppliers: company.suppliers.size,
    requests: Object.fromEntries(requests),
  };
}
