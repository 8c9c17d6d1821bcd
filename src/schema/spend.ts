import { Field, Float, Int, ObjectType } from 'type-graphql';
import type * as words from '../domain/vocabulary.js';
import { connectionOf, Money, Node } from './common.js';
import * as enums from './enums.js';
import { DateScalar, DateTimeScalar, DecimalScalar, JsonScalar } from './scalars.js';

@ObjectType({ simpleResolvers: true, description: "One of the source's objects that show a purchase." })
export class SourceRef {
  @Field(() => enums.SpendStream)
  stream!: words.SpendStream;

  @Field(() => String, { description: "The source's own id." })
  id!: string;
}

@ObjectType({
  simpleResolvers: true,
  description: 'One coded part of a purchase: the whole of it, or one line of a split.',
})
export class SpendPart {
  @Field(() => Money, { description: 'Signed as the purchase is: negative = refund.' })
  amount!: Money;

  @Field(() => Money, {
    nullable: true,
    description:
      'Tax of this part, when the source states it: contained in `amount` unless its tax code says otherwise.',
  })
  tax!: Money | null;

  @Field(() => String, { nullable: true, description: "The source's category or account id." })
  category!: string | null;

  @Field(() => String, { nullable: true, description: 'GL account chosen at the source.' })
  glAccount!: string | null;

  @Field(() => String, { nullable: true })
  costCentre!: string | null;

  @Field(() => JsonScalar, { description: 'Tags and fields at the source, value by name.' })
  dimensions!: unknown;

  @Field(() => String, { nullable: true })
  memo!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description:
    'One purchase, whether it was seen as a card transaction, an expense, an accounting record or several of these.',
})
export class SpendRecord extends Node {
  @Field(() => enums.SpendStatus)
  status!: words.SpendStatus;

  @Field(() => Int, {
    description: '1 when first seen; goes up whenever the source shows something about it that was not known before.',
  })
  revision!: number;

  @Field(() => String, {
    description: 'PURCHASE, REFUND, REIMBURSEMENT, BILL, or NOT_SPEND (a card payment, a transfer).',
  })
  kind!: string;

  @Field(() => Money, { description: 'In the billing currency; negative = refund.' })
  amount!: Money;

  @Field(() => Money, { nullable: true, description: 'As charged by the merchant.' })
  originalAmount!: Money | null;

  @Field(() => DecimalScalar, { nullable: true, description: 'Billing units per original unit.' })
  exchangeRate!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'STATED by the source, or IMPLIED by the two amounts that it states; null = there is no rate.',
  })
  rateOrigin!: string | null;

  @Field(() => Money, { nullable: true, description: 'Tax contained in `amount`, when the source states it.' })
  tax!: Money | null;

  @Field(() => [SpendPart], {
    description: 'They add up to `amount`; what rounding leaves over becomes a line of the posting, or holds it.',
  })
  parts!: readonly SpendPart[];

  @Field(() => String, { nullable: true })
  merchantName!: string | null;

  @Field(() => String, { nullable: true, description: 'As printed on the statement.' })
  merchantDescriptor!: string | null;

  @Field(() => String, { nullable: true, description: 'Merchant category code, four digits.' })
  mcc!: string | null;

  @Field(() => String, { nullable: true })
  category!: string | null;

  @Field(() => JsonScalar, { description: 'Tags and fields at the source, value by name.' })
  dimensions!: unknown;

  @Field(() => String, { nullable: true })
  spender!: string | null;

  @Field(() => String, { nullable: true })
  memo!: string | null;

  @Field(() => DateScalar)
  transactionDate!: string;

  @Field(() => DateScalar, { nullable: true })
  postedDate!: string | null;

  @Field(() => [String], { description: 'Links that live on.' })
  receiptUrls!: readonly string[];

  @Field(() => String, { nullable: true })
  excludedReason!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why it is not planned yet, e.g. a richer stream has still to show it.',
  })
  waitingReason!: string | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar)
  updatedAt!: Date;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'Which supplier of a ledger a merchant is, and why we think so.',
})
export class VendorMatch extends Node {
  @Field(() => String)
  merchantName!: string;

  @Field(() => String, { description: 'The name that is compared: cleaned of store numbers, cities, legal forms.' })
  normalisedName!: string;

  @Field(() => enums.VendorMatchStatus)
  status!: words.VendorMatchStatus;

  @Field(() => Float, { description: '0 to 1.' })
  score!: number;

  @Field(() => String, { description: 'EXACT, ALIAS, FUZZY, MANUAL, CREATED or NONE.' })
  method!: string;

  @Field(() => JsonScalar)
  evidence!: unknown;

  @Field(() => String, {
    description: 'One sentence for a finance person: what it was read as, and why it was decided so.',
  })
  explanation!: string;

  @Field(() => String, { nullable: true, description: 'Who confirmed, rejected or assigned it.' })
  decidedBy!: string | null;

  @Field(() => DateTimeScalar)
  updatedAt!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A supplier that a merchant may be, best first.' })
export class VendorCandidate {
  @Field(() => Float, { description: '0 to 1.' })
  score!: number;

  @Field(() => JsonScalar)
  evidence!: unknown;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Every cent that the source holds for the window, by what became of it.',
})
export class ReconciliationTotal {
  @Field(() => String)
  currency!: string;

  @Field(() => DecimalScalar, { description: 'What the source says.' })
  source!: string;

  @Field(() => DecimalScalar)
  posted!: string;

  @Field(() => DecimalScalar)
  held!: string;

  @Field(() => DecimalScalar)
  excluded!: string;

  @Field(() => DecimalScalar)
  rejected!: string;

  @Field(() => DecimalScalar, { description: 'Planned, ready, being sent or in doubt.' })
  inFlight!: string;

  @Field(() => DecimalScalar, { description: 'Seen at the source but not readable.' })
  unknown!: string;

  @Field(() => DecimalScalar, { description: 'source less all buckets. Zero, or something is wrong.' })
  difference!: string;

  @Field(() => Int)
  recordCount!: number;
}

@ObjectType({ simpleResolvers: true, description: 'Source against ledger for a window of transaction dates.' })
export class ReconciliationReport {
  @Field(() => DateScalar)
  from!: string;

  @Field(() => DateScalar, { description: 'The last day, inclusive.' })
  to!: string;

  @Field(() => Boolean, { description: 'false when something in the window could not be read: `unknowns` says what.' })
  complete!: boolean;

  @Field(() => DateTimeScalar)
  generatedAt!: Date;

  @Field(() => [ReconciliationTotal], { description: 'One a currency.' })
  totals!: readonly ReconciliationTotal[];

  @Field(() => [String])
  unknowns!: readonly string[];
}

@ObjectType({ simpleResolvers: true, description: 'Who asks.' })
export class Viewer {
  @Field(() => String)
  tenant!: string;

  @Field(() => String, { description: "The key's name." })
  name!: string;

  @Field(() => enums.Role)
  role!: words.Role;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'A key for this API. Its secret is shown once, when it is made.',
})
export class ApiKey extends Node {
  @Field(() => String)
  name!: string;

  @Field(() => enums.Role)
  role!: words.Role;

  @Field(() => String, { description: 'How the secret begins, to recognise it by.' })
  prefix!: string;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'To the minute.' })
  lastUsedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  revokedAt!: Date | null;
}

export const SpendRecordConnection = connectionOf('SpendRecord', () => SpendRecord);
export const VendorMatchConnection = connectionOf('VendorMatch', () => VendorMatch);
