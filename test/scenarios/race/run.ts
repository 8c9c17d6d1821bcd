import '../../support/typescript.mjs';

// By hand: node test/scenarios/race/run.ts --records 10000 --callers 64
// Its own imports come after the hook that lets node find them.
const { main } = await import('./main.js');
process.exitCode = await main(process.argv.slice(2));
