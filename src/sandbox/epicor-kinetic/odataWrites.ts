import type { SandboxReply, SandboxRequest } from '../kit/index.js';
import { badRequest, ERROR_TYPES, KineticError } from './failures.js';
import { type Json, JsonNumber, parseJson } from './numbers.js';
import { entity, type ListRequest, rowByKey } from './odata.js';
import { readRow } from './rows.js';

/**
 * Writes through OData: POST 201, PATCH 204, DELETE 204. They exist and make no defaults in the order of the screens, which
 * is why the documentation advises business methods (Epicor REST: values and rows).
 * @returns what does it for a user.
 */
export function writeEntity(
  list: ListRequest,
  request: SandboxRequest,
  key: string | undefined,
): (user: string) => SandboxReply {
  const { service, set, company } = list;
  const save = service.save;
  const wantsKey = request.method !== 'POST';
  if (save === undefined || !['POST', 'PATCH', 'DELETE'].includes(request.method) || wantsKey !== (key !== undefined)) {
    throw new KineticError(405, ERROR_TYPES.api, 'The requested resource does not support this HTTP method.');
  }
  return (user) => {
    const { def } = set;
    if (request.method === 'POST') {
      const sent = { ...readRow(def, bodyOf(request)), rowMod: 'A' };
      const stored = save({ company, user }, sent);
      if (stored === undefined) return { status: 204 };
      const value = entity(list, def, stored, [...def.columns]);
      return { status: 201, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
    }
    const stored = rowByKey(list, key ?? '');
    const isPatch = request.method === 'PATCH';
    const sent = isPatch ? readRow(def, bodyOf(request)) : undefined;
    const row = { ...stored, ...sent?.row, SysRevID: sent?.row.SysRevID ?? stored.SysRevID ?? 0n };
    save({ company, user }, { def, row, rowMod: isPatch ? 'U' : 'D', given: new Set(def.columns.keys()) });
    return { status: 204 };
  };
}

function bodyOf({ body }: SandboxRequest): Json {
  try {
    const value = parseJson(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber))
      return value;
  } catch {
    // Answered below, like a body that is JSON but no object.
  }
  throw badRequest('Unable to deserialize entity');
}
