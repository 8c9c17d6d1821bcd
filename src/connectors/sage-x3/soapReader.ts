import { ConfigurationError, UnreadableReplyError } from '../../errors.js';
import type { DocumentQuery } from '../contract.js';
import type { X3Context } from './auth.js';
import { fits } from './failures.js';
import { isGeneralLine, type JournalKey, type JournalRecord, type Row, type X3Reader } from './reader.js';
import type { SoapApi, SoapResult } from './soap.js';

/** Reading by SOAP: `query` and `read` on the customer's publications. A list has one page, so a full one is refused. */
export class SoapReader implements X3Reader {
  constructor(
    private readonly api: SoapApi,
    private readonly settings: X3Context['settings'],
  ) {}

  async login(): Promise<string> {
    const { journals } = this.settings.soap;
    const fields = await this.api.describe(journals);
    return `Logged in; the pool serves ${journals} with ${fields.size} fields.`;
  }

  accounts(): AsyncIterable<Row[]> {
    return this.list(this.settings.soap.accounts);
  }

  suppliers(): AsyncIterable<Row[]> {
    return this.list(this.settings.soap.suppliers);
  }

  dimensions(): AsyncIterable<Row[]> {
    return this.list(this.settings.soap.dimensions);
  }

  async periods(): Promise<Row[]> {
    throw new ConfigurationError('Fiscal periods are not read by SOAP. Enter them in the setting fiscalPeriods.', {
      code: 'PERIODS_MISSING',
    });
  }

  async supplier(code: string): Promise<Row | null> {
    const result = await this.api.read(this.settings.soap.suppliers, { BPSNUM: code }, this.isMissing);
    return result === null ? null : headerOf(result);
  }

  async suppliersWith(field: string, value: string): Promise<Row[]> {
    const rows = await this.api.query(this.settings.soap.suppliers, { [field]: value }, this.settings.soap.listSize);
    return rows.filter((row) => row[field] === value);
  }

  async journalsOf({ reference }: Pick<DocumentQuery, 'reference' | 'postingDate'>): Promise<JournalRecord[]> {
    const { journals: publication, listSize } = this.settings.soap;
    const rows = await this.api.query(publication, { REFINT: reference }, listSize);
    const journals: JournalRecord[] = [];
    for (const row of rows) {
      const { TYP: type = '', NUM: number = '' } = row;
      if (type === '' || number === '') {
        throw new ConfigurationError(
          `The list of ${publication} does not show TYP and NUM of a journal. Add them to the publication's list.`,
          { code: 'JOURNAL_KEY_MISSING' },
        );
      }
      if (row.REFINT !== undefined && row.REFINT !== reference) continue;
      const journal = await this.journal({ type, number });
      if (journal === null)
        throw new UnreadableReplyError(`Sage X3 lists the journal ${type} ${number} and does not show it.`);
      if (journal.header.REFINT === undefined && row.REFINT === undefined) {
        throw new ConfigurationError(
          `The publication ${publication} does not show REFINT, so journals cannot be found again. Add it to the publication.`,
          { code: 'REFERENCE_NOT_SHOWN' },
        );
      }
      if ((journal.header.REFINT ?? row.REFINT) === reference) journals.push(journal);
    }
    return journals;
  }

  async journal(key: JournalKey): Promise<JournalRecord | null> {
    const { journals } = this.settings.soap;
    const result = await this.api.read(journals, { TYP: key.type, NUM: key.number }, this.isMissing);
    if (result === null) return null;
    const header = headerOf(result);
    if (header.NUM !== undefined && header.NUM !== key.number) {
      throw new UnreadableReplyError(`Sage X3 showed another journal when asked for ${key.type} ${key.number}.`);
    }
    return { key, header, lines: this.linesOf(result) };
  }

  private linesOf(result: SoapResult): readonly Row[] {
    const { lines: id } = this.settings.soap;
    const grids = result.groups.filter((group) =>
      id === undefined ? group.rows.length > 0 && group.rows.every(isGeneralLine) : group.id === id,
    );
    const [grid] = grids;
    if (grid && grids.length === 1) return grid.rows;
    throw new ConfigurationError(
      'What Sage X3 shows of a journal has not exactly one grid of general lines. Enter its group id in the setting soap.lines.',
      { code: 'JOURNAL_LINES_MISSING' },
    );
  }

  private readonly isMissing = (messages: readonly string[]): boolean =>
    messages.every((message) => fits(message, this.settings.errorPatterns.missing));

  private async *list(publication: string): AsyncIterable<Row[]> {
    yield await this.api.query(publication, {}, this.settings.soap.listSize);
  }
}

/** Fields of all groups that have one row; the first group that names a field counts. */
function headerOf(result: SoapResult): Row {
  const header: Record<string, string> = {};
  for (const { rows } of result.groups) {
    const [row, ...others] = rows;
    if (!row || others.length > 0 || isGeneralLine(row)) continue;
    for (const [name, value] of Object.entries(row)) header[name] ??= value;
  }
  return header;
}
