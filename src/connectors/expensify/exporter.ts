import { LedgergateError, RateLimitedError, UnreadableReplyError, UpstreamUnavailableError } from '../../errors.js';
import type { ExpensifyClient, ExpensifyContext, ExpensifyRuntime, ExportJob } from './client.js';
import { type ExportFile, parseExportFile } from './exportFile.js';
import { type Answer, says, THROTTLE_MS } from './failures.js';

/**
 * Runs an exporter job to its end: start it, ask for its file until it is there, and check that it is whole.
 *
 * How Expensify says "not ready" is not documented. Its clients have met an empty body, an envelope or text "File not
 * found", codes 404 and 500 in the body or as HTTP status; all of them, and faults of the network, are waited out until
 * the deadline. A refused login or job ends it at once.
 */
export class Exporter {
  constructor(
    private readonly client: ExpensifyClient,
    private readonly context: ExpensifyContext,
    private readonly runtime: ExpensifyRuntime,
  ) {}

  /**
   * Runs a job that changes nothing.
   * @throws UnreadableReplyError two jobs in a row gave a file that is not whole.
   * @throws UpstreamUnavailableError the file was not ready in time.
   */
  async read(job: ExportJob): Promise<ExportFile> {
    try {
      return await this.fileOf(await this.client.startExport(job));
    } catch (error) {
      if (!(error instanceof UnreadableReplyError)) throw error;
      this.context.logger.warn({ code: error.code }, 'an exported file was not whole; it is made again');
      return this.fileOf(await this.client.startExport(job));
    }
  }

  /** Waits for the file of a job that was started. */
  async fileOf(fileName: string): Promise<ExportFile> {
    const { pollSeconds, pollMaxSeconds, deadlineSeconds } = this.context.settings;
    let deadline = this.runtime.monotonicMs() + deadlineSeconds * 1000;
    let pauseMs = pollSeconds * 1000;
    let waitMs = pauseMs;
    let cuts = 0;
    let throttles = 0;
    let before = '';
    for (;;) {
      await this.runtime.delay(waitMs, this.context.signal);
      const found = await this.ask(fileName);
      if (found.kind === 'FILE') {
        // Several whole blocks may lack another one behind them, and nothing in the file can tell; a cut that comes
        // twice at the same place is unlikely.
        if (found.file.evaluations === 1 || found.text === before) return found.file;
        before = found.text;
      }
      if (found.kind === 'THROTTLED') {
        throttles += 1;
        if (throttles > THROTTLES_MAX) throw found.error;
        // A throttle is no attempt: the time that it costs is not counted.
        waitMs = found.error.retryAfterMs ?? THROTTLE_MS;
        deadline += waitMs;
        continue;
      }
      const reason = found.kind === 'FILE' ? 'two downloads of it differ' : found.reason;
      if (found.kind === 'CUT') cuts += 1;
      if (cuts >= CUTS_MAX) throw notWhole(reason);
      if (this.runtime.monotonicMs() >= deadline) throw notReady(deadlineSeconds, reason);
      pauseMs = Math.min(Math.max(pauseMs, POLL_MIN_MS) * 1.5, Math.max(pollMaxSeconds * 1000, POLL_MIN_MS));
      waitMs = pauseMs;
    }
  }

  private async ask(fileName: string): Promise<Asked> {
    try {
      return this.judge(await this.client.download(fileName));
    } catch (error) {
      if (this.context.signal?.aborted || !(error instanceof LedgergateError) || error.decision !== 'RETRY')
        throw error;
      if (error instanceof RateLimitedError) {
        return { kind: 'THROTTLED', error };
      }
      return { kind: 'NOT_READY', reason: error.userMessage };
    }
  }

  /** @throws what a refusal means that is no "not ready". */
  private judge(answer: Answer): Asked {
    const { patterns } = this.context.settings;
    if (!answer.ok) {
      const { code, message } = answer.refusal;
      const isNotReady = code === 404 || says(patterns.notReady, message);
      if (isNotReady) return { kind: 'NOT_READY', reason: message || `code ${code}` };
      throw this.client.downloadError(answer.refusal);
    }
    const parsed = parseExportFile(answer.text);
    if (parsed.isWhole) {
      if (parsed.file.evaluations > 1) {
        this.context.logger.info(
          { evaluations: parsed.file.evaluations },
          'Expensify evaluated the template repeatedly',
        );
      }
      return { kind: 'FILE', file: parsed.file, text: answer.text };
    }
    if (parsed.isOurs) return { kind: 'CUT', reason: parsed.reason };
    if (answer.text.trim() === '') return { kind: 'NOT_READY', reason: 'the file is empty' };
    const message = answer.quote();
    if (says(patterns.credentials, message)) {
      throw this.client.downloadError({ code: 401, isFromBody: false, message, retryAfterMs: null });
    }
    if (says(patterns.notReady, message) || /^\s*</.test(answer.text)) {
      return { kind: 'NOT_READY', reason: message || 'an HTML page' };
    }
    return { kind: 'CUT', reason: 'it is not what the template prints' };
  }
}

/** A file may be fetched while it is being written; one that stays cut is not waited for to the deadline. */
const CUTS_MAX = 3;
/** More in one wait means that somebody else uses up the calls: the job engine has other work to do meanwhile. */
const THROTTLES_MAX = 10;
/** Even a setting of no wait at all does not spin. */
const POLL_MIN_MS = 100;

type Asked =
  | { readonly kind: 'FILE'; readonly file: ExportFile; readonly text: string }
  | { readonly kind: 'CUT' | 'NOT_READY'; readonly reason: string }
  | { readonly kind: 'THROTTLED'; readonly error: RateLimitedError };

function notWhole(reason: string): UnreadableReplyError {
  return new UnreadableReplyError(`An exported file of Expensify is not whole: ${reason}.`, { code: 'EXPORT_CUT' });
}

function notReady(deadlineSeconds: number, last: string): UpstreamUnavailableError {
  return new UpstreamUnavailableError(
    `Expensify did not finish an export within ${deadlineSeconds} seconds (${last}). The next read starts it again.`,
    { code: 'EXPORT_NOT_READY' },
  );
}
