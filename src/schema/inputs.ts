import { Field, ID, InputType, Int } from 'type-graphql';
import type { LocalDate } from '../domain/localDate.js';
import type { PostingStatus } from '../domain/postingState.js';
import type * as words from '../domain/vocabulary.js';
import * as enums from './enums.js';
import { DateScalar, DateTimeScalar, JsonScalar } from './scalars.js';

type Optional<T> = T | null | undefined;

@InputType({ description: 'All that is given must hold.' })
export class SpendRecordFilter {
  @Field(() => ID, { nullable: true, description: "Of this pipeline's source and streams." })
  pipelineId?: Optional<string>;

  @Field(() => ID, { nullable: true })
  sourceId?: Optional<string>;

  @Field(() => [enums.SpendStatus], { nullable: true })
  statuses?: Optional<words.SpendStatus[]>;

  @Field(() => DateScalar, { nullable: true, description: 'First transaction date.' })
  from?: Optional<LocalDate>;

  @Field(() => DateScalar, { nullable: true, description: 'Last transaction date, inclusive.' })
  to?: Optional<LocalDate>;

  @Field(() => String, { nullable: true, description: 'Part of the merchant name, upper and lower case alike.' })
  merchant?: Optional<string>;

  @Field(() => String, { nullable: true, description: 'ISO 4217 code.' })
  currency?: Optional<string>;
}

@InputType({ description: 'All that is given must hold.' })
export class GlPostingFilter {
  @Field(() => ID, { nullable: true })
  pipelineId?: Optional<string>;

  @Field(() => ID, { nullable: true })
  ledgerId?: Optional<string>;

  @Field(() => [enums.PostingStatus], { nullable: true })
  statuses?: Optional<PostingStatus[]>;

  @Field(() => [String], { nullable: true, description: 'Held for at least one of these.' })
  holdCodes?: Optional<string[]>;

  @Field(() => DateScalar, { nullable: true, description: 'First posting date.' })
  from?: Optional<LocalDate>;

  @Field(() => DateScalar, { nullable: true, description: 'Last posting date, inclusive.' })
  to?: Optional<LocalDate>;

  @Field(() => String, { nullable: true })
  reference?: Optional<string>;

  @Field(() => String, { nullable: true })
  ledgerDocumentId?: Optional<string>;
}

@InputType({ description: 'All that is given must hold.' })
export class VendorMatchFilter {
  @Field(() => ID, { nullable: true })
  ledgerId?: Optional<string>;

  @Field(() => [enums.VendorMatchStatus], { nullable: true })
  statuses?: Optional<words.VendorMatchStatus[]>;

  @Field(() => String, { nullable: true, description: 'Part of the merchant name or the supplier code.' })
  search?: Optional<string>;
}

@InputType({ description: 'All that is given must hold.' })
export class AuditEventFilter {
  @Field(() => String, { nullable: true })
  subjectType?: Optional<string>;

  @Field(() => ID, { nullable: true })
  subjectId?: Optional<string>;

  @Field(() => [String], { nullable: true })
  actions?: Optional<string[]>;

  @Field(() => String, { nullable: true })
  actor?: Optional<string>;

  @Field(() => String, { nullable: true })
  correlationId?: Optional<string>;

  @Field(() => DateTimeScalar, { nullable: true, description: 'At or after.' })
  from?: Optional<Date>;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Before.' })
  to?: Optional<Date>;
}

@InputType({ description: 'All that is given must hold.' })
export class SyncRunFilter {
  @Field(() => ID, { nullable: true })
  pipelineId?: Optional<string>;

  @Field(() => [enums.SyncStatus], { nullable: true })
  statuses?: Optional<words.SyncStatus[]>;

  @Field(() => enums.SyncTrigger, { nullable: true })
  trigger?: Optional<words.SyncTrigger>;
}

@InputType({ description: 'A system to connect. `connectors` publishes the form of `credentials` and `settings`.' })
export class ConnectSystemInput {
  @Field(() => enums.SystemKind)
  kind!: words.SystemKind;

  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true, description: "The vendor's public address when left out, where it has one." })
  baseUrl?: Optional<string>;

  @Field(() => JsonScalar, { description: 'Encrypted at rest; never given out again.' })
  credentials!: unknown;

  @Field(() => JsonScalar, { nullable: true })
  settings?: unknown;
}

@InputType({ description: 'A pipeline to make.' })
export class CreatePipelineInput {
  @Field(() => String)
  name!: string;

  @Field(() => ID)
  sourceId!: string;

  @Field(() => ID)
  ledgerId!: string;

  @Field(() => [enums.SpendStream])
  streams!: words.SpendStream[];

  @Field(() => enums.DocumentType)
  documentType!: words.DocumentType;

  @Field(() => enums.Grouping, { nullable: true, defaultValue: 'PER_RECORD' })
  grouping?: Optional<words.Grouping>;

  @Field(() => String, { nullable: true, description: 'Cron expression, five fields (six with seconds first).' })
  schedule?: Optional<string>;

  @Field(() => String, { nullable: true, defaultValue: 'UTC', description: 'IANA name.' })
  timeZone?: Optional<string>;

  @Field(() => String, {
    description:
      'The account of the other side: card clearing, or the AP control account. Empty: the clearing account of the ledger’s settings, where they name one.',
  })
  offsetAccount!: string;

  @Field(() => String, { nullable: true })
  defaultAccount?: Optional<string>;

  @Field(() => enums.UnmatchedVendorPolicy, { nullable: true, defaultValue: 'HOLD' })
  unmatchedVendor?: Optional<words.UnmatchedVendorPolicy>;

  @Field(() => enums.PostingDatePolicy, { nullable: true, defaultValue: 'TRANSACTION_DATE' })
  postingDate?: Optional<words.PostingDatePolicy>;

  @Field(() => enums.ClosedPeriodPolicy, { nullable: true, defaultValue: 'HOLD' })
  closedPeriod?: Optional<words.ClosedPeriodPolicy>;

  @Field(() => enums.CodingPolicy, { nullable: true, defaultValue: 'RICHEST' })
  coding?: Optional<words.CodingPolicy>;

  @Field(() => enums.CorrectionPolicy, { nullable: true, defaultValue: 'REVERSE_AND_REPLACE' })
  correction?: Optional<words.CorrectionPolicy>;

  @Field(() => Boolean, { nullable: true, defaultValue: false })
  requireApproval?: Optional<boolean>;

  @Field(() => Boolean, { nullable: true, defaultValue: false })
  exportMasterData?: Optional<boolean>;

  @Field(() => enums.DuplicateCheck, { nullable: true, defaultValue: 'ACROSS_SOURCES' })
  duplicateCheck?: Optional<words.DuplicateCheck>;

  @Field(() => Int, { nullable: true, defaultValue: 0, description: 'From 0 to 31.' })
  duplicateDays?: Optional<number>;

  @Field(() => Int, { nullable: true, defaultValue: 2, description: 'From 1 to 366.' })
  duplicateImportDays?: Optional<number>;

  @Field(() => Boolean, { nullable: true, defaultValue: true })
  enabled?: Optional<boolean>;

  @Field(() => String, {
    nullable: true,
    description: 'Address of this gateway for the links to receipts that documents carry; null = they carry none.',
  })
  receiptLinkBase?: Optional<string>;

  @Field(() => String, { nullable: true, description: 'See `Pipeline.roundingAccount`.' })
  roundingAccount?: Optional<string>;

  @Field(() => JsonScalar, { nullable: true, description: 'See `Pipeline.taxCodes`.' })
  taxCodes?: unknown;
}

@InputType({
  description: 'What is left out stays. `schedule`, `defaultAccount` and `roundingAccount` are cleared by null.',
})
export class UpdatePipelineInput {
  @Field(() => String, { nullable: true })
  name?: Optional<string>;

  @Field(() => [enums.SpendStream], { nullable: true })
  streams?: Optional<words.SpendStream[]>;

  @Field(() => enums.DocumentType, { nullable: true })
  documentType?: Optional<words.DocumentType>;

  @Field(() => enums.Grouping, { nullable: true })
  grouping?: Optional<words.Grouping>;

  @Field(() => String, { nullable: true })
  schedule?: Optional<string>;

  @Field(() => String, { nullable: true })
  timeZone?: Optional<string>;

  @Field(() => String, { nullable: true })
  offsetAccount?: Optional<string>;

  @Field(() => String, { nullable: true })
  defaultAccount?: Optional<string>;

  @Field(() => enums.UnmatchedVendorPolicy, { nullable: true })
  unmatchedVendor?: Optional<words.UnmatchedVendorPolicy>;

  @Field(() => enums.PostingDatePolicy, { nullable: true })
  postingDate?: Optional<words.PostingDatePolicy>;

  @Field(() => enums.ClosedPeriodPolicy, { nullable: true })
  closedPeriod?: Optional<words.ClosedPeriodPolicy>;

  @Field(() => enums.CodingPolicy, { nullable: true })
  coding?: Optional<words.CodingPolicy>;

  @Field(() => enums.CorrectionPolicy, { nullable: true })
  correction?: Optional<words.CorrectionPolicy>;

  @Field(() => Boolean, { nullable: true })
  requireApproval?: Optional<boolean>;

  @Field(() => Boolean, { nullable: true })
  exportMasterData?: Optional<boolean>;

  @Field(() => enums.DuplicateCheck, { nullable: true })
  duplicateCheck?: Optional<words.DuplicateCheck>;

  @Field(() => Int, { nullable: true, description: 'From 0 to 31.' })
  duplicateDays?: Optional<number>;

  @Field(() => Int, { nullable: true, description: 'From 1 to 366.' })
  duplicateImportDays?: Optional<number>;

  @Field(() => Boolean, { nullable: true })
  enabled?: Optional<boolean>;

  @Field(() => String, {
    nullable: true,
    description: 'Address of this gateway for the links to receipts that documents carry; null = they carry none.',
  })
  receiptLinkBase?: Optional<string>;

  @Field(() => String, { nullable: true, description: 'See `Pipeline.roundingAccount`.' })
  roundingAccount?: Optional<string>;

  @Field(() => JsonScalar, { nullable: true, description: 'See `Pipeline.taxCodes`.' })
  taxCodes?: unknown;
}

@InputType({ description: 'See `MappingRule`.' })
export class MappingRuleInput {
  @Field(() => String, { nullable: true })
  category?: Optional<string>;

  @Field(() => String, { nullable: true })
  dimension?: Optional<string>;

  @Field(() => String, { nullable: true })
  dimensionValue?: Optional<string>;

  @Field(() => String, { nullable: true })
  merchant?: Optional<string>;

  @Field(() => String, { nullable: true })
  mcc?: Optional<string>;

  @Field(() => String)
  glAccount!: string;

  @Field(() => String, { nullable: true })
  costCentre?: Optional<string>;

  @Field(() => JsonScalar, { nullable: true })
  dimensions?: unknown;

  @Field(() => String, { nullable: true })
  taxCode?: Optional<string>;
}

@InputType({ description: 'What to read.' })
export class TriggerSyncInput {
  @Field(() => ID)
  pipelineId!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Left out: from where the last run ended.' })
  from?: Optional<Date>;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Exclusive. Left out: until now.' })
  to?: Optional<Date>;

  @Field(() => Boolean, { nullable: true, defaultValue: false })
  dryRun?: Optional<boolean>;

  @Field(() => String, {
    nullable: true,
    description: 'The same key returns the same run, however often it is called.',
  })
  idempotencyKey?: Optional<string>;
}

@InputType({ description: 'A decision about a vendor match.' })
export class ResolveVendorMatchInput {
  @Field(() => ID)
  id!: string;

  @Field(() => enums.VendorDecision)
  decision!: words.VendorDecision;

  @Field(() => String, { nullable: true, description: 'ASSIGN: which supplier.' })
  supplierCode?: Optional<string>;

  @Field(() => String, { nullable: true, description: 'CREATE: its name; the merchant name when left out.' })
  supplierName?: Optional<string>;
}
