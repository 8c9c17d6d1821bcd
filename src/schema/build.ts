import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { type GraphQLSchema, isInterfaceType, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { kindOfId } from '../domain/ids.js';
import { InvariantError } from '../errors.js';
import { guard } from '../resolvers/authorise.js';
import { placeInputErrors } from '../resolvers/inputErrors.js';
import { MappingPreviewRecordResolver, MappingPreviewResolver } from '../resolvers/mappingPreview.js';
import { PipelineResolver, SyncRunResolver } from '../resolvers/pipelines.js';
import { PostingHoldResolver, PostingResolver, PostingStatusEventResolver } from '../resolvers/postings.js';
import { PostingReceiptsResolver, ReceiptResolver, SpendReceiptsResolver } from '../resolvers/receipts.js';
import { ReplayExampleResolver, ReplayPreviewResolver } from '../resolvers/replays.js';
import { MasterDataResolver, SystemResolver } from '../resolvers/systems.js';
import {
  AlertResolver,
  ApiKeyResolver,
  AuditResolver,
  NodeResolver,
  ReconciliationResolver,
} from '../resolvers/trail.js';
import { VendorLinkResolver, VendorThresholdsResolver } from '../resolvers/vendorSettings.js';
import { SpendRecordResolver, VendorCandidateResolver, VendorMatchResolver } from '../resolvers/vendors.js';

/** type-graphql asks for one, although every subscription of ours brings its own source, the event feed. */
const NO_PUB_SUB = {
  publish(): never {
    throw new InvariantError('Events are rows: they are not published in memory.');
  },
  subscribe(): never {
    throw new InvariantError('Events are rows: they are read from the event feed.');
  },
};

const RESOLVERS = [
  NodeResolver,
  SystemResolver,
  MasterDataResolver,
  PipelineResolver,
  SyncRunResolver,
  MappingPreviewResolver,
  MappingPreviewRecordResolver,
  SpendRecordResolver,
  PostingResolver,
  PostingHoldResolver,
  PostingStatusEventResolver,
  ReplayPreviewResolver,
  ReplayExampleResolver,
  ReceiptResolver,
  SpendReceiptsResolver,
  PostingReceiptsResolver,
  VendorMatchResolver,
  VendorLinkResolver,
  VendorThresholdsResolver,
  VendorCandidateResolver,
  AuditResolver,
  ReconciliationResolver,
  AlertResolver,
  ApiKeyResolver,
] as const;

let built: GraphQLSchema | null = null;

/** The schema with its resolvers, each behind its permission. Built once a process. */
export function buildSchema(): GraphQLSchema {
  if (!built) {
    const plain = buildSchemaSync({ resolvers: RESOLVERS, validate: false, pubSub: NO_PUB_SUB });
    built = withRootsDescribed(withTypesById(placeInputErrors(guard(plain))));
  }
  return built;
}

/** An id names its kind. type-graphql's own resolver of types answers with a promise, which compiled operations refuse. */
function withTypesById(schema: GraphQLSchema): GraphQLSchema {
  const node = schema.getType('Node');
  if (isInterfaceType(node)) node.resolveType = ({ id }: { id: string }) => kindOfId(id) ?? undefined;
  return schema;
}

/** The root types are nobody's class. */
const ROOTS: Readonly<Record<string, string>> = {
  Query:
    'Reads. Every list is a Relay connection: forward keyset pages (`first` from 1 to 200, 50 when left out), stable under concurrent writes.',
  Mutation:
    'Changes. Every payload has the thing changed (null when refused) and `userErrors` (empty when done). Repeating a call is safe.',
  Subscription: 'What happens, over WebSocket (`graphql-transport-ws`) at the same address.',
};

function withRootsDescribed(schema: GraphQLSchema): GraphQLSchema {
  for (const [name, description] of Object.entries(ROOTS)) {
    const type = schema.getType(name);
    if (type) type.description = description;
  }
  return schema;
}

/** The schema as text, sorted, so that a change shows as a change and nothing else does. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(buildSchema()))}\n`;
}

/** Writes the public promise to a file: `schema.graphql` in the project's root. */
export async function emitSchema(path: string): Promise<void> {
  await writeFile(path, printedSchema(), 'utf8');
}
