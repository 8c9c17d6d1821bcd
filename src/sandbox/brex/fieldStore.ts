import type { SeedField } from './seed.js';

export interface Field {
  brexId: string;
  name: string;
  group: SeedField['group'];
  remoteId: string | null;
  integrationId: string | null;
  isDisabled: boolean;
  updatedAt: string;
  /** By Brex id, in the order of creation. */
  values: Map<string, FieldValue>;
  valuesByRemoteId: Map<string, FieldValue>;
}

export interface FieldValue {
  brexId: string;
  fieldId: string;
  value: string;
  valueId: string | null;
  remoteId: string | null;
  isDisabled: boolean;
  updatedAt: string;
}

/** The dropdown fields of the account and their values. */
export class FieldStore {
  readonly fields = new Map<string, Field>();
  private readonly byRemoteId = new Map<string, Field>();
  private nextId = 1;

  constructor(seeds: readonly SeedField[], at: string) {
    for (const seed of seeds) {
      const { values, ...rest } = seed;
      const field = this.addField({ ...rest, integrationId: null, isDisabled: false, updatedAt: at });
      for (const value of values) this.addValue(field, { ...value, updatedAt: at });
    }
  }

  newId(prefix: string): string {
    this.nextId += 1;
    return `${prefix}_sbx${String(this.nextId).padStart(6, '0')}`;
  }

  addField(field: Omit<Field, 'values' | 'valuesByRemoteId'>): Field {
    const added: Field = { ...field, values: new Map(), valuesByRemoteId: new Map() };
    this.fields.set(added.brexId, added);
    if (added.remoteId !== null && !this.byRemoteId.has(added.remoteId)) this.byRemoteId.set(added.remoteId, added);
    return added;
  }

  removeField(field: Field): void {
    this.fields.delete(field.brexId);
    if (field.remoteId !== null && this.byRemoteId.get(field.remoteId) === field)
      this.byRemoteId.delete(field.remoteId);
  }

  fieldByRemoteId(remoteId: string): Field | undefined {
    return this.byRemoteId.get(remoteId);
  }

  addValue(field: Field, value: Omit<FieldValue, 'fieldId'>): FieldValue {
    const added: FieldValue = { ...value, fieldId: field.brexId };
    field.values.set(added.brexId, added);
    if (added.remoteId !== null) field.valuesByRemoteId.set(added.remoteId, added);
    return added;
  }

  removeValue(field: Field, value: FieldValue): void {
    field.values.delete(value.brexId);
    if (value.remoteId !== null) field.valuesByRemoteId.delete(value.remoteId);
  }

  /** By the first of the three ids that is given. */
  findValue(field: Field, ids: ValueSelector): FieldValue | undefined {
    if (ids.brex_id) return field.values.get(ids.brex_id);
    if (ids.remote_id) return field.valuesByRemoteId.get(ids.remote_id);
    if (ids.value_id) return [...field.values.values()].find((value) => value.valueId === ids.value_id);
    return undefined;
  }
}

export interface ValueSelector {
  brex_id?: string | null | undefined;
  value_id?: string | null | undefined;
  remote_id?: string | null | undefined;
}
