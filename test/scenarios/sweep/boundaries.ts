import { SourceMap } from 'node:module';
import { parseAst } from 'vitest/node';

/** A place where the program waits: everything outside may have gone on when it continues, and it may never continue. */
export interface Boundary {
  readonly id: number;
  /** `services/drain.ts:70:17`, or the compiled file's place where there is no source map. */
  readonly place: string;
}

export interface Instrumented {
  readonly code: string;
  readonly boundaries: readonly Boundary[];
}

export interface CompiledFile {
  /** Below the folder of the compiled program, with slashes. */
  readonly path: string;
  readonly code: string;
  /** Content of its source map. */
  readonly map: string | null;
}

/** As `runtime.mjs` defines them. */
const BEFORE = 'globalThis.sweepBefore';
const AFTER = 'globalThis.sweepAfter';
const EACH = 'globalThis.sweepEach';

interface Insertion {
  readonly at: number;
  readonly text: string;
}

interface Waiting {
  readonly start: number;
  readonly end: number;
  readonly kind: 'AWAIT' | 'EACH';
}

/**
 * Finds every `await` and `for await` of a compiled file and makes each of them say its number before and after it waits.
 * Nothing else about the code changes: same values, same order, same errors, no further turn of the event loop for `await`.
 */
export function instrument(file: CompiledFile, firstId: number): Instrumented {
  const found = waitingsIn(file);
  const placeOf = placesOf(file);
  const boundaries = found.map(({ start }, index) => ({ id: firstId + index, place: placeOf(start) }));
  const insertions = found.flatMap((waiting, index) => insertionsFor(waiting, firstId + index));
  return { code: inserted(file.code, insertions), boundaries };
}

function insertionsFor({ start, end, kind }: Waiting, id: number): Insertion[] {
  const opening = kind === 'EACH' ? `${EACH}(${id}, (` : `(${BEFORE}(${id}), ${AFTER}(${id}, `;
  return [
    { at: start, text: opening },
    { at: end, text: '))' },
  ];
}

/** From the back, so that what was inserted moves nothing that is still to come. */
function inserted(code: string, insertions: readonly Insertion[]): string {
  let result = code;
  const fromTheBack = insertions.map((one, index) => ({ ...one, index }));
  fromTheBack.sort((a, b) => b.at - a.at || b.index - a.index);
  for (const { at, text } of fromTheBack) result = result.slice(0, at) + text + result.slice(at);
  return result;
}

/** In the order of the file. Of `for await` it is the thing gone through that is wrapped. */
function waitingsIn({ path, code }: CompiledFile): Waiting[] {
  const found: Waiting[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one);
      return;
    }
    if (!isNode(node)) return;
    if (node.type === 'AwaitExpression') {
      if (!code.startsWith('await', node.start)) throw new Error(`${path}: no await at ${node.start}.`);
      found.push({ start: node.start, end: node.end, kind: 'AWAIT' });
    }
    if (node.type === 'ForOfStatement' && node.await === true && isNode(node.right)) {
      found.push({ start: node.right.start, end: node.right.end, kind: 'EACH' });
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(code));
  return found.sort((a, b) => a.start - b.start);
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly await?: unknown;
  readonly right?: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value && 'end' in value;
}

/** Lines and columns count from 1 for people, from 0 in source maps. */
function placesOf({ path, code, map }: CompiledFile): (offset: number) => string {
  const sourceMap = map === null ? null : new SourceMap(JSON.parse(map));
  const source = path.replace(/\.js$/, '.ts');
  return (offset) => {
    const before = code.slice(0, offset);
    const line = before.split('\n').length - 1;
    const column = offset - (before.lastIndexOf('\n') + 1);
    const entry = sourceMap?.findEntry(line, column);
    if (entry && 'originalLine' in entry) return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    return `${path}:${line + 1}:${column + 1}`;
  };
}
