import { UnreadableReplyError } from '../../errors.js';
import type { SageX3Settings } from './config.js';
import { warningsIn } from './failures.js';
import { importFile } from './importFile.js';
import { fieldsOf, isObject } from './json.js';
import type { MappedJournal } from './mapper.js';
import type { JournalKey, Row } from './reader.js';
import type { RestApi } from './rest.js';
import type { Described, SoapAnswer, SoapApi, SoapGroup } from './soap.js';
import type { X3Call, X3Reply } from './transport.js';

/** The four ways to write one journal. Each sends once and says what the answer says; `poster.ts` judges it. */

export interface Written {
  readonly isOk: boolean;
  /** The ledger's words, without secrets. */
  readonly messages: readonly string[];
  readonly warnings: readonly string[];
  /** What the answer names, where it names one. */
  readonly key: JournalKey | null;
}

export type Send = (call: X3Call) => Promise<X3Reply>;

export interface JournalWriter {
  /**
   * Everything that can fail before the write: composes it, and asks for group ids.
   * @returns the sending of it, to be called once.
   */
  prepare(journal: MappedJournal): Promise<(send: Send) => Promise<Written>>;
  /** Asks whether the way to write is there, without writing. What was found, in a sentence. */
  probe(): Promise<string>;
}

export interface WriterParts {
  readonly settings: SageX3Settings;
  readonly soap: SoapApi;
  readonly rest: RestApi;
}

export function writerOf(parts: WriterParts): JournalWriter {
  switch (parts.settings.journalMode) {
    case 'soap-import':
      return importWriter(parts);
    case 'soap-object':
      return screenWriter(parts, 'save');
    case 'soap-subprogram':
      return screenWriter(parts, 'run');
    case 'rest-object':
      return restWriter(parts);
  }
}

// ── import ───────────────────────────────────────────────────────────────────────────────────

/**
 * One journal in one call, in real time: an import commits record by record, and a status of several journals would not
 * tell which of them are there. A batch would leave the outcome open, so it is not offered.
 */
function importWriter({ settings, soap }: WriterParts): JournalWriter {
  const { import: layout } = settings;
  return {
    async prepare(journal) {
      const group: SoapGroup = {
        id: layout.group,
        fields: {
          I_MODIMP: settings.importTemplate ?? '',
          I_AOWSTA: 'NO',
          I_EXEC: 'REALTIME',
          I_RECORDSEP: layout.recordSeparator,
          I_FILE: importFile(journal, settings),
        },
      };
      return async (send) => importOutcome(await soap.write(send, 'run', layout.program, [group]));
    },
    async probe() {
      await soap.describe(layout.program);
      return `The import program ${layout.program} is published; whether template ${settings.importTemplate ?? ''} exists shows with the first journal.`;
    },
  };
}

/** The program has a status of its own: 0 is success there, while SOAP's 1 only says that the program ran. */
function importOutcome(answer: SoapAnswer): Written {
  const own = rowWith(answer, 'O_STATUS');
  const messages = [...answer.messages, ...messageFields(own)];
  const { warnings } = answer;
  if (!answer.isOk) return { isOk: false, messages, warnings, key: null };
  const status = own?.O_STATUS ?? '';
  if (!/^-?\d+$/.test(status)) throw new UnreadableReplyError('The import program answered without O_STATUS.');
  return { isOk: Number(status) === 0, messages, warnings, key: null };
}

function messageFields(row: Row | null): string[] {
  if (row === null) return [];
  return Object.entries(row)
    .filter(([name, value]) => /MES|MSG|ERR/i.test(name) && value !== '' && !/^\d+$/.test(value))
    .map(([, value]) => value);
}

// ── object and sub-program ───────────────────────────────────────────────────────────────────

function screenWriter({ settings, soap }: WriterParts, operation: 'save' | 'run'): JournalWriter {
  const screen = operation === 'save' ? settings.object : settings.subprogram;
  return {
    async prepare(journal) {
      const known = screen.discover ? await soap.describe(screen.publication) : new Map<string, string[]>();
      const groups = screenGroups(journal, screen, known);
      return async (send) => {
        const answer = await soap.write(send, operation, screen.publication, groups);
        return operation === 'save' ? savedOutcome(answer) : programOutcome(answer, settings.subprogram);
      };
    },
    async probe() {
      const fields = await soap.describe(screen.publication);
      const wanted = theirName('REFINT', screen);
      if (fields.has(wanted))
        return `${screen.publication} is published, and takes the reference in ${wanted} (group ${fields.get(wanted)?.join(', ')}).`;
      return `${screen.publication} is published; its description does not name ${wanted}, so check that the reference arrives with the first journal.`;
    },
  };
}

type Screen = SageX3Settings['object'] | SageX3Settings['subprogram'];

function theirName(field: string, { prefix, fieldNames }: Screen): string {
  return fieldNames[field] ?? `${prefix}${field}`;
}

/** What follows from the site and the entry type; the journal is compared after the write. */
const IMPLIED = new Set(['CPY', 'CAT', 'LEDTYP', 'FCYLIN']);
const OPTIONAL = new Set(['JOU', 'DACDIA', 'STA', 'DESVCR', 'BPRVCR', 'DES', 'REFINTLIN']);

/** Fields by the group that the publication has them in; a grid keeps its rows together. */
export function screenGroups(journal: MappedJournal, screen: Screen, known: Described): SoapGroup[] {
  const groupsOf = (name: string) => known.get(theirName(name, screen)) ?? [];
  // A publication that names its fields refuses others, and what X3 can do without is then left out.
  const isTaken = (name: string, grid: string | null) => {
    if (IMPLIED.has(name) || screen.omit.includes(name)) return false;
    if (known.size === 0 || !OPTIONAL.has(name)) return true;
    return grid === null ? groupsOf(name).length > 0 : groupsOf(name).includes(grid);
  };
  const taken = (fields: Row, grid: string | null) =>
    Object.entries(fields).filter(([name, value]) => value !== '' && isTaken(name, grid));
  const rowIn = (grid: string, fields: Row): Row =>
    Object.fromEntries(taken(fields, grid).map(([name, value]) => [theirName(name, screen), value]));

  const headers = new Map<string, Record<string, string>>();
  for (const [name, value] of taken(journal.header, null)) {
    const id = groupsOf(name)[0] ?? screen.headerGroup;
    headers.set(id, { ...headers.get(id), [theirName(name, screen)]: value });
  }
  // ACC and ANALIN tell the two grids apart: LIN and AMTCUR are in both.
  const lineGrid = groupsOf('ACC')[0] ?? screen.lineGroup;
  const splitGrid = screen.analyticalGroup === undefined ? null : (groupsOf('ANALIN')[0] ?? screen.analyticalGroup);
  const lines = journal.lines.map(({ fields, analytical }) =>
    rowIn(lineGrid, splitGrid !== null || analytical === null ? fields : { ...fields, ...dimensionsIn(analytical) }),
  );
  const split = journal.lines.flatMap(({ analytical }) => (analytical === null ? [] : [analytical]));
  return [
    ...[...headers].map(([id, fields]) => ({ id, fields })),
    { id: lineGrid, rows: lines },
    ...(splitGrid === null || split.length === 0
      ? []
      : [{ id: splitGrid, rows: split.map(({ SNS: _side, ...fields }) => rowIn(splitGrid, fields)) }]),
  ];
}

function dimensionsIn(analytical: Row): Row {
  return Object.fromEntries(Object.entries(analytical).filter(([name]) => /^(DIE|CCE)\d$/.test(name)));
}

function savedOutcome(answer: SoapAnswer): Written {
  const { isOk, messages, warnings } = answer;
  return { isOk, messages, warnings, key: isOk ? keyIn(answer, 'TYP', 'NUM') : null };
}

function programOutcome(answer: SoapAnswer, program: SageX3Settings['subprogram']): Written {
  const own = program.statusField === '' ? null : rowWith(answer, program.statusField);
  const message =
    program.messageField === '' ? '' : (rowWith(answer, program.messageField)?.[program.messageField] ?? '');
  const messages = message === '' ? answer.messages : [...answer.messages, message];
  const { warnings } = answer;
  if (!answer.isOk) return { isOk: false, messages, warnings, key: null };
  const key = keyIn(answer, program.typeField, program.numberField);
  if (program.statusField === '') return { isOk: true, messages, warnings, key };
  const status = own?.[program.statusField] ?? '';
  if (status === '') throw new UnreadableReplyError(`The sub-program answered without ${program.statusField}.`);
  return { isOk: program.okStatuses.includes(status), messages, warnings, key };
}

function rowWith(answer: SoapAnswer, field: string): Row | null {
  return answer.result.groups.flatMap((group) => group.rows).find((row) => row[field] !== undefined) ?? null;
}

function keyIn(answer: SoapAnswer, typeField: string, numberField: string): JournalKey | null {
  const type = rowWith(answer, typeField)?.[typeField] ?? '';
  const number = rowWith(answer, numberField)?.[numberField] ?? '';
  return type === '' || number === '' ? null : { type, number };
}

// ── a published class ────────────────────────────────────────────────────────────────────────

function restWriter({ settings, rest }: WriterParts): JournalWriter {
  const { restWrite } = settings;
  return {
    async prepare(journal) {
      const body = restBody(journal, restWrite);
      return async (send) => {
        const { body: answer, problems } = await rest.create(send, restWrite, body);
        if (problems.length > 0) return { isOk: false, messages: problems, warnings: [], key: null };
        const created = isObject(answer.$resource) ? answer.$resource : answer;
        const fields = fieldsOf(created);
        const key = { type: fields.TYP ?? '', number: fields.NUM ?? '' };
        return {
          isOk: true,
          messages: [],
          warnings: warningsIn(answer),
          key: key.type === '' || key.number === '' ? null : key,
        };
      };
    },
    async probe() {
      await rest.template(restWrite);
      return `The class ${restWrite.class} shows its values for a new record, so this user may open it.`;
    },
  };
}

/** JSON of a new journal: ISO dates, and lines with their analytical rows inside. */
export function restBody(journal: MappedJournal, names: SageX3Settings['restWrite']): Record<string, unknown> {
  const filled = (fields: Row): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(([name, value]) => value !== '' && !IMPLIED.has(name) && !names.omit.includes(name))
        .map(([name, value]) => [names.fieldNames[name] ?? name, jsonValue(name, value)]),
    );
  return {
    ...filled(journal.header),
    [names.lines]: journal.lines.map(({ fields, analytical }) => ({
      ...filled(fields),
      ...(analytical === null ? {} : { [names.analyticalLines]: [filled(analytical)] }),
    })),
  };
}

const NUMBERS = new Set(['LIN', 'LEDTYP', 'SNS', 'ANALIN', 'STA', 'CAT', 'AMTCUR']);

function jsonValue(name: string, value: string): string | number {
  if (name === 'ACCDAT') return `${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6, 8)}`;
  if (!NUMBERS.has(name)) return value;
  // Up to 15 digits a double prints exactly what it was read from; a longer amount goes as text.
  return value.replace(/\D/g, '').length <= 15 ? Number(value) : value;
}
