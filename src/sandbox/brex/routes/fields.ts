import { z } from 'zod';
import type { BrexParts } from '../app.js';
import type { Field, FieldValue, ValueSelector } from '../fieldStore.js';
import { pageOfList } from '../paging.js';
import { type BrexReply, badRequest, notFound, ok } from '../replies.js';
import { bodyOf, type Call, listParam, pageQuery, type Route, requireAscii } from '../routing.js';

const BATCH_MAX = 1000;
const READ_FIELDS = ['fields.read', 'fields.write'];
const READ_VALUES = ['field_values.read', 'field_values.write'];

const CREATE_FIELD = z.object({
  name: z.string().min(1),
  group: z.enum(['ACCOUNTING', 'USER', 'TRAVEL', 'ERP']),
  remote_id: z.string().nullish(),
  integration_id: z.string().nullish(),
  is_disabled: z.boolean().nullish(),
});
const UPDATE_FIELD = z.object({ name: z.string().min(1).nullish(), is_disabled: z.boolean().nullish() });
const batch = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item).min(1).max(BATCH_MAX) });
const CREATE_VALUES = batch(
  z.object({
    value: z.string().min(1),
    value_id: z.string().nullish(),
    remote_id: z.string().nullish(),
    is_disabled: z.boolean().nullish(),
  }),
);
const SELECTOR = { brex_id: z.string().nullish(), value_id: z.string().nullish(), remote_id: z.string().nullish() };
const isOneSelector = (item: ValueSelector) =>
  [item.brex_id, item.value_id, item.remote_id].filter(Boolean).length === 1;
const ONE_SELECTOR = { message: 'exactly one of brex_id, value_id and remote_id must be given' };
const UPDATE_VALUES = batch(
  z
    .object({ ...SELECTOR, data: z.object({ value: z.string().min(1).nullish(), is_disabled: z.boolean().nullish() }) })
    .refine(isOneSelector, ONE_SELECTOR),
);
const DELETE_VALUES = batch(z.object(SELECTOR).refine(isOneSelector, ONE_SELECTOR));

/** Dropdown fields and their values (§8). There is no upsert: POST creates, PUT changes what exists. */
export function fieldRoutes(parts: BrexParts): Route[] {
  const values = '/v1/fields/:field_id/values';
  const one = '/v1/fields/:id';
  const field = (call: Call): Field => findField(parts, call);
  return [
    { method: 'GET', pattern: '/v1/fields', scopes: READ_FIELDS, handle: (call) => listFields(parts, call) },
    {
      ...{ method: 'POST', pattern: '/v1/fields', scopes: ['fields.write'], idempotency: 'required' },
      handle: (call) => createField(parts, call),
    },
    { method: 'GET', pattern: one, scopes: READ_FIELDS, handle: (call) => ok(shapeField(field(call))) },
    { method: 'PUT', pattern: one, scopes: ['fields.write'], handle: (call) => updateField(parts, call) },
    {
      ...{ method: 'DELETE', pattern: one, scopes: ['fields.write'] },
      handle: (call) => {
        parts.fields.removeField(field(call));
        return ok();
      },
    },
    { method: 'GET', pattern: values, scopes: READ_VALUES, handle: (call) => listValues(parts, call) },
    {
      ...{ method: 'POST', pattern: values, scopes: ['field_values.write'], idempotency: 'required' },
      handle: (call) => createValues(parts, call),
    },
    { method: 'PUT', pattern: values, scopes: ['field_values.write'], handle: (call) => updateValues(parts, call) },
    { method: 'DELETE', pattern: values, scopes: ['fields.write'], handle: (call) => deleteValues(parts, call) },
    {
      ...{ method: 'GET', pattern: `${values}/:brex_id`, scopes: READ_VALUES },
      handle: (call) => {
        const found = field(call).values.get(call.params.brex_id ?? '');
        if (!found) throw notFound('Field value not found');
        return ok(shapeValue(found));
      },
    },
  ];
}

function findField(parts: BrexParts, call: Call): Field {
  const found = parts.fields.fields.get(call.params.field_id ?? call.params.id ?? '');
  if (!found) throw notFound('Field not found');
  return found;
}

function shapeField(field: Field): unknown {
  return {
    ...{ brex_id: field.brexId, name: field.name, remote_id: field.remoteId, updated_at: field.updatedAt },
    ...{ is_disabled: field.isDisabled, group: field.group },
  };
}

function shapeValue(value: FieldValue): unknown {
  return {
    ...{ brex_id: value.brexId, remote_id: value.remoteId, value_id: value.valueId, value: value.value },
    ...{ field_id: value.fieldId, updated_at: value.updatedAt, is_disabled: value.isDisabled },
  };
}

function listFields(parts: BrexParts, call: Call): BrexReply {
  const ids = listParam(call.query, 'field_id[]');
  const found = [...parts.fields.fields.values()].filter((field) => ids === null || ids.has(field.brexId));
  const page = pageOfList(pageQuery(call, 1000, parts.settings), found);
  return ok({ next_cursor: page.nextCursor, items: page.items.map(shapeField) });
}

function createField(parts: BrexParts, call: Call): BrexReply {
  const { fields, settings, store } = parts;
  const body = bodyOf(call, CREATE_FIELD);
  if (settings.asciiOnly) requireAscii(call, { name: body.name });
  if (body.group === 'ERP') {
    if (!body.integration_id) throw badRequest(call.path, 'integration_id is required for the ERP group');
    if (parts.integrations.active()?.id !== body.integration_id)
      throw badRequest(call.path, 'integration_id is invalid');
  } else if (body.integration_id) {
    throw badRequest(call.path, 'integration_id must be null for this group');
  }
  const remoteId = body.remote_id ?? null;
  if (settings.duplicates === 'refuse' && remoteId !== null && fields.fieldByRemoteId(remoteId)) {
    throw badRequest(call.path, 'remote_id is already used by another field');
  }
  const field = fields.addField({
    ...{ brexId: fields.newId('extended_field'), name: body.name, group: body.group, remoteId },
    ...{ integrationId: body.integration_id ?? null, isDisabled: body.is_disabled ?? false, updatedAt: store.nowText },
  });
  return ok(shapeField(field));
}

function updateField(parts: BrexParts, call: Call): BrexReply {
  const body = bodyOf(call, UPDATE_FIELD);
  const field = findField(parts, call);
  field.name = body.name ?? field.name;
  field.isDisabled = body.is_disabled ?? field.isDisabled;
  field.updatedAt = parts.store.nowText;
  return ok(shapeField(field));
}

function listValues(parts: BrexParts, call: Call): BrexReply {
  const field = findField(parts, call);
  const ids = (name: string) => listRepeated(call, `${name}[]`);
  const [brexIds, valueIds, remoteIds, value] = [
    ids('brex_id'),
    ids('value_id'),
    ids('remote_id'),
    call.query.get('value'),
  ];
  const found = [...field.values.values()].filter(
    (one) =>
      (brexIds === null || brexIds.has(one.brexId)) &&
      (valueIds === null || valueIds.has(one.valueId ?? '')) &&
      (remoteIds === null || remoteIds.has(one.remoteId ?? '')) &&
      (value === null || one.value === value),
  );
  const page = pageOfList(pageQuery(call, 1000, parts.settings), found);
  return ok({ next_cursor: page.nextCursor, items: page.items.map(shapeValue) });
}

// Remote ids are free text and may hold commas, so these lists are repeated and never split.
function listRepeated(call: Call, name: string): ReadonlySet<string> | null {
  const values = call.query.getAll(name);
  return values.length === 0 ? null : new Set(values);
}

function createValues(parts: BrexParts, call: Call): BrexReply {
  const { fields, settings, store } = parts;
  const { items } = bodyOf(call, CREATE_VALUES);
  const field = findField(parts, call);
  if (settings.asciiOnly) for (const item of items) requireAscii(call, { value: item.value });
  if (settings.duplicates === 'refuse') {
    const remoteIds = items.flatMap((item) => item.remote_id ?? []);
    const isTaken = remoteIds.some((id) => field.valuesByRemoteId.has(id));
    if (isTaken || new Set(remoteIds).size < remoteIds.length) {
      throw badRequest(call.path, 'remote_id is already used by another value of this field');
    }
  }
  const created = items.map((item) =>
    fields.addValue(field, {
      ...{ brexId: fields.newId('efo'), value: item.value, valueId: item.value_id ?? null },
      ...{ remoteId: item.remote_id ?? null, isDisabled: item.is_disabled ?? false, updatedAt: store.nowText },
    }),
  );
  return ok({ items: created.map(shapeValue) });
}

/** All values are found before any is changed. */
function findValues(parts: BrexParts, call: Call, field: Field, items: readonly ValueSelector[]): FieldValue[] {
  return items.map((item) => {
    const found = parts.fields.findValue(field, item);
    if (!found) throw badRequest(call.path, 'A field value was not found');
    return found;
  });
}

function updateValues(parts: BrexParts, call: Call): BrexReply {
  const { items } = bodyOf(call, UPDATE_VALUES);
  const found = findValues(parts, call, findField(parts, call), items);
  for (const [index, value] of found.entries()) {
    const data = items[index]?.data;
    value.value = data?.value ?? value.value;
    value.isDisabled = data?.is_disabled ?? value.isDisabled;
    value.updatedAt = parts.store.nowText;
  }
  return ok({ items: found.map(shapeValue) });
}

function deleteValues(parts: BrexParts, call: Call): BrexReply {
  const { items } = bodyOf(call, DELETE_VALUES);
  const field = findField(parts, call);
  const found = findValues(parts, call, field, items);
  for (const value of found) parts.fields.removeValue(field, value);
  return ok({ deleted_count: found.length });
}
