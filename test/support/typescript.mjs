// Lets node run the TypeScript of tests and benchmarks as it stands: imports name the compiled file (`./x.js`), which is
// what the compiler wants, and the source beside it (`./x.ts`) is taken when there is no such file. Node takes the types
// away by itself; what it cannot run are decorators and constructor parameters that declare fields.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.startsWith('file:')) {
      const source = new URL(`${specifier.slice(0, -3)}.ts`, context.parentURL);
      if (!existsSync(new URL(specifier, context.parentURL)) && existsSync(source)) return next(source.href, context);
    }
    return next(specifier, context);
  },
});
