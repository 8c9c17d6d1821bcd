import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { getNamedType, isEnumType, isInputObjectType, isObjectType, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ROLES, type Role } from '../../../src/domain/vocabulary.js';
import { requireRole } from '../../../src/resolvers/authorise.js';
import type { GraphqlContext } from '../../../src/resolvers/context.js';
import { NODE_PERMISSIONS, PERMISSIONS } from '../../../src/resolvers/permissions.js';
import { buildSchema, printedSchema } from '../../../src/schema/build.js';

// Would catch: a schema change that nobody committed, a field without a permission, a list without a description.

const schema = buildSchema();

function contextOf(role: Role): GraphqlContext {
  return { caller: { role, tenantId: 't', actor: 'user:x', keyId: 'k', correlationId: 'c' } } as GraphqlContext;
}

describe('the schema', () => {
  it('is the committed schema.graphql', () => {
    const committed = readFileSync(resolve(import.meta.dirname, '../../../schema.graphql'), 'utf8');
    expect(printedSchema(), 'run the script that emits schema.graphql and commit it').toBe(committed);
  });

  it('describes every type', () => {
    const silent = Object.values(schema.getTypeMap()).filter(
      ({ name, description }) => !name.startsWith('__') && !description,
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('takes the defaults of a new pipeline from the input', () => {
    const type = schema.getType('CreatePipelineInput');
    if (!isInputObjectType(type)) throw new Error('CreatePipelineInput is no input.');
    const defaults = Object.fromEntries(
      Object.values(type.getFields()).flatMap(({ name, defaultValue }) =>
        defaultValue === undefined ? [] : [[name, defaultValue]],
      ),
    );
    expect(defaults).toEqual({
      grouping: 'PER_RECORD',
      timeZone: 'UTC',
      unmatchedVendor: 'HOLD',
      postingDate: 'TRANSACTION_DATE',
      closedPeriod: 'HOLD',
      coding: 'RICHEST',
      correction: 'REVERSE_AND_REPLACE',
      requireApproval: false,
      exportMasterData: false,
      duplicateCheck: 'ACROSS_SOURCES',
      duplicateDays: 0,
      duplicateImportDays: 2,
      enabled: true,
    });
    const update = schema.getType('UpdatePipelineInput');
    if (!isInputObjectType(update)) throw new Error('UpdatePipelineInput is no input.');
    expect(Object.values(update.getFields()).filter(({ defaultValue }) => defaultValue !== undefined)).toEqual([]);
  });

  it('prints as a document that reads back the same', () => {
    expect(print(parse(printedSchema()))).toBe(print(parse(print(parse(printedSchema())))));
    const policy = schema.getType('UnmatchedVendorPolicy');
    if (!isEnumType(policy)) throw new Error('UnmatchedVendorPolicy is no enum.');
    expect(policy.getValues().map(({ name }) => name)).toContain('POST_WITHOUT_SUPPLIER');
  });
});

describe('permissions', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((root) => Object.values(root?.getFields() ?? {}).map((field) => ({ root, field })));

  it('name every operation, and nothing else but fields that exist', () => {
    const operations = fields.map(({ root, field }) => `${root?.name}.${field.name}`);
    const others = Object.keys(PERMISSIONS).filter((name) => !operations.includes(name));
    expect(operations.filter((name) => !(name in PERMISSIONS))).toEqual([]);
    for (const coordinate of others) {
      const [type = '', name = ''] = coordinate.split('.');
      const object = schema.getType(type);
      expect(isObjectType(object) && name in object.getFields(), coordinate).toBe(true);
    }
  });

  it.each(fields.map(({ root, field }) => [`${root?.name}.${field.name}`, field] as const))(
    '%s turns away every role below its own before anything is done',
    (coordinate, field) => {
      const needed = PERMISSIONS[coordinate] ?? 'ADMIN';
      const entry = field.subscribe ?? field.resolve;
      for (const role of ROLES.slice(0, ROLES.indexOf(needed))) {
        // The context holds a caller only: whatever gets past the check fails in another way.
        expect(() => entry?.(null, {}, contextOf(role), {} as never), role).toThrowError(
          expect.objectContaining({ extensions: expect.objectContaining({ code: 'FORBIDDEN', requiredRole: needed }) }),
        );
      }
      expect(field.description).toContain(`Needs role ${needed}.`);
    },
  );

  it('give each role what the roles before it have', () => {
    for (const needed of ROLES) {
      for (const role of ROLES) {
        const may = ROLES.indexOf(role) >= ROLES.indexOf(needed);
        const check = () => requireRole(contextOf(role), needed, 'This');
        if (may) expect(check).not.toThrow();
        else expect(check).toThrow(`needs role ${needed}`);
      }
    }
  });

  it('keep the audit trail from viewers and changes from auditors', () => {
    expect(PERMISSIONS['Query.auditEvents']).toBe('AUDITOR');
    expect(PERMISSIONS['GlPosting.auditEvents']).toBe('AUDITOR');
    expect(NODE_PERMISSIONS).toEqual({ AuditEvent: 'AUDITOR', ApiKey: 'ADMIN' });
    const mutations = Object.entries(PERMISSIONS).filter(([name]) => name.startsWith('Mutation.'));
    expect(mutations.filter(([, role]) => role === 'VIEWER' || role === 'AUDITOR')).toEqual([]);
    // Whoever holds keys is ADMIN: only there do key types come out.
    const keyFields = fields.filter(({ field }) => /ApiKey/.test(getNamedType(field.type).name));
    expect(keyFields.map(({ root, field }) => PERMISSIONS[`${root?.name}.${field.name}`])).toEqual([
      'ADMIN',
      'ADMIN',
      'ADMIN',
    ]);
  });
});
