import '../../support/typescript.mjs';

// Started by the runner, with the folder of the compiled product.
const { loadProductFrom } = await import('./loadProduct.js');
loadProductFrom(process.argv[2] ?? '');
// Before the product is.
await import('./chance.js');
// A Ctrl-C reaches every process of the terminal. The runner hears it too, lets histories end, and then leaves.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
const { play } = await import('./player.js');
await play(process.env.SIMULATED_DATABASE ?? '');
