/**
 * The client against the table of facts, and the table against Brex's own OpenAPI files where they are at hand: paths,
 * query names, required headers, bodies we send and fields we read. Moves no money and calls nobody.
 */
import { expect, it } from 'vitest';
import { type Asked, connectTo, fakeBrex } from '../../unit/connectors/brexHarness.js';
import { ENDPOINTS, type EndpointFact } from './endpoints.js';
import { Operation, openApiFolder } from './openapi.js';
import type { JsonType } from './shapes.js';

const folder = openApiFolder();

async function ask(fact: EndpointFact): Promise<Asked> {
  const brex = await fakeBrex(() => ({ body: fact.sample }));
  await fact.call(connectTo(brex.url).client);
  expect(brex.asked).toHaveLength(1);
  return brex.asked[0] as Asked;
}

function valuesAt(value: unknown, path: string): unknown[] {
  return path
    .replaceAll('[]', '.[]')
    .split('.')
    .filter(Boolean)
    .reduce<unknown[]>(
      (found, step) =>
        found.flatMap((one) =>
          step === '[]' ? (one as unknown[]) : [(one as Record<string, unknown> | null)?.[step]],
        ),
      [value],
    );
}

function typeOf(value: unknown): JsonType {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as JsonType;
}

const fits = (actual: JsonType | null, expected: JsonType) =>
  actual === expected || (actual === 'integer' && expected === 'number');

function holdAgainstOpenApi(fact: EndpointFact, asked: Asked, from: string): void {
  const operation = Operation.of(from, fact);
  const parameters = operation.parameters();
  const declared = parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name);
  expect(declared).toEqual(expect.arrayContaining([...fact.query]));
  const needsKey = parameters.some((one) => one.in === 'header' && one.name === 'Idempotency-Key' && one.required);
  expect(needsKey).toBe(fact.needsIdempotencyKey);
  for (const [path, type] of Object.entries(fact.reads)) {
    const documented = operation.typeAt(path);
    if (fact.undocumented?.includes(path)) expect(documented, path).toBeNull();
    else
      expect(documented !== null && (fits(documented, type) || fits(type, documented)), `${path}: ${documented}`).toBe(
        true,
      );
  }
  const response = operation.response();
  if (response) expect(response(fact.sample), JSON.stringify(response.errors)).toBe(true);
  const body = operation.requestBody();
  if (body) expect(body(JSON.parse(asked.body)), JSON.stringify(body.errors)).toBe(true);
  else expect(asked.body).toBe('');
}

it.each(ENDPOINTS.map((fact) => [fact.name, fact] as const))('%s', async (_, fact) => {
  const asked = await ask(fact);
  expect(asked.method).toBe(fact.method);
  expect(asked.path).toMatch(new RegExp(`^${fact.path.replaceAll('{}', '[^/]+')}$`));
  expect([...new Set(asked.query.map(([name]) => name))].sort()).toEqual([...fact.query].sort());
  expect(asked.headers.authorization).toMatch(/^Bearer \S+$/);
  expect(asked.headers['idempotency-key'] !== undefined).toBe(fact.needsIdempotencyKey);
  for (const [path, type] of Object.entries(fact.reads)) {
    const types = valuesAt(fact.sample, path).filter((value) => value !== null);
    expect(
      types.every((value) => fits(typeOf(value), type)),
      `${path} of the sample`,
    ).toBe(true);
  }
  if (folder) holdAgainstOpenApi(fact, asked, folder);
});
