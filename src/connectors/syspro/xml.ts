import { isUtf8 as isValidUtf8 } from 'node:buffer';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { UnreadableReplyError } from '../../errors.js';

/**
 * SYSPRO's XML as it really comes: Windows-1252, single-quoted attributes, blanks behind the root, sometimes the whole
 * document inside a JSON string or a `<string>` element, element names in any case. No error made here quotes a body.
 */

/** An element. Names compare in lower case, because set-up replies are lower case and transaction replies are mixed. */
export interface XmlNode {
  /** Local name in lower case. */
  readonly name: string;
  /** Local name as the ledger spelled it. */
  readonly label: string;
  /** Own text, trimmed. */
  readonly text: string;
  readonly children: readonly XmlNode[];
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: true,
  htmlEntities: true,
  removeNSPrefix: true,
});

/**
 * The service writes Windows-1252 and says so in the XML declaration; what installations put around that (a JSON string,
 * an element) is UTF-8 without saying so, whatever the document inside declares.
 * @param charset what the reply's content type names; it counts before everything else.
 */
export function decodeBody(body: Buffer, charset: string | null): string {
  const declared = /^\s*<\?xml[^>]{0,40}encoding\s*=\s*["']([\w-]+)/i.exec(body.toString('latin1', 0, 120))?.[1];
  const named = charset ?? declared;
  const isUtf8 = named === undefined ? isValidUtf8(body) : /^utf-?8$/i.test(named);
  return new TextDecoder(isUtf8 ? 'utf-8' : 'windows-1252').decode(body);
}

/** The text inside the wrappings that some installations put around it: a JSON string, a `<string>` element. */
export function unwrap(decoded: string): string {
  let text = decoded.trim();
  // Two layers have been seen; more than three would be something else.
  for (let layer = 0; layer < 3; layer += 1) {
    const inner = unwrapOnce(text);
    if (inner === null) return text;
    text = inner.trim();
  }
  return text;
}

function unwrapOnce(text: string): string | null {
  if (text.startsWith('"')) return parsedString(text);
  if (!/^(<\?xml[^>]*>\s*)?<([\w.-]+:)?(string\b|\w+Response\b)/i.test(text)) return null;
  const root = parsedRoot(text);
  if (root?.name === 'string') return root.text;
  const [result, ...others] = root?.children ?? [];
  if (!result?.name.endsWith('result') || others.length > 0 || result.children.length > 0) return null;
  return result.text;
}

function parsedString(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** @throws UnreadableReplyError not one well-formed XML document, or an HTML page. */
export function parseXml(text: string): XmlNode {
  const root = parsedRoot(text);
  if (root === null)
    throw new UnreadableReplyError(`SYSPRO answered with something that is not XML (${kindOf(text)}).`);
  if (root.name === 'html') throw new UnreadableReplyError('SYSPRO answered with a web page instead of XML.');
  return root;
}

function kindOf(text: string): string {
  if (text === '') return 'nothing at all';
  if (/^<(!doctype\s+html|html)/i.test(text)) return 'a web page';
  return `${text.length} characters`;
}

function parsedRoot(text: string): XmlNode | null {
  // A document type is never part of a reply, and declares the entities that blow up parsers.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return null;
  // The parser itself repairs `<a><b>1</a>` without a word, so a cut-off reply would pass; the validator does not.
  if (XMLValidator.validate(text) !== true) return null;
  const roots = nodesOf(parser.parse(text));
  return roots.length === 1 ? (roots[0] ?? null) : null;
}

function nodesOf(parsed: unknown): XmlNode[] {
  const nodes: XmlNode[] = [];
  for (const entry of listOf(parsed)) {
    for (const [label, content] of Object.entries(entry)) {
      if (label === '#text' || label === ':@') continue;
      const text = listOf(content).map((part) => ('#text' in part ? String(part['#text']) : ''));
      nodes.push({ name: label.toLowerCase(), label, text: text.join('').trim(), children: nodesOf(content) });
    }
  }
  return nodes;
}

function listOf(value: unknown): object[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}

/** The children with that name, in order. */
export function childrenOf(node: XmlNode | null | undefined, name: string): XmlNode[] {
  const wanted = name.toLowerCase();
  return node?.children.filter((child) => child.name === wanted) ?? [];
}

/** The first element at a path of names below `node`. */
export function find(node: XmlNode | null | undefined, ...path: readonly string[]): XmlNode | null {
  let at = node ?? null;
  for (const name of path) at = childrenOf(at, name)[0] ?? null;
  return at;
}

/** The trimmed text of the element at a path; empty when it is not there. */
export function textAt(node: XmlNode | null | undefined, ...path: readonly string[]): string {
  return find(node, ...path)?.text ?? '';
}

/** Every element below `node` with that name, however deep, in document order. */
export function descendants(node: XmlNode, name: string): XmlNode[] {
  const wanted = name.toLowerCase();
  return node.children.flatMap((child) => [...(child.name === wanted ? [child] : []), ...descendants(child, wanted)]);
}

/** An element's children as texts by lower-case name; of a repeated name the first counts. */
export function recordOf(node: XmlNode): Record<string, string> {
  const record: Record<string, string> = {};
  for (const child of node.children) record[child.name] ??= child.text;
  return record;
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────

/** Letters that decomposition does not take apart. */
const SPELLED: Readonly<Record<string, string>> = {
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ħ: 'h',
  Ħ: 'H',
  ı: 'i',
  ŧ: 't',
  Ŧ: 'T',
  ŋ: 'n',
  Ŋ: 'N',
  ĸ: 'k',
  ﬁ: 'fi',
  ﬂ: 'fl',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '―': '-',
  '−': '-',
  '′': "'",
  '″': '"',
  '→': '->',
  '\u00a0': ' ',
  '\u202f': ' ',
};

const CP1252_EXTRAS = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';

function fitsCp1252(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff) || CP1252_EXTRAS.includes(character);
}

/**
 * A text that the ledger can store: one line, only characters of Windows-1252. Others become their plain letters, and a
 * question mark where there are none.
 */
export function ledgerText(text: string): string {
  let result = '';
  for (const character of text.normalize('NFC')) {
    if (/\s|\p{Cc}/u.test(character)) result += ' ';
    else if (SPELLED[character] !== undefined) result += SPELLED[character];
    else if (fitsCp1252(character)) result += character;
    else if (/\p{M}|\p{Cf}/u.test(character)) result += '';
    else
      result +=
        [...character.normalize('NFKD')].filter((part) => !/\p{M}/u.test(part) && fitsCp1252(part)).join('') || '?';
  }
  return result.replace(/ {2,}/g, ' ').trim();
}

/** `ledgerText`, cut to the length of the field. */
export function fieldText(text: string, length: number): string {
  return ledgerText(text).slice(0, length).trimEnd();
}

const MARKUP: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeText(text: string): string {
  return ledgerText(text).replace(/[&<>"']|[^\x20-\x7e]/gu, (found) => MARKUP[found] ?? `&#${found.codePointAt(0)};`);
}

/** A piece of markup that is complete in itself. A type of its own, so that no raw text is ever put into a document. */
export interface Markup {
  readonly markup: string;
}

/** An element with text (escaped, ASCII with numeric entities), with children, or empty. */
export function element(name: string, content: string | readonly Markup[]): Markup {
  const inner = typeof content === 'string' ? escapeText(content) : content.map((piece) => piece.markup).join('');
  return { markup: inner === '' ? `<${name}/>` : `<${name}>${inner}</${name}>` };
}

/** One element for each entry, in order; entries without a value are left out. */
export function elements(values: Readonly<Record<string, string | undefined>>): Markup[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [element(name, value)]));
}

/** The document with this root. No declaration says UTF-8: what is not ASCII is a numeric entity. */
export function documentOf(root: Markup): string {
  return `<?xml version="1.0" encoding="Windows-1252"?>${root.markup}`;
}

/** Text as CDATA; an end mark inside it is split over two sections. */
export function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}
