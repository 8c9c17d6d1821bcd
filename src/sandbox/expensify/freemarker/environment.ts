import { Decimal } from './decimal.js';
import { type Position, TemplateError, unsupported } from './errors.js';
import { FormatError, formatDate, formatNumber } from './formats.js';
import { kindOf, type Maybe, TemplateDate, type TemplateHash, type Value } from './values.js';

/** Where a loop stands. */
export interface LoopState {
  index: number;
  hasNext: boolean;
}

/** Variables that end with an element: those of a loop or of a macro's call. */
export interface Frame {
  readonly parent: Frame | null;
  readonly isMacro: boolean;
  readonly variables: Map<string, Maybe>;
  /** The loop that owns a variable, for `x?index`. */
  readonly loops: ReadonlyMap<string, LoopState>;
  /** What `<#nested>` runs, in the frame of the caller. */
  readonly nested: ((values: Value[]) => void) | null;
}

const MAX_OUTPUT = 256 * 1024 * 1024;
/** Settings of `<#setting>` that are known; zone and language can only be confirmed. */
const FORMATS = new Set(['number_format', 'boolean_format', 'date_format', 'time_format', 'datetime_format']);
const FIXED: Readonly<Record<string, readonly string[]>> = { locale: ['en_US', 'en'], time_zone: ['UTC', 'GMT'] };

/** The state of one run of a template: variables, settings and output. */
export class Environment {
  readonly assigned = new Map<string, Maybe>();
  readonly globals = new Map<string, Maybe>();
  readonly settings = new Map<string, string>([
    ['number_format', 'number'],
    ['boolean_format', 'true,false'],
    ['date_format', ''],
    ['time_format', ''],
    ['datetime_format', ''],
  ]);
  private chunks: string[] = [];
  private size = 0;

  constructor(private readonly model: TemplateHash) {}

  lookUp(name: string, frame: Frame | null): Maybe {
    for (let one = frame; one !== null; one = one.parent) {
      if (one.variables.has(name)) return one.variables.get(name);
    }
    return this.assigned.get(name) ?? this.globals.get(name) ?? this.model.get(name);
  }

  loopOf(name: string, frame: Frame | null): LoopState | undefined {
    for (let one = frame; one !== null; one = one.parent) {
      const loop = one.loops.get(name);
      if (loop) return loop;
    }
    return undefined;
  }

  set(name: string, value: string, at: Position): void {
    if (FIXED[name]?.includes(value)) return;
    if (!FORMATS.has(name)) throw unsupported(`the setting ${name} with the value "${value}"`, at);
    this.settings.set(name, value);
  }

  setting(name: string): string {
    return this.settings.get(name) ?? '';
  }

  write(text: string): void {
    this.size += text.length;
    if (this.size > MAX_OUTPUT) throw new RangeError('The output of the template is too large.');
    this.chunks.push(text);
  }

  /** Runs something and returns what it printed, instead of printing it. */
  capture(run: () => void): string {
    const outer = this.chunks;
    this.chunks = [];
    try {
      run();
      return this.output();
    } finally {
      this.chunks = outer;
    }
  }

  output(): string {
    return this.chunks.join('');
  }

  /**
   * A value as `${…}` and the text built-ins see it. Numbers come with the grouping of the language: 1,234.
   * @throws TemplateError for a missing value, a boolean, a list or a hash.
   */
  textOf(value: Maybe, at: Position, what: string): string {
    if (typeof value === 'string') return value;
    if (value === undefined) throw missing(what, at);
    if (value instanceof Decimal) return guarded(at, () => formatNumber(value, this.setting('number_format')));
    if (value instanceof TemplateDate)
      return guarded(at, () => formatDate(value, this.setting(`${value.kind}_format`)));
    if (typeof value === 'boolean' && this.setting('boolean_format') !== 'true,false') {
      if (this.setting('boolean_format') === 'c') return String(value);
      return this.setting('boolean_format').split(',')[value ? 0 : 1] ?? '';
    }
    throw new TemplateError('TYPE', `${what} is a ${kindOf(value)} and cannot be printed.`, at);
  }
}

export function missing(what: string, at: Position): TemplateError {
  return new TemplateError('MISSING', `${what} is missing or null.`, at);
}

/** Turns the failures of formats and of arithmetic into those of the template. */
export function guarded<T>(at: Position, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof FormatError) {
      throw error.isUnreadable ? new TemplateError('TYPE', error.message, at) : unsupported(error.message, at);
    }
    // A regular expression that cannot be read is a SyntaxError, a division by zero a RangeError.
    if (error instanceof RangeError || error instanceof SyntaxError) throw new TemplateError('TYPE', error.message, at);
    throw error;
  }
}
