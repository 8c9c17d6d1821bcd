import { Field, Int, ObjectType } from 'type-graphql';
import { connectionOf, Money } from './common.js';
import { UserError } from './payloads.js';
import { PostingHold } from './postings.js';
import { DateScalar, JsonScalar } from './scalars.js';

@ObjectType({ simpleResolvers: true, description: 'Where an amount is coded to.' })
export class MappingTarget {
  @Field(() => String, { nullable: true, description: 'null = no account: nothing codes it, or nothing is posted.' })
  glAccount!: string | null;

  @Field(() => String, { nullable: true, description: 'Cost centre of the ledger.' })
  costCentre!: string | null;

  @Field(() => String, { nullable: true, description: 'Tax code of the ledger.' })
  taxCode!: string | null;

  @Field(() => JsonScalar, { description: 'Further dimensions, code by name.' })
  dimensions!: unknown;
}

@ObjectType({ simpleResolvers: true, description: 'An amount of one purchase that would be coded elsewhere.' })
export class MappingMove {
  @Field(() => MappingTarget, { description: 'By the versions that are saved.' })
  from!: MappingTarget;

  @Field(() => MappingTarget, { description: 'By the new version.' })
  to!: MappingTarget;

  @Field(() => Money, { description: 'Signed as the purchase is.' })
  amount!: Money;
}

@ObjectType({ simpleResolvers: true, description: 'All that would be coded from one place to another.' })
export class MappingMovement {
  @Field(() => MappingTarget, { description: 'By the versions that are saved.' })
  from!: MappingTarget;

  @Field(() => MappingTarget, { description: 'By the new version.' })
  to!: MappingTarget;

  @Field(() => Int, { description: 'Purchases of the window.' })
  recordCount!: number;

  @Field(() => Int, { description: 'Those of them that the new version would truly decide, from its first day on.' })
  recordCountInForce!: number;

  @Field(() => [Money], { description: 'One a currency; refunds count against purchases.' })
  amounts!: readonly Money[];
}

@ObjectType({ simpleResolvers: true, description: 'What a new version would have changed, added up.' })
export class MappingPreviewTotals {
  @Field(() => Int, {
    description: 'Purchases of the window that were looked at; those that a person excluded are not.',
  })
  recordsRead!: number;

  @Field(() => Int, { description: 'Those that would be coded elsewhere, held or released.' })
  recordsChanged!: number;

  @Field(() => Int, { description: 'Of the changed ones, those with a posting date that the new version decides.' })
  recordsInForce!: number;

  @Field(() => Int, { description: 'Of the changed ones, those that wait now and are planned again when it is saved.' })
  recordsReplanned!: number;

  @Field(() => Int, { description: 'Clean under the saved versions, held under the new one.' })
  becomeHeld!: number;

  @Field(() => Int, { description: 'Held under the saved versions, clean under the new one.' })
  becomeReleased!: number;

  @Field(() => [MappingMovement], { description: 'Most purchases first, at most 1,000.' })
  movements!: readonly MappingMovement[];

  @Field(() => Int, { description: 'Changed purchases with a movement beyond those that are listed.' })
  unlistedRecords!: number;
}

@ObjectType({ simpleResolvers: true, description: 'A purchase that a new version would change.' })
export class MappingPreviewRecord {
  @Field(() => Boolean, { description: 'Whether the new version would truly decide it, from its first day on.' })
  isInForce!: boolean;

  @Field(() => Boolean, { description: 'It waits now and is planned again when the version is saved.' })
  isReplanned!: boolean;

  @Field(() => [PostingHold], { description: 'What holds it under the saved versions.' })
  holdsBefore!: readonly PostingHold[];

  @Field(() => [PostingHold], { description: 'What would hold it under the new one.' })
  holdsAfter!: readonly PostingHold[];
}

export const MappingPreviewRecordConnection = connectionOf('MappingPreviewRecord', () => MappingPreviewRecord);

@ObjectType({
  simpleResolvers: true,
  description:
    'What mapping rules would have changed in the last months, had they been in force all that time. Nothing is saved.',
})
export class MappingPreview {
  @Field(() => Int, { nullable: true, description: 'The number that the version would get; null when refused.' })
  version!: number | null;

  @Field(() => DateScalar, { nullable: true, description: 'The first posting date that it would decide.' })
  effectiveFrom!: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'First transaction date that was looked at.' })
  from!: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Last transaction date that was looked at.' })
  to!: string | null;

  @Field(() => [UserError], { description: 'Why the rules are refused; empty when they could be saved.' })
  userErrors!: readonly UserError[];
}
