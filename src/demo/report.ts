import { reconciliationTable } from '../cli/output.js';
import type { Facts } from './facts.js';
import { accessTo, type Days, type Flow } from './flow.js';
import type { Screen } from './screen.js';
import type { Stage } from './stage.js';

/** Prints what happened. */
export function printFacts(screen: Screen, { flow, access }: Stage, facts: Facts): void {
  const { spend, postings, ledger, audit } = facts;
  const { records: noun } = flow.source;
  const records = Object.values(spend).reduce((sum, count) => sum + count, 0);
  screen.line();
  screen.line('WHAT HAPPENED');
  screen.line(`  read       ${records} ${noun}${flow.origin?.(access) ?? ''}`);
  screen.line(`  posted     ${postings.POSTED + postings.REVERSED} documents are in the ledger`);
  screen.line(
    `  corrected  ${postings.REVERSED} reversed, ${spend.CORRECTED} ${noun} replaced after a change at the source`,
  );
  screen.line(`  exported   ${facts.exported} ${flow.source.exportedWords}`);
  screen.line(`  held       ${postings.HELD} documents wait for a person`);
  for (const { code, count, resolution, examples } of facts.held) {
    screen.line(`    ${String(count).padStart(5)}  ${code}: ${examples[0] ?? ''}`);
    screen.line(`           → ${resolution}`);
  }
  if (postings.REJECTED > 0) {
    screen.line(`  rejected   ${postings.REJECTED} documents were turned down by the ledger`);
    for (const words of facts.rejections) screen.line(`           “${words}”`);
  }
  screen.line(`  excluded   ${spend.EXCLUDED} ${noun}`);
  for (const { reason, count } of facts.excluded) screen.line(`    ${String(count).padStart(5)}  ${reason}`);
  const waiting = facts.waiting.reduce((sum, one) => sum + one.count, 0);
  screen.line(`  waiting    ${waiting} ${noun}`);
  for (const { reason, count } of facts.waiting) screen.line(`    ${String(count).padStart(5)}  ${reason}`);
  printTotals(screen, facts);
  screen.line(`Audit trail: ${audit.ok ? 'whole' : 'BROKEN'}, ${audit.eventsChecked} events verified.`);
  const kind = flow.pipeline.documentType === 'JOURNAL' ? 'journals' : 'invoices';
  screen.line(
    `${flow.ledger.title}: ${ledger[kind]} ${kind}, ${ledger.posted} posted, ${ledger.unbalanced} out of balance, ` +
      `${ledger.duplicates.length} references twice.`,
  );
}

function printTotals(screen: Screen, { reconciliation }: Facts): void {
  screen.line();
  screen.line('SOURCE AGAINST LEDGER');
  for (const line of reconciliationTable(reconciliation.totals).trimEnd().split('\n')) screen.line(`  ${line}`);
  for (const unknown of reconciliation.unknowns) screen.line(`  not counted: ${unknown}`);
  screen.line();
}

/** What is not as it must be; empty when all is well. */
export function problemsOf({ title }: Flow['ledger'], facts: Facts): string[] {
  const problems: string[] = [];
  const { postings, ledger, reconciliation, audit } = facts;
  for (const { currency, difference } of reconciliation.totals) {
    if (!/^-?0(\.0*)?$/.test(difference)) problems.push(`The difference in ${currency} is ${difference}.`);
  }
  if (reconciliation.totals.length === 0) problems.push('The reconciliation is empty.');
  if (!audit.ok) problems.push('The audit trail is broken.');
  const documents = postings.POSTED + postings.REVERSED;
  const held = ledger.journals + ledger.invoices;
  if (held !== documents || ledger.posted !== documents) {
    problems.push(`${title} has ${held} documents (${ledger.posted} posted) for ${documents} postings.`);
  }
  if (documents === 0) problems.push('Nothing was posted.');
  if (ledger.unbalanced > 0) problems.push(`${ledger.unbalanced} documents are out of balance.`);
  if (ledger.duplicates.length > 0) problems.push(`${ledger.duplicates.length} references occur twice in ${title}.`);
  if (postings.REJECTED > 0) problems.push(`${postings.REJECTED} documents were turned down by ${title}.`);
  const open = postings.PLANNED + postings.READY + postings.POSTING + postings.IN_DOUBT;
  if (open > 0) problems.push(`${open} postings are still on their way.`);
  return problems;
}

/** Three queries to paste, each with its real answer. */
export async function printQueries(screen: Screen, { api }: Stage, pipelineId: string, days: Days): Promise<void> {
  const queries = [
    [
      'Does the period close?',
      `{ reconciliation(pipelineId: "${pipelineId}", from: "${days.from}", to: "${days.to}") { complete totals { currency source posted held difference } } }`,
    ],
    [
      'What waits for a person, and why?',
      '{ glPostings(first: 1, filter: { statuses: [HELD] }) { totalCount nodes { reference totalDebit currency holds { code message resolution } } } }',
    ],
    [
      'Why is this line on this account?',
      '{ glPostings(first: 1, filter: { statuses: [POSTED] }) { nodes { ledgerDocumentId postingDate lines { glAccount costCentre debit credit explanation } spendRecords(first: 1) { nodes { merchantName sourceRefs { stream id } } } } } }',
    ],
  ] as const;
  screen.line();
  screen.line('THREE QUERIES TO PASTE');
  for (const [title, query] of queries) {
    screen.line(`  ${title}`);
    screen.line(`    ${query}`);
    screen.line(`    → ${JSON.stringify(await api.query(query))}`);
  }
}

export function printPlaces(screen: Screen, { api, access, flow }: Stage, serving: boolean): void {
  screen.line();
  screen.line('WHERE TO LOOK');
  screen.line(`  console         ${api.url}/`);
  screen.line(`  GraphQL         ${api.url}/graphql`);
  screen.line(`  API key         ${api.key}`);
  for (const { title, sandbox } of [flow.source, flow.ledger]) {
    screen.line(`  ${`${title} sandbox`.padEnd(15)} ${accessTo(access, sandbox).controlUrl}/summary`);
  }
  if (serving) {
    screen.line();
    screen.line('Everything keeps running until Ctrl-C.');
  }
}
