import type { RunningBrex } from '../../../src/sandbox/brex/index.js';
import type { Exchange, FaultDial } from '../../../src/sandbox/kit/index.js';
import type { RunningSyspro } from '../../../src/sandbox/syspro/index.js';

type Around = (
  operation: string,
  exchange: Exchange,
  run: () => ReturnType<FaultDial['run']>,
) => ReturnType<FaultDial['run']>;

/** Stands between a simulated system's door and what is behind it, so that the moments of its calls are known exactly. */
function watch(faults: FaultDial, around: Around): void {
  const run = faults.run.bind(faults);
  faults.run = (path, exchange) => around(`${path} ${exchange.operation}`, exchange, () => run(path, exchange));
}

/** What happens at the ledger while it happens. */
export class LedgerWatch {
  /** Submits that have arrived and are not answered. */
  inFlight = 0;
  submits = 0;
  private readonly waitingForSubmit = new Set<() => void>();
  private readonly waitingForDocument = new Set<() => void>();
  private readonly documentIds = new Set<string>();
  private readonly syspro: RunningSyspro;

  constructor(syspro: RunningSyspro) {
    this.syspro = syspro;
    watch(syspro.faults, async (operation, exchange, run) => {
      if (!operation.includes('Transaction/Post')) return run();
      this.inFlight += 1;
      this.submits += 1;
      wake(this.waitingForSubmit);
      const commit = exchange.commit.bind(exchange);
      exchange.commit = async () => {
        const before = this.syspro.ledger.journalCount;
        const reply = await commit();
        if (this.syspro.ledger.journalCount > before) wake(this.waitingForDocument);
        return reply;
      };
      try {
        return await run();
      } finally {
        this.inFlight -= 1;
      }
    });
  }

  /** Resolves when the next submit arrives (or one is there already), or after the time given. */
  submitArrives(withinMs: number): Promise<boolean> {
    return this.inFlight > 0 ? Promise.resolve(true) : signalled(this.waitingForSubmit, withinMs);
  }

  /** Tells when the next document is made. @returns a way to stop listening. */
  onNextDocument(tell: () => void): () => void {
    this.waitingForDocument.add(tell);
    return () => this.waitingForDocument.delete(tell);
  }

  has(documentId: string): boolean {
    if (this.documentIds.size !== this.syspro.ledger.journalCount) {
      for (const journal of this.syspro.ledger.journals()) this.documentIds.add(documentIdOf(journal));
    }
    return this.documentIds.has(documentId);
  }
}

/** As the gateway names a journal: year, period and number, which together are its key. */
export function documentIdOf(journal: { year: number; period: number; number: number }): string {
  const padded = (value: number, width: number) => String(value).padStart(width, '0');
  return `${journal.year}/${padded(journal.period, 2)}/${padded(journal.number, 5)}`;
}

/** Looks after every report of results whether what it says is in the ledger at that moment. */
export class ExportWatch {
  readonly tooEarly: string[] = [];
  reports = 0;
  private readonly known = new Map<string, string>();

  constructor(brex: RunningBrex, recordIds: ReadonlySet<string>, ledger: LedgerWatch) {
    watch(brex.faults, async (operation, exchange, run) => {
      if (!operation.includes('export-results')) return run();
      this.reports += 1;
      const commit = exchange.commit.bind(exchange);
      exchange.commit = async () => {
        const reply = await commit();
        for (const [id, documentId] of exported(brex, recordIds)) {
          if (this.known.get(id) === documentId) continue;
          this.known.set(id, documentId);
          if (!ledger.has(documentId)) this.tooEarly.push(`${id} was reported as ${documentId} before it was there`);
        }
        return reply;
      };
      return run();
    });
  }
}

/** Document by record, of all that Brex was told. */
export function exported(brex: RunningBrex, recordIds: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const id of recordIds) {
    const last = brex.control.lastExport(id);
    if (last && last.errorMessage === null) found.set(id, last.referenceId ?? '');
  }
  return found;
}

function wake(waiting: Set<() => void>): void {
  const all = [...waiting];
  waiting.clear();
  for (const tell of all) tell();
}

function signalled(waiting: Set<() => void>, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const told = () => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      waiting.delete(told);
      resolve(false);
    }, withinMs);
    waiting.add(told);
  });
}
