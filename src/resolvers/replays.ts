import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { GlPostingFilter } from '../schema/inputs.js';
import { GlPosting } from '../schema/postings.js';
import { ReplayExample, ReplayPreview } from '../schema/replays.js';
import { decimalText } from '../services/read/amounts.js';
import type { PostingRow } from '../services/read/postings.js';
import { holdsIn } from '../services/read/stored.js';
import type { ReplayFate } from '../services/replayPreview.js';
import { present } from './answers.js';
import type { GraphqlContext } from './context.js';
import { filterOf } from './postings.js';

type ExampleSource = ReplayExample & Pick<ReplayFate, 'postingId'>;

const EXAMPLES = 10;

@Resolver(() => ReplayPreview)
export class ReplayPreviewResolver {
  @Query(() => ReplayPreview, {
    description: 'What `replayPostings` of the same filter would release. Changes nothing.',
  })
  async previewReplay(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => GlPostingFilter) filter: GlPostingFilter,
    @Arg('examples', () => Int, { nullable: true, description: 'How many to show, at most 200; 10 when left out.' })
    examples: number | null | undefined,
  ): Promise<ReplayPreview> {
    const preview = await context.useCases.previewReplay(context.caller, filterOf(filter), examples ?? EXAMPLES);
    return { ...preview, examples: preview.examples.map(exampleOf) };
  }
}

function exampleOf(fate: ReplayFate): ExampleSource {
  const { postingId, outcome, code, holds, postingDate, currency, total } = fate;
  return {
    ...{ postingId, outcome, code, postingDate },
    holds: holdsIn(holds),
    total: { amount: decimalText(total, currency), currency },
  };
}

@Resolver(() => ReplayExample)
export class ReplayExampleResolver {
  @FieldResolver(() => GlPosting, { description: 'As it is now.' })
  async posting(@Ctx() context: GraphqlContext, @Root() example: ExampleSource): Promise<PostingRow> {
    return present(await context.read.postings.byId(example.postingId), `Posting ${example.postingId}`);
  }
}
