/** What would be caught here: a value deleted while records use it, and a person's own value that is taken over. */
import { describe, expect, it } from 'vitest';
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
    expect(pushed).toEqual({ created: 1, updated: 2, unchanged: 2 });
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
