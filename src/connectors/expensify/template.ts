import { customFieldsOf, type ExpensifySettings } from './config.js';

/** Text in the manual's samples; as objects they would be printed in the server's own format, or not at all. */
const DATES = new Set(['created', 'modifiedCreated', 'submitted', 'approved', 'reimbursed']);
const REPORT_COUNT = `\${reports?size?c}`;
const EXPENSE_COUNT = `\${((r.transactionList)![])?size?c}`;

/**
 * The FreeMarker template of our exporter jobs (data model: Integration Server manual, "Export report template").
 *
 * It prints one JSON object a line: a begin mark with the number of reports, each report with the number of its
 * expenses, each expense, and an end mark. So a file that was cut off is seen wherever the cut is, and a template that
 * the server evaluates more than once (the model's `addHeader` hints at it) gives several whole blocks.
 *
 * What type each field of the model has is not documented, so every value is tested for its type before it is printed:
 * `?json_string` on a number prints thousands separators and on anything else ends the job. `?js_string` would not do
 * for text: it writes `\'` and `\>`, which JSON does not know.
 */
export function reportTemplate(settings: ExpensifySettings): string {
  if (settings.template !== null) return settings.template;
  const report = REPORT_FIELDS.map(([name, path]) => field(name, path));
  const custom = customFieldsOf(settings).map((name) => field(name, `r.customField.${name}`));
  const expense = [...EXPENSE_NAMES.map((name) => field(name, `e.${name}`)), RECEIPT_URL];
  const levels = Array.from({ length: settings.tagLevels }, (_, index) => {
    const level = `ntag${index + 1}`;
    return `{${field('name', `e.${level}`)},${field('code', `e.${level}GlCode`)}}`;
  });
  return [
    `{"k":"begin","v":1,"reports":${REPORT_COUNT}}`,
    '<#list reports as r>',
    `{"k":"report","lines":${EXPENSE_COUNT},${report.join(',')},"customFields":{${custom.join(',')}}}`,
    '<#list ((r.transactionList)![]) as e>',
    `{"k":"line",${expense.join(',')},"tags":[${levels.join(',')}]}`,
    '</#list>',
    '</#list>',
    `{"k":"end","v":1,"reports":${REPORT_COUNT}}`,
    '',
  ].join('\n');
}

/** For jobs that only need to know which reports there are, or to finish. */
export const IDS_TEMPLATE = [
  `{"k":"begin","v":1,"reports":${REPORT_COUNT}}`,
  '<#list reports as r>',
  `{"k":"report","lines":0,${field('reportID', 'r.reportID')},${field('status', 'r.status')}}`,
  '</#list>',
  `{"k":"end","v":1,"reports":${REPORT_COUNT}}`,
  '',
].join('\n');

const REPORT_FIELDS: readonly (readonly [name: string, path: string])[] = [
  ['reportID', 'r.reportID'],
  ['oldReportID', 'r.oldReportID'],
  ['reportName', 'r.reportName'],
  ['policyID', 'r.policyID'],
  ['policyName', 'r.policyName'],
  ['status', 'r.status'],
  ['currency', 'r.currency'],
  ['created', 'r.created'],
  ['submitted', 'r.submitted'],
  ['approved', 'r.approved'],
  ['reimbursed', 'r.reimbursed'],
  ['accountEmail', 'r.accountEmail'],
  ['submitter', 'r.submitter.fullName'],
  ['employeeCustomField1', 'r.employeeCustomField1'],
  ['employeeCustomField2', 'r.employeeCustomField2'],
];

const EXPENSE_NAMES = [
  'transactionID',
  'amount',
  'modifiedAmount',
  'convertedAmount',
  'currency',
  'currencyConversionRate',
  'merchant',
  'modifiedMerchant',
  'created',
  'modifiedCreated',
  'modified',
  'category',
  'categoryGlCode',
  'tag',
  'tagGlCode',
  'comment',
  'reimbursable',
  'taxAmount',
  'modifiedTaxAmount',
  'taxName',
  'taxRateName',
  'mcc',
  'modifiedMCC',
  'type',
] as const;

/** An expense without a receipt may have an empty text here, and asking that for its `url` would end the job. */
const RECEIPT_URL = `<#if ((e.receiptObject)!"")?is_hash>${field('receiptURL', 'e.receiptObject.url')}<#else>"receiptURL":""</#if>`;

/** `"name":"value"`; empty where the model has no value, or one that is no text, number, truth value or date. */
function field(name: string, path: string): string {
  const value = `((${path})!"")`;
  return [
    `"${name}":"<#if ${value}?is_number>`,
    `\${${value}?c}`,
    `<#elseif ${value}?is_boolean>`,
    `\${${value}?c}`,
    `<#elseif ${value}?is_string>`,
    `\${${value}?json_string}`,
    DATES.has(name) ? `<#elseif ${value}?is_date>\${${value}?string("yyyy-MM-dd")}` : '',
    '</#if>"',
  ].join('');
}
