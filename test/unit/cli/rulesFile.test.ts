// Mapping rules from a file. What would surprise: a column that is skipped in silence, an account that loses its leading
// zeros, an empty cell that becomes a condition.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRules } from '../../../src/cli/rulesFile.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const EMPTY = {
  ...{ category: null, dimension: null, dimensionValue: null, merchant: null, mcc: null, costCentre: null },
  taxCode: null,
};

describe('a rules file', () => {
  it('is the same rules as JSON and as CSV', async () => {
    const json = file(
      'a.json',
      '[{"category":"FOOD","glAccount":"00610","dimensions":{"Project":"P1"}},{"merchant":"rail*","glAccount":"6200","taxCode":"VR"}]',
    );
    const csv = file(
      'a.CSV',
      'category,merchant,glAccount,taxCode,dimensions.Project\nFOOD,,00610,,P1\n,rail*,6200,VR,\n',
    );
    const rules = [
      { ...EMPTY, category: 'FOOD', glAccount: '00610', dimensions: { Project: 'P1' } },
      { ...EMPTY, merchant: 'rail*', glAccount: '6200', taxCode: 'VR' },
    ];
    expect(await readRules(json)).toMatchObject(rules);
    expect(await readRules(csv)).toMatchObject(rules);
  });

  it.each([
    ['b.csv', 'category,glAccount\nFOOD,6100\nFUEL,\n', 'Rule 2 of .*, glAccount: a rule needs a GL account'],
    ['c.csv', 'category,account\nFOOD,6100\n', 'Rule 1 of .*glAccount'],
    ['d.json', '[{"glAccount":"6100","colour":"red"}]', 'Rule 1 of .*, colour: is not known here'],
    ['e.json', '[{"glAccount":6100}]', 'Rule 1 of .*, glAccount'],
    ['f.json', '{}', 'not a list'],
    ['g.json', '[', 'not JSON'],
    ['h.csv', 'category,glAccount\n"FOOD,6100\n', 'cannot be read'],
  ])('%s is refused, naming the rule and the field', async (name, content, message) => {
    await expect(readRules(file(name, content))).rejects.toThrow(new RegExp(message));
  });

  it('that is not there is named', async () => {
    await expect(readRules(join(folder, 'none.json'))).rejects.toThrow('none.json cannot be read');
  });
});
