/**
 * The rest of the simulated Integration Server: access, limits, policies, reimbursing, controls and faults.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { parseExpensifySeed } from '../../../src/sandbox/expensify/index.js';
import { account, EUR_POLICY, expense, NOW, report, start, USD_POLICY } from './expensifySupport.js';

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
const POLICY_LIST = { type: 'get', inputSettings: { type: 'policyList' } };

describe('access', () => {
  it.each([
    ['envelope401', 200, '{"responseCode":401,"responseMessage":"Authentication error"}'],
    ['http403', 403, '403 - Invalid Credentials'],
    ['envelope500', 200, '{"responseCode":500,"responseMessage":"Authentication error"}'],
  ] as const)('refuses wrong credentials as %s', async (badCredentials, status, text) => {
    const { job } = await open(account([]), { settings: { rateLimits: null, badCredentials } });
    const credentials = { partnerUserID: 'aa_other', partnerUserSecret: 'wrong' };
    expect(await job({ ...POLICY_LIST, credentials })).toMatchObject({ status, text });
  });

  it('takes the job from the form only, never from the address', async () => {
    const { access, baseUrl, send } = await open(account([]));
    const description = JSON.stringify({ ...POLICY_LIST, credentials: access });
    const url = `${baseUrl}?${new URLSearchParams({ requestJobDescription: description })}`;
    const response = await fetch(url, { method: 'POST' });
    expect(await response.json()).toMatchObject({ responseCode: 410 });
    expect((await send({ requestJobDescription: description })).json).toMatchObject({ responseCode: 200 });
    expect((await fetch(url)).status).toBe(405);
  });

  it('answers what is no JSON with an envelope or with a page, as the setting says', async () => {
    const { changeSettings, send } = await open(account([]));
    const python = { requestJobDescription: "{'type': 'file'}" };
    expect((await send(python)).json).toEqual({
      ...{ responseCode: 410, responseMessage: "Argument 'type' is missing or malformed" },
    });
    changeSettings({ malformedRequest: 'html500' });
    const page = await send(python);
    expect([page.status, page.type.split(';')[0]]).toEqual([500, 'text/html']);
  });

  it('refuses jobs that it does not simulate by name', async () => {
    const { job } = await open(account([]));
    const { json } = await job({ type: 'create', inputSettings: { type: 'expenses' } });
    expect(json).toMatchObject({ responseCode: 500, responseMessage: expect.stringContaining('create expenses') });
    expect((await job({ type: 'export' })).json.responseCode).toBe(410);
  });

  it.each([
    ['text', '{"responseCode":"200",'],
    ['decimal', '{"responseCode":200.0,'],
  ] as const)('writes response codes as %s when told so', async (responseCodeAs, begin) => {
    const { job } = await open(account([]), { settings: { rateLimits: null, responseCodeAs } });
    expect((await job(POLICY_LIST)).text.startsWith(begin)).toBe(true);
  });
});

describe('call limits', () => {
  it('are 5 in 10 seconds and 20 in 60, over all callers and with every poll, under HTTP 200', async () => {
    let now = Date.parse(NOW);
    const limited = await open(account([]), {
      clock: { now: () => new Date(now) },
      settings: {
        rateLimits: [
          { requests: 5, seconds: 10 },
          { requests: 20, seconds: 60 },
        ],
      },
    });
    const codes = async (calls: number) => {
      const seen: unknown[] = [];
      for (let call = 0; call < calls; call += 1) seen.push((await limited.job(POLICY_LIST)).json.responseCode);
      return seen;
    };
    expect(await codes(6)).toEqual([200, 200, 200, 200, 200, 429]);
    for (let window = 0; window < 3; window += 1) {
      now += 10_001;
      expect(await codes(5)).toEqual([200, 200, 200, 200, 200]);
    }
    now += 10_001;
    expect(await codes(1)).toEqual([429]);
    now += 20_000;
    expect(await codes(1)).toEqual([200]);
    expect((await limited.download('unknown')).json.responseCode).toBe(404);
  });

  it('are answered with 429 and a Retry-After when the settings say so', async () => {
    const { baseUrl, job } = await open(account([]), {
      settings: { rateLimits: [{ requests: 1, seconds: 60 }], rateLimitStatus: 429, retryAfterSeconds: 30 },
    });
    await job(POLICY_LIST);
    const refused = await fetch(baseUrl, {
      method: 'POST',
      body: new URLSearchParams({ requestJobDescription: '{}' }),
    });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    expect(await refused.json()).toMatchObject({ responseCode: 429 });
  });
});

describe('policies', () => {
  it('are listed, all or those that the user administers', async () => {
    const { job } = await open(account([]));
    const ids = async (inputSettings: Record<string, unknown>) => {
      const { json } = await job({ type: 'get', inputSettings: { type: 'policyList', ...inputSettings } });
      return (json.policyList as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids({})).toEqual([USD_POLICY, EUR_POLICY]);
    expect(await ids({ adminOnly: true })).toEqual([USD_POLICY]);
  });

  it('show their categories with and without a GL code, and both shapes of tags', async () => {
    const { job } = await open(account([]));
    const inputSettings = { type: 'policy', policyIDList: [USD_POLICY, EUR_POLICY], fields: ['categories', 'tags'] };
    const { json } = await job({ type: 'get', inputSettings });
    const info = json.policyInfo as Record<
      string,
      { categories: { name: string; glCode?: string }[]; tags: unknown[] }
    >;
    expect(info[USD_POLICY]?.categories.map(({ glCode, name }) => [name, glCode])).toEqual([
      ['Meals', '6220'],
      ['Team events', undefined],
      ['Gifts', ''],
      ['Old car pool', '6230'],
    ]);
    expect(info[USD_POLICY]?.tags[0]).toMatchObject({
      name: 'Department',
      tags: [{ name: 'Dayton plant', glCode: '10' }],
    });
    expect(info[EUR_POLICY]?.tags).toEqual([{ name: 'Berlin', enabled: true, glCode: '90' }]);
    expect(Object.keys(info[USD_POLICY] ?? {})).toEqual(['categories', 'tags']);
  });

  it.each([
    ['no ids', { fields: ['tags'] }, 410, "Required parameter 'policyIDList' is missing"],
    [
      'ids as a text',
      { policyIDList: USD_POLICY, fields: ['tags'] },
      410,
      "Argument 'policyIDList' is missing or malformed",
    ],
    ['an unknown policy', { policyIDList: ['FF'], fields: ['tags'] }, 404, "Policy 'FF' was not found"],
    [
      'an unknown section',
      { policyIDList: [USD_POLICY], fields: ['cards'] },
      410,
      "Argument 'fields' is missing or malformed",
    ],
    ['people of a policy of others', { policyIDList: [EUR_POLICY], fields: ['employees'] }, 403, /admin/],
  ])('refuse %s', async (_, input, responseCode, message) => {
    const { job } = await open(account([]));
    const { json, status } = await job({ type: 'get', inputSettings: { type: 'policy', ...input } });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      responseCode,
      responseMessage: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });
});

describe('reimbursing', () => {
  const reports = [
    report('R00ok'),
    report('R00open', { submittedAt: null, approvedAt: null }),
    report('R00paid', { reimbursedAt: '2026-11-04T00:00:00Z' }),
  ];

  it('answers 200 although some reports were skipped and one does not exist', async () => {
    const { job, report: view } = await open(account(reports));
    const filters = { reportIDList: 'R00ok,R00open,R00paid,R00none' };
    const { json } = await job({
      type: 'update',
      inputSettings: { type: 'reportStatus', status: 'REIMBURSED', filters },
    });
    expect(json).toEqual({
      responseCode: 200,
      reportIDs: ['R00ok'],
      skippedReports: [
        { reason: "Report is in status 'Open'", reportID: 'R00open' },
        { reason: "Report is in status 'Reimbursed'", reportID: 'R00paid' },
      ],
      failedReports: [{ reason: 'Report not found', reportID: 'R00none' }],
    });
    expect(view('R00ok').state).toBe('REIMBURSED');
  });

  it('knows no other status', async () => {
    const { job } = await open(account(reports));
    const inputSettings = { type: 'reportStatus', status: 'APPROVED', filters: { reportIDList: 'R00ok' } };
    expect((await job({ type: 'update', inputSettings })).json).toEqual({
      ...{ responseCode: 410, responseMessage: "Status 'APPROVED' is not supported" },
    });
  });
});

describe('the hands', () => {
  it('reveal reports as the clock goes on, and planned changes at their own moments', async () => {
    const changed = expense();
    const { transactionID } = changed;
    const seed = account(
      [
        report('R00later', {
          createdAt: '2026-11-11T00:00:00Z',
          submittedAt: '2026-11-12T00:00:00Z',
          approvedAt: '2026-11-13T00:00:00Z',
        }),
        report('R00again', { expenses: [changed], reimbursedAt: '2026-11-20T00:00:00Z' }),
      ],
      {
        plannedChanges: [
          { at: '2026-11-14T00:00:00Z', kind: 'UNAPPROVE', reportID: 'R00again' },
          { at: '2026-11-14T01:00:00Z', kind: 'EDIT', transactionID, edit: { amount: 5_000, merchant: 'Corrected' } },
          { at: '2026-11-15T00:00:00Z', kind: 'APPROVE', reportID: 'R00again' },
        ],
      },
    );
    const { report: view, reports, setNow, summary } = await open(seed);
    expect([reports().length, summary().future]).toEqual([1, 1]);
    const states = ['2026-11-11T06:00:00Z', '2026-11-12T06:00:00Z', '2026-11-13T06:00:00Z'].map((now) => {
      setNow(now);
      return view('R00later').state;
    });
    expect(states).toEqual(['OPEN', 'SUBMITTED', 'APPROVED']);
    setNow('2026-11-14T06:00:00Z');
    expect(view('R00again')).toMatchObject({ state: 'SUBMITTED', approvedAt: null, total: '50.00' });
    setNow('2026-11-30T00:00:00Z');
    expect(view('R00again')).toMatchObject({ state: 'APPROVED', approvedAt: '2026-11-15T00:00:00.000Z' });
    expect(() => setNow('2026-11-14T06:00:00Z')).toThrow(/cannot go back/);
  });

  it('are faster than a plan: what no longer fits is left out', async () => {
    const plannedChanges = [{ at: '2026-11-14T00:00:00Z', kind: 'UNAPPROVE' as const, reportID: 'R00A' }];
    const { reimburse, report: view, setNow } = await open(account([report('R00A')], { plannedChanges }));
    reimburse('R00A');
    expect(setNow('2026-11-15T00:00:00Z')).toBe('2026-11-15T00:00:00.000Z');
    expect(view('R00A').state).toBe('REIMBURSED');
  });

  it('approve late with a moment in the past, edit, add and reimburse', async () => {
    const waiting = report('R00wait', { approvedAt: null });
    const { addExpense, approve, editExpense, lines, reimburse, summary, unapprove } = await open(
      account([waiting, report('R00A')]),
    );
    approve('R00wait', '2026-11-03T07:00:00Z');
    expect(summary().byApprovalDay).toEqual({
      '2026-11-03': { reports: 2, expenses: 2, unconverted: 0, totals: { USD: '2469.12' } },
    });
    unapprove('R00wait');
    const id = String(waiting.expenses[0]?.transactionID);
    editExpense(id, { amount: 100, category: 'Team events', tags: ['', ''] });
    addExpense('R00wait', expense({ amount: -40 }));
    expect(summary().byState.SUBMITTED).toEqual({ reports: 1, expenses: 2, unconverted: 0, totals: { USD: '0.60' } });
    approve('R00wait');
    reimburse('R00A');
    expect(summary().byState.REIMBURSED.reports).toBe(1);
    expect(await lines({ reportIDList: 'R00wait' })).toMatchObject([{ gl: '', tag: '' }, { amount: -40 }]);
    expect(() => approve('R00A')).toThrow(/REIMBURSED/);
    expect(() => editExpense('1', {})).toThrow(/no expense/);
  });

  it('give a category another code from now on', async () => {
    const { changeCategory, lines } = await open(account([report('R00A')]));
    changeCategory(USD_POLICY, 'Meals', { glCode: '6999' });
    expect((await lines(SINCE))[0]?.gl).toBe('6999');
  });

  it('start over with a reset, which keeps settings', async () => {
    const {
      changeSettings,
      exporting,
      jobs,
      markedReports,
      report: view,
      requestCounts,
      reset,
      settings,
      unapprove,
    } = await open(account([report('R00A')]));
    await exporting(SINCE, { onFinish: [{ actionName: 'markAsExported', label: 'x' }] });
    unapprove('R00A');
    changeSettings({ reportOrder: 'created' });
    reset();
    expect([markedReports('x'), jobs(), requestCounts()]).toEqual([[], [], {}]);
    expect(view('R00A').state).toBe('APPROVED');
    expect(settings()).toMatchObject({ reportOrder: 'created', rateLimits: null, notReadyDownloads: 0 });
  });

  it('are there over HTTP as well', async () => {
    const first = expense();
    const { exporting, url } = await open(account([report('R00A', { expenses: [first] })]));
    const control = async (method: string, route: string, body?: unknown) => {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const response = await fetch(`${url}/_sandbox/${route}`, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    expect((await control('POST', 'clock', { now: '2026-11-11T00:00:00Z' })).body).toEqual({
      now: '2026-11-11T00:00:00.000Z',
    });
    expect((await control('POST', 'reports/R00A/unapprove')).body).toMatchObject({ state: 'SUBMITTED' });
    expect((await control('POST', `expenses/${first.transactionID}/edit`, { amount: 77 })).body).toMatchObject({
      total: '0.77',
    });
    expect((await control('POST', 'reports/R00A/expenses', expense({ amount: 23 }))).body).toMatchObject({
      total: '1.00',
    });
    expect((await control('POST', 'reports/R00A/approve', { at: '2026-11-05T00:00:00Z' })).body).toMatchObject({
      state: 'APPROVED',
    });
    expect((await control('POST', 'reports', report('R00B'))).body).toMatchObject({ reportID: 'R00B' });
    await exporting(SINCE, { onFinish: [{ actionName: 'markAsExported', label: 'gw' }] });
    expect((await control('GET', 'labels/gw')).body).toEqual({ label: 'gw', reportIDs: ['R00A', 'R00B'] });
    expect((await control('POST', 'reports/R00A/reimburse')).body).toMatchObject({ state: 'REIMBURSED' });
    expect((await control('POST', 'truncate', {})).body).toEqual({ times: 1, cut: 'lastLine' });
    expect((await control('POST', `policies/${USD_POLICY}/categories/Meals`, { enabled: false })).status).toBe(200);
    expect((await control('GET', 'jobs')).body).toMatchObject({ jobs: [{ state: 'DONE', labels: ['gw'] }] });
    expect((await control('GET', 'requests')).body).toEqual({ 'file combinedReportData': 1 });
    expect((await control('GET', 'reports?state=REIMBURSED')).body).toMatchObject({ total: 1 });
    expect((await control('GET', 'summary')).body).toMatchObject({ labels: { gw: 2 }, all: { reports: 2 } });
    expect((await control('POST', 'settings', { dateTimes: false })).body).toMatchObject({ dateTimes: false });
    expect((await control('POST', 'settings', { unknown: 1 })).status).toBe(400);
    expect((await control('GET', 'reports?state=PAID')).status).toBe(400);
    expect((await control('POST', 'reset')).body).toMatchObject({ all: { reports: 1 } });
    expect((await control('GET', 'nothing')).status).toBe(404);
  });
});

describe('the fault dial', () => {
  it('loses the reply of a job that was accepted, and shows pages and throttles in the form of the vendor', async () => {
    const { exporting, faults, job, jobs, markedReports } = await open(account([report('R00A')]));
    faults.set([{ match: 'file combinedReportData', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(exporting(SINCE, { onFinish: [{ actionName: 'markAsExported', label: 'x' }] })).rejects.toThrow();
    expect([jobs().length, markedReports('x')]).toEqual([1, ['R00A']]);
    faults.set([{ match: 'get', kind: 'SERVER_ERROR', times: 1 }]);
    const page = await job(POLICY_LIST);
    expect([page.status, page.text.includes('HTTP Status 500 - JSONObject')]).toEqual([500, true]);
    faults.set([{ match: '*', kind: 'RATE_LIMIT', times: 1 }]);
    expect((await job(POLICY_LIST)).json.responseCode).toBe(429);
    faults.set([{ match: '*', kind: 'EXPIRE_SESSION', times: 1 }]);
    expect((await job(POLICY_LIST)).json.responseCode).toBe(401);
    expect((await job(POLICY_LIST)).json.responseCode).toBe(200);
  });
});

describe('the seed', () => {
  it.each([
    ['an id twice', () => account([report('R00A'), report('R00A')]), /R00A stands there twice/],
    ['a policy that is missing', () => account([report('R00A', { policyID: 'FF' })]), /no policy FF/],
    [
      'an id of 20 digits',
      () => account([report('R00A', { expenses: [expense({ transactionID: '1'.repeat(20) })] })]),
      /16 to 19/,
    ],
    ['an amount with a fraction', () => account([report('R00A', { expenses: [expense({ amount: 1.5 })] })]), /amount/],
    [
      'a change of nothing',
      () => account([], { plannedChanges: [{ at: NOW, kind: 'APPROVE', reportID: 'R00none' }] }),
      /names nothing that exists/,
    ],
  ])('refuses %s', (_, seed, message) => {
    expect(() => parseExpensifySeed(seed())).toThrow(message);
  });

  it('is not changed by what happens in a sandbox', async () => {
    const seed = account([report('R00A')]);
    const before = JSON.stringify(seed);
    const { changeCategory, reimburse } = await open(seed);
    reimburse('R00A');
    changeCategory(USD_POLICY, 'Meals', { glCode: '1' });
    expect(JSON.stringify(seed)).toBe(before);
  });
});
