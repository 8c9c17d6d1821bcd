import '../platform/requireNode.js';
import { processIo } from './output.js';
import { runProgram } from './program.js';

/**
 * The command line `ledgergate …`.
 * @param args without node and script.
 * @returns 0 done, 1 the answer is "no" or it failed, 2 used wrongly, 78 a setting is missing or unusable.
 */
export function run(args: string[]): Promise<number> {
  return runProgram(args, processIo);
}
