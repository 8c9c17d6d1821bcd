import type { Clock } from '../clock.js';
import type { Database } from '../entities/database.js';
import type { Caller } from '../services/engine.js';
import type { EventFeed } from '../services/eventFeed.js';
import type { ReadServices } from '../services/read/index.js';
import type { UseCases } from '../services/useCases.js';

/** What a resolver is given: made once a request, or once a subscription. */
export interface GraphqlContext {
  readonly caller: Caller;
  /** The key's name. */
  readonly callerName: string;
  readonly read: ReadServices;
  readonly useCases: UseCases;
  readonly feed: EventFeed;
  readonly db: Database;
  readonly clock: Clock;
}

/** What the beginning of a subscription is given. */
export interface SubscribeData {
  readonly args: Record<string, unknown>;
  readonly context: GraphqlContext;
}
