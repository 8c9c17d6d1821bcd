import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import type { LocalDate } from '../domain/localDate.js';
import type { CodingMove } from '../domain/mappingPreview.js';
import { decimalOfMinor } from '../domain/money.js';
import { MappingRuleInput } from '../schema/inputs.js';
import {
  MappingMove,
  MappingPreview,
  MappingPreviewRecord,
  MappingPreviewRecordConnection,
  MappingPreviewTotals,
} from '../schema/mappingPreview.js';
import { DateScalar } from '../schema/scalars.js';
import { SpendRecord } from '../schema/spend.js';
import type { MappingPreview as Previewed, PreviewedChange, PreviewSummary } from '../services/mappingPreview.js';
import { type Problem, refusedBy } from '../services/outcome.js';
import type { Page } from '../services/read/pages.js';
import type { SpendRecordRow } from '../services/read/spendRecords.js';
import { present } from './answers.js';
import type { GraphqlContext } from './context.js';

type Maybe<T> = T | null | undefined;

/** What the fields below are read from; `previewed` null = refused. */
interface PreviewSource {
  readonly previewed: Previewed | null;
  readonly version: number | null;
  readonly effectiveFrom: LocalDate | null;
  readonly from: LocalDate | null;
  readonly to: LocalDate | null;
  readonly userErrors: readonly Problem[];
}

@Resolver(() => MappingPreview)
export class MappingPreviewResolver {
  @Query(() => MappingPreview, {
    description:
      'What `setMappingRules` with the same arguments would have changed in the last months. Saves nothing. Compares every purchase of the window when `totals` or `totalCount` is asked for.',
  })
  async previewMappingRules(
    @Ctx() context: GraphqlContext,
    @Arg('pipelineId', () => ID) pipelineId: string,
    @Arg('rules', () => [MappingRuleInput]) rules: MappingRuleInput[],
    @Arg('effectiveFrom', () => DateScalar, {
      nullable: true,
      description: 'As for `setMappingRules`. What lies before it is compared as well, and told apart.',
    })
    effectiveFrom: Maybe<LocalDate>,
    @Arg('months', () => Int, { nullable: true, defaultValue: 12, description: 'How far back to look, 1 to 36.' })
    months: Maybe<number>,
  ): Promise<PreviewSource> {
    const request = { pipelineId, rules, effectiveFrom: effectiveFrom ?? undefined, months: months ?? 12 };
    const outcome = await context.useCases.previewMapping(context.caller, request).catch(refusedBy);
    if (!outcome.ok) {
      const nothing = { previewed: null, version: null, effectiveFrom: null, from: null, to: null };
      return { ...nothing, userErrors: outcome.problems };
    }
    const { next, window } = outcome.value;
    const { version } = next;
    return { previewed: outcome.value, version, effectiveFrom: next.effectiveFrom, ...window, userErrors: [] };
  }

  @FieldResolver(() => MappingPreviewTotals, { nullable: true, description: 'null when the rules are refused.' })
  async totals(@Root() { previewed }: PreviewSource): Promise<MappingPreviewTotals | null> {
    return previewed && totalsOf(await previewed.summary());
  }

  @FieldResolver(() => MappingPreviewRecordConnection, {
    nullable: true,
    description: 'The purchases that would change, by transaction date; null when the rules are refused.',
  })
  async records(
    @Root() { previewed }: PreviewSource,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<PreviewedChange> | null> {
    return previewed?.page(first, after) ?? null;
  }
}

@Resolver(() => MappingPreviewRecord)
export class MappingPreviewRecordResolver {
  @FieldResolver(() => SpendRecord, { description: 'The purchase.' })
  async spendRecord(@Ctx() context: GraphqlContext, @Root() change: PreviewedChange): Promise<SpendRecordRow> {
    return present(await context.read.spendRecords.byId(change.id), `Spend record ${change.id}`);
  }

  @FieldResolver(() => String, { description: 'ISO 4217 code of its amounts.' })
  currency(@Root() change: PreviewedChange): string {
    return change.currency;
  }

  @FieldResolver(() => DateScalar, { description: 'Its posting date, which decides the version.' })
  postingDate(@Root() change: PreviewedChange): LocalDate {
    return change.day;
  }

  @FieldResolver(() => [MappingMove], { description: 'Empty when only its holds would change.' })
  moves(@Root() { moves, currency }: PreviewedChange): MappingMove[] {
    return moves.map((move) => moveOf(move, currency));
  }
}

function moveOf({ from, to, minor }: CodingMove, currency: string): MappingMove {
  return { from, to, amount: { amount: decimalOfMinor(minor, currency), currency } };
}

function totalsOf({ totals, replanned }: PreviewSummary): MappingPreviewTotals {
  return {
    recordsRead: totals.records,
    recordsChanged: totals.changed,
    recordsInForce: totals.inForce,
    recordsReplanned: replanned,
    becomeHeld: totals.becomeHeld,
    becomeReleased: totals.becomeReleased,
    unlistedRecords: totals.unlisted,
    movements: totals.movements.map(({ from, to, records, recordsInForce, amounts }) => ({
      from,
      to,
      recordCount: records,
      recordCountInForce: recordsInForce,
      amounts: [...amounts].map(([currency, minor]) => ({ amount: decimalOfMinor(minor, currency), currency })),
    })),
  };
}
