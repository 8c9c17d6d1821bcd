import { Field, Float, ID, ObjectType } from 'type-graphql';
import type * as words from '../domain/vocabulary.js';
import { connectionOf, Node } from './common.js';
import { AlertSeverity, DocumentType, SystemKind, SystemRole, SystemStatus } from './enums.js';
import { DateScalar, DateTimeScalar, JsonScalar } from './scalars.js';

@ObjectType({
  simpleResolvers: true,
  description: 'What a connector can do and what it needs, so that a form can be drawn without knowing it.',
})
export class ConnectorDescriptor {
  @Field(() => SystemKind)
  kind!: words.SystemKind;

  @Field(() => SystemRole)
  role!: words.SystemRole;

  @Field(() => String)
  title!: string;

  @Field(() => JsonScalar, { description: 'JSON Schema (2020-12) of `credentials`. Everything in it is `writeOnly`.' })
  credentialsSchema!: unknown;

  @Field(() => JsonScalar, { description: 'JSON Schema (2020-12) of `settings`. Secrets in it are `writeOnly`.' })
  settingsSchema!: unknown;

  @Field(() => [String], { description: 'Short words, e.g. `webhooks`, `reads:expenses`, `posts:journal`.' })
  capabilities!: readonly string[];

  @Field(() => [DocumentType], { description: 'Empty for a spend system.' })
  documentTypes!: readonly words.DocumentType[];
}

@ObjectType({ simpleResolvers: true, description: 'What may be known about a credential without knowing it.' })
export class CredentialInfo {
  @Field(() => String, { description: 'E.g. "userToken", "oauth2", "basic".' })
  kind!: string;

  @Field(() => String, { description: 'Tells two secrets apart, reveals neither.' })
  fingerprint!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the access token or session ends.' })
  expiresAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When a person must act at the latest; null if never.' })
  renewBy!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  lastUsedAt!: Date | null;
}

@ObjectType({ simpleResolvers: true, implements: Node, description: 'A spend system or a ledger that is connected.' })
export class ConnectedSystem extends Node {
  @Field(() => SystemKind)
  kind!: words.SystemKind;

  @Field(() => SystemRole)
  role!: words.SystemRole;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  baseUrl!: string;

  @Field(() => SystemStatus)
  status!: words.SystemStatus;

  @Field(() => JsonScalar, { description: 'As stored, without the secrets among them.' })
  settings!: unknown;

  @Field(() => DateTimeScalar, { nullable: true })
  lastCheckedAt!: Date | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'One step of a test of a system.' })
export class SystemCheck {
  @Field(() => String)
  name!: string;

  @Field(() => Boolean)
  ok!: boolean;

  @Field(() => String, { description: 'What was found, or what to do when it failed.' })
  detail!: string;

  @Field(() => Float, { nullable: true, description: 'Milliseconds.' })
  latencyMs!: number | null;
}

@ObjectType({ simpleResolvers: true, description: "An account of a ledger's chart, as last read." })
export class GlAccount {
  @Field(() => String, { description: 'As the ledger spells it, leading zeros included.' })
  code!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Boolean)
  active!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'A supplier of a ledger, as last read.' })
export class Supplier {
  @Field(() => String, { description: 'As the ledger spells it, leading zeros included.' })
  code!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Boolean)
  active!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'A cost centre or other analysis code of a ledger, as last read.' })
export class LedgerDimensionValue {
  @Field(() => String, { description: 'Name of the dimension.' })
  dimension!: string;

  @Field(() => String)
  code!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Boolean)
  active!: boolean;
}

@ObjectType({ simpleResolvers: true, description: "A period of the company's fiscal calendar, as last read." })
export class FiscalPeriod {
  @Field(() => String)
  label!: string;

  @Field(() => DateScalar)
  startsOn!: string;

  @Field(() => DateScalar, { description: 'The last day of the period.' })
  endsOn!: string;

  @Field(() => Boolean)
  open!: boolean;
}

@ObjectType({ simpleResolvers: true, implements: Node, description: 'Something that somebody should know about.' })
export class Alert extends Node {
  @Field(() => AlertSeverity)
  severity!: words.AlertSeverity;

  @Field(() => String, { description: 'UPPER_SNAKE_CASE, stable.' })
  code!: string;

  @Field(() => String)
  message!: string;

  @Field(() => ID, { nullable: true })
  systemId!: string | null;

  @Field(() => ID, { nullable: true })
  pipelineId!: string | null;

  @Field(() => DateTimeScalar)
  raisedAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true })
  resolvedAt!: Date | null;
}

export const GlAccountConnection = connectionOf('GlAccount', () => GlAccount);
export const SupplierConnection = connectionOf('Supplier', () => Supplier);
export const LedgerDimensionValueConnection = connectionOf('LedgerDimensionValue', () => LedgerDimensionValue);
