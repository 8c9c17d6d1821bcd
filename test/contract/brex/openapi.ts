import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import type { EndpointFact } from './endpoints.js';
import type { JsonType } from './shapes.js';

/**
 * Brex's OpenAPI files, read where they are; they are not ours to ship. `LEDGERGATE_BREX_OPENAPI` names their folder,
 * otherwise it is looked for beside the repository.
 */
export function openApiFolder(): string | null {
  const root = join(import.meta.dirname, '../../..');
  const folder = process.env.LEDGERGATE_BREX_OPENAPI ?? join(root, '../shared/reference/openapi/brex');
  return existsSync(folder) ? folder : null;
}

type Json = Record<string, unknown>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
}

const loaded = new Map<string, Json>();

function load(folder: string, api: string): Json {
  const file = join(folder, `${api}.yaml`);
  const document = loaded.get(file) ?? (parse(readFileSync(file, 'utf8')) as Json);
  loaded.set(file, document);
  return document;
}

/** The check of one webhook body, by the name Brex's webhook file gives it. */
export function eventSchema(folder: string, name: string): ValidateFunction {
  const path = `/x-webhooks/${name}`;
  const operation = Operation.of(folder, { api: 'webhooks', method: 'POST', path });
  const schema = operation.requestBody();
  if (!schema) throw new Error(`Brex documents no body for ${path}.`);
  return schema;
}

/** One operation of one file, with its references resolved on demand. */
export class Operation {
  private readonly ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

  private constructor(
    private readonly document: Json,
    private readonly item: Json,
    private readonly pathItem: Json,
  ) {
    this.ajv.addSchema(toJsonSchema({ components: { schemas: acyclic(document) } }) as Json, 'brex');
  }

  /** @throws Error there is no such operation. */
  static of(folder: string, fact: Pick<EndpointFact, 'api' | 'method' | 'path'>): Operation {
    const document = load(folder, fact.api);
    const paths = { ...(document.paths as Json), ...(document['x-webhooks'] as Json | undefined) } as Record<
      string,
      Json
    >;
    const path = Object.keys(paths).find((candidate) => candidate.replace(/\{[^}]+\}/g, '{}') === fact.path);
    const pathItem = path === undefined ? undefined : paths[path];
    const item = pathItem?.[fact.method.toLowerCase()];
    if (!pathItem || !item) throw new Error(`Brex's ${fact.api}.yaml has no ${fact.method} ${fact.path}.`);
    return new Operation(document, item as Json, pathItem);
  }

  parameters(): Parameter[] {
    const all = [...((this.pathItem.parameters as Json[]) ?? []), ...((this.item.parameters as Json[]) ?? [])];
    return all.flatMap((one) => {
      const found = this.resolve(one);
      const [name, required] = [String(found.name), found.required === true];
      // A filter that is an object travels as `name[key]`.
      const keys = Object.keys((this.resolve((found.schema as Json) ?? {}).properties as Json | undefined) ?? {});
      const names = keys.length === 0 ? [name] : keys.map((key) => `${name}[${key}]`);
      return names.map((each) => ({ name: each, in: String(found.in), required }));
    });
  }

  private responseSchema(): Json | null {
    const responses = this.item.responses as Record<string, Json>;
    return schemaIn(this.resolve(responses['200'] ?? {}));
  }

  /** Compiled check of the 200 answer; null = Brex documents no body. */
  response(): ValidateFunction | null {
    const schema = this.responseSchema();
    return schema && this.ajv.compile(toJsonSchema(schema) as Json);
  }

  requestBody(): ValidateFunction | null {
    const body = this.item.requestBody as Json | undefined;
    const schema = body ? schemaIn(this.resolve(body)) : null;
    return schema && this.ajv.compile(toJsonSchema(schema) as Json);
  }

  /** The type that the 200 answer's schema gives to a path such as `items[].amount.amount`; null = not in the schema. */
  typeAt(path: string): JsonType | null {
    let schemas = this.expand(this.responseSchema() ?? {});
    for (const step of path.replaceAll('[]', '.[]').split('.').filter(Boolean)) {
      schemas = schemas.flatMap((schema) => {
        const next = step === '[]' ? schema.items : (schema.properties as Record<string, Json> | undefined)?.[step];
        return next ? this.expand(next as Json) : [];
      });
    }
    const typed = schemas.find((schema) => typeof schema.type === 'string');
    return (typed?.type as JsonType | undefined) ?? null;
  }

  /** A schema with everything that it is made of. */
  private expand(schema: Json): Json[] {
    const resolved = this.resolve(schema);
    const parts = ['allOf', 'oneOf', 'anyOf'].flatMap((key) => (resolved[key] as Json[] | undefined) ?? []);
    return [resolved, ...parts.flatMap((part) => this.expand(part))];
  }

  private resolve(value: Json): Json {
    if (typeof value.$ref !== 'string') return value;
    const steps = value.$ref.replace('#/', '').split('/');
    const found = steps.reduce<unknown>((at, step) => (at as Json | undefined)?.[step], this.document);
    return this.resolve((found ?? {}) as Json);
  }
}

function schemaIn(holder: Json): Json | null {
  const content = holder.content as Record<string, Json> | undefined;
  return (content?.['application/json']?.schema as Json | undefined) ?? null;
}

/** The members of a union extend the union itself, which no validator can follow; that back reference is dropped. */
function acyclic(document: Json): Json {
  const schemas = ((document.components as Json | undefined)?.schemas ?? {}) as Record<string, Json>;
  const unions = Object.keys(schemas).filter((name) => schemas[name]?.discriminator && schemas[name]?.oneOf);
  const refs = new Set(unions.map((name) => `#/components/schemas/${name}`));
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const allOf = (schema.allOf as Json[] | undefined)?.filter((part) => !refs.has(String(part.$ref)));
      return [name, allOf ? { ...schema, allOf } : schema];
    }),
  );
}

/**
 * OpenAPI 3.0 to JSON Schema: `nullable` becomes a choice with null, references point into the shared document.
 * Enums are dropped because Brex adds constants without notice (one of a single word tells unions apart and stays), and
 * so is a `required` list of the word "true" that its generator puts on enums.
 */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (value === null || typeof value !== 'object') return value;
  const { nullable, discriminator, example, examples, ...rest } = value as Json;
  const converted: Json = {};
  for (const [key, part] of Object.entries(rest)) {
    if (key === 'enum' && rest.type === 'string' && (part as unknown[]).length > 1) continue;
    if (key === 'required' && JSON.stringify(part) === '["true"]') continue;
    // An empty allOf, left behind by a dropped back reference, is not a valid schema.
    if (key === 'allOf' && (part as unknown[]).length === 0) continue;
    converted[key] = key === '$ref' ? `brex${String(part)}` : toJsonSchema(part);
  }
  return nullable === true ? { anyOf: [{ type: 'null' }, converted] } : converted;
}
