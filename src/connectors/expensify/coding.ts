import { InputError } from '../../errors.js';
import type { ExpensifySettings } from './config.js';
import type { WireExpense, WirePolicyInfo, WireReport } from './wire.js';

/** Accounts, cost centres and dimensions out of categories, tags and custom fields. Pure. */

/** GL codes of one policy. */
export interface PolicyCodes {
  readonly categories: ReadonlyMap<string, string>;
  /** By level, first level first; a flat list is the first level. */
  readonly tags: readonly ReadonlyMap<string, string>[];
  /** The levels' names in their order; empty = one flat list, which has none. */
  readonly tagNames: readonly string[];
}

/** Both shapes of a policy's tags: a flat list, or levels that hold lists. */
export function codesOf(policy: WirePolicyInfo): PolicyCodes {
  const tags = policy.tags ?? [];
  const isMultiLevel = tags.some((tag) => Array.isArray(tag.tags));
  const lists = isMultiLevel ? tags.map((level) => level.tags ?? []) : [tags];
  const tagNames = isMultiLevel ? tags.map(({ name }) => name.trim()) : [];
  return { categories: codeMap(policy.categories ?? []), tags: lists.map(codeMap), tagNames };
}

function codeMap(items: readonly { readonly name: string; readonly glCode?: string | number | null | undefined }[]) {
  const codes = new Map<string, string>();
  for (const { name, glCode } of items) {
    const code = String(glCode ?? '').trim();
    if (code !== '') codes.set(unescaped(name.trim()), code);
  }
  return codes;
}

interface TagLevel {
  readonly name: string;
  /** As the report line states it; empty = not stated. */
  readonly code: string;
}

/**
 * The tags of an expense by level; a level without a tag is empty. The levels that the model prints one by one decide,
 * else the joined text: `Parent:Child`, a literal colon escaped, a leading colon where the parent is empty.
 */
export function tagLevelsOf(expense: WireExpense): TagLevel[] {
  const listed = expense.tags.map(({ name, code }) => ({ name: unescaped(name), code }));
  while (listed.at(-1)?.name === '') listed.pop();
  const levels = listed.length > 0 ? listed : splitTag(expense.tag).map((name) => ({ name, code: '' }));
  const [first] = levels;
  if (levels.length === 1 && first?.code === '') return [{ name: first.name, code: expense.tagGlCode }];
  return levels;
}

function splitTag(text: string): string[] {
  if (text === '') return [];
  return text.split(/(?<!\\):/).map((level) => unescaped(level.trim()));
}

function unescaped(text: string): string {
  return text.replaceAll('\\:', ':');
}

type CodingSettings = Pick<
  ExpensifySettings,
  | 'glAccountFrom'
  | 'tagCodes'
  | 'tagNames'
  | 'costCentreTag'
  | 'costCentreField'
  | 'customFields'
  | 'employeeFieldNames'
>;

/** Whether the expense leaves a code open that its policy may have, or only the policy can tell which tag is meant. */
export function needsPolicy(expense: WireExpense, settings: CodingSettings): boolean {
  if (settings.glAccountFrom === 'POLICY') return expense.category !== '';
  if (settings.glAccountFrom === 'CATEGORY' && expense.category !== '' && expense.categoryGlCode === '') return true;
  const wantsTagCodes = settings.tagCodes !== 'NAME' || settings.glAccountFrom === 'TAG';
  const wantsTagNames = typeof settings.costCentreTag === 'string' && statedLevel(settings) === null;
  return tagLevelsOf(expense).some(
    ({ name, code }) => name !== '' && (wantsTagNames || (wantsTagCodes && code === '')),
  );
}

export interface Coded {
  readonly glAccount: string | null;
  readonly costCentre: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

export function codingOf(
  expense: WireExpense,
  report: WireReport,
  policy: PolicyCodes | null,
  settings: CodingSettings,
): Coded {
  const levels = tagLevelsOf(expense).map((level, index) => ({
    name: level.name,
    code: level.code || (policy?.tags[index]?.get(level.name) ?? ''),
  }));
  const tagValues = levels.map((level) => tagValue(level, settings));
  const named: [string, string][] = [
    ...tagValues.map((value, index): [string, string] => [settings.tagNames[index] ?? `Tag ${index + 1}`, value]),
    ...settings.customFields.map((name): [string, string] => [name, customField(report, name)]),
    [settings.employeeFieldNames.first ?? '', report.employeeCustomField1],
    [settings.employeeFieldNames.second ?? '', report.employeeCustomField2],
    ['Tax rate', expense.taxRateName || expense.taxName],
  ];
  return {
    glAccount: accountOf(expense, policy, levels, settings) || null,
    costCentre: costCentreOf(report, tagValues, policy, settings) || null,
    dimensions: Object.fromEntries(named.filter(([name, value]) => name !== '' && value !== '')),
  };
}

function tagValue({ name, code }: TagLevel, { tagCodes }: CodingSettings): string {
  if (tagCodes === 'NAME') return name;
  return tagCodes === 'GL_CODE' ? code : code || name;
}

function accountOf(
  expense: WireExpense,
  policy: PolicyCodes | null,
  levels: readonly TagLevel[],
  { glAccountFrom }: CodingSettings,
): string {
  const inPolicy = policy?.categories.get(unescaped(expense.category)) ?? '';
  switch (glAccountFrom) {
    case 'CATEGORY':
      return expense.categoryGlCode || inPolicy;
    case 'LINE':
      return expense.categoryGlCode;
    case 'POLICY':
      return inPolicy;
    case 'TAG':
      return levels.find(({ code }) => code !== '')?.code ?? '';
    case 'NONE':
      return '';
  }
}

function costCentreOf(
  report: WireReport,
  tagValues: readonly string[],
  policy: PolicyCodes | null,
  settings: CodingSettings,
): string {
  if (settings.costCentreTag !== null) {
    // An expense without tags has no cost centre, whichever tag is meant.
    if (tagValues.every((value) => value === '')) return '';
    return tagValues[costCentreLevel(policy, settings) - 1] ?? '';
  }
  const [, kind, rest = ''] = /^(\w+)(?::(.+))?$/.exec(settings.costCentreField ?? '') ?? [];
  switch (kind) {
    case 'customField':
      return customField(report, rest);
    case 'employeeCustomField1':
      return report.employeeCustomField1;
    case 'employeeCustomField2':
      return report.employeeCustomField2;
    default:
      return '';
  }
}

/** The level of the cost centre's tag as far as the settings themselves tell it; null = only the policy can. */
function statedLevel({ costCentreTag, tagNames }: Pick<CodingSettings, 'costCentreTag' | 'tagNames'>): number | null {
  if (typeof costCentreTag === 'number') return costCentreTag;
  const index = tagNames.findIndex((name) => isSameName(name, costCentreTag));
  return index < 0 ? null : index + 1;
}

/**
 * @returns the level, first level 1; 0 = this policy has no tag of that name.
 * @throws InputError the policy is needed for it and not known: another tag must not be taken for the cost centre.
 */
function costCentreLevel(policy: PolicyCodes | null, settings: CodingSettings): number {
  const stated = statedLevel(settings);
  if (stated !== null) return stated;
  if (policy === null) {
    throw new InputError(
      `Which tag is "${settings.costCentreTag}" is not known, because Expensify does not show the report's policy. Give the tag's level in costCentreTag, or its name in tagNames.`,
    );
  }
  if (policy.tagNames.length === 0) return 1;
  return policy.tagNames.findIndex((name) => isSameName(name, settings.costCentreTag)) + 1;
}

function isSameName(name: string, other: string | number | null): boolean {
  return (
    name.trim().toLowerCase() ===
    String(other ?? '')
      .trim()
      .toLowerCase()
  );
}

function customField(report: WireReport, name: string): string {
  return Object.hasOwn(report.customFields, name) ? (report.customFields[name] ?? '') : '';
}
