import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Tx } from '../../entities/database.js';
import { InputError } from '../../errors.js';
import { verifyAuditChain } from '../../services/audit.js';
import { withGround } from '../ground.js';
import { EXIT, instantOf, printJson } from '../output.js';
import type { Cli } from '../program.js';

interface ExportOptions {
  from?: string;
  to?: string;
  out?: string;
  json?: boolean;
}

/** Events in one read; memory holds one batch. */
const BATCH = 1_000;

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command('audit').description('the audit trail');
  audit
    .command('verify')
    .description('recomputes every hash, link and number; exit code 1 when the trail is broken')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: { json?: boolean }) => verify(cli, options)));
  audit
    .command('export')
    .description('streams the trail as NDJSON, oldest first, one event a line')
    .option('--from <when>', 'at or after this day or instant')
    .option('--to <when>', 'before this day or instant')
    .option('--out <file>', 'writes to a file; standard output otherwise')
    .option('--json', 'NDJSON is what it always writes; with --out a JSON summary is printed')
    .action(cli.action((options: ExportOptions) => exportEvents(cli, options)));
}

async function verify(cli: Cli, { json }: { json?: boolean }): Promise<number> {
  return withGround(cli.tenant(), async ({ ground, caller }) => {
    const found = await verifyAuditChain(ground.db, caller.tenantId);
    if (json) printJson(cli.io, found);
    else if (found.ok) cli.io.out(`The audit trail is whole: ${found.eventsChecked} events, head ${found.headHash}.\n`);
    else cli.io.out(`The audit trail is broken at event ${found.firstBrokenSequence}; all before it is whole.\n`);
    return found.ok ? EXIT.done : EXIT.no;
  });
}

async function exportEvents(cli: Cli, options: ExportOptions): Promise<number> {
  const from = instantOf('--from', options.from);
  const to = instantOf('--to', options.to);
  return withGround(cli.tenant(), async ({ ground, caller }) => {
    const file = options.out === undefined ? null : await openFile(options.out);
    const write = file ? writerTo(file) : (text: string) => cli.io.outSlowly(text);
    const events = await ground.db.snapshot(caller.tenantId, (tx) => streamEvents(tx, from, to, write));
    if (file) {
      file.end();
      await finished(file);
      if (options.json) printJson(cli.io, { ok: true, events, file: options.out });
      else cli.io.out(`${events} events written to ${options.out}.\n`);
    }
    return EXIT.done;
  });
}

async function openFile(path: string): Promise<WriteStream> {
  // An audit trail names people and amounts: only for the one who asked for it.
  const file = createWriteStream(path, { mode: 0o600 });
  return new Promise((resolve, reject) => {
    file.once('open', () => resolve(file));
    file.once('error', (cause) => reject(new InputError(`${path} cannot be written.`, ['--out'], { cause })));
  });
}

function writerTo(file: WriteStream): (text: string) => Promise<void> {
  return (text) =>
    new Promise((resolve, reject) => {
      file.write(text, (error) => (error ? reject(error) : resolve()));
    });
}

interface EventRow {
  sequence: string;
  occurred_at: Date;
}

async function streamEvents(
  tx: Tx,
  from: Date | undefined,
  to: Date | undefined,
  write: (text: string) => Promise<void>,
): Promise<number> {
  let written = 0;
  let last = '0';
  for (;;) {
    const rows = await tx.query<EventRow>(
      `select sequence, id, occurred_at, actor, action, subject_type as "subjectType", subject_id as "subjectId", summary,
         before, after, correlation_id as "correlationId", previous_hash as "previousHash", hash
       from audit_events where tenant_id = $1 and sequence > $2
         and ($3::timestamptz is null or occurred_at >= $3) and ($4::timestamptz is null or occurred_at < $4)
       order by sequence limit ${BATCH}`,
      [tx.tenantId, last, from ?? null, to ?? null],
    );
    if (rows.length > 0) {
      const lines = rows.map(({ sequence, occurred_at, ...event }) =>
        JSON.stringify({ sequence, occurredAt: occurred_at.toISOString(), ...event }),
      );
      await write(`${lines.join('\n')}\n`);
    }
    written += rows.length;
    last = rows.at(-1)?.sequence ?? last;
    if (rows.length < BATCH) return written;
  }
}
