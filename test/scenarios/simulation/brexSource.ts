import { brexConnector } from '../../../src/connectors/brex/index.js';
import type { ExportReport } from '../../../src/connectors/contract.js';
import {
  blankAccount,
  type RunningBrex,
  SANDBOX_ACCESS,
  type SeedPurchase,
  signature,
  startBrexSandbox,
} from '../../../src/sandbox/brex/index.js';
import { MERCHANTS } from './ledgers.js';
import { type Purchase, taxOf, VIEWS, type View } from './purchase.js';
import { type Delivery, type SourceAccess, SpendSource, type Told } from './source.js';
import type { SimulatedTime } from './time.js';
import type { VendorFaults } from './vendorFaults.js';

/** Logins that the account accepts, one after the other: each is spent by a renewal that nobody could store. */
const REFRESH_TOKENS = Array.from({ length: 100 }, (_, index) => `rt_simulated-${index + 1}`);
/** How long after the card's transaction the other views may come. */
const LATER_MS = 3 * 60 * 60_000;
const CODES: readonly (string | null)[] = [null, '6100', '6110'];

/** The simulated Brex account, over HTTP, with the product's own connector in front of it. */
export class BrexSource extends SpendSource {
  readonly kind = 'BREX';
  readonly streams = [...VIEWS];
  readonly connector = brexConnector;
  private readonly sandbox: RunningBrex;
  private readonly time: SimulatedTime;
  /** When its expense is settled, by purchase. */
  private readonly visibleFrom = new Map<string, number>();
  /** When its accounting record appears, by purchase. */
  private readonly recordFrom = new Map<string, number>();
  private login = 0;
  private secret: string = SANDBOX_ACCESS.webhookSecret;

  private constructor(sandbox: RunningBrex, time: SimulatedTime) {
    super();
    this.sandbox = sandbox;
    this.time = time;
    time.onMove((nowMs) => this.follow(nowMs));
  }

  static async start(time: SimulatedTime): Promise<BrexSource> {
    const blank = blankAccount(time.now().toISOString());
    const [client] = blank.access.oauthClients;
    if (!client) throw new Error('A blank account has no client for OAuth.');
    const merchants = MERCHANTS.map((name, index) => {
      return { id: `pmch_sim${index}`, name, mcc: '5943', country: 'USA' };
    });
    const access = { ...blank.access, oauthClients: [{ ...client, refreshTokens: REFRESH_TOKENS }] };
    const sandbox = await startBrexSandbox({ data: { ...blank, merchants, access }, clock: time });
    return new BrexSource(sandbox, time);
  }

  get access(): SourceAccess {
    const { clientId, clientSecret } = SANDBOX_ACCESS;
    return {
      kind: 'BREX',
      baseUrl: this.sandbox.url,
      credentials: { kind: 'oauth2', clientId, clientSecret, refreshToken: this.refreshToken() },
      settings: {
        tokenUrl: `${this.sandbox.url}/oauth2/default/v1/token`,
        webhookSecret: this.secret,
        taxField: 'Tax amount',
        timeoutSeconds: 8,
      },
    };
  }

  get told(): Told {
    const told = new Map<string, ExportReport['outcome'][]>();
    for (const purchase of this.purchases) {
      for (const id of this.idsOf(purchase)) {
        const last = id.startsWith('accr_') ? this.sandbox.control.lastExport(id) : null;
        if (last?.referenceId) told.set(id, [{ kind: 'SUCCESS', ledgerDocumentId: last.referenceId }]);
        else if (last?.errorMessage) told.set(id, [{ kind: 'FAILURE', message: last.errorMessage }]);
      }
    }
    return told;
  }

  standUnder(faults: VendorFaults): void {
    faults.standAt(this.sandbox.faults, 'source');
  }

  override add(purchase: Purchase): void {
    super.add(purchase);
    this.sandbox.control.addPurchase(this.rowOf(purchase));
  }

  /** Brex shows its views by itself, each at its own moment. */
  show(purchase: Purchase, _view: View): boolean {
    if (!this.isThere(purchase) || purchase.isFinal || (this.recordFrom.get(purchase.id) ?? 0) > this.time.nowMs)
      return false;
    purchase.isFinal = true;
    for (const id of this.idsOf(purchase)) {
      if (id.startsWith('accr_')) this.sandbox.control.setReviewStatus(id, 'READY_FOR_EXPORT');
    }
    return true;
  }

  override changeAmount(purchase: Purchase, minor: bigint, late: View | null): boolean {
    if (!this.isThere(purchase) || minor < 0n !== purchase.minor < 0n) return false;
    const isCardLate = late === 'CARD_TRANSACTIONS';
    this.sandbox.control.editExpense(expenseId(purchase), { amount: Number(minor), transaction: !isCardLate });
    const { parts } = purchase;
    super.changeAmount(purchase, minor, isCardLate ? late : null);
    purchase.parts = parts;
    return true;
  }

  override recode(purchase: Purchase, category: string): boolean {
    if (!this.isThere(purchase)) return false;
    this.sandbox.control.editExpense(expenseId(purchase), { category, glAccount: codeFor(category) });
    return super.recode(purchase, category);
  }

  /** Nobody can change what the card network has sent. */
  override rename(): boolean {
    return false;
  }

  /** A split is a split from its first day on. */
  override split(): boolean {
    return false;
  }

  override withdraw(purchase: Purchase): boolean {
    if (!this.isThere(purchase) || purchase.isWithdrawn) return false;
    this.sandbox.control.voidExpense(expenseId(purchase));
    return super.withdraw(purchase);
  }

  /** The money was paid whatever became of the expense. */
  override dueOf(purchase: Purchase): bigint {
    return purchase.minor;
  }

  override catchUp(): void {
    for (const purchase of this.purchases) {
      if (purchase.before === null || purchase.isWithdrawn) continue;
      const amount = Number(purchase.minor);
      this.sandbox.control.editExpense(expenseId(purchase), { amount, transaction: true });
    }
    super.catchUp();
    for (const purchase of this.purchases) this.show(purchase, 'ACCOUNTING_RECORDS');
  }

  idsOf(purchase: Purchase): readonly string[] {
    const suffixes = purchase.parts.length > 0 ? purchase.parts.map((_, index) => `_${index + 1}`) : [''];
    return [
      `pst_${purchase.id}`,
      expenseId(purchase),
      ...suffixes.flatMap((suffix) => [`expense_${purchase.id}${suffix}`, `accr_${purchase.id}${suffix}`]),
    ];
  }

  delivery(id: string, purchase: Purchase, view: View): Delivery {
    const ready = this.idsOf(purchase).filter((one) => one.startsWith('accr_'));
    const [event] =
      view === 'EXPENSES'
        ? [
            {
              event_type: 'EXPENSE_PAYMENT_UPDATED',
              expense_id: expenseId(purchase),
              company_id: SANDBOX_ACCESS.companyId,
            },
          ]
        : this.sandbox.control.readyEvents(ready);
    const body = JSON.stringify(event);
    const timestamp = String(Math.floor(this.time.nowMs / 1_000));
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature(this.secret, id, timestamp, body),
    };
    return { headers, rawBody: Buffer.from(body) };
  }

  /** All access tokens end; the refresh token gets new ones. */
  override changeCredential(): boolean {
    return this.sandbox.control.expireTokens() > 0;
  }

  /** A login that was never used: a refresh token that was spent before ends all that came of it. */
  override credentialToEnter(): unknown {
    this.login += 1;
    return this.access.credentials;
  }

  private refreshToken(): string {
    const token = REFRESH_TOKENS[this.login];
    if (token === undefined) throw new Error('No login is left at the simulated Brex.');
    return token;
  }

  override changeWebhookSecret(): SourceAccess['settings'] {
    const { secret } = this.sandbox.control.rotateSecret();
    const before = this.secret;
    this.secret = secret;
    return { ...this.access.settings, webhookSecret: [before, secret] };
  }

  override close(): Promise<void> {
    return this.sandbox.close();
  }

  private follow(nowMs: number): void {
    const { control } = this.sandbox;
    if (nowMs > Date.parse(control.now)) control.setNow(new Date(nowMs).toISOString());
  }

  /** Whether its expense is settled, so that people can change it. */
  private isThere(purchase: Purchase): boolean {
    return !purchase.isWithdrawn && (this.visibleFrom.get(purchase.id) ?? 0) <= this.time.nowMs;
  }

  private rowOf(purchase: Purchase): SeedPurchase {
    const { id, minor, merchant, category, original } = purchase;
    // What decides is drawn already: the number of streams that the purchase would begin with.
    const delay = (view: View) => (purchase.shown.has(view) ? 0 : LATER_MS);
    const at = (view: View) => new Date(this.time.nowMs + delay(view)).toISOString();
    const now = new Date(this.time.nowMs).toISOString();
    this.visibleFrom.set(id, this.time.nowMs + delay('EXPENSES'));
    this.recordFrom.set(id, this.time.nowMs + delay('ACCOUNTING_RECORDS'));
    const coding = { gl_account: codeFor(category) };
    const isSplit = Number(id.slice(1)) % 5 === 0;
    const first = minor / 3n;
    if (isSplit) purchase.parts = [first, minor - first];
    const children = purchase.parts.map((part, index) => {
      const amountMinor = Number(part);
      return { suffix: String(index + 1), amountMinor, lines: [{ amountMinor, coding }] };
    });
    return {
      ...{ key: id, kind: 'CARD', user: 0, merchant: MERCHANTS.indexOf(merchant), descriptor: merchant.toUpperCase() },
      ...{ amountMinor: Number(minor), currency: 'USD', category },
      ...(original ? { originalMinor: Number(original.minor), originalCurrency: original.currency } : {}),
      ...(purchase.taxPercent > 0 && !isSplit ? { taxMinor: Math.abs(Number(taxOf(purchase, minor))) } : {}),
      purchasedAt: `${purchase.day}T09:00:00.000Z`,
      ...{ postedAt: now, expenseAt: at('EXPENSES'), recordAt: at('ACCOUNTING_RECORDS') },
      reviewStatus: purchase.isFinal ? 'READY_FOR_EXPORT' : 'REVIEW',
      ...(isSplit ? { lines: [], children } : { lines: [{ amountMinor: Number(minor), coding }] }),
    };
  }
}

function expenseId({ id }: Purchase): string {
  return `expense_${id}`;
}

function codeFor(category: string): string | null {
  return CODES[category.length % CODES.length] ?? null;
}
