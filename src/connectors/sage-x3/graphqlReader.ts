import { UnreadableReplyError } from '../../errors.js';
import type { DocumentQuery } from '../contract.js';
import type { X3Context } from './auth.js';
import type { NodeSettings } from './config.js';
import { filterOf, type GraphqlApi, pageOf, selectionOf, valueAt } from './graphql.js';
import { type Json, type JsonObject, textOf } from './json.js';
import type { JournalKey, JournalRecord, Row, X3Reader } from './reader.js';

/** Lines of a journal that are asked for at once; more come in further pages. */
const LINES_PER_PAGE = 500;
const LINE_PAGES_MAX = 200;

/** Reading by GraphQL. Which property is which column stands in the settings, because releases differ. */
export class GraphqlReader implements X3Reader {
  constructor(
    private readonly api: GraphqlApi,
    private readonly settings: X3Context['settings'],
  ) {}

  async login(): Promise<string> {
    await this.api.typename();
    return 'Logged in; the GraphQL service answers.';
  }

  accounts(): AsyncIterable<Row[]> {
    return this.list(this.settings.graphql.accounts);
  }

  suppliers(): AsyncIterable<Row[]> {
    return this.list(this.settings.graphql.suppliers);
  }

  dimensions(): AsyncIterable<Row[]> {
    return this.list(this.settings.graphql.dimensions);
  }

  async periods(): Promise<Row[]> {
    return this.all(this.settings.graphql.periods, {});
  }

  async supplier(code: string): Promise<Row | null> {
    const rows = await this.suppliersWith('BPSNUM', code);
    return rows[0] ?? null;
  }

  async suppliersWith(field: string, value: string): Promise<Row[]> {
    const source = this.settings.graphql.suppliers;
    const rows = await this.all(source, { [source.fields[field] ?? field]: value });
    return rows.filter((row) => row[field] === value);
  }

  async journalsOf({
    reference,
    postingDate,
  }: Pick<DocumentQuery, 'reference' | 'postingDate'>): Promise<JournalRecord[]> {
    const { journals } = this.settings.graphql;
    if (journals.reference !== undefined) {
      const found = await this.journalsWhere({ [journals.reference]: reference });
      return found.filter((journal) => journal.header.REFINT === reference);
    }
    // Without a property for REFINT the journals of the site and day are gone through: every line's text begins with ours.
    const { site, entryType } = this.settings;
    const ofThatDay = await this.journalsWhere({
      [journals.siteFilter]: site,
      [journals.typeFilter]: entryType,
      [journals.dateFilter]: postingDate,
    });
    return ofThatDay
      .filter(({ lines }) => lines.some((line) => (line.DES ?? '').split(' ')[0] === reference))
      .map((found) => ({ ...found, header: { ...found.header, REFINT: reference } }));
  }

  async journal(key: JournalKey): Promise<JournalRecord | null> {
    const { journals } = this.settings.graphql;
    const found = await this.journalsWhere({ [journals.typeFilter]: key.type, [journals.numberFilter]: key.number });
    return found.find((journal) => journal.key.type === key.type && journal.key.number === key.number) ?? null;
  }

  // ── journals ───────────────────────────────────────────────────────────────────────────────

  private async journalsWhere(filter: Readonly<Record<string, string>>): Promise<JournalRecord[]> {
    const { journals } = this.settings.graphql;
    const columns = this.headerColumns();
    const selection = selectionOf(Object.values(columns), { [journals.lines]: this.linesSelection(null) });
    const records: JournalRecord[] = [];
    for await (const page of this.api.pages(journals.node, selection, { filter: filterOf(filter) })) {
      for (const node of page) records.push(await this.recordOf(node, columns));
    }
    return records;
  }

  private headerColumns(): Readonly<Record<string, string>> {
    const { journals } = this.settings.graphql;
    return {
      TYP: journals.typeFilter,
      NUM: journals.numberFilter,
      FCY: journals.siteFilter,
      ACCDAT: journals.dateFilter,
      CUR: journals.currency,
      ...(journals.reference === undefined ? {} : { REFINT: journals.reference }),
      ...(journals.category === undefined ? {} : { CAT: journals.category }),
      ...(journals.status === undefined ? {} : { STA: journals.status }),
    };
  }

  private linesSelection(after: string | null): string {
    const fields = selectionOf(Object.values(this.settings.graphql.journals.lineFields));
    const behind = after === null ? '' : `, after: ${JSON.stringify(after)}`;
    return `{ query(first: ${LINES_PER_PAGE}${behind}) { edges { node { ${fields} } } pageInfo { hasNextPage endCursor } } }`;
  }

  private async recordOf(node: JsonObject, columns: Readonly<Record<string, string>>): Promise<JournalRecord> {
    const { journals } = this.settings.graphql;
    const header = rowOf(node, columns);
    const key = { type: header.TYP ?? '', number: header.NUM ?? '' };
    if (key.type === '' || key.number === '') {
      throw new UnreadableReplyError('Sage X3 shows a journal without its type and number.');
    }
    const what = `the lines of the journal ${key.type} ${key.number}`;
    let page = pageOf(valueAt(node, `${journals.lines}.query`), what);
    const lines = page.nodes.map((line) => rowOf(line, journals.lineFields));
    for (let turn = 0; page.endCursor !== null; turn += 1) {
      if (turn === LINE_PAGES_MAX) throw new UnreadableReplyError(`Sage X3's list of ${what} does not come to an end.`);
      page = await this.moreLines(key, page.endCursor, what);
      lines.push(...page.nodes.map((line) => rowOf(line, journals.lineFields)));
    }
    return { key, header, lines };
  }

  private async moreLines(key: JournalKey, after: string, what: string) {
    const { journals } = this.settings.graphql;
    const filter = filterOf({ [journals.typeFilter]: key.type, [journals.numberFilter]: key.number });
    const selection = selectionOf([], { [journals.lines]: this.linesSelection(after) });
    for await (const [node] of this.api.pages(journals.node, selection, { filter })) {
      return pageOf(valueAt(node, `${journals.lines}.query`), what);
    }
    throw new UnreadableReplyError(`Sage X3 no longer shows ${what}.`);
  }

  // ── lists ──────────────────────────────────────────────────────────────────────────────────

  private async *list(source: NodeSettings, filter?: string): AsyncIterable<Row[]> {
    const selection = selectionOf(Object.values(source.fields));
    for await (const page of this.api.pages(source.node, selection, filter === undefined ? {} : { filter })) {
      yield page.map((node) => rowOf(node, source.fields));
    }
  }

  private async all(source: NodeSettings, filter: Readonly<Record<string, string>>): Promise<Row[]> {
    const rows: Row[] = [];
    const text = Object.keys(filter).length === 0 ? undefined : filterOf(filter);
    for await (const page of this.list(source, text)) rows.push(...page);
    return rows;
  }
}

function rowOf(node: JsonObject, fields: Readonly<Record<string, string>>): Row {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, path]) => path !== '')
      .map(([column, path]) => [column, plain(valueAt(node, path))]),
  );
}

/** Yes and No are the local menu 2 and 1 in X3's tables. */
function plain(value: Json): string {
  if (typeof value === 'boolean') return value ? '2' : '1';
  return textOf(value);
}
