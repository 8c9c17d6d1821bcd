import { Field, Int, ObjectType } from 'type-graphql';
import { TAX_TREATMENTS } from '../domain/taxCodes.js';
import type * as words from '../domain/vocabulary.js';
import { connectionOf, Node } from './common.js';
import * as enums from './enums.js';
import { DateScalar, DateTimeScalar, JsonScalar } from './scalars.js';

const TAX_CODES = `What is done with the tax of each tax code of the mapping: an object by code (\`*\` = every other one) of
\`{ treatment, basis, rate, recoverablePercent, account, outputAccount }\`. \`treatment\`: ${TAX_TREATMENTS.join(', ')}.
\`basis\`: INCLUSIVE (the source's amounts contain the tax, default) or EXCLUSIVE. \`rate\`: percent, for purchases whose
tax the source does not state. A code that is not listed is RECOVERABLE and INCLUSIVE, without a rate.`;

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'One flow of spend from one system to one ledger.',
})
export class Pipeline extends Node {
  @Field(() => String)
  name!: string;

  @Field(() => [enums.SpendStream])
  streams!: readonly words.SpendStream[];

  @Field(() => enums.DocumentType)
  documentType!: words.DocumentType;

  @Field(() => enums.Grouping)
  grouping!: words.Grouping;

  @Field(() => String, { nullable: true, description: 'Cron expression; null = only webhooks and triggers.' })
  schedule!: string | null;

  @Field(() => String, { description: 'IANA name; the schedule is read in it and it draws the line between two days.' })
  timeZone!: string;

  @Field(() => Boolean)
  enabled!: boolean;

  @Field(() => String, { description: 'The credit side: card clearing or AP control account.' })
  offsetAccount!: string;

  @Field(() => String, { nullable: true })
  defaultAccount!: string | null;

  @Field(() => enums.UnmatchedVendorPolicy)
  unmatchedVendor!: words.UnmatchedVendorPolicy;

  @Field(() => enums.PostingDatePolicy)
  postingDate!: words.PostingDatePolicy;

  @Field(() => enums.ClosedPeriodPolicy)
  closedPeriod!: words.ClosedPeriodPolicy;

  @Field(() => enums.CodingPolicy)
  coding!: words.CodingPolicy;

  @Field(() => enums.CorrectionPolicy)
  correction!: words.CorrectionPolicy;

  @Field(() => Boolean, { description: 'Clean postings wait for a person other than the one that triggered them.' })
  requireApproval!: boolean;

  @Field(() => Boolean, { description: "Push the ledger's accounts, dimensions and suppliers to the spend system." })
  exportMasterData!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Address of this gateway for the links to receipts that documents carry; null = they carry none.',
  })
  receiptLinkBase!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Where a remainder goes that rounding leaves, as a line of its own; null = a purchase with such a remainder is held.',
  })
  roundingAccount!: string | null;

  @Field(() => JsonScalar, { description: TAX_CODES })
  taxCodes!: unknown;

  @Field(() => enums.DuplicateCheck)
  duplicateCheck!: words.DuplicateCheck;

  @Field(() => Int, { description: 'How many days apart suspected duplicates may be; 0 = the same day only.' })
  duplicateDays!: number;

  @Field(() => Int, {
    description:
      'ACROSS_SOURCES: two purchases of one source that it first showed at least this many days apart come from two imports.',
  })
  duplicateImportDays!: number;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The first rule whose conditions all hold decides; a condition left null always holds.',
})
export class MappingRule {
  @Field(() => String, { nullable: true, description: 'Source category or source account id.' })
  category!: string | null;

  @Field(() => String, { nullable: true, description: 'Source tag or field name …' })
  dimension!: string | null;

  @Field(() => String, { nullable: true, description: '… and its value.' })
  dimensionValue!: string | null;

  @Field(() => String, { nullable: true, description: 'Case-insensitive glob (`*`, `?`) on the merchant name.' })
  merchant!: string | null;

  @Field(() => String, { nullable: true, description: 'Merchant category code, four digits.' })
  mcc!: string | null;

  @Field(() => String)
  glAccount!: string;

  @Field(() => String, { nullable: true })
  costCentre!: string | null;

  @Field(() => JsonScalar, { nullable: true, description: 'Further ledger dimensions, code by name.' })
  dimensions!: unknown;

  @Field(() => String, { nullable: true })
  taxCode!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'The rules of a pipeline from a day on. Never changed.',
})
export class MappingVersion extends Node {
  @Field(() => Int, { description: '1, 2, 3 … per pipeline.' })
  version!: number;

  @Field(() => DateScalar, { description: 'The first posting date that it decides.' })
  effectiveFrom!: string;

  @Field(() => String, { nullable: true })
  note!: string | null;

  @Field(() => [MappingRule])
  rules!: readonly MappingRule[];

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => String)
  createdBy!: string;
}

@ObjectType({
  simpleResolvers: true,
  implements: Node,
  description: 'One reading of a pipeline: from the source to planned postings.',
})
export class SyncRun extends Node {
  @Field(() => enums.SyncTrigger)
  trigger!: words.SyncTrigger;

  @Field(() => Boolean, { description: 'Reads and plans as ever, but stores and posts nothing.' })
  dryRun!: boolean;

  @Field(() => enums.SyncStatus)
  status!: words.SyncStatus;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Start of the window; null = from where the last run ended.',
  })
  from!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'End of the window, exclusive; null = now.' })
  to!: Date | null;

  @Field(() => Int)
  recordsRead!: number;

  @Field(() => Int)
  recordsNew!: number;

  @Field(() => Int)
  recordsChanged!: number;

  @Field(() => Int)
  postingsPosted!: number;

  @Field(() => Int)
  postingsHeld!: number;

  @Field(() => Int)
  postingsFailed!: number;

  @Field(() => String, { nullable: true, description: 'Why it failed or is partial, in a sentence.' })
  error!: string | null;

  @Field(() => DateTimeScalar, { nullable: true })
  startedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  finishedAt!: Date | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;
}

export const MappingVersionConnection = connectionOf('MappingVersion', () => MappingVersion);
export const SyncRunConnection = connectionOf('SyncRun', () => SyncRun);
