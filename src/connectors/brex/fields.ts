import { createHash } from 'node:crypto';
import { ConfigurationError, InputError, UnreadableReplyError } from '../../errors.js';
import type { LedgerValue, MasterDataPush } from '../contract.js';
import { type BrexClient, PAGE_MAX } from './client.js';
import { asciiText } from './text.js';

/**
 * Pushes the ledger's accounts and dimensions into Brex, where people then code with them. There is no upsert: what is
 * missing is created, what changed is updated, what is gone is switched off (never deleted: records may use it).
 * A value's `remote_id` is the ledger's code. It cannot be changed afterwards, and it is what accounting records bring
 * back as `remote_field_value_id`, which is posted as it is.
 */
export interface BrexFields {
  /**
   * The field that `wanted` names by its remote id, its Brex id or its name. If there is none, one is created under the
   * accounting integration with `wanted` as its remote id.
   * @returns its Brex id.
   * @throws ConfigurationError the field is switched off in Brex.
   */
  ensure(field: { wanted: string; name: string; integrationId: string }): Promise<string>;
  /**
   * Makes the field's values the given ones. Safe to repeat, also after a lost answer: it looks first.
   * @throws OutcomeUnknownError an answer was lost; repeat the whole push.
   */
  push(fieldId: string, values: readonly LedgerValue[]): Promise<MasterDataPush>;
}

/** One call takes 1 to 1000 values. */
const BATCH = 1000;

interface Known {
  readonly brexId: string;
  readonly label: string;
  readonly isDisabled: boolean;
}

export function createFields(client: BrexClient): BrexFields {
  return {
    async ensure({ wanted, name, integrationId }) {
      const found = await findField(client, wanted);
      if (found?.is_disabled === true) {
        throw new ConfigurationError(
          `The field "${found.name ?? wanted}" is switched off in Brex: switch it on there, or name another one in the settings of this Brex connection.`,
          { code: 'BREX_FIELD_DISABLED', detail: { field: wanted } },
        );
      }
      if (found) return found.brex_id;
      const field = { name: asciiText(name, 'name'), remoteId: wanted, integrationId };
      return (await client.createField(field, keyOf('field', field))).brex_id;
    },
    async push(fieldId, values) {
      const wanted = new Map(values.map((value) => [value.code, value]));
      if (wanted.size < values.length) throw new InputError('A code appears twice among the values.', ['values']);
      const known = await knownValues(client, fieldId);
      const missing = values.filter((value) => value.active && !known.has(value.code)).map(newValue);
      const retired = [...known].flatMap(([code, value]) => (wanted.get(code)?.active ? [] : retirementOf(value)));
      const renamed = [...known].flatMap(([code, value]) => changeOf(value, wanted.get(code)));
      for (const items of batches(missing)) {
        await client.createFieldValues(fieldId, items, keyOf(`values of ${fieldId}`, items));
      }
      for (const items of batches([...renamed, ...retired])) await client.updateFieldValues(fieldId, items);
      return {
        created: missing.length,
        renamed: renamed.length,
        retired: retired.length,
        unchanged: known.size - renamed.length - retired.length,
      };
    },
  };
}

/** Values that came from a ledger, by their code. Those that people made in Brex have no remote id and are left alone. */
async function knownValues(client: BrexClient, fieldId: string): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const query = (cursor: string | null) => client.fieldValues(fieldId, { limit: PAGE_MAX.others, cursor });
  for await (const page of pagesOf(query)) {
    for (const { brex_id, remote_id, value, is_disabled } of page) {
      if (remote_id) known.set(remote_id, { brexId: brex_id, label: value, isDisabled: is_disabled === true });
    }
  }
  return known;
}

/** Code and name together: people search by either, and two accounts of one name stay apart. */
function labelOf({ code, name }: LedgerValue): string {
  try {
    const ascii = asciiText(name, 'name');
    return ascii === code ? code : `${code} ${ascii}`;
  } catch {
    // A name in another script cannot be written in Brex; the code alone still finds the account.
    return code;
  }
}

function newValue(value: LedgerValue) {
  return { value: labelOf(value), value_id: value.code, remote_id: value.code, is_disabled: false };
}

function retirementOf(known: Known) {
  return known.isDisabled ? [] : [{ brex_id: known.brexId, data: { is_disabled: true } }];
}

/** What is to be offered under another name, or again. */
function changeOf(known: Known, wanted: LedgerValue | undefined) {
  if (!wanted?.active) return [];
  const label = labelOf(wanted);
  if (known.label.trim() === label && !known.isDisabled) return [];
  return [{ brex_id: known.brexId, data: { value: label, is_disabled: false } }];
}

type Field = Awaited<ReturnType<BrexClient['fields']>>['items'][number];

/** Ids are compared before names: a name may be shared, and people change it. */
async function findField(client: BrexClient, wanted: string): Promise<Field | null> {
  const plain = (text: string | null | undefined) => text?.trim().toLowerCase();
  const names: readonly ((field: Field) => string | null | undefined)[] = [
    (field) => field.remote_id,
    (field) => field.brex_id,
    (field) => field.name,
  ];
  const found: Field[] = [];
  for await (const page of pagesOf((cursor) => client.fields({ limit: PAGE_MAX.others, cursor }))) {
    found.push(...page.filter((field) => names.some((name) => plain(name(field)) === plain(wanted))));
  }
  for (const name of names) {
    const fitting = found.filter((field) => plain(name(field)) === plain(wanted));
    const best = fitting.find((field) => field.is_disabled !== true) ?? fitting[0];
    if (best) return best;
  }
  return null;
}

function batches<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / BATCH);
  return Array.from({ length: count }, (_, index) => items.slice(index * BATCH, (index + 1) * BATCH));
}

/** The same request always travels under the same key. */
function keyOf(what: string, content: unknown): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([what, content]))
    .digest('hex');
  return `ledgergate-fields-${digest.slice(0, 32)}`;
}

async function* pagesOf<T>(
  read: (cursor: string | null) => Promise<{ items: T[]; nextCursor: string | null }>,
): AsyncIterable<T[]> {
  const seen = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: { items: T[]; nextCursor: string | null } = await read(cursor);
    yield page.items;
    cursor = page.nextCursor;
    if (cursor !== null && seen.has(cursor)) throw new UnreadableReplyError('Brex repeated a page of a list.');
    if (cursor !== null) seen.add(cursor);
  } while (cursor !== null);
}
