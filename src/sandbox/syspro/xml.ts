import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { cdataText, isRecord, unescapeXml } from '../kit/index.js';
import { foldToCp1252 } from './cp1252.js';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // Entities are resolved below: only the five of XML and numbers, and never inside CDATA.
  processEntities: false,
  cdataPropName: '#cdata',
});

/** One element of a request. Names are case-sensitive, as in any XML; who misspells one is not told. */
export class XmlElement {
  readonly children: XmlElement[] = [];
  readonly attributes = new Map<string, string>();
  text = '';

  constructor(readonly name: string) {}

  child(name: string): XmlElement | undefined {
    return this.children.find((child) => child.name === name);
  }

  all(name: string): XmlElement[] {
    return this.children.filter((child) => child.name === name);
  }

  /** @returns the trimmed text at the end of the path; empty when any element of it is missing. */
  value(...path: string[]): string {
    let element: XmlElement | undefined = this;
    for (const name of path) element = element?.child(name);
    return element?.text.trim() ?? '';
  }
}

/** @returns the root element, or undefined when the text is no well-formed XML or brings its own document type. */
export function parseXml(text: string): XmlElement | undefined {
  const source = text.trim();
  // The parser alone accepts elements that are never closed, so the validator goes first.
  if (source === '' || source.includes('<!DOCTYPE') || XMLValidator.validate(source) !== true) return undefined;
  try {
    const nodes: unknown = parser.parse(source);
    const holder = new XmlElement('');
    fill(holder, nodes);
    return holder.children[0];
  } catch {
    return undefined;
  }
}

function fill(parent: XmlElement, nodes: unknown): void {
  if (!Array.isArray(nodes)) return;
  for (const node of nodes) {
    if (!isRecord(node)) continue;
    for (const [key, value] of Object.entries(node)) {
      if (key === ':@') continue;
      if (key === '#text') parent.text += foldToCp1252(unescapeXml(String(value)));
      else if (key === '#cdata') parent.text += foldToCp1252(cdataText(value));
      else parent.children.push(toElement(key, value, node[':@']));
    }
  }
}

function toElement(name: string, content: unknown, attributes: unknown): XmlElement {
  const element = new XmlElement(name);
  if (isRecord(attributes)) {
    for (const [key, value] of Object.entries(attributes))
      element.attributes.set(key.slice(1), unescapeXml(String(value)));
  }
  fill(element, content);
  return element;
}

/** @returns the text safe to stand between tags. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => (character === '&' ? '&amp;' : character === '<' ? '&lt;' : '&gt;'));
}

/** @returns an element with text, or the empty element. */
export function leaf(name: string, value: string): string {
  return value === '' ? `<${name}/>` : `<${name}>${escapeXml(value)}</${name}>`;
}

/** @returns an element around finished XML. */
export function group(name: string, ...content: readonly string[]): string {
  const inner = content.join('');
  return inner === '' ? `<${name}/>` : `<${name}>\n${inner}</${name}>\n`;
}

/** @returns leaves in the order of the record. */
export function leaves(values: Readonly<Record<string, string>>): string {
  let xml = '';
  for (const [name, value] of Object.entries(values)) xml += `${leaf(name, value)}\n`;
  return xml;
}

/**
 * A whole answer: the declaration, single-quoted root attributes, and the newline and blank after the root that recorded
 * answers show (SYSPRO e.net REST: encoding).
 */
export function answerDocument(root: string, ...content: readonly string[]): string {
  const attributes =
    "Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='8.0.034' OperatorPrimaryRole='   '";
  return `<?xml version="1.0" encoding="Windows-1252"?>\n<${root} ${attributes}>\n${content.join('')}</${root}>\n `;
}
