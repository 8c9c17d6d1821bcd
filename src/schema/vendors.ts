import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionOf } from './common.js';
import { UserError } from './payloads.js';
import { DateTimeScalar } from './scalars.js';

export const VendorLinkState = { LINKED: 'LINKED', CONFLICT: 'CONFLICT' } as const;
export type VendorLinkState = keyof typeof VendorLinkState;
registerEnumType(VendorLinkState, {
  name: 'VendorLinkState',
  description: 'Whether a supplier and its vendor in the spend system agree.',
  valuesConfig: {
    LINKED: { description: 'Both sides agree.' },
    CONFLICT: { description: 'A person must look; `note` says at what.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description:
    "A ledger's supplier and the spend system's vendor that stands for it. Kept here: the spend system has no place for it.",
})
export class VendorLink {
  @Field(() => String)
  supplierCode!: string;

  @Field(() => String, { description: 'As both sides last agreed.' })
  supplierName!: string;

  @Field(() => String, { nullable: true, description: 'Its id in the spend system; null = it has none yet.' })
  vendorId!: string | null;

  @Field(() => String, { nullable: true, description: 'As both sides last agreed.' })
  vendorName!: string | null;

  @Field(() => VendorLinkState)
  state!: VendorLinkState;

  @Field(() => String, { nullable: true, description: 'CONFLICT: what is wrong and what a person can do.' })
  note!: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  linkedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Who linked them, as in the audit trail.' })
  linkedBy!: string | null;

  @Field(() => DateTimeScalar)
  updatedAt!: Date;
}

export const VendorLinkConnection = connectionOf('VendorLink', () => VendorLink);

@ObjectType({
  simpleResolvers: true,
  description: "From which scores on a ledger's merchants are matched without a person.",
})
export class VendorThresholds {
  @Field(() => Float, { description: 'An automatic match has at least this score, 0 to 1.' })
  autoScore!: number;

  @Field(() => Float, { description: 'and is at least this far ahead of the next supplier.' })
  autoMargin!: number;

  @Field(() => Float, { description: 'From this score on a person is asked; below it there is no supplier.' })
  reviewScore!: number;
}

@ObjectType({
  simpleResolvers: true,
  description: 'A merchant that thresholds would decide otherwise than a person did.',
})
export class VendorThresholdDisagreement {
  @Field(() => String)
  merchantName!: string;

  @Field(() => String, { description: 'The code of the supplier that it would be matched to without a person.' })
  wouldMatch!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The code that the person chose; null = the person rejected the other.',
  })
  personChose!: string | null;

  @Field(() => Int, { description: 'Purchases of the last year.' })
  purchases!: number;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'What thresholds would have done to the merchants of the last year, without the help of earlier decisions.',
})
export class VendorThresholdPreview {
  @Field(() => VendorThresholds)
  thresholds!: VendorThresholds;

  @Field(() => Int)
  merchants!: number;

  @Field(() => Int)
  purchases!: number;

  @Field(() => Int, { description: 'Merchants that would be matched without a person.' })
  automatic!: number;

  @Field(() => Int, { description: 'Merchants that would wait for a person.' })
  review!: number;

  @Field(() => Int, { description: 'Merchants that would have no supplier.' })
  none!: number;

  @Field(() => Int, { description: 'Automatic matches that a person decided in the same way.' })
  agreements!: number;

  @Field(() => Int, { description: 'Automatic matches that a person decided otherwise.' })
  disagreements!: number;

  @Field(() => [VendorThresholdDisagreement], { description: 'Those with the most purchases, at most twenty.' })
  examples!: readonly VendorThresholdDisagreement[];
}

@InputType({ description: 'Thresholds for one ledger.' })
export class VendorThresholdsInput {
  @Field(() => ID)
  ledgerId!: string;

  @Field(() => Float)
  autoScore!: number;

  @Field(() => Float)
  autoMargin!: number;

  @Field(() => Float)
  reviewScore!: number;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Saves them although they disagree with decisions of people; see `previewVendorThresholds`.',
  })
  acceptDisagreements!: boolean;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What the thresholds would have done to the last year; null when refused.',
})
export class VendorThresholdsPayload {
  @Field(() => VendorThresholdPreview, { nullable: true })
  preview!: VendorThresholdPreview | null;

  @Field(() => [UserError], { description: 'Empty when done.' })
  userErrors!: readonly UserError[];
}
