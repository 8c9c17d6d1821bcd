import { expensifyConnector } from '../../../src/connectors/expensify/index.js';
import {
  type ExpensifySeed,
  type RunningExpensify,
  type SeedExpense,
  startExpensifySandbox,
} from '../../../src/sandbox/expensify/index.js';
import { CATEGORIES, type Purchase, taxOf } from './purchase.js';
import { type SourceAccess, SpendSource } from './source.js';
import type { SimulatedTime } from './time.js';
import type { VendorFaults } from './vendorFaults.js';

const POLICY = '0123456789ABCDEF';
const EMPLOYEE = 'ana@simulated.example';
const OWNER = 'cfo@simulated.example';
const FIRST_TRANSACTION = 4_056_343_049_275_634_494n;
const TAX_RATE = 'tax_1';

/** The simulated Expensify, over HTTP, with the product's own connector: every purchase is the one expense of a report. */
export class ExpensifySource extends SpendSource {
  readonly kind = 'EXPENSIFY';
  readonly streams = ['EXPENSE_REPORTS'] as const;
  readonly connector = expensifyConnector;
  /** Nothing is reported there: a label could never be taken off again. */
  readonly told = new Map<string, never[]>();
  private readonly sandbox: RunningExpensify;
  private readonly time: SimulatedTime;

  private constructor(sandbox: RunningExpensify, time: SimulatedTime) {
    super();
    this.sandbox = sandbox;
    this.time = time;
    time.onMove((nowMs) => this.follow(nowMs));
  }

  static async start(time: SimulatedTime): Promise<ExpensifySource> {
    const sandbox = await startExpensifySandbox({
      seed: accountAt(time.now().toISOString()),
      clock: time,
      settings: { notReadyDownloads: 0 },
    });
    return new ExpensifySource(sandbox, time);
  }

  get access(): SourceAccess {
    const { partnerUserID, partnerUserSecret } = this.sandbox.access;
    return {
      kind: 'EXPENSIFY',
      baseUrl: this.sandbox.baseUrl,
      credentials: { partnerUserID, partnerUserSecret },
      // The reports of a history are all approved in it, so that one question asks for all of them.
      settings: { glAccountFrom: 'NONE', lookbackDays: 20, sliceDays: 90, searchDays: 0, timeoutSeconds: 8 },
    };
  }

  standUnder(faults: VendorFaults): void {
    faults.standAt(this.sandbox.faults, 'source');
  }

  override add(purchase: Purchase): void {
    super.add(purchase);
    const now = this.time.now().toISOString();
    const report = {
      ...{ reportID: reportId(purchase), name: purchase.id, policyID: POLICY, submitter: EMPLOYEE, approver: OWNER },
      ...{ createdAt: now, submittedAt: now, approvedAt: purchase.isFinal ? now : null },
      expenses: [expenseOf(purchase)],
    };
    this.sandbox.addReport(report);
  }

  /** Its report is approved. */
  show(purchase: Purchase): boolean {
    if (purchase.isFinal) return false;
    this.sandbox.approve(reportId(purchase));
    purchase.isFinal = true;
    return true;
  }

  override changeAmount(purchase: Purchase, minor: bigint): boolean {
    // Entered in the expense's own currency; what it comes to is converted by Expensify.
    this.change(purchase, { amount: Number(purchase.original ? (minor * 10n) / 11n : minor) });
    const [expense] = this.sandbox.report(reportId(purchase)).expenses;
    return super.changeAmount(purchase, BigInt(expense?.reportAmount ?? minor), null);
  }

  override recode(purchase: Purchase, category: string): boolean {
    this.change(purchase, { category });
    return super.recode(purchase, category);
  }

  override rename(purchase: Purchase, merchant: string): boolean {
    this.change(purchase, { merchant });
    return super.rename(purchase, merchant);
  }

  /** Two expenses of a report are two purchases. */
  override split(): boolean {
    return false;
  }

  /** Its report is taken back from approval, which the program learns when it is approved again. */
  override withdraw(purchase: Purchase): boolean {
    if (!purchase.isFinal) return false;
    this.sandbox.unapprove(reportId(purchase));
    purchase.isFinal = false;
    return false;
  }

  override catchUp(): void {
    super.catchUp();
    for (const purchase of this.purchases) this.show(purchase);
  }

  idsOf(purchase: Purchase): readonly string[] {
    return [transactionId(purchase)];
  }

  delivery(): null {
    return null;
  }

  override close(): Promise<void> {
    return this.sandbox.close();
  }

  private follow(nowMs: number): void {
    if (nowMs > Date.parse(this.sandbox.now())) this.sandbox.setNow(new Date(nowMs).toISOString());
  }

  /** An approved report is opened for it and approved again, so that a reading by date of approval finds it. */
  private change(purchase: Purchase, edit: Readonly<Record<string, unknown>>): void {
    if (purchase.isFinal) this.sandbox.unapprove(reportId(purchase));
    this.sandbox.editExpense(transactionId(purchase), edit);
    if (purchase.isFinal) this.sandbox.approve(reportId(purchase));
  }
}

function reportId({ id }: Purchase): string {
  return `R00${id}`;
}

function transactionId({ id }: Purchase): string {
  return String(FIRST_TRANSACTION + BigInt(id.slice(1)));
}

function expenseOf(purchase: Purchase): SeedExpense {
  const { minor, merchant, day, category, original } = purchase;
  const money = original
    ? {
        amount: Number(original.minor),
        currency: original.currency,
        convertedAmount: Number(minor),
        conversionRate: '1.1',
      }
    : { amount: Number(minor), currency: purchase.currency };
  const tax = taxOf(purchase, minor);
  return {
    ...{ transactionID: transactionId(purchase), ...money, merchant, created: day, category },
    ...(tax !== 0n && !original ? { tax: { rateID: TAX_RATE, amount: Number(tax) } } : {}),
  };
}

function accountAt(now: string): ExpensifySeed {
  return {
    now,
    policies: [
      {
        ...{ id: POLICY, name: 'Simulated Pump Works', outputCurrency: 'USD', owner: OWNER },
        categories: CATEGORIES.map((name) => ({ name })),
        tax: { name: 'VAT', default: TAX_RATE, rates: [{ rateID: TAX_RATE, name: 'Standard', rate: '20' }] },
        tags: { shape: 'flat', tags: [] },
      },
    ],
    employees: [
      { email: EMPLOYEE, firstName: 'Ana', lastName: 'Ruiz', accountID: 11 },
      { email: OWNER, firstName: 'Ingrid', lastName: 'Solberg', accountID: 1, role: 'admin' },
    ],
  };
}
