import { obstacle } from './apPosting.js';
import type { KineticCompany } from './company.js';
import { refusal } from './failures.js';
import { linesIn } from './glRows.js';
import { amount, flag, type Row, text, whole } from './rows.js';
import { GL_GROUP, GL_HEADER, GL_LINE, GL_POSTED, POSTED_HEADER } from './tables.js';

/**
 * Posts the journals of a group that pass: their lines move to the ledger, and with the last journal the group and the
 * headers are gone (Epicor REST: GL sequence).
 * @returns what is in the group's `PostErrorLog` afterwards; '' when all were posted.
 */
export function postJournals(company: KineticCompany, groupId: string, user: string): string {
  const groups = company.database.table(GL_GROUP);
  const group = groups.find(groupId);
  if (group === undefined) throw refusal(`Group ${groupId} is not valid.`);
  const problem = obstacle(company, group);
  const problems = new Set(problem === undefined ? [] : [problem]);
  // A run that ends leaves the group behind without a word in it.
  const isStuck = problem === undefined && company.strikes('stuckPostings');
  const waiting = [...company.database.table(GL_HEADER).where('GroupID', groupId)];
  for (const header of problem === undefined && !isStuck ? waiting : []) {
    const found = problemOf(company, header);
    if (found === undefined) postJournal(company, header, user);
    else problems.add(found);
  }
  if (isStuck) return 'The posting process ended.';
  const log = [...problems].join('\n');
  if (log === '') groups.remove(group);
  else groups.put({ ...group, PostErrorLog: log });
  return log;
}

function problemOf(company: KineticCompany, header: Row): string | undefined {
  const lines = linesIn(company, GL_LINE, header);
  if (lines.length === 0) return 'No transactions';
  if (flag(header, 'JournalHeld')) return 'Journal is held';
  if (amount(header, 'Balance') !== 0n) return 'Out of Balance transactions';
  if (lines.some((line) => company.chart.problemOf(text(line, 'GLAccount'), 'JOURNAL') !== undefined)) {
    return 'Invalid Account';
  }
  return company.isOpen(text(header, 'JEDate')) ? undefined : 'The fiscal period is closed';
}

function postJournal(company: KineticCompany, header: Row, user: string): void {
  const { database, today } = company;
  for (const line of linesIn(company, GL_LINE, header)) {
    database.table(GL_LINE).remove(line);
    const { SysRowID: _id, ...columns } = line;
    database.table(GL_POSTED).put({
      ...columns,
      // Only the line's own text goes to the ledger; the header's, comment and all, is gone.
      ...{ FiscalPeriod: whole(header, 'FiscalPeriod'), GroupID: text(header, 'GroupID'), SourceModule: 'GL' },
      ...{ PostedBy: user, PostedDate: today, CreateDate: text(header, 'CreateDate') },
    });
  }
  database.table(GL_HEADER).remove(header);
  database.table(POSTED_HEADER).put({ ...header, Posted: true, PostedDate: today });
}
