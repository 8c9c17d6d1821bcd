/** What would be caught here: a value deleted while records use it, and a person's own value that is taken over. */
import { describe, expect, it } from 'vitest';
import { dimensionOf, fieldOf } from '../../../src/connectors/brex/codingFields.js';
import { InputError } from '../../../src/errors.js';
import { type Answer, connectTo, fakeBrex, page } from './brexHarness.js';

const value = (code: string | null, label: string, more: object = {}) => ({
  brex_id: `efo_${label}`,
  remote_id: code,
  value_id: code,
  value: label,
  is_disabled: false,
  ...more,
});

describe('pushing values', () => {
  it('creates the missing, renames the changed, switches off the gone, and leaves the rest alone', async () => {
    const existing = [
      value('6100', '6100 Same '),
      value('6200', '6200 Old name'),
      value('6300', '6300 Gone'),
      value('6400', '6400 Gone before', { is_disabled: true }),
      value(null, 'Made by a person'),
    ];
    const brex = await fakeBrex((asked): Answer => (asked.method === 'GET' ? { body: page(existing) } : { body: {} }));
    const pushed = await connectTo(brex.url).fields.push('ef_1', [
      { code: '6100', name: 'Same', active: true },
      { code: '6200', name: 'New name', active: true },
      { code: '6500', name: '株式会社', active: true },
      { code: '6600', name: 'Inactive', active: false },
    ]);
    expect(pushed).toEqual({ created: 1, renamed: 1, retired: 1, unchanged: 2 });
    const bodies = brex.asked.filter((asked) => asked.method !== 'GET').map((asked) => JSON.parse(asked.body));
    expect(bodies).toEqual([
      { items: [{ value: '6500', value_id: '6500', remote_id: '6500', is_disabled: false }] },
      {
        items: [
          { brex_id: 'efo_6200 Old name', data: { value: '6200 New name', is_disabled: false } },
          { brex_id: 'efo_6300 Gone', data: { is_disabled: true } },
        ],
      },
    ]);
    expect(brex.asked.map((asked) => asked.method)).not.toContain('DELETE');
  });

  it('a code that appears twice is refused before anything is sent', async () => {
    const brex = await fakeBrex(() => ({ body: page([]) }));
    const one = { code: '1', name: 'x', active: true };
    await expect(connectTo(brex.url).fields.push('ef_1', [one, one])).rejects.toBeInstanceOf(InputError);
    expect(brex.asked).toEqual([]);
  });
});

describe('the field', () => {
  const field = (brex_id: string, remote_id: string | null, name: string, is_disabled = false) => ({
    ...{ brex_id, remote_id, name, is_disabled, group: 'ERP', updated_at: '2026-11-20T10:00:00Z' },
  });
  const existing = [
    field('ef_1', null, 'gl_account'),
    field('ef_2', 'gl_account', 'Ledger'),
    field('ef_3', 'cc', 'Cost center'),
    field('ef_4', null, 'Old', true),
  ];
  const ensure = async (wanted: string) => {
    const brex = await fakeBrex((asked): Answer => {
      const [first, ...rest] = existing;
      const isFirst = !asked.query.some(([name]) => name === 'cursor');
      if (asked.method === 'GET') return { body: isFirst ? page([first], 'more') : page(rest) };
      return { body: field('ef_new', wanted, 'Ledger account') };
    });
    const { fields } = connectTo(brex.url);
    const id = await fields.ensure({ wanted, name: 'Kostenträger', integrationId: 'int_1' });
    return {
      id,
      created: brex.asked.filter((asked) => asked.method === 'POST').map((asked) => JSON.parse(asked.body)),
    };
  };

  it.each([
    ['its remote id, before another field of that name', 'gl_account', 'ef_2'],
    ['its Brex id', 'ef_3', 'ef_3'],
    ['its name, in any case', ' cost CENTER ', 'ef_3'],
  ])('is found by %s', async (_what, wanted, id) => {
    expect(await ensure(wanted)).toEqual({ id, created: [] });
  });

  it('that there is not is made under the integration, with the setting as its remote id', async () => {
    expect(await ensure('ledger-dimension:PROJ')).toEqual({
      id: 'ef_new',
      created: [{ name: 'Kostentrager', group: 'ERP', remote_id: 'ledger-dimension:PROJ', integration_id: 'int_1' }],
    });
  });

  it('that is switched off in Brex is for a person to settle', async () => {
    await expect(ensure('old')).rejects.toMatchObject({ code: 'BREX_FIELD_DISABLED', decision: 'HOLD' });
  });

  it('of a dimension comes back as that dimension, whatever its name is made of', () => {
    const settings = { glAccountField: 'gl', costCentreField: 'cc' };
    expect(fieldOf('glAccount', settings)).toBe('gl');
    expect(fieldOf('costCentre', settings)).toBe('cc');
    for (const name of ['PROJ', 'Kostenträger', '100% sure', 'a:b c']) {
      const remoteId = fieldOf(`dimension:${name}`, settings);
      expect(remoteId).toMatch(/^[\x21-\x7e]+$/);
      expect(dimensionOf(remoteId)).toBe(name);
    }
    expect(dimensionOf('ledger-dimension:%')).toBeNull();
    expect(dimensionOf('project')).toBeNull();
  });
});
