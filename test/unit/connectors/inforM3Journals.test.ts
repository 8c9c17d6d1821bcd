import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection } from '../../../src/connectors/contract.js';
import {
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  PermissionError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { connect, FakeM3, failureOf, journal, line, Refused, type Trouble } from './inforM3Fake.js';

/**
 * Journals through GLS840MI, which shows nothing of a batch. What would be caught: a second voucher after a crash, or a
 * voucher that mixes the lines of two documents because a half-written batch was taken for ours.
 */

let m3: FakeM3;
let ledger: LedgerConnection;
const REFERENCE = journal().reference;

beforeEach(async () => {
  m3 = new FakeM3();
  await m3.start();
  ledger = connect(m3).connection;
});
afterEach(async () => {
  await ledger.disconnect();
  await m3.close();
});

/** What a person, or a job that was waiting, can still make of a batch. */
async function update(key: string): Promise<boolean> {
  const before = m3.vouchers.length;
  m3.defersUpdates = true;
  m3.queue(key);
  m3.runUpdates();
  return m3.vouchers.length > before;
}

/** Vouchers in the books, each as its lines' accounts and amounts. */
function vouchers(): string[][] {
  const numbers = [...new Set(m3.vouchers.map((one) => one.VONO))];
  return numbers.map((number) =>
    m3.vouchers
      .filter((one) => one.VONO === number)
      .map((one) => `${one.AIT1} ${one.CUAM}`)
      .sort(),
  );
}

const NEXT = expect.stringMatching(/^BRX7X[A-Z0-9]{10}$/);
const WHOLE = ['45800 -120.50', '62510 100.00', '62520 20.50'];

describe('a journal', () => {
  it('becomes one balanced voucher that is found by its reference and read back', async () => {
    const { ledgerDocumentId, warnings } = await ledger.submit(journal());
    expect(warnings).toEqual([]);
    expect(vouchers()).toEqual([WHOLE]);
    expect([...m3.batches.keys()]).toEqual([REFERENCE]);
    expect(m3.vouchers[0]).toMatchObject({
      AIT2: 'SALES',
      ACDT: '20261119',
      CUCD: 'USD',
      VTXT: `${REFERENCE} Hotel + café, J&D`,
    });
    const expected = {
      reference: REFERENCE,
      ledgerDocumentId,
      currency: 'USD',
      totalDebit: '120.50',
      totalCredit: '120.50',
      lineCount: 3,
      isPosted: true,
    };
    expect(await ledger.findByReference([journal(), journal({ reference: 'OTHERREFERENCE1' })])).toEqual([expected]);
    expect(await ledger.readBack(ledgerDocumentId, journal())).toEqual(expected);
    expect(await ledger.readBack('2026/410/99', journal())).toBeNull();
  });

  it('that is in the books already is not sent again', async () => {
    const { ledgerDocumentId } = await ledger.submit(journal());
    expect(await ledger.submit(journal())).toMatchObject({ ledgerDocumentId });
    expect(m3.count('GLS840MI.AddBatchHead')).toBe(1);
  });

  it('is waited for where M3 updates later than it answers', async () => {
    m3.hooks.set('GLS840MI.UpdBatch', () => {
      m3.updateDelayCalls = 3;
    });
    await ledger.submit(journal());
    expect(m3.count('GLS200MI.LstVouchersByDt')).toBe(5);
  });

  it('whose voucher does not appear in time is in doubt', async () => {
    const quick = connect(m3, { watchSeconds: 0 }).connection;
    m3.hooks.set('GLS840MI.UpdBatch', () => {
      m3.updateDelayCalls = 100;
    });
    expect(await failureOf(quick.submit(journal()))).toMatchObject({ code: 'NOT_SEEN_IN_TIME', decision: 'PROBE' });
    await quick.disconnect();
  });

  it('is looked for while reads fail after the update, because those say nothing', async () => {
    m3.hooks.set('GLS840MI.UpdBatch', () =>
      m3.trouble('GLS200MI.LstVouchersByDt', '503-gateway', 'html', '500', 'empty'),
    );
    const patient = connect(m3, { watchSeconds: 60 }).connection;
    await patient.submit(journal());
    await patient.disconnect();
    expect(vouchers()).toEqual([WHOLE]);
  });

  it('without an interface is refused before anything is sent', async () => {
    const { connection } = connect(m3, { journalInterface: undefined });
    expect(await failureOf(connection.submit(journal()))).toMatchObject({ code: 'INTERFACE_NOT_SET' });
    expect(m3.calls).toEqual([]);
    await connection.disconnect();
  });

  it('goes out in positions where the interface is set up so', async () => {
    const layout = [
      { field: 'INRI', from: 1, to: 2 },
      { field: 'AIT1', from: 3, to: 12 },
      { field: 'CUAM', from: 13, to: 29, align: 'right' },
      { field: 'VTXT', from: 30, to: 69 },
    ];
    const { connection } = connect(m3, { watchSeconds: 0, gl: { usage: 'position', layout } });
    await failureOf(connection.submit(journal()));
    const [first] = m3.batches.get(REFERENCE)?.lines.values() ?? [];
    expect(first?.PARM).toBe(`I162510                100.00${REFERENCE} Hotel + café, J&D`);
    await connection.disconnect();
  });

  it('tells the side by DBCR where amounts are to go without a sign', async () => {
    const { connection } = connect(m3, { watchSeconds: 0, gl: { sign: 'debit-credit' } });
    await failureOf(connection.submit(journal()));
    const lines = [...(m3.batches.get(REFERENCE)?.lines.values() ?? [])];
    expect(lines.map((one) => `${one.DBCR} ${one.CUAM}`)).toEqual(['D 100.00', 'D 20.50', 'C 120.50']);
    await connection.disconnect();
  });
});

describe('after M3 says no', () => {
  it('its own words say why, without the padding, and a closed period is told apart', async () => {
    m3.hooks.set('GLS840MI.AddBatchLineFld', () => {
      throw new Refused('Accounting identity 62510 is blocked', 'WAI0107', 'AIT1');
    });
    const refused = await failureOf(ledger.submit(journal()));
    expect(refused).toBeInstanceOf(ErpRejectedError);
    expect(refused).toMatchObject({
      message: expect.stringContaining('"Accounting identity 62510 is blocked" (WAI0107, field AIT1)'),
    });
    m3.hooks.clear();
    m3.hooks.set('GLS840MI.UpdBatch', () => {
      throw new Refused('Period 202611 is closed', 'GL00123', 'ACDT');
    });
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(PeriodClosedError);
    expect(m3.vouchers).toEqual([]);
  });

  it('a right that is missing is nobody’s refusal of the document', async () => {
    m3.hooks.set('GLS840MI.AddBatchHead', () => {
      throw new Refused('Not authorized for company 100', 'XAU0008', 'CONO');
    });
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(PermissionError);
  });

  it('the same journal is posted once M3 takes it, in a batch that was never given to UpdBatch', async () => {
    m3.hooks.set('GLS840MI.CtrlBatch', () => {
      throw new Refused('Accounting identity 62520 is blocked', 'WAI0107', 'AIT1');
    });
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(ErpRejectedError);
    m3.hooks.clear();
    await ledger.submit(journal());
    expect(vouchers()).toEqual([WHOLE]);
    expect([...m3.batches.keys()]).toEqual([REFERENCE, NEXT]);
  });

  it('the journal that replaces it gets a batch of its own, and nothing of the old lines', async () => {
    m3.hooks.set('GLS840MI.CtrlBatch', () => {
      throw new Refused('Accounting identity 62510 is blocked', 'WAI0107', 'AIT1');
    });
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(ErpRejectedError);
    m3.hooks.clear();
    const fixed = journal({
      lines: [
        line(1, '69999', '100.00', '0.00'),
        line(2, '62520', '20.50', '0.00'),
        line(3, '45800', '0.00', '120.50'),
      ],
    });
    await ledger.submit(fixed);
    expect(vouchers()).toEqual([['45800 -120.50', '62520 20.50', '69999 100.00']]);
    expect([...m3.batches.keys()]).toEqual([REFERENCE, NEXT]);
    // Known as another's by its lines alone: it is not even controlled again.
    expect(m3.count('GLS840MI.CtrlBatch')).toBe(2);
    // Nobody can post the old batch any more, not even by hand: it does not balance.
    expect(await update(REFERENCE)).toBe(false);
  });

  it('lines of an older coding that a crash left are not taken for ours, though every amount is the same', async () => {
    let lines = 0;
    m3.hooks.set('GLS840MI.AddBatchLineFld', () => {
      lines += 1;
      if (lines === 2) m3.trouble('GLS840MI.AddBatchLineFld', 'lose-before');
    });
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(OutcomeUnknownError);
    m3.hooks.clear();
    const recoded = journal({ lines: journal().lines.map((one) => ({ ...one, costCentre: 'PLANT' })) });
    await ledger.submit(recoded);
    expect(vouchers()).toEqual([WHOLE]);
    expect(m3.vouchers.map((one) => one.AIT2)).toEqual(['PLANT', 'PLANT', 'PLANT']);
  });

  it('a single line of another content left in the batch leads to a batch of its own, too', async () => {
    m3.trouble('GLS840MI.AddBatchLineFld', 'lose-after');
    const other = journal({ lines: [line(1, '69999', '120.50', '0.00'), line(2, '45800', '0.00', '120.50')] });
    expect(await failureOf(ledger.submit(other))).toBeInstanceOf(OutcomeUnknownError);
    await ledger.submit(journal());
    expect(vouchers()).toEqual([WHOLE]);
    expect(m3.batches.size).toBe(2);
  });
});

const WRITES = ['AddBatchHead', 'AddBatchLineFld', 'CtrlBatch', 'UpdBatch'] as const;
const UNCLEAR: Trouble[] = ['lose-before', 'lose-after', 'html', 'html-after', 'empty', '500', '401-m3', 'redirect'];

describe('a reply to a write that is lost or cannot be understood', () => {
  it.each(WRITES.flatMap((write) => UNCLEAR.map((trouble) => [write, trouble] as const)))(
    '%s, %s: in doubt, sent once, and the next attempt makes one voucher',
    async (write, trouble) => {
      const operation = `GLS840MI.${write}`;
      m3.trouble(operation, trouble);
      const error = await failureOf(ledger.submit(journal()));
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(m3.count(operation)).toBe(1);
      const found = await ledger.findByReference([journal()]);
      const isPosted = write === 'UpdBatch' && trouble.endsWith('after');
      expect(found.length).toBe(isPosted ? 1 : 0);
      if (isPosted) return;
      await ledger.submit(journal());
      expect(vouchers()).toEqual([WHOLE]);
      // With all its lines it may have been given to UpdBatch before; half-written it is gone on with.
      const isWhole = write === 'CtrlBatch' || write === 'UpdBatch';
      expect([...m3.batches.keys()]).toEqual(isWhole ? [REFERENCE, NEXT] : [REFERENCE]);
      if (isWhole) expect(await update(REFERENCE)).toBe(false);
    },
  );

  // The batch is ours at every point a crash can leave it at; only then may it be gone on with.
  it.each([1, 2, 3, 4, 5, 6])(
    'a crash after call %i of a journal leaves what the next attempt finishes',
    async (calls) => {
      const writes = ['AddBatchHead', ...Array<string>(3).fill('AddBatchLineFld'), 'CtrlBatch', 'UpdBatch'];
      const operation = `GLS840MI.${writes[calls - 1] ?? 'UpdBatch'}`;
      const before = writes.slice(0, calls - 1).filter((one) => `GLS840MI.${one}` === operation).length;
      let seen = 0;
      m3.hooks.set(operation, () => {
        seen += 1;
        if (seen === before) m3.trouble(operation, 'lose-after');
      });
      if (before === 0) m3.trouble(operation, 'lose-after');
      expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(OutcomeUnknownError);
      m3.hooks.clear();
      const again = connect(m3).connection;
      if ((await again.findByReference([journal()])).length === 0) await again.submit(journal());
      expect(vouchers()).toEqual([WHOLE]);
      expect([...m3.batches.keys()]).toEqual(calls === 4 || calls === 5 ? [REFERENCE, NEXT] : [REFERENCE]);
      await again.disconnect();
    },
  );
});

describe('what proves that a write did not run', () => {
  it.each([
    ['429', 7000],
    ['503-gateway', null],
  ] as const)('a gateway that answers %s did not pass it on', async (trouble, wait) => {
    m3.trouble('GLS840MI.UpdBatch', trouble);
    const error = await failureOf(ledger.submit(journal()));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ retryAfterMs: wait });
    await ledger.submit(journal());
    expect(vouchers()).toEqual([WHOLE]);
  });

  it('a token that had ended is renewed, and the write sent once more', async () => {
    m3.trouble('GLS840MI.UpdBatch', '401');
    await ledger.submit(journal());
    expect(vouchers()).toEqual([WHOLE]);
    expect(m3.tokenForms.length).toBe(2);
  });
});

describe('where nothing may be taken for granted', () => {
  it('an M3 that takes a line number twice gets a new batch instead of a doubled voucher', async () => {
    m3.refusesDuplicateLines = false;
    m3.trouble('GLS840MI.UpdBatch', 'lose-before');
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(OutcomeUnknownError);
    await ledger.submit(journal());
    expect(vouchers()).toEqual([WHOLE]);
    expect([...m3.batches.keys()]).toEqual([REFERENCE, NEXT]);
  });

  // The engine takes a document for absent once its settling time is over; a queue in M3 that hangs knows nothing of it.
  it('an update that hangs for hours cannot post beside the batch that took its place', async () => {
    const quick = connect(m3, { watchSeconds: 0 }).connection;
    m3.defersUpdates = true;
    expect(await failureOf(quick.submit(journal()))).toMatchObject({ code: 'NOT_SEEN_IN_TIME' });
    m3.defersUpdates = false;
    await quick.submit(journal());
    expect(m3.runUpdates()).toBe(0);
    expect(vouchers()).toEqual([WHOLE]);
    await quick.disconnect();
  });

  // Two lines that cancel each other out are the usual journal: probing with both would leave the batch balanced.
  it('not even of a journal of two lines, on an M3 that takes a line number twice', async () => {
    const two = journal({ lines: [line(1, '62510', '120.50', '0.00'), line(2, '45800', '0.00', '120.50')] });
    m3.refusesDuplicateLines = false;
    m3.defersUpdates = true;
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const quick = connect(m3, { watchSeconds: 0 }).connection;
      expect(await failureOf(quick.submit(two))).toMatchObject({ code: 'NOT_SEEN_IN_TIME' });
      await quick.disconnect();
    }
    m3.defersUpdates = false;
    expect(m3.runUpdates()).toBe(1);
    expect(vouchers()).toEqual([['45800 -120.50', '62510 120.50']]);
  });

  it('an update that happens while its batch is being given up is found before the next batch is begun', async () => {
    const quick = connect(m3, { watchSeconds: 0 }).connection;
    m3.defersUpdates = true;
    expect(await failureOf(quick.submit(journal()))).toMatchObject({ code: 'NOT_SEEN_IN_TIME' });
    m3.hooks.set('GLS840MI.AddBatchHead', () => m3.runUpdates());
    await quick.submit(journal());
    expect(vouchers()).toEqual([WHOLE]);
    await quick.disconnect();
  });

  it('a batch that M3 calls updated, with no voucher in sight, stays in doubt', async () => {
    m3.trouble('GLS840MI.UpdBatch', 'lose-after');
    expect(await failureOf(ledger.submit(journal()))).toBeInstanceOf(OutcomeUnknownError);
    m3.vouchers.length = 0;
    expect(await failureOf(ledger.submit(journal()))).toMatchObject({ code: 'ALREADY_THERE' });
    expect(m3.count('GLS840MI.UpdBatch')).toBe(1);
  });

  it('a voucher with our reference and another total is no confirmation', async () => {
    await ledger.submit(journal());
    const other = journal({ total: '1.00', lines: [line(1, '1', '1.00', '0.00'), line(2, '2', '0.00', '1.00')] });
    expect(await failureOf(ledger.submit(other))).toMatchObject({ code: 'CREATED_NOT_CONFIRMED' });
    expect(vouchers()).toEqual([WHOLE]);
  });

  it('lines that M3 adds to the voucher itself do not change what is read back', async () => {
    const { ledgerDocumentId } = await ledger.submit(journal());
    m3.vouchers.push({ ...m3.vouchers[0], AIT1: '99999', CUAM: '0.01', VTXT: 'Rounding' });
    expect(await ledger.readBack(ledgerDocumentId, journal())).toMatchObject({ totalDebit: '120.50', lineCount: 3 });
  });
});

describe('a voucher that names no currency', () => {
  it('is read in the decimals of the currency that the settings name', async () => {
    const dinars = connect(m3, { localCurrency: 'KWD' }).connection;
    for (const [AIT1, CUAM] of [
      ['62510', '12.345'],
      ['45800', '-12.345'],
    ] as const) {
      const voucher = { YEA4: '2026', VSER: '410', VONO: '10000009', ACDT: '20261119', CUCD: '', VTXT: REFERENCE };
      m3.vouchers.push({ ...voucher, AIT1, CUAM, ACAM: CUAM });
    }
    expect(await dinars.findByReference([journal()])).toMatchObject([
      { currency: null, totalDebit: '12.345', totalCredit: '12.345', lineCount: 2 },
    ]);
    await dinars.disconnect();
  });
});

describe('a day of vouchers that may have been cut off', () => {
  const fill = (count: number) => {
    for (let number = 0; number < count; number += 1) {
      m3.vouchers.push({ YEA4: '2026', VSER: '1', VONO: String(number + 1), ACDT: '20261119', VTXT: 'x', CUCD: 'USD' });
    }
  };

  it('at the cap proves no absence', async () => {
    fill(1000);
    expect(await failureOf(ledger.findByReference([journal()]))).toMatchObject({ code: 'LIST_TRUNCATED' });
  });

  it('at 100 rows of a server that does not look at maxrecs proves none either, and nothing is sent', async () => {
    fill(150);
    m3.ignoresMaxrecs = true;
    expect(await failureOf(ledger.findByReference([journal()]))).toMatchObject({ code: 'LIST_TRUNCATED' });
    const error = await failureOf(ledger.submit(journal()));
    expect(error).toBeInstanceOf(UpstreamUnavailableError);
    expect(error).toMatchObject({ code: 'LIST_TRUNCATED', userMessage: expect.stringContaining('Nothing was sent') });
    expect(m3.batches.size).toBe(0);
  });

  it('of exactly 100 rows is whole where maxrecs counts', async () => {
    fill(100);
    expect(await ledger.findByReference([journal()])).toEqual([]);
  });

  it('still shows what is in the part that came', async () => {
    await ledger.submit(journal());
    fill(1200);
    expect(await ledger.findByReference([journal()])).toMatchObject([{ reference: REFERENCE }]);
  });

  it('that lists vouchers without texts is opened voucher by voucher', async () => {
    await ledger.submit(journal());
    const heads = m3.vouchers.map(({ VTXT: _text, ...head }) => head);
    const lines = [...m3.vouchers];
    m3.hooks.set('GLS200MI.LstVouchersByDt', () => m3.vouchers.splice(0, Number.POSITIVE_INFINITY, ...heads));
    m3.hooks.set('GLS200MI.LstVoucherLines', () => m3.vouchers.splice(0, Number.POSITIVE_INFINITY, ...lines));
    expect(await ledger.findByReference([journal()])).toMatchObject([{ reference: REFERENCE, totalDebit: '120.50' }]);
  });
});
