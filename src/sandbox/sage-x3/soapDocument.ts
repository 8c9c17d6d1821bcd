import { z } from 'zod';
import { type Refusal, words } from './words.js';
import { escapeXml, parseXml, type XmlNode } from './xml.js';

/** One group of a publication: a block of fields, or a grid. */
export interface GroupLayout {
  id: string;
  kind: 'GRP' | 'TAB';
  fields: readonly string[];
}

/** The values of a document, by group. A block is a grid of one row. */
export type SoapValues = Map<string, Map<string, string>[]>;

const jsonSchema = z.record(z.string(), z.unknown());
const jsonRow = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Reads the argument of a call, XML or JSON, and checks it against the publication (reference: request). */
export function readDocument(text: string, layout: readonly GroupLayout[], attribute: string): SoapValues | Refusal {
  const source = text.trim();
  const values = source.startsWith('{') ? readJson(source, layout) : readXml(source, layout, attribute);
  if ('refused' in values) return values;
  for (const [id, rows] of values) {
    const group = layout.find((candidate) => candidate.id === id);
    if (group === undefined) return { refused: [words.unknownGroup(id)] };
    for (const row of rows) {
      for (const name of row.keys()) {
        if (!group.fields.includes(name)) return { refused: [words.unknownField(name, id)] };
      }
    }
    if (group.kind === 'GRP' && rows.length > 1) return { refused: [words.invalid('Group', id)] };
  }
  return values;
}

function readJson(source: string, layout: readonly GroupLayout[]): SoapValues | Refusal {
  const values: SoapValues = new Map();
  try {
    const quoted = source.replace(
      /("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)(?=\s*[,}\]])/g,
      (_all, text?: string, number?: string) => (text === undefined ? `"${number}"` : text),
    );
    for (const [id, content] of Object.entries(jsonSchema.parse(JSON.parse(quoted)))) {
      if (isGrid(layout, id) && !Array.isArray(content)) return { refused: [words.gridExpected(id)] };
      const rows = z.array(jsonRow).parse(Array.isArray(content) ? content : [content]);
      values.set(
        id,
        rows.map((row) => new Map(Object.entries(row).map(([name, value]) => [name, String(value ?? '')]))),
      );
    }
    return values;
  } catch {
    return { refused: [words.badDocument] };
  }
}

function readXml(source: string, layout: readonly GroupLayout[], attribute: string): SoapValues | Refusal {
  const root = parseXml(source);
  if (root === undefined) return { refused: [words.badDocument] };
  const values: SoapValues = new Map();
  for (const node of root.children) {
    if (node.name === 'FLD') return { refused: [words.noGroup(node.attributes.get(attribute) ?? '')] };
    const id = node.attributes.get('ID');
    if (id === undefined) return { refused: [words.noGroupId] };
    if (isGrid(layout, id) && node.name !== 'TAB') return { refused: [words.gridExpected(id)] };
    const rows = node.name === 'TAB' ? node.all('LIN') : [node];
    const held = values.get(id) ?? [];
    for (const row of rows) {
      const fields = readFields(row, attribute);
      if (fields === undefined) return { refused: [words.noFieldName(attribute)] };
      held.push(fields);
    }
    values.set(id, held);
  }
  return values;
}

/** A group with more than one row must come as a grid. */
function isGrid(layout: readonly GroupLayout[], id: string): boolean {
  return layout.some((group) => group.id === id && group.kind === 'TAB');
}

function readFields(row: XmlNode, attribute: string): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const field of row.all('FLD')) {
    const name = field.attributes.get(attribute);
    if (name === undefined) return undefined;
    fields.set(name, field.text.trim());
  }
  // The place of a row in its grid, for rows of another grid that belong to it.
  const number = row.attributes.get('NUM');
  if (number !== undefined && row.name === 'LIN') fields.set('#', number);
  fields.delete('');
  return fields;
}

export interface DocumentForm {
  json: boolean;
  attribute: string;
}

/** @returns `resultXml`: RESULT with groups and grids, or the same as JSON where the caller asked for it. */
export function writeDocument(values: SoapValues, layout: readonly GroupLayout[], form: DocumentForm): string {
  const groups = layout.filter((group) => values.has(group.id));
  if (form.json) {
    const content = groups.map((group) => {
      const rows = (values.get(group.id) ?? []).map((row) => Object.fromEntries(row));
      return [group.id, group.kind === 'TAB' ? rows : (rows[0] ?? {})];
    });
    return JSON.stringify(Object.fromEntries(content));
  }
  const xml = groups.map((group) => {
    const rows = values.get(group.id) ?? [];
    if (group.kind === 'GRP') return `<GRP ID="${group.id}">${fieldsXml(rows[0] ?? new Map(), form)}</GRP>`;
    const lines = rows.map((row, index) => `<LIN NUM="${index + 1}">${fieldsXml(row, form)}</LIN>`);
    return `<TAB DIM="300" ID="${group.id}" SIZE="${rows.length}">${lines.join('')}</TAB>`;
  });
  return `<RESULT>${xml.join('')}</RESULT>`;
}

/** Rows of a `query`: `RESULT` with one `LIN` each. */
export function writeRows(rows: readonly ReadonlyMap<string, string>[], form: DocumentForm): string {
  if (form.json) return JSON.stringify(rows.map((row) => Object.fromEntries(row)));
  const lines = rows.map((row, index) => `<LIN NUM="${index + 1}">${fieldsXml(row, form)}</LIN>`);
  return `<RESULT DIM="${rows.length}" SIZE="${rows.length}">${lines.join('')}</RESULT>`;
}

function fieldsXml(row: ReadonlyMap<string, string>, form: DocumentForm): string {
  return [...row]
    .map(
      ([name, value]) => `<FLD ${form.attribute}="${escapeXml(name)}" TYPE="${typeOf(name)}">${escapeXml(value)}</FLD>`,
    )
    .join('');
}

function typeOf(name: string): string {
  if (name.startsWith('AMT') || name === 'QTY') return 'Decimal';
  if (/DAT$/.test(name)) return 'Date';
  return ['SNS', 'LIN', 'ENAFLG', 'STA', 'CAT', 'BPSTYP', 'ANALIN', 'LEDTYP'].includes(name) ? 'Integer' : 'Char';
}

/** The answer of `getDescription`: groups with their fields. */
export function describe(publicName: string, layout: readonly GroupLayout[], attribute: string): string {
  const groups = layout.map((group) => {
    const fields = group.fields
      .filter((name) => name !== '#')
      .map((name) => `<FLD ${attribute}="${escapeXml(name)}" TYPE="${typeOf(name)}"/>`);
    return `<${group.kind} ID="${group.id}"${group.kind === 'TAB' ? ' DIM="300"' : ''}>${fields.join('')}</${group.kind}>`;
  });
  return `<ADXWSS NAM="${escapeXml(publicName)}">${groups.join('')}</ADXWSS>`;
}
