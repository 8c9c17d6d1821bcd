import { ConfigurationError, UnreadableReplyError } from '../../errors.js';
import type { DocumentQuery } from '../contract.js';
import type { X3Context } from './auth.js';
import { fieldsOf, type JsonObject, objectsIn } from './json.js';
import { isGeneralLine, type JournalKey, type JournalRecord, type Row, type X3Reader } from './reader.js';
import { equals, type RestApi, type RestSource } from './rest.js';

/** Reading by REST: lists to the end of their pages, records by their keys. */
export class RestReader implements X3Reader {
  constructor(
    private readonly api: RestApi,
    private readonly settings: X3Context['settings'],
  ) {}

  async login(): Promise<string> {
    const endpoints = (await this.api.endpoints()).filter((name) => name !== '');
    const isThere = endpoints.some((name) => name.toUpperCase() === this.settings.folder.toUpperCase());
    return isThere
      ? `Logged in; the endpoint ${this.settings.folder} is there.`
      : `Logged in; the server lists ${endpoints.length} endpoints, ${this.settings.folder} not by this name.`;
  }

  accounts(): AsyncIterable<Row[]> {
    return this.list(this.settings.rest.accounts);
  }

  suppliers(): AsyncIterable<Row[]> {
    return this.list(this.settings.rest.suppliers, ['BPSNUM']);
  }

  dimensions(): AsyncIterable<Row[]> {
    return this.list(this.settings.rest.dimensions);
  }

  async periods(): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const page of this.list(this.settings.rest.periods)) rows.push(...page);
    return rows;
  }

  async supplier(code: string): Promise<Row | null> {
    const record = await this.api.details(this.settings.rest.suppliers, [code]);
    return record === null ? null : fieldsOf(record);
  }

  async suppliersWith(field: string, value: string): Promise<Row[]> {
    const rows = await this.matching(this.settings.rest.suppliers, field, value);
    return rows.filter((row) => row[field] === value);
  }

  async journalsOf({ reference }: Pick<DocumentQuery, 'reference' | 'postingDate'>): Promise<JournalRecord[]> {
    const source = this.settings.rest.journals;
    const rows = await this.matching(source, 'REFINT', reference);
    const journals: JournalRecord[] = [];
    for (const row of rows) {
      // A server that does not understand the condition gives everything; the field itself decides.
      if (row.REFINT !== undefined && row.REFINT !== reference) continue;
      const key = { type: row.TYP ?? '', number: row.NUM ?? '' };
      if (key.type === '' || key.number === '') {
        throw new ConfigurationError(
          `The representation of ${source.class} does not show TYP and NUM of a journal. Add them to its $query, or name another in rest.journals.`,
          { code: 'JOURNAL_KEY_MISSING' },
        );
      }
      const journal = await this.journal(key);
      if (journal === null)
        throw new UnreadableReplyError(`Sage X3 lists the journal ${key.type} ${key.number} and does not show it.`);
      if (journal.header.REFINT === undefined || journal.header.REFINT === reference) {
        journals.push({ ...journal, header: { ...row, ...journal.header } });
      }
    }
    return journals;
  }

  async journal(key: JournalKey): Promise<JournalRecord | null> {
    const record = await this.api.details(this.settings.rest.journals, [key.type, key.number]);
    if (record === null) return null;
    const header = fieldsOf(record);
    if ((header.TYP ?? key.type) !== key.type || (header.NUM ?? key.number) !== key.number) {
      throw new UnreadableReplyError(`Sage X3 showed another journal when asked for ${key.type} ${key.number}.`);
    }
    return { key, header, lines: this.linesOf(record) };
  }

  private linesOf(record: JsonObject): Row[] {
    const { journalLines } = this.settings.rest;
    if (journalLines !== undefined) {
      if (!Array.isArray(record[journalLines])) throw noLines(journalLines);
      return objectsIn(record[journalLines]).map(fieldsOf);
    }
    const collections = Object.values(record)
      .map((value) => objectsIn(value).map(fieldsOf))
      .filter((rows) => rows.length > 0 && rows.every(isGeneralLine));
    const [lines] = collections;
    if (!lines || collections.length > 1) throw noLines(null);
    return lines;
  }

  private async matching(source: RestSource, field: string, value: string): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const page of this.api.pages(source, { where: equals(field, value) })) rows.push(...page.map(fieldsOf));
    return rows;
  }

  private async *list(source: RestSource, orderBy?: readonly string[]): AsyncIterable<Row[]> {
    for await (const page of this.api.pages(source, orderBy ? { orderBy } : {})) yield page.map(fieldsOf);
  }
}

function noLines(name: string | null): ConfigurationError {
  const reason = name === null ? 'not exactly one collection of general lines' : `no collection ${name}`;
  return new ConfigurationError(
    `The details of a journal have ${reason}. Enter the collection's name in the setting rest.journalLines.`,
    { code: 'JOURNAL_LINES_MISSING' },
  );
}
