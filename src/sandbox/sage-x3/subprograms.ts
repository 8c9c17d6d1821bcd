import type { X3Company } from './company.js';
import { analyticDraft, ENTRY_FIELDS, LINE_FIELDS, withReference, writeEntry } from './entries.js';
import { importFile } from './importing.js';
import type { GroupLayout, SoapValues } from './soapDocument.js';
import { type ObjectAnswer, soapDates } from './soapObjects.js';
import { isRefusal, words } from './words.js';

interface Batch {
  readonly number: string;
  readonly file: string;
  readonly separator: string;
  readonly dueMs: number;
  status: 'WAITING' | 'DONE' | 'REFUSED';
  messages: string[];
}

export interface PublishedProgram {
  layout: readonly GroupLayout[];
  run(values: SoapValues): ObjectAnswer;
}

const SLOTS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/** The import program's own group; Sage ships it, so it is no setting. */
const IMPORT_GROUP = 'GRP1';
const IMPORT_FIELDS = ['I_MODIMP', 'I_AOWSTA', 'I_EXEC', 'I_RECORDSEP', 'I_FILE', 'O_STATUS', 'O_REQNUM', 'O_MESSAGE'];

/** Sub-programs that are published for `run`: the standard import, its batch status, and the customer's own. */
export class X3Programs {
  private batches: Batch[] = [];
  private waiting = 0;

  constructor(
    private readonly company: X3Company,
    private readonly nowMs: () => number,
  ) {}

  find(publicName: string): PublishedProgram | undefined {
    const { publications } = this.company.settings;
    if (publicName === publications.importer) return this.importer();
    if (publicName === publications.batchStatus) return this.batchStatus();
    return publicName === publications.subprogram ? this.subprogram() : undefined;
  }

  reset(): void {
    this.batches = [];
    this.waiting = 0;
  }

  /** Does the batch requests that are due; called before every request. @returns how many were done. */
  runDue(all = false): number {
    if (this.waiting === 0) return 0;
    const now = this.nowMs();
    const due = this.batches.filter((batch) => batch.status === 'WAITING' && (all || batch.dueMs <= now));
    for (const batch of due) {
      const report = importFile(this.company, batch.file, batch.separator);
      batch.status = report.refused > 0 ? 'REFUSED' : 'DONE';
      batch.messages = report.messages;
      this.waiting -= 1;
    }
    return due.length;
  }

  private importer(): PublishedProgram {
    return {
      layout: [{ id: IMPORT_GROUP, kind: 'GRP', fields: IMPORT_FIELDS }],
      run: (values) => {
        const given = values.get(IMPORT_GROUP)?.[0] ?? new Map<string, string>();
        const answer = (status: string, messages: string[], request = ''): ObjectAnswer => {
          // The parameters come back as well, but for the file.
          const row = new Map([...given].filter(([name]) => name !== 'I_FILE'));
          row.set('O_STATUS', status).set('O_REQNUM', request).set('O_MESSAGE', messages.join(' / '));
          return { messages, values: new Map([[IMPORT_GROUP, [row]]]) };
        };
        const { template, importStatus, batchDelayMs } = this.company.settings;
        const code = given.get('I_MODIMP') ?? '';
        if (code !== template.code) return answer('1', [words.templateUnknown(code)]);
        const file = given.get('I_FILE') ?? '';
        const separator = given.get('I_RECORDSEP') ?? '';
        if (given.get('I_EXEC') === 'BATCH') {
          const number = String(this.batches.length + 1);
          this.batches.push({
            number,
            file,
            separator,
            dueMs: this.nowMs() + batchDelayMs,
            status: 'WAITING',
            messages: [],
          });
          this.waiting += 1;
          return answer('0', [], number);
        }
        if (given.get('I_EXEC') !== 'REALTIME')
          return answer('1', [words.invalid('I_EXEC', given.get('I_EXEC') ?? '')]);
        const report = importFile(this.company, file, separator);
        const failed = importStatus === 'ALL_REFUSED' ? report.written === 0 : report.refused > 0;
        return answer(failed && importStatus !== 'ALWAYS_ZERO' ? '1' : '0', report.messages);
      },
    };
  }

  /** `AOWSBATGET`: its parameters are not published; these names follow those of the import. */
  private batchStatus(): PublishedProgram {
    return {
      layout: [{ id: IMPORT_GROUP, kind: 'GRP', fields: ['I_REQNUM', 'O_STATUS', 'O_STATE'] }],
      run: (values) => {
        const number = values.get(IMPORT_GROUP)?.[0]?.get('I_REQNUM') ?? '';
        const batch = this.batches.find((candidate) => candidate.number === number);
        const status = batch === undefined || batch.status === 'REFUSED' ? '1' : '0';
        const row = new Map([
          ['I_REQNUM', number],
          ['O_STATUS', status],
          ['O_STATE', batch?.status ?? 'UNKNOWN'],
        ]);
        return { messages: batch?.messages ?? [words.missingRecord], values: new Map([[IMPORT_GROUP, [row]]]) };
      },
    };
  }

  /** The customer's routine: it looks for the reference inside the transaction, so a second call writes nothing. */
  private subprogram(): PublishedProgram {
    const { subprogramHeader, subprogramLines, subprogramResult } = this.company.settings.groups;
    const dimensions = SLOTS.flatMap((slot) => [`I_DIE${slot}`, `I_CCE${slot}`]);
    return {
      layout: [
        { id: subprogramHeader, kind: 'GRP', fields: ENTRY_FIELDS.map((name) => `I_${name}`) },
        { id: subprogramLines, kind: 'TAB', fields: [...LINE_FIELDS.map((name) => `I_${name}`), ...dimensions, '#'] },
        { id: subprogramResult, kind: 'GRP', fields: ['O_STATUS', 'O_TYP', 'O_NUM', 'O_EXISTED', 'O_MESSAGE'] },
      ],
      run: (values) => {
        const fields = soapDates(parameters(values.get(subprogramHeader)?.[0]));
        const known = withReference(this.company, (fields.get('REFINT') ?? '').slice(0, 25));
        const lines = (values.get(subprogramLines) ?? []).map((row) => {
          const columns = parameters(row);
          const analytic = analyticDraft(columns, columns.get('AMTCUR') ?? '');
          return { fields: columns, analytics: analytic === undefined ? [] : [analytic] };
        });
        const outcome = known === undefined ? writeEntry(this.company, { fields, lines, origin: 1 }) : { entry: known };
        const refused = isRefusal(outcome);
        const result = new Map([
          ['O_STATUS', refused ? '1' : '0'],
          ['O_TYP', refused ? '' : outcome.entry.type],
          ['O_NUM', refused ? '' : outcome.entry.number],
          ['O_EXISTED', known === undefined ? '1' : '2'],
          ['O_MESSAGE', refused ? outcome.refused.join(' / ') : ''],
        ]);
        return { messages: refused ? [...outcome.refused] : [], values: new Map([[subprogramResult, [result]]]) };
      },
    };
  }
}

function parameters(row: ReadonlyMap<string, string> | undefined): Map<string, string> {
  return new Map([...(row ?? [])].map(([name, value]) => [name.replace(/^I_/, ''), value]));
}
