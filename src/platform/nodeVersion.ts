/** Same as `engines.node` of package.json; undici and pg-boss do not load on older ones. */
export const NODE_OLDEST = '22.19';

/** @param version as in `process.versions.node`. @returns null, or one line that says what to do. */
export function nodeVersionProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = NODE_OLDEST.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return null;
  return (
    `node ≥ ${NODE_OLDEST} needed, this is ${version}: run through npm run / npx, which use the node that is installed ` +
    'along; it is left out by --omit=optional'
  );
}
