import type { Clock } from '../clock.js';
import type { ConnectorRegistry } from '../connectors/registry.js';
import type { Role } from '../domain/vocabulary.js';
import type { Database, Tx } from '../entities/database.js';
import type { Logger } from '../logger.js';
import type { Connections } from './connections.js';

/** What every use case is given. Made once a process by `app.ts`. */
export interface Engine {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connectors: ConnectorRegistry;
  /** Opens live connections to connected systems, credentials and sessions included. */
  readonly connections: Connections;
  readonly jobs: JobSender;
  /** Names this process in leases, attempts and the process list. */
  readonly processId: string;
}

/** Who asks. Jobs and webhooks are callers too, with an actor such as `system:scheduler` or `webhook:brex`. */
export interface Caller {
  readonly tenantId: string;
  /** As written into audit events: `user:<key name>`, `system:scheduler`, `webhook:brex`. */
  readonly actor: string;
  /** The API key's id, or null for jobs, webhooks and people who logged in. */
  readonly keyId: string | null;
  /** Of whoever logged in: the issuer's own id of the person, which stays when the name changes. */
  readonly identity?: string;
  readonly role: Role;
  /** One id from the first event to the ledger document. */
  readonly correlationId: string;
}

/** The jobs there are, and what each carries. Old payloads stay readable: fields are only ever added, and optional. */
export interface JobPayloads {
  /** Runs one sync run. */
  'sync.run': { tenantId: string; runId: string };
  /** Plans what waits in the planning queue of a pipeline. */
  'plan.pipeline': { tenantId: string; pipelineId: string };
  /** Sends, probes and settles what is due in one ledger, until nothing is. */
  'ledger.drain': { tenantId: string; ledgerId: string };
  /** Reports results to one spend system. */
  'source.report': { tenantId: string; sourceId: string };
  /** Fetches the receipts of one spend system that are due. */
  'source.receipts': { tenantId: string; sourceId: string };
  /** Attaches stored receipts to the documents of one ledger that takes attachments. */
  'ledger.attach': { tenantId: string; ledgerId: string };
  /** Pushes the ledger's master data to the pipeline's source and keeps its vendors in step with the suppliers. */
  'source.masterData': { tenantId: string; pipelineId: string };
  /** Works on a stored webhook delivery. */
  'webhook.process': { tenantId: string; systemId: string; messageId: string };
}
export type JobName = keyof JobPayloads;

export interface JobSender {
  /**
   * Enqueues a job in the transaction that makes it necessary: it exists exactly when the change does.
   * Jobs of one name and key run one after another, in any number of processes.
   */
  send<N extends JobName>(tx: Tx, name: N, payload: JobPayloads[N], options?: { startAfter?: Date }): Promise<void>;
}
