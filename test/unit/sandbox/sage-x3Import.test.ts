import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSageX3 } from '../../../src/sandbox/sage-x3/index.js';
import { field, HOTEL, importText, PlainClient, start, type TestEntry } from './sage-x3Support.js';

let x3: RunningSageX3;
let client: PlainClient;

beforeEach(async () => {
  x3 = await start();
  client = new PlainClient(x3);
});

afterEach(() => x3.close());

describe('AOWSIMPORT', () => {
  it('writes a journal that can be read back by its reference and in detail', async () => {
    const answer = await client.import(importText(HOTEL));
    expect(answer).toMatchObject({ httpStatus: 200, status: '1' });
    expect(field(answer.resultXml, 'O_STATUS')).toBe('0');
    const found = await client.query('GACCENTRY', { where: `REFINT eq '${HOTEL.reference}'` });
    expect(found.$resources).toMatchObject([
      { TYP: 'BRXJE', FCY: 'NA011', JOU: 'PURCH', ACCDAT: '2026-11-19', CUR: 'USD' },
    ]);
    const details = await client.details('GACCENTRY', `BRXJE~${found.$resources[0]?.NUM}`);
    expect(details.GACCENTRYD).toMatchObject([
      {
        LIN: 1,
        LEDTYP: 1,
        ACC: '62510',
        SNS: 1,
        AMTCUR: 120.5,
        GACCENTRYA: [{ DIE: 'CCT', CCE: 'SALES', AMTCUR: 120.5 }],
      },
      { LIN: 1, LEDTYP: 2, ACC: '62510' },
      { LIN: 2, LEDTYP: 1, ACC: '45800', SNS: -1, AMTCUR: 120.5, GACCENTRYA: [] },
      { LIN: 2, LEDTYP: 2 },
    ]);
    expect(x3.documents(HOTEL.reference)).toMatchObject([
      {
        type: 'JOURNAL',
        posted: true,
        debit: '120.50',
        credit: '120.50',
        lines: [{ costCentre: 'SALES' }, { costCentre: null }],
      },
    ]);
  });

  // A status of 1 only says that the program ran: who looks at it alone takes a refusal for a success.
  it('answers a refused journal with SOAP status 1 and its own O_STATUS', async () => {
    x3.setPeriodOpen('2026-11-19', false);
    const answer = await client.import(importText(HOTEL));
    expect(answer).toMatchObject({ httpStatus: 200, status: '1' });
    expect(field(answer.resultXml, 'O_STATUS')).toBe('1');
    expect(answer.messages.join()).toContain('The period is closed');
    expect(x3.documents()).toEqual([]);
  });

  it('may say that the file was accepted although its journal was refused', async () => {
    x3.changeSettings({ importStatus: 'ALWAYS_ZERO' });
    x3.setPeriodOpen('2026-11-19', false);
    expect(field((await client.import(importText(HOTEL))).resultXml, 'O_STATUS')).toBe('0');
    expect(x3.documents()).toEqual([]);
  });

  it('writes the good journals of a file and refuses the bad ones', async () => {
    const bad: TestEntry = { ...HOTEL, reference: 'BRX-BAD', date: '2026-10-19' };
    const other = { ...HOTEL, reference: 'BRX-OTHER' };
    const answer = await client.import([importText(HOTEL, false), importText(bad, false), importText(other)].join('|'));
    expect(field(answer.resultXml, 'O_STATUS')).toBe('1');
    expect(x3.documents().map((document) => document.reference)).toEqual([HOTEL.reference, 'BRX-OTHER']);
  });

  it('allows the same REFINT twice', async () => {
    await client.import(importText(HOTEL));
    await client.import(importText(HOTEL));
    expect(x3.documents(HOTEL.reference)).toHaveLength(2);
    expect(x3.summary()).toMatchObject({ journals: 2, duplicates: [HOTEL.reference] });
  });

  it('cuts a reference after 25 characters without a word', async () => {
    const reference = 'BRX-0123456789ABCDEFGHIJKLMNOP';
    expect(field((await client.import(importText({ ...HOTEL, reference }))).resultXml, 'O_STATUS')).toBe('0');
    expect(x3.documents(reference)).toEqual([]);
    expect(x3.documents(reference.slice(0, 25))).toHaveLength(1);
  });

  it('answers 97 and 25 when analytical rows carry no amount', async () => {
    const [first, second] = HOTEL.lines;
    if (first === undefined || second === undefined) throw new Error('The journal has two lines.');
    const entry = {
      ...HOTEL,
      lines: [{ ...first, split: [['CCT', 'SALES', ''] satisfies [string, string, string]] }, second],
    };
    const { messages } = await client.import(importText(entry));
    expect(messages.join()).toMatch(/97 .*at least one dimension required.*25 .*distribution unbalanced/);
  });

  it('refuses a journal whose texts hold the separator', async () => {
    const [first, second] = HOTEL.lines;
    if (first === undefined || second === undefined) throw new Error('The journal has two lines.');
    const entry = { ...HOTEL, lines: [{ ...first, text: 'Hotel|Bar' }, second] };
    expect(field((await client.import(importText(entry))).resultXml, 'O_STATUS')).toBe('1');
  });

  it('knows no other template', async () => {
    const answer = await client.import(importText(HOTEL), { I_MODIMP: 'OTHER' });
    expect(answer.status).toBe('1');
    expect(field(answer.resultXml, 'O_STATUS')).toBe('1');
  });

  it('replaces a journal with the same key only where the template has OPTUPD', async () => {
    const manual = { ...HOTEL, type: 'MANUA', number: 'BRX0001' };
    await client.import(importText(manual));
    const again = { ...manual, reference: 'BRX-SECOND' };
    expect((await client.import(importText(again))).messages.join()).toContain('already exists');
    x3.changeSettings({ template: { updateExisting: true } });
    await client.import(importText(again));
    expect(x3.documents().map((document) => document.reference)).toEqual(['BRX-SECOND']);
  });

  it('does a BATCH later', async () => {
    x3.changeSettings({ batchDelayMs: 600_000 });
    const answer = await client.import(importText(HOTEL), { I_EXEC: 'BATCH' });
    const number = field(answer.resultXml, 'O_REQNUM');
    expect(field(answer.resultXml, 'O_STATUS')).toBe('0');
    expect(x3.documents()).toEqual([]);
    const state = async () =>
      field((await client.run('AOWSBATGET', { GRP1: { I_REQNUM: number } })).resultXml, 'O_STATE');
    expect(await state()).toBe('WAITING');
    expect(x3.runBatches()).toBe(1);
    expect(await state()).toBe('DONE');
    expect(x3.documents()).toHaveLength(1);
  });

  it('reads other layouts as the template says', async () => {
    x3.changeSettings({
      template: {
        fieldSeparator: '\t',
        dateFormat: 'DD/MM/YYYY',
        decimalSign: ',',
        header: ['TYP', 'FCY', 'ACCDAT', 'REFINT'],
        line: ['ACC', 'SNS', 'AMTCUR', 'CCE'],
      },
    });
    const file = [
      'G\tBRXJE\tNA011\t19/11/2026\tBRX-1',
      'D\t62510\t1\t10,25\tSALES',
      'D\t45800\t-1\t10,25\t',
      'END',
    ].join('|');
    expect((await client.import(file)).messages).toEqual([]);
    expect(x3.documents('BRX-1')).toMatchObject([
      { debit: '10.25', date: '2026-11-19', lines: [{ costCentre: 'SALES' }, {}] },
    ]);
  });
});

describe('a lost or repeated request', () => {
  it('may leave the journal that was written', async () => {
    x3.faults.set([{ match: 'run AOWSIMPORT', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(client.import(importText(HOTEL))).rejects.toThrow();
    expect(x3.documents()).toHaveLength(1);
  });

  it('may come before the journal, which was admitted with the token of its call', async () => {
    x3.faults.set([{ match: 'run AOWSIMPORT', kind: 'COMMIT_LATE', delayMs: 20, times: 1 }]);
    await expect(client.import(importText(HOTEL))).rejects.toThrow();
    expect(x3.documents()).toEqual([]);
    x3.expireSessions();
    await x3.faults.whenLateCommitsApplied();
    expect(x3.documents()).toHaveLength(1);
  });

  it('may be repeated by a proxy, which only a routine that looks for the reference survives', async () => {
    x3.repeatNextWrites(1);
    await client.import(importText(HOTEL));
    expect(x3.documents(HOTEL.reference)).toHaveLength(2);
  });

  it('may be a login page with status 200', async () => {
    x3.faults.set([{ match: 'run AOWSIMPORT', kind: 'HTML_AFTER_COMMIT', status: 200, times: 1 }]);
    const answer = await client.import(importText(HOTEL));
    expect(answer).toMatchObject({ httpStatus: 200, status: '' });
    expect(answer.body).toContain('<html>');
    expect(x3.documents()).toHaveLength(1);
  });
});
