import { randomUUID } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { json, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { COMPANY, DIVISION, TENANT } from './access.js';
import { parseAmount } from './amounts.js';
import type { Acknowledgement, M3Company } from './company.js';
import type { StagedInvoice } from './invoices.js';
import { finishValidation } from './payables.js';
import type { InforM3Settings } from './settings.js';

/** ION's messaging service (Infor M3: BODs through ION). */
export const MESSAGING_PATH = `/${TENANT}/IONSERVICES/api/ion/messaging/service/`;
const ROUTES = ['v2/multipartMessage', 'v3/message/multipart'];
const DOCUMENT_NAME = 'Process.SupplierInvoice';

const parametersSchema = z.looseObject({
  documentName: z.string().default(DOCUMENT_NAME),
  messageId: z.string().optional(),
  fromLogicalId: z.string().startsWith('lid://').optional(),
});

/** The two parts of a message, or what is wrong with it. */
export type Message = { parameters: z.output<typeof parametersSchema>; payload: string } | { problem: string };

/** Splits the multipart body into `ParameterRequest` (JSON) and `MessagePayload` (XML). */
export function readMessage(request: SandboxRequest): Message {
  const type = String(request.headers['content-type'] ?? '');
  const match = /^multipart\/[^;]+;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) return { problem: 'The body must be multipart.' };
  const parts = new Map<string, string>();
  for (const part of request.body.toString('utf8').split(`--${boundary}`)) {
    const end = part.indexOf('\r\n\r\n');
    const name = /name="?([A-Za-z]+)"?/.exec(part.slice(0, Math.max(end, 0)))?.[1];
    if (end > 0 && name !== undefined) parts.set(name, part.slice(end + 4).replace(/\r\n$/, ''));
  }
  const [parameters, payload] = [parts.get('ParameterRequest'), parts.get('MessagePayload')];
  if (parameters === undefined || payload === undefined)
    return { problem: 'ParameterRequest or MessagePayload is missing.' };
  let value: unknown;
  try {
    value = JSON.parse(parameters);
  } catch {
    return { problem: 'ParameterRequest is not JSON.' };
  }
  const parsed = parametersSchema.safeParse(value);
  if (!parsed.success) return { problem: 'ParameterRequest cannot be read.' };
  return { parameters: parsed.data, payload };
}

/** Takes a message in. That it was taken says nothing about the invoice: that is decided later. */
export function answerMessaging(
  company: M3Company,
  settings: InforM3Settings,
  request: SandboxRequest,
  message: Message,
): SandboxReply {
  const route = request.path.slice(MESSAGING_PATH.length);
  if (!settings.messaging) return json(404, { error: 'Not Found' });
  if (route === 'ping' || route.endsWith('/ping')) return json(200, { status: 'OK' });
  if (!ROUTES.includes(route) || request.method !== 'POST') return json(404, { error: 'Not Found' });
  if ('problem' in message) return json(400, { error: message.problem });
  const { parameters, payload } = message;
  if (parameters.documentName !== DOCUMENT_NAME)
    return json(400, { error: `${parameters.documentName} is not routed.` });
  const root = parsePayload(payload);
  if (root === undefined) return json(400, { error: 'MessagePayload is not XML.' });
  const acknowledgement: Acknowledgement = {
    documentId: textAt(elementAt(elementAt(root, 'SupplierInvoiceHeader'), 'DocumentID'), 'ID'),
    messageId: parameters.messageId ?? randomUUID(),
    state: 'PENDING',
    reason: '',
  };
  company.messages.push(acknowledgement);
  const now = new Date(company.nowMs());
  company.jobs.add(settings.messagePolls, settings.messageMs, () => load(company, root, acknowledgement, now));
  return json(202, { messageId: acknowledgement.messageId, status: 'ACCEPTED' });
}

function parsePayload(payload: string): unknown {
  try {
    const parser = new XMLParser({ removeNSPrefix: true, parseTagValue: false, ignoreAttributes: true });
    return parser.parse(payload, true);
  } catch {
    return undefined;
  }
}

/** M3 reads the message as a batch invoice and validates it at once. */
function load(company: M3Company, root: unknown, acknowledgement: Acknowledgement, now: Date): void {
  const reason = loadInvoice(company, root, acknowledgement.documentId, now);
  acknowledgement.state = reason === undefined ? 'ACCEPTED' : 'REJECTED';
  acknowledgement.reason = reason ?? '';
}

/** @returns why the message was refused; undefined when the invoice is in the books. */
function loadInvoice(company: M3Company, root: unknown, documentId: string, now: Date): string | undefined {
  const entity = textAt(elementAt(root, 'Process'), 'AccountingEntityID');
  const [cono, division = DIVISION] = entity.split('_');
  if (entity !== '' && cono !== COMPANY) return `Accounting entity ${entity} is unknown`;
  if (documentId === '') return 'DocumentID is missing';
  const invoice = stageMessage(company, root, documentId, division);
  if (typeof invoice === 'string') return invoice;
  finishValidation(company, invoice, now);
  return invoice.voucher === null ? invoice.problems.join('; ') : undefined;
}

/** @returns the batch invoice, or why there is none. */
function stageMessage(company: M3Company, root: unknown, documentId: string, division: string): StagedInvoice | string {
  const names = company.settings.messageElements;
  const supplier = textAt(root, names.supplier).toUpperCase();
  const currency = textAt(root, names.currency) || company.seed.currency;
  const [total, date] = [textAt(root, names.total), textAt(root, names.date).slice(0, 10).replaceAll('-', '')];
  const lines = elementsAt(root, names.line);
  const amounts = [total, ...lines.map((line) => textAt(line, names.lineAmount))];
  if (company.suppliers.get(supplier) === undefined) return `Supplier ${supplier} does not exist`;
  if (!/^\d{8}$/.test(date)) return 'The date of the invoice cannot be read';
  if (!company.rates.has(currency)) return `Currency ${currency} does not exist`;
  if (amounts.some((amount) => parseAmount(amount, currency) === undefined)) return 'An amount cannot be read';
  const payee = company.suppliers.get(supplier)?.payee ?? supplier;
  return company.invoices.add({
    ...{ order: company.nextOrder(), division, supplier, payee, invoiceNumber: documentId.toUpperCase() },
    ...{ invoiceYear: date.slice(0, 4), status: company.settings.statusNew, isSubmitted: false, headError: false },
    head: {
      SUNO: supplier,
      SPYN: payee,
      SINO: documentId,
      IVDT: date,
      ACDT: date,
      CUCD: currency,
      CUAM: total,
      IBTP: '20',
    },
    lines: lines.map((line, index) => ({
      ...{ number: String(index + 1), type: '8', hasError: false },
      values: {
        ...{ NLAM: textAt(line, names.lineAmount), AIT1: textAt(line, names.lineAccount) },
        ...{ AIT2: textAt(line, names.lineCostCentre), VTXT: textAt(line, names.lineText).slice(0, 40) },
      },
    })),
    ...{ lineError: false, problems: [], voucher: null, approved: false, recodes: null, recodedBy: [] },
  });
}

function isElement(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns all elements of that name, at any depth, in their order; an element inside another of the name is left out. */
function elementsAt(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => elementsAt(item, name));
  if (!isElement(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (key !== name) return elementsAt(child, name);
    return Array.isArray(child) ? child : [child];
  });
}

function elementAt(value: unknown, name: string): unknown {
  return elementsAt(value, name)[0];
}

/** @returns the first such element's text, blank when there is none. */
function textAt(value: unknown, name: string): string {
  const found = elementAt(value, name);
  const content = isElement(found) ? found['#text'] : found;
  return typeof content === 'string' ? content.trim() : '';
}
