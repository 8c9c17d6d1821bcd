import type { Logger } from '../../logger.js';
import type { KineticClient } from './client.js';
import type { KineticSettings } from './config.js';

/** What posting needs to know of the connection. */
export interface PosterFacts {
  readonly client: KineticClient;
  readonly settings: KineticSettings;
  readonly logger: Logger;
  /** ISO code of the book that journals are kept in. */
  localCurrency(): Promise<string>;
}
