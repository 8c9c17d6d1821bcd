import { nodeVersionProblem } from './nodeVersion.js';

// For its effect: the first import of an entry point. Imports run in order, so an old node is told what is wrong before a
// package that cannot load on it fails in its own words.

const EX_CONFIG = 78;

const problem = nodeVersionProblem(process.versions.node);
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(EX_CONFIG);
}
