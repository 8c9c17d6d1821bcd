import type { CrashLedger, Documents } from '../ledger.js';
import { epicorKinetic } from './epicorKinetic.js';
import { inforM3 } from './inforM3.js';
import { sageX3 } from './sageX3.js';
import { syspro } from './syspro.js';

export const LEDGERS: readonly CrashLedger[] = [syspro, sageX3, inforM3, epicorKinetic];

/** @throws an Error that names what there is. */
export function ledgerNamed(name: string): CrashLedger {
  const ledger = LEDGERS.find((one) => one.name === name);
  if (!ledger) throw new Error(`--ledger is one of ${LEDGERS.map((one) => one.name).join(', ')}.`);
  return ledger;
}

/** @throws an Error that names what the ledger takes. */
export function documentsOf(ledger: CrashLedger, name: string | undefined): Documents {
  const found = name === undefined ? ledger.documents[0] : ledger.documents.find((one) => one === name);
  if (!found) throw new Error(`--documents of ${ledger.name} is one of ${ledger.documents.join(', ')}.`);
  return found;
}
