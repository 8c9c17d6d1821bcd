import type { Role } from '../domain/vocabulary.js';

/**
 * Who may do what: the one table. Every field of Query, Mutation and Subscription stands here (the schema does not build
 * otherwise), and so does every other field that not everybody who holds its object may see.
 */
export const PERMISSIONS: Readonly<Record<string, Role>> = {
  'Query.node': 'VIEWER',
  'Query.viewer': 'VIEWER',
  'Query.connectors': 'VIEWER',
  'Query.systems': 'VIEWER',
  'Query.system': 'VIEWER',
  'Query.glAccounts': 'VIEWER',
  'Query.suppliers': 'VIEWER',
  'Query.ledgerDimensions': 'VIEWER',
  'Query.fiscalPeriods': 'VIEWER',
  'Query.pipelines': 'VIEWER',
  'Query.pipeline': 'VIEWER',
  'Query.syncRuns': 'VIEWER',
  'Query.syncRun': 'VIEWER',
  'Query.spendRecords': 'VIEWER',
  'Query.spendRecord': 'VIEWER',
  'Query.glPostings': 'VIEWER',
  'Query.glPosting': 'VIEWER',
  'Query.vendorMatches': 'VIEWER',
  'Query.vendorLinks': 'VIEWER',
  'Query.vendorThresholds': 'VIEWER',
  'Query.alerts': 'VIEWER',
  'Query.previewVendorThresholds': 'OPERATOR',
  'Query.previewReplay': 'OPERATOR',
  'Query.auditEvents': 'AUDITOR',
  'Query.verifyAuditChain': 'AUDITOR',
  'Query.reconciliation': 'AUDITOR',
  'Query.previewMappingRules': 'AUDITOR',
  'Query.apiKeys': 'ADMIN',

  'Mutation.testSystem': 'OPERATOR',
  'Mutation.refreshMasterData': 'OPERATOR',
  'Mutation.triggerSync': 'OPERATOR',
  'Mutation.cancelSync': 'OPERATOR',
  'Mutation.replayPosting': 'OPERATOR',
  'Mutation.replayPostings': 'OPERATOR',
  'Mutation.approvePosting': 'OPERATOR',
  'Mutation.cancelPosting': 'OPERATOR',
  'Mutation.reversePosting': 'OPERATOR',
  'Mutation.excludeSpendRecord': 'OPERATOR',
  'Mutation.includeSpendRecord': 'OPERATOR',
  'Mutation.resolveVendorMatch': 'OPERATOR',
  'Mutation.resolveAlert': 'OPERATOR',
  'Mutation.connectSystem': 'ADMIN',
  'Mutation.updateCredentials': 'ADMIN',
  'Mutation.updateSystem': 'ADMIN',
  'Mutation.disableSystem': 'ADMIN',
  'Mutation.registerWebhooks': 'ADMIN',
  'Mutation.createPipeline': 'ADMIN',
  'Mutation.updatePipeline': 'ADMIN',
  'Mutation.setMappingRules': 'ADMIN',
  'Mutation.setVendorThresholds': 'ADMIN',
  'Mutation.createApiKey': 'ADMIN',
  'Mutation.revokeApiKey': 'ADMIN',

  'Subscription.postingStatusChanged': 'VIEWER',
  'Subscription.syncRunProgressed': 'VIEWER',
  'Subscription.alertRaised': 'VIEWER',
  'Subscription.auditEventAppended': 'AUDITOR',

  'GlPosting.auditEvents': 'AUDITOR',
};

/** Kinds that `node` shows only to these; all others to everybody who may ask it. */
export const NODE_PERMISSIONS: Readonly<Record<string, Role>> = { AuditEvent: 'AUDITOR', ApiKey: 'ADMIN' };
