// The rooms of src/ and the doors between them. What would surprise: a resolver that reaches into a connector, a simulator
// that shares a parser with what it tests, two files that cannot load without each other. The made-up offenders prove that
// the check itself sees.
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenRules, circles, importsOf, readSources } from '../support/imports.js';

const ours = readSources(resolve(import.meta.dirname, '../../src'));

function brokenBy(path: string, text: string): string[] {
  return brokenRules(new Map([[path, text]]));
}

describe('the product', () => {
  it('is read at all', () => {
    expect(ours.size).toBeGreaterThan(20);
    expect([...ours.values()].flatMap(importsOf).length).toBeGreaterThan(50);
  });

  it('keeps to the rules of its rooms', () => {
    expect(brokenRules(ours)).toEqual([]);
  });

  it('has no files that need each other to load', () => {
    expect(circles(ours)).toEqual([]);
  });
});

describe('a forbidden import is found', () => {
  it.each([
    ['domain/plan.ts', '../services/audit.js', 'domain is pure'],
    ['domain/plan.ts', '../clock.js', 'domain is pure'],
    ['domain/plan.ts', 'pg', 'domain is pure'],
    ['domain/vendor/score.ts', 'node:fs', 'domain is pure'],
    ['connectors/brex/client.ts', '../syspro/index.js', 'never another connector'],
    ['connectors/brex/client.ts', '../../services/vault.js', 'never another connector'],
    ['connectors/brex/client.ts', '../../secrets.js', 'never another connector'],
    ['connectors/sage-x3/client.ts', '../sage/index.js', 'never another connector'],
    ['connectors/contract.ts', '../services/vault.js', 'the contract knows'],
    ['connectors/registry.ts', './brex/client.js', 'only its index'],
    ['main.ts', './connectors/brex/client.js', 'only its index'],
    ['entities/posting.ts', '../services/audit.js', 'entities know'],
    ['entities/posting.ts', '../domain/money.js', 'entities know'],
    ['services/syncs.ts', '../connectors/brex/index.js', 'services know'],
    ['services/syncs.ts', '../resolvers/syncs.js', 'services know'],
    ['services/syncs.ts', '../jobs/queue.js', 'services know'],
    ['jobs/tasks/post.ts', '../../resolvers/syncs.js', 'never a resolver'],
    ['jobs/tasks/post.ts', '../../entities/posting.js', 'never a resolver'],
    ['schema/types.ts', '../services/audit.js', 'schema knows'],
    ['resolvers/syncs.ts', '../connectors/contract.js', 'never a connector or a row'],
    ['resolvers/syncs.ts', '../entities/database.js', 'never a connector or a row'],
    ['sandbox/syspro/server.ts', '../../domain/money.js', 'shares nothing'],
    ['sandbox/syspro/server.ts', '../../connectors/syspro/index.js', 'shares nothing'],
    ['platform/processes.ts', '../config.js', 'platform knows'],
    ['http/webhooks.ts', '../entities/database.js', 'http knows'],
    ['errors.ts', './logger.js', 'errors know nothing'],
    ['services/syncs.ts', '../../test/support/database.js', 'outside src/'],
    ['attic/old.ts', '../errors.js', 'no rule yet'],
  ])('%s → %s', (path, target, rule) => {
    const [message = '', ...more] = brokenBy(path, `import { x } from '${target}';`);
    expect(more).toEqual([]);
    expect(message).toContain(`src/${path}`);
    expect(message).toContain(rule);
  });

  it.each([
    `import type { X } from '../services/audit.js';`,
    `import x, { type Y } from "../services/audit.js";`,
    `import {\n  a,\n  b,\n} from '../services/audit.js';`,
    `import * as all from '../services/audit.js';`,
    `import '../services/audit.js';`,
    `export { x } from '../services/audit.js';`,
    `export * from '../services/audit.js';`,
    `export type { X } from '../services/audit.js';`,
    `const later = await import('../services/audit.js');`,
    `import { one } from './one.js'; // first\nimport { x } from '../services/audit.js';`,
  ])('in any form: %s', (line) => {
    expect(brokenBy('domain/plan.ts', line)).toHaveLength(1);
  });

  it('a second reader of the environment is one too', () => {
    expect(brokenBy('services/syncs.ts', 'const port = process.env.PORT;')).toEqual([
      'src/services/syncs.ts reads process.env: only config.ts does',
    ]);
  });
});

describe('what is allowed passes', () => {
  it.each([
    ['domain/plan.ts', `import { z } from 'zod';\nimport { x } from './money.js';\nimport { y } from '../errors.js';`],
    [
      'connectors/brex/client.ts',
      `import { a } from './wire.js';\nimport { b } from '../http.js';\nimport { z } from 'zod';`,
    ],
    ['connectors/registry.ts', `import { brex } from './brex/index.js';`],
    ['entities/posting.ts', `import type { Money } from '../domain/money.js';`],
    ['main.ts', `import { x } from './jobs/queue.js';\nimport { y } from './resolvers/index.js';`],
    ['domain/plan.ts', `// import { x } from '../services/audit.js';\n/*\nimport '../services/audit.js'; */`],
    ['domain/plan.ts', "const text = `\nimport { x } from '../services/audit.js';\n`;"],
  ])('%s: %s', (path, text) => {
    expect(brokenBy(path, text)).toEqual([]);
  });
});

describe('a circle is found', () => {
  it('once, however long and from wherever it is entered', () => {
    const files = new Map([
      ['services/c.ts', `import { a } from './a.js';`],
      ['services/a.ts', `import { b } from './b.js';`],
      ['services/b.ts', `export { c } from './c.js';`],
      ['services/d.ts', `import { b } from './b.js';`],
    ]);
    expect(circles(files)).toEqual(['services/a.ts > services/b.ts > services/c.ts > services/a.ts']);
  });

  it('but types and late imports do not make one', () => {
    const files = new Map([
      ['services/a.ts', `import { b } from './b.js';`],
      ['services/b.ts', `import type { A } from './a.js';\nconst later = () => import('./a.js');`],
    ]);
    expect(circles(files)).toEqual([]);
  });
});
