import type { Connected, Flow, FlowSystem } from './flow.js';
import type { Screen } from './screen.js';
import type { Stage } from './stage.js';

/** Connects both systems and makes the pipeline, by the mutations that a person would use. */
export async function setUp(stage: Stage, screen: Screen): Promise<Connected> {
  const { flow } = stage;
  const sourceId = await connect(stage, screen, flow.source);
  const ledgerId = await connect(stage, screen, flow.ledger);
  await screen.step("Read the ledger's master data", async () => [await refreshMasterData(stage, ledgerId), null]);
  const pipelineId = await screen.step('Create the pipeline', async () => {
    const id = await createPipeline(stage, flow, { sourceId, ledgerId });
    const version = await setMappingRules(stage, id, flow.rules, 'Demo');
    return [`${flow.pipeline.name}, mapping version ${version} with ${flow.rules.length} rules`, id];
  });
  if (flow.source.hasWebhooks) {
    await screen.step('Register webhooks', async () => {
      const { system } = await stage.api.mutate<{ system: { webhookPath: string } }>(
        'registerWebhooks',
        `mutation ($id: ID!, $url: String!) {
          registerWebhooks(systemId: $id, publicUrl: $url) { system { webhookPath } userErrors { code message resolution } }
        }`,
        { id: sourceId, url: stage.api.url },
      );
      return [system.webhookPath, null];
    });
  }
  return { sourceId, ledgerId, pipelineId };
}

/**
 * @param effectiveFrom first transaction date that the rules decide; left out: of the first version all, of others today.
 * @returns the number of the new version.
 */
export async function setMappingRules(
  stage: Stage,
  pipelineId: string,
  rules: Flow['rules'],
  note: string,
  effectiveFrom?: string,
): Promise<number> {
  const { mapping } = await stage.api.mutate<{ mapping: { version: number } }>(
    'setMappingRules',
    `mutation ($id: ID!, $rules: [MappingRuleInput!]!, $note: String!, $effectiveFrom: Date) {
      setMappingRules(pipelineId: $id, rules: $rules, note: $note, effectiveFrom: $effectiveFrom) { mapping { version } userErrors { code message resolution } }
    }`,
    { id: pipelineId, rules, note, ...(effectiveFrom === undefined ? {} : { effectiveFrom }) },
  );
  return mapping.version;
}

export async function refreshMasterData(stage: Stage, systemId: string): Promise<string> {
  const read = await stage.api.mutate<{ accounts: number; suppliers: number; dimensions: number; periods: number }>(
    'refreshMasterData',
    `mutation ($id: ID!) {
      refreshMasterData(systemId: $id) { accounts suppliers dimensions periods userErrors { code message resolution } }
    }`,
    { id: systemId },
  );
  return `${read.accounts} accounts, ${read.suppliers} suppliers, ${read.dimensions} cost centres and other dimensions, ${read.periods} periods`;
}

function connect(stage: Stage, screen: Screen, { title, input }: FlowSystem): Promise<string> {
  return screen.step(`Connect ${title}`, async () => {
    const { system } = await stage.api.mutate<{ system: { id: string } }>(
      'connectSystem',
      `mutation ($input: ConnectSystemInput!) {
        connectSystem(input: $input) { system { id } userErrors { code message resolution } }
      }`,
      { input: { name: title, ...input(stage.access) } },
    );
    return [await testPassed(stage, system.id), system.id];
  });
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
  flow: Flow,
  systems: { sourceId: string; ledgerId: string },
): Promise<string> {
  const { pipeline } = await stage.api.mutate<{ pipeline: { id: string } }>(
    'createPipeline',
    `mutation ($input: CreatePipelineInput!) {
      createPipeline(input: $input) { pipeline { id } userErrors { code message resolution } }
    }`,
    { input: { ...systems, ...flow.pipeline } },
  );
  return pipeline.id;
}
