import { reconciliationTable } from '../cli/output.js';
import type { Facts } from './facts.js';
import type { Screen } from './screen.js';
import type { Stage } from './stage.js';

/** Prints what happened. */
export function printFacts(screen: Screen, facts: Facts, objectsRead: string): void {
  const { spend, postings } = facts;
  const records = Object.values(spend).reduce((sum, count) => sum + count, 0);
  screen.line();
  screen.line('WHAT HAPPENED');
  screen.line(`  read       ${records} purchases${objectsRead}`);
  screen.line(`  posted     ${postings.POSTED + postings.REVERSED} documents are in the ledger`);
  screen.line(
    `  corrected  ${postings.REVERSED} reversed, ${spend.CORRECTED} purchases replaced after a change at the source`,
  );
  screen.line(`  exported   ${facts.exported} accounting records reported to Brex as exported`);
  screen.line(`  held       ${postings.HELD} documents wait for a person`);
  for (const { code, count, resolution, examples } of facts.held) {
    screen.line(`    ${String(count).padStart(5)}  ${code}: ${examples[0] ?? ''}`);
    screen.line(`           → ${resolution}`);
  }
  screen.line(`  excluded   ${spend.EXCLUDED} purchases`);
  for (const { reason, count } of facts.excluded) screen.line(`    ${String(count).padStart(5)}  ${reason}`);
  const waiting = facts.waiting.reduce((sum, one) => sum + one.count, 0);
  screen.line(`  waiting    ${waiting} purchases`);
  for (const { reason, count } of facts.waiting) screen.line(`    ${String(count).padStart(5)}  ${reason}`);
  printTotals(screen, facts);
  const { audit, ledger } = facts;
  screen.line(`Audit trail: ${audit.ok ? 'whole' : 'BROKEN'}, ${audit.eventsChecked} events verified.`);
  const duplicates = Object.keys(ledger.duplicates).length;
  screen.line(
    `SYSPRO: ${ledger.journals} journals, ${ledger.posted} posted, ${ledger.unbalanced} out of balance, ${duplicates} references twice.`,
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
export function problemsOf(facts: Facts): string[] {
  const problems: string[] = [];
  const { postings, ledger, reconciliation, audit } = facts;
  for (const { currency, difference } of reconciliation.totals) {
    if (!/^-?0(\.0*)?$/.test(difference)) problems.push(`The difference in ${currency} is ${difference}.`);
  }
  if (reconciliation.totals.length === 0) problems.push('The reconciliation is empty.');
  if (!audit.ok) problems.push('The audit trail is broken.');
  const documents = postings.POSTED + postings.REVERSED;
  if (ledger.journals !== documents || ledger.posted !== documents) {
    problems.push(`SYSPRO has ${ledger.journals} journals (${ledger.posted} posted) for ${documents} postings.`);
  }
  if (ledger.unbalanced > 0) problems.push(`${ledger.unbalanced} journals are out of balance.`);
  const duplicates = Object.keys(ledger.duplicates).length;
  if (duplicates > 0) problems.push(`${duplicates} references occur twice in SYSPRO.`);
  const open = postings.PLANNED + postings.READY + postings.POSTING + postings.IN_DOUBT;
  if (open > 0) problems.push(`${open} postings are still on their way.`);
  return problems;
}

/** Three queries to paste, each with its real answer. */
export async function printQueries(
  screen: Screen,
  { api }: Stage,
  pipelineId: string,
  days: { from: string; to: string },
): Promise<void> {
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

export function printPlaces(screen: Screen, { api, access }: Stage, serving: boolean): void {
  screen.line();
  screen.line('WHERE TO LOOK');
  screen.line(`  console         ${api.url}/`);
  screen.line(`  GraphQL         ${api.url}/graphql`);
  screen.line(`  API key         ${api.key}`);
  screen.line(`  Brex sandbox    ${access.brex.controlUrl}/summary`);
  screen.line(`  SYSPRO sandbox  ${access.syspro.controlUrl}/summary`);
  if (serving) {
    screen.line();
    screen.line('Everything keeps running until Ctrl-C.');
  }
}
