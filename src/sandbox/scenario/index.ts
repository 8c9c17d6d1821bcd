/** Data that both sandboxes start from. */
export type { MatchKind } from './businesses.js';
export { type CardSpendOptions, type CardSpendScenario, fromCardSpend, type LineProblem } from './cardSpend.js';
export { type Ingredient, LEAST_OF_EACH, PURCHASES_MIN, SHARES } from './ingredients.js';
export { generateMonth, type MonthExpectations, type MonthOptions, type MonthScenario } from './month.js';
export { SYSPRO_ACCESS } from './monthLedger.js';
