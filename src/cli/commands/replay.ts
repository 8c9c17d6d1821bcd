import type { Command } from 'commander';
import { type LocalDate, localDate } from '../../domain/localDate.js';
import { POSTING_STATUSES } from '../../domain/postingState.js';
import type { ReplayOutcome } from '../../domain/vocabulary.js';
import { InputError } from '../../errors.js';
import { createUseCases } from '../../services/allUseCases.js';
import type { ReplayPreview } from '../../services/replayPreview.js';
import { withGround } from '../ground.js';
import { EXIT, printJson, printProblems, table } from '../output.js';
import { pipelineId } from '../pipeline.js';
import type { Cli } from '../program.js';

interface ReplayOptions {
  pipeline?: string;
  holdCode?: string[];
  status?: string[];
  from?: string;
  to?: string;
  note?: string;
  preview?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function addReplay(program: Command, cli: Cli): void {
  program
    .command('replay')
    .argument('[posting]', 'id of one posting; without it, all that the options select')
    .description('plans held or rejected postings again under the same reference, or asks the ledger for doubtful ones')
    .option('--pipeline <pipeline>', 'id or name')
    .option('--hold-code <code...>', 'held for one of these, e.g. ACCOUNT_INACTIVE')
    .option('--status <status...>', 'HELD, REJECTED, IN_DOUBT; default: all three')
    .option('--from <day>', 'first posting date, YYYY-MM-DD')
    .option('--to <day>', 'last posting date')
    .option('--preview', 'shows what would become of them, and does nothing')
    .option('--yes', 'does not ask; without it, a terminal is shown the preview and asked')
    .option('--note <text>', 'why; goes into the audit trail')
    .option('--json', 'prints one JSON document')
    .addHelpText('after', '\nA running worker does the work; with none, it is done when one starts.')
    .action(cli.action((posting: string | undefined, options: ReplayOptions) => replay(cli, posting, options)));
}

async function replay(cli: Cli, posting: string | undefined, options: ReplayOptions): Promise<number> {
  const { pipeline, holdCode, status, from, to, note = null, json = false } = options;
  const isFilter = [pipeline, holdCode, status, from, to].some((option) => option !== undefined);
  if (posting === undefined && !isFilter) {
    throw new InputError('Name a posting, or select several with --pipeline, --hold-code, --status, --from or --to.', [
      'posting',
    ]);
  }
  if (posting !== undefined && (isFilter || options.preview)) {
    throw new InputError('Name a posting or select several with options, not both.', ['posting']);
  }
  const statuses = status?.map((text) => text.toUpperCase());
  const unknown = statuses?.find((one) => !(POSTING_STATUSES as readonly string[]).includes(one));
  if (unknown !== undefined) throw new InputError(`--status: there is no status ${unknown}.`, ['--status']);
  return withGround(cli.tenant(), async (work) => {
    const useCases = createUseCases(work.ground.engine);
    if (posting !== undefined) {
      const answer = await useCases.replayPosting(work.caller, posting, note);
      if (!answer.ok) return printProblems(cli.io, answer.problems, json);
      return tell(cli, 1, null, json);
    }
    const filter = {
      ...(pipeline === undefined ? {} : { pipelineId: await pipelineId(work, pipeline) }),
      ...(holdCode === undefined ? {} : { holdCodes: holdCode.map((code) => code.toUpperCase()) }),
      ...(statuses === undefined ? {} : { statuses }),
      ...(from === undefined ? {} : { from: dayOption('--from', from) }),
      ...(to === undefined ? {} : { to: dayOption('--to', to) }),
    };
    const { ask } = cli.io;
    if (options.preview || (ask && !options.yes && !json)) {
      const preview = await useCases.previewReplay(work.caller, filter, EXAMPLES);
      if (json) printJson(cli.io, { ok: true, ...preview });
      else cli.io.out(previewText(preview));
      if (options.preview) return EXIT.done;
      if (preview.count === 0 || !(await ask?.(`Replay ${preview.count} postings?`))) return EXIT.no;
    }
    const answer = await useCases.replayPostings(work.caller, filter, note);
    if (!answer.ok) return printProblems(cli.io, answer.problems, json);
    return tell(cli, answer.value.count, answer.value.runId, json);
  });
}

const EXAMPLES = 10;

/** @throws InputError naming the option. */
function dayOption(option: string, text: string): LocalDate {
  try {
    return localDate(text);
  } catch {
    throw new InputError(`${option}: "${text}" is no day (YYYY-MM-DD).`, [option]);
  }
}

const OUTCOME_WORDS: Readonly<Record<ReplayOutcome, string>> = {
  READY: 'would be posted',
  AWAITING_APPROVAL: 'would wait for approval',
  HELD: 'would stay held',
  CANCELLED: 'would be given up: nothing is left to post',
  POSTPONED: 'would wait for another document of their purchases',
  LOOKED_FOR: 'would be looked for in the ledger',
  NOT_REPLAYABLE: 'cannot be replayed',
};

function previewText(preview: ReplayPreview): string {
  if (preview.count === 0) return 'Nothing fits.\n';
  const rows = preview.outcomes.map((one) => [
    one.count,
    OUTCOME_WORDS[one.outcome],
    one.code,
    one.totals.map(({ amount, currency }) => `${amount} ${currency}`).join(', '),
  ]);
  return table(['postings', 'outcome', 'code', 'totals'], rows);
}

function tell(cli: Cli, count: number, runId: string | null, json: boolean): number {
  if (json) printJson(cli.io, { ok: true, count, runId });
  else
    cli.io.out(`${count} ${count === 1 ? 'posting' : 'postings'} to be replayed${runId ? ` in run ${runId}` : ''}.\n`);
  return EXIT.done;
}
