import { drainLedger } from '../../services/drain.js';
import type { JobName, JobPayloads } from '../../services/engine.js';
import { reportToSource } from '../../services/exports.js';
import { pushMasterData } from '../../services/masterDataExport.js';
import { planPipeline } from '../../services/planning.js';
import { attachReceipts } from '../../services/receiptAttachments.js';
import { fetchReceipts } from '../../services/receipts.js';
import { runSync } from '../../services/syncRunner.js';
import type { SystemsParts } from '../../services/systems.js';
import { processWebhook } from '../../services/webhooks.js';

export interface TaskContext {
  readonly engine: SystemsParts;
  /** true once the process was asked to stop: finish the step in hand and return. */
  readonly isStopping: () => boolean;
}

export type Tasks = { readonly [N in JobName]: (context: TaskContext, payload: JobPayloads[N]) => Promise<void> };

/** One use case a job. Each is safe to run again after any crash. */
export const tasks: Tasks = {
  'sync.run': ({ engine, isStopping }, { tenantId, runId }) => runSync(engine, tenantId, runId, { isStopping }),
  'plan.pipeline': async ({ engine }, { tenantId, pipelineId }) => {
    const caller = {
      tenantId,
      actor: 'system:planning',
      keyId: null,
      role: 'OPERATOR',
      correlationId: `plan:${pipelineId}`,
    } as const;
    await planPipeline(engine, caller, pipelineId, null);
  },
  'ledger.drain': ({ engine, isStopping }, { tenantId, ledgerId }) =>
    drainLedger(engine, tenantId, ledgerId, { isStopping }),
  'source.report': ({ engine, isStopping }, { tenantId, sourceId }) =>
    reportToSource(engine, tenantId, sourceId, { isStopping }),
  'source.receipts': ({ engine, isStopping }, { tenantId, sourceId }) =>
    fetchReceipts(engine, tenantId, sourceId, { isStopping }),
  'ledger.attach': ({ engine, isStopping }, { tenantId, ledgerId }) =>
    attachReceipts(engine, tenantId, ledgerId, { isStopping }),
  'source.masterData': ({ engine, isStopping }, { tenantId, pipelineId }) =>
    pushMasterData(engine, tenantId, pipelineId, { isStopping }),
  'webhook.process': ({ engine }, { tenantId, systemId, messageId }) =>
    processWebhook(engine, tenantId, systemId, messageId),
};
