import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { GlPosting } from '../schema/postings.js';
import { Receipt } from '../schema/receipts.js';
import { SpendRecord } from '../schema/spend.js';
import type { PostingRow } from '../services/read/postings.js';
import type { ReceiptRow } from '../services/read/receipts.js';
import type { SpendRecordRow } from '../services/read/spendRecords.js';
import type { GraphqlContext } from './context.js';

@Resolver(() => Receipt)
export class ReceiptResolver {
  @FieldResolver(() => String, { description: 'Its path at this gateway; asks for an API key like everything else.' })
  url(@Root() receipt: ReceiptRow): string {
    return `/receipts/${receipt.id}`;
  }
}

@Resolver(() => SpendRecord)
export class SpendReceiptsResolver {
  @FieldResolver(() => [Receipt], { description: 'What was fetched so far.' })
  receipts(@Ctx() context: GraphqlContext, @Root() record: SpendRecordRow): Promise<readonly ReceiptRow[]> {
    return context.read.receipts.ofSpendRecord(record.id);
  }
}

@Resolver(() => GlPosting)
export class PostingReceiptsResolver {
  @FieldResolver(() => [Receipt], { description: 'Those of all purchases that it carries.' })
  receipts(@Ctx() context: GraphqlContext, @Root() posting: PostingRow): Promise<readonly ReceiptRow[]> {
    return context.read.receipts.ofPosting(posting.id);
  }
}
