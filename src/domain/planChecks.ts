import type { LocalDate } from './localDate.js';
import type { FiscalPeriodFact, LedgerRules, MasterData, PlanPipeline } from './plan.js';
import type { UnifiedSpend } from './spend.js';
import type { DocumentType, Hold } from './vocabulary.js';

/** The day a document is posted on, as the pipeline's policies and the ledger's calendar decide it. */
export interface PostingDay {
  readonly day: LocalDate;
  /** null only when held. */
  readonly period: FiscalPeriodFact | null;
  /** Set when the posting was moved to a later period: the day it belongs to, and a sentence for its lines. */
  readonly moved: { readonly from: LocalDate; readonly explanation: string } | null;
  readonly hold: Hold | null;
}

type CodedLine = {
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
};

/**
 * What the ledger's master data and calendar say about a document before it is sent.
 * Answers are remembered, for a plan asks the same few questions of thousands of records; so one instance serves one
 * plan and is thrown away with it.
 */
export class LedgerChecks {
  private readonly accounts = new Map<string, readonly Hold[]>();
  private readonly values = new Map<string, Hold | null>();
  private readonly days = new Map<LocalDate, PostingDay>();

  constructor(
    private readonly masterData: MasterData,
    private readonly rules: LedgerRules,
    private readonly closedPeriod: PlanPipeline['closedPeriod'],
  ) {}

  /** Everything that is wrong with a line's account, cost centre and dimensions. */
  line(line: CodedLine): readonly Hold[] {
    const holds = [...this.account(line.glAccount, line.costCentre), ...this.required(line)];
    const others = this.dimensions(line.dimensions);
    return others.length === 0 ? holds : [...holds, ...others];
  }

  /** Everything that is wrong with the values of dimensions beside the cost centre. */
  dimensions(dimensions: CodedLine['dimensions']): readonly Hold[] {
    const names = Object.keys(dimensions);
    if (names.length === 0) return [];
    return names.map((name) => this.dimension(name, dimensions[name] ?? '')).filter((hold) => hold !== null);
  }

  account(glAccount: string, costCentre: string | null): readonly Hold[] {
    const key = `${glAccount}\u0000${costCentre ?? ''}`;
    let holds = this.accounts.get(key);
    if (!holds) {
      holds = this.accountHolds(glAccount, costCentre);
      this.accounts.set(key, holds);
    }
    return holds;
  }

  /** Dimensions that the account asks for and the line does not have. */
  private required(line: CodedLine): readonly Hold[] {
    const account = this.masterData.account(this.rules.accountCode(line));
    const wanted = account?.requiredDimensions ?? [];
    if (!account || wanted.length === 0) return [];
    const isMissing = (name: string) =>
      name === this.rules.costCentreDimension ? line.costCentre === null : (line.dimensions[name] ?? '') === '';
    return wanted
      .filter(({ dimension }) => isMissing(dimension))
      .map(({ dimension, label }) => requiredMissing(account.code, account.name, dimension, label));
  }

  /**
   * The other side of a document. On an invoice that is the control account: the ledger itself posts to it, so that it
   * may be closed to everybody else.
   */
  offset(glAccount: string, documentType: DocumentType): readonly Hold[] {
    if (documentType === 'JOURNAL') return this.account(glAccount, null);
    const code = this.rules.accountCode({ glAccount, costCentre: null });
    const account = this.masterData.account(code);
    if (!account) return [accountMissing(code)];
    return account.active ? [] : [accountInactive(code, account.name, 'it is not active')];
  }

  /** Whether the ledger has the account for this cost centre at all. */
  hasAccount(glAccount: string, costCentre: string | null): boolean {
    return this.masterData.account(this.rules.accountCode({ glAccount, costCentre })) !== undefined;
  }

  /** The day by policy, moved or held where its period is closed or unknown. */
  postingDay(wanted: LocalDate): PostingDay {
    let day = this.days.get(wanted);
    if (!day) {
      day = this.findDay(wanted);
      this.days.set(wanted, day);
    }
    return day;
  }

  private accountHolds(glAccount: string, costCentre: string | null): Hold[] {
    const { costCentreDimension } = this.rules;
    if (costCentre !== null && costCentreDimension !== null) {
      // The code of the account may contain the cost centre: "account missing" would then send people the wrong way.
      const hold = this.dimension(costCentreDimension, costCentre, 'costCentre');
      if (hold) return [hold];
    }
    const code = this.rules.accountCode({ glAccount, costCentre });
    const account = this.masterData.account(code);
    if (!account && costCentre === null && this.rules.isCostCentreInAccount) return [costCentreMissing(code)];
    if (!account) return [accountMissing(code)];
    if (account.blockedReason !== null) return [accountInactive(code, account.name, account.blockedReason)];
    if (!account.active) return [accountInactive(code, account.name, 'it is not active')];
    return [];
  }

  private dimension(name: string, code: string, field = name): Hold | null {
    const key = `${name}\u0000${code}\u0000${field}`;
    let hold = this.values.get(key);
    if (hold === undefined) {
      hold = this.dimensionHold(name, code, field);
      this.values.set(key, hold);
    }
    return hold;
  }

  private dimensionHold(name: string, code: string, field: string): Hold | null {
    const value = this.masterData.dimensionValue(name, code);
    if (value === null || value?.active) return null;
    const problem = value ? `is not active in the ledger (${value.name})` : 'does not exist in the ledger';
    return {
      code: 'DIMENSION_MISSING',
      message: `${name} "${code}" ${problem}.`,
      field,
      value: code,
      resolution: `Create or activate ${name} "${code}" in the ledger, or change the mapping or the tag at the source, then replay.`,
    };
  }

  private findDay(wanted: LocalDate): PostingDay {
    const { periods } = this.masterData;
    const containing = periods.filter((period) => period.startsOn <= wanted && wanted <= period.endsOn);
    // An adjustment period may overlap the last ordinary one: any that is open will do.
    const open = containing.find((period) => period.open);
    if (open) return { day: wanted, period: open, moved: null, hold: null };
    const closed = containing[0];
    const problem = closed
      ? `lies in period ${closed.label}, which is closed`
      : 'lies in no period that the ledger shows';
    const next =
      this.closedPeriod === 'NEXT_OPEN_PERIOD'
        ? periods.find((period) => period.open && period.startsOn > wanted)
        : undefined;
    if (next) {
      const explanation = `${wanted} ${problem}: posted on ${next.startsOn}, the first day of the next open period ${next.label}.`;
      return { day: next.startsOn, period: next, moved: { from: wanted, explanation }, hold: null };
    }
    return { day: wanted, period: null, moved: null, hold: this.periodClosed(wanted, problem) };
  }

  private periodClosed(wanted: LocalDate, problem: string): Hold {
    const noNext = this.closedPeriod === 'NEXT_OPEN_PERIOD' ? ', and no later period is open' : '';
    const hold: Hold = {
      code: 'PERIOD_CLOSED',
      message: `The posting date ${wanted} ${problem}${noNext}.`,
      field: 'postingDate',
      value: wanted,
      resolution: 'Open the period in the ledger, or let the pipeline post to the next open period, then replay.',
    };
    if (this.masterData.periods.length > 0) return hold;
    return {
      ...hold,
      message: `The posting date ${wanted} cannot be checked: the ledger's fiscal periods are not known.`,
      resolution: "Refresh the ledger's master data so that its fiscal calendar is read, then replay.",
    };
  }
}

function accountMissing(code: string): Hold {
  return {
    code: 'ACCOUNT_MISSING',
    message: `Account ${code} does not exist in the ledger.`,
    field: 'glAccount',
    value: code,
    resolution: `Create account ${code} in the ledger, or change the mapping to an account that exists, then replay.`,
  };
}

function costCentreMissing(glAccount: string): Hold {
  return {
    code: 'DIMENSION_MISSING',
    message: `The ledger keeps account ${glAccount} by cost centre, and the purchase has none.`,
    field: 'costCentre',
    value: glAccount,
    resolution: 'Set a cost centre in the mapping or a tag at the source, or map to a whole account code, then replay.',
  };
}

function requiredMissing(code: string, name: string, dimension: string, label: string): Hold {
  return {
    code: 'DIMENSION_MISSING',
    message: `Account ${code} (${name}) needs ${label} on every line, and the purchase has none.`,
    field: dimension,
    value: code,
    resolution: `Set ${label} in the mapping or by a tag at the source, or map to another account, then replay.`,
  };
}

function accountInactive(code: string, name: string, reason: string): Hold {
  return {
    code: 'ACCOUNT_INACTIVE',
    message: `Nothing may be posted to account ${code} (${name}): ${reason.replace(/\.$/, '')}.`,
    field: 'glAccount',
    value: code,
    resolution: `Release account ${code} in the ledger, or change the mapping to another account, then replay.`,
  };
}

/** The day that the pipeline's policy asks for, before the ledger's calendar is looked at. */
export function wantedDay(spend: UnifiedSpend, policy: PlanPipeline['postingDate'], today: LocalDate): LocalDate {
  switch (policy) {
    case 'TRANSACTION_DATE':
      return spend.transactionDate;
    case 'POSTED_DATE':
      // Not every stream knows when a purchase was settled; the purchase date is the nearest thing to it.
      return spend.postedDate ?? spend.transactionDate;
    case 'SYNC_DATE':
      return today;
  }
}

/** Holds of one kind about one thing are one hold, whichever of the lines it was found on. */
export function distinctHolds(holds: readonly Hold[]): Hold[] {
  if (holds.length < 2) return [...holds];
  const byKey = new Map<string, Hold>();
  for (const hold of holds) {
    const key = `${hold.code}\u0000${hold.field ?? ''}\u0000${hold.value ?? hold.message}`;
    if (!byKey.has(key)) byKey.set(key, hold);
  }
  return [...byKey.values()];
}
