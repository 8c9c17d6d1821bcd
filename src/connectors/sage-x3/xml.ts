import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { UnreadableReplyError } from '../../errors.js';

/** XML of Sage X3's SOAP services, in both directions. No error made here quotes a body. */

export interface XmlNode {
  /** Local name. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Own text, as it stands. */
  readonly text: string;
  readonly children: readonly XmlNode[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  ignoreDeclaration: true,
  ignorePiTags: true,
  // Account 00012 and amounts of many digits must stay what they are.
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  htmlEntities: true,
  removeNSPrefix: true,
});

/** @throws UnreadableReplyError not one well-formed document, or an HTML page. */
export function parseXml(text: string): XmlNode {
  const trimmed = text.trim();
  // A document type is never part of an answer, and declares the entities that blow up parsers.
  const isRefused = trimmed === '' || /<!(DOCTYPE|ENTITY)/i.test(trimmed);
  // The parser repairs `<a><b>1</a>` without a word, so a cut answer would pass; the validator does not.
  if (isRefused || XMLValidator.validate(trimmed) !== true) throw notXml(trimmed);
  const [root, ...others] = nodesOf(parser.parse(trimmed));
  if (!root || others.length > 0 || root.name.toLowerCase() === 'html') throw notXml(trimmed);
  return root;
}

function notXml(text: string): UnreadableReplyError {
  const what = text === '' ? 'nothing at all' : /^<(!doctype\s+html|html)/i.test(text) ? 'a web page' : 'no XML';
  return new UnreadableReplyError(`Sage X3 answered a web service call with ${what}.`, {
    detail: { characters: text.length },
  });
}

function nodesOf(parsed: unknown): XmlNode[] {
  const nodes: XmlNode[] = [];
  for (const entry of listOf(parsed)) {
    const attributes = attributesOf(entry);
    for (const [name, content] of Object.entries(entry)) {
      if (name === '#text' || name === ':@') continue;
      const text = listOf(content).map((part) => ('#text' in part ? String(part['#text']) : ''));
      nodes.push({ name, attributes, text: text.join(''), children: nodesOf(content) });
    }
  }
  return nodes;
}

function attributesOf(entry: object): Record<string, string> {
  const found: unknown = ':@' in entry ? entry[':@'] : {};
  if (typeof found !== 'object' || found === null) return {};
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, String(value)]));
}

function listOf(value: unknown): object[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}

export function childNamed(node: XmlNode | null | undefined, name: string): XmlNode | null {
  return node?.children.find((child) => child.name === name) ?? null;
}

export function childrenNamed(node: XmlNode | null | undefined, name: string): XmlNode[] {
  return node?.children.filter((child) => child.name === name) ?? [];
}

/** Every element below `node`, in document order. */
export function descendants(node: XmlNode): XmlNode[] {
  return node.children.flatMap((child) => [child, ...descendants(child)]);
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────

const MARKUP: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => MARKUP[found] ?? found);
}

/** Text as CDATA; an end mark inside it is split over two sections. */
export function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}

/**
 * A text that X3 can store on one line: no control characters, and nothing outside the basic plane, because its databases
 * keep UCS-2.
 */
export function ledgerText(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[\u{10000}-\u{10FFFF}]/gu, '?')
    .replace(/\p{Cs}/gu, '?')
    .replace(/[\uFFFE\uFFFF]/g, '')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** `ledgerText`, cut to the length of the field. */
export function fieldText(text: string, length: number): string {
  return ledgerText(text).slice(0, length).trimEnd();
}
