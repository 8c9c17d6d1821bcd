import '../../support/typescript.mjs';

// By hand, with PostgreSQL's own tools on the PATH and an empty database of a role that may create roles and databases:
// node test/scenarios/restore/run.ts --database postgresql://gateway@127.0.0.1:5432/ledgergate --ledger syspro
// Its own imports come after the hook that lets node find them.
const { main } = await import('./main.js');
process.exitCode = await main(process.argv.slice(2));
