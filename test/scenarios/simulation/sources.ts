import { BrexSource } from './brexSource.js';
import { ExpensifySource } from './expensifySource.js';
import { MemorySource } from './memorySource.js';
import type { SourceKind, SpendSource } from './source.js';
import type { SimulatedTime } from './time.js';

export async function startSource(kind: SourceKind, time: SimulatedTime): Promise<SpendSource> {
  switch (kind) {
    case 'MEMORY':
      return new MemorySource();
    case 'BREX':
      return BrexSource.start(time);
    case 'EXPENSIFY':
      return ExpensifySource.start(time);
  }
}
