/**
 * Takes the place of `Math.random` for good. To be loaded before the product, whose connectors keep the function that
 * they find when they are loaded.
 */
const before = Math.random;
let drawn: () => number = before;
Math.random = () => drawn();

/** All chance comes from here from now on. @returns puts the runtime's own back. */
export function drawFrom(random: () => number): () => void {
  drawn = random;
  return () => {
    drawn = before;
  };
}
