import { COMPANY, DIVISION } from './access.js';
import type { M3Company } from './company.js';
import { doesNotExist, MiError, notAuthorised } from './failures.js';
import { checkInput, type DateFormat, type Values } from './fields.js';
import type { Catalogue } from './mi.js';
import type { Outcome } from './replies.js';
import type { InforM3Settings } from './settings.js';
import { mayUse } from './tools.js';

/** In which company and division a call works and how many rows it wants; absent options are the user's own. */
export interface CallContext {
  company: string | undefined;
  division: string | undefined;
  maxRecords: number | undefined;
  dates: DateFormat;
}

const DEFAULT_RECORDS = 100;

/** Runs single transactions, as the M3 server does behind the gateway. */
export class MiRunner {
  constructor(
    private readonly company: M3Company,
    private readonly catalogue: Catalogue,
    private readonly settings: InforM3Settings,
    private readonly now: () => Date,
  ) {}

  /** @returns whether the transaction changes something; false for what does not exist. */
  isWrite(program: string, transaction: string): boolean {
    try {
      return this.catalogue.transaction(program, transaction).isWrite;
    } catch (error) {
      if (error instanceof MiError) return false;
      throw error;
    }
  }

  run(program: string, transaction: string, sent: Values, context: CallContext): Outcome {
    try {
      return this.execute(program, transaction, sent, context);
    } catch (error) {
      if (error instanceof MiError) return { transaction, input: sent, error };
      throw error;
    }
  }

  private execute(program: string, name: string, sent: Values, context: CallContext): Outcome {
    if (!mayUse(this.settings, program)) throw notAuthorised(`program ${program}`);
    if (context.company !== undefined && context.company !== COMPANY) {
      throw notAuthorised(`company ${context.company}`, 'CONO');
    }
    const transaction = this.catalogue.transaction(program, name);
    const values = checkInput(transaction.input(this.settings), sent, context.dates);
    if (![undefined, '', COMPANY].includes(values.CONO)) throw notAuthorised(`company ${values.CONO}`, 'CONO');
    const division = context.division ?? this.settings.userDivision;
    for (const asked of [division, values.DIVI ?? '']) this.checkDivision(asked);
    const call = { company: this.company, settings: this.settings, values, division, now: this.now() };
    const rows = firstOf(transaction.run(call), this.limit(context.maxRecords));
    if (transaction.isPoll) this.company.jobs.countRead();
    if (rows.length === 0 && name.startsWith('Lst') && this.settings.emptyLists === 'NOK') {
      throw new MiError('No records found', 'WRE0103');
    }
    return { transaction: name, input: sent, output: transaction.output, rows };
  }

  private checkDivision(division: string): void {
    if (['', DIVISION, this.settings.userDivision].includes(division)) return;
    throw doesNotExist('Division', division, 'DIVI', 'WDI0103');
  }

  /** 0 asks for all there is; the installation's own cap holds all the same. */
  private limit(asked: number | undefined): number {
    const cap = this.settings.recordCap ?? Number.POSITIVE_INFINITY;
    return Math.min(asked === 0 ? cap : (asked ?? DEFAULT_RECORDS), cap);
  }
}

function firstOf(rows: Iterable<Values>, limit: number): Values[] {
  const taken: Values[] = [];
  for (const row of rows) {
    if (taken.length >= limit) break;
    taken.push(row);
  }
  return taken;
}
