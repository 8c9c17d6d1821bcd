import type { ExpensifySettings } from './config.js';
import type { WireExpense, WirePolicyInfo, WireReport } from './wire.js';

/** Accounts, cost centres and dimensions out of categories, tags and custom fields. Pure. */

/** GL codes of one policy. */
export interface PolicyCodes {
  readonly categories: ReadonlyMap<string, string>;
  /** By level, first level first; a flat list is the first level. */
  readonly tags: readonly ReadonlyMap<string, string>[];
}

/** Both shapes of a policy's tags: a flat list, or levels that hold lists. */
export function codesOf(policy: WirePolicyInfo): PolicyCodes {
  const tags = policy.tags ?? [];
  const isMultiLevel = tags.some((tag) => Array.isArray(tag.tags));
  const lists = isMultiLevel ? tags.map((level) => level.tags ?? []) : [tags];
  return { categories: codeMap(policy.categories ?? []), tags: lists.map(codeMap) };
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
  'glAccountFrom' | 'tagCodes' | 'tagNames' | 'costCentreFrom' | 'customFields' | 'employeeFieldNames'
>;

/** Whether the expense leaves a code open that its policy may have. */
export function needsPolicy(expense: WireExpense, settings: CodingSettings): boolean {
  if (settings.glAccountFrom === 'POLICY') return expense.category !== '';
  if (settings.glAccountFrom === 'CATEGORY' && expense.category !== '' && expense.categoryGlCode === '') return true;
  const wantsTagCodes = settings.tagCodes !== 'NAME' || settings.glAccountFrom === 'TAG';
  return wantsTagCodes && tagLevelsOf(expense).some(({ name, code }) => name !== '' && code === '');
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
    costCentre: costCentreOf(report, tagValues, settings.costCentreFrom) || null,
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

function costCentreOf(report: WireReport, tagValues: readonly string[], from: string | null): string {
  const [, kind, rest = ''] = /^(\w+)(?::(.+))?$/.exec(from ?? '') ?? [];
  switch (kind) {
    case 'tag':
      return tagValues[Number(rest) - 1] ?? '';
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

function customField(report: WireReport, name: string): string {
  return Object.hasOwn(report.customFields, name) ? (report.customFields[name] ?? '') : '';
}
