// The link from a document to its receipts. What would surprise: half a link, a link on every line, one that changes from plan
// to plan, a memo that grows beyond what the ledger takes, a document without receipts that promises some.
import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/domain/planner.js';
import { context, item, purchase, rules } from './support.js';

const BASE = 'https://ledger.gate';

function documentOf(memoLength: number, over: { hasReceipts?: true; base?: string | null } = { hasReceipts: true }) {
  const { base = BASE, ...spend } = over;
  const [document] = plan(
    context({
      pipeline: { receiptLinkBase: base, unmatchedVendor: 'POST_WITHOUT_SUPPLIER' },
      rules: rules({ memoLength }),
    }),
    [item('a', purchase({ memo: 'Toner for the third floor, ordered by Ana', ...spend }))],
  ).documents;
  if (!document) throw new Error('Nothing was planned.');
  return document;
}

describe('a document of a purchase with receipts', () => {
  it('carries the whole link on its first line, behind as much of the memo as there is room for', () => {
    const document = documentOf(60);
    const link = `${BASE}/receipts/${document.reference}`;
    const [first, ...others] = document.lines;
    expect(first?.memo?.endsWith(` | ${link}`)).toBe(true);
    expect(first?.memo?.length).toBeLessThanOrEqual(60);
    expect(first?.memo?.length).toBeGreaterThan(link.length + 5);
    expect(others.some((line) => line.memo?.includes(BASE))).toBe(false);
  });

  it('carries nothing but the link where nothing else fits, and no half of it', () => {
    const { reference } = documentOf(60);
    const link = `${BASE}/receipts/${reference}`;
    expect(documentOf(link.length).lines[0]?.memo).toBe(link);
    expect(documentOf(link.length - 1).lines.some((line) => line.memo?.includes('receipts'))).toBe(false);
  });

  it('has the same link in every plan, and a hash that covers it', () => {
    expect(documentOf(100).planHash).toBe(documentOf(100).planHash);
    expect(documentOf(100).planHash).not.toBe(documentOf(100, { hasReceipts: true, base: null }).planHash);
  });

  it('carries none without an address, and none without receipts', () => {
    expect(documentOf(100, { hasReceipts: true, base: null }).lines[0]?.memo).not.toContain('receipts');
    expect(documentOf(100, {}).lines[0]?.memo).not.toContain('receipts');
  });
});
