import '../../support/typescript.mjs';

// By hand: node test/scenarios/crash/run.ts --ledger infor-m3 --documents invoice --kills 200 --seed 1 --purchases 2000
// Its own imports come after the hook that lets node find them.
const { main } = await import('./main.js');
process.exitCode = await main(process.argv.slice(2));
