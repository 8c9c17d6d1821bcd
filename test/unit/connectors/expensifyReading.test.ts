/**
 * What would be caught here: a file that was cut off and taken for the whole, a template that ran twice and counted
 * twice, a job that dropped reports beyond its limit, days lost at the bounds of a window, and an expense that left the
 * page because it could not be read.
 */
import { describe, expect, it } from 'vitest';
import { parseExportFile } from '../../../src/connectors/expensify/exportFile.js';
import { InputError } from '../../../src/errors.js';
import {
  connectTo,
  expense,
  expensifyWith,
  type FakeReport,
  fileJobs,
  idsIn,
  printed,
  RECENT,
  readAll,
  report,
  TWO,
} from './expensifyHarness.js';

function reportsOn(days: readonly string[]): FakeReport[] {
  return days.map((approved, index) =>
    report({ reportID: `R00${index}`, approved }, [expense({ transactionID: String(1000 + index) })]),
  );
}

describe('a file', () => {
  const whole = printed(TWO);

  it('is read with every expense under its report', () => {
    const parsed = parseExportFile(whole);
    expect(parsed.isWhole && parsed.file.reports.map(({ lines }) => lines.length)).toEqual([1, 2]);
  });

  it('cut off anywhere is never taken for whole', () => {
    const bytes = Buffer.from(whole);
    for (let length = 0; length < bytes.length - 1; length += 1) {
      const parsed = parseExportFile(bytes.subarray(0, length).toString('utf8'));
      expect(parsed.isWhole, `cut at ${length}`).toBe(false);
    }
  });

  it('without one of its lines in the middle is never taken for whole', () => {
    const lines = whole.trimEnd().split('\n');
    for (let gone = 0; gone < lines.length; gone += 1) {
      const text = lines.filter((_, index) => index !== gone).join('\n');
      expect(parseExportFile(text).isWhole, `without line ${gone}`).toBe(false);
    }
  });

  it('without a whole report, or with its first half before it, is never taken for whole', () => {
    const lines = whole.trimEnd().split('\n');
    expect(parseExportFile([lines[0], ...lines.slice(3)].join('\n')).isWhole).toBe(false);
    expect(parseExportFile([...lines.slice(0, 3), ...lines].join('\n')).isWhole).toBe(false);
  });

  it('of a template that ran twice counts every expense once', () => {
    const parsed = parseExportFile(`${whole}\n\n${whole}`);
    expect(parsed.isWhole && parsed.file.evaluations).toBe(2);
    expect(parsed.isWhole && parsed.file.reports.map(({ lines }) => lines.length)).toEqual([1, 2]);
  });

  it('of a template that ran once a report gives all reports', () => {
    const parsed = parseExportFile(TWO.map((one) => printed([one])).join(''));
    expect(parsed.isWhole && parsed.file.reports.map(({ report: { reportID } }) => reportID)).toEqual([
      'R00AbCdEf123',
      'R00Two',
    ]);
  });

  it('that ran twice and was cut in the second run is not whole', () => {
    expect(parseExportFile(whole + whole.slice(0, whole.length / 2)).isWhole).toBe(false);
  });

  it('with Windows line ends, a byte order mark or blank lines is read', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = ({ job }) =>
      job.type === 'download' ? { body: `\uFEFF${whole.replaceAll('\n', '\r\n\r\n')}` } : undefined;
    const pages = await readAll(connectTo(expensify.url).connection, RECENT);
    expect(idsIn(pages)).toEqual(['1', '2', '4056343049275634494']);
  });
});

describe('a page', () => {
  it('reports an expense that cannot be understood and reads the rest', async () => {
    const lines = [
      '{"k":"line","transactionID":"7","comment":"un"escaped"}',
      expense({ transactionID: '8', convertedAmount: 'twelve' }),
      expense({ transactionID: '9,1' }),
      expense({ transactionID: '10' }),
    ];
    const expensify = await expensifyWith([report({}, lines)]);
    const page = await connectTo(expensify.url).connection.readPage('EXPENSE_REPORTS', RECENT, null);
    expect(page.objects.map(({ externalId }) => externalId)).toEqual(['10']);
    expect(page.unreadable.map(({ externalId }) => externalId)).toEqual([null, '8', null]);
    expect(page.unreadable.map(({ reason }) => reason).join()).toMatch(/not JSON.*twelve.*not the id/);
    expect(page.unreadable[1]?.raw).toMatchObject({ expense: { convertedAmount: 'twelve' } });
  });

  it('shows an expense that came in two forms as unreadable, once', async () => {
    const twice = [expense({ transactionID: '5' }), expense({ transactionID: '5', convertedAmount: '1' })];
    const expensify = await expensifyWith([report({}, twice)]);
    const page = await connectTo(expensify.url).connection.readPage('EXPENSE_REPORTS', RECENT, null);
    expect(page.objects).toEqual([]);
    expect(page.unreadable).toMatchObject([{ externalId: '5', reason: expect.stringMatching(/two forms/) }]);
  });

  it('of an empty window is empty', async () => {
    const expensify = await expensifyWith([]);
    expect(await readAll(connectTo(expensify.url).connection, RECENT)).toEqual([
      { objects: [], unreadable: [], nextCursor: null },
    ]);
  });

  it('takes GL codes from the policy once, for all pages', async () => {
    const uncoded = reportsOn(['2026-10-01', '2026-11-01']).map(({ fields }, index) => ({
      fields,
      lines: [expense({ transactionID: String(index), categoryGlCode: '' })],
    }));
    const expensify = await expensifyWith(uncoded);
    const pages = await readAll(connectTo(expensify.url, { lookbackDays: 60 }).connection);
    const accounts = pages.flatMap(({ objects }) => objects.map(({ parts }) => parts[0]?.glAccount));
    expect(accounts).toEqual(['6200', '6200']);
    const asked = expensify.asked.filter(({ job }) => job.inputSettings?.type === 'policy');
    expect(asked).toHaveLength(1);
    // A list here, and text with commas in an export.
    expect(asked[0]?.job.inputSettings?.policyIDList).toEqual(['0123456789ABCDEF']);
  });

  it('leaves the account open where Expensify does not know the policy', async () => {
    const expensify = await expensifyWith([report({}, [expense({ categoryGlCode: '' })])]);
    expensify.model.override = ({ job }) =>
      job.inputSettings?.type === 'policy'
        ? { body: { responseCode: 404, responseMessage: 'Policy not found' } }
        : undefined;
    const page = await connectTo(expensify.url).connection.readPage('EXPENSE_REPORTS', RECENT, null);
    expect(page.objects.map(({ parts }) => parts[0]?.glAccount)).toEqual([null]);
  });

  it('holds up only the expenses that need a policy which may not be read', async () => {
    const lines = [expense({ transactionID: '1' }), expense({ transactionID: '2', categoryGlCode: '' })];
    const expensify = await expensifyWith([report({}, lines)]);
    expensify.model.override = ({ job }) =>
      job.inputSettings?.type === 'policy' ? { body: { responseCode: 403, responseMessage: 'No' } } : undefined;
    const page = await connectTo(expensify.url).connection.readPage('EXPENSE_REPORTS', RECENT, null);
    expect(page.objects.map(({ externalId }) => externalId)).toEqual(['1']);
    expect(page.unreadable).toMatchObject([{ externalId: '2', reason: expect.stringMatching(/GL codes/) }]);
  });

  it('with reports of a workspace that was filtered out posts nothing of them', async () => {
    const expensify = await expensifyWith([report({ policyID: 'PRODUCTION' })]);
    const { connection } = connectTo(expensify.url, { policyIDs: ['0123456789ABCDEF', 'FEDCBA'] });
    const page = await connection.readPage('EXPENSE_REPORTS', RECENT, null);
    expect(page.objects).toEqual([]);
    expect(page.unreadable).toHaveLength(1);
    expect(fileJobs(expensify.asked)[0]?.inputSettings?.filters?.policyIDList).toBe('0123456789ABCDEF,FEDCBA');
  });

  it('of another stream does not exist', async () => {
    const { connection } = connectTo((await expensifyWith([])).url);
    await expect(connection.readPage('EXPENSES', RECENT, null)).rejects.toThrow(InputError);
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, 'nonsense')).rejects.toThrow(InputError);
  });
});

describe('a window', () => {
  it('is asked for by approval date, with states beside the filters and the limit as text', async () => {
    const expensify = await expensifyWith(TWO);
    await readAll(connectTo(expensify.url, { overlapDays: 2 }).connection, RECENT);
    expect(fileJobs(expensify.asked)).toMatchObject([
      {
        onReceive: { immediateResponse: ['returnRandomFileName'] },
        inputSettings: {
          type: 'combinedReportData',
          reportState: 'APPROVED,REIMBURSED',
          limit: '200',
          // Two days of overlap, and the day before because the bound may be exclusive. It reaches today, so it is open.
          filters: { approvedAfter: '2026-11-15' },
        },
        test: 'false',
      },
    ]);
    expect(fileJobs(expensify.asked)[0]?.inputSettings?.filters).not.toHaveProperty('endDate');
    expect(fileJobs(expensify.asked)[0]).not.toHaveProperty('onFinish');
  });

  it('begins on the company’s day', async () => {
    const expensify = await expensifyWith([]);
    const window = { since: new Date('2026-11-19T03:00:00Z'), until: null };
    await readAll(connectTo(expensify.url, { overlapDays: 1, timeZone: 'America/Los_Angeles' }).connection, window);
    expect(fileJobs(expensify.asked)[0]?.inputSettings?.filters?.approvedAfter).toBe('2026-11-16');
  });

  it('of more than a year is read in slices that each have an end, none over a year, without a gap', async () => {
    const expensify = await expensifyWith(reportsOn(['2025-06-01', '2025-12-31', '2026-11-20']));
    const { connection } = connectTo(expensify.url, { lookbackDays: 600, sliceDays: 90 });
    expect(idsIn(await readAll(connection))).toEqual(['1000', '1001', '1002']);
    const filters = fileJobs(expensify.asked).map(({ inputSettings }) => inputSettings?.filters ?? {});
    for (const [index, { approvedAfter = '', endDate }] of filters.entries()) {
      const next = filters[index + 1];
      if (!next) {
        expect(endDate).toBeUndefined();
        expect(Date.parse('2026-11-20') - Date.parse(approvedAfter)).toBeLessThan(91 * 86_400_000);
      } else {
        // The next slice begins the day after; its filter names the day before that.
        expect(next.approvedAfter).toBe(endDate);
        expect(Date.parse(endDate ?? '') - Date.parse(approvedAfter)).toBeLessThanOrEqual(90 * 86_400_000);
      }
    }
  });

  it('finds a report on every single day of the window whatever the bounds of the filter mean', async () => {
    const days = Array.from({ length: 40 }, (_, index) =>
      new Date(Date.parse('2026-10-12') + index * 86_400_000).toISOString().slice(0, 10),
    );
    const expensify = await expensifyWith(reportsOn(days));
    const window = { since: new Date('2026-10-15T12:00:00Z'), until: null };
    const pages = await readAll(connectTo(expensify.url, { sliceDays: 7 }).connection, window);
    expect(idsIn(pages)).toHaveLength(40);
  });

  it('with an end in the past is bounded by its day', async () => {
    const expensify = await expensifyWith([]);
    const window = { since: new Date('2026-03-10T00:00:00Z'), until: new Date('2026-03-20T00:00:00Z') };
    await readAll(connectTo(expensify.url).connection, window);
    expect(fileJobs(expensify.asked).map(({ inputSettings }) => inputSettings?.filters)).toEqual([
      { approvedAfter: '2026-03-06', endDate: '2026-03-20' },
    ]);
  });

  it('that ends before it begins asks nothing', async () => {
    const expensify = await expensifyWith(TWO);
    const window = { since: new Date('2026-11-20T00:00:00Z'), until: new Date('2026-01-01T00:00:00Z') };
    expect(idsIn(await readAll(connectTo(expensify.url).connection, window))).toEqual([]);
    expect(expensify.asked).toEqual([]);
  });

  it('is cut finer where a job comes back at its limit, down to one day that is read without a limit', async () => {
    const days = ['2026-11-02', '2026-11-03', '2026-11-03', '2026-11-03', '2026-11-03', '2026-11-10', '2026-11-19'];
    const expensify = await expensifyWith(reportsOn(days));
    const { connection } = connectTo(expensify.url, { limit: 3, lookbackDays: 20 });
    expect(idsIn(await readAll(connection))).toHaveLength(days.length);
    const limits = fileJobs(expensify.asked).map(({ inputSettings }) => inputSettings?.limit);
    expect(limits.filter((limit) => limit === undefined).length).toBeGreaterThan(0);
  });

  it('the limit can be sent where another revision of the service wants it', async () => {
    const expensify = await expensifyWith([]);
    await readAll(connectTo(expensify.url, { limitPlacement: 'filters' }).connection, RECENT);
    await readAll(connectTo(expensify.url, { limitPlacement: 'job' }).connection, RECENT);
    expect(fileJobs(expensify.asked)).toMatchObject([
      { inputSettings: { filters: { limit: '200' } } },
      { limit: '200' },
    ]);
  });

  it('leaves marked reports in unless the setting leaves them out', async () => {
    const expensify = await expensifyWith([]);
    await readAll(connectTo(expensify.url, { markAsExported: true, exportLabel: 'gate' }).connection, RECENT);
    await readAll(
      connectTo(expensify.url, { markAsExported: true, exportLabel: 'gate', skipMarked: true }).connection,
      RECENT,
    );
    const labels = fileJobs(expensify.asked).map(({ inputSettings }) => inputSettings?.filters?.markedAsExported);
    expect(labels).toEqual([undefined, 'gate']);
  });
});

describe('single expenses', () => {
  it('are read again through their report, in any state', async () => {
    const expensify = await expensifyWith(TWO);
    const { connection } = connectTo(expensify.url);
    await readAll(connection, RECENT);
    expensify.model.reports[1] = report({ reportID: 'R00Two', status: 'Open', approved: '' }, [
      expense({ transactionID: '2' }),
    ]);
    const before = expensify.asked.length;
    const page = await connection.readObjects('EXPENSE_REPORTS', ['2']);
    expect(page).toMatchObject({ objects: [{ externalId: '2', isFinal: false }], unreadable: [], nextCursor: null });
    const [job] = fileJobs(expensify.asked.slice(before));
    expect(job?.inputSettings?.filters).toEqual({ reportIDList: 'R00Two' });
    expect(job?.inputSettings).not.toHaveProperty('reportState');
  });

  it('are found without knowing their report, and again after they were moved', async () => {
    const expensify = await expensifyWith(TWO);
    const fresh = await connectTo(expensify.url).connection.readObjects('EXPENSE_REPORTS', ['1']);
    expect(fresh.objects.map(({ exportId }) => exportId)).toEqual(['R00Two']);
    const { connection } = connectTo(expensify.url);
    await readAll(connection, RECENT);
    expensify.model.reports[1] = report({ reportID: 'R00Two' }, []);
    expensify.model.reports.push(report({ reportID: 'R00Three' }, [expense({ transactionID: '1' })]));
    const moved = await connection.readObjects('EXPENSE_REPORTS', ['1']);
    expect(moved.objects.map(({ exportId }) => exportId)).toEqual(['R00Three']);
  });

  it('may be named with their report, which spares the search', async () => {
    const expensify = await expensifyWith(TWO);
    const page = await connectTo(expensify.url).connection.readObjects('EXPENSE_REPORTS', ['R00Two/2', 'R00Two/1']);
    expect(page.objects.map(({ externalId }) => externalId)).toEqual(['1', '2']);
    expect(fileJobs(expensify.asked)).toHaveLength(1);
  });

  it('that Expensify does not know are left out, after at most a year was searched in parts', async () => {
    const expensify = await expensifyWith(TWO);
    const page = await connectTo(expensify.url).connection.readObjects('EXPENSE_REPORTS', ['77', 'not an id']);
    expect(page).toEqual({ objects: [], unreadable: [], nextCursor: null });
    const filters = fileJobs(expensify.asked).map(({ inputSettings }) => inputSettings?.filters);
    expect(filters).toEqual([
      { startDate: '2026-08-22' },
      { startDate: '2026-05-24', endDate: '2026-08-22' },
      { startDate: '2026-02-23', endDate: '2026-05-24' },
      { startDate: '2025-11-25', endDate: '2026-02-23' },
      { startDate: '2025-11-15', endDate: '2025-11-25' },
    ]);
    const silent = await expensifyWith(TWO);
    await connectTo(silent.url, { searchDays: 0 }).connection.readObjects('EXPENSE_REPORTS', ['77']);
    expect(silent.asked).toEqual([]);
  });
});
