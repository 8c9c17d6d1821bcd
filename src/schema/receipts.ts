import { Field, ID, Int, ObjectType } from 'type-graphql';

@ObjectType({
  simpleResolvers: true,
  description: 'A receipt that was fetched while its link lived, kept once by its content.',
})
export class Receipt {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'Safe to save under.' })
  fileName!: string;

  @Field(() => String, { description: 'By the content itself, e.g. "application/pdf".' })
  contentType!: string;

  @Field(() => Int, { description: 'Bytes.' })
  size!: number;

  @Field(() => String, { description: 'SHA-256 of the content, hex.' })
  sha256!: string;
}
