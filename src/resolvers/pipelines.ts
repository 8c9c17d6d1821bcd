import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { LocalDate } from '../domain/localDate.js';
import {
  CreatePipelineInput,
  MappingRuleInput,
  SyncRunFilter,
  TriggerSyncInput,
  UpdatePipelineInput,
} from '../schema/inputs.js';
import { MappingPayload, PipelinePayload, TriggerSyncPayload } from '../schema/payloads.js';
import { MappingVersion, MappingVersionConnection, Pipeline, SyncRun, SyncRunConnection } from '../schema/pipelines.js';
import { GlPosting } from '../schema/postings.js';
import { DateScalar, DateTimeScalar } from '../schema/scalars.js';
import { ConnectedSystem } from '../schema/systems.js';
import type { Outcome, Problem } from '../services/outcome.js';
import type { Page } from '../services/read/pages.js';
import type { MappingVersionRow, PipelineRow, SyncRunRow } from '../services/read/pipelines.js';
import type { PostingRow } from '../services/read/postings.js';
import type { SystemRow } from '../services/read/systems.js';
import type { PipelineRequest } from '../services/useCases.js';
import { payload, present } from './answers.js';
import type { GraphqlContext, SubscribeData } from './context.js';

type Maybe<T> = T | null | undefined;

@Resolver(() => Pipeline)
export class PipelineResolver {
  @Query(() => [Pipeline], { description: 'Newest first.' })
  pipelines(@Ctx() context: GraphqlContext): Promise<readonly PipelineRow[]> {
    return context.read.pipelines.all();
  }

  @Query(() => Pipeline, { nullable: true })
  pipeline(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<PipelineRow | null> {
    return context.read.pipelines.byId(id);
  }

  @FieldResolver(() => ConnectedSystem)
  async source(@Ctx() context: GraphqlContext, @Root() pipeline: PipelineRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(pipeline.sourceId), `System ${pipeline.sourceId}`);
  }

  @FieldResolver(() => ConnectedSystem)
  async ledger(@Ctx() context: GraphqlContext, @Root() pipeline: PipelineRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(pipeline.ledgerId), `System ${pipeline.ledgerId}`);
  }

  @FieldResolver(() => MappingVersion, { nullable: true, description: 'The version that was set last.' })
  mapping(@Ctx() context: GraphqlContext, @Root() pipeline: PipelineRow): Promise<MappingVersionRow | null> {
    return context.read.pipelines.currentMapping(pipeline.id);
  }

  @FieldResolver(() => MappingVersionConnection, { description: 'Newest first.' })
  mappingVersions(
    @Ctx() context: GraphqlContext,
    @Root() pipeline: PipelineRow,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<MappingVersionRow>> {
    return context.read.pipelines.mappingVersions(pipeline.id, { first, after });
  }

  @FieldResolver(() => SyncRun, { nullable: true, description: 'The newest run that was not a dry run.' })
  lastSync(@Ctx() context: GraphqlContext, @Root() pipeline: PipelineRow): Promise<SyncRunRow | null> {
    return context.read.pipelines.lastRun(pipeline.id);
  }

  @FieldResolver(() => DateTimeScalar, { nullable: true, description: 'null when disabled or without a schedule.' })
  nextSyncAt(@Ctx() context: GraphqlContext, @Root() pipeline: PipelineRow): Date | null {
    return context.read.pipelines.nextRunAt(pipeline, context.clock.now());
  }

  @Mutation(() => PipelinePayload)
  createPipeline(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => CreatePipelineInput) input: CreatePipelineInput,
  ): Promise<PipelinePayload> {
    return answer(context, () => context.useCases.createPipeline(context.caller, requestOf(input)));
  }

  @Mutation(() => PipelinePayload)
  updatePipeline(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdatePipelineInput) input: UpdatePipelineInput,
  ): Promise<PipelinePayload> {
    return answer(context, () => context.useCases.updatePipeline(context.caller, id, changeOf(input)));
  }

  @Mutation(() => MappingPayload, { description: 'Makes a new version; older ones stay as they were.' })
  setMappingRules(
    @Ctx() context: GraphqlContext,
    @Arg('pipelineId', () => ID) pipelineId: string,
    @Arg('rules', () => [MappingRuleInput]) rules: MappingRuleInput[],
    @Arg('effectiveFrom', () => DateScalar, {
      nullable: true,
      description: 'The first posting date that it decides.',
    })
    effectiveFrom: Maybe<LocalDate>,
    @Arg('note', () => String, { nullable: true }) note: Maybe<string>,
  ): Promise<MappingPayload> {
    return payload<
      { id: string; warnings?: readonly Problem[] },
      { mapping: MappingVersionRow | null; warnings: readonly Problem[] }
    >(
      context,
      () =>
        context.useCases.setMappingRules(context.caller, {
          pipelineId,
          rules,
          effectiveFrom: effectiveFrom ?? undefined,
          note: note ?? undefined,
        }),
      async ({ id, warnings = [] }) => ({
        mapping: present(await context.read.pipelines.mappingVersion(id), `Mapping ${id}`),
        warnings,
      }),
      { mapping: null, warnings: [] },
    );
  }
}

function answer(context: GraphqlContext, useCase: () => Promise<Outcome<{ id: string }>>) {
  return payload<{ id: string }, { pipeline: PipelineRow | null }>(
    context,
    useCase,
    async ({ id }) => ({ pipeline: present(await context.read.pipelines.byId(id), `Pipeline ${id}`) }),
    { pipeline: null },
  );
}

/** An explicit null asks for the default as leaving the field out does. */
function requestOf(input: CreatePipelineInput): PipelineRequest {
  return {
    name: input.name,
    sourceId: input.sourceId,
    ledgerId: input.ledgerId,
    streams: input.streams,
    documentType: input.documentType,
    grouping: input.grouping ?? 'PER_RECORD',
    schedule: input.schedule ?? null,
    timeZone: input.timeZone ?? 'UTC',
    offsetAccount: input.offsetAccount,
    defaultAccount: input.defaultAccount ?? null,
    unmatchedVendor: input.unmatchedVendor ?? 'HOLD',
    postingDate: input.postingDate ?? 'TRANSACTION_DATE',
    closedPeriod: input.closedPeriod ?? 'HOLD',
    coding: input.coding ?? 'RICHEST',
    correction: input.correction ?? 'REVERSE_AND_REPLACE',
    requireApproval: input.requireApproval ?? false,
    exportMasterData: input.exportMasterData ?? false,
    enabled: input.enabled ?? true,
    ...(input.receiptLinkBase === undefined ? {} : { receiptLinkBase: input.receiptLinkBase }),
    roundingAccount: input.roundingAccount ?? null,
    taxCodes: input.taxCodes ?? {},
    duplicateCheck: input.duplicateCheck ?? 'ACROSS_SOURCES',
    duplicateDays: input.duplicateDays ?? 0,
    duplicateImportDays: input.duplicateImportDays ?? 2,
  };
}

/** Only what was given; null clears the fields that may be empty and means "leave it" for all others. */
function changeOf(input: UpdatePipelineInput): Partial<PipelineRequest> {
  const { schedule, defaultAccount, roundingAccount, receiptLinkBase, ...rest } = input;
  const given = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  return {
    ...(Object.fromEntries(given) as Partial<PipelineRequest>),
    ...(schedule === undefined ? {} : { schedule }),
    ...(defaultAccount === undefined ? {} : { defaultAccount }),
    ...(receiptLinkBase === undefined ? {} : { receiptLinkBase }),
    ...(roundingAccount === undefined ? {} : { roundingAccount }),
  };
}

@Resolver(() => SyncRun)
export class SyncRunResolver {
  @Query(() => SyncRunConnection, { description: 'Newest first.' })
  syncRuns(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => SyncRunFilter, { nullable: true }) filter: Maybe<SyncRunFilter>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<SyncRunRow>> {
    return context.read.pipelines.runs(filter, { first, after });
  }

  @Query(() => SyncRun, { nullable: true })
  syncRun(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<SyncRunRow | null> {
    return context.read.pipelines.run(id);
  }

  @FieldResolver(() => Pipeline)
  async pipeline(@Ctx() context: GraphqlContext, @Root() run: SyncRunRow): Promise<PipelineRow> {
    return present(await context.read.pipelines.byId(run.pipelineId), `Pipeline ${run.pipelineId}`);
  }

  @FieldResolver(() => [GlPosting], {
    nullable: true,
    description: "A dry run's exact documents; null otherwise. They are not stored, so `node` does not find them.",
  })
  async preview(@Ctx() context: GraphqlContext, @Root() run: SyncRunRow): Promise<readonly PostingRow[] | null> {
    if (!run.dryRun) return null;
    return context.read.postings.preview(run, await this.pipeline(context, run));
  }

  @Mutation(() => TriggerSyncPayload, {
    description: 'Returns once queued. The same idempotencyKey returns the same run.',
  })
  triggerSync(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => TriggerSyncInput) input: TriggerSyncInput,
  ): Promise<TriggerSyncPayload> {
    return runAnswer(context, () =>
      context.useCases.triggerSync(context.caller, {
        pipelineId: input.pipelineId,
        from: input.from ?? undefined,
        to: input.to ?? undefined,
        dryRun: input.dryRun ?? false,
        idempotencyKey: input.idempotencyKey ?? undefined,
      }),
    );
  }

  @Mutation(() => TriggerSyncPayload)
  cancelSync(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<TriggerSyncPayload> {
    return runAnswer(context, () => context.useCases.cancelSync(context.caller, id));
  }

  @Subscription(() => SyncRun, {
    subscribe: ({ args, context }: SubscribeData) =>
      context.feed.runProgress(context.caller.tenantId, String(args.id), context.reading),
    description: 'The run now and at every change; ends when it is finished.',
  })
  async syncRunProgressed(
    @Ctx() context: GraphqlContext,
    @Root() event: { readonly id: string },
    @Arg('id', () => ID) _id: string,
  ): Promise<SyncRunRow> {
    context.read.clear();
    return present(await context.read.pipelines.run(event.id), `Sync run ${event.id}`);
  }
}

function runAnswer(context: GraphqlContext, useCase: () => Promise<Outcome<{ id: string }>>) {
  return payload<{ id: string }, { syncRun: SyncRunRow | null }>(
    context,
    useCase,
    async ({ id }) => ({ syncRun: present(await context.read.pipelines.run(id), `Sync run ${id}`) }),
    { syncRun: null },
  );
}
