import { createHash } from 'node:crypto';
import { addDays, dayIn } from '../../domain/localDate.js';
import { ConfigurationError, LedgergateError, PermissionError, UpstreamUnavailableError } from '../../errors.js';
import type { CheckResult } from '../contract.js';
import type { ExpensifyClient, ExpensifyContext, ExpensifyRuntime } from './client.js';
import { codesOf } from './coding.js';
import type { Exporter } from './exporter.js';
import { reportTemplate } from './template.js';
import type { WirePolicy } from './wire.js';

/** The steps of testing a connection. They change nothing at Expensify: the export runs in test mode. */

export interface CheckParts {
  readonly client: ExpensifyClient;
  readonly exporter: Exporter;
  readonly context: ExpensifyContext;
  readonly runtime: ExpensifyRuntime;
}

/** How far back the tiny export looks. */
const CHECK_DAYS = 30;

/** Later steps are left out when an earlier one fails; only categories and export are independent of each other. */
export async function runChecks(parts: CheckParts): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const step = async <T>(name: string, run: () => Promise<readonly [detail: string, value: T]>): Promise<T | null> => {
    const startedMs = parts.runtime.monotonicMs();
    const latencyMs = () => Math.round(parts.runtime.monotonicMs() - startedMs);
    try {
      const [detail, value] = await run();
      results.push({ name, ok: true, detail, latencyMs: latencyMs() });
      return value;
    } catch (error) {
      const detail = error instanceof LedgergateError ? error.userMessage : 'an unexpected failure; see the log';
      results.push({ name, ok: false, detail, latencyMs: latencyMs() });
      return null;
    }
  };

  const first = await step('reach', () => firstAnswer(parts.client));
  if (!first) return results;
  const policies = await step('log in', async () => {
    if ('refused' in first) throw first.refused;
    return ['Expensify took the credentials', first.policies];
  });
  if (!policies) return results;
  const usable = await step('workspaces', async () => checkPolicies(policies, parts.context.settings.policyIDs));
  if (!usable) return results;
  await step('categories', () => checkCategories(parts.client, usable));
  const fileName = await step('start an export', () => startTinyExport(parts));
  if (fileName) await step('download it', () => downloadTinyExport(parts, fileName));
  return results;
}

type FirstAnswer = { readonly policies: readonly WirePolicy[] } | { readonly refused: LedgergateError };

/** Expensify answers nothing without credentials, so one call shows both that it is there and whether it knows us. */
async function firstAnswer(client: ExpensifyClient): Promise<readonly [string, FirstAnswer]> {
  try {
    return ['Expensify answers', { policies: await client.policies() }];
  } catch (error) {
    const isAnswer = error instanceof LedgergateError && !(error instanceof UpstreamUnavailableError);
    if (!isAnswer || error.decision === 'STOP' || error.code === 'BAD_BASE_URL') throw error;
    return ['Expensify answers', { refused: error }];
  }
}

/** A workspace in which the user is no admin gives fewer reports in silence; that is found here or never. */
function checkPolicies(
  policies: readonly WirePolicy[],
  wanted: readonly string[],
): readonly [string, readonly WirePolicy[]] {
  const byId = new Map(policies.map((policy) => [policy.id.toUpperCase(), policy]));
  const missing = wanted.filter((id) => !byId.has(id.toUpperCase()));
  if (missing.length > 0) {
    throw new ConfigurationError(
      `The user does not see the workspaces ${list(missing)}. Correct policyIDs, or invite the user.`,
    );
  }
  const used = wanted.length === 0 ? policies : wanted.flatMap((id) => byId.get(id.toUpperCase()) ?? []);
  if (used.length === 0)
    throw new ConfigurationError('The user sees no workspace at all. Invite it to the workspaces.');
  const lesser = used.filter((policy) => policy.role?.toLowerCase() !== 'admin').map(nameOf);
  if (lesser.length > 0 && (wanted.length > 0 || lesser.length === used.length)) {
    throw new PermissionError(
      `The user is not an admin of ${list(lesser)}; reports of others may be missing there in silence.`,
    );
  }
  const note = lesser.length === 0 ? '' : `; not an admin of ${list(lesser)}, whose reports may be incomplete`;
  return [`${used.length} workspaces: ${list(used.map(nameOf))}${note}`, used];
}

async function checkCategories(
  client: ExpensifyClient,
  policies: readonly WirePolicy[],
): Promise<readonly [string, true]> {
  const policy = policies.find(({ role }) => role?.toLowerCase() === 'admin') ?? policies[0];
  const info = policy ? await client.policy(policy.id) : null;
  if (!policy || !info) throw new ConfigurationError('Expensify lists a workspace and does not show it.');
  const all = info.categories?.length ?? 0;
  const coded = codesOf(info).categories.size;
  const rest = coded === 0 ? '; accounts must come from mapping rules' : '';
  return [`${nameOf(policy)}: ${coded} of ${all} categories have a GL code${rest}`, true];
}

async function startTinyExport({ client, context }: CheckParts): Promise<readonly [string, string]> {
  const { settings, clock } = context;
  const approvedAfter = addDays(dayIn(settings.timeZone, clock.now()), -CHECK_DAYS);
  const template = reportTemplate(settings);
  const job = { filters: { approvedAfter }, states: settings.reportStates, limit: 1, template, isTest: true };
  const fileName = await client.startExport(job);
  return ['Expensify took the job and the template', fileName];
}

async function downloadTinyExport({ exporter }: CheckParts, fileName: string): Promise<readonly [string, true]> {
  const { reports } = await exporter.fileOf(fileName);
  const found =
    reports.length > 0 ? 'a report of the last 30 days' : `no report was approved in the last ${CHECK_DAYS} days`;
  return [`the file is whole: ${found}`, true];
}

function nameOf({ id, name }: WirePolicy): string {
  return name ? `${name} (${id})` : id;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** Expensify has no company, only a user and what it sees; the user's id is half of the credential and is not shown. */
export function companyIdOf(partnerUserID: string): string {
  return `expensify-${createHash('sha256').update(partnerUserID).digest('hex').slice(0, 16)}`;
}
