import './platform/requireNode.js';
import { type RunningApp, startApp } from './app.js';
import { type Config, loadConfig } from './config.js';
import { ConfigurationError, LedgergateError } from './errors.js';
import { createLogger, type Logger } from './logger.js';

/** EX_CONFIG of sysexits.h: a setting is missing or unusable, and starting again will not help. */
const EXIT_CONFIGURATION = 78;

function fail(error: unknown): never {
  process.stderr.write(`${lineOf(error)}\n`);
  process.exit(error instanceof ConfigurationError ? EXIT_CONFIGURATION : 1);
}

/** What a person can do something about is one sentence; of a fault of ours the stack is what helps. */
function lineOf(error: unknown): string {
  if (error instanceof LedgergateError && error.decision !== 'STOP') return error.userMessage;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** SIGTERM and SIGINT stop in order, also while it is starting; a second one, or the time limit, ends the process as it is. */
function stopOnSignal(starting: Promise<RunningApp>, config: Config, logger: Logger): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('not stopped in time: what was in hand is taken over by the next process');
      process.exit(1);
    }, config.shutdownMs);
    starting
      .then((app) => app.stop())
      .then(() => process.exit(0))
      .catch(fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

try {
  const config = loadConfig();
  const logger = createLogger(config.logLevel);
  const starting = startApp(config, logger);
  stopOnSignal(starting, config, logger);
  const app = await starting;
  process.stdout.write(app.url ? `listening on ${app.url}\n` : 'working\n');
} catch (error) {
  fail(error);
}
