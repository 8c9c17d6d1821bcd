import { compareText } from './identity.js';
import type { LocalDate } from './localDate.js';
import type { LedgerRules, MappingVersion, MasterData, PlanPipeline } from './plan.js';
import { LedgerChecks } from './planChecks.js';
import type { Hold } from './vocabulary.js';

/** Drift: what a mapping names and the ledger has lost, found before a posting fails on it. */

/** The name under which a connector that can list them gives the ledger's tax codes among its dimensions. */
export const TAX_CODE_DIMENSION = 'TaxCode';

export type LostKind = 'ACCOUNT' | 'DIMENSION' | 'TAX_CODE' | 'SUPPLIER';

export interface Lost {
  readonly kind: LostKind;
  /** Of a DIMENSION, as master data calls it. */
  readonly dimension: string | null;
  /** As the ledger spells it. */
  readonly code: string;
  /** What is wrong with it, a sentence. */
  readonly problem: string;
  /** Where it is named, e.g. `rule 2 of mapping version 3 of "Cards"`. */
  readonly uses: readonly string[];
  /** How lines name it: the account, and its cost centre where that is part of what was lost. */
  readonly line: { readonly glAccount: string | null; readonly costCentre: string | null };
}

export interface MappingInUse {
  readonly name: string;
  readonly pipeline: Pick<
    PlanPipeline,
    'offsetAccount' | 'defaultAccount' | 'documentType' | 'closedPeriod' | 'roundingAccount' | 'taxCodes'
  >;
  /** The version in force and those to come. */
  readonly versions: readonly MappingVersion[];
  /** The cost centres that lines on an account had lately, where no rule names one. */
  costCentresOf(glAccount: string): readonly string[];
}

/** The version that is in force today and those that begin later. `versions` comes newest first. */
export function versionsAhead(versions: readonly MappingVersion[], today: LocalDate): MappingVersion[] {
  const current = versions.find((version) => version.effectiveFrom <= today);
  return versions.filter((version) => version === current || version.effectiveFrom > today);
}

/**
 * What a mapping names and the ledger does not have, or lets nobody post to: judged by the checks that planning makes.
 * A ledger without a list of a dimension, or of its tax codes, has lost none of them.
 */
export function lostBy(mapping: MappingInUse, masterData: MasterData, rules: LedgerRules): Lost[] {
  const checks = new LedgerChecks(masterData, rules, mapping.pipeline.closedPeriod);
  const { offsetAccount, documentType } = mapping.pipeline;
  const offset = checks.offset(offsetAccount, documentType);
  const ofPipeline = [
    ...lostOf(offset, `the offset account of "${mapping.name}"`, { glAccount: offsetAccount, costCentre: null }),
    ...accountsOf(mapping).flatMap(({ glAccount, use }) => lostAccount(mapping, checks, rules, glAccount, use)),
  ];
  const ofRules = mapping.versions.flatMap((version) =>
    version.rules.flatMap((rule, index) => {
      const use = `rule ${index + 1} of mapping version ${version.version} of "${mapping.name}"`;
      const { glAccount, costCentre, dimensions, taxCode } = rule;
      const account =
        costCentre === null
          ? lostAccount(mapping, checks, rules, glAccount, use)
          : lostOf(checks.account(glAccount, costCentre), use, { glAccount, costCentre }, rules.costCentreDimension);
      const nothing = { glAccount: null, costCentre: null };
      return [
        ...account,
        ...lostOf(checks.dimensions(dimensions), use, nothing),
        ...(taxCode === null ? [] : lostTaxCode(masterData, taxCode, use)),
      ];
    }),
  );
  return merged([...ofPipeline, ...ofRules]);
}

/** Accounts that the pipeline names beside its rules, without a cost centre. */
function accountsOf({ name, pipeline }: MappingInUse): { glAccount: string; use: string }[] {
  const { defaultAccount, roundingAccount = null, taxCodes = {} } = pipeline;
  const named = [
    { glAccount: defaultAccount, use: `the default account of "${name}"` },
    { glAccount: roundingAccount, use: `the rounding account of "${name}"` },
    ...Object.entries(taxCodes).flatMap(([code, { account, outputAccount }]) =>
      [account, outputAccount].map((glAccount) => ({ glAccount, use: `tax code ${code} of "${name}"` })),
    ),
  ];
  return named.flatMap(({ glAccount, use }) => (glAccount === null ? [] : [{ glAccount, use }]));
}

/**
 * An account that is named without a cost centre gets the purchase's. Where the two together are the ledger's account, what
 * was used lately says which are meant.
 */
function lostAccount(
  mapping: MappingInUse,
  checks: LedgerChecks,
  rules: LedgerRules,
  glAccount: string,
  use: string,
): Lost[] {
  const alone = { glAccount, costCentre: null };
  const isJudgedAlone = checks.hasAccount(glAccount, null) || rules.isCostCentreInAccount !== true;
  if (isJudgedAlone) return lostOf(checks.account(glAccount, null), use, alone);
  return mapping.costCentresOf(glAccount).flatMap((costCentre) => {
    // A cost centre that only purchases bring is theirs to lose; the mapping names the account.
    const holds = checks.account(glAccount, costCentre).filter(({ code }) => code !== 'DIMENSION_MISSING');
    return lostOf(holds, use, { glAccount, costCentre });
  });
}

function lostOf(
  holds: readonly Hold[],
  use: string,
  line: Lost['line'],
  costCentreDimension: string | null = null,
): Lost[] {
  return holds.map(({ code, message, field, value }): Lost => {
    const common = { code: value ?? '', problem: message, uses: [use] };
    if (code !== 'DIMENSION_MISSING') return { ...common, kind: 'ACCOUNT', dimension: null, line };
    const dimension = field === 'costCentre' ? costCentreDimension : (field ?? null);
    const costCentre = field === 'costCentre' ? (value ?? null) : null;
    return { ...common, kind: 'DIMENSION', dimension, line: { glAccount: null, costCentre } };
  });
}

function lostTaxCode(masterData: MasterData, code: string, use: string): Lost[] {
  const value = masterData.dimensionValue(TAX_CODE_DIMENSION, code);
  if (value === null || value?.active) return [];
  const problem = `Tax code ${code} ${value ? `(${value.name}) is not active` : 'does not exist'} in the ledger.`;
  return [
    {
      ...{ kind: 'TAX_CODE', dimension: null, code, problem, uses: [use] },
      line: { glAccount: null, costCentre: null },
    },
  ];
}

export function lostKey({ kind, dimension, code }: Pick<Lost, 'kind' | 'dimension' | 'code'>): string {
  return [kind, dimension ?? '', code].join(':');
}

/** One thing that is lost is one, wherever it is named. */
export function merged(all: readonly Lost[]): Lost[] {
  const byKey = new Map<string, Lost>();
  for (const lost of all) {
    const known = byKey.get(lostKey(lost));
    byKey.set(lostKey(lost), known ? { ...known, uses: [...new Set([...known.uses, ...lost.uses])] } : lost);
  }
  return [...byKey.values()].sort((a, b) => compareText(lostKey(a), lostKey(b)));
}
