import { InvariantError } from '../errors.js';
import { type Outcome, type Problem, refusedBy } from '../services/outcome.js';
import type { GraphqlContext } from './context.js';

/**
 * Runs a use case and turns what it says into a payload: the thing changed, read anew, or why it was refused. Expected
 * failures become `userErrors` whether the use case answers or throws them; anything else is thrown on.
 */
export async function payload<T, P extends object>(
  context: GraphqlContext,
  useCase: () => Promise<Outcome<T>>,
  whenDone: (value: T) => Promise<P> | P,
  whenRefused: P,
): Promise<P & { userErrors: readonly Problem[] }> {
  const outcome = await useCase().catch(refusedBy);
  context.read.clear();
  if (!outcome.ok) return { ...whenRefused, userErrors: outcome.problems };
  return { ...(await whenDone(outcome.value)), userErrors: [] };
}

/**
 * What must be there because something refers to it.
 * @throws InvariantError it is not.
 */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new InvariantError(`${what} is not there.`);
  return value;
}
