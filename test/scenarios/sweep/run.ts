import '../../support/typescript.mjs';

// By hand: node test/scenarios/sweep/run.ts --ledger infor-m3 --documents invoice --slice 1/4 --seed 1 --lanes 4 --seconds 200
// Its own imports come after the hook that lets node find them.
const { main } = await import('./main.js');
process.exitCode = await main(process.argv.slice(2));
