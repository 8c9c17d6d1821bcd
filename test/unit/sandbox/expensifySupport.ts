import {
  type ExpensifySandboxOptions,
  type ExpensifySeed,
  startExpensifySandbox,
} from '../../../src/sandbox/expensify/index.js';

export const NOW = '2026-11-10T12:00:00Z';
export const USD_POLICY = '0123456789ABCDEF';
export const EUR_POLICY = 'FEDCBA9876543210';

type Report = NonNullable<ExpensifySeed['reports']>[number];
export type Expense = Report['expenses'][number];

let transactions = 4056343049275634494n;

export function expense(more: Partial<Expense> = {}): Expense {
  transactions += 1n;
  return {
    ...{ transactionID: transactions.toString(), amount: 123_456, currency: 'USD', merchant: 'Delta Tools' },
    ...{ created: '2026-11-01', category: 'Meals', tags: ['Dayton plant', 'Line 4 rebuild'] },
    ...more,
  };
}

export function report(reportID: string, more: Partial<Report> = {}): Report {
  return {
    ...{ reportID, name: `Report ${reportID}`, policyID: USD_POLICY, submitter: 'ana@halvorsen.example' },
    ...{ approver: 'cfo@halvorsen.example', createdAt: '2026-11-01T08:00:00Z', submittedAt: '2026-11-02T08:00:00Z' },
    ...{ approvedAt: '2026-11-03T08:00:00Z', expenses: [expense()] },
    ...more,
  };
}

export function account(reports: Report[], more: Partial<ExpensifySeed> = {}): ExpensifySeed {
  const tags = { shape: 'flat' as const, tags: [{ name: 'Berlin', glCode: '90' }] };
  return {
    now: NOW,
    policies: [
      {
        ...{ id: USD_POLICY, name: 'Halvorsen Inc.', outputCurrency: 'USD', owner: 'cfo@halvorsen.example' },
        categories: [
          { name: 'Meals', glCode: '6220', maxExpenseAmount: 7_500 },
          { name: 'Team events' },
          { name: 'Gifts', glCode: '' },
          { name: 'Old car pool', glCode: '6230', enabled: false },
        ],
        tags: {
          shape: 'levels',
          levels: [
            { name: 'Department', tags: [{ name: 'Dayton plant', glCode: '10' }] },
            { name: 'Project', tags: [{ name: 'Line 4 rebuild', glCode: 'P-100' }, { name: 'Trade fair: Houston' }] },
          ],
        },
        tax: {
          name: 'Sales tax',
          default: 'tax_0',
          rates: [{ rateID: 'tax_7', name: 'Ohio', rate: '7.25', code: 'OH' }],
        },
        reportFields: [{ name: 'Cost unit' }],
      },
      {
        ...{ id: EUR_POLICY, name: 'Halvorsen GmbH', outputCurrency: 'EUR', owner: 'cfo@halvorsen.example' },
        ...{ role: 'user', categories: [{ name: 'Meals', glCode: '6220' }], tags },
      },
    ],
    employees: [
      { email: 'ana@halvorsen.example', firstName: 'Ana', lastName: 'Ruiz', accountID: 11, employeeID: 'E11' },
      { email: 'cfo@halvorsen.example', firstName: 'Ingrid', lastName: 'Solberg', accountID: 1, role: 'admin' },
    ],
    reports,
    ...more,
  };
}

export interface Answer {
  status: number;
  type: string;
  text: string;
  /** The envelope's or answer's fields; empty when it is no JSON object. */
  json: Record<string, unknown>;
}

/** Reports in a file, one JSON object for each expense. */
export const TEMPLATE = `{"k":"begin"}
<#list reports as r>
<#list r.transactionList as e>
{"id":"\${e.transactionID}","report":"\${r.reportID}","status":"\${r.status}","approved":"\${(r.approved)!""}",<#t>
"amount":\${e.amount?c},"converted":<#if ((e.convertedAmount)!"")?is_number>\${e.convertedAmount?c}<#else>null</#if>,<#t>
"gl":"\${(e.categoryGlCode)!""}","tag":"\${((e.tag)!"")?json_string}","tag2":"\${((e.ntag2)!"")?json_string}",<#t>
"comment":"\${((e.comment)!"")?json_string}"}
</#list>
</#list>
{"k":"end"}
`;

export async function start(seed: ExpensifySeed, more: Omit<Partial<ExpensifySandboxOptions>, 'seed'> = {}) {
  const settings = { rateLimits: null, notReadyDownloads: 0, ...more.settings };
  const expensify = await startExpensifySandbox({ ...more, seed, settings });
  const { partnerUserID, partnerUserSecret } = expensify.access;

  const send = async (fields: Record<string, string>): Promise<Answer> => {
    const response = await fetch(expensify.baseUrl, { method: 'POST', body: new URLSearchParams(fields) });
    const text = await response.text();
    return { status: response.status, type: response.headers.get('content-type') ?? '', text, json: objectOf(text) };
  };
  const job = (description: Record<string, unknown>, template?: string): Promise<Answer> => {
    const whole = { credentials: { partnerUserID, partnerUserSecret }, ...description };
    return send({ requestJobDescription: JSON.stringify(whole), ...(template === undefined ? {} : { template }) });
  };
  const exporting = (filters: Record<string, unknown>, extra: Record<string, unknown> = {}, template = TEMPLATE) => {
    const { inputSettings, ...rest } = extra as { inputSettings?: Record<string, unknown> };
    return job(
      {
        ...{ type: 'file', onReceive: { immediateResponse: ['returnRandomFileName'] } },
        inputSettings: { type: 'combinedReportData', filters, ...inputSettings },
        ...{ outputSettings: { fileExtension: 'json', fileBasename: 'gateway' }, ...rest },
      },
      template,
    );
  };
  const download = (fileName: string, fileSystem = 'integrationServer') =>
    job({ type: 'download', fileName, fileSystem });
  /** Submits, downloads once and reads the lines between the marks. */
  const lines = async (filters: Record<string, unknown>, extra: Record<string, unknown> = {}) => {
    const { text } = await download((await exporting(filters, extra)).text);
    const all = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return all.filter(({ k }) => k === undefined);
  };
  const reportIDs = async (filters: Record<string, unknown>, extra: Record<string, unknown> = {}) =>
    [...new Set((await lines(filters, extra)).map((line) => String(line.report)))].sort();
  return { ...expensify, send, job, exporting, download, lines, reportIDs };
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
