import { InputError } from '../../errors.js';
import type { BrexSeed } from '../brex/index.js';
import type { ExpensifySeed } from '../expensify/index.js';
import type { CompanySeed } from '../kit/index.js';
import type { SysproSeed } from '../syspro/index.js';
import { fromCardSpend, type LineProblem } from './cardSpend.js';
import { type ExpensifyExpectations, generateExpensifyMonth } from './expensifyMonth.js';
import { generateMonth, type MonthExpectations } from './month.js';
import { monthCompany } from './monthCompany.js';

/** What the sandboxes hold at the start. Plain JSON. */
export type ScenarioChoice =
  | {
      kind: 'month';
      seed: number;
      month: string;
      /** Of Brex. */
      purchases?: number;
      /** Of Expensify. */
      reports?: number;
      now?: string;
    }
  | { kind: 'cardSpend'; file: string; suppliers?: string; now?: string };

export interface LoadedScenario {
  brex: BrexSeed;
  syspro: SysproSeed;
  /** Set where it was asked for. */
  expensify: ExpensifySeed | null;
  /** For every other ledger; null where the scenario is a file, which is coded for one ledger only. */
  company: CompanySeed | null;
  /** Of generated months only. */
  expectations: MonthExpectations | null;
  expensifyExpectations: ExpensifyExpectations | null;
  /** Lines of a file that could not be used. */
  problems: LineProblem[];
}

/** @throws InputError the scenario's options or files are unusable. */
export async function loadScenario(choice: ScenarioChoice, withExpensify = false): Promise<LoadedScenario> {
  if (choice.kind === 'month') return loadMonth(choice, withExpensify);
  if (withExpensify) throw new InputError('A CSV of card spend holds nothing for Expensify.', ['which']);
  const { file, suppliers, now } = choice;
  const loaded = await fromCardSpend(file, {
    ...(suppliers === undefined ? {} : { suppliers }),
    ...(now === undefined ? {} : { now }),
  });
  return { ...loaded, expensify: null, company: null, expectations: null, expensifyExpectations: null };
}

/** Both generated months are of one company; its ledgers hold what either of them needs. */
function loadMonth(choice: Extract<ScenarioChoice, { kind: 'month' }>, withExpensify: boolean): LoadedScenario {
  const { seed, month, purchases, reports, now } = choice;
  const start = { seed, month, ...(now === undefined ? {} : { now }) };
  const cards = generateMonth({ ...start, ...(purchases === undefined ? {} : { purchases }) });
  const expenses = withExpensify
    ? generateExpensifyMonth({ ...start, ...(reports === undefined ? {} : { reports }) })
    : null;
  return {
    brex: cards.brex,
    syspro: expenses ? withAccounts(cards.syspro, expenses.syspro.accounts) : cards.syspro,
    expensify: expenses?.expensify ?? null,
    company: monthCompany(month, cards.syspro.suppliers),
    expectations: cards.expectations,
    expensifyExpectations: expenses?.expectations ?? null,
    problems: [],
  };
}

function withAccounts(ledger: SysproSeed, more: SysproSeed['accounts']): SysproSeed {
  const known = new Set(ledger.accounts.map(({ code }) => code));
  return { ...ledger, accounts: [...ledger.accounts, ...more.filter(({ code }) => !known.has(code))] };
}
