/**
 * A part of the FreeMarker template language, written for the simulated Expensify: what an export template needs, with
 * the traps that bite there. What it does not know it refuses by name; it never prints a guess. See the README above.
 */
import { parse } from './parse.js';
import { Renderer } from './render.js';
import { isHash, toValue } from './values.js';

export { Decimal } from './decimal.js';
export { type Position, TemplateError, type TemplateFault } from './errors.js';
export { TemplateDate } from './values.js';

export interface Template {
  /**
   * Runs the template over plain data. Strings, numbers, bigints, booleans, arrays, objects, dates; null is missing.
   * @throws TemplateError the data does not suit the template, or it uses an unknown built-in.
   */
  render(model: Readonly<Record<string, unknown>>): string;
}

/** Reads a template. @throws TemplateError with fault SYNTAX or UNSUPPORTED. */
export function compileTemplate(source: string): Template {
  const nodes = parse(source);
  return {
    render(model) {
      const value = toValue(model);
      return new Renderer(isHash(value) ? value : new Map()).render(nodes);
    },
  };
}
