/** Data that all sandboxes start from. */
export type { MatchKind } from './businesses.js';
export { type CardSpendOptions, type CardSpendScenario, fromCardSpend, type LineProblem } from './cardSpend.js';
export {
  type ExpenseSum,
  type ExpensifyExpectations,
  type ExpensifyMonth,
  type ExpensifyMonthOptions,
  generateExpensifyMonth,
} from './expensifyMonth.js';
export { type Ingredient, LEAST_OF_EACH, PURCHASES_MIN, SHARES } from './ingredients.js';
export { type LoadedScenario, loadScenario, type ScenarioChoice } from './load.js';
export { MONEY_CASES, type MoneyCase } from './moneyCases.js';
export { generateMonth, type MonthExpectations, type MonthOptions, type MonthScenario } from './month.js';
export { monthCompany, projectValues, UNALLOCATED } from './monthCompany.js';
export { SYSPRO_ACCESS } from './monthLedger.js';
