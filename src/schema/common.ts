import { type ClassType, Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import { DecimalScalar } from './scalars.js';

@InterfaceType({
  description: 'Anything that `node(id:)` finds. Ids are opaque, unique over all types and never used again.',
})
export abstract class Node {
  @Field(() => ID)
  id!: string;
}

@ObjectType({ simpleResolvers: true, description: 'An exact amount in one currency.' })
export class Money {
  @Field(() => DecimalScalar, { description: 'Major units with all of the currency\'s decimals, e.g. "1234.50".' })
  amount!: string;

  @Field(() => String, { description: 'ISO 4217 code.' })
  currency!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Where a page stands in its list.' })
export class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean;

  @Field(() => Boolean)
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Give it as `after` to get the next page.' })
  endCursor!: string | null;
}

/** What a list answers with; `countAll` asks the database only when it is called. */
export interface ConnectionSource<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly nodes: readonly T[];
  readonly pageInfo: PageInfo;
  countAll(): Promise<number>;
}

/** Makes `<Type>Connection` and `<Type>Edge`. */
export function connectionOf<T extends object>(name: string, node: () => ClassType<T>): ClassType<object> {
  @ObjectType(`${name}Edge`, {
    simpleResolvers: true,
    description: `One ${name} in a page, with its place in the list.`,
  })
  class Edge {
    @Field(() => String, { description: 'Opaque; valid only as `after` of the same list.' })
    cursor!: string;

    @Field(() => node())
    node!: T;
  }

  @ObjectType(`${name}Connection`, { simpleResolvers: true, description: `A page of ${name}, by keyset.` })
  class Connection {
    @Field(() => [Edge])
    edges!: Edge[];

    @Field(() => [node()], { description: 'The page without cursors.' })
    nodes!: T[];

    @Field(() => PageInfo)
    pageInfo!: PageInfo;

    /** Comes with the source object (`ConnectionSource`), not from this class. */
    countAll!: () => Promise<number>;

    @Field(() => Int, { description: 'All that match the filter, on every page. Counted only when asked for.' })
    totalCount(): Promise<number> {
      return this.countAll();
    }
  }
  return Connection;
}
