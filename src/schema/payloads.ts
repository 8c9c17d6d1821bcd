import { Field, Int, ObjectType } from 'type-graphql';
import { MappingVersion, Pipeline, SyncRun } from './pipelines.js';
import { GlPosting } from './postings.js';
import { ApiKey, SpendRecord, VendorMatch } from './spend.js';
import { Alert, ConnectedSystem, SystemCheck } from './systems.js';

@ObjectType({ simpleResolvers: true, description: 'One thing that is wrong with a request.' })
export class UserError {
  @Field(() => String, { description: 'UPPER_SNAKE_CASE, stable.' })
  code!: string;

  @Field(() => String)
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'The argument at fault, e.g. ["input", "settings", "company"].',
  })
  path!: readonly string[] | null;

  @Field(() => String, { nullable: true, description: 'What the caller can do about it.' })
  resolution!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'What every mutation says about its refusal.' })
abstract class Payload {
  @Field(() => [UserError], { description: 'Empty when done.' })
  userErrors!: readonly UserError[];
}

@ObjectType({ simpleResolvers: true, description: 'The system, or null when refused.' })
export class ConnectSystemPayload extends Payload {
  @Field(() => ConnectedSystem, { nullable: true })
  system!: ConnectedSystem | null;
}

@ObjectType({ simpleResolvers: true, description: 'What calling the real system showed.' })
export class TestSystemPayload extends Payload {
  @Field(() => Boolean)
  ok!: boolean;

  @Field(() => [SystemCheck])
  checks!: readonly SystemCheck[];
}

@ObjectType({ simpleResolvers: true, description: 'How much was read.' })
export class RefreshMasterDataPayload extends Payload {
  @Field(() => Int, { nullable: true })
  accounts!: number | null;

  @Field(() => Int, { nullable: true })
  suppliers!: number | null;

  @Field(() => Int, { nullable: true })
  dimensions!: number | null;

  @Field(() => Int, { nullable: true })
  periods!: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'The pipeline, or null when refused.' })
export class PipelinePayload extends Payload {
  @Field(() => Pipeline, { nullable: true })
  pipeline!: Pipeline | null;
}

@ObjectType({ simpleResolvers: true, description: 'The new mapping version, or null when refused.' })
export class MappingPayload extends Payload {
  @Field(() => MappingVersion, { nullable: true })
  mapping!: MappingVersion | null;

  @Field(() => [UserError], {
    description: 'What the version names and the ledger has lost, as last read. The version is saved all the same.',
  })
  warnings!: readonly UserError[];
}

@ObjectType({ simpleResolvers: true, description: 'The run, or null when refused.' })
export class TriggerSyncPayload extends Payload {
  @Field(() => SyncRun, { nullable: true })
  syncRun!: SyncRun | null;
}

@ObjectType({ simpleResolvers: true, description: 'The posting, or null when refused.' })
export class PostingPayload extends Payload {
  @Field(() => GlPosting, { nullable: true })
  posting!: GlPosting | null;
}

@ObjectType({ simpleResolvers: true, description: 'How many postings are planned again.' })
export class ReplayPostingsPayload extends Payload {
  @Field(() => Int)
  count!: number;

  @Field(() => SyncRun, { nullable: true })
  syncRun!: SyncRun | null;
}

@ObjectType({ simpleResolvers: true, description: 'The record, or null when refused.' })
export class SpendRecordPayload extends Payload {
  @Field(() => SpendRecord, { nullable: true })
  spendRecord!: SpendRecord | null;
}

@ObjectType({ simpleResolvers: true, description: 'The match, or null when refused.' })
export class VendorMatchPayload extends Payload {
  @Field(() => VendorMatch, { nullable: true })
  vendorMatch!: VendorMatch | null;

  @Field(() => Int, { description: 'Held postings that are planned again because of it.' })
  releasedPostings!: number;
}

@ObjectType({ simpleResolvers: true, description: 'The alert, or null when refused.' })
export class AlertPayload extends Payload {
  @Field(() => Alert, { nullable: true })
  alert!: Alert | null;
}

@ObjectType({ simpleResolvers: true, description: 'The key, or null when refused.' })
export class ApiKeyPayload extends Payload {
  @Field(() => ApiKey, { nullable: true })
  apiKey!: ApiKey | null;
}

@ObjectType({ simpleResolvers: true, description: 'The new key and its secret, or null when refused.' })
export class CreateApiKeyPayload extends Payload {
  @Field(() => ApiKey, { nullable: true })
  apiKey!: ApiKey | null;

  @Field(() => String, { nullable: true, description: 'Shown this once; only its hash is kept.' })
  secret!: string | null;
}
