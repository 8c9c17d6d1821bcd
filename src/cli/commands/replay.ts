import type { Command } from 'commander';
import { POSTING_STATUSES } from '../../domain/postingState.js';
import { InputError } from '../../errors.js';
import { createUseCases } from '../../services/allUseCases.js';
import { withGround } from '../ground.js';
import { EXIT, printJson, printProblems } from '../output.js';
import { pipelineId } from '../pipeline.js';
import type { Cli } from '../program.js';

interface ReplayOptions {
  pipeline?: string;
  holdCode?: string[];
  status?: string[];
  note?: string;
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
    .option('--note <text>', 'why; goes into the audit trail')
    .option('--json', 'prints one JSON document')
    .addHelpText('after', '\nA running worker does the work; with none, it is done when one starts.')
    .action(cli.action((posting: string | undefined, options: ReplayOptions) => replay(cli, posting, options)));
}

async function replay(cli: Cli, posting: string | undefined, options: ReplayOptions): Promise<number> {
  const { pipeline, holdCode, status, note = null, json = false } = options;
  const isFilter = pipeline !== undefined || holdCode !== undefined || status !== undefined;
  if (posting === undefined && !isFilter) {
    throw new InputError('Name a posting, or select several with --pipeline, --hold-code or --status.', ['posting']);
  }
  if (posting !== undefined && isFilter) {
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
    };
    const answer = await useCases.replayPostings(work.caller, filter, note);
    if (!answer.ok) return printProblems(cli.io, answer.problems, json);
    return tell(cli, answer.value.count, answer.value.runId, json);
  });
}

function tell(cli: Cli, count: number, runId: string | null, json: boolean): number {
  if (json) printJson(cli.io, { ok: true, count, runId });
  else
    cli.io.out(`${count} ${count === 1 ? 'posting' : 'postings'} to be replayed${runId ? ` in run ${runId}` : ''}.\n`);
  return EXIT.done;
}
