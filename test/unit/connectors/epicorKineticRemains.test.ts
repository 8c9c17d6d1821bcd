import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clearance, LedgerConnection, LedgerDocument } from '../../../src/connectors/contract.js';
import { ErpRejectedError, OutcomeUnknownError } from '../../../src/errors.js';
import { connectTo, failureOf, invoice, journal } from './epicorKineticHelpers.js';
import { type Reply, type ScriptedEpicor, scriptedEpicor } from './epicorKineticServer.js';

/**
 * Clearing away what attempts left in Kinetic. What would be caught: a posted or a whole document that is taken away, somebody
 * else's work that goes with ours, and a group that nobody removes.
 */

let epicor: ScriptedEpicor;
const open: LedgerConnection[] = [];

function connect(settings: Record<string, unknown> = { autoPost: true }): LedgerConnection {
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

const page: Reply = { status: 200, text: '<html>Please sign in</html>', headers: { 'content-type': 'text/html' } };

async function clear(document: LedgerDocument, settings?: Record<string, unknown>): Promise<Clearance> {
  const { abandon } = connect(settings);
  if (!abandon) throw new Error('Nothing is cleared away.');
  return connect(settings).abandon?.(document, 'GIVEN_UP') ?? { kind: 'NOTHING' };
}

/** The answer to this call is lost, so that what was entered before it stays. */
async function leave(document: LedgerDocument, operation: string): Promise<void> {
  epicor.answer = (call) => (call.operation === operation ? page : undefined);
  expect(await failureOf(connect().submit(document))).toBeInstanceOf(OutcomeUnknownError);
  epicor.answer = () => undefined;
}

describe('what an attempt left', () => {
  it('of an invoice is removed with its group', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    expect(epicor.invoices.size).toBe(1);
    expect(await clear(invoice())).toEqual({
      kind: 'REMOVED',
      what: expect.stringMatching(/^the unposted invoice \w+ in group \w+, the empty group \w+$/),
    });
    expect([epicor.invoices.size, epicor.apGroups.size]).toEqual([0, 0]);
    expect(await clear(invoice())).toEqual({ kind: 'NOTHING' });
  });

  it('of an invoice that was planned again without its supplier is removed as well', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    expect(await clear(invoice({ supplierCode: null }))).toMatchObject({ kind: 'REMOVED' });
    expect(epicor.invoices.size).toBe(0);
  });

  it('of a journal is removed with its group', async () => {
    await leave(journal, 'GLJournalEntrySvc/GetNewGLJrnDtlMnl');
    expect(epicor.drafts).toHaveLength(1);
    expect(await clear(journal)).toMatchObject({
      kind: 'REMOVED',
      what: expect.stringContaining('the unposted journal'),
    });
    expect(epicor.drafts).toEqual([]);
    expect(await clear(journal)).toEqual({ kind: 'NOTHING' });
  });

  it('in a group that another user has open stays, with the user’s name', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    for (const group of epicor.apGroups.values()) group.ActiveUserID = 'mary';
    const failure = await failureOf(clear(invoice()));
    expect(failure).toBeInstanceOf(ErpRejectedError);
    expect((failure as Error).message).toContain('open at the user mary');
    expect(epicor.invoices.size).toBe(1);
  });

  it('in a group that is being posted is not touched', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    for (const group of epicor.apGroups.values()) group.PostInProcess = true;
    expect(await failureOf(clear(invoice()))).toMatchObject({ code: 'STILL_AT_WORK', decision: 'PROBE' });
    expect([epicor.invoices.size, epicor.apGroups.size]).toEqual([1, 1]);
  });

  it('is gone for certain, or in doubt', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    epicor.answer = ({ operation }) => (operation === 'APInvoiceSvc/DeleteByID' ? page : undefined);
    expect(await failureOf(clear(invoice()))).toBeInstanceOf(OutcomeUnknownError);
    epicor.answer = () => undefined;
    await clear(invoice());
    expect(epicor.invoices.size).toBe(0);
  });
});

describe('what is no remnant', () => {
  it('a posted document stays', async () => {
    await connect().submit(invoice());
    await connect().submit(journal);
    expect(await failureOf(clear(invoice()))).toMatchObject({ code: 'STILL_AT_WORK' });
    expect(await clear(journal)).toEqual({ kind: 'NOTHING' });
    expect(epicor.invoices.size).toBe(1);
    expect(epicor.posted.length).toBeGreaterThan(0);
  });

  it.each([
    ['an invoice', () => invoice()],
    ['a journal', () => journal],
  ])('%s that is entered whole for an accountant to post stays', async (_what, document) => {
    const settings = { autoPost: false };
    await connect(settings).submit(document());
    expect(await failureOf(clear(document(), settings))).toMatchObject({ code: 'ALREADY_THERE' });
    expect(epicor.invoices.size + epicor.drafts.length).toBe(1);
  });

  it('other people’s documents stay, in a group of the same ID too', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    const [group = ''] = epicor.apGroups.keys();
    const head = { VendorNum: 204, InvoiceNum: 'THEIRS', GroupID: group, Posted: false };
    epicor.invoices.set('204/THEIRS', { head, lines: [] });
    expect(await clear(invoice())).toMatchObject({ kind: 'REMOVED' });
    expect([...epicor.invoices.keys()]).toEqual(['204/THEIRS']);
    expect([...epicor.apGroups.keys()]).toEqual([group]);
  });

  it('an invoice that a person moved to another group stays', async () => {
    await leave(invoice(), 'APInvoiceSvc/UpdateMaster');
    for (const { head } of epicor.invoices.values()) head.GroupID = 'MYGROUP';
    await clear(invoice());
    expect(epicor.invoices.size).toBe(1);
  });
});
