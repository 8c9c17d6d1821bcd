import { resolveAlert } from './alerts.js';
import { approvePosting } from './approvals.js';
import { previewMapping } from './mappingPreview.js';
import { refreshMasterData } from './masterData.js';
import { createPipeline, setMappingRules, updatePipeline } from './pipelines.js';
import { cancelPosting, reversePosting } from './postings.js';
import { reconcile } from './reconciliation.js';
import { previewReplay } from './replayPreview.js';
import { replayPosting, replayPostings } from './replays.js';
import { excludeSpendRecord, includeSpendRecord } from './spendRecords.js';
import { cancelSync, triggerSync } from './syncs.js';
import {
  connectSystem,
  disableSystem,
  registerWebhooks,
  type SystemsParts,
  testSystem,
  updateCredentials,
  updateSystem,
} from './systems.js';
import type { UseCases } from './useCases.js';
import { resolveVendorMatch } from './vendorMatches.js';
import { previewThresholds, readThresholds, setThresholds } from './vendorThresholds.js';

/** The use cases over one engine, as the resolvers and the command line are given them. */
export function createUseCases(engine: SystemsParts): UseCases {
  return {
    connectSystem: (caller, input) => connectSystem(engine, caller, input),
    testSystem: (caller, id) => testSystem(engine, caller, id),
    updateCredentials: (caller, id, credentials) => updateCredentials(engine, caller, id, credentials),
    updateSystem: (caller, id, change) => updateSystem(engine, caller, id, change),
    disableSystem: (caller, id) => disableSystem(engine, caller, id),
    refreshMasterData: (caller, id) => refreshMasterData(engine, caller, id),
    registerWebhooks: (caller, id, publicUrl) => registerWebhooks(engine, caller, id, publicUrl),
    createPipeline: (caller, input) => createPipeline(engine, caller, input),
    updatePipeline: (caller, id, input) => updatePipeline(engine, caller, id, input),
    setMappingRules: (caller, input) => setMappingRules(engine, caller, input),
    previewMapping: (caller, request) => previewMapping(engine, caller, request),
    triggerSync: (caller, input) => triggerSync(engine, caller, input),
    cancelSync: (caller, id) => cancelSync(engine, caller, id),
    replayPosting: (caller, id, note) => replayPosting(engine, caller, id, note),
    replayPostings: (caller, filter, note) => replayPostings(engine, caller, filter, note),
    previewReplay: (caller, filter, examples) => previewReplay(engine, caller, filter, examples),
    approvePosting: (caller, id, planHash) => approvePosting(engine, caller, id, planHash),
    cancelPosting: (caller, id, reason) => cancelPosting(engine, caller, id, reason),
    reversePosting: (caller, id, reason) => reversePosting(engine, caller, id, reason),
    excludeSpendRecord: (caller, id, reason) => excludeSpendRecord(engine, caller, id, reason),
    includeSpendRecord: (caller, id) => includeSpendRecord(engine, caller, id),
    resolveVendorMatch: (caller, input) => resolveVendorMatch(engine, caller, input),
    vendorThresholds: (caller, ledgerId) => readThresholds(engine, caller, ledgerId),
    previewThresholds: (caller, ledgerId, thresholds) => previewThresholds(engine, caller, ledgerId, thresholds),
    setThresholds: (caller, input) => setThresholds(engine, caller, input),
    resolveAlert: (caller, id) => resolveAlert(engine, caller, id),
    reconcile: (tenantId, request) => reconcile(engine, tenantId, request),
  };
}
