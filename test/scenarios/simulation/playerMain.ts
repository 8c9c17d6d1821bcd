import '../../support/typescript.mjs';

// Started by the runner, with the folder of the compiled product.
const { loadProductFrom } = await import('./loadProduct.js');
loadProductFrom(process.argv[2] ?? '');
// Before the product is.
await import('./chance.js');
const { play } = await import('./player.js');
await play(process.env.SIMULATED_DATABASE ?? '');
