import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { PostingStatus } from '../domain/postingState.js';
import * as enums from '../schema/enums.js';
import { GlPostingFilter } from '../schema/inputs.js';
import { PostingPayload, ReplayPostingsPayload } from '../schema/payloads.js';
import { Pipeline } from '../schema/pipelines.js';
import {
  AuditEventConnection,
  GlPosting,
  GlPostingConnection,
  GlPostingLine,
  PostingAttempt,
  PostingHold,
  PostingStatusEvent,
} from '../schema/postings.js';
import { SpendRecord, SpendRecordConnection } from '../schema/spend.js';
import { ConnectedSystem, Supplier } from '../schema/systems.js';
import type { PostingStatusChange, PostingStatusRequest } from '../services/eventFeed.js';
import type { Outcome } from '../services/outcome.js';
import type { Page } from '../services/read/pages.js';
import type { PipelineRow, SyncRunRow } from '../services/read/pipelines.js';
import type { PostingAttemptRow, PostingLineRow, PostingRow } from '../services/read/postings.js';
import type { SpendRecordRow } from '../services/read/spendRecords.js';
import type { StoredHold } from '../services/read/stored.js';
import type { SystemRow } from '../services/read/systems.js';
import type { AuditEventRow } from '../services/read/trail.js';
import type { PostingFilter } from '../services/useCases.js';
import { payload, present } from './answers.js';
import type { GraphqlContext, SubscribeData } from './context.js';
import { supplierOf } from './vendors.js';

type Maybe<T> = T | null | undefined;

@Resolver(() => GlPosting)
export class PostingResolver {
  @Query(() => GlPostingConnection, { description: 'Newest first.' })
  glPostings(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => GlPostingFilter, { nullable: true }) filter: Maybe<GlPostingFilter>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<PostingRow>> {
    return context.read.postings.list(filter, { first, after });
  }

  @Query(() => GlPosting, { nullable: true })
  glPosting(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<PostingRow | null> {
    return context.read.postings.byId(id);
  }

  @FieldResolver(() => Pipeline)
  async pipeline(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<PipelineRow> {
    return present(await context.read.pipelines.byId(posting.pipelineId), `Pipeline ${posting.pipelineId}`);
  }

  @FieldResolver(() => ConnectedSystem)
  async ledger(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(posting.ledgerId), `System ${posting.ledgerId}`);
  }

  @FieldResolver(() => Supplier, { nullable: true })
  supplier(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<Supplier | null> {
    return supplierOf(context, posting.ledgerId, posting.supplierCode);
  }

  @FieldResolver(() => [GlPostingLine])
  lines(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<readonly PostingLineRow[]> {
    return context.read.postings.lines(posting);
  }

  @FieldResolver(() => [PostingHold], { description: 'Empty unless a person is needed.' })
  holds(@Root() posting: PostingRow): readonly StoredHold[] {
    return posting.holds;
  }

  @FieldResolver(() => [PostingAttempt], { description: 'First to last.' })
  attempts(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<readonly PostingAttemptRow[]> {
    return context.read.postings.attempts(posting.id);
  }

  @FieldResolver(() => SpendRecordConnection, { description: 'The purchases that it carries.' })
  spendRecords(
    @Ctx() context: GraphqlContext,
    @Root() posting: PostingRow,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<SpendRecordRow>> {
    return context.read.spendRecords.ofPosting(posting.id, { first, after });
  }

  @FieldResolver(() => AuditEventConnection, { description: 'Its story, oldest first.' })
  auditEvents(
    @Ctx() context: GraphqlContext,
    @Root() posting: PostingRow,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<AuditEventRow>> {
    return context.read.auditEvents.ofPosting(posting.id, { first, after });
  }

  @FieldResolver(() => GlPosting, { nullable: true, description: 'The posting that this one undoes.' })
  reverses(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<PostingRow | null> | null {
    return posting.reversesId === null ? null : context.read.postings.byId(posting.reversesId);
  }

  @FieldResolver(() => GlPosting, { nullable: true, description: 'The posting that undoes this one.' })
  reversedBy(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<PostingRow | null> | null {
    return posting.reversedById === null ? null : context.read.postings.byId(posting.reversedById);
  }

  @Mutation(() => PostingPayload, {
    description: "Plans again from today's mapping and master data, under the same reference.",
  })
  replayPosting(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('note', () => String, { nullable: true }) note: Maybe<string>,
  ): Promise<PostingPayload> {
    return answer(context, () => context.useCases.replayPosting(context.caller, id, note ?? null));
  }

  @Mutation(() => ReplayPostingsPayload, { description: 'HELD, REJECTED and IN_DOUBT ones only.' })
  replayPostings(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => GlPostingFilter) filter: GlPostingFilter,
    @Arg('note', () => String, { nullable: true }) note: Maybe<string>,
  ): Promise<ReplayPostingsPayload> {
    return payload<{ count: number; runId: string | null }, { count: number; syncRun: SyncRunRow | null }>(
      context,
      () => context.useCases.replayPostings(context.caller, filterOf(filter), note ?? null),
      async ({ count, runId }) => ({ count, syncRun: runId === null ? null : await context.read.pipelines.run(runId) }),
      { count: 0, syncRun: null },
    );
  }

  @Mutation(() => PostingPayload, {
    description: 'Refused if the plan changed since, or if the same key triggered it.',
  })
  approvePosting(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('planHash', () => String, { description: 'Of the plan that was looked at.' }) planHash: string,
  ): Promise<PostingPayload> {
    return answer(context, () => context.useCases.approvePosting(context.caller, id, planHash));
  }

  @Mutation(() => PostingPayload, { description: 'Only before it was sent.' })
  cancelPosting(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String) reason: string,
  ): Promise<PostingPayload> {
    return answer(context, () => context.useCases.cancelPosting(context.caller, id, reason));
  }

  @Mutation(() => PostingPayload, { description: 'Posts the equal and opposite document and returns it.' })
  reversePosting(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String) reason: string,
  ): Promise<PostingPayload> {
    return answer(context, () => context.useCases.reversePosting(context.caller, id, reason));
  }

  @Subscription(() => PostingStatusEvent, {
    subscribe: ({ args, context }: SubscribeData) =>
      context.feed.postingStatuses(context.caller.tenantId, args as PostingStatusRequest, context.reading),
    description: 'Resumes: with the last cursor seen, what happened since comes first, in order, once.',
  })
  postingStatusChanged(
    @Ctx() context: GraphqlContext,
    @Root() event: PostingStatusChange,
    @Arg('pipelineId', () => ID, { nullable: true }) _pipelineId: Maybe<string>,
    @Arg('postingId', () => ID, { nullable: true }) _postingId: Maybe<string>,
    @Arg('statuses', () => [enums.PostingStatus], { nullable: true, description: 'What it became.' })
    _statuses: Maybe<PostingStatus[]>,
    @Arg('after', () => String, { nullable: true }) _after: Maybe<string>,
  ): PostingStatusChange {
    context.read.clear();
    return event;
  }
}

function answer(context: GraphqlContext, useCase: () => Promise<Outcome<{ id: string }>>) {
  return payload<{ id: string }, { posting: PostingRow | null }>(
    context,
    useCase,
    async ({ id }) => ({ posting: present(await context.read.postings.byId(id), `Posting ${id}`) }),
    { posting: null },
  );
}

/** Without what was left out. */
export function filterOf(filter: GlPostingFilter): PostingFilter {
  const given = Object.entries(filter).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as PostingFilter;
}

@Resolver(() => PostingHold)
export class PostingHoldResolver {
  @FieldResolver(() => SpendRecord, {
    nullable: true,
    description: 'SUSPECTED_DUPLICATE: the purchase that it may be a second copy of. Else null.',
  })
  twin(@Ctx() context: GraphqlContext, @Root() hold: StoredHold): Promise<SpendRecordRow | null> | null {
    if (hold.code !== 'SUSPECTED_DUPLICATE' || !hold.value) return null;
    return context.read.spendRecords.byId(hold.value);
  }
}

@Resolver(() => PostingStatusEvent)
export class PostingStatusEventResolver {
  @FieldResolver(() => GlPosting, { description: 'As it is now, which may be later than this event.' })
  async posting(@Ctx() context: GraphqlContext, @Root() event: PostingStatusChange): Promise<PostingRow> {
    return present(await context.read.postings.byId(event.postingId), `Posting ${event.postingId}`);
  }
}
