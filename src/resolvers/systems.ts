import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { ConnectSystemInput } from '../schema/inputs.js';
import { ConnectSystemPayload, RefreshMasterDataPayload, TestSystemPayload } from '../schema/payloads.js';
import { JsonScalar } from '../schema/scalars.js';
import {
  ConnectedSystem,
  ConnectorDescriptor,
  CredentialInfo,
  FiscalPeriod,
  GlAccountConnection,
  LedgerDimensionValueConnection,
  SupplierConnection,
} from '../schema/systems.js';
import type { Outcome } from '../services/outcome.js';
import type { Page } from '../services/read/pages.js';
import type {
  CodedRow,
  ConnectorRow,
  CredentialRow,
  DimensionValueRow,
  PeriodRow,
  SystemRow,
} from '../services/read/systems.js';
import { payload, present } from './answers.js';
import type { GraphqlContext } from './context.js';

type Maybe<T> = T | null | undefined;

@Resolver(() => ConnectedSystem)
export class SystemResolver {
  @Query(() => [ConnectorDescriptor], { description: 'What this installation can connect to.' })
  connectors(@Ctx() context: GraphqlContext): readonly ConnectorRow[] {
    return context.read.systems.connectorRows();
  }

  @Query(() => [ConnectedSystem], { description: 'Newest first.' })
  systems(@Ctx() context: GraphqlContext): Promise<readonly SystemRow[]> {
    return context.read.systems.all();
  }

  @Query(() => ConnectedSystem, { nullable: true })
  system(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<SystemRow | null> {
    return context.read.systems.byId(id);
  }

  @FieldResolver(() => CredentialInfo, { description: 'Never the secret itself.' })
  credential(@Ctx() context: GraphqlContext, @Root() system: SystemRow): Promise<CredentialRow> {
    return context.read.systems.credential(system.id);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: "Where this system's webhooks are received; null where it has none.",
  })
  webhookPath(@Ctx() context: GraphqlContext, @Root() system: SystemRow): string | null {
    return context.read.systems.webhookPath(system);
  }

  @Mutation(() => ConnectSystemPayload)
  connectSystem(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ConnectSystemInput) input: ConnectSystemInput,
  ): Promise<ConnectSystemPayload> {
    return answer(context, () =>
      context.useCases.connectSystem(context.caller, {
        kind: input.kind,
        name: input.name,
        baseUrl: input.baseUrl ?? undefined,
        credentials: input.credentials,
        settings: input.settings ?? undefined,
      }),
    );
  }

  @Mutation(() => TestSystemPayload, { description: 'Calls the real system, step by step.' })
  testSystem(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<TestSystemPayload> {
    return payload(
      context,
      () => context.useCases.testSystem(context.caller, id),
      ({ ok, checks }) => ({ ok, checks }),
      { ok: false, checks: [] },
    );
  }

  @Mutation(() => ConnectSystemPayload)
  updateCredentials(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('credentials', () => JsonScalar) credentials: unknown,
  ): Promise<ConnectSystemPayload> {
    return answer(context, () => context.useCases.updateCredentials(context.caller, id, credentials));
  }

  @Mutation(() => ConnectSystemPayload, { description: 'What is left out stays.' })
  updateSystem(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('name', () => String, { nullable: true }) name: Maybe<string>,
    @Arg('baseUrl', () => String, { nullable: true }) baseUrl: Maybe<string>,
    @Arg('settings', () => JsonScalar, { nullable: true, description: 'The new settings, whole.' }) settings: unknown,
  ): Promise<ConnectSystemPayload> {
    const change = { name: name ?? undefined, baseUrl: baseUrl ?? undefined, settings: settings ?? undefined };
    return answer(context, () => context.useCases.updateSystem(context.caller, id, change));
  }

  @Mutation(() => ConnectSystemPayload)
  disableSystem(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<ConnectSystemPayload> {
    return answer(context, () => context.useCases.disableSystem(context.caller, id));
  }

  @Mutation(() => ConnectSystemPayload, { description: 'Subscribes this gateway at the spend system.' })
  registerWebhooks(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID) systemId: string,
    @Arg('publicUrl', () => String, { description: 'Where the vendor reaches this gateway, without a path.' })
    publicUrl: string,
  ): Promise<ConnectSystemPayload> {
    return answer(context, () => context.useCases.registerWebhooks(context.caller, systemId, publicUrl));
  }
}

function answer(context: GraphqlContext, useCase: () => Promise<Outcome<{ id: string }>>) {
  return payload<{ id: string }, { system: SystemRow | null }>(
    context,
    useCase,
    async ({ id }) => ({ system: present(await context.read.systems.byId(id), `System ${id}`) }),
    { system: null },
  );
}

@Resolver()
export class MasterDataResolver {
  @Query(() => GlAccountConnection, { description: 'The chart of accounts as last read, by code.' })
  glAccounts(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID) systemId: string,
    @Arg('search', () => String, { nullable: true, description: 'Part of the code or the name.' })
    search: Maybe<string>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<CodedRow>> {
    return context.read.masterData.accounts(systemId, search, { first, after });
  }

  @Query(() => SupplierConnection, { description: 'The suppliers as last read, by code.' })
  suppliers(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID) systemId: string,
    @Arg('search', () => String, { nullable: true, description: 'Part of the code or the name.' })
    search: Maybe<string>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<CodedRow>> {
    return context.read.masterData.suppliers(systemId, search, { first, after });
  }

  @Query(() => LedgerDimensionValueConnection, { description: 'Dimension values as last read, by dimension and code.' })
  ledgerDimensions(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID) systemId: string,
    @Arg('dimension', () => String, { nullable: true }) dimension: Maybe<string>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<DimensionValueRow>> {
    return context.read.masterData.dimensionValues(systemId, dimension, { first, after });
  }

  @Query(() => [FiscalPeriod], { description: 'The fiscal calendar as last read, oldest first.' })
  fiscalPeriods(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID) systemId: string,
  ): Promise<readonly PeriodRow[]> {
    return context.read.masterData.periods(systemId);
  }

  @Mutation(() => RefreshMasterDataPayload, { description: 'Returns once read.' })
  refreshMasterData(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID) systemId: string,
  ): Promise<RefreshMasterDataPayload> {
    type Counts = { [K in 'accounts' | 'suppliers' | 'dimensions' | 'periods']: number | null };
    return payload<Counts, Counts>(
      context,
      () => context.useCases.refreshMasterData(context.caller, systemId),
      ({ accounts, suppliers, dimensions, periods }) => ({ accounts, suppliers, dimensions, periods }),
      { accounts: null, suppliers: null, dimensions: null, periods: null },
    );
  }
}
