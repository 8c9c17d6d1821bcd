// The comparison after each death of the sweep must be able to fail. What would surprise: a document that is there twice, one
// that is missing, or one of a purchase that nobody touched, and the sweep calls it whole.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { LedgerDocumentView } from '../../../src/sandbox/kit/index.js';
import { type Books, differences, postingsOf, type RememberedPosting } from './step.js';

const OLD = posting('post_1', 'OLD', 'POSTED', ['expense_a']);
const NEW = posting('post_2', 'NEW', 'POSTED', ['expense_b']);

function posting(id: string, reference: string, status: string, expenses: string[]): RememberedPosting {
  return { id, reference, status, expenses, document: `document of ${reference}`, reverses: null, why: null };
}

function document(reference: string, change: Partial<LedgerDocumentView> = {}): LedgerDocumentView {
  return {
    ...{ type: 'JOURNAL', reference, number: '1', supplier: null, date: '2026-11-20', currency: 'USD' },
    ...{ debit: '10.00', credit: '10.00', posted: true, lines: [] },
    ...change,
  };
}

function books(postings: RememberedPosting[], documents: LedgerDocumentView[], suppliers: string[] = []): Books {
  const named = suppliers.map((name, index) => ({ code: String(index), name, active: true }));
  return {
    sql: async <Row extends pg.QueryResultRow>() => postings as unknown as Row[],
    ledger: { sandbox: { documents: () => documents, suppliers: () => named } },
  };
}

function told(postings: RememberedPosting[], documents: LedgerDocumentView[], suppliers?: string[]): Promise<string[]> {
  return differences(books(postings, documents, suppliers), [OLD], ['expense_b']);
}

describe('after a death', () => {
  it('nothing is told of one document a posting', async () => {
    expect(await told([OLD, NEW], [document('OLD'), document('NEW')])).toEqual([]);
    expect(await postingsOf(books([OLD], []))).toEqual([OLD]);
  });

  it('a document that is there twice is told', async () => {
    const broken = await told([OLD, NEW], [document('OLD'), document('NEW'), document('NEW')]);
    expect(broken.join()).toContain('NEW (POSTED) is in the ledger 2 times');
  });

  it('a document that is missing is told', async () => {
    expect((await told([OLD, NEW], [document('OLD')])).join()).toContain('NEW (POSTED) is in the ledger 0 times');
  });

  it('a document that was only entered counts as missing', async () => {
    const broken = await told([OLD, NEW], [document('OLD'), document('NEW', { posted: false })]);
    expect(broken.join()).toContain('NEW (POSTED) is in the ledger 0 times');
  });

  it('a document that does not balance is told', async () => {
    const broken = await told([OLD, NEW], [document('OLD'), document('NEW', { credit: '9.99' })]);
    expect(broken.join()).toContain('NEW does not balance');
  });

  it('a purchase that is not settled, or was planned twice, is told', async () => {
    const held = { ...NEW, status: 'HELD', why: 'because' };
    expect((await told([OLD, held], [document('OLD')])).join()).toContain('expense_b has NEW (HELD: because)');
    expect((await told([OLD], [document('OLD')])).join()).toContain('expense_b has no posting');
    const second = posting('post_3', 'TWIN', 'POSTED', ['expense_b']);
    const broken = await told(
      [OLD, NEW, second],
      ['OLD', 'NEW', 'TWIN'].map((one) => document(one)),
    );
    expect(broken.join()).toContain('expense_b has NEW (POSTED) and TWIN (POSTED)');
  });

  it('a posting that had nothing to do with it and changed is told', async () => {
    const broken = await told([{ ...OLD, status: 'HELD' }, NEW], [document('NEW')]);
    expect(broken.join()).toContain('OLD was POSTED and had nothing to do with it, and is OLD (HELD)');
  });

  it('a document that nobody knows, and a supplier that was made twice, are told', async () => {
    const documents = ['OLD', 'NEW', 'OTHER'].map((one) => document(one));
    expect((await told([OLD, NEW], documents)).join()).toContain('3 documents are in the ledger, and 2 postings');
    const twins = ['HOLLOWAY BANNISTER', 'Holloway Bannister'];
    expect((await told([OLD, NEW], documents.slice(0, 2), twins)).join()).toContain('is a supplier 2 times');
  });
});
