import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { ConfigurationError, CredentialsError, InvariantError } from './errors.js';

/** A text that must not be printed by accident: a log, an error or JSON shows nothing of it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  /** Takes the same time for any text of one length. */
  matches(given: string): boolean {
    const [own, other] = [this.#text, given].map((text) => createHash('sha256').update(text).digest());
    return own !== undefined && other !== undefined && timingSafeEqual(own, other);
  }
}

/** The key that protects all credentials. Its id is stored with what it sealed and does not reveal it. */
export interface MasterKey {
  readonly id: string;
  /** node never prints the bytes of a KeyObject. */
  readonly key: KeyObject;
}

const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;

export function newMasterKey(): Secret {
  return new Secret(randomBytes(KEY_BYTES).toString('base64'));
}

/** @returns null when the text is not 32 bytes in base64 (or its URL-safe form). */
export function readMasterKey(text: string): MasterKey | null {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return null;
  const bytes = Buffer.from(trimmed, 'base64');
  if (bytes.length !== KEY_BYTES) return null;
  const id = createHash('sha256').update('ledgergate master key id').update(bytes).digest().subarray(0, KEY_ID_BYTES);
  return { id: id.toString('hex'), key: createSecretKey(bytes) };
}

/**
 * Encrypts credentials for one place each: what was sealed for one system cannot be opened as another's, so a row copied
 * between tenants is useless. `boundTo` names the place (tenant and system) and is not stored.
 */
export interface Sealer {
  seal(plain: string | Uint8Array, boundTo: string): Buffer;
  /**
   * @throws CredentialsError it was altered, cut or bound to another place.
   * @throws ConfigurationError it was sealed under a master key we were not given.
   */
  open(sealed: Uint8Array, boundTo: string): string;
  /** As `open`, for what was sealed as bytes. */
  openBytes(sealed: Uint8Array, boundTo: string): Buffer;
  /** The same content under another master key (default: the current one). The data itself is not decrypted. */
  rewrap(sealed: Uint8Array, boundTo: string, to?: MasterKey): Buffer;
  /** Whether it is sealed under the current master key; what is not waits for `rewrap`. */
  isCurrent(sealed: Uint8Array): boolean;
  /**
   * A short text that tells two secrets apart and reveals neither: without the master key nobody can try guesses against
   * it. Comparable only under one master key, so a rotation has to compute it anew.
   */
  fingerprint(plain: string): string;
}

/*
 * Sealed, version 1: version (1) · master key id (8) · wrapped data key: nonce (12), key (32), tag (16) · data: nonce (12),
 * tag (16), ciphertext. AES-256-GCM both times. Each seal has a data key of its own, so no nonce can repeat under one key
 * for the data; the random nonces of the wrapping stay far below GCM's 2^32 uses of one key (NIST SP 800-38D, 8.3).
 */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAP_AT = 1 + KEY_ID_BYTES;
const WRAP_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const BODY_AT = WRAP_AT + WRAP_BYTES;
const SHORTEST = BODY_AT + NONCE_BYTES + TAG_BYTES;
const FINGERPRINT_CHARS = 16;

/** @param masterKeys the current one first, then those that may still be needed to open. */
export function createSealer(masterKeys: readonly MasterKey[]): Sealer {
  const [current] = masterKeys;
  if (!current) throw new InvariantError('A sealer needs a master key.');
  const fingerprintKey = Buffer.from(
    hkdfSync('sha256', current.key, Buffer.alloc(0), 'ledgergate fingerprint', KEY_BYTES),
  );

  function unwrap(sealed: Uint8Array, boundTo: string): { dataKey: Buffer; body: Buffer } {
    const bytes = checked(sealed);
    const id = keyIdOf(bytes);
    const master = masterKeys.find((key) => key.id === id);
    if (!master) {
      throw new ConfigurationError(
        `A stored credential is sealed under master key ${id}, which was not given. ` +
          'Set LEDGERGATE_MASTER_KEY, or LEDGERGATE_MASTER_KEY_PREVIOUS after a change, to that key.',
        { code: 'MASTER_KEY_UNKNOWN', detail: { masterKeyId: id } },
      );
    }
    const wrapped = bytes.subarray(WRAP_AT, BODY_AT);
    return {
      dataKey: decrypt(master.key, unpackWrap(wrapped), wrapContext(id, boundTo)),
      body: bytes.subarray(BODY_AT),
    };
  }

  function openBytes(sealed: Uint8Array, boundTo: string): Buffer {
    const { dataKey, body } = unwrap(sealed, boundTo);
    const parts = {
      nonce: body.subarray(0, NONCE_BYTES),
      tag: body.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES),
      text: body.subarray(NONCE_BYTES + TAG_BYTES),
    };
    return decrypt(createSecretKey(dataKey), parts, bodyContext(boundTo));
  }

  return {
    seal(plain, boundTo) {
      const dataKey = randomBytes(KEY_BYTES);
      const { nonce, tag, text } = encrypt(createSecretKey(dataKey), Buffer.from(plain), bodyContext(boundTo));
      return Buffer.concat([wrap(dataKey, current, boundTo), nonce, tag, text]);
    },
    open: (sealed, boundTo) => openBytes(sealed, boundTo).toString('utf8'),
    openBytes,
    rewrap(sealed, boundTo, to = current) {
      const { dataKey, body } = unwrap(sealed, boundTo);
      return Buffer.concat([wrap(dataKey, to, boundTo), body]);
    },
    isCurrent: (sealed) => keyIdOf(checked(sealed)) === current.id,
    fingerprint: (plain) =>
      createHmac('sha256', fingerprintKey).update(plain).digest('hex').slice(0, FINGERPRINT_CHARS),
  };
}

interface Encrypted {
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly text: Buffer;
}

function wrap(dataKey: Buffer, master: MasterKey, boundTo: string): Buffer {
  const { nonce, tag, text } = encrypt(master.key, dataKey, wrapContext(master.id, boundTo));
  return Buffer.concat([Buffer.from([VERSION]), Buffer.from(master.id, 'hex'), nonce, text, tag]);
}

function unpackWrap(wrapped: Buffer): Encrypted {
  return {
    nonce: wrapped.subarray(0, NONCE_BYTES),
    text: wrapped.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES),
    tag: wrapped.subarray(NONCE_BYTES + KEY_BYTES),
  };
}

/** Different for the two layers, so that neither can stand in for the other. */
function wrapContext(masterKeyId: string, boundTo: string): Buffer {
  return Buffer.from(`ledgergate sealed ${VERSION} key ${masterKeyId} ${boundTo}`);
}

function bodyContext(boundTo: string): Buffer {
  return Buffer.from(`ledgergate sealed ${VERSION} data ${boundTo}`);
}

function encrypt(key: KeyObject, plain: Buffer, context: Buffer): Encrypted {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(context);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { nonce, text, tag: cipher.getAuthTag() };
}

function decrypt(key: KeyObject, { nonce, tag, text }: Encrypted, context: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(context);
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(text), decipher.final()]);
  } catch {
    throw unreadable();
  }
}

function checked(sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < SHORTEST || bytes[0] !== VERSION) throw unreadable();
  return bytes;
}

function keyIdOf(bytes: Buffer): string {
  return bytes.subarray(1, WRAP_AT).toString('hex');
}

function unreadable(): CredentialsError {
  return new CredentialsError(
    'A stored credential cannot be read: it was altered, or belongs to another system. Enter it again.',
    { code: 'CREDENTIALS_UNREADABLE' },
  );
}

// ── API keys ─────────────────────────────────────────────────────────────────────────────────

const API_KEY_MARK = 'lgk_';
const API_KEY_BYTES = 32;
const PREFIX_CHARS = 10;

/** 256 random bits behind a mark that secret scanners and people recognise. Shown once, never stored. */
export function newApiKeySecret(): string {
  return API_KEY_MARK + randomBytes(API_KEY_BYTES).toString('base64url');
}

/**
 * What is stored of an API key, and looked up by. A plain SHA-256 is right here: a slow, salted hash protects secrets
 * that can be guessed, and 256 random bits cannot; it would only make every request slow. A key somebody chose
 * (the bootstrap key) must therefore be long and random as well.
 */
export function hashApiKey(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** The beginning, by which people tell keys apart; never more than a quarter of the secret. */
export function apiKeyPrefix(secret: string): string {
  return secret.slice(0, Math.min(PREFIX_CHARS, Math.floor(secret.length / 4)));
}
