import type { Child } from './child.js';
import { gatherFacts } from './facts.js';
import type { Flow } from './flow.js';
import { megabytes, peakOf, TreeMemory } from './memory.js';
import { printMoneyCases } from './moneyCases.js';
import type { DemoOptions } from './options.js';
import { printFacts, printPlaces, printQueries, problemsOf } from './report.js';
import { type Screen, seconds } from './screen.js';
import { setUp } from './setUp.js';
import { Stage } from './stage.js';
import type { WorkFolder } from './workFolder.js';

/** What runs for one flow, and how it ends. */
export class Session {
  readonly children: Child[] = [];
  private readonly actions: (() => Promise<unknown>)[] = [];

  constructor(readonly folder: WorkFolder) {}

  whenEnded(action: () => Promise<unknown>): void {
    this.actions.push(action);
  }

  async end(): Promise<void> {
    for (const action of this.actions) await action().catch(() => undefined);
    // The gateway first: it says goodbye to the ledger, which must still be there.
    for (const child of [...this.children].reverse()) await child.stop();
    this.folder.remove();
  }

  kill(): void {
    for (const child of this.children) child.kill();
  }
}

export interface FlowResult {
  readonly flow: Flow;
  /** In the ledger. */
  readonly documents: number;
  readonly held: number;
  readonly elapsedMs: number;
  /** Promises that were broken; empty when all is well. */
  readonly problems: readonly string[];
}

/** Sets one flow up, lets it happen and prints what came of it. What it starts is in `session` even when this fails. */
export async function runFlow(flow: Flow, options: DemoOptions, screen: Screen, session: Session): Promise<FlowResult> {
  const startedAt = Date.now();
  const memory = new TreeMemory(process.pid);
  try {
    const stage = await screen.step('Start the sandboxes, the database and the gateway', async () => {
      const started = await Stage.start(flow, options, session.folder, session.children);
      return [`gateway on ${started.api.url}`, started];
    });
    session.whenEnded(() => stage.api.close());
    const connected = await setUp(stage, screen);
    const days = await flow.run(stage, screen, connected);
    const facts = await screen.step('Add it all up', async () => ['', await gatherFacts(stage, connected, days)]);
    const problems = problemsOf(flow.ledger, facts);
    const elapsedMs = Date.now() - startedAt;
    printFacts(screen, stage, facts);
    problems.push(...(await printMoneyCases(stage, screen, connected)));
    problems.push(...((await flow.finish?.(stage, screen, facts)) ?? []));
    memory.sample();
    if (options.flow !== 'all') {
      await printQueries(screen, stage, connected.pipelineId, days);
      printPlaces(screen, stage, !options.once);
    }
    screen.line();
    screen.line(
      `Time: ${seconds(elapsedMs)}. Peak memory: gateway ${megabytes(peakOf(stage.gateway.pid))}, ` +
        `sandboxes ${megabytes(peakOf(stage.sandboxes.pid))}, whole tree with the database ${megabytes(memory.peak || null)}.`,
    );
    for (const problem of problems) screen.line(`NOT WELL: ${problem}`);
    const documents = facts.postings.POSTED + facts.postings.REVERSED;
    return { flow, documents, held: facts.postings.HELD, elapsedMs, problems };
  } finally {
    memory.stop();
  }
}
