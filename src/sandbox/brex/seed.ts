/**
 * What a simulated Brex account starts with. Plain JSON, so that a file can hold it. A purchase is one compact row; its
 * card transaction, expense and accounting record are derived from it whenever they are served.
 */

export interface BrexSeed {
  /** The sandbox's "now" at the start, RFC 3339. What becomes visible later than this is not served yet. */
  now: string;
  company: SeedCompany;
  access: SeedAccess;
  users: SeedUser[];
  departments: SeedNamed[];
  locations: SeedNamed[];
  budgets: SeedNamed[];
  legalEntities: SeedLegalEntity[];
  fields: SeedField[];
  cashAccounts: SeedCashAccount[];
  vendors: SeedVendor[];
  merchants: SeedMerchant[];
  purchases: SeedPurchase[];
  cashTransactions: SeedCashTransaction[];
  /** Changes that happen by themselves when the sandbox's clock passes them. */
  plannedEdits: SeedPlannedEdit[];
  /** An accounting integration that exists from the start. */
  integration: SeedIntegration | null;
}

export interface SeedCompany {
  /** `cuacc_…`; `companyId` in webhooks. */
  id: string;
  legalName: string;
  accountType: 'BREX_CLASSIC' | 'BREX_EMPOWER';
}

export interface SeedAccess {
  /** `scopes: null` grants all. */
  userTokens: { token: string; userId: string; scopes: string[] | null }[];
  oauthClients: SeedOauthClient[];
  webhookSecrets: { secret: string; status: 'ACTIVE' | 'PENDING_REVOKE' | 'REVOKED' }[];
}

export interface SeedOauthClient {
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  /** Refresh tokens that were granted before the start. */
  refreshTokens: string[];
  userId: string;
  scopes: string[] | null;
}

export interface SeedUser {
  id: string;
  firstName: string;
  lastName: string;
  email: string;
  role: string;
  departmentId: string | null;
  locationId: string | null;
}

export interface SeedNamed {
  id: string;
  name: string;
}

export interface SeedLegalEntity extends SeedNamed {
  currency: string;
  isDefault: boolean;
}

export interface SeedField {
  brexId: string;
  name: string;
  group: 'ERP' | 'ACCOUNTING' | 'USER' | 'TRAVEL';
  remoteId: string | null;
  values: SeedFieldValue[];
}

export interface SeedFieldValue {
  brexId: string;
  value: string;
  valueId: string | null;
  remoteId: string | null;
  isDisabled: boolean;
}

export interface SeedCashAccount {
  /** `dpacc_…` */
  id: string;
  name: string;
  isPrimary: boolean;
  accountNumber: string;
  routingNumber: string;
  balanceMinor: number;
}

export interface SeedVendor {
  id: string;
  companyName: string;
  email: string | null;
  phone: string | null;
}

export interface SeedMerchant {
  /** `pmch_…` */
  id: string;
  /** The cleaned name that accounting records show. */
  name: string;
  mcc: string;
  /** ISO 3166-1 alpha-3. */
  country: string;
}

export type SeedPurchaseKind =
  /** Card purchase: transaction, expense, record. Negative amount: a refund. */
  | 'CARD'
  /** Expense and record, no transaction. */
  | 'REIMBURSEMENT'
  /** Expense of type BILLPAY and a BILL record. */
  | 'BILL'
  /** The company pays its card balance: transaction and CARD_PAYMENT record, no expense. */
  | 'COLLECTION'
  /** Transaction of type REWARDS_CREDIT and nothing else. */
  | 'REWARDS_CREDIT';

export interface SeedPurchase {
  /** `pst_<key>`, `expense_<key>` and `accr_<key>` are made from it. Unique. */
  key: string;
  kind: SeedPurchaseKind;
  /** Index into `users`; null for what no user did. */
  user: number | null;
  /** Index into `merchants`; null without one. */
  merchant: number | null;
  /** As the card network sent it. */
  descriptor: string;
  /** What the entity is billed, signed minor units: negative is money back. */
  amountMinor: number;
  currency: string;
  /** What the merchant charged, when that differs. */
  originalMinor?: number;
  originalCurrency?: string;
  /** RFC 3339, up to microseconds. */
  purchasedAt: string;
  /** Settlement. The transaction is visible from here on. */
  postedAt: string;
  /** The settled expense is visible from here on. */
  expenseAt: string;
  /** The expense is shown before that as an authorisation, whose amount may differ from what is settled. */
  pending?: { at: string; amountMinor: number };
  /** The accounting record is visible from here on. */
  recordAt: string;
  /** Default `READY_FOR_EXPORT`. */
  reviewStatus?: ReviewStatus;
  memo?: string;
  category?: string;
  /** Tax in `amountMinor`, shown as the custom field `Tax amount`. */
  taxMinor?: number;
  /** Index into `legalEntities`; default 0. */
  entity?: number;
  hasReceipt?: boolean;
  /** Coded lines; they add up to `amountMinor`. Signed as it is. */
  lines: SeedLine[];
  /** Set for a split: children with expenses and records of their own. They add up to `amountMinor`; `lines` is then empty. */
  children?: SeedChild[];
}

export interface SeedChild {
  /** `expense_<key of the parent>_<suffix>`. */
  suffix: string;
  amountMinor: number;
  memo?: string;
  lines: SeedLine[];
}

export interface SeedLine {
  amountMinor: number;
  memo?: string;
  /** Field remote id to value remote id; null is "not coded yet". */
  coding: Record<string, string | null>;
}

export type ReviewStatus = 'PREPARE' | 'REVIEW' | 'READY_FOR_EXPORT' | 'EXPORTED';

export interface SeedCashTransaction {
  id: string;
  accountId: string;
  description: string;
  /** Null occurs in the real API. */
  amountMinor: number | null;
  currency: string;
  initiatedAt: string;
  postedAt: string;
  type: string;
  transferId: string | null;
}

export interface SeedPlannedEdit {
  at: string;
  /** The purchase's key. */
  key: string;
  edit: ExpenseEdit;
}

/** A change of an expense that reaches all its views. Missing members stay as they are. */
export interface ExpenseEdit {
  /** New billed amount in minor units, signed. */
  amount?: number | undefined;
  memo?: string | null | undefined;
  /** New value of the field `gl_account` on every line. Null takes the coding away. */
  glAccount?: string | null | undefined;
  /** New value of the field `cost_center` on every line. */
  costCentre?: string | null | undefined;
  /** New values of any field, by remote field id. */
  coding?: Record<string, string | null> | undefined;
  category?: string | undefined;
  /** Whether the card transaction changes too. Default true. */
  transaction?: boolean | undefined;
  /** The record's state afterwards. Default READY_FOR_EXPORT. */
  reviewStatus?: ReviewStatus | undefined;
}

export interface SeedIntegration {
  id: string;
  vendor: string;
  vendorAccountId: string;
}
