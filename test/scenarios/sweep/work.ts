import type { SeedPurchase } from '../../../src/sandbox/brex/index.js';
import type { World } from '../crash/world.js';
import { triggerSync } from '../support/gateway.js';
import type { Random } from '../support/random.js';

/** Names as people have them: one whose letters look wrong is held for a person, and no two may look like one another. */
const SURNAMES = (
  'HOLLOWAY BANNISTER CRAWFORD DUNSTAN ELLSWORTH FAIRWEATHER GRANTHAM HARGREAVES INGRAM JEFFERSON KENDRICK LANGLEY ' +
  'MONTAGUE NEWCOMBE OSBORNE PEMBERTON QUINLAN RUTHERFORD SINCLAIR THORNTON UNDERHILL VAUGHAN WHITTAKER YARBOROUGH ' +
  'ABERNATHY BLACKWELL CHAMBERS DRUMMOND EVERETT FLETCHER GOODWIN HUTCHINSON JARVIS KIRKPATRICK LOCKWOOD MARSHALL'
).split(' ');
/** Open for every ledger; the month keeps others from being posted on purpose. */
const CODING = { gl_account: '6100', cost_center: '10' };

/** What the source comes up with for one death: a new purchase, and a change of the one before it. */
export class Work {
  private readonly world: World;
  private readonly random: Random;
  private readonly like: SeedPurchase;
  private readonly amounts = new Map<string, number>();
  private count = 0;
  private last: string | null = null;

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
    const like = world.purchases.find(isPlain);
    if (!like) throw new Error('The month has no plain card purchase.');
    this.like = like;
  }

  /**
   * A purchase from a vendor nobody has met, so that suppliers are matched and made as well; the purchase before it gets
   * another amount, so that its document is reversed and replaced. Then the gateway is told to look.
   * @returns the ids of the expenses that changed.
   */
  async happen(): Promise<string[]> {
    const { world } = this;
    world.brex.control.setNow(new Date().toISOString());
    const changed = this.last === null ? [] : [this.edit(this.last)];
    this.last = this.add();
    await triggerSync(world.client, world.flow.pipelineId);
    return [...changed, `expense_${this.last}`];
  }

  private add(): string {
    const { control } = this.world.brex;
    const at = control.now;
    this.count += 1;
    const key = `sweep-${String(this.count).padStart(5, '0')}`;
    const amountMinor = this.random.int(500, 90_000);
    const row: SeedPurchase = {
      ...this.like,
      ...{ key, merchant: null, descriptor: this.vendor(), amountMinor },
      ...{ postedAt: at, expenseAt: at, recordAt: at, reviewStatus: 'READY_FOR_EXPORT' },
      lines: [{ amountMinor, coding: CODING }],
    };
    delete row.pending;
    control.addPurchase(row);
    this.amounts.set(key, amountMinor);
    this.world.recordIds.add(`accr_${key}`);
    return key;
  }

  private edit(key: string): string {
    const amount = (this.amounts.get(key) ?? 0) + this.random.int(1, 500);
    this.amounts.set(key, amount);
    this.world.brex.control.editExpense(`expense_${key}`, { amount });
    return `expense_${key}`;
  }

  /** Of two surnames; the pairs begin anew after more deaths than a lane has. */
  private vendor(): string {
    const round = Math.floor(this.count / SURNAMES.length) + 1;
    const [first, second] = [this.count, this.count + round].map((index) => SURNAMES[index % SURNAMES.length]);
    return `${first} ${second}`;
  }
}

/** Whether a supplier of that name was made for a vendor of this work. */
export function isMadeName(name: string): boolean {
  const words = name.split(' ');
  return words.length === 2 && words.every((word) => SURNAMES.includes(word));
}

/** A card purchase in the ledger's currency that nothing keeps from being posted. */
function isPlain(row: SeedPurchase): boolean {
  const isWhole = row.lines.length === 1 && row.children === undefined && row.originalCurrency === undefined;
  const isCoded = row.lines.every(({ coding }) => coding.gl_account != null && coding.cost_center != null);
  const isSpend = row.kind === 'CARD' && row.amountMinor > 0 && row.currency === 'USD' && row.entity === undefined;
  return isSpend && isWhole && isCoded && row.taxMinor === undefined && row.reviewStatus === undefined;
}
