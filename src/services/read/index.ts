import type { ConnectorRegistry } from '../../connectors/registry.js';
import type { Database } from '../../entities/database.js';
import { PipelineReads } from './pipelines.js';
import { PostingReads } from './postings.js';
import { ReceiptReads } from './receipts.js';
import { ReadSession } from './session.js';
import { SpendRecordReads } from './spendRecords.js';
import { MasterDataReads, SystemReads } from './systems.js';
import { AlertReads, ApiKeyReads, AuditEventReads, VendorMatchReads } from './trail.js';
import { VendorLinkReads } from './vendorLinks.js';

/** All that one request may read, as one tenant. Made once a request; what it loads it remembers until `clear`. */
export class ReadServices {
  private readonly session: ReadSession;
  readonly systems: SystemReads;
  readonly masterData: MasterDataReads;
  readonly pipelines: PipelineReads;
  readonly spendRecords: SpendRecordReads;
  readonly postings: PostingReads;
  readonly receipts: ReceiptReads;
  readonly vendorMatches: VendorMatchReads;
  readonly vendorLinks: VendorLinkReads;
  readonly auditEvents: AuditEventReads;
  readonly alerts: AlertReads;
  readonly apiKeys: ApiKeyReads;

  constructor(db: Database, connectors: ConnectorRegistry, tenantId: string) {
    this.session = new ReadSession(db, tenantId);
    this.systems = new SystemReads(this.session, connectors);
    this.masterData = new MasterDataReads(this.session);
    this.pipelines = new PipelineReads(this.session);
    this.spendRecords = new SpendRecordReads(this.session);
    this.postings = new PostingReads(this.session);
    this.receipts = new ReceiptReads(this.session);
    this.vendorMatches = new VendorMatchReads(this.session);
    this.vendorLinks = new VendorLinkReads(this.session);
    this.auditEvents = new AuditEventReads(this.session);
    this.alerts = new AlertReads(this.session);
    this.apiKeys = new ApiKeyReads(this.session);
  }

  /** After a change in the same request, and before each event of a subscription: what follows is read anew. */
  clear(): void {
    this.session.clear();
  }
}
