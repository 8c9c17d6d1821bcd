import { Decimal, TemplateDate } from './freemarker/index.js';
import type { Employee, ParsedExpense, Policy } from './seed.js';
import type { ExpensifySettings } from './settings.js';
import { type ExpensifyStore, type Report, reportCents } from './store.js';

/** Base of the made-up links to receipts; nothing answers there. */
const RECEIPTS = 'https://receipts.sandbox.invalid/';

/**
 * Makes the data model that an export template sees: the fields of the vendor's list, in the types that the settings
 * choose, because for most of them no source says which one it is.
 */
export class TemplateModel {
  constructor(
    private readonly store: ExpensifyStore,
    private readonly settings: ExpensifySettings,
    private readonly randomSeed: number,
  ) {}

  report(report: Report): Record<string, unknown> {
    const { approver, policy, seed, submitter } = report;
    const { store } = this;
    const id = seed.reportID;
    const state = store.stateOf(report);
    const approved = store.past(report.approvedAt);
    return {
      ...{ reportID: id, oldReportID: this.or(seed.oldReportID, id, 'oldReportID'), reportName: seed.name },
      ...{ policyName: policy.name, policyID: policy.id, status: this.settings.statusTexts[state] },
      ...{ currency: policy.outputCurrency, total: this.cents(total(report)) },
      created: this.moment(report.createdAt, id, 'created'),
      submitted: this.moment(store.past(report.submittedAt), id, 'submitted'),
      approved: this.moment(approved, id, 'approved'),
      reimbursed: this.moment(store.past(report.reimbursedAt), id, 'reimbursed'),
      ...{ accountEmail: submitter.email, accountID: submitter.accountID, submitter: nameOf(submitter) },
      ...this.manager(approver, id),
      approvers: approver && approved !== null ? [this.approval(approver, approved, id)] : [],
      actionList: this.actions(report),
      customField: Object.fromEntries(
        policy.reportFields.map(({ name }) => [
          name.replace(/[^A-Za-z0-9]/g, '_'),
          this.or(seed.fields[name] ?? '', id, `customField.${name}`),
        ]),
      ),
      employeeCustomField1: this.or(submitter.customField1, id, 'employeeCustomField1'),
      employeeCustomField2: this.or(submitter.customField2, id, 'employeeCustomField2'),
      entryID: state === 'REIMBURSED' ? `${submitter.accountID}${id.length}` : this.blank(id, 'entryID'),
      isACHReimbursed: state === 'REIMBURSED',
      transactionList: report.expenses.map((expense) => this.expense(report, expense)),
    };
  }

  private expense(report: Report, expense: ParsedExpense): Record<string, unknown> {
    const { policy, seed } = report;
    const id = expense.transactionID;
    const category = policy.categories.find(({ name }) => name === expense.category);
    return {
      transactionID: this.settings.transactionIDAs === 'text' ? id : BigInt(id),
      ...{ reportID: seed.reportID, externalID: this.or(expense.externalID, id, 'externalID') },
      ...this.amounts(report, expense),
      ...{ merchant: expense.merchant, modifiedMerchant: this.or(expense.modifiedMerchant, id, 'modifiedMerchant') },
      created: this.day(expense.created),
      modifiedCreated: expense.modifiedCreated ? this.day(expense.modifiedCreated) : this.blank(id, 'modifiedCreated'),
      inserted: this.moment(Date.parse(expense.insertedAt ?? seed.createdAt), id, 'inserted', true),
      modified: expense.modifiedAmount !== null || expense.modifiedMerchant !== '' || expense.modifiedCreated !== null,
      category: this.or(expense.category, id, 'category'),
      categoryGlCode: this.or(category?.glCode ?? '', id, 'categoryGlCode'),
      categoryPayrollCode: this.or(category?.payrollCode ?? '', id, 'categoryPayrollCode'),
      ...this.tags(policy, expense),
      ...{ comment: this.or(expense.comment, id, 'comment'), reimbursable: expense.reimbursable },
      ...{ billable: expense.billable, isDistance: expense.distance !== null, unverified: false },
      ...this.tax(policy, expense),
      mcc: expense.mcc === 0 ? this.or('', id, 'mcc') : expense.mcc,
      modifiedMCC: this.blank(id, 'modifiedMCC'),
      bank: this.or(expense.bank, id, 'bank'),
      cardID: this.or(expense.cardID, id, 'cardID'),
      cardNumber: this.or(expense.cardNumber, id, 'cardNumber'),
      type: expense.type,
      ...this.receipt(expense),
      units: expense.distance ? units(expense.distance) : undefined,
      attendees: expense.attendees.map((email) => ({ email })),
      details: this.blank(id, 'details'),
      nameValuePairs: {},
      transactionHash: id.split('').reverse().join(''),
    };
  }

  private amounts(report: Report, expense: ParsedExpense): Record<string, unknown> {
    const { outputCurrency } = report.policy;
    const { amount, conversionRate, convertedAmount, currency, modifiedAmount, transactionID: id } = expense;
    const isSame = currency === outputCurrency;
    const { sameCurrencyConverted: form } = this.settings;
    const isFilled = form === 'filled' || (form === 'mixed' && this.draw(id, 'convertedAmount') < 0.5);
    const converted =
      isSame && convertedAmount === null && isFilled ? reportCents(expense, outputCurrency) : convertedAmount;
    return {
      amount: this.cents(amount),
      modifiedAmount: modifiedAmount === null ? this.blank(id, 'modifiedAmount') : this.cents(modifiedAmount),
      convertedAmount: converted === null ? this.blank(id, 'convertedAmount') : this.cents(converted),
      currency,
      currencyConversionRate: Decimal.parse(isSame ? '1' : conversionRate),
    };
  }

  /** All levels joined, with the colons inside of names escaped, and every level by itself. */
  private tags(policy: Policy, expense: ParsedExpense): Record<string, unknown> {
    const id = expense.transactionID;
    const levels = policy.tags.shape === 'flat' ? [policy.tags.tags] : policy.tags.levels.map(({ tags }) => tags);
    const found = levels.map((tags, level) => {
      const name = expense.tags[level] ?? '';
      return { name, glCode: tags.find((tag) => tag.name === name)?.glCode ?? '' };
    });
    const single = found.flatMap(({ glCode, name }, level) => [
      [`ntag${level + 1}`, this.or(name, id, `ntag${level + 1}`)],
      [`ntag${level + 1}GlCode`, this.or(glCode, id, `ntag${level + 1}GlCode`)],
    ]);
    return {
      tag: this.or(joined(found.map(({ name }) => name)), id, 'tag'),
      tagGlCode: this.or(joined(found.map(({ glCode }) => glCode)), id, 'tagGlCode'),
      ...Object.fromEntries(single),
    };
  }

  private tax(policy: Policy, expense: ParsedExpense): Record<string, unknown> {
    const { tax, transactionID: id } = expense;
    const rate = policy.tax?.rates.find(({ rateID }) => rateID === tax?.rateID);
    const or = (value: string | undefined, name: string) => this.or(value ?? '', id, name);
    const modified = tax?.modifiedAmount ?? null;
    return {
      hasTax: tax !== null,
      taxAmount: tax === null ? this.blank(id, 'taxAmount') : this.cents(tax.amount),
      modifiedTaxAmount: modified === null ? this.blank(id, 'modifiedTaxAmount') : this.cents(modified),
      taxName: or(rate && policy.tax?.name, 'taxName'),
      taxRate: or(rate && `${rate.rate}%`, 'taxRate'),
      taxRateName: or(rate?.name, 'taxRateName'),
      taxCode: or(rate?.code, 'taxCode'),
    };
  }

  private receipt({ receipt, transactionID: id }: ParsedExpense): Record<string, unknown> {
    if (receipt === null)
      return { receiptID: this.blank(id, 'receiptID'), receiptFilename: this.blank(id, 'receiptFilename') };
    const { filename, receiptID } = receipt;
    const url = `${RECEIPTS}${filename}`;
    return {
      ...{ receiptID, receiptFilename: filename },
      receiptObject: {
        url,
        thumbnail: url,
        smallThumbnail: url,
        transactionID: id,
        type: 'jpg',
        state: 'SCANCOMPLETE',
        receiptID,
      },
    };
  }

  private manager(approver: Employee | undefined, id: string): Record<string, unknown> {
    return {
      managerEmail: approver?.email ?? this.blank(id, 'managerEmail'),
      managerUserID: approver?.accountID ?? this.blank(id, 'managerUserID'),
      managerPayrollID: this.or(approver?.employeeID ?? '', id, 'managerPayrollID'),
      manager: approver && nameOf(approver),
    };
  }

  private approval(approver: Employee, at: number, id: string): Record<string, unknown> {
    return {
      ...{ email: approver.email, date: this.moment(at, id, 'approvers.date'), ...nameOf(approver) },
      ...{
        employeeUserID: approver.accountID,
        employeePayrollID: this.or(approver.employeeID, id, 'employeePayrollID'),
      },
    };
  }

  private actions(report: Report): Record<string, unknown>[] {
    const { store } = this;
    const steps: [string, number | null, Employee | undefined][] = [
      ['SUBMITTED', report.submittedAt, report.submitter],
      ['APPROVED', report.approvedAt, report.approver],
      ['REIMBURSED', report.reimbursedAt, report.approver],
    ];
    return steps.flatMap(([action, at, who]) => {
      const past = store.past(at);
      if (past === null) return [];
      const created = this.moment(past, report.seed.reportID, action);
      return [{ action, accountEmail: who?.email ?? '', created, details: { message: '' } }];
    });
  }

  private cents(value: number): unknown {
    return this.settings.amountsAs === 'number' ? value : String(value);
  }

  private day(text: string): unknown {
    return this.settings.datesAs === 'text' ? text : new TemplateDate('date', Date.parse(text));
  }

  private moment(at: number | null, id: string, field: string, isAlwaysTimed = false): unknown {
    if (at === null) return this.blank(id, field);
    if (this.settings.datesAs === 'date') return new TemplateDate('datetime', at);
    const text = new Date(at).toISOString();
    return this.settings.dateTimes || isAlwaysTimed ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : text.slice(0, 10);
  }

  private or(value: string, id: string, field: string): string | undefined {
    return value === '' ? this.blank(id, field) : value;
  }

  private blank(id: string, field: string): string | undefined {
    const { blanks } = this.settings;
    const isText = blanks === 'text' || (blanks === 'mixed' && this.draw(id, field) < 0.5);
    return isText ? '' : undefined;
  }

  private draw(id: string, field: string): number {
    return chance(this.randomSeed, `${id}.${field}`);
  }
}

/** Sum of the report's expenses in its currency, without those that are not converted. */
export function total(report: Report): number {
  return report.expenses.reduce((sum, one) => sum + (reportCents(one, report.policy.outputCurrency) ?? 0), 0);
}

/** A number in [0, 1) that depends on the text and the seed alone: the same field is odd in the same way always. */
export function chance(seed: number, text: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  // The multiplication alone leaves similar texts alike in their high bits.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39) >>> 0;
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296;
}

function joined(levels: readonly string[]): string {
  const texts = levels.map((text) => text.replaceAll(':', '\\:'));
  while (texts.at(-1) === '') texts.pop();
  return texts.join(':');
}

function units({ count, rate, unit }: NonNullable<ParsedExpense['distance']>): Record<string, unknown> {
  return { count: Decimal.parse(count), rate: Decimal.parse(rate), unit, name: 'Mileage' };
}

function nameOf({ firstName, lastName }: Employee): Record<string, string> {
  return { firstName, lastName, fullName: `${firstName} ${lastName}` };
}
