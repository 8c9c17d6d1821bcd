import '../../support/typescript.mjs';

// npm run simulate -- --seeds 100 [--seed 7] [--processes 2] [--steps 14] [--ledger SYSPRO] [--source BREX] [--verbose]
// The product is compiled first; what imports `src/` gets that.
const { buildProduct } = await import('../support/product.js');
const { loadProductFrom } = await import('./loadProduct.js');
const product = await buildProduct();
loadProductFrom(product.folder);
try {
  const { main } = await import('./cli.js');
  process.exitCode = await main(process.argv.slice(2), product.folder);
} finally {
  product.remove();
}
