import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { ResolveVendorMatchInput, SpendRecordFilter, VendorMatchFilter } from '../schema/inputs.js';
import { SpendRecordPayload, VendorMatchPayload } from '../schema/payloads.js';
import { GlPosting } from '../schema/postings.js';
import {
  SourceRef,
  SpendRecord,
  SpendRecordConnection,
  VendorCandidate,
  VendorMatch,
  VendorMatchConnection,
} from '../schema/spend.js';
import { ConnectedSystem, Supplier } from '../schema/systems.js';
import type { Outcome } from '../services/outcome.js';
import type { Page } from '../services/read/pages.js';
import type { PostingRow } from '../services/read/postings.js';
import type { SourceRefRow, SpendRecordRow } from '../services/read/spendRecords.js';
import type { StoredCandidate } from '../services/read/stored.js';
import type { SystemRow } from '../services/read/systems.js';
import type { VendorMatchRow } from '../services/read/trail.js';
import { payload, present } from './answers.js';
import type { GraphqlContext } from './context.js';

type Maybe<T> = T | null | undefined;

/** A supplier by its code. One that the ledger's list does not have (any more, or yet) is shown by its code, inactive. */
export async function supplierOf(
  context: GraphqlContext,
  ledgerId: string,
  code: string | null,
  name: string | null = code,
): Promise<Supplier | null> {
  if (code === null) return null;
  return (await context.read.masterData.supplier(ledgerId, code)) ?? { code, name: name ?? code, active: false };
}

@Resolver(() => SpendRecord)
export class SpendRecordResolver {
  @Query(() => SpendRecordConnection, { description: 'Newest first.' })
  spendRecords(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => SpendRecordFilter, { nullable: true }) filter: Maybe<SpendRecordFilter>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<SpendRecordRow>> {
    return context.read.spendRecords.list(filter, { first, after });
  }

  @Query(() => SpendRecord, { nullable: true })
  spendRecord(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<SpendRecordRow | null> {
    return context.read.spendRecords.byId(id);
  }

  @FieldResolver(() => ConnectedSystem)
  async source(@Ctx() context: GraphqlContext, @Root() record: SpendRecordRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(record.sourceId), `System ${record.sourceId}`);
  }

  @FieldResolver(() => [SourceRef], { description: "The source's objects that show this purchase." })
  sourceRefs(@Ctx() context: GraphqlContext, @Root() record: SpendRecordRow): Promise<readonly SourceRefRow[]> {
    return context.read.spendRecords.sourceRefs(record.id);
  }

  @FieldResolver(() => VendorMatch, { nullable: true })
  vendorMatch(@Ctx() context: GraphqlContext, @Root() record: SpendRecordRow): Promise<VendorMatchRow | null> | null {
    return record.vendorMatchId === null ? null : context.read.vendorMatches.byId(record.vendorMatchId);
  }

  @FieldResolver(() => [GlPosting], { description: 'The documents that carry it or carried it, oldest first.' })
  postings(@Ctx() context: GraphqlContext, @Root() record: SpendRecordRow): Promise<readonly PostingRow[]> {
    return context.read.postings.ofSpendRecord(record.id);
  }

  @Mutation(() => SpendRecordPayload, { description: 'Never posted, until it is included again.' })
  excludeSpendRecord(
    @Ctx() context: GraphqlContext,
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String) reason: string,
  ): Promise<SpendRecordPayload> {
    return answer(context, () => context.useCases.excludeSpendRecord(context.caller, id, reason));
  }

  @Mutation(() => SpendRecordPayload)
  includeSpendRecord(@Ctx() context: GraphqlContext, @Arg('id', () => ID) id: string): Promise<SpendRecordPayload> {
    return answer(context, () => context.useCases.includeSpendRecord(context.caller, id));
  }
}

function answer(context: GraphqlContext, useCase: () => Promise<Outcome<{ id: string }>>) {
  return payload<{ id: string }, { spendRecord: SpendRecordRow | null }>(
    context,
    useCase,
    async ({ id }) => ({ spendRecord: present(await context.read.spendRecords.byId(id), `Spend record ${id}`) }),
    { spendRecord: null },
  );
}

@Resolver(() => VendorMatch)
export class VendorMatchResolver {
  @Query(() => VendorMatchConnection, { description: 'Newest first.' })
  vendorMatches(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => VendorMatchFilter, { nullable: true }) filter: Maybe<VendorMatchFilter>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<VendorMatchRow>> {
    return context.read.vendorMatches.list(filter, { first, after });
  }

  @FieldResolver(() => ConnectedSystem)
  async ledger(@Ctx() context: GraphqlContext, @Root() match: VendorMatchRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(match.ledgerId), `System ${match.ledgerId}`);
  }

  @FieldResolver(() => Supplier, { nullable: true })
  supplier(@Ctx() context: GraphqlContext, @Root() match: VendorMatchRow): Promise<Supplier | null> {
    return supplierOf(context, match.ledgerId, match.supplierCode);
  }

  @FieldResolver(() => [VendorCandidate], { description: 'Best first.' })
  candidates(@Root() match: VendorMatchRow): readonly CandidateSource[] {
    return match.candidates.map((candidate) => ({ ...candidate, ledgerId: match.ledgerId }));
  }

  @Mutation(() => VendorMatchPayload, { description: 'Held postings that it unblocks are planned again.' })
  resolveVendorMatch(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ResolveVendorMatchInput) input: ResolveVendorMatchInput,
  ): Promise<VendorMatchPayload> {
    return payload<
      { id: string; releasedPostings: number },
      { vendorMatch: VendorMatchRow | null; releasedPostings: number }
    >(
      context,
      () =>
        context.useCases.resolveVendorMatch(context.caller, {
          id: input.id,
          decision: input.decision,
          supplierCode: input.supplierCode ?? undefined,
          supplierName: input.supplierName ?? undefined,
        }),
      async ({ id, releasedPostings }) => ({
        vendorMatch: present(await context.read.vendorMatches.byId(id), `Vendor match ${id}`),
        releasedPostings,
      }),
      { vendorMatch: null, releasedPostings: 0 },
    );
  }
}

interface CandidateSource extends StoredCandidate {
  readonly ledgerId: string;
}

@Resolver(() => VendorCandidate)
export class VendorCandidateResolver {
  @FieldResolver(() => Supplier)
  async supplier(@Ctx() context: GraphqlContext, @Root() candidate: CandidateSource): Promise<Supplier> {
    return present(
      await supplierOf(context, candidate.ledgerId, candidate.code, candidate.name),
      'The supplier of a candidate',
    );
  }
}
