import type { LocalDate } from '../domain/localDate.js';
import type { MappingRule } from '../domain/plan.js';
import { done, type Outcome, type Problem } from './outcome.js';
import type { MappingRequest } from './useCases.js';

/** What can be said about mapping rules without a database. */

/** A first mapping holds for all that was ever spent; a later one from today on, unless it says otherwise. */
export function beginningOf(given: LocalDate | undefined, isFirst: boolean, today: LocalDate): LocalDate {
  return given ?? (isFirst ? ('1900-01-01' as LocalDate) : today);
}

type RuleInput = MappingRequest['rules'][number];

/** A rule as it is stored. */
export function normalRule(rule: RuleInput): MappingRule {
  return {
    category: rule.category ?? null,
    dimension: rule.dimension ?? null,
    dimensionValue: rule.dimensionValue ?? null,
    merchant: rule.merchant ?? null,
    mcc: rule.mcc ?? null,
    glAccount: rule.glAccount.trim(),
    costCentre: rule.costCentre ?? null,
    dimensions: (rule.dimensions ?? {}) as Record<string, string>,
    taxCode: rule.taxCode ?? null,
  };
}

/** The rules as they are stored, or what is wrong with each. */
export function checkedRules(rules: MappingRequest['rules']): Outcome<MappingRule[]> {
  const problems: Problem[] = [];
  rules.forEach((rule, index) => {
    const say = (field: string, message: string) =>
      problems.push({ code: 'BAD_INPUT', message, path: ['rules', String(index), field], resolution: null });
    if (rule.glAccount.trim() === '') say('glAccount', 'A rule needs a GL account.');
    if (rule.mcc != null && !/^\d{4}$/.test(rule.mcc)) say('mcc', 'A merchant category code has four digits.');
    if ((rule.dimension == null) !== (rule.dimensionValue == null)) {
      say('dimensionValue', 'dimension and dimensionValue go together.');
    }
    const dimensions = rule.dimensions ?? {};
    const isMap =
      typeof dimensions === 'object' &&
      !Array.isArray(dimensions) &&
      Object.values(dimensions).every((value) => typeof value === 'string');
    if (!isMap) say('dimensions', 'dimensions is an object of texts by name.');
  });
  return problems.length > 0 ? { ok: false, problems } : done(rules.map(normalRule));
}
