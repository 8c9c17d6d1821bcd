import { Field, Int, ObjectType } from 'type-graphql';
import type * as words from '../domain/vocabulary.js';
import { Money } from './common.js';
import * as enums from './enums.js';
import { PostingHold } from './postings.js';
import { DateScalar } from './scalars.js';

@ObjectType({ simpleResolvers: true, description: 'How many of the selected postings would become the same.' })
export class ReplayCount {
  @Field(() => enums.ReplayOutcome)
  outcome!: words.ReplayOutcome;

  @Field(() => String, { nullable: true, description: 'What they would be held for, or the state that forbids it.' })
  code!: string | null;

  @Field(() => Int)
  count!: number;

  @Field(() => [Money], { description: 'Added up by currency.' })
  totals!: readonly Money[];
}

@ObjectType({ simpleResolvers: true, description: 'One posting and what a replay would make of it.' })
export class ReplayExample {
  @Field(() => enums.ReplayOutcome)
  outcome!: words.ReplayOutcome;

  @Field(() => String, { nullable: true })
  code!: string | null;

  @Field(() => [PostingHold], { description: 'What it would be held for.' })
  holds!: readonly PostingHold[];

  @Field(() => DateScalar, { description: 'The day that it would be posted on.' })
  postingDate!: string;

  @Field(() => Money, { description: 'The total that it would have.' })
  total!: Money;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'What `replayPostings` of the same filter would do now: the same planning, with nothing kept. What the source or the ledger changes afterwards is not in it.',
})
export class ReplayPreview {
  @Field(() => Int, { description: 'Postings that the filter selects.' })
  count!: number;

  @Field(() => [ReplayCount], { description: 'Those that would be released first.' })
  outcomes!: readonly ReplayCount[];

  @Field(() => [ReplayExample], { description: 'The first of them, oldest first.' })
  examples!: readonly ReplayExample[];
}
