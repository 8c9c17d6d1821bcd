import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { cdataText, isRecord, unescapeXml } from '../kit/index.js';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: '#cdata',
});

/** One element; names are without their prefix. */
export class XmlNode {
  readonly children: XmlNode[] = [];
  readonly attributes = new Map<string, string>();
  text = '';

  constructor(readonly name: string) {}

  child(name: string): XmlNode | undefined {
    return this.children.find((child) => child.name === name);
  }

  all(name: string): XmlNode[] {
    return this.children.filter((child) => child.name === name);
  }

  value(name: string): string {
    return this.child(name)?.text.trim() ?? '';
  }
}

/** @returns the root, or undefined when the text is no well-formed XML or brings a document type of its own. */
export function parseXml(text: string): XmlNode | undefined {
  const source = text.trim();
  if (source === '' || source.includes('<!DOCTYPE') || XMLValidator.validate(source) !== true) return undefined;
  const holder = new XmlNode('');
  fill(holder, parser.parse(source));
  return holder.children[0];
}

function fill(parent: XmlNode, nodes: unknown): void {
  if (!Array.isArray(nodes)) return;
  for (const node of nodes) {
    if (!isRecord(node)) continue;
    for (const [key, value] of Object.entries(node)) {
      if (key === ':@') continue;
      if (key === '#text') parent.text += unescapeXml(String(value));
      else if (key === '#cdata') parent.text += cdataText(value);
      else parent.children.push(toNode(key, value, node[':@']));
    }
  }
}

function toNode(name: string, content: unknown, attributes: unknown): XmlNode {
  const node = new XmlNode(name.slice(name.indexOf(':') + 1));
  if (isRecord(attributes)) {
    for (const [key, value] of Object.entries(attributes)) {
      node.attributes.set(key.slice(1), unescapeXml(String(value)));
    }
  }
  fill(node, content);
  return node;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character] ?? '&quot;');
}
