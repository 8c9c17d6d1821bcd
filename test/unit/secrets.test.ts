// What would surprise: a sealed credential that opens in another tenant's row, after one flipped bit, or under a key it
// was not sealed with; a secret that shows up when something around it is printed.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, CredentialsError } from '../../src/errors.js';
import {
  apiKeyPrefix,
  createSealer,
  hashApiKey,
  type MasterKey,
  newApiKeySecret,
  newMasterKey,
  readMasterKey,
  Secret,
} from '../../src/secrets.js';

function someKey(): MasterKey {
  const key = readMasterKey(newMasterKey().reveal());
  if (!key) throw new Error('a new master key cannot be read');
  return key;
}

const key = someKey();
const sealer = createSealer([key]);

describe('a sealed credential', () => {
  it('opens to exactly what was sealed, text or bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), fc.string(), (text, bytes, place) => {
        expect(sealer.open(sealer.seal(text, place), place)).toBe(text);
        expect(sealer.openBytes(sealer.seal(bytes, place), place)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('is different each time and holds no part of the plain text', () => {
    const one = sealer.seal('operatorPassword=correct horse', 'a:b');
    expect(one).not.toEqual(sealer.seal('operatorPassword=correct horse', 'a:b'));
    expect(one.includes('correct horse')).toBe(false);
  });

  it('does not open in any other place', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (text, place, other) => {
        fc.pre(place !== other);
        const sealed = sealer.seal(text, place);
        expect(() => sealer.open(sealed, other)).toThrow(CredentialsError);
        expect(() => sealer.rewrap(sealed, other)).toThrow(CredentialsError);
      }),
    );
  });

  it('does not open after any single bit was changed', () => {
    const sealed = sealer.seal('{"token":"abc"}', 'tenant:system');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // A changed key id names a key nobody has; everything else is caught by the seal itself.
      expect(() => sealer.open(altered, 'tenant:system')).toThrow(/cannot be read|was not given/);
    }
  });

  it('does not open when cut or lengthened', () => {
    const sealed = sealer.seal('secret', 'p');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => sealer.open(sealed.subarray(0, length), 'p')).toThrow(CredentialsError);
    }
    expect(() => sealer.open(Buffer.concat([sealed, Buffer.from([0])]), 'p')).toThrow(CredentialsError);
  });

  it('does not lend its parts to another one', () => {
    const one = sealer.seal('one', 'p');
    const two = sealer.seal('two', 'p');
    const mixed = Buffer.concat([one.subarray(0, 69), two.subarray(69)]);
    expect(() => sealer.open(mixed, 'p')).toThrow(CredentialsError);
  });

  it('does not open under another master key, and the error says which one is needed', () => {
    const sealed = sealer.seal('secret', 'p');
    const other = createSealer([someKey()]);
    expect(() => other.open(sealed, 'p')).toThrow(ConfigurationError);
    expect(() => other.open(sealed, 'p')).toThrow(key.id);
  });

  it('opens in any view of the bytes, as drivers hand them out', () => {
    const sealed = sealer.seal('secret', 'p');
    const larger = Buffer.concat([Buffer.alloc(7), sealed, Buffer.alloc(3)]);
    expect(sealer.open(new Uint8Array(larger.buffer, larger.byteOffset + 7, sealed.length), 'p')).toBe('secret');
  });
});

describe('a change of the master key', () => {
  const next = someKey();
  const during = createSealer([next, key]);
  const after = createSealer([next]);

  it('leaves what the old key sealed readable until it is wrapped anew, and the old key is then no longer needed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, place) => {
        const old = sealer.seal(text, place);
        expect(during.open(old, place)).toBe(text);
        expect([during.isCurrent(old), sealer.isCurrent(old)]).toEqual([false, true]);
        const wrapped = during.rewrap(old, place);
        expect(after.isCurrent(wrapped)).toBe(true);
        expect(after.open(wrapped, place)).toBe(text);
        expect(() => sealer.open(wrapped, place)).toThrow(ConfigurationError);
      }),
    );
  });

  it('can be prepared with the old key still current', () => {
    const wrapped = sealer.rewrap(sealer.seal('secret', 'p'), 'p', next);
    expect(after.open(wrapped, 'p')).toBe('secret');
  });
});

describe('a master key', () => {
  it('is 32 bytes in base64 and nothing else', () => {
    for (const wrong of ['', 'short', 'A'.repeat(42), 'A'.repeat(45), `${'A'.repeat(43)}!`, `${'A'.repeat(40)}====`]) {
      expect(readMasterKey(wrong)).toBeNull();
    }
    expect(readMasterKey(` ${Buffer.alloc(32, 7).toString('base64')}\n`)?.id).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('what is printed', () => {
  it('shows neither a wrapped secret nor a master key', () => {
    const text = newMasterKey().reveal();
    const shown = { secret: new Secret(text), master: readMasterKey(text) };
    for (const printed of [
      inspect(shown, { depth: 9, showHidden: true }),
      JSON.stringify(shown),
      String(shown.secret),
    ]) {
      expect(printed).not.toContain(text);
      expect(printed).not.toContain(Buffer.from(text, 'base64').toString('hex'));
    }
  });

  it('a fingerprint tells secrets apart, stays the same for one, and depends on the master key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(one !== other);
        expect(sealer.fingerprint(one)).toBe(sealer.fingerprint(one));
        expect(sealer.fingerprint(one)).not.toBe(sealer.fingerprint(other));
        expect(sealer.fingerprint(one)).not.toBe(createSealer([someKey()]).fingerprint(one));
      }),
    );
  });
});

describe('an API key', () => {
  it('is recognisable, unguessable and never the same twice', () => {
    const made = Array.from({ length: 200 }, newApiKeySecret);
    expect(new Set(made).size).toBe(200);
    for (const secret of made) expect(secret).toMatch(/^lgk_[A-Za-z0-9_-]{43}$/);
  });

  it('is found again by its hash, which is 32 bytes and not the key', () => {
    const secret = newApiKeySecret();
    expect(hashApiKey(secret)).toEqual(hashApiKey(secret));
    expect(hashApiKey(secret)).toHaveLength(32);
    expect(hashApiKey(secret)).not.toEqual(hashApiKey(newApiKeySecret()));
  });

  it('shows at most a quarter of itself as its prefix', () => {
    expect(apiKeyPrefix('lgk_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG')).toBe('lgk_abcdef');
    expect(apiKeyPrefix('tiny-key')).toBe('ti');
  });
});
