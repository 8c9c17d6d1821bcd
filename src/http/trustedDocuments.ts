import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Role } from '../domain/vocabulary.js';
import { ConfigurationError } from '../errors.js';

/** Hash to document, as the compilers of Relay, Apollo and urql write it. */
const Manifest = z.record(z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'), z.string().min(1));

/** What callers registered themselves (automatic persisted queries); the oldest go first. */
const REGISTERED_CHARS_MAX = 10_000_000;
const APQ_PREFIX = 'apq:';

/**
 * Documents that are known by their SHA-256, so that a caller sends the hash alone. With a manifest, nothing else is
 * answered: what a foreign or stolen key may ask is then what our own programs ask. Has the form of Apollo's cache.
 */
export class KnownDocuments {
  private readonly registered = new LRUCache<string, string>({
    maxSize: REGISTERED_CHARS_MAX,
    sizeCalculation: (document) => document.length,
  });

  private constructor(private readonly manifest: ReadonlyMap<string, string> | null) {}

  /** Every document is answered, and may be registered. */
  static open(): KnownDocuments {
    return new KnownDocuments(null);
  }

  /** @throws ConfigurationError the file cannot be read, or an entry is not the hash of its document. */
  static fromFile(path: string): KnownDocuments {
    return new KnownDocuments(new Map(Object.entries(manifestIn(path))));
  }

  get size(): number | null {
    return this.manifest?.size ?? null;
  }

  /** @returns the refusal of a document that is not in the manifest; administrators may ask anything. */
  refusal(document: string, role: Role): GraphQLError | null {
    if (!this.manifest || role === 'ADMIN' || this.manifest.has(sha256(document))) return null;
    return new GraphQLError('Only documents of the manifest are answered here. Have yours added to it.', {
      extensions: { code: 'DOCUMENT_NOT_TRUSTED', http: { status: 400 } },
    });
  }

  async get(key: string): Promise<string | undefined> {
    return this.manifest?.get(key.slice(APQ_PREFIX.length)) ?? this.registered.get(key);
  }

  async set(key: string, document: string): Promise<void> {
    this.registered.set(key, document);
  }

  async delete(key: string): Promise<boolean> {
    return this.registered.delete(key);
  }
}

function manifestIn(path: string): Record<string, string> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw problem(path, 'cannot be read as JSON', error);
  }
  const parsed = Manifest.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw problem(path, `is no manifest of documents by their SHA-256: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const wrong = Object.entries(parsed.data).find(([hash, document]) => sha256(document) !== hash);
  if (wrong) throw problem(path, `has a document under ${wrong[0]}, which is not its hash`);
  return parsed.data;
}

function problem(path: string, what: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(`LEDGERGATE_TRUSTED_DOCUMENTS names ${path}, which ${what}.`, {
    ...(cause === undefined ? {} : { cause }),
    detail: { variables: ['LEDGERGATE_TRUSTED_DOCUMENTS'] },
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
