// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the interpolations are those of the templates under test.
/**
 * The simulated Expensify's exporter over real HTTP. Each of these catches a connector that would pass against a
 * friendlier Expensify: one whose file is there at once, whose labels can be taken back, whose errors have a status.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { account, EUR_POLICY, expense, report, start, USD_POLICY } from './expensifySupport.js';

let running: { close(): Promise<void> } | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function open(...args: Parameters<typeof start>) {
  const started = await start(...args);
  running = started;
  return started;
}

const SINCE = { approvedAfter: '2026-11-01' };

describe('an exporter job', () => {
  it('is answered with a bare file name, and the file holds what the template prints', async () => {
    const { download, exporting } = await open(account([report('R00A')]));
    const submitted = await exporting(SINCE);
    expect(submitted.text).toMatch(/^gateway[0-9a-f-]{36}\.json$/);
    expect(submitted.type).toBe('text/plain;charset=utf-8');
    const [begin, line, end] = (await download(submitted.text)).text.trim().split('\n');
    expect([begin, end]).toEqual(['{"k":"begin"}', '{"k":"end"}']);
    expect(JSON.parse(line ?? '')).toMatchObject({
      ...{ report: 'R00A', status: 'Approved', approved: '2026-11-03 08:00:00', amount: 123_456, gl: '6220' },
      ...{ tag: 'Dayton plant:Line 4 rebuild', tag2: 'Line 4 rebuild' },
    });
  });

  it('prints grouped numbers when the template forgets ?c', async () => {
    const { download, exporting } = await open(account([report('R00A')]));
    const { text } = await exporting(SINCE, {}, '<#list reports as r>${r.total} ${r.total?c}</#list>');
    expect((await download(text)).text).toBe('123,456 123456');
  });

  it('keeps ids of 19 digits as text, or as numbers that print with grouping, as the setting says', async () => {
    const id = '4056343049275634494';
    const reports = [report('R00A', { expenses: [expense({ transactionID: id })] })];
    const { changeSettings, lines } = await open(account(reports));
    expect((await lines(SINCE))[0]?.id).toBe(id);
    changeSettings({ transactionIDAs: 'number' });
    expect((await lines(SINCE))[0]?.id).toBe('4,056,343,049,275,634,494');
  });

  it('is not ready in every form that has been seen before it is', async () => {
    const { download, exporting, requestCounts } = await open(account([report('R00A')]), {
      settings: { rateLimits: null, notReadyDownloads: 5 },
    });
    const { text: fileName } = await exporting(SINCE);
    const answers = [];
    for (let call = 0; call < 6; call += 1) answers.push(await download(fileName));
    expect(answers.map(({ json, status, text }) => [status, json.responseCode ?? text.slice(0, 14)])).toEqual([
      [200, ''],
      [200, 404],
      [404, 'File not found'],
      [200, 'File not found'],
      [200, 500],
      [200, '{"k":"begin"}\n'],
    ]);
    expect(requestCounts()).toEqual({ download: 6, 'file combinedReportData': 1 });
  });

  it('sets its label when it runs, not when it is accepted and not when the file has arrived', async () => {
    let now = new Date('2026-11-10T12:00:00Z');
    const { exporting, markedReports } = await open(account([report('R00A'), report('R00B')]), {
      clock: { now: () => now },
      settings: { rateLimits: null, notReadyDownloads: 0, jobDelayMs: 5_000 },
    });
    const onFinish = [{ actionName: 'markAsExported', label: 'gateway' }];
    await exporting({ reportIDList: 'R00A' }, { onFinish });
    expect(markedReports('gateway')).toEqual([]);
    now = new Date(now.getTime() + 5_000);
    expect(markedReports('gateway')).toEqual(['R00A']);
  });

  it('leaves marked reports out for good, whatever happens to them afterwards', async () => {
    const { approve, exporting, reportIDs, unapprove } = await open(account([report('R00A'), report('R00B')]));
    await exporting({ reportIDList: 'R00A' }, { onFinish: [{ actionName: 'markAsExported', label: 'gateway' }] });
    unapprove('R00A');
    approve('R00A');
    expect(await reportIDs({ ...SINCE, markedAsExported: 'gateway' })).toEqual(['R00B']);
    expect(await reportIDs({ ...SINCE, markedAsExported: 'another' })).toEqual(['R00A', 'R00B']);
  });

  it('marks nothing in a test, and nothing when the template fails', async () => {
    const { exporting, jobs, markedReports } = await open(account([report('R00A')]));
    const onFinish = [{ actionName: 'markAsExported', label: 'gateway' }];
    await exporting(SINCE, { onFinish, test: 'true' });
    await exporting(SINCE, { onFinish }, '<#list reports as r>${r.nothing}</#list>');
    expect(markedReports('gateway')).toEqual([]);
    expect(jobs().map(({ state }) => state)).toEqual(['DONE', 'FAILED']);
    await exporting(SINCE, { onFinish, test: 'false' });
    expect(markedReports('gateway')).toEqual(['R00A']);
  });

  it('with a failing template never becomes ready, or says 500, as the setting says', async () => {
    const { changeSettings, download, exporting, jobs } = await open(account([report('R00A')]), {
      settings: { rateLimits: null, notReady: 'empty' },
    });
    const { text } = await exporting(SINCE, {}, '<#if reports');
    for (let call = 0; call < 4; call += 1) expect((await download(text)).text).toBe('');
    changeSettings({ failedJob: 'envelope500' });
    expect((await download(text)).json).toMatchObject({ responseCode: 500 });
    expect(jobs()[0]?.error).toMatch(/not closed/);
  });

  it('refuses what the FreeMarker of the sandbox does not know by name and at once', async () => {
    const { exporting } = await open(account([report('R00A')]));
    const { json } = await exporting(SINCE, {}, '<#include "other.ftl">');
    expect(json).toMatchObject({ responseCode: 500, responseMessage: expect.stringContaining('<#include>') });
  });

  it('says a limit of the sandbox that only shows when the template runs with the download', async () => {
    const { download, exporting } = await open(account([report('R00A')]));
    const { text } = await exporting(SINCE, {}, '<#list reports as r>${r.total?string("0.0E0")}</#list>');
    const { json } = await download(text);
    expect(json).toMatchObject({
      responseCode: 500,
      responseMessage: expect.stringContaining('number format "0.0E0"'),
    });
  });

  it('loses the end of a file when told so, once', async () => {
    const { download, exporting, truncateNextFiles } = await open(account([report('R00A')]));
    const { text: fileName } = await exporting(SINCE);
    truncateNextFiles(1);
    const cut = await download(fileName);
    expect(cut.text).not.toContain('"end"');
    expect(cut.text.trim().split('\n')).toHaveLength(2);
    truncateNextFiles(1, 'half');
    const half = (await download(fileName)).text;
    const whole = (await download(fileName)).text;
    expect(whole.startsWith(half)).toBe(true);
    expect(whole).toContain('"end"');
  });

  it('may run the template once for every report', async () => {
    const { download, exporting } = await open(account([report('R00A'), report('R00B')]), {
      settings: { rateLimits: null, notReadyDownloads: 0, templateRuns: 'perReport' },
    });
    const { text } = await exporting(SINCE, {}, '<#if addHeader>head;</#if><#list reports as r>${r.reportID};</#list>');
    expect((await download(text)).text).toMatch(/^head;R00.;R00.;$/);
  });

  it('prints no report when none is found', async () => {
    const { lines } = await open(account([]));
    expect(await lines(SINCE)).toEqual([]);
  });
});

describe('filters', () => {
  const reports = [
    report('R00day3'),
    report('R00day4', { approvedAt: '2026-11-04T00:00:00Z', reimbursedAt: '2026-11-05T00:00:00Z' }),
    report('R00open', { submittedAt: null, approvedAt: null }),
    report('R00sent', { approvedAt: null }),
    report('R00shut', { archivedAt: '2026-11-05T00:00:00Z' }),
    report('R00euro', { policyID: EUR_POLICY, expenses: [expense({ currency: 'EUR', tags: ['Berlin'] })] }),
    report('R00soon', { createdAt: '2026-11-20T00:00:00Z', submittedAt: null, approvedAt: null }),
  ];

  it('take approvedAfter without its own day, or with it, as the setting says', async () => {
    const { changeSettings, reportIDs } = await open(account(reports));
    expect(await reportIDs({ approvedAfter: '2026-11-03' })).toEqual(['R00day4']);
    changeSettings({ approvedAfterIncludesDay: true });
    expect(await reportIDs({ approvedAfter: '2026-11-03' })).toEqual(['R00day3', 'R00day4', 'R00euro', 'R00shut']);
  });

  it('take states from inputSettings only, and ignore them in the filters', async () => {
    const { reportIDs } = await open(account(reports));
    const states = { reportState: 'APPROVED,REIMBURSED' };
    expect(await reportIDs(SINCE, { inputSettings: states })).toEqual(['R00day3', 'R00day4', 'R00euro']);
    expect(await reportIDs({ ...SINCE, ...states })).toContain('R00shut');
  });

  it('take ids, policies and the later of creation and submission', async () => {
    const { reportIDs } = await open(account(reports));
    expect(await reportIDs({ reportIDList: 'R00sent, R00open,R00none' })).toEqual(['R00open', 'R00sent']);
    expect(await reportIDs({ ...SINCE, policyIDList: EUR_POLICY })).toEqual(['R00euro']);
    expect(await reportIDs({ startDate: '2026-11-01', endDate: '2026-11-01' })).toEqual(['R00open']);
    expect(await reportIDs({ startDate: '2026-11-02', policyIDList: USD_POLICY })).toHaveLength(4);
  });

  it('limit the number of reports by a text', async () => {
    const { exporting, reportIDs } = await open(account(reports));
    expect(await reportIDs(SINCE, { inputSettings: { limit: '2' } })).toHaveLength(2);
    const refused = await exporting(SINCE, { inputSettings: { limit: 2 } });
    expect(refused.json).toEqual({ responseCode: 410, responseMessage: "Argument 'limit' is missing or malformed" });
  });

  it.each([
    ['no filter that anchors', {}, /At least one of/],
    [
      'a date of another form',
      { approvedAfter: '16-01-01' },
      /Malformed date '16-01-01'. Expected format is yyyy-MM-dd/,
    ],
    ['policies as an array', { ...SINCE, policyIDList: [USD_POLICY] }, /'policyIDList'/],
    [
      'a begin over a year ago without an end',
      { approvedAfter: '2024-01-01' },
      /Required parameter 'endDate' is missing/,
    ],
    ['more than a year', { approvedAfter: '2024-01-01', endDate: '2026-01-01' }, /longer than one year/],
  ])('refuse %s', async (_, filters, message) => {
    const { exporting } = await open(account(reports));
    const { json, status } = await exporting(filters);
    expect([status, json.responseCode]).toEqual([200, 410]);
    expect(json.responseMessage).toMatch(message);
  });

  it.each([
    ['an unknown state', { inputSettings: { reportState: 'APPROVED,PAID' } }],
    ['a test that is no text', { test: true }],
    ['another immediate response', { onReceive: { immediateResponse: ['other'] } }],
    ['an unknown action', { onFinish: [{ actionName: 'unmark' }] }],
    ['a label that is missing', { onFinish: [{ actionName: 'markAsExported' }] }],
    ['an unknown file extension', { outputSettings: { fileExtension: 'docx' } }],
  ])('and settings: refuse %s', async (_, extra) => {
    const { exporting } = await open(account(reports));
    expect((await exporting(SINCE, extra)).json.responseCode).toBe(410);
  });

  it('and templates: refuse an empty one', async () => {
    const { exporting } = await open(account(reports));
    expect((await exporting(SINCE, {}, ' ')).json.responseMessage).toBe('No Template Submitted');
  });
});

describe('the data model', () => {
  it('has fields without a value as empty texts, not at all, or mixed, always the same for a seed', async () => {
    const expenses = Array.from({ length: 40 }, () => expense({ category: 'Gifts' }));
    const template = '<#list reports[0].transactionList as e>${e.categoryGlCode???string("1", "0")}</#list>';
    const { changeSettings, download, exporting } = await open(account([report('R00A', { expenses })]));
    const show = async () => (await download((await exporting(SINCE, {}, template)).text)).text;
    const mixed = await show();
    expect(mixed).toMatch(/^[01]{40}$/);
    expect(mixed).toContain('0');
    expect(mixed).toContain('1');
    expect(await show()).toBe(mixed);
    changeSettings({ blanks: 'missing' });
    expect(await show()).toBe('0'.repeat(40));
    changeSettings({ blanks: 'text' });
    expect(await show()).toBe('1'.repeat(40));
  });

  it('joins tags with a leading colon for an empty parent and escapes colons in names', async () => {
    const { lines } = await open(
      account([report('R00A', { expenses: [expense({ tags: ['', 'Trade fair: Houston'] }), expense({ tags: [] })] })]),
    );
    const [first, second] = await lines(SINCE);
    expect([first?.tag, first?.tag2]).toEqual([':Trade fair\\: Houston', 'Trade fair: Houston']);
    expect(second?.tag).toBe('');
  });

  it('converts foreign amounts into cents of the report, and leaves the unconverted ones blank', async () => {
    const foreign = { currency: 'GBP', amount: 10_000, conversionRate: '1.27' };
    const expenses = [expense({ ...foreign, convertedAmount: 12_700 }), expense(foreign), expense({ amount: -2_500 })];
    const {
      lines,
      report: view,
      summary,
    } = await open(account([report('R00A', { expenses })]), {
      settings: { rateLimits: null, notReadyDownloads: 0, sameCurrencyConverted: 'filled' },
    });
    expect((await lines(SINCE)).map(({ amount, converted }) => [amount, converted])).toEqual([
      [10_000, 12_700],
      [10_000, null],
      [-2_500, -2_500],
    ]);
    expect(view('R00A').total).toBe('102.00');
    expect(summary().all).toEqual({ reports: 1, expenses: 3, unconverted: 1, totals: { USD: '102.00' } });
  });

  it('carries comments that no naive template survives', async () => {
    const comment = 'He said "no"\nand left </script> 😀 \\';
    const { lines } = await open(account([report('R00A', { expenses: [expense({ comment })] })]));
    expect((await lines(SINCE))[0]?.comment).toBe(comment);
  });

  it('has amounts as texts and dates as dates when the settings say so', async () => {
    const { changeSettings, download, exporting } = await open(account([report('R00A')]));
    const template =
      '<#list reports as r>${r.total?is_string?c} ${r.approved?is_date?c} ${r.approved?string("yyyy-MM-dd")}</#list>';
    changeSettings({ amountsAs: 'text', datesAs: 'date' });
    expect((await download((await exporting(SINCE, {}, template)).text)).text).toBe('true true 2026-11-03');
  });
});
