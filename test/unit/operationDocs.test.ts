// What operators read, held to the program. What would surprise: a setting that is nowhere explained, or an alert that wakes
// somebody who then finds nothing about it.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTING_NAMES } from '../../src/config.js';
import { FIGURES } from '../../src/services/figures.js';

const root = resolve(import.meta.dirname, '../..');
const operation = readFileSync(join(root, 'docs/operation.md'), 'utf8');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

function section(heading: string): string {
  const from = operation.indexOf(`${heading}\n`);
  if (from < 0) throw new Error(`docs/operation.md has no ${heading}.`);
  const level = heading.split(' ')[0] ?? '';
  const after = operation.slice(from + heading.length);
  const to = after.search(new RegExp(`\\n#{1,${level.length}} `));
  return to < 0 ? after : after.slice(0, to);
}

/** First cells of a table's rows. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name ?? '');
}

/** Wherever an alert is raised, its severity stands beside its code. */
function raisedCodes(): string[] {
  const folders = ['src/services', 'src/jobs'];
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
  return sources.flatMap((source) => {
    const constant = /^const CODE = ('[A-Z_]+')/m.exec(source)?.[1] ?? '';
    const lines = [...source.matchAll(/^ *severity\b[^\n]*\n *code: ([^\n]*),$/gm)].map(([, code]) => code ?? '');
    return lines.flatMap((line) => {
      return [...(line === 'CODE' ? constant : line).matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code ?? '');
    });
  });
}

describe('the operator’s pages', () => {
  it('explain every setting, and none that there is not', () => {
    expect(firstCells(section('### Settings')).sort()).toEqual([...SETTING_NAMES].sort());
  });

  it('and those of the first page are settings too', () => {
    const named = [...readme.matchAll(/`(LEDGERGATE_[A-Z_]+)`/g)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(SETTING_NAMES).toContain(name);
  });

  it('say of every alert what it means and what to do', () => {
    const codes = [...new Set(raisedCodes())].sort();
    expect(codes.length).toBeGreaterThan(15);
    expect(firstCells(section('### Alerts')).sort()).toEqual(codes);
  });

  it('name only figures that there are', () => {
    const figures = [...FIGURES.map(({ name }) => name as string), 'ledgergate_vendor_errors_total'];
    const named = firstCells(section('## Watching')).filter((name) => name.startsWith('ledgergate_'));
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(figures).toContain(name);
  });
});
