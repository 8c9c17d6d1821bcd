import { MemorySource } from './memorySource.js';
import type { SourceKind, SpendSource } from './source.js';
import type { SimulatedTime } from './time.js';

export async function startSource(kind: SourceKind, _time: SimulatedTime): Promise<SpendSource> {
  switch (kind) {
    default:
      return new MemorySource();
  }
}
