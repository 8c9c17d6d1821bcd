import { z } from 'zod';
import { templateProblem } from './bodTemplate.js';
import { isSafeAddress } from './ionapi.js';

/**
 * The settings of an M3 connection. Whatever differs between releases and customers, or is not documented by Infor, is
 * one of them; the defaults are the careful choice. Unknown keys are refused by name.
 */

const pattern = z.string().max(500).refine(isRegularExpression, 'is not a regular expression');
const code = (length: number) => z.string().trim().min(1).max(length);
const seconds = (max: number) => z.number().int().min(0).max(max);
const address = z.string().refine(isSafeAddress, 'must be an https address');

/** AIT1 is the account itself, so only `glAccount` stands there. */
const DIMENSION_FIELDS = ['AIT1', 'AIT2', 'AIT3', 'AIT4', 'AIT5', 'AIT6', 'AIT7'] as const;
const GL_ACCOUNT = 'glAccount';

const LAYOUT_FIELDS = 'INRI DIVI GRNR EICD AIT1 AIT2 AIT3 AIT4 AIT5 AIT6 AIT7 CUCD CUAM DBCR ACDT VTCD VTXT CRTP'.split(
  ' ',
);

const layoutField = z.strictObject({
  field: z
    .string()
    .refine((name) => LAYOUT_FIELDS.includes(name), `must be one of ${LAYOUT_FIELDS.join(', ')}`)
    .describe('Which value stands there.'),
  from: z.number().int().min(1).max(900).describe('First position, counted from 1.'),
  to: z.number().int().min(1).max(900).describe('Last position.'),
  align: z.enum(['left', 'right']).default('left'),
  pad: z.string().length(1).default(' '),
});
export type LayoutField = z.output<typeof layoutField>;

const gl = z.strictObject({
  usage: z
    .enum(['field', 'position'])
    .default('field')
    .describe('Usage type of the interface: field = AddBatchLineFld (type 2), position = AddBatchLine (type 1).'),
  recordIdentity: code(2).default('I1').describe('INRI: input record identity of a GL line in the interface.'),
  groupNumber: z
    .string()
    .max(10)
    .default('1')
    .describe('GRNR of every line of a journal: lines of one group become one voucher. Empty = not sent.'),
  sign: z
    .enum(['signed', 'debit-credit'])
    .default('signed')
    .describe('signed: CUAM is negative for credits. debit-credit: CUAM is unsigned and DBCR tells the side.'),
  debitMark: code(1).default('D').describe('DBCR of a debit.'),
  creditMark: code(1).default('C').describe('DBCR of a credit.'),
  rateType: code(2).optional().describe('CRTP of every line. Not set: not sent.'),
  layout: z
    .array(layoutField)
    .max(40)
    .optional()
    .describe('With usage position: where each value stands in PARM, as the interface in GLS850 says.'),
});

const invoice = z.strictObject({
  coding: z
    .enum(['auto', 'accounting-line', 'm3-derived'])
    .default('auto')
    .describe('auto asks MRS001MI. m3-derived lets M3 choose the accounts: the coding of the lines is not sent then.'),
  accountingLineType: code(1).default('8').describe('RDTP of a line with an account.'),
  derivedLineType: code(1).default('8').describe('RDTP of a line whose account M3 derives.'),
  batchType: code(2).default('20').describe('IBTP of an invoice.'),
  creditBatchType: code(2).optional().describe('IBTP of a refund. Default: the same as of an invoice.'),
  refunds: z
    .enum(['refuse', 'negative'])
    .default('refuse')
    .describe('Whether a refund becomes an invoice with a negative amount. Refused, it is to be posted as a journal.'),
  matching: code(1).optional().describe('IMCD: invoice matching, 0 = none. Not set: as the supplier says.'),
  authorisedUser: code(10).optional().describe('APCD.'),
  paymentTerms: code(3).optional().describe('TEPY. Not set: as the supplier says.'),
  paymentMethod: code(3).optional().describe('PYME. Not set: as the supplier says.'),
  rateType: code(2).optional().describe('CRTP.'),
  baseCountry: code(3).optional().describe('BSCD.'),
  fromToCountry: code(3).optional().describe('FTCO.'),
  taxIncluded: z.enum(['0', '1']).optional().describe('TXIN: 0 = lines are net.'),
  approve: z.boolean().default(false).describe('Approve the posted invoice with APS110MI.ApproveInvoice.'),
  failedStatuses: z
    .array(code(2))
    .default(['15', '78'])
    .describe('SUPA values of an invoice that M3 has turned down: 15 validated with errors, 78 recoding failed.'),
  postedStatuses: z
    .array(code(2))
    .default([])
    .describe('SUPA values that mean posted. Empty: only a voucher number does.'),
  transactionCode: code(2).default('40').describe('TRCD of a supplier invoice in APS200MI.'),
  deleteUnfinished: z
    .boolean()
    .default(true)
    .describe('Delete an unposted batch invoice of ours with other content (APS450MI.DltInvoice, where it exists).'),
});

const bod = z.strictObject({
  template: z
    .string()
    .min(1)
    .max(100_000)
    .superRefine((template, context) => {
      const problem = templateProblem(template);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .optional()
    .describe('The whole BOD with placeholders such as {{documentId}}; see the README for their names.'),
  senderLogicalId: code(250).default('lid://infor.ledgergate.ledgergate').describe('fromLogicalId of the messages.'),
  toLogicalId: code(250).default('lid://default').describe('toLogicalId of the messages.'),
  accountingEntity: code(60).optional().describe('Default: company_division, e.g. 100_AAA.'),
  path: code(300)
    .default('{tenant}/IONSERVICES/api/ion/messaging/service/v3/message/multipart')
    .describe('Path below the gateway of the messaging service.'),
});

const fiscalPeriod = z.strictObject({
  label: z.string().min(1).max(20),
  startsOn: z.iso.date(),
  endsOn: z.iso.date(),
  open: z.boolean(),
});

const supplierDefaults = z.strictObject({
  template: code(10).optional().describe('STEM: the supplier that new ones are copied from (CRS620MI.CopyTemplate).'),
  type: code(1).default('0').describe('SUTY of a new supplier.'),
});

/** Texts of M3 differ by release and language: compared without regard to case, the first that fits decides. */
const errorPatterns = z.strictObject({
  period: pattern.default('period.*(closed|not open|not valid|invalid|blocked)|(closed|blocked).*period'),
  duplicate: pattern.default('already|duplicate|\\bexists\\b'),
  notFound: pattern.default('does not exist|not found|no record|do not exist'),
  locked: pattern.default('\\b(locked|in use|being (used|processed))\\b'),
  unbalanced: pattern.default('balanc'),
  workedOff: pattern
    .default('already (been )?(updated|posted)|(is|was) (updated|posted)')
    .describe('GLS840MI does not change a batch any more, because it is updated.'),
});
export type ErrorPatterns = z.output<typeof errorPatterns>;

export const settingsSchema = z.strictObject({
  cono: z
    .union([z.int().min(1).max(999), z.string().regex(/^0{0,2}[1-9]\d{0,2}$/)], {
      error: 'must be the number of a company, 1 to 999',
    })
    .transform(Number)
    .describe('CONO: the company, 1 to 999.'),
  divi: z.string().trim().max(3).default('').describe('DIVI: the division. Empty = the company level.'),
  apiVersion: z.enum(['v2', 'v1']).default('v2').describe('v1 only where the grid has no v2.'),
  invoiceProgram: z
    .enum(['APS450MI', 'APS100MI', 'BOD'])
    .default('APS450MI')
    .describe('APS450MI with APS455MI; APS100MI where a tenant has it; BOD = Process.SupplierInvoice through ION.'),
  journalInterface: code(15)
    .optional()
    .describe('INTN: the interface (GLS850) that vouchers come in by. Journals need it.'),
  dimensions: z
    .record(z.string().min(1).max(60), z.enum(DIMENSION_FIELDS).nullable())
    .default({})
    .superRefine(checkDimensions)
    .describe(
      'Our dimension name to its field, e.g. {"costCentre":"AIT2","project":"AIT3"}; null = it goes nowhere. The GL account is AIT1. A cost centre that is not named goes to AIT2, unless that is taken.',
    ),
  clearingAccount: code(10)
    .optional()
    .describe(
      'The account that takes the other side of card spend: pipelines to this ledger that name no offset account post to it.',
    ),
  optionStyle: z
    .enum(['both', 'query', 'matrix'])
    .default('both')
    .describe('How v2 options are sent; some grids ignore one of the ways. v1 takes matrix parameters only.'),
  clientAuth: z
    .enum(['basic', 'body'])
    .default('basic')
    .describe('How the client id and secret go to the token endpoint.'),
  language: code(2)
    .optional()
    .describe('lanc: language of M3’s texts, which errorPatterns are compared with. Default: the user’s own.'),
  scope: code(500).optional().describe('Scope to ask for. Not set: none.'),
  apiPath: code(300)
    .default('{tenant}/M3/m3api-rest')
    .describe('Path of the M3 API below the base URL; {tenant} is replaced.'),
  tokenUrl: address.optional().describe('Default: pu and ot of the .ionapi file.'),
  revokeUrl: address.optional().describe('Default: pu and or of the .ionapi file.'),
  renewBeforeSeconds: seconds(3600)
    .default(300)
    .describe('An access token is renewed this long before it ends, at most a fifth of its life.'),
  readTimeoutSeconds: seconds(600)
    .min(1)
    .default(60)
    .describe('Longest time of one call; gateways slow calls down instead of refusing them.'),
  submitTimeoutSeconds: seconds(1800).min(2).default(300).describe('Longest time of one document with all its calls.'),
  pollSeconds: z.number().min(0.01).max(60).default(2).describe('Between two looks at a validation or an update.'),
  watchSeconds: seconds(900)
    .default(90)
    .describe('How long a validation or update is watched before its outcome counts as unknown.'),
  settlingSeconds: seconds(86_400)
    .default(180)
    .describe('How long after a write was sent it may still appear in M3, validation and update jobs included.'),
  readConcurrency: z.number().int().min(1).max(20).default(4).describe('Reads of one process at once.'),
  listCap: z
    .number()
    .int()
    .min(10)
    .max(10_000)
    .default(1000)
    .describe('maxrecs of lists. A list that comes back with so many rows is taken for cut off.'),
  maxLines: z.number().int().min(2).max(900).default(100).describe('Lines of one document.'),
  memoLength: z.number().int().min(10).max(40).default(24).describe('Characters of a line’s text after our reference.'),
  mandatoryDimensionCodes: z
    .array(code(1))
    .default([])
    .describe('Values of ACR2 to ACR7 that mean "must be given". Empty: M3 alone checks.'),
  supplierStatuses: z.array(code(2)).default(['20']).describe('STAT values of suppliers that may be used.'),
  taxCodes: z
    .enum(['none', 'tax-lines', 'all-lines'])
    .default('none')
    .describe('Which lines carry VTCD. On lines that are no tax, M3 may add VAT of its own.'),
  taxCodeMap: z.record(z.string().min(1), code(2)).default({}).describe('Our tax code to VTCD. Others go as they are.'),
  foreignCurrencies: z
    .boolean()
    .default(true)
    .describe('Journals in other currencies go out in them and M3 converts; false = such journals are held.'),
  localCurrency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code')
    .optional()
    .describe('Default: LOCD of the division (MNS100MI).'),
  voucherSearchDays: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(0)
    .describe('Days after the posting date that are searched for a voucher as well, where M3 may move dates.'),
  fiscalPeriods: z
    .array(fiscalPeriod)
    .min(1)
    .optional()
    .describe('The fiscal calendar. Default: calendar months, all open from booksOpenFrom; M3 itself refuses others.'),
  booksOpenFrom: z.iso.date().optional().describe('Without fiscalPeriods: months that end before it are closed.'),
  throttleBody: pattern
    .default('throttl|quota|spike arrest|rate.?limit|too many requests')
    .describe('Body of a 503 by which the gateway says that it did not pass the call on. Never matched on HTML.'),
  gl: gl.prefault({}).describe('Details of journals (GLS840MI).'),
  invoice: invoice.prefault({}).describe('Details of supplier invoices.'),
  bod: bod.prefault({}).describe('Process.SupplierInvoice through the ION messaging service.'),
  supplierDefaults: supplierDefaults.optional().describe('What suppliers that the gateway creates are made from.'),
  errorPatterns: errorPatterns.prefault({}).describe('Regular expressions by class of M3’s texts.'),
});
export type M3Settings = z.output<typeof settingsSchema>;

function isRegularExpression(value: string): boolean {
  try {
    new RegExp(value, 'i');
    return true;
  } catch {
    return false;
  }
}

export const COST_CENTRE = 'costCentre';
/** Where cost centres stand unless the settings say otherwise. */
const COST_CENTRE_DEFAULT = 2;

/** Our dimension names with the n of their AITn, the account left out. */
export function dimensionNumbers({ dimensions }: Pick<M3Settings, 'dimensions'>): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, field] of Object.entries(dimensions)) {
    if (field !== null && name !== GL_ACCOUNT) numbers.set(name, Number(field.slice(3)));
  }
  const isTaken = [...numbers.values()].includes(COST_CENTRE_DEFAULT);
  if (dimensions[COST_CENTRE] === undefined && !isTaken) numbers.set(COST_CENTRE, COST_CENTRE_DEFAULT);
  return numbers;
}

function checkDimensions(dimensions: Readonly<Record<string, string | null>>, context: z.core.$RefinementCtx): void {
  const owners = new Map<string, string>();
  for (const [name, field] of Object.entries(dimensions)) {
    const problem = (message: string) => context.addIssue({ code: 'custom', path: [name], message });
    if (field === null) continue;
    if ((field === 'AIT1') !== (name === GL_ACCOUNT)) problem('AIT1 holds the GL account and nothing else');
    const owner = owners.get(field);
    if (owner !== undefined) problem(`${field} is given to ${owner} already`);
    owners.set(field, name);
  }
}
