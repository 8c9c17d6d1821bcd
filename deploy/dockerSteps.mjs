// Does what the Dockerfile says, without a container engine: each COPY and RUN of its stages in a folder of its own, then CMD
// with the image's ENV and a bare environment, asked by the image's own health check and ended by its own signal.
//
//   DATABASE_URL=postgresql://… node deploy/dockerSteps.mjs
//
// An empty database will do. Not covered: the base images, the user and the read-only file system.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const root = resolve(import.meta.dirname, '..');
const { DATABASE_URL } = process.env;
// The image's node is the one that this is run with.
const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
if (!DATABASE_URL) {
  process.stderr.write('DATABASE_URL must name an empty database.\n');
  process.exit(78);
}

const work = mkdtempSync(join(tmpdir(), 'ledgergate-image-'));
const stages = [];
let child = null;

function copy(words, stage) {
  const from = words[0]?.startsWith('--from=') ? words.shift().slice('--from='.length) : null;
  const target = words.pop();
  for (const word of words) {
    const source = from === null ? join(root, word) : inside(stages.find(({ name }) => name === from).folder, word);
    const into = target.endsWith('/') ? join(stage.folder, basename(word)) : join(stage.folder, target);
    cpSync(source, into, { recursive: true });
  }
}

/** `/app` is the folder of the stage. */
function inside(folder, path) {
  return join(folder, path.replace(/^\/app\/?/, ''));
}

function step(line) {
  const [, word, rest] = /^([A-Z]+) (.*)$/.exec(line);
  const stage = stages.at(-1);
  if (word === 'FROM') {
    const folder = join(work, String(stages.length));
    mkdirSync(folder);
    stages.push({ name: / AS (\w+)$/.exec(rest)?.[1] ?? null, folder, env: {}, command: [] });
    return;
  }
  process.stdout.write(`${line}\n`);
  if (word === 'COPY') copy(rest.split(' '), stage);
  if (word === 'ENV') Object.assign(stage.env, Object.fromEntries(rest.split(' ').map((pair) => pair.split('='))));
  if (word === 'CMD') stage.command = JSON.parse(rest);
  if (word === 'HEALTHCHECK') stage.health = JSON.parse(/CMD (\[.*\])$/.exec(rest)[1]);
  if (word === 'RUN') run(rest, stage);
}

function run(line, { folder, env }) {
  // The machine's own cache of packages is not the image's to clean.
  const cache = join(work, 'npm');
  const done = spawnSync('sh', ['-c', line], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    // Proxies and certificates are this machine's own.
    env: { ...process.env, PATH, npm_config_cache: cache, ...env },
  });
  if (done.status !== 0) throw new Error(`It ended with ${done.status ?? done.signal}: ${line}`);
}

async function start(stage, role) {
  const env = {
    ...{
      PATH,
      ...stage.env,
      HOST: '127.0.0.1',
      ROLE: role,
      DATABASE_URL,
      PORT: '4810',
      LEDGERGATE_WORKER_PORT: '4811',
    },
    LEDGERGATE_MASTER_KEY: randomBytes(32).toString('base64'),
  };
  const [program, ...words] = stage.command;
  child = spawn(program, words, { cwd: stage.folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const works = new Promise((yes) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (/^(working|listening on )/.test(line)) yes('works');
    });
  });
  if ((await Promise.race([works, ended])) !== 'works') throw new Error(`The ${role} does not start.`);
  const [check, ...checkWords] = stage.health;
  const health = spawnSync(check, checkWords, { cwd: stage.folder, env, stdio: 'inherit' });
  if (health.status !== 0) throw new Error(`The health check of the ${role} ended with ${health.status}.`);
  child.kill('SIGTERM');
  const [code] = await ended;
  child = null;
  if (code !== 0) throw new Error(`The ${role} ended with ${code}.`);
  process.stdout.write(`${role}: starts, is healthy, and ends with 0\n`);
}

try {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) step(line);
  const image = stages.at(-1);
  for (const role of ['api', 'worker']) await start(image, role);
} finally {
  child?.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
}
