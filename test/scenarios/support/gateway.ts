import type { BrexAccess, SysproAccess } from '../../../src/sandbox/start.js';

/** Speaks GraphQL with a running gateway, as any other service would. */
export class GatewayClient {
  readonly url: string;
  readonly key: string;

  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  /** @throws an Error with everything that the gateway said against the request. */
  async ask<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as { data?: Data; errors?: unknown };
    if (answer.errors !== undefined || answer.data == null) throw new Error(JSON.stringify(answer));
    return answer.data;
  }

  /** One mutation, called `done`. @throws an Error with its `userErrors`. */
  async change<Payload>(query: string, variables: Record<string, unknown>): Promise<Payload> {
    const { done } = await this.ask<{ done: Payload & { userErrors: unknown[] } }>(query, variables);
    if (done.userErrors.length > 0) throw new Error(JSON.stringify(done.userErrors));
    return done;
  }
}

export interface ConnectedFlow {
  readonly brexId: string;
  readonly sysproId: string;
  readonly pipelineId: string;
}

export interface FlowSettings {
  readonly brex: BrexAccess;
  readonly syspro: SysproAccess;
  readonly brexSettings?: Readonly<Record<string, unknown>>;
  readonly sysproSettings?: Readonly<Record<string, unknown>>;
  readonly streams?: readonly string[];
}

const ERRORS = 'userErrors { code message path }';

/** Connects both systems and makes a pipeline that posts all that can be posted. */
export async function connectFlow(client: GatewayClient, flow: FlowSettings): Promise<ConnectedFlow> {
  const connect = `mutation ($input: ConnectSystemInput!) { done: connectSystem(input: $input) { system { id } ${ERRORS} } }`;
  const { brex, syspro } = flow;
  const spend = await client.change<{ system: { id: string } }>(connect, {
    input: {
      ...{ kind: 'BREX', name: 'Brex', baseUrl: brex.url },
      credentials: { kind: 'userToken', token: brex.userToken },
      settings: { integrationVendor: 'ledgergate-test', vendorAccountId: syspro.companyId, ...flow.brexSettings },
    },
  });
  const ledger = await client.change<{ system: { id: string } }>(connect, {
    input: {
      ...{ kind: 'SYSPRO', name: 'SYSPRO', baseUrl: syspro.baseUrl },
      credentials: { operator: syspro.operator, operatorPassword: syspro.password, companyId: syspro.companyId },
      settings: { accountTemplate: '{costCentre}-{glAccount}', ...flow.sysproSettings },
    },
  });
  const made = await client.change<{ pipeline: { id: string } }>(
    `mutation ($input: CreatePipelineInput!) { done: createPipeline(input: $input) { pipeline { id } ${ERRORS} } }`,
    {
      input: {
        ...{ name: 'Card spend', sourceId: spend.system.id, ledgerId: ledger.system.id, documentType: 'JOURNAL' },
        streams: flow.streams ?? ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
        ...{ offsetAccount: '00-2150', defaultAccount: '00-6999', unmatchedVendor: 'POST_WITHOUT_SUPPLIER' },
      },
    },
  );
  return { brexId: spend.system.id, sysproId: ledger.system.id, pipelineId: made.pipeline.id };
}

/** @returns the run's id. */
export async function triggerSync(client: GatewayClient, pipelineId: string): Promise<string> {
  const { syncRun } = await client.change<{ syncRun: { id: string } }>(
    `mutation ($input: TriggerSyncInput!) { done: triggerSync(input: $input) { syncRun { id } ${ERRORS} } }`,
    { input: { pipelineId } },
  );
  return syncRun.id;
}
