/**
 * What would be caught here: a label set before the ledger had everything (it can never be taken off), a label taken for
 * set because nobody looked, a lost answer that is repeated blindly, and a mixed outcome under code 200 taken for a
 * success.
 */
import { describe, expect, it } from 'vitest';
import type { ExportReport, ReportsExports } from '../../../src/connectors/contract.js';
import { settingsSchema } from '../../../src/connectors/expensify/config.js';
import { InputError, PermissionError, RateLimitedError } from '../../../src/errors.js';
import { type Asked, answerOf, connectTo, expense, expensifyWith, report } from './expensifyHarness.js';

const LABEL = 'ledgergate';
const done = (externalId: string): ExportReport => ({
  externalId,
  outcome: { kind: 'SUCCESS', ledgerDocumentId: 'J1' },
});

async function marking(reports = [report()], settings: Record<string, unknown> = {}) {
  const expensify = await expensifyWith(reports);
  const { connection, runtime } = connectTo(expensify.url, { markAsExported: true, exportLabel: LABEL, ...settings });
  return { ...expensify, exports: connection.exports as ReportsExports, runtime };
}

const isMark = ({ job }: Asked) => job.onFinish !== undefined;
const isStatus = ({ job }: Asked) => job.inputSettings?.type === 'reportStatus';

describe('marking as exported', () => {
  it('is off unless a label is set, and no job carries a label then', async () => {
    const expensify = await expensifyWith([report()]);
    expect(connectTo(expensify.url).connection.exports).toBeUndefined();
    expect(settingsSchema.safeParse({ setReimbursed: true }).success).toBe(false);
    expect(settingsSchema.safeParse({ skipMarked: true }).success).toBe(false);
  });

  it('sets the label in a job of its own, by ids and states, and looks whether it is there', async () => {
    const { asked, exports, model } = await marking([report(), report({ reportID: 'R00Two' })]);
    const answers = await exports.report([done('R00AbCdEf123'), done('R00Two')]);
    expect(answers).toEqual([
      { externalId: 'R00AbCdEf123', kind: 'REPORTED' },
      { externalId: 'R00Two', kind: 'REPORTED' },
    ]);
    const marks = asked.filter(isMark);
    expect(marks).toHaveLength(1);
    expect(marks[0]?.job).toMatchObject({
      inputSettings: { reportState: 'APPROVED,REIMBURSED', filters: { reportIDList: 'R00AbCdEf123,R00Two' } },
      onFinish: [{ actionName: 'markAsExported', label: LABEL }],
      test: 'false',
    });
    expect(marks[0]?.job.inputSettings).not.toHaveProperty('limit');
    expect(model.marked.get('R00Two')).toEqual(new Set([LABEL]));
    expect(asked.at(-2)?.job.inputSettings?.filters?.markedAsExported).toBe(LABEL);
  });

  it('may be repeated: a report that carries the label is answered for without another job that marks', async () => {
    const { asked, exports } = await marking();
    await exports.report([done('R00AbCdEf123')]);
    expect(await exports.report([done('R00AbCdEf123')])).toMatchObject([{ kind: 'ALREADY_REPORTED' }]);
    expect(asked.filter(isMark)).toHaveLength(1);
  });

  it('a report that Expensify does not show is unknown, and so is what is no id at all', async () => {
    const { asked, exports } = await marking([]);
    const answers = await exports.report([done('R00Gone'), done('R1,R2')]);
    expect(answers.map(({ kind }) => kind)).toEqual(['UNKNOWN_AT_SOURCE', 'UNKNOWN_AT_SOURCE']);
    expect(asked[0]?.job.inputSettings?.filters?.reportIDList).toBe('R00Gone');
    expect(asked.filter(isMark)).toEqual([]);
  });

  it('a report that was taken back, or has an expense that nobody could read, is not marked', async () => {
    const broken = [expense({ transactionID: '1' }), expense({ transactionID: '2', convertedAmount: '?' })];
    const reports = [
      report({ status: 'Open' }),
      report({ reportID: 'R00Two' }, broken),
      report({ reportID: 'R00Three' }),
    ];
    const { exports, model } = await marking(reports);
    const answers = await exports.report([done('R00AbCdEf123'), done('R00Two'), done('R00Three')]);
    expect(answers).toMatchObject([
      { kind: 'NOT_READY', detail: expect.stringContaining('Open') },
      { kind: 'NOT_READY', detail: expect.stringContaining('unreadable') },
      { kind: 'REPORTED' },
    ]);
    expect([...model.marked.keys()]).toEqual(['R00Three']);
  });

  it('a label that is not seen afterwards is not reported', async () => {
    const { exports, model, runtime } = await marking();
    model.override = (asked) => {
      if (!isMark(asked)) return undefined;
      return answerOf(model, { ...asked, job: { ...asked.job, test: 'true' } });
    };
    expect(await exports.report([done('R00AbCdEf123')])).toMatchObject([{ kind: 'NOT_READY' }]);
    expect(runtime.waits.filter((ms) => ms === 10_000).length).toBeGreaterThan(0);
  });

  it('a label that appears late is waited for', async () => {
    const { asked, exports, model } = await marking();
    let looks = 0;
    model.override = (one) => {
      if (isMark(one)) return answerOf(model, { ...one, job: { ...one.job, test: 'true' } });
      const isLook = asked.some(isMark) && one.job.inputSettings?.filters?.markedAsExported === LABEL;
      if (isLook) looks += 1;
      if (looks === 3) model.marked.set('R00AbCdEf123', new Set([LABEL]));
      return undefined;
    };
    expect(await exports.report([done('R00AbCdEf123')])).toMatchObject([{ kind: 'REPORTED' }]);
    expect(asked.filter(isMark)).toHaveLength(1);
  });

  it.each([
    ['before it was done', false],
    ['after it was done', true],
  ])('an answer that is lost %s is followed by a look, never by the same job again', async (_name, isDone) => {
    const { asked, exports, model } = await marking([report()], { markSettleSeconds: 0 });
    model.override = (one) => {
      if (!isMark(one)) return undefined;
      if (isDone) answerOf(model, one);
      return { breaks: true };
    };
    const answers = await exports.report([done('R00AbCdEf123')]);
    expect(answers).toMatchObject([{ kind: isDone ? 'REPORTED' : 'NOT_READY' }]);
    expect(asked.filter(isMark)).toHaveLength(1);
  });

  it('a job whose file never appears is followed by a look', async () => {
    const { asked, exports, model } = await marking([report()], { deadlineSeconds: 30 });
    let marked = '';
    model.override = (one) => {
      if (isMark(one)) {
        const answer = answerOf(model, one);
        marked = String(answer.body).trim();
        return answer;
      }
      return one.job.fileName !== undefined && one.job.fileName === marked ? { body: '' } : undefined;
    };
    expect(await exports.report([done('R00AbCdEf123')])).toMatchObject([{ kind: 'REPORTED' }]);
    expect(asked.filter(isMark)).toHaveLength(1);
  });

  it('a refusal is passed on', async () => {
    const { exports, model } = await marking();
    const refuse = (responseCode: number) => {
      model.override = (one) => (isMark(one) ? { body: { responseCode, responseMessage: 'x' } } : undefined);
      return exports.report([done('R00AbCdEf123')]);
    };
    await expect(refuse(410)).rejects.toThrow(InputError);
    await expect(refuse(403)).rejects.toThrow(PermissionError);
    await expect(refuse(429)).rejects.toThrow(RateLimitedError);
  });

  it('a failure is not told to Expensify, which has no place for it, and nothing is marked', async () => {
    const { asked, exports } = await marking();
    const failure: ExportReport = { externalId: 'R00AbCdEf123', outcome: { kind: 'FAILURE', message: 'given up' } };
    expect(await exports.report([failure])).toMatchObject([{ kind: 'ALREADY_REPORTED' }]);
    expect(asked).toEqual([]);
  });

  it('writes go over connections of their own', async () => {
    const { asked, exports } = await marking();
    await exports.report([done('R00AbCdEf123')]);
    const mark = asked.find(isMark);
    expect(asked.filter(({ port }) => port === mark?.port)).toHaveLength(1);
  });
});

describe('setting reports to reimbursed', () => {
  const settings = { setReimbursed: true, paymentSource: 'Ledger' };

  it('comes before the label, for approved reports only', async () => {
    const { asked, exports, model } = await marking(
      [report(), report({ reportID: 'R00Two', status: 'Reimbursed' })],
      settings,
    );
    model.override = (one) =>
      isStatus(one) ? { body: { reportIDs: ['R00AbCdEf123'], responseCode: 200 } } : undefined;
    const answers = await exports.report([done('R00AbCdEf123'), done('R00Two')]);
    expect(answers.map(({ kind }) => kind)).toEqual(['REPORTED', 'REPORTED']);
    expect(asked.filter(isStatus).map(({ job }) => job.inputSettings)).toEqual([
      {
        type: 'reportStatus',
        status: 'REIMBURSED',
        filters: { reportIDList: 'R00AbCdEf123' },
        paymentSource: 'Ledger',
      },
    ]);
    expect(asked.findIndex(isStatus)).toBeLessThan(asked.findIndex(isMark));
  });

  it('a mixed outcome under code 200 is read report by report', async () => {
    const ids = ['R00Done', 'R00Open', 'R00Already', 'R00Failed', 'R00Silent'];
    const { exports, model } = await marking(
      ids.map((reportID) => report({ reportID })),
      settings,
    );
    model.override = (one) =>
      isStatus(one)
        ? {
            body: {
              responseCode: 200,
              reportIDs: ['R00Done', 'R00Failed'],
              skippedReports: [
                { reportID: 'R00Open', reason: "Report is in status 'Open'" },
                { reportID: 'R00Already', reason: "Report is in status 'Reimbursed'" },
              ],
              failedReports: [{ reportID: 'R00Failed', reason: 'Internal' }],
            },
          }
        : undefined;
    const answers = await exports.report(ids.map(done));
    const kinds = Object.fromEntries(answers.map(({ externalId, kind }) => [externalId, kind]));
    expect(kinds).toEqual({
      R00Done: 'REPORTED',
      R00Open: 'NOT_READY',
      R00Already: 'REPORTED',
      R00Failed: 'NOT_READY',
      R00Silent: 'NOT_READY',
    });
    expect([...model.marked.keys()].sort()).toEqual(['R00Already', 'R00Done']);
  });

  it('an unclear answer marks nothing; the next call sees what became of it', async () => {
    const { asked, exports, model } = await marking([report()], settings);
    model.override = (one) => (isStatus(one) ? { breaks: true } : undefined);
    expect(await exports.report([done('R00AbCdEf123')])).toMatchObject([{ kind: 'NOT_READY' }]);
    expect(asked.filter(isStatus)).toHaveLength(1);
    expect(asked.filter(isMark)).toEqual([]);
    model.reports[0] = report({ status: 'Reimbursed' });
    expect(await exports.report([done('R00AbCdEf123')])).toMatchObject([{ kind: 'REPORTED' }]);
    expect(asked.filter(isStatus)).toHaveLength(1);
  });
});
