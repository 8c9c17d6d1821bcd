import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { PostingStatus } from '../domain/postingState.js';
import type * as words from '../domain/vocabulary.js';
import { HOLD_CODES } from '../domain/vocabulary.js';
import { connectionOf, Node } from './common.js';
import * as enums from './enums.js';
import { DateScalar, DateTimeScalar, DecimalScalar, JsonScalar } from './scalars.js';

@ObjectType({ simpleResolvers: true, description: 'The approval of a posting, for one plan and no other.' })
export class PostingApproval {
  @Field(() => String, { description: 'As in audit events, e.g. "user:<key name>".' })
  approvedBy!: string;

  @Field(() => ID, { nullable: true, description: 'The API key, which may have another name by now.' })
  keyId!: string | null;

  @Field(() => DateTimeScalar)
  approvedAt!: Date;

  @Field(() => String, { description: 'The plan that was looked at.' })
  planHash!: string;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'One journal or invoice on its way into one ledger, exactly once.',
})
export class GlPosting extends Node {
  @Field(() => enums.PostingStatus)
  status!: PostingStatus;

  @Field(() => enums.DocumentType)
  documentType!: words.DocumentType;

  @Field(() => String, {
    description: "Our deterministic reference, carried in a searchable field of the ledger's document.",
  })
  reference!: string;

  @Field(() => String, { description: 'SHA-256 over all that reaches the ledger. `approvePosting` takes it.' })
  planHash!: string;

  @Field(() => String, { nullable: true, description: "The ledger's own number, once POSTED." })
  ledgerDocumentId!: string | null;

  @Field(() => DateScalar)
  postingDate!: string;

  @Field(() => String, { description: 'ISO 4217 code.' })
  currency!: string;

  @Field(() => DecimalScalar)
  totalDebit!: string;

  @Field(() => DecimalScalar)
  totalCredit!: string;

  @Field(() => Int, { nullable: true, description: 'The mapping version that it was planned with.' })
  mappingVersion!: number | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  postedAt!: Date | null;

  @Field(() => PostingApproval, {
    nullable: true,
    description: 'Who released it, when and by which plan; null when nobody had to, or has yet.',
  })
  approval!: PostingApproval | null;

  @Field(() => String, { nullable: true, description: 'Why it was given up; null unless it was.' })
  cancelReason!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One line of a posting: a debit or a credit.' })
export class GlPostingLine {
  @Field(() => Int)
  lineNumber!: number;

  @Field(() => String)
  glAccount!: string;

  @Field(() => String, { nullable: true })
  costCentre!: string | null;

  @Field(() => JsonScalar, { description: 'Further ledger dimensions, code by name.' })
  dimensions!: unknown;

  @Field(() => String, { nullable: true })
  taxCode!: string | null;

  @Field(() => DecimalScalar, { description: 'At least 0. One of debit and credit is 0.' })
  debit!: string;

  @Field(() => DecimalScalar, { description: 'At least 0. One of debit and credit is 0.' })
  credit!: string;

  @Field(() => String, { nullable: true })
  memo!: string | null;

  @Field(() => [ID])
  spendRecordIds!: readonly string[];

  @Field(() => String, { description: 'Why this account: which rule, coding or default decided it.' })
  explanation!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'What the line is for: EXPENSE, TAX, ROUNDING (what rounding leaves over) or OFFSET (the other side). null in the preview of a dry run that an older version made.',
  })
  role!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: `Why a posting waits for a person. \`code\` is one of: ${HOLD_CODES.join(' ')}.`,
})
export class PostingHold {
  @Field(() => String)
  code!: string;

  @Field(() => String, { description: 'What is wrong, in a sentence.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'The field that is wrong, e.g. `glAccount` …' })
  field!: string | null;

  @Field(() => String, { nullable: true, description: '… and its value.' })
  value!: string | null;

  @Field(() => String, { description: 'What a person can do about it, and where.' })
  resolution!: string;
}

@ObjectType({ simpleResolvers: true, description: 'One call to the ledger for a posting.' })
export class PostingAttempt {
  @Field(() => Int)
  number!: number;

  @Field(() => DateTimeScalar)
  startedAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  finishedAt!: Date | null;

  @Field(() => String)
  outcome!: string;

  @Field(() => Int, { nullable: true })
  httpStatus!: number | null;

  @Field(() => String, { nullable: true })
  message!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A change of a posting, for subscribers.' })
export class PostingStatusEvent {
  @Field(() => String, { description: 'Give the last one seen as `after` to go on without gaps or repeats.' })
  cursor!: string;

  @Field(() => enums.PostingStatus, { nullable: true, description: 'null when it was planned.' })
  previousStatus!: PostingStatus | null;

  @Field(() => enums.PostingStatus, { description: 'What it became then; `posting.status` is what it is now.' })
  status!: PostingStatus;

  @Field(() => DateTimeScalar)
  occurredAt!: Date;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'One step of the story. Append-only; each event carries the hash of the one before it.',
})
export class AuditEvent extends Node {
  @Field(() => DecimalScalar, { description: '1, 2, 3 … per tenant, without gaps.' })
  sequence!: string;

  @Field(() => DateTimeScalar)
  occurredAt!: Date;

  @Field(() => String, { description: '"user:<key name>", "system:scheduler", "webhook:brex" …' })
  actor!: string;

  @Field(() => String, { description: 'E.g. "posting.posted", "mapping.changed", "credential.rotated".' })
  action!: string;

  @Field(() => String)
  subjectType!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => String, { description: 'One sentence that a finance person understands.' })
  summary!: string;

  @Field(() => JsonScalar, { nullable: true })
  before!: unknown;

  @Field(() => JsonScalar, { nullable: true })
  after!: unknown;

  @Field(() => String, { description: 'One id from the source event to the ledger document.' })
  correlationId!: string;

  @Field(() => String)
  previousHash!: string;

  @Field(() => String, { description: 'SHA-256, hex, over tenant, sequence, previous hash and all fields.' })
  hash!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Whether the audit trail is whole.' })
export class AuditVerification {
  @Field(() => Boolean)
  ok!: boolean;

  @Field(() => DecimalScalar)
  eventsChecked!: bigint;

  @Field(() => DecimalScalar, { nullable: true })
  firstBrokenSequence!: bigint | null;

  @Field(() => String, {
    description: 'Keep it elsewhere to be able to show later that nothing before it was changed.',
  })
  headHash!: string;
}

export const GlPostingConnection = connectionOf('GlPosting', () => GlPosting);
export const AuditEventConnection = connectionOf('AuditEvent', () => AuditEvent);
