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

/** Connects Brex and SYSPRO and makes a pipeline that posts all that can be posted. */
export async function connectFlow(client: GatewayClient, flow: FlowSettings): Promise<ConnectedFlow> {
  const { brex, syspro } = flow;
  const { ledgerId, ...made } = await connectLedgerFlow(client, {
    brex: {
      ...{ url: brex.url, userToken: brex.userToken },
      settings: { vendorAccountId: syspro.companyId, ...flow.brexSettings },
    },
    ledger: {
      ...{ kind: 'SYSPRO', name: 'SYSPRO', baseUrl: syspro.baseUrl },
      credentials: { operator: syspro.operator, operatorPassword: syspro.password, companyId: syspro.companyId },
      settings: { accountTemplate: '{costCentre}-{glAccount}', ...flow.sysproSettings },
    },
    pipeline: {
      ...(flow.streams === undefined ? {} : { streams: flow.streams }),
      ...{ documentType: 'JOURNAL', offsetAccount: '00-2150', defaultAccount: '00-6999' },
      unmatchedVendor: 'POST_WITHOUT_SUPPLIER',
    },
  });
  return { ...made, sysproId: ledgerId };
}

export interface LedgerFlow {
  readonly brex: {
    readonly url: string;
    readonly userToken: string;
    /** `vendorAccountId` at least. */
    readonly settings: Readonly<Record<string, unknown>>;
  };
  /** As `ConnectSystemInput`. */
  readonly ledger: {
    readonly kind: string;
    readonly name: string;
    readonly baseUrl: string;
    readonly credentials: unknown;
    readonly settings: Readonly<Record<string, unknown>>;
  };
  /** As `CreatePipelineInput`, but for what follows from the rest. */
  readonly pipeline: Readonly<Record<string, unknown>>;
}

export interface ConnectedLedger {
  readonly brexId: string;
  readonly ledgerId: string;
  readonly pipelineId: string;
}

/** Connects Brex and any ledger and makes a pipeline between them. */
export async function connectLedgerFlow(client: GatewayClient, flow: LedgerFlow): Promise<ConnectedLedger> {
  const connect = `mutation ($input: ConnectSystemInput!) { done: connectSystem(input: $input) { system { id } ${ERRORS} } }`;
  const { url, userToken, settings } = flow.brex;
  const spend = await client.change<{ system: { id: string } }>(connect, {
    input: {
      ...{ kind: 'BREX', name: 'Brex', baseUrl: url },
      credentials: { kind: 'userToken', token: userToken },
      settings: { integrationVendor: 'ledgergate-test', ...settings },
    },
  });
  const ledger = await client.change<{ system: { id: string } }>(connect, { input: flow.ledger });
  const made = await client.change<{ pipeline: { id: string } }>(
    `mutation ($input: CreatePipelineInput!) { done: createPipeline(input: $input) { pipeline { id } ${ERRORS} } }`,
    {
      input: {
        ...{ name: 'Card spend', sourceId: spend.system.id, ledgerId: ledger.system.id },
        streams: ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
        ...flow.pipeline,
      },
    },
  );
  return { brexId: spend.system.id, ledgerId: ledger.system.id, pipelineId: made.pipeline.id };
}

/** @returns the run's id. */
export async function triggerSync(client: GatewayClient, pipelineId: string): Promise<string> {
  const { syncRun } = await client.change<{ syncRun: { id: string } }>(
    `mutation ($input: TriggerSyncInput!) { done: triggerSync(input: $input) { syncRun { id } ${ERRORS} } }`,
    { input: { pipelineId } },
  );
  return syncRun.id;
}
