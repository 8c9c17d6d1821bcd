import './platform/requireNode.js';
import { type RunningApp, startApp } from './app.js';
import { type Config, loadConfig } from './config.js';
import { ConfigurationError } from './errors.js';

/** EX_CONFIG of sysexits.h: a setting is missing or unusable, and starting again will not help. */
const EXIT_CONFIGURATION = 78;

function fail(error: unknown): never {
  if (error instanceof ConfigurationError) {
    process.stderr.write(`${error.userMessage}\n`);
    process.exit(EXIT_CONFIGURATION);
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

/** SIGTERM and SIGINT stop in order; a second one, or the time limit, ends the process as it is. */
function stopOnSignal(app: RunningApp, config: Config): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    app.ground.logger.info({ signal }, 'stopping');
    const limit = setTimeout(() => {
      app.ground.logger.error('not stopped in time: what was in hand is taken over by the next process');
      process.exit(1);
    }, config.shutdownMs);
    app
      .stop()
      .then(() => {
        clearTimeout(limit);
        process.exit(0);
      })
      .catch(fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

try {
  const config = loadConfig();
  const app = await startApp(config);
  stopOnSignal(app, config);
  if (app.url) process.stdout.write(`listening on ${app.url}\n`);
  else process.stdout.write('working\n');
} catch (error) {
  fail(error);
}
