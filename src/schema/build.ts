import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { InvariantError } from '../errors.js';
import { guard } from '../resolvers/authorise.js';
import { PipelineResolver, SyncRunResolver } from '../resolvers/pipelines.js';
import { PostingResolver, PostingStatusEventResolver } from '../resolvers/postings.js';
import { MasterDataResolver, SystemResolver } from '../resolvers/systems.js';
import {
  AlertResolver,
  ApiKeyResolver,
  AuditResolver,
  NodeResolver,
  ReconciliationResolver,
} from '../resolvers/trail.js';
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

let built: GraphQLSchema | null = null;

/** The schema with its resolvers, each behind its permission. Built once a process. */
export function buildSchema(): GraphQLSchema {
  built ??= guard(
    buildSchemaSync({
      resolvers: [
        NodeResolver,
        SystemResolver,
        MasterDataResolver,
        PipelineResolver,
        SyncRunResolver,
        SpendRecordResolver,
        PostingResolver,
        PostingStatusEventResolver,
        VendorMatchResolver,
        VendorCandidateResolver,
        AuditResolver,
        ReconciliationResolver,
        AlertResolver,
        ApiKeyResolver,
      ],
      validate: false,
      pubSub: NO_PUB_SUB,
    }),
  );
  return built;
}

/** The schema as text, sorted, so that a change shows as a change and nothing else does. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(buildSchema()))}\n`;
}

/** Writes the public promise to a file: `schema.graphql` in the project's root. */
export async function emitSchema(path: string): Promise<void> {
  await writeFile(path, printedSchema(), 'utf8');
}
