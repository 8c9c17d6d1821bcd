import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';

// Which room of `src/` may lean on which. Read from the import lines themselves: the compiler has no interface for it.

export interface Import {
  readonly target: string;
  readonly isTypeOnly: boolean;
  readonly isDynamic: boolean;
}

/** Path below `src/` with `/`, and text. */
export type Sources = ReadonlyMap<string, string>;

export function readSources(src: string): Sources {
  const files = readdirSync(src, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts'),
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(src, path).split(sep).join('/'), readFileSync(path, 'utf8')];
    }),
  );
}

const COMMENTS_AND_TEXTS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|`(?:\\[\s\S]|[^\\`])*`|'(?:\\.|[^\\'\n])*'|"(?:\\.|[^\\"\n])*"/g;
const STATIC = /^[ \t]*(import|export)\b([^'"`;]*?)\bfrom\s*(['"])([^'"]+)\3/gm;
const SIDE_EFFECT = /^[ \t]*import\s*(['"])([^'"]+)\1/gm;
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"]+)\1/g;

export function importsOf(text: string): Import[] {
  const code = text.replace(COMMENTS_AND_TEXTS, (part) => (/^['"]/.test(part) ? part : ''));
  return [
    ...[...code.matchAll(STATIC)].map(([, , clause = '', , target = '']) => ({
      target,
      isTypeOnly: /^\s*type\s+(?!from\b)/.test(clause),
      isDynamic: false,
    })),
    ...[...code.matchAll(SIDE_EFFECT)].map(([, , target = '']) => ({ target, isTypeOnly: false, isDynamic: false })),
    ...[...code.matchAll(DYNAMIC)].map(([, , target = '']) => ({ target, isTypeOnly: false, isDynamic: true })),
  ];
}

/** The file an import names, below `src/`; null for a package. */
function resolved(from: string, target: string): string | null {
  if (!target.startsWith('.')) return null;
  return posix.normalize(posix.join(posix.dirname(from), target)).replace(/\.js$/, '.ts');
}

interface Rule {
  /** The rule in words, as the failure quotes it. */
  readonly says: string;
  /** Beginnings of paths below `src/`; `self` is the room itself. Without it, everything. */
  readonly ours?: readonly string[];
  /** Of these only types. */
  readonly typesOf?: readonly string[];
  /** Packages and node modules. Without it, any. */
  readonly packages?: readonly string[];
}

const COMMON = ['errors.ts', 'clock.ts', 'logger.ts', 'telemetry.ts'];

/** The first rule whose room a path begins with counts, so the narrower room stands first. */
const ROOMS: readonly (readonly [room: string, rule: Rule])[] = [
  [
    'domain/',
    {
      says: 'domain is pure: itself and errors; of packages zod, fastest-levenshtein and node:crypto',
      ours: ['domain/', 'errors.ts'],
      packages: ['zod', 'fastest-levenshtein', 'node:crypto'],
    },
  ],
  [
    'connectors/contract.ts',
    {
      says: 'the contract knows domain, errors, clock, logger and telemetry',
      ours: ['domain/', ...COMMON],
      typesOf: ['connectors/receiptContract.ts'],
    },
  ],
  [
    'connectors/receiptContract.ts',
    {
      says: 'the contract knows domain, errors, clock, logger and telemetry',
      ours: ['domain/', ...COMMON],
      typesOf: ['connectors/contract.ts'],
    },
  ],
  [
    'connectors/http.ts',
    {
      says: 'connectors/http knows the contract, domain, errors, clock, logger and telemetry',
      ours: ['connectors/contract.ts', 'domain/', ...COMMON],
    },
  ],
  ['connectors/proven.ts', { says: 'the list of what is proved knows the words of domain', ours: ['domain/'] }],
  [
    'connectors/registry.ts',
    { says: 'the registry knows the contract and the connectors', ours: ['connectors/', 'domain/', ...COMMON] },
  ],
  [
    'connectors/*/',
    {
      says: 'a connector knows itself, connectors/contract, connectors/http, domain, errors, clock, logger and telemetry; never another connector, a row or a service',
      ours: ['self', 'connectors/contract.ts', 'connectors/http.ts', 'domain/', ...COMMON],
    },
  ],
  [
    'entities/',
    {
      says: 'entities know themselves, errors and the types of domain',
      ours: ['entities/', 'errors.ts'],
      typesOf: ['domain/'],
    },
  ],
  [
    'services/',
    {
      says: 'services know services, domain, entities, connectors/contract, connectors/registry, clock, errors, logger, telemetry and secrets',
      ours: [
        'services/',
        'domain/',
        'entities/',
        'connectors/contract.ts',
        'connectors/registry.ts',
        'secrets.ts',
        ...COMMON,
      ],
    },
  ],
  [
    'jobs/',
    {
      says: 'jobs know services, domain, the database and clock, errors, logger; never a resolver',
      ours: ['jobs/', 'services/', 'domain/', 'entities/database.ts', ...COMMON],
    },
  ],
  [
    'schema/build.ts',
    { says: 'the build joins schema and resolvers', ours: ['schema/', 'resolvers/', 'domain/', 'errors.ts'] },
  ],
  ['schema/', { says: 'schema knows itself and domain', ours: ['schema/', 'domain/'] }],
  [
    'resolvers/',
    {
      says: 'resolvers know schema, services, domain and errors; never a connector or a row',
      ours: ['resolvers/', 'schema/', 'services/', 'domain/', ...COMMON],
    },
  ],
  [
    'sandbox/',
    {
      says: 'a sandbox shares nothing with the connector it tests: itself, errors and logger only',
      ours: ['sandbox/', 'errors.ts', 'logger.ts'],
    },
  ],
  [
    'platform/',
    {
      says: 'platform knows the machine, not the product: itself, errors, logger, clock and secrets',
      ours: ['platform/', 'secrets.ts', ...COMMON],
    },
  ],
  [
    'http/',
    {
      says: 'http knows schema, resolvers, services, domain, config, secrets and errors; never a connector or a row',
      ours: ['http/', 'schema/', 'resolvers/', 'services/', 'domain/', 'config.ts', 'secrets.ts', ...COMMON],
    },
  ],
  // Entry points, like the files at the root: they put the parts together.
  ['cli/', { says: 'the command line may wire everything' }],
  ['demo/', { says: 'the demo may wire everything' }],
  ['errors.ts', { says: 'errors know nothing', ours: [] }],
  ['clock.ts', { says: 'clock knows nothing', ours: [] }],
  ['telemetry.ts', { says: 'telemetry knows words of the domain', ours: [], typesOf: ['domain/'] }],
  ['logger.ts', { says: 'logger knows nothing of ours', ours: [] }],
  ['secrets.ts', { says: 'secrets know errors', ours: ['errors.ts'] }],
  [
    'config.ts',
    {
      says: 'config knows domain, errors, secrets and platform',
      ours: ['domain/', 'errors.ts', 'secrets.ts', 'platform/'],
    },
  ],
];

function ruleFor(path: string): { room: string; rule: Rule } | null {
  for (const [room, rule] of ROOMS) {
    const exact = roomIn(room, path);
    if (exact !== null) return { room: exact, rule };
  }
  return path.includes('/') ? null : { room: path, rule: { says: 'files at the root wire everything' } };
}

/** The part of `path` that is `room`, with a `*` filled in; null when it lies elsewhere. */
function roomIn(room: string, path: string): string | null {
  const pattern = room.replaceAll('.', '\\.').replace('*', '[^/]+');
  return new RegExp(`^${pattern}`).exec(path)?.[0] ?? null;
}

/** What is forbidden, each with file, import and the broken rule. */
export function brokenRules(sources: Sources): string[] {
  const broken: string[] = [];
  for (const [path, text] of sources) {
    const found = ruleFor(path);
    if (!found) {
      broken.push(`src/${path}: its room has no rule yet; say in test/support/imports.ts what it may import`);
      continue;
    }
    for (const one of importsOf(text)) {
      const problem = problemOf(path, one, found);
      if (problem) broken.push(`src/${path} imports ${one.target}: ${problem}`);
    }
    if (path !== 'config.ts' && /\bprocess\.env\b/.test(text.replace(COMMENTS_AND_TEXTS, ''))) {
      broken.push(`src/${path} reads process.env: only config.ts does`);
    }
  }
  return broken;
}

function problemOf(path: string, one: Import, { room, rule }: { room: string; rule: Rule }): string | null {
  const target = resolved(path, one.target);
  if (target === null) {
    const isAllowed = rule.packages?.includes(one.target) ?? true;
    return isAllowed ? null : rule.says;
  }
  if (target.startsWith('..')) return 'nothing outside src/ is part of the product';
  const behind = /^connectors\/([^/]+)\/(.+)$/.exec(target);
  if (behind && behind[2] !== 'index.ts' && !path.startsWith(`connectors/${behind[1]}/`)) {
    return 'outside a connector only its index is imported';
  }
  const allowed = rule.ours?.map((begin) => (begin === 'self' ? room : begin));
  if (allowed === undefined || allowed.some((begin) => target.startsWith(begin))) return null;
  return one.isTypeOnly && rule.typesOf?.some((begin) => target.startsWith(begin)) ? null : rule.says;
}

/** Files that need each other to load, each circle once. Types vanish in the output and dynamic imports wait, so neither counts. */
export function circles(sources: Sources): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      found.add(asCircle(trail.slice(seenAt)));
      return;
    }
    if (done.has(path)) return;
    for (const one of importsOf(sources.get(path) ?? '')) {
      const target = one.isTypeOnly || one.isDynamic ? null : resolved(path, one.target);
      if (target !== null && sources.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return [...found];
}

/** Begins with the first name by order, so that one circle reads the same from wherever it was entered. */
function asCircle(files: readonly string[]): string {
  const start = files.indexOf([...files].sort()[0] ?? '');
  const turned = [...files.slice(start), ...files.slice(0, start)];
  return [...turned, turned[0]].join(' > ');
}
