import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROVEN } from '../../../src/connectors/proven.js';
import type { SystemKind } from '../../../src/domain/vocabulary.js';

/** What a case is about, in the table; the same for every connector that it is run for. */
export interface CaseName {
  /** A short name for the table, e.g. `lost reply after commit`. */
  readonly name: string;
  /** What the connector is said to be able to do when all of the cases that name it hold. */
  readonly capability?: string;
}

interface Result extends CaseName {
  readonly held: boolean;
}

/**
 * Runs the cases of one connector and keeps what became of them. At the end the list of what the connector can do must
 * be what was proved, no more and no less; `npm run conformance -- --write` writes that list and the table.
 */
export class Proof {
  private readonly results: Result[] = [];

  constructor(
    private readonly kind: SystemKind,
    private readonly title: string,
  ) {}

  case({ name, capability }: CaseName, fact: string, run: () => Promise<void>): void {
    it(`${name}: ${fact}`, async () => {
      const about = capability === undefined ? { name } : { name, capability };
      try {
        await run();
      } catch (error) {
        this.results.push({ ...about, held: false });
        throw error;
      }
      this.results.push({ ...about, held: true });
    });
  }

  /** To be called last. */
  conclude(): void {
    it('is said to do what was proved here, and nothing else', () => {
      const folder = process.env.CONFORMANCE_RESULTS;
      if (folder !== undefined) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${this.kind}.json`), JSON.stringify({ kind: this.kind, results: this.results }));
        return;
      }
      expect([...PROVEN[this.kind]].sort()).toEqual(this.proven());
      expect(casesOnPage(this.title)).toEqual(new Set(this.results.map(({ name }) => name)));
    });
  }

  private proven(): string[] {
    const named = new Set(this.results.flatMap(({ capability }) => capability ?? []));
    const failed = new Set(this.results.filter(({ held }) => !held).map(({ capability }) => capability));
    return [...named].filter((one) => !failed.has(one)).sort();
  }
}

/** The cases that docs/conformance.md says the connector passed. */
function casesOnPage(title: string): Set<string> {
  const rows = readFileSync('docs/conformance.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const column = rows[0]?.indexOf(title) ?? -1;
  return new Set(rows.filter((row) => row[column] === 'yes').map(([name = '']) => name));
}
