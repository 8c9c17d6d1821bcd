import type { Connected } from './flow.js';
import type { Screen } from './screen.js';
import type { Stage } from './stage.js';

/** The purchases of the month whose money is hard to book, and what became of each. */

const TITLES: Readonly<Record<string, string>> = {
  THREE_DECIMALS: 'Charged in a currency of three decimals',
  REVERSE_CHARGE: 'Reverse charge: the company owes the tax and deducts it',
  LARGER_REFUND: 'A refund larger than the purchase before it',
  ROUNDING: 'A receipt whose lines do not add up to it',
};

interface Amount {
  readonly amount: string;
  readonly currency: string;
}

interface Line {
  readonly role: string | null;
  readonly glAccount: string;
  readonly debit: string;
  readonly credit: string;
}

interface Purchase {
  readonly amount: Amount;
  readonly originalAmount: Amount | null;
  readonly exchangeRate: string | null;
  readonly rateOrigin: string | null;
  readonly postings: readonly {
    readonly status: string;
    readonly reference: string;
    readonly ledgerDocumentId: string | null;
    readonly holds: readonly { readonly message: string }[];
    readonly lines: readonly Line[];
  }[];
}

/** @returns what is not as it must be: a case that is not there. */
export async function printMoneyCases(stage: Stage, screen: Screen, { pipelineId }: Connected): Promise<string[]> {
  const { moneyCases } = stage.access.scenario;
  if (stage.flow.source.sandbox !== 'brex' || moneyCases.length === 0) return [];
  const missing: string[] = [];
  screen.line();
  screen.line('MONEY CASES');
  for (const { kind, merchant } of moneyCases) {
    const title = TITLES[kind] ?? kind;
    screen.line(`  ${title} (${merchant})`);
    const purchases = await purchasesAt(stage, pipelineId, merchant);
    if (purchases.length === 0) missing.push(`The case "${title}" did not arrive.`);
    for (const purchase of purchases) for (const text of textsOf(purchase)) screen.line(`    ${text}`);
  }
  return missing;
}

async function purchasesAt({ api }: Stage, pipelineId: string, merchant: string): Promise<readonly Purchase[]> {
  const { spendRecords } = await api.query<{ spendRecords: { nodes: Purchase[] } }>(
    `query ($filter: SpendRecordFilter!) {
      spendRecords(first: 10, filter: $filter) {
        nodes {
          amount { amount currency } originalAmount { amount currency } exchangeRate rateOrigin
          postings { status reference ledgerDocumentId holds { message } lines { role glAccount debit credit } }
        }
      }
    }`,
    // Names are compared without case: one stream shows the merchant as the card network does.
    { filter: { pipelineId, merchant } },
  );
  return [...spendRecords.nodes].reverse();
}

function textsOf({ amount, originalAmount: original, exchangeRate, rateOrigin, postings }: Purchase): string[] {
  const rate = exchangeRate === null ? '' : ` at ${exchangeRate} (${(rateOrigin ?? 'shown').toLowerCase()})`;
  const charged = original ? `${original.amount} ${original.currency} charged${rate}, ` : '';
  const head = `${charged}${amount.amount} ${amount.currency}`;
  if (postings.length === 0) return [`${head}: no document`];
  return postings.map(({ status, reference, ledgerDocumentId, holds, lines }) => {
    const [hold] = holds;
    const name = ledgerDocumentId ?? reference;
    return `${head}: ${status} ${name}, ${hold ? hold.message : lines.map(lineText).join(', ')}`;
  });
}

const ROLE_WORDS: Readonly<Record<string, string>> = { TAX: ' tax', ROUNDING: ' rounding' };

function lineText({ role, glAccount, debit, credit }: Line): string {
  const [side, amount] = /[1-9]/.test(debit) ? ['debit', debit] : ['credit', credit];
  return `${side} ${glAccount} ${amount}${ROLE_WORDS[role ?? ''] ?? ''}`;
}
