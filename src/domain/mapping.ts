import type { LocalDate } from './localDate.js';
import type { MappingRule, MappingVersion, PlanPipeline } from './plan.js';
import type { SpendPart, UnifiedSpend } from './spend.js';
import type { Hold } from './vocabulary.js';

/** Where a part of a purchase goes in the ledger, and why. */
export interface Coding {
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly taxCode: string | null;
  /** What decided it; `DEFAULT` is the pipeline's catch-all account. */
  readonly origin: 'RULE' | 'SOURCE' | 'DEFAULT';
  /** One sentence for the line. */
  readonly explanation: string;
}

/** A tax account has no cost centre but the rule's: it is a balance with the tax office, not a cost of a department. */
export type TaxAccount = Pick<Coding, 'glAccount' | 'costCentre' | 'dimensions' | 'explanation'>;

/** The category of the rule that says where tax lines go. */
export const TAX_CATEGORY = 'tax';

/** The version in force on a posting date: the newest of those that have begun. `versions` comes newest first. */
export function mappingOn(versions: readonly MappingVersion[], day: LocalDate): MappingVersion | null {
  return versions.find((version) => version.effectiveFrom <= day) ?? null;
}

export function isHold(value: Coding | Hold): value is Hold {
  return 'code' in value;
}

/**
 * Decides the account of one part.
 *
 * The first mapping rule whose conditions all hold decides. A rule with any condition beats the account that the source
 * gives, because the customer wrote it for exactly such purchases; a rule without conditions is a catch-all and does not
 * beat it, or the coding that people do at the source would be lost to a default. Without either, the pipeline's default
 * account; without that, a MAPPING_MISSING hold.
 *
 * The cost centre is the rule's, else the source's. Dimensions are the source's, overridden by name by the rule's.
 */
export function resolveCoding(
  part: SpendPart,
  spend: UnifiedSpend,
  mapping: MappingVersion | null,
  pipeline: Pick<PlanPipeline, 'defaultAccount'>,
): Coding | Hold {
  const rule = mapping ? firstRule(mapping, part, spend) : null;
  if (rule && (rule.conditions > 0 || part.glAccount === null)) return codingOfRule(rule, part);
  if (part.glAccount !== null) {
    return codedAtSource(part, part.glAccount, 'SOURCE', `Account ${part.glAccount} was coded at the source.`);
  }
  if (pipeline.defaultAccount !== null) {
    const why = mapping ? `No rule of mapping version ${mapping.version} fits` : 'No mapping rules are set';
    const explanation = `${why} and the source gives no account: the pipeline's default account ${pipeline.defaultAccount}.`;
    return codedAtSource(part, pipeline.defaultAccount, 'DEFAULT', explanation);
  }
  return mappingMissing(part, spend, mapping);
}

/**
 * Where the tax line of a part goes: the first rule with the category `tax` whose other conditions hold.
 * @returns null when there is none; the tax then stays on the account of the part.
 */
export function resolveTaxAccount(
  part: SpendPart,
  spend: UnifiedSpend,
  mapping: MappingVersion | null,
): TaxAccount | null {
  if (!mapping) return null;
  const rules = compiled(mapping);
  if (!rules.hasTaxRule) return null;
  const rule = firstOf(rules, { ...subjectOf(part, spend), categories: [TAX_CATEGORY] }, isTaxRule);
  if (!rule) return null;
  const { glAccount, costCentre, dimensions } = rule.rule;
  return { glAccount, costCentre, dimensions, explanation: `Tax to account ${glAccount} by ${rule.name}.` };
}

function codingOfRule({ rule, name, conditions }: CompiledRule, part: SpendPart): Coding {
  const why = conditions > 0 ? `${name} (${conditionsOf(rule)})` : `${name}, the catch-all`;
  return {
    glAccount: rule.glAccount,
    costCentre: rule.costCentre ?? part.costCentre,
    dimensions: { ...part.dimensions, ...rule.dimensions },
    taxCode: rule.taxCode,
    origin: 'RULE',
    explanation: `Account ${rule.glAccount} by ${why}.`,
  };
}

function codedAtSource(part: SpendPart, glAccount: string, origin: 'SOURCE' | 'DEFAULT', explanation: string): Coding {
  const { costCentre, dimensions } = part;
  return { glAccount, costCentre, dimensions, taxCode: null, origin, explanation };
}

function mappingMissing(part: SpendPart, spend: UnifiedSpend, mapping: MappingVersion | null): Hold {
  const category = part.category ?? spend.category;
  const what = category === null ? 'a purchase without a category' : `the category "${category}"`;
  const merchant = spend.merchantName ?? spend.merchantDescriptor;
  const where = merchant === null ? '' : ` at ${merchant}`;
  const rules = mapping ? `no rule of mapping version ${mapping.version} fits` : 'no mapping rules are set';
  return {
    code: 'MAPPING_MISSING',
    message: `There is no account for ${what}${where}: ${rules}, and the pipeline has no default account.`,
    field: category === null ? 'merchant' : 'category',
    ...((category ?? merchant) === null ? {} : { value: category ?? merchant ?? '' }),
    resolution: 'Add a mapping rule for it, or give the pipeline a default account, and replay the posting.',
  };
}

// ── rules ────────────────────────────────────────────────────────────────────────────────────

interface CompiledRule {
  readonly rule: MappingRule;
  /** e.g. `rule 3 of mapping version 7`. */
  readonly name: string;
  readonly conditions: number;
  readonly merchant: readonly string[] | null;
}

interface CompiledMapping {
  readonly rules: readonly CompiledRule[];
  readonly hasTaxRule: boolean;
}

/** What rules are compared with. */
interface Subject {
  readonly categories: readonly string[];
  readonly dimensions: Readonly<Record<string, string>>;
  readonly merchants: readonly (readonly string[])[];
  readonly mcc: string | null;
}

/** Rules are prepared once a mapping version, not once a purchase. Versions never change. */
const cache = new WeakMap<MappingVersion, CompiledMapping>();

function compiled(mapping: MappingVersion): CompiledMapping {
  let known = cache.get(mapping);
  if (!known) {
    const rules = mapping.rules.map((rule, index) =>
      compile(rule, `rule ${index + 1} of mapping version ${mapping.version}`),
    );
    known = { rules, hasTaxRule: rules.some(isTaxRule) };
    cache.set(mapping, known);
  }
  return known;
}

function compile(rule: MappingRule, name: string): CompiledRule {
  const set = [rule.category, rule.dimension, rule.dimensionValue, rule.merchant, rule.mcc];
  return {
    rule,
    name,
    conditions: set.filter((condition) => condition !== null).length,
    merchant: rule.merchant === null ? null : foldedName(rule.merchant),
  };
}

function isTaxRule({ rule }: CompiledRule): boolean {
  return rule.category?.toLowerCase() === TAX_CATEGORY;
}

/** The form that globs and the names they are compared with take: upper and lower case are the same, edges do not count. */
function foldedName(text: string): string[] {
  return [...text.trim().toLowerCase()];
}

/**
 * Whether a whole name fits a glob: `*` is any text, `?` any one character, case does not matter.
 * The time it takes is at most the product of both lengths, whatever the glob: a regular expression made from
 * `*a*a*a*b` can take minutes for one merchant.
 */
export function globMatches(glob: string, name: string): boolean {
  return fits(foldedName(glob), foldedName(name));
}

function fits(glob: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  // Where to go on if the last star has to take one character more.
  let star = -1;
  let taken = 0;
  for (let index = 0; index < name.length; ) {
    if (glob[at] === '*') {
      star = at;
      taken = index;
      at += 1;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      taken += 1;
      index = taken;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at += 1;
  return at === glob.length;
}

function firstRule(mapping: MappingVersion, part: SpendPart, spend: UnifiedSpend): CompiledRule | null {
  return firstOf(compiled(mapping), subjectOf(part, spend), () => true);
}

function firstOf(
  { rules }: CompiledMapping,
  subject: Subject,
  isEligible: (rule: CompiledRule) => boolean,
): CompiledRule | null {
  return rules.find((rule) => isEligible(rule) && holds(rule, subject)) ?? null;
}

function subjectOf(part: SpendPart, spend: UnifiedSpend): Subject {
  // A part that is only called by its account says nothing of its own about what was bought.
  const isUnnamed = part.category === null || (part.category === part.glAccount && spend.parts.length === 1);
  const categories = [part.category, part.glAccount, isUnnamed ? spend.category : null];
  const merchants = [spend.merchantName, spend.merchantDescriptor].filter((value) => value !== null);
  return {
    categories: categories.filter((value) => value !== null),
    // Of several parts each has its own tags; those of the whole may be another part's.
    dimensions: spend.parts.length > 1 ? part.dimensions : { ...spend.dimensions, ...part.dimensions },
    merchants: merchants.map(foldedName),
    mcc: spend.mcc,
  };
}

function holds({ rule, merchant }: CompiledRule, subject: Subject): boolean {
  if (rule.category !== null && !categoryHolds(rule.category, subject.categories)) return false;
  if (rule.mcc !== null && rule.mcc !== subject.mcc) return false;
  if (!dimensionHolds(rule, subject.dimensions)) return false;
  return merchant === null || subject.merchants.some((name) => fits(merchant, name));
}

/** Exact: two categories of a source may differ in case only. The word `tax` is ours and is not. */
function categoryHolds(category: string, categories: readonly string[]): boolean {
  if (categories.includes(category)) return true;
  return categories[0] === TAX_CATEGORY && category.toLowerCase() === TAX_CATEGORY;
}

/** A dimension without a value asks that the purchase has any value of it; a value without a dimension, that any has it. */
function dimensionHolds(rule: MappingRule, dimensions: Readonly<Record<string, string>>): boolean {
  if (rule.dimension === null) {
    return rule.dimensionValue === null || Object.values(dimensions).includes(rule.dimensionValue);
  }
  const value = Object.hasOwn(dimensions, rule.dimension) ? dimensions[rule.dimension] : undefined;
  if (value === undefined || value === '') return false;
  return rule.dimensionValue === null || rule.dimensionValue === value;
}

function conditionsOf(rule: MappingRule): string {
  const conditions: string[] = [];
  if (rule.category !== null) conditions.push(`category ${rule.category}`);
  if (rule.dimension !== null) conditions.push(`${rule.dimension} ${rule.dimensionValue ?? 'given'}`);
  else if (rule.dimensionValue !== null) conditions.push(`value ${rule.dimensionValue}`);
  if (rule.merchant !== null) conditions.push(`merchant ${rule.merchant}`);
  if (rule.mcc !== null) conditions.push(`MCC ${rule.mcc}`);
  return conditions.join(', ');
}
