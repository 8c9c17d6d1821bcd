import '../../support/typescript.mjs';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// npm run simulate -- --seeds 100 [--seed 7] [--ledger SYSPRO] [--verbose]
// The product is compiled first, because node itself cannot run its decorators; what imports `src/` gets that.
const { buildProduct } = await import('../support/product.js');
const product = await buildProduct();
const source = pathToFileURL(resolve(import.meta.dirname, '../../../src')).href;
const compiled = pathToFileURL(resolve(product.folder, 'dist')).href;
registerHooks({
  resolve(specifier, context, next) {
    const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : '';
    return url.startsWith(`${source}/`) ? next(compiled + url.slice(source.length), context) : next(specifier, context);
  },
});
try {
  const { main } = await import('./cli.js');
  process.exitCode = await main(process.argv.slice(2));
} finally {
  product.remove();
}
