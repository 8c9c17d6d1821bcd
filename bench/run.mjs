// npm run bench [-- --seconds 3 --only posting,webhooks,page,vendors --profile]
import '../test/support/typescript.mjs';

const { main } = await import('./index.ts');
process.exitCode = await main(process.argv.slice(2));
