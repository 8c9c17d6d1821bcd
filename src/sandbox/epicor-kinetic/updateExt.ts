import { KineticError, refusal } from './failures.js';
import { type SentRow, text } from './rows.js';
import type { Call, Outcome } from './service.js';

/** The parameters that `UpdateExt` has in every service. */
export const UPDATE_EXT_PARAMETERS = ['ds', 'continueProcessingOnError', 'rollbackParentOnChildError'];

/** Ends the transaction of a call that answers 200 all the same. */
class TakenBack extends Error {}

/**
 * `UpdateExt`: HTTP 200 even when rows failed; `errorsOccurred` and `BOUpdError` tell (Epicor REST: method calls).
 * Rows before a failed one stay, unless the caller wants the parent taken back.
 */
export function saveRowByRow(
  call: Call,
  rows: readonly SentRow[],
  how: { save(sent: SentRow): unknown; shown(): unknown },
): Outcome {
  const { company, args } = call;
  const goesOn = args.flag('continueProcessingOnError');
  const failures: { sent: SentRow; error: KineticError }[] = [];
  try {
    company.database.transaction(() => {
      for (const sent of rows) {
        const error = failureOf(call, sent, how.save);
        if (error === undefined) continue;
        failures.push({ sent, error });
        if (!goesOn) break;
      }
      if (failures.length > 0 && args.flag('rollbackParentOnChildError')) throw new TakenBack();
    });
  } catch (error) {
    if (!(error instanceof TakenBack)) throw error;
  }
  const BOUpdError = failures.map(({ sent, error }) => ({
    ...{ TableName: sent.def.name, ErrorLevel: 'Error', ErrorType: error.type, ErrorText: error.message },
    ...{ ErrorSysRowID: text(sent.row, 'SysRowID'), SysRowID: text(sent.row, 'SysRowID'), RowMod: sent.rowMod },
  }));
  return {
    returnObj: { BOUpdError, ExtensionTables: [] },
    parameters: { errorsOccurred: failures.length > 0, ds: how.shown() },
  };
}

function failureOf({ company }: Call, sent: SentRow, save: (sent: SentRow) => unknown): KineticError | undefined {
  try {
    company.database.transaction(() => {
      if (company.strikes('failedRows')) throw refusal('The row could not be saved.', { table: sent.def.name });
      save(sent);
    });
  } catch (error) {
    if (error instanceof KineticError) return error;
    throw error;
  }
  return undefined;
}
