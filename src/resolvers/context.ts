import type { Caller, Engine } from '../services/engine.js';
import type { EventFeed, Reading } from '../services/eventFeed.js';
import type { ReadServices } from '../services/read/index.js';
import type { UseCases } from '../services/useCases.js';

/** What a resolver is given: made once a request, or once a subscription. */
export interface GraphqlContext extends Pick<Engine, 'db' | 'clock'> {
  readonly caller: Caller;
  /** The key's name. */
  readonly callerName: string;
  readonly read: ReadServices;
  readonly useCases: UseCases;
  readonly feed: EventFeed;
  /** Of an operation over WebSocket: how far its subscriber has got. */
  readonly reading?: Reading;
}

/** What the beginning of a subscription is given. */
export interface SubscribeData {
  readonly args: Record<string, unknown>;
  readonly context: GraphqlContext;
}
