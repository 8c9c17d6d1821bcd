import type { Screen } from './screen.js';
import type { Stage } from './stage.js';

export interface Connected {
  readonly brexId: string;
  readonly sysproId: string;
  readonly pipelineId: string;
}

export interface SetUpOptions {
  readonly pipelineName: string;
  readonly unmatchedVendor: 'HOLD' | 'POST_WITHOUT_SUPPLIER';
  readonly streams: readonly string[];
  readonly rules: readonly Record<string, unknown>[];
  readonly currency: string;
  /** How the ledger composes its codes. */
  readonly accountTemplate: string;
  /** Days that reads of card transactions reach back behind their window. */
  readonly postedOverlapDays: number;
  readonly withWebhooks: boolean;
}

/**
 * Short waits, but honest ones: a document may still appear two seconds after it was sent, and what has no answer after
 * ten is in doubt and looked for.
 */
const SYSPRO_WAITS = { settlingSeconds: 2, submitTimeoutSeconds: 10 };

/** Connects both systems and makes the pipeline, by the mutations that a person would use. */
export async function setUp(stage: Stage, screen: Screen, options: SetUpOptions): Promise<Connected> {
  const brexId = await screen.step('Connect Brex', async () => {
    const id = await connect(stage, brexInput(stage, options));
    return [await testPassed(stage, id), id];
  });
  const sysproId = await screen.step('Connect SYSPRO', async () => {
    const id = await connect(stage, sysproInput(stage, options));
    return [await testPassed(stage, id), id];
  });
  await screen.step("Read the ledger's master data", async () => [await refreshMasterData(stage, sysproId), null]);
  const pipelineId = await screen.step('Create the pipeline', async () => {
    const id = await createPipeline(stage, brexId, sysproId, options);
    const { mapping } = await stage.api.mutate<{ mapping: { version: number } }>(
      'setMappingRules',
      `mutation ($id: ID!, $rules: [MappingRuleInput!]!) {
        setMappingRules(pipelineId: $id, rules: $rules, note: "Demo") { mapping { version } userErrors { code message resolution } }
      }`,
      { id, rules: options.rules },
    );
    return [`${options.pipelineName}, mapping version ${mapping.version} with ${options.rules.length} rules`, id];
  });
  if (options.withWebhooks) {
    await screen.step('Register webhooks', async () => {
      const { system } = await stage.api.mutate<{ system: { webhookPath: string } }>(
        'registerWebhooks',
        `mutation ($id: ID!, $url: String!) {
          registerWebhooks(systemId: $id, publicUrl: $url) { system { webhookPath } userErrors { code message resolution } }
        }`,
        { id: brexId, url: stage.api.url },
      );
      return [system.webhookPath, null];
    });
  }
  return { brexId, sysproId, pipelineId };
}

export async function refreshMasterData(stage: Stage, systemId: string): Promise<string> {
  const read = await stage.api.mutate<{ accounts: number; suppliers: number; dimensions: number; periods: number }>(
    'refreshMasterData',
    `mutation ($id: ID!) {
      refreshMasterData(systemId: $id) { accounts suppliers dimensions periods userErrors { code message resolution } }
    }`,
    { id: systemId },
  );
  return `${read.accounts} accounts, ${read.suppliers} suppliers, ${read.dimensions} cost centres, ${read.periods} periods`;
}

function brexInput({ access }: Stage, options: SetUpOptions) {
  const { brex } = access;
  return {
    kind: 'BREX',
    name: 'Brex',
    baseUrl: brex.url,
    credentials: { kind: 'userToken', token: brex.userToken },
    settings: {
      webhookSecret: brex.webhookSecret,
      integrationVendor: 'LEDGERGATE',
      vendorAccountId: access.syspro.companyId,
      taxField: 'Tax amount',
      // The simulated account shows reimbursements when they are approved and never their payment.
      reimbursementBasis: 'ACCRUAL',
      postedOverlapDays: options.postedOverlapDays,
    },
  };
}

function sysproInput({ access }: Stage, options: SetUpOptions) {
  const { syspro } = access;
  return {
    kind: 'SYSPRO',
    name: 'SYSPRO',
    baseUrl: syspro.baseUrl,
    credentials: { operator: syspro.operator, operatorPassword: syspro.password, companyId: syspro.companyId },
    settings: {
      ...SYSPRO_WAITS,
      usePostLD: true,
      accountTemplate: options.accountTemplate,
      supplierDefaults: { branch: '00', termsCode: '30', bank: '1', currency: options.currency },
    },
  };
}

async function connect(stage: Stage, input: Record<string, unknown>): Promise<string> {
  const { system } = await stage.api.mutate<{ system: { id: string } }>(
    'connectSystem',
    `mutation ($input: ConnectSystemInput!) {
      connectSystem(input: $input) { system { id } userErrors { code message resolution } }
    }`,
    { input },
  );
  return system.id;
}

async function testPassed(stage: Stage, id: string): Promise<string> {
  const { ok, checks } = await stage.api.mutate<{
    ok: boolean;
    checks: { name: string; ok: boolean; detail: string }[];
  }>(
    'testSystem',
    `mutation ($id: ID!) { testSystem(id: $id) { ok checks { name ok detail } userErrors { code message resolution } } }`,
    { id },
  );
  const failed = checks.find((check) => !check.ok);
  if (!ok || failed) throw new Error(`The connection test failed at "${failed?.name}": ${failed?.detail}`);
  return `${checks.length} checks passed`;
}

async function createPipeline(
  stage: Stage,
  sourceId: string,
  ledgerId: string,
  options: SetUpOptions,
): Promise<string> {
  const { pipeline } = await stage.api.mutate<{ pipeline: { id: string } }>(
    'createPipeline',
    `mutation ($input: CreatePipelineInput!) {
      createPipeline(input: $input) { pipeline { id } userErrors { code message resolution } }
    }`,
    {
      input: {
        ...{ name: options.pipelineName, sourceId, ledgerId, streams: options.streams },
        ...{ documentType: 'JOURNAL', grouping: 'PER_RECORD', offsetAccount: '00-2150' },
        ...{ unmatchedVendor: options.unmatchedVendor, closedPeriod: 'HOLD', correction: 'REVERSE_AND_REPLACE' },
      },
    },
  );
  return pipeline.id;
}
