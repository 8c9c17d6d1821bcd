// Writing together must never make one caller pay for another. What would surprise: a caller that is told "written" before
// it is, one that fails because a neighbour was bad, or one that is forgotten.
import { describe, expect, it } from 'vitest';
import { Together } from '../../src/services/together.js';

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('writing together', () => {
  it('gathers what arrives while a write is under way, in order and up to the limit', async () => {
    const writes: number[][] = [];
    const first = gate();
    const together = new Together<number>(async (items) => {
      writes.push([...items]);
      if (writes.length === 1) await first.opened;
    }, 3);
    const all = [1, 2, 3, 4, 5].map((item) => together.add(item));
    first.open();
    await Promise.all(all);
    expect(writes).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('tells nobody that it is written before it is', async () => {
    const first = gate();
    let isWritten = false;
    const together = new Together<number>(async () => {
      await first.opened;
      isWritten = true;
    }, 10);
    const added = together.add(1).then(() => isWritten);
    first.open();
    expect(await added).toBe(true);
  });

  it('fails only the one that cannot be written', async () => {
    const first = gate();
    const kept: string[] = [];
    const together = new Together<string>(async (items) => {
      await first.opened;
      if (items.includes('bad')) throw new Error('bad one');
      kept.push(...items);
    }, 10);
    const all = ['a', 'b', 'bad', 'c'].map((item) => together.add(item));
    first.open();
    const results = await Promise.allSettled(all);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(kept).toEqual(['a', 'b', 'c']);
    await expect(together.add('d')).resolves.toBeUndefined();
  });
});
