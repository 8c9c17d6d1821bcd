/** A filter or an order that cannot be read, or names a property that the node does not have. */
export class FilterError extends Error {}

export type Relaxed = string | number | boolean | null | Relaxed[] | { [name: string]: Relaxed };

/** Reads relaxed JSON: names without quotes and texts in single or double ones (reference: GraphQL request). */
export function parseRelaxed(text: string): Relaxed {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): Relaxed {
    this.blank();
    const first = this.text[this.at];
    if (first === '{') return this.object();
    if (first === '[') return this.list();
    if (first === "'" || first === '"') return this.quoted(first);
    const word = this.match(/[+-]?[\w.]+/y);
    if (/^[+-]?\d+$/.test(word)) return Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    throw new FilterError(`Unexpected '${word || (first ?? 'end')}' in the filter`);
  }

  end(): void {
    this.blank();
    if (this.at < this.text.length) throw new FilterError(`Unexpected '${this.text[this.at]}' in the filter`);
  }

  private object(): Relaxed {
    const found: { [name: string]: Relaxed } = {};
    this.at += 1;
    while (!this.take('}')) {
      this.blank();
      const first = this.text[this.at];
      const name = first === "'" || first === '"' ? this.quoted(first) : this.match(/[\w$]+/y);
      if (name === '' || !this.take(':')) throw new FilterError('The filter is no object');
      found[name] = this.value();
      if (!this.take(',') && !this.isNext('}')) throw new FilterError('The filter is not closed');
    }
    return found;
  }

  private list(): Relaxed[] {
    const found: Relaxed[] = [];
    this.at += 1;
    while (!this.take(']')) {
      found.push(this.value());
      if (!this.take(',') && !this.isNext(']')) throw new FilterError('The filter is not closed');
    }
    return found;
  }

  private quoted(mark: string): string {
    let found = '';
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const character = this.text[this.at] ?? '';
      if (character === mark) {
        this.at += 1;
        return found;
      }
      if (character === '\\') this.at += 1;
      found += this.text[this.at] ?? '';
    }
    throw new FilterError('A text in the filter is not closed');
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private take(mark: string): boolean {
    if (!this.isNext(mark)) return false;
    this.at += 1;
    return true;
  }

  private isNext(mark: string): boolean {
    this.blank();
    return this.text[this.at] === mark;
  }

  private blank(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }
}
