/** One guard of the product, what it looks like in the source, and the test that notices when it is gone. */
export interface Guard {
  readonly name: string;
  /** From the project's folder. */
  readonly file: string;
  /** As it stands in the file, exactly once. */
  readonly code: string;
  /** The same place without the guard; it still compiles and runs. */
  readonly replacement: string;
  /** The narrowest test that there is: its file, and its title without those of the groups around it. */
  readonly caughtBy: { readonly file: string; readonly title: string };
}

export class GuardMoved extends Error {}

/** @throws GuardMoved the code is not there exactly once: the list no longer describes the product. */
export function without(guard: Guard, source: string): string {
  const found = source.split(guard.code).length - 1;
  if (found !== 1)
    throw new GuardMoved(`The code of "${guard.name}" is in ${guard.file} ${found} times instead of once.`);
  // A function, because `$1` in a replacement text would mean something else.
  return source.replace(guard.code, () => guard.replacement);
}
