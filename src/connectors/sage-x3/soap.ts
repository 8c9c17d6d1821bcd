import {
  ConfigurationError,
  type LedgergateError,
  OutcomeUnknownError,
  PermissionError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../errors.js';
import { neverBegun, notStarted, quote, statusOnRead, statusOnWrite } from './failures.js';
import { isObject, type Json, objectsIn, parseJson, textOf } from './json.js';
import type { X3Call, X3Reply, X3Transport } from './transport.js';
import { cdata, childNamed, childrenNamed, descendants, escapeXml, parseXml, type XmlNode } from './xml.js';

/**
 * The classic SOAP web services: RPC/encoded, so envelopes are written by hand. `status` decides, never HTTP's: a refusal
 * comes under HTTP 200.
 */

/** A group of fields, or a grid of them. Empty values are not sent. */
export type SoapGroup =
  | { readonly id: string; readonly fields: Readonly<Record<string, string>> }
  | { readonly id: string; readonly rows: readonly Readonly<Record<string, string>>[] };

/** Groups of a result by their id: a group is one row, a grid several. */
export interface SoapResult {
  readonly groups: readonly { readonly id: string; readonly rows: readonly Readonly<Record<string, string>>[] }[];
}

export interface SoapAnswer {
  readonly isOk: boolean;
  /** Verbatim, without secrets. */
  readonly messages: readonly string[];
  /** Those that are not mere information, as far as their type tells (1 is commonly read so; it is not established). */
  readonly warnings: readonly string[];
  readonly result: SoapResult;
}

/** Ids of the groups that a publication has each field in, in its order. Empty: it did not say. */
export type Described = ReadonlyMap<string, readonly string[]>;

type Operation = 'run' | 'save' | 'read' | 'query' | 'getDescription';
export type SoapKeys = Readonly<Record<string, string>>;

interface SoapCall {
  readonly operation: Operation;
  readonly publicName: string;
  readonly keys?: SoapKeys;
  readonly listSize?: number;
  readonly groups?: readonly SoapGroup[];
}

export class SoapApi {
  private readonly described = new Map<string, Promise<Described>>();

  constructor(private readonly transport: X3Transport) {}

  /** One record; null when X3 says that there is none. @throws PermissionError it says anything else. */
  async read(
    publicName: string,
    keys: SoapKeys,
    isMissing: (messages: readonly string[]) => boolean,
  ): Promise<SoapResult | null> {
    const answer = await this.ask({ operation: 'read', publicName, keys });
    if (answer.isOk) return answer.result;
    if (answer.messages.length > 0 && isMissing(answer.messages)) return null;
    throw refused(publicName, answer.messages);
  }

  /**
   * The rows of a list.
   * @throws ConfigurationError it is as long as `listSize`, so that it may have been cut off.
   */
  async query(publicName: string, keys: SoapKeys, listSize: number): Promise<Readonly<Record<string, string>>[]> {
    const answer = await this.ask({ operation: 'query', publicName, keys, listSize });
    if (!answer.isOk) throw refused(publicName, answer.messages);
    const rows = answer.result.groups.flatMap((group) => group.rows);
    if (rows.length < listSize) return rows;
    throw new ConfigurationError(
      `Sage X3's list ${publicName} has ${listSize} rows or more, and a web service list has no second page. Raise the setting soap.listSize, or read by REST.`,
      { code: 'LIST_CUT_OFF', detail: { publicName, listSize } },
    );
  }

  /** Whether the publication answers at all. */
  async describe(publicName: string): Promise<Described> {
    const known = this.described.get(publicName);
    if (known) return known;
    const asked = this.askDescription(publicName);
    this.described.set(publicName, asked);
    asked.catch(() => this.described.delete(publicName));
    return asked;
  }

  /**
   * `save` or `run`, sent once.
   * @throws OutcomeUnknownError there is no answer to go by. ConfigurationError, CredentialsError, RateLimitedError it was not executed.
   */
  async write(
    send: (call: X3Call) => Promise<X3Reply>,
    operation: 'save' | 'run',
    publicName: string,
    groups: readonly SoapGroup[],
  ): Promise<SoapAnswer> {
    const reply = await send(this.callOf({ operation, publicName, groups }));
    const fault = faultIn(reply);
    const atRest = fault === null ? null : notStarted([await this.transport.clean(fault)]);
    if (atRest) throw atRest;
    if (reply.status !== 200) throw statusOnWrite(reply.status, reply.waitMs);
    let answer: SoapAnswer;
    try {
      answer = await this.answerOf(reply.text, operation);
    } catch (error) {
      if (!(error instanceof UnreadableReplyError)) throw error;
      throw new OutcomeUnknownError(`${error.userMessage} It must be asked whether the write happened.`, {
        detail: error.detail,
      });
    }
    const unexecuted = answer.isOk ? null : this.unexecuted(answer.messages);
    if (unexecuted) throw unexecuted;
    return answer;
  }

  private unexecuted(messages: readonly string[]): LedgergateError | null {
    return notStarted(messages) ?? neverBegun(messages, this.transport.context.settings.errorPatterns);
  }

  // ── pieces ─────────────────────────────────────────────────────────────────────────────────

  private async ask(call: SoapCall): Promise<SoapAnswer> {
    return this.transport.read(this.callOf(call), async (reply) => {
      const fault = faultIn(reply);
      const text = fault === null ? '' : await this.transport.clean(fault);
      const atRest = notStarted([text]);
      if (atRest) throw atRest;
      if (reply.status !== 200) throw statusOnRead(reply.status, text, reply.waitMs);
      const answer = await this.answerOf(reply.text, call.operation);
      const unexecuted = answer.isOk ? null : this.unexecuted(answer.messages);
      if (unexecuted) throw unexecuted;
      return answer;
    });
  }

  private async askDescription(publicName: string): Promise<Described> {
    const answer = await this.ask({ operation: 'getDescription', publicName });
    if (!answer.isOk) throw refused(publicName, answer.messages);
    const groups = new Map<string, string[]>();
    for (const { id, rows } of answer.result.groups) {
      for (const field of new Set(rows.flatMap((row) => Object.keys(row)))) {
        groups.set(field, [...(groups.get(field) ?? []), id]);
      }
    }
    return groups;
  }

  private callOf(call: SoapCall): X3Call {
    return {
      method: 'POST',
      path: this.transport.context.settings.soap.path,
      headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml', soapaction: '""' },
      body: this.envelope(call),
    };
  }

  private envelope({ operation, publicName, keys, listSize, groups }: SoapCall): string {
    const { settings } = this.transport.context;
    const { soap } = settings;
    if (!settings.poolAlias) {
      throw new ConfigurationError('Enter the pool of web service sessions in the setting poolAlias.', {
        code: 'POOL_MISSING',
      });
    }
    const config = [`adxwss.optreturn=${soap.outputFormat.toUpperCase()}`, soap.requestConfig]
      .filter(Boolean)
      .join('&');
    const body = groups === undefined ? null : soap.inputFormat === 'json' ? jsonOf(groups) : this.paramOf(groups);
    const parameter = operation === 'run' ? 'inputXml' : 'objectXml';
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wss="http://www.adonix.com/WSS"',
      ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">',
      '<soapenv:Header/><soapenv:Body>',
      `<wss:${operation} soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">`,
      '<callContext xsi:type="wss:CAdxCallContext">',
      text('codeLang', settings.codeLanguage),
      text('poolAlias', settings.poolAlias),
      text('poolId', ''),
      text('requestConfig', config),
      '</callContext>',
      text('publicName', publicName),
      keys === undefined ? '' : this.keysOf(keys),
      listSize === undefined ? '' : `<listSize xsi:type="xsd:int">${listSize}</listSize>`,
      body === null ? '' : `<${parameter} xsi:type="xsd:string">${cdata(body)}</${parameter}>`,
      `</wss:${operation}>`,
      '</soapenv:Body></soapenv:Envelope>',
    ].join('');
  }

  private keysOf(keys: SoapKeys): string {
    const pairs = Object.entries(keys).map(([key, value]) => `${text('key', key)}${text('value', value)}`);
    const isWrapped = this.transport.context.settings.soap.keyStyle === 'wrapped';
    const items = isWrapped ? pairs.map((pair) => `<keys xsi:type="wss:CAdxParamKeyValue">${pair}</keys>`) : pairs;
    return `<objectKeys xsi:type="wss:ArrayOfCAdxParamKeyValue">${items.join('')}</objectKeys>`;
  }

  private paramOf(groups: readonly SoapGroup[]): string {
    const attribute = this.transport.context.settings.soap.fieldNameAttribute;
    const fieldsOf = (fields: Readonly<Record<string, string>>) =>
      Object.entries(fields)
        .filter(([, value]) => value !== '')
        .map(([name, value]) => `<FLD ${attribute}="${escapeXml(name)}">${escapeXml(value)}</FLD>`)
        .join('');
    const pieces = groups.map((group) => {
      if ('fields' in group) return `<GRP ID="${escapeXml(group.id)}">${fieldsOf(group.fields)}</GRP>`;
      const lines = group.rows.map((row, index) => `<LIN NUM="${index + 1}">${fieldsOf(row)}</LIN>`);
      return `<TAB ID="${escapeXml(group.id)}" SIZE="${group.rows.length}">${lines.join('')}</TAB>`;
    });
    return `<PARAM>${pieces.join('')}</PARAM>`;
  }

  private async answerOf(body: string, operation: Operation): Promise<SoapAnswer> {
    const envelope = childNamed({ name: '', attributes: {}, text: '', children: [parseXml(body)] }, 'Envelope');
    const content = childNamed(envelope, 'Body');
    const response = content?.children.find((child) => child.name === `${operation}Response`) ?? null;
    // Some stacks put every value into an element of its own and refer to it.
    const byId = new Map(
      descendantsOf(content).flatMap((node) => (node.attributes.id ? [[node.attributes.id, node]] : [])),
    );
    const resolve = (node: XmlNode | null): XmlNode | null => {
      const target = node?.attributes.href?.replace(/^#/, '');
      return target === undefined ? node : (byId.get(target) ?? null);
    };
    const answer = resolve(childNamed(response, `${operation}Return`));
    const status = resolve(childNamed(answer, 'status'))?.text.trim() ?? '';
    if (answer === null || !/^[01]$/.test(status)) {
      throw new UnreadableReplyError(`Sage X3's answer to the web service ${operation} has no status.`);
    }
    const isOk = status === '1';
    const said = await Promise.all(
      messagesIn(answer, resolve).map(async ({ text, type }) => ({ text: await this.transport.clean(text), type })),
    );
    const messages = said.map(({ text }) => text);
    const warnings = said.filter(({ type }) => type !== '1').map(({ text }) => text);
    const resultText = resolve(childNamed(answer, 'resultXml'))?.text ?? '';
    try {
      return { isOk, messages, warnings, result: resultOf(resultText) };
    } catch (error) {
      // A refusal is complete without a result.
      if (isOk || !(error instanceof UnreadableReplyError)) throw error;
      return { isOk, messages, warnings, result: { groups: [] } };
    }
  }
}

function text(name: string, value: string): string {
  return `<${name} xsi:type="xsd:string">${escapeXml(value)}</${name}>`;
}

function jsonOf(groups: readonly SoapGroup[]): string {
  const filled = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  return JSON.stringify(
    Object.fromEntries(
      groups.map((group) => [group.id, 'fields' in group ? filled(group.fields) : group.rows.map(filled)]),
    ),
  );
}

function descendantsOf(node: XmlNode | null): XmlNode[] {
  return node === null ? [] : descendants(node);
}

/** None, one, several, nil, or references to elements elsewhere: all of them have been seen. */
function messagesIn(
  answer: XmlNode,
  resolve: (node: XmlNode | null) => XmlNode | null,
): { text: string; type: string }[] {
  const collect = (given: XmlNode): { text: string; type: string }[] => {
    const node = resolve(given);
    if (node === null) return [];
    const own = childNamed(node, 'message');
    if (own === null) return node.children.flatMap(collect);
    const text = (resolve(own)?.text ?? '').replace(/\s+/g, ' ').trim();
    return text === '' ? [] : [{ text, type: (resolve(childNamed(node, 'type'))?.text ?? '').trim() }];
  };
  return childrenNamed(answer, 'messages').flatMap(collect);
}

// ── results ──────────────────────────────────────────────────────────────────────────────────

function resultOf(raw: string): SoapResult {
  const trimmed = raw.trim();
  if (trimmed === '') return { groups: [] };
  if (/^[{[]/.test(trimmed)) return resultOfJson(parseJson(trimmed, 'a web service'));
  const root = parseXml(trimmed);
  // Rows of a query stand below the root without a group.
  const rows = childrenNamed(root, 'LIN').map(rowOf);
  const groups = descendants(root)
    .filter((node) => ['GRP', 'TAB', 'BLO'].includes(node.name))
    .map((node) => {
      const lines = childrenNamed(node, 'LIN');
      return { id: idOf(node), rows: lines.length > 0 ? lines.map(rowOf) : hasFields(node) ? [rowOf(node)] : [] };
    });
  return { groups: rows.length > 0 ? [{ id: '', rows }, ...groups] : groups };
}

function hasFields(node: XmlNode): boolean {
  return node.children.some((child) => child.name === 'FLD');
}

function idOf(node: XmlNode): string {
  return node.attributes.ID ?? node.attributes.NAM ?? node.attributes.NAME ?? '';
}

function rowOf(node: XmlNode): Record<string, string> {
  const row: Record<string, string> = {};
  for (const field of childrenNamed(node, 'FLD')) {
    const name = field.attributes.NAME ?? field.attributes.NAM ?? '';
    if (name !== '') row[name] ??= field.text.trim();
  }
  // A list inside a group (an array of the dictionary) gives its values under numbered names.
  for (const list of childrenNamed(node, 'LST')) {
    const name = list.attributes.NAME ?? list.attributes.NAM ?? '';
    childrenNamed(list, 'ITM').forEach((item, index) => {
      row[`${name}_${index}`] ??= item.text.trim();
    });
  }
  return row;
}

function resultOfJson(value: Json): SoapResult {
  if (Array.isArray(value)) return { groups: [{ id: '', rows: objectsIn(value).map(plainFields) }] };
  if (!isObject(value)) return { groups: [] };
  const groups = Object.entries(value).flatMap(([id, part]) => {
    if (Array.isArray(part)) return [{ id, rows: objectsIn(part).map(plainFields) }];
    return isObject(part) ? [{ id, rows: [plainFields(part)] }] : [];
  });
  return { groups };
}

function plainFields(value: Readonly<Record<string, Json>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => {
      if (Array.isArray(part)) return part.map((item, index) => [`${name}_${index}`, textOf(item)]);
      return isObject(part) ? [] : [[name, textOf(part)]];
    }),
  );
}

/** The text of a SOAP fault, or of an answer that is no success and no web page. */
function faultIn(reply: X3Reply): string | null {
  const fault = /<(?:[\w-]+:)?faultstring[^>]*>([^<]*)</i.exec(reply.text)?.[1];
  if (fault !== undefined) return fault;
  return reply.status === 200 || /^\s*<(!doctype\s+html|html)/i.test(reply.text) ? null : reply.text.slice(0, 2000);
}

function refused(publicName: string, messages: readonly string[]): LedgergateError {
  if (messages.length === 0) {
    return new UpstreamUnavailableError(`Sage X3 did not answer the web service ${publicName} and gave no reason.`);
  }
  return new PermissionError(`Sage X3 refused to answer the web service ${publicName}: ${quote(messages)}.`, {
    detail: { publicName, messages },
  });
}
