import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FoundDocument, LedgerConnection, LedgerDocument } from '../../../src/connectors/contract.js';
import {
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { connectTo, failureOf, invoice, journal, line, queryOf } from './epicorKineticHelpers.js';
import {
  type Call,
  epicorError,
  REVISION,
  type Reply,
  type Row,
  type ScriptedEpicor,
  scriptedEpicor,
} from './epicorKineticServer.js';

/**
 * Documents against a scripted Epicor. What would be caught: a second document after a lost reply, a remnant that counts
 * as a document, a refusal that leaves something behind, a reply under HTTP 200 that is taken for a yes.
 */

let epicor: ScriptedEpicor;
const open: LedgerConnection[] = [];

function connect(settings: Record<string, unknown> = {}): LedgerConnection {
  const { connection } = connectTo(epicor.url, settings);
  open.push(connection);
  return connection;
}

beforeEach(async () => {
  epicor = await scriptedEpicor();
});
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.disconnect();
  await epicor.close();
});

const html: Reply = { status: 200, text: '<html>Please sign in</html>', headers: { 'content-type': 'text/html' } };
const unauthorised = epicorError(401, 'Invalid username or password.', 'System.UnauthorizedAccessException');
const throttled: Reply = { status: 429, json: {}, headers: { 'retry-after': '600' } };
const operations = () => epicor.calls.map(({ operation }) => operation);
const writes = () =>
  operations().filter((name) =>
    /\/(Update|UpdateMaster|DeleteByID|RunDirect|PostGroupJournals|UnlockGroup)$/.test(name),
  );
const stored = () => [...epicor.invoices.values()][0];

/** Answers the n-th call of an operation by itself. */
function nth(operation: string, n: number, reply: Reply): void {
  let seen = 0;
  epicor.answer = (call) => {
    if (call.operation !== operation) return undefined;
    seen += 1;
    return seen === n ? reply : undefined;
  };
}

// ── what arrives ─────────────────────────────────────────────────────────────────────────────

describe('an invoice', () => {
  it('is entered step by step: group, header, lines with their coding, control total, and the group is let go', async () => {
    const { ledgerDocumentId, warnings } = await connect().submit(invoice());
    expect([ledgerDocumentId, warnings]).toEqual([`AP 204/${journal.reference}`, []]);
    expect(stored()).toMatchObject({
      head: {
        VendorNum: 204,
        InvoiceNum: journal.reference,
        ApplyDate: '2026-11-19',
        DocInvoiceVendorAmt: 125.5,
        Posted: false,
      },
      lines: [
        {
          line: { DocExtCost: 100, ScrVendorQty: 1 },
          coding: { GLAccount: '6400|00|20', SegValue1: '6400', SegValue3: '20' },
        },
        { line: { DocExtCost: 25.5 }, coding: { GLAccount: '6500|00|20' } },
      ],
    });
    expect(writes()).toEqual([
      'APInvGrpSvc/Update',
      'APInvoiceSvc/Update',
      'APInvoiceSvc/UpdateMaster',
      'APInvoiceSvc/Update',
      'APInvoiceSvc/UpdateMaster',
      'APInvoiceSvc/Update',
      'APInvoiceSvc/Update',
      'APInvGrpSvc/UnlockGroup',
    ]);
    expect([...epicor.apGroups.values()]).toMatchObject([{ ActiveUserID: '', ApplyDate: '2026-11-19' }]);
    // A connection that the other side has just closed would turn a write that never arrived into a doubt.
    const connections = epicor.calls
      .filter(({ operation }) => operation.endsWith('/Update'))
      .map(({ headers }) => headers.connection);
    expect(new Set(connections)).toEqual(new Set(['close']));
  });

  it('is posted where that is ours to do', async () => {
    const connection = connect({ autoPost: true });
    await connection.submit(invoice());
    expect(stored()?.head.Posted).toBe(true);
    expect(await connection.findByReference([queryOf(invoice())])).toMatchObject([
      { isPosted: true, totalDebit: '125.50' },
    ]);
  });

  it('of a refund is a debit memo with positive amounts, and a line against its direction has quantity −1', async () => {
    const refund = invoice({
      total: '125.50',
      lines: [
        line(1, '6400', '0.00', '125.50', { costCentre: '20' }),
        line(2, '6500', '25.50', '0.00', { costCentre: '20' }),
        line(3, '2150|00|00', '100.00', '0.00', { role: 'OFFSET' }),
      ].map((one) => ({ ...one, role: one.role ?? 'EXPENSE' })),
    });
    const connection = connect();
    await connection.submit(refund);
    expect(stored()?.head).toMatchObject({ DebitMemo: true, DocInvoiceAmt: 100 * -1 });
    expect(stored()?.lines.map((one) => [one.line.DocUnitCost, one.line.ScrVendorQty])).toEqual([
      [125.5, 1],
      [25.5, -1],
    ]);
    expect(await connection.findByReference([queryOf(refund)])).toMatchObject([
      { totalDebit: '125.50', totalCredit: '125.50', lineCount: 3, isPosted: true },
    ]);
  });

  it('whose purchases and refunds cancel each other out is refused unsent', async () => {
    const nothing = invoice({
      total: '10.00',
      lines: [
        line(1, '6400', '10.00', '0.00', { role: 'EXPENSE' }),
        line(2, '6500', '0.00', '10.00', { role: 'EXPENSE' }),
        line(3, '2150', '0.00', '0.00', { role: 'OFFSET' }),
      ],
    });
    expect(await failureOf(connect().submit(nothing))).toMatchObject({ code: 'NOT_AN_INVOICE' });
    expect(epicor.calls).toEqual([]);
  });

  it('codes the row of its own book and not a reference row or another book', async () => {
    const other = { RecordType: 'A', BookID: 'IFRS', GLAccount: 'X' };
    const reference = { RecordType: 'R', BookID: 'MAIN', GLAccount: 'Y' };
    const sent: Row[][] = [];
    const single = invoice({
      total: '10.00',
      lines: [line(1, '6400', '10.00', '0.00'), line(2, '2150', '0.00', '10.00')],
    });
    epicor.answer = (call) => {
      if (call.operation === 'APInvoiceSvc/UpdateMaster') {
        const invoiceNum = journal.reference;
        const key = { VendorNum: 204, InvoiceNum: invoiceNum, InvoiceLine: 1, InvExpSeq: 1 };
        const held = epicor.invoices.get(`204/${invoiceNum}`);
        if (!held) return undefined;
        const coding = { ...key, RecordType: 'A', BookID: 'MAIN', GLAccount: '9999', SysRevID: 1 };
        held.lines.push({ line: { ...key, DocExtCost: 10 }, expense: { ...key, DocExpAmt: 10 }, coding });
        held.head = { ...held.head, DocInvoiceAmt: 10 };
        const rows = [{ ...key, ...other }, { ...key, ...reference }, coding];
        return {
          json: { parameters: { lUpdateRan: true, ds: { APInvDtl: [held.lines[0]?.line], APInvExpTGLC: rows } } },
        };
      }
      const tables = call.body.ds as Record<string, Row[]> | undefined;
      if (call.operation === 'APInvoiceSvc/Update' && tables?.APInvExpTGLC) sent.push(tables.APInvExpTGLC);
      return undefined;
    };
    await connect().submit(single);
    expect(sent[0]?.filter(({ RowMod }) => RowMod === 'U').map(({ BookID, GLAccount }) => [BookID, GLAccount])).toEqual(
      [['MAIN', '6400|00']],
    );
    expect(sent[0]?.filter(({ RowMod }) => RowMod !== 'U').map(({ GLAccount }) => GLAccount)).toEqual(['X', 'Y']);
  });
});

describe('a journal', () => {
  it('has a group of its own, goes debits first, carries its reference everywhere and waits for an accountant', async () => {
    const reversed = {
      ...journal,
      lines: [...journal.lines].reverse().map((one, index) => ({ ...one, lineNumber: index + 1 })),
    };
    const connection = connect();
    const { ledgerDocumentId } = await connection.submit(reversed);
    const [draft] = epicor.drafts;
    expect(ledgerDocumentId).toBe(`MAIN/2026/GJ/${draft?.head.JournalNum}`);
    expect(draft?.head).toMatchObject({ JEDate: '2026-11-19' });
    expect(draft?.lines.map(({ TransAmt, GLAccount }) => [TransAmt, GLAccount])).toEqual([
      [25.5, '6500|00|20'],
      [100, '6400|00|20'],
      [-125.5, '2150|00|00'],
    ]);
    expect(draft?.lines.every(({ Description }) => String(Description).startsWith(journal.reference))).toBe(true);
    expect([...epicor.glGroups.values()]).toMatchObject([{ ActiveUserID: '' }]);
    const expected = { ledgerDocumentId, totalDebit: '125.50', totalCredit: '125.50', lineCount: 3, isPosted: true };
    expect(await connection.findByReference([queryOf(journal)])).toMatchObject([expected]);
    expect(await connection.readBack(ledgerDocumentId, queryOf(journal))).toMatchObject(expected);
  });

  it('is posted where that is ours to do, found in the journal lines and read back', async () => {
    const connection = connect({ autoPost: true });
    const { ledgerDocumentId } = await connection.submit(journal);
    expect([epicor.drafts.length, epicor.posted.length, epicor.glGroups.size]).toEqual([0, 3, 0]);
    const expected = { ledgerDocumentId, totalDebit: '125.50', totalCredit: '125.50', lineCount: 3, isPosted: true };
    expect(await connection.findByReference([queryOf(journal)])).toMatchObject([expected]);
    expect(await connection.readBack(ledgerDocumentId, queryOf(journal))).toMatchObject(expected);
  });

  it('in another currency than its book is refused unsent', async () => {
    expect(await failureOf(connect().submit({ ...journal, currency: 'EUR' }))).toMatchObject({
      code: 'CURRENCY_UNSUPPORTED',
    });
    expect(writes()).toEqual([]);
  });
});

// ── exactly once ─────────────────────────────────────────────────────────────────────────────

/** Every reply that can get lost, one after the other. A sweep, because each step has its own way of being forgotten. */
describe('exactly one document', () => {
  const faults: Record<string, Reply> = {
    'is lost before its effect': 'lost-before',
    'is lost after its effect': 'lost-after',
    'is a web page': html,
    'is empty': { status: 200, text: '' },
    'is HTTP 500': epicorError(500, 'We apologize, but an unexpected internal problem occurred.', 'System.Exception'),
  };
  const kinds: [string, LedgerDocument][] = [
    ['an invoice', invoice()],
    ['a journal', journal],
  ];

  /** Fails the n-th write; with `dies` every call after it too, as if the process had ended. */
  function disturb(n: number, reply: Reply, dies = false): void {
    let seen = 0;
    epicor.answer = (call: Call) => {
      const isWrite = /\/(Update|UpdateMaster|DeleteByID|RunDirect|PostGroupJournals)$/.test(call.operation);
      if (isWrite) seen += 1;
      if (isWrite && seen === n) return reply;
      return dies && seen >= n ? 'lost-before' : undefined;
    };
  }

  /** What the engine does: look, and send again only after an absence. */
  async function until(document: LedgerDocument, settings: Record<string, unknown>): Promise<FoundDocument> {
    const connection = connect(settings);
    for (let turn = 0; turn < 3; turn += 1) {
      const found = await connection.findByReference([queryOf(document)]);
      if (found[0]) {
        expect(found).toHaveLength(1);
        return found[0];
      }
      await connection.submit(document);
    }
    throw new Error('the document does not arrive');
  }

  function expectOne(found: FoundDocument, autoPost: boolean): void {
    expect(found).toMatchObject({ isPosted: true, totalDebit: '125.50', totalCredit: '125.50' });
    const journals = new Set([...epicor.posted, ...epicor.drafts.map(({ head }) => head)].map((row) => row.JournalNum));
    expect(epicor.invoices.size + journals.size).toBe(1);
    expect(epicor.drafts.length === 0 || !autoPost).toBe(true);
    const lines = stored()?.lines.map(({ coding }) => coding.GLAccount) ?? [];
    expect([[], ['6400|00|20', '6500|00|20']]).toContainEqual(lines);
    expect(
      [...epicor.apGroups.values(), ...epicor.glGroups.values()].every(({ ActiveUserID }) => ActiveUserID === ''),
    ).toBe(true);
  }

  for (const autoPost of [false, true]) {
    for (const [name, document] of kinds) {
      it.each(Object.entries(faults))(
        `of ${name} with autoPost ${autoPost}, whichever reply %s`,
        async (_what, reply) => {
          for (let n = 1; n < 20; n += 1) {
            disturb(n, reply);
            const result = await connect({ autoPost })
              .submit(document)
              .catch((error: unknown) => error);
            epicor.answer = () => undefined;
            if (result instanceof Error) expect(result).toBeInstanceOf(OutcomeUnknownError);
            expectOne(await until(document, { autoPost }), autoPost);
            epicor.invoices.clear();
            for (const group of [epicor.apGroups, epicor.glGroups]) group.clear();
            epicor.posted.length = 0;
            epicor.drafts.length = 0;
            if (!(result instanceof Error)) return expect(n).toBeGreaterThan(5);
          }
          throw new Error('the document never arrived undisturbed');
        },
      );

      it(`of ${name} with autoPost ${autoPost}, wherever the process dies`, async () => {
        for (let n = 1; n < 20; n += 1) {
          disturb(n, 'lost-after', true);
          const result = await connect({ autoPost, submitTimeoutSeconds: 5 })
            .submit(document)
            .catch((error: unknown) => error);
          epicor.answer = () => undefined;
          expectOne(await until(document, { autoPost }), autoPost);
          epicor.invoices.clear();
          for (const group of [epicor.apGroups, epicor.glGroups]) group.clear();
          epicor.posted.length = 0;
          epicor.drafts.length = 0;
          if (!(result instanceof Error)) return expect(n).toBeGreaterThan(5);
        }
        throw new Error('the document never arrived undisturbed');
      });
    }
  }

  it('a call that only computes is repeated, because nothing is stored by it', async () => {
    nth('APInvoiceSvc/GetNewAPInvDtlMiscellaneous', 1, 'lost-before');
    await connect().submit(invoice());
    expect(stored()?.lines).toHaveLength(2);
  });

  it('a fault before anything of the document was sent is no doubt', async () => {
    epicor.answer = ({ operation }) => (operation === 'APInvoiceSvc/ChangeVendorID' ? html : undefined);
    expect(await failureOf(connect().submit(invoice()))).toBeInstanceOf(UpstreamUnavailableError);
    expect(epicor.invoices.size).toBe(0);
  });

  it('a fault in the middle, of whatever kind, is a doubt', async () => {
    for (const reply of [html, unauthorised, throttled]) {
      epicor.answer = ({ operation }) => (operation === 'APInvoiceSvc/GetNewAPInvDtlMiscellaneous' ? reply : undefined);
      expect(await failureOf(connect().submit(invoice()))).toMatchObject({
        code: 'STOPPED_HALFWAY',
        decision: 'PROBE',
      });
      epicor.answer = () => undefined;
    }
  });

  it('a remnant is neither found nor in the way, and is removed with its group by the next submit', async () => {
    disturb(4, 'lost-after', true);
    await failureOf(connect({ submitTimeoutSeconds: 5 }).submit(invoice()));
    epicor.answer = () => undefined;
    expect(stored()?.lines).toHaveLength(1);
    const connection = connect();
    expect(await connection.findByReference([queryOf(invoice())])).toEqual([]);
    await connection.submit(invoice());
    expect(operations()).toContain('APInvoiceSvc/DeleteByID');
    expect([epicor.invoices.size, epicor.apGroups.size, stored()?.lines.length]).toEqual([1, 1, 2]);
  });

  it('a remnant under another supplier, who was corrected since, is removed too', async () => {
    disturb(2, 'lost-after', true);
    await failureOf(connect({ submitTimeoutSeconds: 5 }).submit(invoice()));
    epicor.answer = () => undefined;
    epicor.vendors.push({ VendorNum: 300, VendorID: 'RIGHT', Name: 'Right', Inactive: false, CurrencyCode: 'USD' });
    await connect().submit(invoice({ supplierCode: 'RIGHT' }));
    expect([...epicor.invoices.keys()]).toEqual([`300/${journal.reference}`]);
  });

  it('an invoice of ours that a person moved and did not finish is reported as not posted', async () => {
    disturb(4, 'lost-after', true);
    await failureOf(connect({ submitTimeoutSeconds: 5 }).submit(invoice()));
    epicor.answer = () => undefined;
    const held = stored();
    if (held) held.head.GroupID = 'MYGROUP';
    const connection = connect();
    expect(await connection.findByReference([queryOf(invoice())])).toMatchObject([{ isPosted: false }]);
    expect(await failureOf(connection.submit(invoice()))).toMatchObject({ code: 'ALREADY_THERE' });
    expect(epicor.invoices.size).toBe(1);
  });

  it('"duplicate" on the header is asked about and never taken for a plain refusal', async () => {
    nth('APInvoiceSvc/Update', 1, epicorError(400, 'This is a duplicate entry of an existing record'));
    expect(await failureOf(connect().submit(invoice()))).toMatchObject({ code: 'ALREADY_THERE', decision: 'PROBE' });
  });

  it('a group of the same ID that holds other documents is left alone', async () => {
    const connection = connect();
    await connection.submit(invoice());
    const group = [...epicor.apGroups.keys()][0] ?? '';
    epicor.invoices.clear();
    epicor.invoices.set('204/THEIRS', {
      head: { VendorNum: 204, InvoiceNum: 'THEIRS', GroupID: group, Posted: false },
      lines: [],
    });
    await connection.submit(invoice());
    expect([...epicor.apGroups.keys()]).toHaveLength(2);
    expect(epicor.invoices.has('204/THEIRS')).toBe(true);
  });

  it('a journal in a group of the same ID with another reference is not ours', async () => {
    const connection = connect({ autoPost: true });
    await connection.submit(journal);
    for (const row of epicor.posted) row.Description = `A${journal.reference.slice(1)} somebody else`;
    expect(await connection.findByReference([queryOf(journal)])).toEqual([]);
    for (const row of epicor.posted) row.Description = 'Texts that a posting rule made';
    expect(await connection.findByReference([queryOf(journal)])).toHaveLength(1);
  });

  it('a journal without our reference in a group of the same ID is not taken away', async () => {
    await connect().submit(journal);
    const [theirs] = epicor.drafts;
    if (theirs) theirs.head.Description = 'Accruals of November';
    await connect({ autoPost: true }).submit(journal);
    expect(epicor.drafts).toEqual([theirs]);
    expect(new Set(epicor.posted.map(({ JournalNum }) => JournalNum)).size).toBe(1);
  });

  it('a document that another user has open is not touched', async () => {
    disturb(4, 'lost-after', true);
    await failureOf(connect({ submitTimeoutSeconds: 5 }).submit(invoice()));
    epicor.answer = () => undefined;
    for (const group of epicor.apGroups.values()) group.ActiveUserID = 'mary';
    const refusal = await failureOf(connect().submit(invoice()));
    expect(refusal).toBeInstanceOf(ErpRejectedError);
    expect((refusal as Error).message).toContain('open at the user mary');
    expect(epicor.invoices.size).toBe(1);
  });

  it('a throttle in the middle of a document is sat out, and one before it is handed on', async () => {
    const throttle: Reply = { status: 429, json: {}, headers: { 'retry-after': '0' } };
    nth('APInvoiceSvc/UpdateMaster', 1, throttle);
    await connect().submit(invoice());
    expect(stored()?.lines).toHaveLength(2);
    epicor.invoices.clear();
    epicor.apGroups.clear();
    nth('APInvGrpSvc/Update', 1, throttle);
    expect(await failureOf(connect().submit(invoice()))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(epicor.apGroups.size).toBe(0);
  });

  it('a group that is being posted is waited for', async () => {
    const connection = connect({ autoPost: true });
    epicor.answer = ({ operation, body }) => {
      if (operation !== 'APInvoicePostSvc/RunDirect') return undefined;
      const [row] = (body.ds as Record<string, Row[]>).APInvoicePostParam ?? [];
      const group = epicor.apGroups.get(String(row?.GroupID));
      if (group) group.PostInProcess = true;
      return { json: {} };
    };
    expect(await failureOf(connection.submit(invoice()))).toMatchObject({ code: 'POSTING_RUNS', decision: 'PROBE' });
    expect(await connection.findByReference([queryOf(invoice())])).toEqual([]);
    expect(await failureOf(connection.submit(invoice()))).toMatchObject({ code: 'GROUP_BUSY', decision: 'RETRY' });
    expect(epicor.invoices.size).toBe(1);
  });
});

// ── refusals ─────────────────────────────────────────────────────────────────────────────────

describe('a refusal leaves nothing behind', () => {
  const gone = () =>
    expect([epicor.invoices.size, epicor.apGroups.size, epicor.drafts.length, epicor.glGroups.size]).toEqual([
      0, 0, 0, 0,
    ]);

  it('when lUpdateRan is false under HTTP 200', async () => {
    nth('APInvoiceSvc/UpdateMaster', 2, {
      json: { parameters: { lUpdateRan: false, requiresUserInput: true, opMessage: 'Line exceeds the limit', ds: {} } },
    });
    const refusal = await failureOf(connect().submit(invoice()));
    expect(refusal).toBeInstanceOf(ErpRejectedError);
    expect((refusal as Error).message).toContain('Line exceeds the limit');
    gone();
  });

  it('when errorsOccurred is true under HTTP 200', async () => {
    nth('APInvoiceSvc/UpdateMaster', 1, {
      json: {
        returnObj: { BOUpdError: [{ TableName: 'APInvDtl', ErrorText: 'GL Account is not valid.' }] },
        parameters: { errorsOccurred: true, ds: {} },
      },
    });
    expect(((await failureOf(connect().submit(invoice()))) as Error).message).toContain('"GL Account is not valid."');
    gone();
  });

  it('and a reply without lUpdateRan is a doubt', async () => {
    const key = { VendorNum: 204, InvoiceNum: journal.reference, InvoiceLine: 1 };
    const coding = { ...key, InvExpSeq: 1, RecordType: 'A', BookID: 'MAIN', GLAccount: '9999' };
    const ds = { APInvDtl: [{ ...key, DocExtCost: 100 }], APInvExpTGLC: [coding] };
    nth('APInvoiceSvc/UpdateMaster', 1, { json: { parameters: { ds } } });
    const single = invoice({
      total: '10.00',
      lines: [line(1, '6400', '10.00', '0.00'), line(2, '2150', '0.00', '10.00')],
    });
    expect(await failureOf(connect().submit(single))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('when the account of a line is turned down', async () => {
    nth('APInvoiceSvc/Update', 2, epicorError(400, 'GL Account is not valid.'));
    expect(await failureOf(connect().submit(invoice()))).toBeInstanceOf(ErpRejectedError);
    gone();
  });

  it('when the ledger adds a tax that nobody asked for', async () => {
    epicor.answer = ({ operation }) => {
      const held = stored();
      if (operation === 'APInvoiceSvc/GetByID' && held) held.head.DocInvoiceAmt = 130;
      return undefined;
    };
    const refusal = await failureOf(connect().submit(invoice()));
    expect((refusal as Error).message).toContain('comes to 130.00 instead of 125.50');
    gone();
  });

  it('when a line gets no account row to code', async () => {
    epicor.answer = ({ operation }) => {
      if (operation !== 'APInvoiceSvc/UpdateMaster') return undefined;
      const key = { VendorNum: 204, InvoiceNum: journal.reference, InvoiceLine: 1 };
      return {
        json: { parameters: { lUpdateRan: true, ds: { APInvDtl: [{ ...key, DocExtCost: 100 }], APInvExpTGLC: [] } } },
      };
    };
    expect(((await failureOf(connect().submit(invoice()))) as Error).message).toContain('default GL control');
    gone();
  });

  it('when the posting process refuses, with the error log of the group', async () => {
    for (const [document, operation, groups] of [
      [invoice(), 'APInvoicePostSvc/RunDirect', epicor.apGroups],
      [journal, 'GLJrnGrpSvc/PostGroupJournals', epicor.glGroups],
    ] as const) {
      epicor.answer = (call) => {
        if (call.operation !== operation) return undefined;
        for (const group of groups.values()) group.PostErrorLog = 'Fiscal period 11 is closed';
        return { json: {} };
      };
      const refusal = await failureOf(connect({ autoPost: true }).submit(document));
      expect(refusal).toBeInstanceOf(PeriodClosedError);
      expect((refusal as Error).message).toContain('Fiscal period 11 is closed');
      gone();
    }
  });

  it('when it cannot be taken back, the outcome is in doubt', async () => {
    epicor.answer = ({ operation, body }) => {
      if (operation === 'APInvoiceSvc/DeleteByID') return epicorError(400, 'Record is locked');
      const tables = body.ds as Record<string, Row[]> | undefined;
      return operation === 'APInvoiceSvc/Update' && tables?.APInvExpTGLC
        ? epicorError(400, 'GL Account is not valid.')
        : undefined;
    };
    expect(await failureOf(connect().submit(invoice()))).toMatchObject({ code: 'NOT_TAKEN_BACK', decision: 'PROBE' });
  });

  it.each([
    ['STOPPED', 'is inactive'],
    ['NOBODY', 'no supplier NOBODY'],
    ['EURO', 'is kept in EUR'],
  ])('supplier %s is refused before anything is written', async (supplierCode, text) => {
    expect(((await failureOf(connect().submit(invoice({ supplierCode })))) as Error).message).toContain(text);
    expect(writes()).toEqual([]);
  });

  it('an account that the ledger would not take is refused before anything is written', async () => {
    nth('GLAccountSvc/ValidateGLAccount', 2, epicorError(400, 'GL Account 6500|00|20 is inactive.'));
    const refusal = await failureOf(connect().submit(journal));
    expect(refusal).toBeInstanceOf(ErpRejectedError);
    expect((refusal as Error).message).toContain('GL Account 6500|00|20 is inactive.');
    expect(writes()).toEqual([]);
  });

  it('a period that the ledger refuses is a closed period', async () => {
    nth(
      'APInvGrpSvc/OnChangeofApplyDate',
      1,
      epicorError(400, 'The apply date is not valid, the fiscal period is closed.'),
    );
    expect(await failureOf(connect().submit(invoice()))).toBeInstanceOf(PeriodClosedError);
    gone();
  });

  it('a group that comes back with another date is refused', async () => {
    epicor.answer = ({ operation, body }) => {
      if (operation !== 'APInvGrpSvc/Update') return undefined;
      const [row] = (body.ds as Record<string, Row[]>).APInvGrp ?? [];
      return { json: { parameters: { ds: { APInvGrp: [{ ...row, ApplyDate: '2026-11-20T00:00:00' }] } } } };
    };
    expect(await failureOf(connect().submit(invoice()))).toBeInstanceOf(PeriodClosedError);
    expect(epicor.invoices.size).toBe(0);
  });

  it('HTTP 500 with a business error is a doubt, and a refusal only where the setting says so', async () => {
    const answer = epicorError(500, 'GL Account is not valid.');
    nth('APInvoiceSvc/UpdateMaster', 1, answer);
    expect(await failureOf(connect().submit(invoice()))).toBeInstanceOf(OutcomeUnknownError);
    nth('APInvoiceSvc/UpdateMaster', 1, answer);
    expect(await failureOf(connect({ businessErrorsUnder500: true }).submit(invoice()))).toBeInstanceOf(
      ErpRejectedError,
    );
    gone();
  });
});

describe('rows', () => {
  it('go back with the revision that they came with, above 2^53', async () => {
    await connect().submit(invoice());
    const coded = epicor.calls.filter(
      ({ operation, text }) => operation === 'APInvoiceSvc/Update' && text.includes('APInvExpTGLC'),
    );
    expect(coded.some(({ text }) => text.includes(`"SysRevID":${REVISION}`))).toBe(true);
    expect(epicor.calls.some(({ text }) => text.includes('9007199254740992'))).toBe(false);
  });
});
