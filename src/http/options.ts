import type { Role } from '../domain/vocabulary.js';
import type { KeyFacts } from '../services/apiKeys.js';
import type { Engine } from '../services/engine.js';
import type { EventFeed } from '../services/eventFeed.js';
import type { LoginTokens } from '../services/loginTokens.js';
import type { UseCases } from '../services/useCases.js';
import type { Exchange } from './exchange.js';
import type { WebSocketLimits } from './subscribers.js';
import type { KnownDocuments } from './trustedDocuments.js';

/**
 * Takes one webhook delivery in. Answers when the delivery is durable, before any work on it is done.
 * @param systemId from `/webhooks/{systemId}`; null for a partner app's one address.
 * @param kind `BREX` for `/webhooks/brex`; null when the system is named.
 * @param rawBody the exact bytes, which the signature is over.
 */
export type WebhookHandler = (
  systemId: string | null,
  kind: 'BREX' | null,
  headers: Readonly<Record<string, string | undefined>>,
  rawBody: Buffer,
) => Promise<{ status: number; body: unknown }>;

/** A further address of the server, e.g. `/metrics` or the exports. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST';
  /** Matched against the whole path; groups come as `match`. */
  readonly pattern: RegExp;
  /** Who may use it; the server answers 401 and 403 itself. null = everybody, without a key. */
  readonly role: Role | null;
  /** Writes the answer itself. `key` is null only where `role` is. */
  handle(exchange: Exchange & { readonly match: RegExpExecArray; readonly key: KeyFacts | null }): Promise<void>;
}

export interface HttpServerOptions extends Pick<Engine, 'db' | 'clock' | 'logger' | 'connectors'> {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly useCases: UseCases;
  /** Started and stopped by whoever made it. */
  readonly feed: EventFeed;
  readonly webhooks: WebhookHandler;
  /** Whether the database answers and has every migration. A rejection counts as no. */
  readonly isReady: () => Promise<boolean>;
  /** Shows the schema to role ADMIN only. */
  readonly isProduction: boolean;
  readonly executor?: 'jit' | 'plain';
  /** Of one key in this process; 0 or unset = no limit. */
  readonly requestsPerMinute?: number;
  /** Takes tokens of an OpenID Connect issuer where an API key is asked for. Unset: API keys only. */
  readonly logins?: Pick<LoginTokens, 'factsOf'>;
  /** Unset: every document is answered. */
  readonly documents?: KnownDocuments;
  /** How long a query may take; 30 s. */
  readonly queryWithinMs?: number;
  readonly routes?: readonly HttpRoute[];
  /** How long running requests may take to end when the server stops. */
  readonly drainMs?: number;
  readonly webSocket?: WebSocketLimits;
  /** How often the keys of open WebSockets are looked at again. */
  readonly keyCheckMs?: number;
}

export interface RunningHttpServer {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Takes nothing new, tells subscribers to reconnect elsewhere, lets running requests end. Safe to call twice. */
  stop(): Promise<void>;
}
