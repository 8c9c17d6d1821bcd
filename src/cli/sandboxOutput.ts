import type { RunningSandboxes, SandboxName, StartedSandboxes } from '../sandbox/start.js';
import type { Cli } from './program.js';

type Described<Name extends SandboxName> = StartedSandboxes[Name]['access'] & { readonly controlUrl: string };

/** What `sandbox --json` prints: all that a client needs to connect, and what the scenario holds. */
export interface SandboxDescription {
  readonly pid: number;
  readonly brex: (Described<'brex'> & { readonly now: string }) | null;
  readonly expensify: (Described<'expensify'> & { readonly now: string }) | null;
  readonly syspro: Described<'syspro'> | null;
  readonly 'sage-x3': Described<'sage-x3'> | null;
  readonly 'infor-m3': Described<'infor-m3'> | null;
  readonly 'epicor-kinetic': Described<'epicor-kinetic'> | null;
  readonly scenario: {
    readonly purchases: number;
    readonly firstDay: string | null;
    readonly lastDay: string | null;
    readonly plannedEdit: { at: string; key: string } | null;
    /** Purchases of a generated month whose money is hard to book, by what is hard about them. */
    readonly moneyCases: readonly { kind: string; merchant: string }[];
    /** Of Expensify; null where it was not asked for. */
    readonly expenses: {
      readonly reports: number;
      readonly expenses: number;
      /** When further reports are approved, by Expensify's own time. */
      readonly late: readonly { at: string; reportIDs: string[] }[];
      /** One report is taken back, corrected and approved again. */
      readonly change: { reportID: string; unapproveAt: string; editAt: string; approveAt: string };
    } | null;
    /** Rows of a file that could not be used. */
    readonly problems: RunningSandboxes['scenario']['problems'];
  };
}

export function described(running: RunningSandboxes): SandboxDescription {
  const { brex, expensify, scenario } = running;
  return {
    pid: process.pid,
    brex: brex && { ...withControls(brex.access), now: brex.sandbox.control.now },
    expensify: expensify && { ...withControls(expensify.access), now: expensify.sandbox.now() },
    syspro: running.syspro && withControls(running.syspro.access),
    'sage-x3': running['sage-x3'] && withControls(running['sage-x3'].access),
    'infor-m3': running['infor-m3'] && withControls(running['infor-m3'].access),
    'epicor-kinetic': running['epicor-kinetic'] && withControls(running['epicor-kinetic'].access),
    scenario: describedScenario(scenario),
  };
}

function withControls<Access extends { url: string }>(access: Access): Access & { controlUrl: string } {
  return { ...access, controlUrl: `${access.url}/_sandbox` };
}

function describedScenario(scenario: RunningSandboxes['scenario']): SandboxDescription['scenario'] {
  const days = scenario.brex.purchases.map((one) => one.purchasedAt.slice(0, 10));
  const extreme = (wins: (a: string, b: string) => boolean) =>
    days.reduce<string | null>((best, day) => (best === null || wins(day, best) ? day : best), null);
  const edit = scenario.expectations?.plannedEdit;
  const expenses = scenario.expensifyExpectations;
  return {
    purchases: scenario.brex.purchases.length,
    firstDay: extreme((a, b) => a < b),
    lastDay: extreme((a, b) => a > b),
    plannedEdit: edit ? { at: edit.at, key: edit.key } : null,
    moneyCases: (scenario.expectations?.moneyCases ?? []).map(({ kind, merchant }) => ({ kind, merchant })),
    expenses: expenses && {
      reports: expenses.reports,
      expenses: expenses.expenses,
      late: expenses.late.map(({ at, reportIDs }) => ({ at, reportIDs })),
      change: expenses.change,
    },
    problems: scenario.problems,
  };
}

/** Prints what to connect with, for people. */
export function print(cli: Cli, running: RunningSandboxes): void {
  const all = described(running);
  for (const [title, values] of sectionsOf(all)) {
    const width = Math.max(...Object.keys(values).map((key) => key.length));
    cli.io.out(`${title}\n`);
    for (const [key, value] of Object.entries(values)) cli.io.out(`  ${key.padEnd(width)}  ${value}\n`);
  }
  const { purchases, firstDay, lastDay, expenses, problems } = all.scenario;
  if (all.brex || !expenses) cli.io.out(`${purchases} purchases from ${firstDay} to ${lastDay}. `);
  if (expenses) cli.io.out(`${expenses.expenses} expenses in ${expenses.reports} reports. `);
  cli.io.out('Ctrl-C ends it.\n');
  for (const { file, line, message } of problems.slice(0, 20)) cli.io.err(`${file}, line ${line}: ${message}\n`);
}

function sectionsOf(all: SandboxDescription): [string, Record<string, string>][] {
  const { brex, expensify, syspro, 'sage-x3': sageX3, 'infor-m3': inforM3, 'epicor-kinetic': kinetic } = all;
  const sections: [string, Record<string, string>][] = [];
  if (brex) sections.push(['Brex', brexSection(brex)]);
  if (expensify) {
    const { baseUrl, partnerUserID, partnerUserSecret, policyIDs, now, controlUrl } = expensify;
    const login = { baseUrl, partnerUserID, partnerUserSecret, policyIDs: policyIDs.join(', ') };
    sections.push(['Expensify', { ...login, 'its own time': now, controls: controlUrl }]);
  }
  if (syspro) {
    const { baseUrl, operator, password: operatorPassword, companyId, controlUrl } = syspro;
    sections.push(['SYSPRO', { baseUrl, operator, operatorPassword, companyId, controls: controlUrl }]);
  }
  if (sageX3) sections.push(['Sage X3', sageX3Section(sageX3)]);
  if (inforM3) sections.push(['Infor M3', inforM3Section(inforM3)]);
  if (kinetic) {
    const { baseUrl, company, plant, username, password, apiKey, tokenUrl, clientId, clientSecret } = kinetic;
    const oauth = { 'OAuth token URL': tokenUrl, 'client id': clientId, 'client secret': clientSecret };
    const login = { baseUrl, company, plant, username, password, apiKey, ...oauth };
    sections.push(['Epicor Kinetic', { ...login, controls: kinetic.controlUrl }]);
  }
  return sections;
}

function brexSection(brex: NonNullable<SandboxDescription['brex']>): Record<string, string> {
  return {
    baseUrl: brex.url,
    'user token': brex.userToken,
    'OAuth token URL': `${brex.authUrl}/v1/token`,
    'client id': brex.clientId,
    'client secret': brex.clientSecret,
    'refresh token': brex.refreshToken,
    'webhook secret': brex.webhookSecret,
    'company id': brex.companyId,
    'its own time': brex.now,
    controls: brex.controlUrl,
  };
}

function sageX3Section(x3: NonNullable<SandboxDescription['sage-x3']>): Record<string, string> {
  const { baseUrl, folder, basic, setup, soap } = x3;
  return {
    ...{ baseUrl, folder, username: basic.user, password: basic.password },
    ...{ company: setup.company, site: setup.site, chart: setup.chart },
    ...{ 'entry type': setup.entryType, 'journal code': setup.journal },
    'dimension types': setup.dimensionTypes.join(', '),
    ...{ 'pool alias': soap.poolAlias, 'import template': soap.template.code },
    controls: x3.controlUrl,
    'all of it': `${x3.controlUrl}/access`,
  };
}

function inforM3Section(m3: NonNullable<SandboxDescription['infor-m3']>): Record<string, string> {
  return {
    ...{ baseUrl: m3.baseUrl, cono: String(m3.cono), divi: m3.divi },
    ...{
      'GL interface': m3.journalInterface,
      'input record': m3.inputRecord,
      'template supplier': m3.templateSupplier,
    },
    '.ionapi': JSON.stringify(m3.ionapi),
    controls: m3.controlUrl,
  };
}
