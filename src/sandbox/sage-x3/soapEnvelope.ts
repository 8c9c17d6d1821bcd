import type { SandboxReply } from '../kit/index.js';
import { SOAP_PATH } from './access.js';
import type { SageX3Settings } from './settings.js';
import type { SoapResult } from './soap.js';
import { escapeXml } from './xml.js';

const NAMESPACES =
  'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" ' +
  'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
  'xmlns:wss="http://www.adonix.com/WSS"';

const TECHNICAL =
  '<technicalInfos xsi:type="wss:CAdxTechnicalInfos"><busy xsi:type="xsd:boolean">false</busy>' +
  '<poolEntryIdx xsi:type="xsd:double">1</poolEntryIdx><poolExecDuration xsi:type="xsd:double">12</poolExecDuration>' +
  '<poolWaitDuration xsi:type="xsd:double">0</poolWaitDuration><totalDuration xsi:type="xsd:double">14</totalDuration>' +
  '<traceRequest xsi:type="xsd:string"></traceRequest></technicalInfos>';

/** The RPC/encoded answer; how messages are written differs between SOAP stacks, so it is a setting. */
export function soapReply(operation: string, result: SoapResult, form: SageX3Settings['messageForm']): SandboxReply {
  const name = `${operation}Return`;
  const resultXml =
    result.resultXml === ''
      ? '<resultXml xsi:nil="true"/>'
      : `<resultXml xsi:type="xsd:string">${escapeXml(result.resultXml)}</resultXml>`;
  const status = `<status xsi:type="xsd:int">${result.status}</status>`;
  const response =
    form === 'MULTIREF'
      ? multiRef(operation, result, resultXml)
      : `<wss:${operation}Response soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">` +
        `<${name} xsi:type="wss:CAdxResultXml">${messagesXml(result, form)}${resultXml}${status}${TECHNICAL}</${name}>` +
        `</wss:${operation}Response>`;
  const body = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope ${NAMESPACES}><soapenv:Body>${response}</soapenv:Body></soapenv:Envelope>`;
  return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}

function messagesXml(result: SoapResult, form: SageX3Settings['messageForm']): string {
  const each = result.messages.map(
    (message) => `<messages xsi:type="wss:CAdxMessage">${messageXml(message, result)}</messages>`,
  );
  switch (form) {
    case 'NONE':
      return '';
    case 'NIL':
      return '<messages xsi:nil="true"/>';
    case 'SINGLE':
      return each.join('');
    default:
      return `<messages soapenc:arrayType="wss:CAdxMessage[${each.length}]" xsi:type="soapenc:Array">${each.join('')}</messages>`;
  }
}

/** 1 for information and 3 for errors is the common reading; nothing may depend on it. */
function messageXml(message: string, result: SoapResult): string {
  const type = result.status === 1 ? '1' : '3';
  return `<message xsi:type="xsd:string">${escapeXml(message)}</message><type xsi:type="xsd:string">${type}</type>`;
}

/** Every structure stands beside the response and is only referred to. */
function multiRef(operation: string, result: SoapResult, resultXml: string): string {
  const items = result.messages.map((_message, index) => `<messages href="#id${index + 2}"/>`).join('');
  const bodies = result.messages.map(
    (message, index) =>
      `<multiRef id="id${index + 2}" soapenc:root="0" xsi:type="wss:CAdxMessage">${messageXml(message, result)}</multiRef>`,
  );
  return (
    `<wss:${operation}Response><${operation}Return href="#id0"/></wss:${operation}Response>` +
    `<multiRef id="id0" soapenc:root="0" xsi:type="wss:CAdxResultXml"><messages soapenc:arrayType="wss:CAdxMessage[${result.messages.length}]" xsi:type="soapenc:Array">${items}</messages>` +
    `${resultXml}<status href="#id1"/>${TECHNICAL}</multiRef>` +
    `<multiRef id="id1" soapenc:root="0" xsi:type="xsd:int">${result.status}</multiRef>${bodies.join('')}`
  );
}

const ARGUMENTS: Record<string, readonly string[]> = {
  run: ['inputXml'],
  save: ['objectXml'],
  read: ['objectKeys'],
  query: ['objectKeys', 'listSize'],
  modify: ['objectKeys', 'objectXml'],
  delete: ['objectKeys'],
  getDescription: [],
  getDataXmlSchema: [],
  actionObject: ['actionCode', 'objectXml'],
  actionObjectKeys: ['actionCode', 'objectKeys'],
  insertLines: ['objectKeys', 'blocKey', 'lineKey', 'lineXml'],
  deleteLines: ['objectKeys', 'blocKey', 'lineKeys'],
};

/** The operations with their arguments; enough to see that the service is there. */
export function wsdl(url: string): string {
  const messages = Object.entries(ARGUMENTS).map(([operation, names]) => {
    const parts = ['callContext', 'publicName', ...names].map((name) => `<wsdl:part name="${name}"/>`);
    return `<wsdl:message name="${operation}Request">${parts.join('')}</wsdl:message>`;
  });
  const operations = Object.keys(ARGUMENTS).map(
    (operation) =>
      `<wsdl:operation name="${operation}"><wsdl:input message="wss:${operation}Request"/></wsdl:operation>`,
  );
  return (
    '<?xml version="1.0" encoding="UTF-8"?><wsdl:definitions targetNamespace="http://www.adonix.com/WSS" ' +
    'xmlns:wss="http://www.adonix.com/WSS" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" ' +
    `xmlns:wsdlsoap="http://schemas.xmlsoap.org/wsdl/soap/">${messages.join('')}` +
    `<wsdl:portType name="CAdxWebServiceXmlCC">${operations.join('')}</wsdl:portType>` +
    '<wsdl:service name="CAdxWebServiceXmlCCService"><wsdl:port name="CAdxWebServiceXmlCC">' +
    `<wsdlsoap:address location="${url}${SOAP_PATH}"/></wsdl:port></wsdl:service></wsdl:definitions>`
  );
}
