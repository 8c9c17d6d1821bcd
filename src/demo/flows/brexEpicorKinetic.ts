import { accessTo, type Connected, type Flow, type FlowSystem } from '../flow.js';
import type { Screen } from '../screen.js';
import type { Stage } from '../stage.js';
import { dryRun, editInvoiced, MONTH_DAYS, monthArguments, releaseAccount, resolveOneVendor, sync } from '../steps.js';
import { BREX_STREAMS, brexMoney, brexRules, brexSource } from './brex.js';
import { WAITS } from './syspro.js';

const PURCHASES = 200;

const EPICOR_KINETIC: FlowSystem = {
  title: 'Epicor Kinetic',
  sandbox: 'epicor-kinetic',
  input(access) {
    const { baseUrl, company, plant, username, password, apiKey } = accessTo(access, 'epicor-kinetic');
    return {
      kind: 'EPICOR_KINETIC',
      baseUrl,
      credentials: { kind: 'basic', username, password, apiKey },
      settings: {
        ...WAITS,
        ...{ company, plant, autoPost: true },
        glSegmentOrder: ['glAccount', 'costCentre'],
        vendorDefaults: { TermsCode: 'N30', GroupCode: 'AP' },
        postingWaitSeconds: 5,
      },
    };
  },
};

/** AP invoices step by step; merchants matched with Kinetic's vendors, and registered there where none is like them. */
export const BREX_EPICOR_KINETIC: Flow = {
  name: 'brex-epicor-kinetic',
  title: 'Brex → Epicor Kinetic',
  source: brexSource((access) => accessTo(access, 'epicor-kinetic').company),
  ledger: EPICOR_KINETIC,
  pipeline: {
    name: 'Card spend',
    streams: BREX_STREAMS,
    ...{ documentType: 'SUPPLIER_INVOICE', grouping: 'PER_RECORD', offsetAccount: '2100' },
    ...{ unmatchedVendor: 'CREATE_SUPPLIER', closedPeriod: 'HOLD', correction: 'HOLD' },
    ...brexMoney({ rounding: '6990', taxOwed: '2170' }),
  },
  rules: brexRules('1450'),
  sandboxArguments: ({ purchases = PURCHASES }) => monthArguments(purchases),
  async run(stage, screen, connected) {
    await dryRun(stage, screen, connected);
    await sync(stage, screen, connected, { mayBeRefused: true });
    await editInvoiced(stage, screen, connected);
    await vendors(stage, screen, connected);
    await resolveOneVendor(stage, screen, connected);
    await releaseAccount(stage, screen, connected, '6120');
    return MONTH_DAYS;
  },
};

interface Matches {
  readonly auto: { readonly totalCount: number };
  readonly review: { readonly totalCount: number };
  readonly created: {
    readonly totalCount: number;
    readonly nodes: readonly { merchantName: string; supplier: { code: string; name: string } | null }[];
  };
}

/** How many merchants were found among Kinetic's vendors, and how many became new ones. */
async function vendors({ api, ledger }: Stage, screen: Screen, { ledgerId }: Connected): Promise<void> {
  await screen.step('Merchants are matched with vendors of Kinetic, or registered there', async () => {
    const { auto, review, created } = await api.query<Matches>(
      `query ($id: ID!) {
        auto: vendorMatches(first: 1, filter: { ledgerId: $id, statuses: [AUTO_MATCHED] }) { totalCount }
        review: vendorMatches(first: 1, filter: { ledgerId: $id, statuses: [NEEDS_REVIEW] }) { totalCount }
        created: vendorMatches(first: 1, filter: { ledgerId: $id, statuses: [CREATED] }) {
          totalCount nodes { merchantName supplier { code name } }
        }
      }`,
      { id: ledgerId },
    );
    const [example] = created.nodes;
    if (!example?.supplier) throw new Error('No merchant became a new vendor.');
    const { code, name } = example.supplier;
    const { suppliers } = await ledger.get<{ suppliers: { code: string }[] }>('suppliers');
    if (!suppliers.some((one) => one.code === code)) throw new Error(`Kinetic has no vendor ${code}.`);
    return [
      `${auto.totalCount} matched, ${created.totalCount} registered, ${review.totalCount} for a person; e.g. “${example.merchantName}” is the new vendor ${code} (${name})`,
      null,
    ];
  });
}
