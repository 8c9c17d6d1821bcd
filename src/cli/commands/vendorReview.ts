import type { Command } from 'commander';
import { InputError } from '../../errors.js';
import { createUseCases } from '../../services/allUseCases.js';
import type { ThresholdPreview } from '../../services/vendorThresholds.js';
import { type Work, withGround } from '../ground.js';
import { EXIT, printJson, printProblems, table } from '../output.js';
import type { Cli } from '../program.js';
import { type CheckedDecision, checkDecisions, ledgerIdOf, readDecisions } from '../vendorDecisions.js';

export function addVendorReview(vendors: Command, cli: Cli): void {
  vendors
    .command('review')
    .description('asks about the merchants that wait for a person, one at a time')
    .option('--ledger <ledger>', 'id or name; may be left out where there is one')
    .option('--json', 'prints what waits as one JSON document and asks nothing')
    .action(cli.action((options: ReviewOptions) => review(cli, options)));
  vendors
    .command('import')
    .argument('<file>', 'CSV merchant,decision,supplier_code,supplier_name; decisions as in resolveVendorMatch')
    .description('carries out decisions about merchants from a file: all of them, or none if one is unusable')
    .option('--ledger <ledger>', 'id or name; may be left out where there is one')
    .option('--dry-run', 'says what would be done, and does nothing')
    .option('--json', 'prints one JSON document')
    .action(cli.action((file: string, options: ImportOptions) => importDecisions(cli, file, options)));
  vendors
    .command('thresholds')
    .description('what thresholds would have done to the last year; saves them with --save')
    .option('--ledger <ledger>', 'id or name; may be left out where there is one')
    .option('--auto-score <score>', 'an automatic match has at least this score, 0 to 1')
    .option('--auto-margin <margin>', 'and is this far ahead of the next supplier')
    .option('--review-score <score>', 'from this score on a person is asked')
    .option('--save', 'saves them, unless they disagree with what people decided')
    .option('--accept-disagreements', 'saves them although they do')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: ThresholdOptions) => thresholds(cli, options)));
}

interface ReviewOptions {
  ledger?: string;
  json?: boolean;
}

interface ImportOptions extends ReviewOptions {
  dryRun?: boolean;
}

interface ThresholdOptions extends ReviewOptions {
  autoScore?: string;
  autoMargin?: string;
  reviewScore?: string;
  save?: boolean;
  acceptDisagreements?: boolean;
}

// ── one at a time ────────────────────────────────────────────────────────────────────────────

interface Waiting {
  readonly id: string;
  readonly merchant: string;
  readonly explanation: string;
  readonly purchases: number;
  readonly candidates: readonly { supplierCode: string; supplierName: string; score: number }[];
}

const WAITING_MAX = 500;

function waitingMerchants({ ground, caller }: Work, ledgerId: string): Promise<Waiting[]> {
  return ground.db.tenant(caller.tenantId, (tx) =>
    tx.query<Waiting>(
      `select m.id, m.merchant_name as merchant, m.explanation, m.candidates,
         (select count(*)::int from spend_records r where r.tenant_id = m.tenant_id and r.merchant_key = m.merchant_key) as purchases
       from vendor_matches m where m.tenant_id = $1 and m.ledger_id = $2
         and (m.status = 'NEEDS_REVIEW' or (m.status in ('UNMATCHED', 'REJECTED') and m.create_as is null))
       order by (m.status = 'NEEDS_REVIEW') desc, purchases desc, m.merchant_key limit $3`,
      [tx.tenantId, ledgerId, WAITING_MAX],
    ),
  );
}

async function review(cli: Cli, { ledger, json = false }: ReviewOptions): Promise<number> {
  const { askLine } = cli.io;
  if (!json && !askLine) {
    throw new InputError('A review needs a person at a terminal. For scripts there are --json and vendors import.', [
      'review',
    ]);
  }
  return withGround(cli.tenant(), async (work) => {
    const ledgerId = await ledgerIdOf(work, ledger);
    const waiting = await waitingMerchants(work, ledgerId);
    if (json || !askLine) {
      printJson(cli.io, { ok: true, waiting });
      return EXIT.done;
    }
    let released = 0;
    let decided = 0;
    for (const [place, one] of waiting.entries()) {
      cli.io.out(questionText(one, place + 1, waiting.length));
      const answer = await answerTo(cli, work, one, askLine);
      if (answer === 'QUIT') break;
      if (answer === 'LATER') continue;
      decided += 1;
      released += answer;
    }
    cli.io.out(`${decided} decided, ${released} postings released, ${waiting.length - decided} left.\n`);
    return EXIT.done;
  });
}

function questionText({ merchant, explanation, purchases, candidates }: Waiting, place: number, of: number): string {
  const rows = candidates.map((one, i) => [i + 1, one.supplierCode, one.supplierName, one.score.toFixed(2)]);
  const list = rows.length === 0 ? '' : table(['', 'code', 'supplier', 'score'], rows);
  return `\n${place}/${of}  ${merchant}  (${purchases} purchases)\n${explanation}\n${list}`;
}

const HELP =
  'number = that supplier, =CODE = another one, r = none of these, c [name] = a new supplier, s = later, q = quit';

/** Asks until the answer can be carried out. @returns postings released, or what to do instead. */
async function answerTo(
  cli: Cli,
  { ground, caller }: Work,
  { id, candidates }: Waiting,
  askLine: (question: string) => Promise<string | null>,
): Promise<number | 'LATER' | 'QUIT'> {
  for (;;) {
    const line = await askLine(`${HELP}: `);
    if (line === null || line === 'q') return 'QUIT';
    if (line === '' || line === 's') return 'LATER';
    const input = decisionOf(line, candidates);
    if (input === null) {
      cli.io.out('That is none of the answers.\n');
      continue;
    }
    const answer = await createUseCases(ground.engine).resolveVendorMatch(caller, { id, ...input });
    if (answer.ok) {
      cli.io.out(`Done; ${answer.value.releasedPostings} postings released.\n`);
      return answer.value.releasedPostings;
    }
    for (const { message, resolution } of answer.problems) cli.io.out(`${message} ${resolution ?? ''}\n`);
  }
}

function decisionOf(line: string, candidates: Waiting['candidates']) {
  const assigned = /^=\s*(\S.*)$/.exec(line)?.[1];
  const picked = /^\d+$/.test(line) ? candidates[Number(line) - 1]?.supplierCode : assigned;
  if (picked !== undefined) return { decision: 'ASSIGN' as const, supplierCode: picked };
  if (line === 'r') return { decision: 'REJECT' as const };
  const created = /^c(?:\s+(\S.*))?$/.exec(line);
  if (created === null) return null;
  return { decision: 'CREATE' as const, ...(created[1] === undefined ? {} : { supplierName: created[1] }) };
}

// ── from a file ──────────────────────────────────────────────────────────────────────────────

async function importDecisions(
  cli: Cli,
  file: string,
  { ledger, dryRun = false, json = false }: ImportOptions,
): Promise<number> {
  const given = await readDecisions(file);
  return withGround(cli.tenant(), async (work) => {
    const checked = await checkDecisions(work, await ledgerIdOf(work, ledger), given);
    const unusable = checked.filter(({ problem }) => problem !== null);
    if (dryRun || unusable.length > 0) {
      const ok = unusable.length === 0;
      if (json) printJson(cli.io, { ok, dryRun, decisions: checked });
      else cli.io.out(importText(checked, dryRun));
      return ok ? EXIT.done : EXIT.no;
    }
    return carryOut(cli, work, checked, json);
  });
}

function importText(checked: readonly CheckedDecision[], dryRun: boolean): string {
  const rows = checked
    .filter(({ problem }) => dryRun || problem !== null)
    .map((one) => [one.line, one.merchant, one.decision, one.supplierCode ?? one.supplierName, one.problem ?? 'ok']);
  const bad = checked.filter(({ problem }) => problem !== null).length;
  return `${table(['line', 'merchant', 'decision', 'supplier', 'check'], rows)}${checked.length} decisions, ${bad} unusable; nothing was changed.\n`;
}

async function carryOut(
  cli: Cli,
  { ground, caller }: Work,
  decisions: readonly CheckedDecision[],
  json: boolean,
): Promise<number> {
  const { resolveVendorMatch } = createUseCases(ground.engine);
  let releasedPostings = 0;
  for (const { matchId, line, decision, supplierCode, supplierName } of decisions) {
    const input = {
      ...{ id: matchId ?? '', decision },
      ...(supplierCode === null ? {} : { supplierCode }),
      ...(supplierName === null ? {} : { supplierName }),
    };
    const answer = await resolveVendorMatch(caller, input);
    if (!answer.ok) {
      // Somebody changed it since it was checked. What stands above this line is done, and repeating it does no harm.
      cli.io.err(`Stopped at line ${line}; the lines before it are done.\n`);
      return printProblems(cli.io, answer.problems, json);
    }
    releasedPostings += answer.value.releasedPostings;
  }
  if (json) printJson(cli.io, { ok: true, decided: decisions.length, releasedPostings });
  else cli.io.out(`${decisions.length} decided, ${releasedPostings} postings released.\n`);
  return EXIT.done;
}

// ── thresholds ───────────────────────────────────────────────────────────────────────────────

async function thresholds(cli: Cli, options: ThresholdOptions): Promise<number> {
  const { json = false, save = false, acceptDisagreements = false } = options;
  return withGround(cli.tenant(), async (work) => {
    const ledgerId = await ledgerIdOf(work, options.ledger);
    const useCases = createUseCases(work.ground.engine);
    const before = await useCases.vendorThresholds(work.caller, ledgerId);
    const wanted = {
      autoScore: numberOf('--auto-score', options.autoScore, before.autoScore),
      autoMargin: numberOf('--auto-margin', options.autoMargin, before.autoMargin),
      reviewScore: numberOf('--review-score', options.reviewScore, before.reviewScore),
    };
    const answer = save
      ? await useCases.setThresholds(work.caller, { ledgerId, thresholds: wanted, acceptDisagreements })
      : await useCases.previewThresholds(work.caller, ledgerId, wanted);
    if (!answer.ok) return printProblems(cli.io, answer.problems, json);
    if (json) printJson(cli.io, { ok: true, saved: save, ...answer.value });
    else cli.io.out(previewText(answer.value, save));
    return EXIT.done;
  });
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InputError(`${option} must be a number.`, [option]);
  return number;
}

function previewText(preview: ThresholdPreview, saved: boolean): string {
  const { thresholds: used, merchants, purchases, automatic, review: asked, none, examples } = preview;
  const lines = [
    `automatic from score ${used.autoScore} and margin ${used.autoMargin}, review from ${used.reviewScore}${saved ? '; saved' : '; not saved'}`,
    `the last year: ${merchants} merchants, ${purchases} purchases`,
    `${automatic} automatic, ${asked} to review, ${none} without a supplier`,
    `${preview.agreements} as people decided, ${preview.disagreements} otherwise`,
  ];
  const rows = examples.map((one) => [one.merchantName, one.wouldMatch, one.personChose ?? 'rejected', one.purchases]);
  const list = rows.length === 0 ? '' : table(['merchant', 'would match', 'person chose', 'purchases'], rows);
  return `${lines.join('\n')}\n${list}`;
}
