import { Arg, Ctx, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { kindOfId } from '../domain/ids.js';
import type { LocalDate } from '../domain/localDate.js';
import type { Role as RoleName } from '../domain/vocabulary.js';
import { InputError } from '../errors.js';
import { Node } from '../schema/common.js';
import { Role } from '../schema/enums.js';
import { AuditEventFilter } from '../schema/inputs.js';
import { AlertPayload, ApiKeyPayload, CreateApiKeyPayload } from '../schema/payloads.js';
import { AuditEvent, AuditEventConnection, AuditVerification } from '../schema/postings.js';
import { DateScalar, DateTimeScalar } from '../schema/scalars.js';
import { ApiKey, ReconciliationReport, Viewer } from '../schema/spend.js';
import { Alert } from '../schema/systems.js';
import { createApiKey, revokeApiKey } from '../services/apiKeys.js';
import { verifyAuditChain } from '../services/audit.js';
import type { Page } from '../services/read/pages.js';
import type { AlertRow, ApiKeyRow, AuditEventRow } from '../services/read/trail.js';
import { payload, present } from './answers.js';
import { requireRole } from './authorise.js';
import type { GraphqlContext, SubscribeData } from './context.js';
import { NODE_PERMISSIONS } from './permissions.js';

type Maybe<T> = T | null | undefined;

type NodeKind = NonNullable<ReturnType<typeof kindOfId>>;

/** Where `node` finds each kind. */
const NODES: Readonly<Record<NodeKind, (context: GraphqlContext, id: string) => Promise<{ id: string } | null>>> = {
  ApiKey: ({ read }, id) => read.apiKeys.byId(id),
  ConnectedSystem: ({ read }, id) => read.systems.byId(id),
  Pipeline: ({ read }, id) => read.pipelines.byId(id),
  MappingVersion: ({ read }, id) => read.pipelines.mappingVersion(id),
  SyncRun: ({ read }, id) => read.pipelines.run(id),
  SpendRecord: ({ read }, id) => read.spendRecords.byId(id),
  GlPosting: ({ read }, id) => read.postings.byId(id),
  VendorMatch: ({ read }, id) => read.vendorMatches.byId(id),
  AuditEvent: ({ read }, id) => read.auditEvents.byId(id),
  Alert: ({ read }, id) => read.alerts.byId(id),
};

@Resolver()
export class NodeResolver {
  @Query(() => Node, { nullable: true, description: 'Anything by its id; null when there is nothing with that id.' })
  async node(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<Node | null> {
    const kind = kindOfId(id);
    if (!kind) return null;
    const role = NODE_PERMISSIONS[kind];
    if (role) requireRole(context, role, `Query.node of ${kind}`);
    return NODES[kind](context, id);
  }
}

@Resolver(() => AuditEvent)
export class AuditResolver {
  @Query(() => AuditEventConnection, { description: 'Oldest first.' })
  auditEvents(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => AuditEventFilter, { nullable: true }) filter: Maybe<AuditEventFilter>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<AuditEventRow>> {
    return context.read.auditEvents.list(filter, { first, after });
  }

  @Query(() => AuditVerification, { description: 'Recomputes the whole trail: every hash, every link, every number.' })
  verifyAuditChain(@Ctx() context: GraphqlContext): Promise<AuditVerification> {
    return verifyAuditChain(context.db, context.caller.tenantId);
  }

  @Subscription(() => AuditEvent, {
    subscribe: ({ args, context }: SubscribeData) =>
      context.feed.auditEvents(context.caller.tenantId, args.after as Maybe<string>, context.reading),
    description: 'Resumes: with the last sequence seen, what happened since comes first, in order, once.',
  })
  auditEventAppended(
    @Root() event: AuditEventRow,
    @Arg('after', () => String, { nullable: true, description: 'The sequence last seen.' }) _after: Maybe<string>,
  ): AuditEventRow {
    return event;
  }
}

@Resolver(() => ReconciliationReport)
export class ReconciliationResolver {
  @Query(() => ReconciliationReport, {
    description: 'Source against ledger, by transaction date, both days inclusive.',
  })
  async reconciliation(
    @Ctx() context: GraphqlContext,
    @Arg('pipelineId', () => ID) pipelineId: string,
    @Arg('from', () => DateScalar) from: LocalDate,
    @Arg('to', () => DateScalar) to: LocalDate,
  ): Promise<ReconciliationReport> {
    if (from > to) throw new InputError('`to` is before `from`.', ['to']);
    const report = await context.useCases.reconcile(context.caller.tenantId, { pipelineId, from, to });
    if (!report) throw new InputError('There is no such pipeline.', ['pipelineId']);
    return report;
  }
}

@Resolver(() => Alert)
export class AlertResolver {
  @Query(() => [Alert], { description: 'Newest first. Of resolved ones, the latest 500.' })
  alerts(
    @Ctx() context: GraphqlContext,
    @Arg('includeResolved', () => Boolean, { nullable: true, defaultValue: false }) includeResolved: Maybe<boolean>,
  ): Promise<readonly AlertRow[]> {
    return context.read.alerts.all(includeResolved ?? false);
  }

  @Mutation(() => AlertPayload)
  resolveAlert(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<AlertPayload> {
    return payload<{ id: string }, { alert: AlertRow | null }>(
      context,
      () => context.useCases.resolveAlert(context.caller, id),
      async (done) => ({ alert: present(await context.read.alerts.byId(done.id), `Alert ${done.id}`) }),
      { alert: null },
    );
  }

  @Subscription(() => Alert, {
    subscribe: ({ context }: SubscribeData) => context.feed.alerts(context.caller.tenantId, context.reading),
    description: 'From now on, each once.',
  })
  alertRaised(@Root() alert: AlertRow): AlertRow {
    return alert;
  }
}

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  @Query(() => Viewer, { description: 'Who asks.' })
  viewer(@Ctx() context: GraphqlContext): Viewer {
    return { tenant: context.caller.tenantId, name: context.callerName, role: context.caller.role };
  }

  @Query(() => [ApiKey], { description: 'Newest first, revoked ones included.' })
  apiKeys(@Ctx() context: GraphqlContext): Promise<readonly ApiKeyRow[]> {
    return context.read.apiKeys.all();
  }

  @Mutation(() => CreateApiKeyPayload, { description: 'The secret is shown once.' })
  createApiKey(
    @Ctx() context: GraphqlContext,
    @Arg('name', () => String) name: string,
    @Arg('role', () => Role) role: RoleName,
    @Arg('expiresAt', () => DateTimeScalar, { nullable: true }) expiresAt: Maybe<Date>,
  ): Promise<CreateApiKeyPayload> {
    return payload<{ id: string; secret: string }, { apiKey: ApiKeyRow | null; secret: string | null }>(
      context,
      () => createApiKey(context.db, context.caller, { name, role, expiresAt: expiresAt ?? null }, context.clock.now()),
      async ({ id, secret }) => ({ apiKey: present(await context.read.apiKeys.byId(id), `API key ${id}`), secret }),
      { apiKey: null, secret: null },
    );
  }

  @Mutation(() => ApiKeyPayload, { description: 'Ends a key at once.' })
  revokeApiKey(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<ApiKeyPayload> {
    return payload<{ id: string }, { apiKey: ApiKeyRow | null }>(
      context,
      () => revokeApiKey(context.db, context.caller, id, context.clock.now()),
      async (done) => ({ apiKey: present(await context.read.apiKeys.byId(done.id), `API key ${done.id}`) }),
      { apiKey: null },
    );
  }
}
