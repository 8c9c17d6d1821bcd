import type { SeedPurchase } from '../../../src/sandbox/brex/index.js';
import { triggerSync } from '../support/gateway.js';
import type { Random } from '../support/random.js';
import type { World } from './world.js';

const ACCOUNTS = ['6100', '6110', '6130', '6140', '6200', '6220', '6300', '6400'];
const COST_CENTRES = ['10', '20', '30', '40', '60', '70'];

/** What goes on happening at the source: late purchases and changes of what was posted. */
export class Feed {
  added = 0;
  edited = 0;
  private readonly world: World;
  private readonly random: Random;
  private readonly plain: SeedPurchase[];
  private readonly amounts = new Map<string, number>();

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
    this.plain = world.purchases.filter(isPlain);
    for (const row of this.plain) this.amounts.set(row.key, row.amountMinor);
  }

  /** Something new at the source, and a trigger that makes the gateway look. */
  async happen(purchases: number, edits: number): Promise<void> {
    this.world.brex.control.setNow(new Date().toISOString());
    for (let count = 0; count < purchases; count += 1) this.addPurchase();
    for (let count = 0; count < edits; count += 1) this.edit();
    await triggerSync(this.world.client, this.world.flow.pipelineId);
  }

  private addPurchase(): void {
    const { brex, recordIds } = this.world;
    const like = this.random.pick(this.plain);
    this.added += 1;
    const at = brex.control.now;
    const amountMinor = this.random.int(500, 90_000);
    const key = `late-${String(this.added).padStart(5, '0')}`;
    const row: SeedPurchase = {
      ...like,
      ...{ key, amountMinor, postedAt: at, expenseAt: at, recordAt: at, reviewStatus: 'READY_FOR_EXPORT' },
      lines: [{ amountMinor, coding: { ...like.lines[0]?.coding } }],
    };
    delete row.pending;
    brex.control.addPurchase(row);
    this.plain.push(row);
    this.amounts.set(key, amountMinor);
    recordIds.add(`accr_${key}`);
  }

  private edit(): void {
    const { key } = this.random.pick(this.plain);
    const amount = (this.amounts.get(key) ?? 1_000) + this.random.int(1, 500);
    const coding = { glAccount: this.random.pick(ACCOUNTS), costCentre: this.random.pick(COST_CENTRES) };
    const isAmount = this.random.chance(0.5);
    this.world.brex.control.editExpense(`expense_${key}`, isAmount ? { amount } : coding);
    if (isAmount) this.amounts.set(key, amount);
    this.edited += 1;
  }
}

/** Card purchases in the ledger's currency that nothing keeps from being posted. */
function isPlain(row: SeedPurchase): boolean {
  const isWhole = row.lines.length === 1 && row.children === undefined && row.originalCurrency === undefined;
  const isCoded = row.lines.every(({ coding }) => coding.gl_account != null && coding.cost_center != null);
  const isSpend = row.kind === 'CARD' && row.amountMinor > 0 && row.currency === 'USD' && row.entity === undefined;
  return isSpend && isWhole && isCoded && row.taxMinor === undefined && row.reviewStatus === undefined;
}
