import type { M3Company } from './company.js';
import { MiError, noSuchProgram, noSuchTransaction } from './failures.js';
import { type Field, fieldList, type Values } from './fields.js';
import type { InforM3Settings, Release } from './settings.js';

/** What one transaction works on. */
export interface MiCall {
  company: M3Company;
  settings: InforM3Settings;
  values: Values;
  /** The division of the call: the option, or the user's own. */
  division: string;
  now: Date;
}

export interface Transaction {
  name: string;
  description: string;
  /** Releases that have it; absent = all. */
  releases?: readonly Release[];
  input(settings: InforM3Settings): Field[];
  output: Field[];
  /** Changes something, although it is called with GET like any other. */
  isWrite: boolean;
  /** A read that lets time pass for M3's background work. */
  isPoll: boolean;
  run(call: MiCall): Iterable<Values>;
}

export interface Program {
  name: string;
  description: string;
  transactions: readonly Transaction[];
  isThere?(settings: InforM3Settings): boolean;
}

interface TransactionParts {
  name: string;
  description: string;
  releases?: readonly Release[];
  input: string | ((settings: InforM3Settings) => string);
  output?: string;
  isPoll?: boolean;
  run(call: MiCall): Iterable<Values>;
}

const WRITE = /^(Add|Adjust|Upd|Dlt|Copy|Valid|Ctrl|Acknowledge|Approve|Reject)/;

/** Describes a transaction; field lists are read once for each release. */
export function transaction(parts: TransactionParts): Transaction {
  const { input } = parts;
  const known = new Map<string, Field[]>();
  const read = (text: string): Field[] => {
    const fields = known.get(text) ?? withContext(fieldList(text));
    known.set(text, fields);
    return fields;
  };
  return {
    name: parts.name,
    description: parts.description,
    ...(parts.releases === undefined ? {} : { releases: parts.releases }),
    input: (settings) => read(typeof input === 'string' ? input : input(settings)),
    output: fieldList(parts.output ?? ''),
    isWrite: WRITE.test(parts.name),
    isPoll: parts.isPoll ?? false,
    run: (call) => parts.run(call),
  };
}

/** Every transaction may be told its company. */
function withContext(fields: Field[]): Field[] {
  return fields.some(({ name }) => name === 'CONO') ? fields : [...fields, ...fieldList('CONO3N')];
}

/** The programs of one installation. */
export class Catalogue {
  private readonly byName: ReadonlyMap<string, Program>;

  constructor(
    programs: readonly Program[],
    private readonly common: readonly Transaction[],
    private readonly settings: InforM3Settings,
  ) {
    this.byName = new Map(programs.map((program) => [program.name, program]));
  }

  programs(): Program[] {
    return [...this.byName.values()].filter((program) => program.isThere?.(this.settings) !== false);
  }

  /** @throws MiError the installation has no such program. */
  program(name: string): Program {
    const program = this.byName.get(name);
    if (program === undefined || program.isThere?.(this.settings) === false) throw noSuchProgram(name);
    return program;
  }

  transactions(program: Program): Transaction[] {
    const { release } = this.settings;
    return [...program.transactions, ...this.common].filter(({ releases }) => releases?.includes(release) !== false);
  }

  /** @throws MiError the release has no such transaction. */
  transaction(program: string, name: string): Transaction {
    const found = this.transactions(this.program(program)).find((candidate) => candidate.name === name);
    if (found === undefined) throw noSuchTransaction(program, name);
    return found;
  }
}

/** @returns the value, blank when it was not sent. */
export function value(values: Values, field: string): string {
  return values[field] ?? '';
}

/** @returns the division that a call is about: its own field, or else that of the call. */
export function divisionOf({ values, division }: Pick<MiCall, 'values' | 'division'>): string {
  return values.DIVI || division;
}

/** Nothing to show: OK says only that it was accepted. */
export const DONE: readonly Values[] = [];

/** @throws MiError always. */
export function refuse(text: string, code: string, field = ''): never {
  throw new MiError(text, code, field);
}
