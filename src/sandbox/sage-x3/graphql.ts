import {
  type DocumentNode,
  defaultFieldResolver,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  Kind,
  parse,
  validate,
} from 'graphql';
import { z } from 'zod';
import { type Exchange, json, type SandboxReply, type SandboxRequest, text } from '../kit/index.js';
import type { X3Company } from './company.js';
import { type AnalyticDraft, type EntryDraft, writeEntry } from './entries.js';
import { connection, entryNode, nodeSources, type QueryArguments } from './graphqlNodes.js';
import { graphqlSchema, packageName } from './graphqlSchema.js';
import type { X3Tokens } from './tokens.js';
import { isRefusal } from './words.js';

const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

const dataSchema = z.object({
  journalEntryType: z.string(),
  site: z.string(),
  journal: z.string().nullish(),
  accountingDate: z.string(),
  transactionCurrency: z.string().nullish(),
  description: z.string().nullish(),
  internalReference: z.string().nullish(),
  status: z.number().nullish(),
  journalEntryLines: z.array(
    z.object({
      account: z.string(),
      sign: z.number(),
      transactionAmount: z.string(),
      lineDescription: z.string().nullish(),
      businessPartner: z.string().nullish(),
      lineReference: z.string().nullish(),
      dimensions: z
        .array(z.object({ dimensionType: z.string(), dimension: z.string(), transactionAmount: z.string().nullish() }))
        .nullish(),
    }),
  ),
});

interface Asked {
  document: DocumentNode;
  variables: Record<string, unknown>;
  operationName: string | undefined;
}

/** GraphQL at `/xtrem/api` (reference: GraphQL). Failures come as `errors` under HTTP 200, bad tokens as plain 401. */
export class X3GraphQL {
  private schema: { of: string; schema: GraphQLSchema } | undefined;

  constructor(
    private readonly company: X3Company,
    private readonly tokens: X3Tokens,
    private readonly count: (operation: string) => void,
  ) {}

  exchange(request: SandboxRequest): Exchange {
    const asked = readRequest(request);
    const operation = asked instanceof GraphQLError ? 'GraphQL unknown' : operationOf(asked.document);
    this.count(operation);
    let admission = this.tokens.admitGraphql(request);
    return {
      operation,
      expireSession: () => {
        this.tokens.end(request);
        admission = { refusal: text(401, 'Error 50: Invalid token') };
      },
      serverError: () => json(500, { errors: [{ message: 'Internal server error' }] }),
      commit: () => {
        if ('refusal' in admission) return admission.refusal;
        const { requireEndpointHeader } = this.company.settings;
        const endpoint = request.headers['x-xtrem-endpoint'];
        if (requireEndpointHeader && endpoint !== this.company.codes.endpoint) return text(400, 'Unknown endpoint');
        if (request.method !== 'POST') return text(405, 'Method not allowed');
        return asked instanceof GraphQLError ? json(200, { errors: [asked.toJSON()] }) : this.answer(asked);
      },
    };
  }

  private async answer(asked: Asked): Promise<SandboxReply> {
    const schema = this.schemaNow();
    const problems = validate(schema, asked.document);
    if (problems.length > 0) return json(200, { errors: problems.map((problem) => problem.toJSON()) });
    const result = await execute({
      schema,
      document: asked.document,
      rootValue: this.roots(),
      variableValues: asked.variables,
      operationName: asked.operationName ?? null,
      fieldResolver: this.resolver(),
    });
    return json(200, result);
  }

  /** Built again when a setting changed it, as a new release would. */
  private schemaNow(): GraphQLSchema {
    const { packagePrefix, supplierNameField, referenceProperty, journalMutation } = this.company.settings;
    const of = JSON.stringify([packagePrefix, supplierNameField, referenceProperty, journalMutation]);
    if (this.schema?.of !== of) this.schema = { of, schema: graphqlSchema(this.company.settings) };
    return this.schema.schema;
  }

  private resolver(): GraphQLFieldResolver<unknown, unknown> {
    const { failingProperty } = this.company.settings;
    return (source, args, context, info) => {
      if (info.fieldName === failingProperty)
        throw new GraphQLError(`${info.fieldName}: the property cannot be computed`);
      return defaultFieldResolver(source, args, context, info);
    };
  }

  /** Queries and mutations share their packages' names, so one root holds both. */
  private roots(): Record<string, unknown> {
    const { packagePrefix, graphqlPageCap, journalMutation } = this.company.settings;
    const roots: Record<string, Record<string, Record<string, unknown>>> = {};
    for (const [name, nodes] of Object.entries(nodeSources(this.company))) {
      const operations = Object.entries(nodes).map(([node, source]): [string, Record<string, unknown>] => [
        node,
        {
          query: (args: QueryArguments) => connection(source, args, graphqlPageCap),
          read: ({ _id }: { _id: string }) => source.read(_id) ?? null,
        },
      ]);
      roots[packageName(name, packagePrefix)] = Object.fromEntries(operations);
    }
    const entries = roots[packageName('x3Finance', packagePrefix)]?.journalEntry;
    if (entries !== undefined && journalMutation !== null) {
      entries[journalMutation] = ({ data }: { data: unknown }) => this.create(data);
    }
    return roots;
  }

  private create(data: unknown): unknown {
    const outcome = writeEntry(this.company, entryDraft(dataSchema.parse(data)));
    if (!isRefusal(outcome)) return entryNode(this.company, outcome.entry);
    const diagnoses = outcome.refused.map((message) => ({ message, severity: 3, path: [] }));
    throw new GraphQLError(outcome.refused.join('\n'), { extensions: { code: 'business-rule-error', diagnoses } });
  }
}

function readRequest(request: SandboxRequest): Asked | GraphQLError {
  try {
    const body = requestSchema.parse(JSON.parse(request.body.toString('utf8')));
    return {
      document: parse(body.query),
      variables: body.variables ?? {},
      operationName: body.operationName ?? undefined,
    };
  } catch (error) {
    return error instanceof GraphQLError ? error : new GraphQLError('The body is no GraphQL request');
  }
}

/** @returns say `GraphQL query x3Finance.journalEntry`. */
function operationOf(document: DocumentNode): string {
  const definition = document.definitions.find((candidate) => candidate.kind === Kind.OPERATION_DEFINITION);
  if (definition?.kind !== Kind.OPERATION_DEFINITION) return 'GraphQL unknown';
  const names: string[] = [];
  let selection = definition.selectionSet.selections[0];
  while (selection?.kind === Kind.FIELD && names.length < 2) {
    names.push(selection.name.value);
    if (selection.name.value.startsWith('__')) break;
    selection = selection.selectionSet?.selections[0];
  }
  return `GraphQL ${definition.operation} ${names.join('.')}`;
}

function entryDraft(data: z.output<typeof dataSchema>): EntryDraft {
  const lines = data.journalEntryLines.map((line) => {
    // Each dimension of the list is of another type, so all of them are one analytical line.
    const analytics = (line.dimensions ?? []).map(
      ({ dimensionType, dimension, transactionAmount }): AnalyticDraft => ({
        number: '1',
        types: new Map([[0, dimensionType]]),
        codes: new Map([[0, dimension]]),
        amount: transactionAmount ?? line.transactionAmount,
      }),
    );
    const fields = given({
      ACC: line.account,
      SNS: String(line.sign),
      AMTCUR: line.transactionAmount,
      DES: line.lineDescription,
      BPR: line.businessPartner,
      REFINTLIN: line.lineReference,
    });
    return { fields, analytics };
  });
  const fields = given({
    TYP: data.journalEntryType,
    FCY: data.site,
    JOU: data.journal,
    ACCDAT: data.accountingDate,
    CUR: data.transactionCurrency,
    DESVCR: data.description,
    REFINT: data.internalReference,
    STA: data.status == null ? null : String(data.status),
  });
  return { fields, lines, origin: 1 };
}

function given(values: Record<string, string | null | undefined>): Map<string, string> {
  return new Map(
    Object.entries(values).flatMap(([name, value]): [string, string][] => (value == null ? [] : [[name, value]])),
  );
}
