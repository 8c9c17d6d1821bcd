import { type LocalDate, localDate } from '../../../src/domain/localDate.js';
import { type Money, moneyFromDecimal } from '../../../src/domain/money.js';
import type {
  FiscalPeriodFact,
  LedgerRules,
  MappingRule,
  MappingVersion,
  MasterData,
  PlanContext,
  PlannedDocument,
  PlanPipeline,
  PlanSpend,
  VendorFact,
} from '../../../src/domain/plan.js';
import type { SourceObject, SpendPart, UnifiedSpend } from '../../../src/domain/spend.js';

/** A small company with open books from October 2026 on, and the purchases that the tests are about. */

export const usd = (text: string): Money => moneyFromDecimal(text, 'USD');
export const day = (text: string): LocalDate => localDate(text);

export function part(over: Partial<SpendPart> = {}): SpendPart {
  return {
    sourceLineId: null,
    amount: usd('100.00'),
    tax: null,
    category: null,
    glAccount: null,
    costCentre: null,
    dimensions: {},
    memo: null,
    ...over,
  };
}

/** A toner purchase of 100.00 USD, final, seen as card transaction, expense and accounting record. */
export function purchase(over: Partial<UnifiedSpend> = {}): UnifiedSpend {
  const amount = over.amount ?? usd('100.00');
  return {
    kind: 'PURCHASE',
    notSpendReason: null,
    isWithdrawn: false,
    streams: ['ACCOUNTING_RECORDS', 'EXPENSES', 'CARD_TRANSACTIONS'],
    isFinal: true,
    amount,
    originalAmount: null,
    exchangeRate: null,
    tax: null,
    merchantName: 'Office Depot',
    merchantDescriptor: 'OFFICE DEPOT #88',
    mcc: '5943',
    category: 'OFFICE_SUPPLIES',
    dimensions: {},
    parts: [part({ amount, category: 'OFFICE_SUPPLIES' })],
    spender: 'Ana Ruiz',
    memo: 'Toner',
    transactionDate: day('2026-11-09'),
    postedDate: day('2026-11-11'),
    receiptUrls: [],
    disagreement: null,
    ...over,
  };
}

export function item(id: string, spend: UnifiedSpend = purchase(), over: Partial<PlanSpend> = {}): PlanSpend {
  return { id, originKey: `expense:${id}`, revision: 1, spend, vendor: null, ...over };
}

export function vendor(over: Partial<VendorFact> = {}): VendorFact {
  return { matchId: 'm1', status: 'AUTO_MATCHED', supplierCode: 'S100', explanation: 'Same name.', ...over };
}

export function rule(over: Partial<MappingRule> = {}): MappingRule {
  return {
    category: null,
    dimension: null,
    dimensionValue: null,
    merchant: null,
    mcc: null,
    glAccount: '6100',
    costCentre: null,
    dimensions: {},
    taxCode: null,
    ...over,
  };
}

export function mapping(...rules: MappingRule[]): MappingVersion {
  return { version: 3, effectiveFrom: day('2026-01-01'), rules };
}

export const PERIODS: readonly FiscalPeriodFact[] = [
  { label: '2026-09', startsOn: day('2026-09-01'), endsOn: day('2026-09-30'), open: false, key: { period: '09' } },
  { label: '2026-10', startsOn: day('2026-10-01'), endsOn: day('2026-10-31'), open: true, key: { period: '10' } },
  { label: '2026-11', startsOn: day('2026-11-01'), endsOn: day('2026-11-30'), open: true, key: { period: '11' } },
];

/** Knows accounts 6100, 6200, 2110 (clearing), 9999 and 1575; 6300 is inactive, 2000 is a control account. */
export function masterData(over: Partial<MasterData> = {}): MasterData {
  const accounts = new Map(
    ['6100', '6200', '2110', '9999', '1575', '6300', '2000'].map((code) => [
      code,
      {
        code,
        name: `Account ${code}`,
        active: code !== '6300',
        blockedReason: code === '2000' ? 'it is a control account' : null,
      },
    ]),
  );
  const suppliers = new Map([
    ['S100', { code: 'S100', name: 'Office Depot', active: true, currency: 'USD' }],
    ['S200', { code: 'S200', name: 'Old Depot', active: false, currency: 'USD' }],
    ['S300', { code: 'S300', name: 'Dépôt', active: true, currency: 'EUR' }],
  ]);
  return {
    account: (code) => accounts.get(code),
    supplier: (code) => suppliers.get(code),
    dimensionValue: (dimension, code) => {
      if (dimension !== 'CostCentre') return null;
      return code === 'CC1' || code === 'CC2' ? { name: code, active: true } : undefined;
    },
    periods: PERIODS,
    ...over,
  };
}

export function rules(over: Partial<LedgerRules> = {}): LedgerRules {
  return {
    localCurrency: 'USD',
    documentTypes: ['JOURNAL', 'SUPPLIER_INVOICE'],
    maxLines: 1000,
    memoLength: 250,
    costCentreDimension: 'CostCentre',
    accountCode: ({ glAccount }) => glAccount,
    ...over,
  };
}

export function pipeline(over: Partial<PlanPipeline> = {}): PlanPipeline {
  return {
    id: 'pipe-1',
    streams: ['ACCOUNTING_RECORDS', 'EXPENSES', 'CARD_TRANSACTIONS', 'CASH_TRANSACTIONS'],
    documentType: 'JOURNAL',
    grouping: 'PER_RECORD',
    offsetAccount: '2110',
    defaultAccount: null,
    unmatchedVendor: 'HOLD',
    postingDate: 'TRANSACTION_DATE',
    closedPeriod: 'HOLD',
    coding: 'RICHEST',
    requireApproval: false,
    timeZone: 'America/New_York',
    ...over,
  };
}

export function context(
  over: Partial<Omit<PlanContext, 'pipeline'>> & { pipeline?: Partial<PlanPipeline> } = {},
): PlanContext {
  return {
    ledgerId: 'ledger-1',
    mapping: mapping(rule({ category: 'OFFICE_SUPPLIES' }), rule({ category: 'TRAVEL', glAccount: '6200' })),
    masterData: masterData(),
    rules: rules(),
    today: day('2026-11-20'),
    dailySequence: () => 0,
    ...over,
    pipeline: pipeline(over.pipeline),
  };
}

/** A card transaction of 100.00 USD, until told otherwise. */
export function sourceObject(over: Partial<SourceObject> & { externalId: string }): SourceObject {
  return {
    stream: 'CARD_TRANSACTIONS',
    version: '1',
    keys: [`card:${over.externalId}`],
    kind: 'PURCHASE',
    notSpendReason: null,
    isFinal: true,
    isWithdrawn: false,
    amount: usd('100.00'),
    originalAmount: null,
    exchangeRate: null,
    tax: null,
    merchantName: null,
    merchantDescriptor: null,
    mcc: null,
    category: null,
    dimensions: {},
    parts: [],
    spender: null,
    memo: null,
    transactionDate: day('2026-11-09'),
    postedDate: null,
    receiptUrls: [],
    raw: null,
    ...over,
  };
}

/** The lines in short: account, side and amount in minor units. */
export function shortLines(document: PlannedDocument | null | undefined): string[] {
  return (document?.lines ?? []).map((line) =>
    line.debitMinor > 0n
      ? `${line.glAccount} debit ${line.debitMinor}`
      : `${line.glAccount} credit ${line.creditMinor}`,
  );
}

export function holdCodes(document: PlannedDocument | null | undefined): string[] {
  return (document?.holds ?? []).map((hold) => hold.code);
}
