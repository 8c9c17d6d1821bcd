/**
 * The customer's own BOD with our values: `{{documentId}}`, and `{{#lines}}…{{/lines}}` once for each line. Infor publishes no
 * schema of the noun's body for M3, so the customer brings the message and we only fill it in.
 */

export type TemplateLine = Readonly<Record<string, string>>;
export type TemplateValues = Readonly<Record<string, string | readonly TemplateLine[]>> & {
  readonly lines: readonly TemplateLine[];
};

export const BOD_NAMES = [
  ...['documentId', 'bodId', 'createdAt', 'tenant', 'accountingEntity', 'senderLogicalId', 'supplier', 'payee'],
  ...['date', 'currency', 'total', 'description'],
];
export const BOD_LINE_NAMES = ['lineNumber', 'amount', 'glAccount', 'costCentre', 'taxCode', 'text'];

const SECTION = /\{\{#lines\}\}([\s\S]*?)\{\{\/lines\}\}/g;
const NAME = /\{\{\s*([\w.]+)\s*\}\}/g;

/** What is wrong with a template, in words; null when it can be filled in. */
export function templateProblem(template: string): string | null {
  const lines = [...template.matchAll(SECTION)].map((match) => match[1] ?? '');
  if (lines.length === 0) return 'has no {{#lines}}…{{/lines}}';
  const outside = template.replace(SECTION, '');
  const isKnownLine = (name: string) => BOD_LINE_NAMES.includes(name) || /^dimension\.\w+$/.test(name);
  const unknown = [
    ...namesIn(outside).filter((name) => !BOD_NAMES.includes(name)),
    ...lines.flatMap(namesIn).filter((name) => !isKnownLine(name) && !BOD_NAMES.includes(name)),
  ];
  if (unknown.length > 0) return `has unknown placeholders: ${[...new Set(unknown)].join(', ')}`;
  if (/\{\{|\}\}/.test(outside.replace(NAME, '')) || lines.some((line) => /\{\{|\}\}/.test(line.replace(NAME, '')))) {
    return 'has braces that are no placeholder';
  }
  return namesIn(outside).includes('documentId') ? null : 'does not hold {{documentId}}, by which the invoice is found';
}

/** Every part is filled in once, so that a value that looks like a placeholder stays what it is. */
export function fillTemplate(template: string, values: TemplateValues): string {
  // With one group in the pattern, every second piece is the inside of a section.
  return template
    .split(SECTION)
    .map((piece, index) => {
      if (index % 2 === 0) return filled(piece, values);
      return values.lines.map((line) => filled(piece, { ...values, ...line })).join('');
    })
    .join('');
}

function filled(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(NAME, (_all, name: string) => {
    const value = values[name];
    return typeof value === 'string' ? escaped(value) : '';
  });
}

function namesIn(text: string): string[] {
  return [...text.matchAll(NAME)].map((match) => match[1] ?? '');
}

function escaped(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}
