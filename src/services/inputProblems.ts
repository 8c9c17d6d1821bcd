import type { ZodError, ZodType } from 'zod';
import type { Problem } from './outcome.js';

/** Says per field what is wrong with an input. Values are never echoed: one of them may be a secret. */
export function problemsOf(error: ZodError, under: readonly string[], code = 'BAD_INPUT'): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = [...under, ...issue.path.map(String)];
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (keys.length > 0) {
      return keys.map((key) => ({
        code: 'UNKNOWN_FIELD',
        message: `"${key}" is not known here.`,
        path: [...path, key],
        resolution: 'Remove it, or correct its spelling; `connectors` shows the fields there are.',
      }));
    }
    return [{ code, message: issue.message, path, resolution: null }];
  });
}

export function parseInput<T>(
  schema: ZodType<T>,
  value: unknown,
  under: readonly string[],
): { ok: true; value: T } | { ok: false; problems: Problem[] } {
  const parsed = schema.safeParse(value);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problems: problemsOf(parsed.error, under) };
}
