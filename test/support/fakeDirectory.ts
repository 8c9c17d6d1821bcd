import type { CodingFieldKey, LedgerValue, ReadsVendors, ReceivesMasterData } from '../../src/connectors/contract.js';
import { InputError, OutcomeUnknownError } from '../../src/errors.js';

/** What happens to one write: nothing was done, or it was done, and nobody was told; or it fails in so many words. */
export type DirectoryFault = 'LOST_BEFORE' | 'LOST_AFTER' | Error;

/** The coding fields and vendors of a spend system in memory. Vendor names are unique in it, whatever their case. */
export class FakeDirectory {
  readonly fields = new Map<CodingFieldKey, Map<string, LedgerValue>>();
  /** Names by id. */
  readonly vendors = new Map<string, string>();
  /** Every write that arrived, in order, e.g. `push glAccount`, `create Acme`, `rename v1 Acme`. */
  readonly writes: string[] = [];
  /** Idempotency keys of vendor writes, in order. */
  readonly keys: string[] = [];
  lists = 0;
  /** Taken one a write, in order. */
  readonly faults: DirectoryFault[] = [];
  /** Called when a write arrives, before anything else happens. */
  onWrite: ((write: string) => Promise<void> | void) | null = null;
  private nextId = 1;

  /** What people may code with. */
  offered(key: CodingFieldKey): string[] {
    return [...(this.fields.get(key)?.values() ?? [])].filter(({ active }) => active).map(({ code }) => code);
  }

  readonly masterData: ReceivesMasterData = {
    push: ({ key }, values) =>
      this.write(`push ${key}`, () => {
        const field = this.fields.get(key) ?? new Map<string, LedgerValue>();
        this.fields.set(key, field);
        const counts = { created: 0, renamed: 0, retired: 0, unchanged: 0 };
        for (const code of new Set([...field.keys(), ...values.map((value) => value.code)])) {
          const [was, is] = [field.get(code), values.find((value) => value.code === code)];
          const active = is?.active ?? false;
          if (!was && !active) continue;
          const name = active ? (is?.name ?? '') : (was?.name ?? '');
          field.set(code, { code, name, active });
          if (!was) counts.created += 1;
          else if (was.active && !active) counts.retired += 1;
          else if (was.name !== name || was.active !== active) counts.renamed += 1;
          else counts.unchanged += 1;
        }
        return counts;
      }),
  };

  readonly readsVendors: ReadsVendors = {
    list: () => this.pages(),
    ensure: async (name, key) => {
      const known = this.named(name);
      if (known) return { ...known, created: false };
      this.keys.push(key);
      return this.write(`create ${name}`, () => {
        if (this.named(name)) throw new InputError('There is a vendor of that name.');
        const id = `v${this.nextId++}`;
        this.vendors.set(id, name);
        return { id, name, created: true };
      });
    },
    rename: (id, name, key) => {
      this.keys.push(key);
      return this.write(`rename ${id} ${name}`, () => {
        if (!this.vendors.has(id)) throw new InputError('There is no such vendor.');
        const namesake = this.named(name);
        if (namesake && namesake.id !== id) throw new InputError('Another vendor has that name.');
        this.vendors.set(id, name);
        return { id, name };
      });
    },
  };

  private named(name: string): { id: string; name: string } | null {
    const found = [...this.vendors].find(([, other]) => other.toLowerCase() === name.toLowerCase());
    return found ? { id: found[0], name: found[1] } : null;
  }

  /** In pages of three, so that every list has several. */
  private async *pages() {
    this.lists += 1;
    const all = [...this.vendors].map(([id, name]) => ({ id, name }));
    for (let at = 0; at < all.length; at += 3) yield all.slice(at, at + 3);
  }

  private async write<T>(what: string, work: () => T): Promise<T> {
    this.writes.push(what);
    await this.onWrite?.(what);
    const fault = this.faults.shift();
    if (fault instanceof Error) throw fault;
    if (fault === 'LOST_BEFORE') throw new OutcomeUnknownError('The connection ended before the source answered.');
    const answer = work();
    if (fault === 'LOST_AFTER') throw new OutcomeUnknownError('The connection ended before the source answered.');
    return answer;
  }
}
