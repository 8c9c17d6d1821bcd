import { type Exchange, type SandboxReply, type SandboxRequest, text } from '../kit/index.js';
import { WSDL_PATH } from './access.js';
import type { X3Company } from './company.js';
import type { X3Pool } from './pools.js';
import { type DocumentForm, describe, readDocument, writeDocument, writeRows } from './soapDocument.js';
import { soapReply, wsdl } from './soapEnvelope.js';
import { publishedObject } from './soapObjects.js';
import type { X3Programs } from './subprograms.js';
import type { X3Tokens } from './tokens.js';
import { isRefusal, words } from './words.js';
import { parseXml, type XmlNode } from './xml.js';

/** What a SOAP call is answered with, before it has a form. */
export interface SoapResult {
  status: 0 | 1;
  messages: readonly string[];
  resultXml: string;
}

interface Call {
  operation: string;
  publicName: string;
  poolAlias: string;
  form: DocumentForm;
  argument: XmlNode;
}

const OPERATIONS = [
  ...['run', 'save', 'read', 'query', 'modify', 'delete', 'getDescription', 'getDataXmlSchema', 'actionObject'],
  ...['actionObjectKeys', 'insertLines', 'deleteLines'],
];

/** Classic web services: `CAdxWebServiceXmlCC` (reference: SOAP). Business failure is status 0 under HTTP 200. */
export class X3Soap {
  constructor(
    private readonly company: X3Company,
    private readonly tokens: X3Tokens,
    private readonly programs: X3Programs,
    private readonly pool: X3Pool,
    private readonly url: () => string,
    private readonly count: (operation: string) => void,
  ) {}

  /** Prepares a call. Who calls is settled now; the pool's session and the work come with `commit`. */
  exchange(request: SandboxRequest): Exchange {
    const isWsdl = request.path === WSDL_PATH;
    const call = isWsdl ? undefined : this.parse(request);
    const operation = isWsdl
      ? 'SOAP wsdl'
      : call === undefined
        ? 'SOAP unknown'
        : `SOAP ${call.operation} ${call.publicName}`;
    this.count(operation);
    let admission = this.tokens.admit(request);
    return {
      operation,
      expireSession: () => {
        this.tokens.end(request);
        admission = { refusal: text(401, 'Unauthorized') };
      },
      serverError: () => fault('Server', 'Internal server error'),
      commit: async () => {
        if ('refusal' in admission) return admission.refusal;
        if (isWsdl) return { status: 200, headers: XML_HEADERS, body: wsdl(this.url()) };
        if (this.company.settings.webServiceProcesses === 0) return text(500, words.noProcesses);
        if (call === undefined || request.method !== 'POST') return fault('Client', 'The request cannot be read');
        return soapReply(call.operation, await this.answer(call), this.company.settings.messageForm);
      },
    };
  }

  private parse(request: SandboxRequest): Call | undefined {
    const envelope = parseXml(request.body.toString('utf8'));
    const argument = envelope?.name === 'Envelope' ? envelope.child('Body')?.children[0] : undefined;
    if (argument === undefined || !OPERATIONS.includes(argument.name)) return undefined;
    const context = argument.child('callContext');
    const config = new URLSearchParams(context?.value('requestConfig') ?? '');
    const form = {
      json: (config.get('adxwss.optreturn') ?? '').toUpperCase() === 'JSON',
      attribute: this.company.settings.fieldNameAttribute,
    };
    return {
      operation: argument.name,
      publicName: argument.value('publicName'),
      poolAlias: context?.value('poolAlias') ?? '',
      form,
      argument,
    };
  }

  private async answer(call: Call): Promise<SoapResult> {
    const { poolAlias, poolStarted } = this.company.settings;
    if (call.poolAlias !== poolAlias || !poolStarted) return refused(words.noPool(call.poolAlias));
    const result = await this.pool.run(() => this.work(call));
    return result ?? refused(words.poolBusy);
  }

  private work(call: Call): SoapResult {
    switch (call.operation) {
      case 'run':
        return this.run(call);
      case 'save':
        return this.save(call);
      case 'read':
        return this.read(call);
      case 'query':
        return this.query(call);
      case 'getDescription':
      case 'getDataXmlSchema':
        return this.description(call);
      default:
        return refused(words.notYet);
    }
  }

  private run(call: Call): SoapResult {
    const program = this.programs.find(call.publicName);
    if (program === undefined) return refused(words.unknownService);
    const values = readDocument(call.argument.value('inputXml'), program.layout, call.form.attribute);
    if (isRefusal(values)) return refused(...values.refused);
    // The sub-program ran, so the status is 1 whatever it reports in its own O_STATUS.
    const answer = program.run(values);
    return { status: 1, messages: answer.messages, resultXml: writeDocument(answer.values, program.layout, call.form) };
  }

  private save(call: Call): SoapResult {
    const object = publishedObject(this.company, call.publicName);
    if (object === undefined) return refused(words.unknownService);
    if (object.save === undefined) return refused(words.notYet);
    const values = readDocument(call.argument.value('objectXml'), object.layout, call.form.attribute);
    if (isRefusal(values)) return refused(...values.refused);
    const answer = object.save(values);
    if (isRefusal(answer)) return refused(...answer.refused);
    return { status: 1, messages: answer.messages, resultXml: writeDocument(answer.values, object.layout, call.form) };
  }

  private read(call: Call): SoapResult {
    const object = publishedObject(this.company, call.publicName);
    if (object === undefined) return refused(words.unknownService);
    const values = object.read(keysOf(call.argument));
    if (values === undefined) return refused(words.missingRecord);
    return { status: 1, messages: [], resultXml: writeDocument(values, object.layout, call.form) };
  }

  private query(call: Call): SoapResult {
    const object = publishedObject(this.company, call.publicName);
    if (object === undefined) return refused(words.unknownService);
    const asked = Number(call.argument.value('listSize') || 0);
    const { soapListCap } = this.company.settings;
    const size = asked > 0 ? Math.min(asked, soapListCap) : soapListCap;
    const rows: Map<string, string>[] = [];
    for (const row of object.query(keysOf(call.argument))) {
      if (rows.length === size) break;
      rows.push(row);
    }
    return { status: 1, messages: [], resultXml: writeRows(rows, call.form) };
  }

  private description(call: Call): SoapResult {
    const layout =
      publishedObject(this.company, call.publicName)?.layout ?? this.programs.find(call.publicName)?.layout;
    if (layout === undefined) return refused(words.unknownService);
    return { status: 1, messages: [], resultXml: describe(call.publicName, layout, call.form.attribute) };
  }
}

/** Keys come each in an element of their own, or as pairs straight below `objectKeys`; both are accepted. */
function keysOf(argument: XmlNode): Map<string, string> {
  const holder = argument.child('objectKeys');
  const keys = new Map<string, string>();
  if (holder === undefined) return keys;
  for (const item of holder.children) {
    if (item.child('key') !== undefined) keys.set(item.value('key'), item.value('value'));
  }
  const names = holder.all('key');
  const values = holder.all('value');
  names.forEach((name, index) => {
    keys.set(name.text.trim(), values[index]?.text.trim() ?? '');
  });
  return keys;
}

function refused(...messages: string[]): SoapResult {
  return { status: 0, messages, resultXml: '' };
}

export const XML_HEADERS = { 'content-type': 'text/xml; charset=utf-8' };

function fault(side: 'Client' | 'Server', message: string): SandboxReply {
  const body = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault><faultcode>soapenv:${side}</faultcode><faultstring>${message}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`;
  return { status: 500, headers: XML_HEADERS, body };
}
