import type { RunningBrex } from '../../../src/sandbox/brex/index.js';
import type { Exchange, FaultDial } from '../../../src/sandbox/kit/index.js';
import type { StartedLedger } from './ledger.js';

type Around = (
  operation: string,
  exchange: Exchange,
  run: () => ReturnType<FaultDial['run']>,
) => ReturnType<FaultDial['run']>;

const HTTP_REFUSED = 300;

/** Stands between a simulated system's door and what is behind it, so that the moments of its calls are known exactly. */
function watch(faults: FaultDial, around: Around): void {
  const run = faults.run.bind(faults);
  faults.run = (path, exchange) => around(`${path} ${exchange.operation}`, exchange, () => run(path, exchange));
}

/** What happens at the ledger while it happens. */
export class LedgerWatch {
  /** Writes that have arrived and are not answered. */
  inFlight = 0;
  /** Calls that arrived to put a document into the books, and those that were carried out. */
  submits = 0;
  decided = 0;
  private readonly waitingForWrite = new Set<() => void>();
  private readonly waitingForDocument = new Set<() => void>();
  private names = new Set<string>();
  private readonly ledger: StartedLedger;

  constructor(ledger: StartedLedger) {
    this.ledger = ledger;
    watch(ledger.sandbox.faults, async (operation, exchange, run) => {
      if (!ledger.writes.test(operation)) return run();
      this.inFlight += 1;
      wake(this.waitingForWrite);
      if (ledger.decides.test(operation)) this.countDecision(exchange);
      try {
        return await run();
      } finally {
        this.inFlight -= 1;
      }
    });
  }

  /** Resolves when the next write arrives (or one is there already), or after the time given. */
  writeArrives(withinMs: number): Promise<boolean> {
    return this.inFlight > 0 ? Promise.resolve(true) : signalled(this.waitingForWrite, withinMs);
  }

  /** Resolves when so many writes have arrived from now on, or after the time given. */
  async writesArrive(count: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    let isThere = await this.writeArrives(withinMs);
    for (let left = count - 1; isThere && left > 0; left -= 1) {
      isThere = await signalled(this.waitingForWrite, Math.max(0, deadline - performance.now()));
    }
  }

  /** Tells when the next document is made. @returns a way to stop listening. */
  onNextDocument(tell: () => void): () => void {
    this.waitingForDocument.add(tell);
    return () => this.waitingForDocument.delete(tell);
  }

  /** Whether the books hold the document that the gateway names so. */
  has(ledgerDocumentId: string): boolean {
    const name = this.ledger.nameIn(ledgerDocumentId);
    if (this.names.has(name)) return true;
    const posted = this.ledger.sandbox.documents().filter((document) => document.posted);
    this.names = new Set(posted.map((document) => this.ledger.nameOf(document)));
    return this.names.has(name);
  }

  private countDecision(exchange: Exchange): void {
    this.submits += 1;
    const commit = exchange.commit.bind(exchange);
    exchange.commit = async () => {
      const reply = await commit();
      if (reply.status < HTTP_REFUSED) {
        this.decided += 1;
        wake(this.waitingForDocument);
      }
      return reply;
    };
  }
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
