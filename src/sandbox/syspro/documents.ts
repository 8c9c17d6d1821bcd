import type { SysproCompany } from './company.js';
import { EnetError, type Failure, failure, PLACEHOLDER_TEXTS } from './failures.js';
import type { Operator } from './sessions.js';
import type { SysproSettings } from './settings.js';
import { parseXml, XmlElement } from './xml.js';

/** What a business object works on. */
export interface BusinessContext {
  company: SysproCompany;
  settings: SysproSettings;
  operator: Operator;
}

/** A query: one document in, one out. */
export type QueryObject = (context: BusinessContext, document: XmlElement) => string;
/** A transaction or set-up object: two documents with the same root in, one out. */
export type WriteObject = (context: BusinessContext, parameters: XmlElement, document: XmlElement) => string;

/** @throws EnetError the text is no XML, or its root is another. */
export function readDocument(text: string, root: string): XmlElement {
  const document = parseXml(text);
  if (document === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badXml);
  if (document.name !== root) throw new EnetError(PLACEHOLDER_TEXTS.badRoot);
  return document;
}

/** @returns the `Parameters` element; an empty one where no parameters were sent, so that every default holds. */
export function readParameters(text: string, root: string): XmlElement {
  if (text.trim() === '') return new XmlElement('Parameters');
  return readDocument(text, root).child('Parameters') ?? new XmlElement('Parameters');
}

/** `IgnoreWarnings`: N a warning rejects the item, Y it is ignored, W it is reported only. */
export type WarningMode = 'N' | 'Y' | 'W';

export interface WriteParameters {
  warnings: WarningMode;
  wholeDocument: boolean;
  validateOnly: boolean;
  failures: Failure[];
}

/** The parameters that all writing objects share (SYSPRO e.net: common parameters). */
export function readWriteParameters(parameters: XmlElement, mayReport: boolean): WriteParameters {
  const failures: Failure[] = [];
  const flag = (name: string, allowed: string, byDefault: string): string => {
    const value = parameters.value(name) || byDefault;
    if (allowed.includes(value) && value.length === 1) return value;
    failures.push(failure('flagInvalid', value, name));
    return byDefault;
  };
  const warnings = flag('IgnoreWarnings', mayReport ? 'NYW' : 'NY', 'N');
  return {
    warnings: warnings === 'Y' || warnings === 'W' ? warnings : 'N',
    wholeDocument: flag('ApplyIfEntireDocumentValid', 'YN', 'Y') === 'Y',
    validateOnly: flag('ValidateOnly', 'YN', 'N') === 'Y',
    failures,
  };
}

/** @returns the element's Y or N, or the default where it is blank; anything else is reported. */
export function readFlag(
  element: XmlElement,
  name: string,
  byDefault: string,
  allowed: string,
  failures: Failure[],
): string {
  const value = element.value(name) || byDefault;
  if (value.length === 1 && allowed.includes(value)) return value;
  failures.push(failure('flagInvalid', value, name));
  return byDefault;
}

/** Whether an account may take an entry. A control account is a warning, the rest are errors. */
export function checkAccount(
  context: BusinessContext,
  code: string,
  password: string | null,
  statistical: boolean,
  element: string,
): { errors: Failure[]; warnings: Failure[] } {
  const account = context.company.account(code);
  if (account === undefined) return { errors: [failure('accountMissing', code, element)], warnings: [] };
  const errors: Failure[] = [];
  if (account.onHold) errors.push(failure('accountOnHold', code, element));
  if (account.type === 'T') errors.push(failure('accountTemplate', code, element));
  else if ((account.type === 'S') !== statistical) errors.push(failure('accountStatistical', code, element));
  if (password !== null && account.password !== '' && account.password !== password) {
    errors.push(failure('accountPassword', code, element));
  }
  return { errors, warnings: account.control ? [failure('accountControl', code, element)] : [] };
}
