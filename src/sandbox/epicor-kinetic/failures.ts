import { randomUUID } from 'node:crypto';
import { json, type SandboxReply } from '../kit/index.js';

/** Names of the server's exception types (Epicor REST: errors). */
export const ERROR_TYPES = {
  business: 'Ice.Common.BusinessObjectException',
  odata: 'Microsoft.OData.ODataException',
  unauthorized: 'System.UnauthorizedAccessException',
  api: 'Epicor.RESTApi.ErrorHandling.ApiException',
  missing: 'Ice.Common.RecordNotFoundException',
  duplicate: 'Ice.Common.DuplicateRecordException',
  session: 'Ice.Common.InvalidSessionException',
  conversions: 'Ice.Common.ConversionsPendingException',
} as const;

export interface ErrorPlace {
  table?: string;
  field?: string;
  method?: string;
}

/** A refusal in the server's own form. */
export class KineticError extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly place: ErrorPlace = {},
  ) {
    super(message);
    this.name = 'KineticError';
  }
}

/** A business rule said no. PLACEHOLDER words: real texts are not public and follow the user's language. */
export function refusal(message: string, place: ErrorPlace = {}): KineticError {
  return new KineticError(400, ERROR_TYPES.business, message, place);
}

/** @returns the refusal of a request that does not fit the method's signature or the query language. */
export function badRequest(message: string): KineticError {
  return new KineticError(400, ERROR_TYPES.odata, message);
}

export function notFound(message = 'Record not found.'): KineticError {
  return new KineticError(404, ERROR_TYPES.missing, message);
}

export function unknownAddress(what: string): KineticError {
  return new KineticError(404, ERROR_TYPES.api, `${what} not found.`);
}

export function unauthorized(message: string, status = 401): KineticError {
  return new KineticError(status, ERROR_TYPES.unauthorized, message);
}

/** Words that live captures of a 2026.1 server show. */
export const OBSERVED = {
  badPassword: 'Invalid username or password.',
  badApiKey: (key: string, company: string) => `Invalid API Key ${key}.\r\nCompany ${company}.`,
  denied: (operation: string) => `Access denied (${operation}).`,
  parameterMissing: (name: string) => `Parameter ${name} is not found in the input object`,
  duplicate: 'This is a duplicate entry of an existing record',
  staleRow: "Row has been modified by another user and couldn't be updated.",
  operatorTypes: (left: string, right: string, operator: string) =>
    `A binary operator with incompatible types was detected. Found operand types '${left}' and '${right}' for operator kind '${operator}'.`,
} as const;

/** The body that every refusal has (Epicor REST: errors). */
export function errorReply(error: KineticError): SandboxReply {
  const { table, field, method } = error.place;
  const detail = {
    ...{ Message: error.message, Type: 'Error' },
    ...(method === undefined ? {} : { Method: method }),
    ...(table === undefined ? {} : { Table: table }),
    ...(field === undefined ? {} : { Field: field }),
  };
  return json(error.status, {
    HttpStatus: error.status,
    ReasonPhrase: 'REST API Exception',
    ErrorMessage: error.message,
    ErrorType: error.type,
    ...(error.type === ERROR_TYPES.business ? { ErrorDetails: [detail] } : {}),
    CorrelationId: randomUUID(),
  });
}

export function internalError(): SandboxReply {
  const id = randomUUID();
  const message = `We apologize, but an unexpected internal problem occurred. Please provide your System Administrator or Technical Support this identifier for further details. Correlation ID: ${id}`;
  const body = {
    HttpStatus: 500,
    ReasonPhrase: 'REST API Exception',
    ErrorMessage: message,
    ErrorType: 'System.Exception',
  };
  return json(500, { ...body, CorrelationId: id });
}
