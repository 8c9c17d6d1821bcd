import { wordsOfRejections } from '../facts.js';
import { accessTo, type Connected, type Flow, type FlowSystem } from '../flow.js';
import type { Screen } from '../screen.js';
import { setMappingRules } from '../setUp.js';
import type { Stage } from '../stage.js';
import { dryRun, editAfterPosting, MONTH_DAYS, monthArguments, releaseAccount, replay, sync } from '../steps.js';
import { BREX_STREAMS, brexMoney, brexSource } from './brex.js';
import { WAITS } from './syspro.js';

const PURCHASES = 200;

/** Columns of the customer's import template behind a line: two dimension types. */
const ANALYTICAL = ['ANALIN', 'DIE1', 'CCE1', 'DIE2', 'CCE2', 'AMTCUR'];
const TEMPLATE = { analytic: ['ANALIN', 'DIE', 'CCE', 'DIE2', 'CCE2', 'AMTCUR'] };

const SAGE_X3: FlowSystem = {
  title: 'Sage X3',
  sandbox: 'sage-x3',
  input(access) {
    const { baseUrl, folder, basic, setup, soap, rest } = accessTo(access, 'sage-x3');
    const [costCentre, project] = setup.dimensionTypes;
    return {
      kind: 'SAGE_X3',
      baseUrl,
      credentials: { kind: 'basic', username: basic.user, password: basic.password },
      settings: {
        ...WAITS,
        ...{ folder, site: setup.site, company: setup.company, chart: setup.chart },
        ...{ entryType: setup.entryType, journalCode: setup.journal },
        // Which dimension type holds what is each customer's own.
        dimensionTypes: { costCentre, project },
        dimensionSlots: setup.dimensionTypes,
        poolAlias: soap.poolAlias,
        importTemplate: soap.template.code,
        // No names of the calendar's class are established: they are the installation's.
        rest: { periods: { class: rest.classes.period } },
        periodFields: { year: 'FIY', period: 'PER', status: 'PERSTA' },
        import: {
          header: ['=G', 'TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REFINT', 'BPRVCR'],
          line: ['=D', 'LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'REFINTLIN'],
          analytical: ['=A', ...ANALYTICAL],
        },
      },
    };
  },
};

/** Merchants with an account and a cost centre of their own. */
const RULES = [
  { merchant: 'CloudHarbor*', glAccount: '6300', costCentre: '60' },
  { merchant: '*Blue Heron Cafe*', glAccount: '6220', costCentre: '60' },
  { merchant: 'Nordlicht*', glAccount: '6300', taxCode: 'RC' },
  { category: 'tax', glAccount: '1450' },
];
/** Purchases that nobody has coded: to one account, with the cost centre of the purchase if it has one. */
const CATCH_ALL = { glAccount: '6100' };

/** Journals by SOAP import; merchants without a supplier go to a default account; X3 itself insists on a cost centre. */
export const BREX_SAGE_X3: Flow = {
  name: 'brex-sage-x3',
  title: 'Brex → Sage X3',
  source: brexSource((access) => accessTo(access, 'sage-x3').setup.company),
  ledger: SAGE_X3,
  pipeline: {
    name: 'Card spend',
    streams: BREX_STREAMS,
    ...{ documentType: 'JOURNAL', grouping: 'PER_RECORD', offsetAccount: '2150', defaultAccount: '6999' },
    ...{ unmatchedVendor: 'DEFAULT_ACCOUNT', closedPeriod: 'HOLD', correction: 'REVERSE_AND_REPLACE' },
    ...brexMoney({ rounding: '6990', taxOwed: '2170' }),
  },
  rules: [...RULES, CATCH_ALL],
  sandboxArguments: ({ purchases = PURCHASES }) => [
    ...monthArguments(purchases),
    ...['--settings', `sage-x3=${JSON.stringify({ template: TEMPLATE })}`],
  ],
  async run(stage, screen, connected) {
    await dryRun(stage, screen, connected);
    await sync(stage, screen, connected, { mayBeRefused: true });
    await editAfterPosting(stage, screen, connected);
    await defaultAccount(stage, screen, connected);
    await missingDimension(stage, screen, connected);
    await releaseAccount(stage, screen, connected, '6120');
    return MONTH_DAYS;
  },
};

/** Merchants that are no supplier of the ledger: their purchases are on the default account, and the lines say why. */
async function defaultAccount({ api }: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  await screen.step('Purchases at merchants that X3 does not know are on the default account', async () => {
    const explanations: string[] = [];
    let after: string | null = null;
    do {
      const page: Explained = await api.query(
        `query ($filter: GlPostingFilter!, $after: String) {
          glPostings(first: 200, after: $after, filter: $filter) {
            nodes { lines { glAccount explanation } } pageInfo { hasNextPage endCursor }
          }
        }`,
        { filter: { pipelineId, statuses: ['POSTED'] }, after },
      );
      const lines = page.glPostings.nodes.flatMap((node) => node.lines);
      explanations.push(...lines.flatMap((line) => (line.glAccount === '6999' ? [line.explanation] : [])));
      after = page.glPostings.pageInfo.hasNextPage ? page.glPostings.pageInfo.endCursor : null;
    } while (after !== null);
    if (explanations.length === 0) throw new Error('No line is on the default account 6999.');
    // The card issuer's own rewards are no merchant that a reader would look for.
    const example = explanations.find((one) => !one.includes('"Brex"')) ?? explanations[0];
    return [`${explanations.length} lines, e.g. “${example}”`, null];
  });
}

interface Explained {
  readonly glPostings: {
    readonly nodes: readonly { readonly lines: readonly { glAccount: string; explanation: string }[] }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/** Which accounts want which dimensions only X3 knows (reference: "decides on save"), so it is X3 that says no. */
async function missingDimension(stage: Stage, screen: Screen, connected: Connected): Promise<void> {
  const { api } = stage;
  const { pipelineId } = connected;
  await screen.step('X3 turned down what lacks a mandatory dimension', async () => {
    const words = await wordsOfRejections(api, pipelineId);
    if (words.length === 0) throw new Error('X3 turned nothing down.');
    return [words.map((one) => `“${one}”`).join(', '), null];
  });
  await screen.step('A mapping rule gives the cost centre, and what was turned down is replayed', async (progress) => {
    const rules = [...RULES, { ...CATCH_ALL, costCentre: '60' }];
    const note = 'Administration bears what has no cost centre';
    const version = await setMappingRules(stage, pipelineId, rules, note, MONTH_DAYS.from);
    const filter = { pipelineId, statuses: ['REJECTED'] };
    const count = await replay(stage, connected, filter, 'The mapping now gives a cost centre', progress);
    return [`mapping version ${version}, ${count} replayed`, null];
  });
}
