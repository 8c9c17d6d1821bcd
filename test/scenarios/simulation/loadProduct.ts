import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What imports `src/` gets the compiled product from now on: node itself cannot run its decorators. */
export function loadProductFrom(folder: string): void {
  const source = pathToFileURL(resolve(import.meta.dirname, '../../../src')).href;
  const compiled = pathToFileURL(resolve(folder, 'dist')).href;
  registerHooks({
    resolve(specifier, context, next) {
      const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : '';
      return url.startsWith(`${source}/`)
        ? next(compiled + url.slice(source.length), context)
        : next(specifier, context);
    },
  });
}
