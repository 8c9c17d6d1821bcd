import cron from 'node-cron';
import { Not } from 'typeorm';
import { canonicalJson } from '../domain/canonicalJson.js';
import { newId } from '../domain/ids.js';
import { dayIn } from '../domain/localDate.js';
import type { MappingRule } from '../domain/plan.js';
import { type TaxCodes, taxCodesSchema } from '../domain/taxCodes.js';
import type { DuplicateCheck, SystemKind } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { MappingVersionRow } from '../entities/mappingVersion.js';
import { PipelineRow as StoredPipeline } from '../entities/pipeline.js';
import { SystemRow } from '../entities/system.js';
import { recordFor } from './audit.js';
import { watchDrift } from './drift.js';
import type { Caller, Engine } from './engine.js';
import { beginningOf, checkedRules, normalRule } from './mappingRules.js';
import { settleMasterDataAlerts, wakeMasterData } from './masterDataWake.js';
import { done, type Outcome, type Problem, refused } from './outcome.js';
import { isUsableLinkBase, receiptLinkBaseOf } from './receiptLinkBase.js';
import type { MappingRequest, PipelineRequest } from './useCases.js';

/** A pipeline as the engine's own SQL reads it; where single pipelines are worked on here, `StoredPipeline` is. */
export interface PipelineRow {
  id: string;
  name: string;
  source_id: string;
  ledger_id: string;
  streams: PipelineRequest['streams'];
  document_type: PipelineRequest['documentType'];
  grouping: PipelineRequest['grouping'];
  schedule: string | null;
  time_zone: string;
  enabled: boolean;
  offset_account: string;
  default_account: string | null;
  unmatched_vendor: PipelineRequest['unmatchedVendor'];
  posting_date: PipelineRequest['postingDate'];
  closed_period: PipelineRequest['closedPeriod'];
  coding: PipelineRequest['coding'];
  correction: PipelineRequest['correction'];
  require_approval: boolean;
  export_master_data: boolean;
  receipt_link_base: string | null;
  rounding_account: string | null;
  tax_codes: TaxCodes;
  duplicate_check: DuplicateCheck;
  duplicate_days: number;
  duplicate_import_days: number;
}

export async function loadPipeline(tx: Tx, id: string): Promise<PipelineRow | null> {
  const [row] = await tx.query<PipelineRow>('select * from pipelines where tenant_id = $1 and id = $2', [
    tx.tenantId,
    id,
  ]);
  return row ?? null;
}

/** Repeating the same call gives the same pipeline back; another pipeline of that name is refused. */
export async function createPipeline(
  engine: Engine,
  caller: Caller,
  request: PipelineRequest,
): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    await lockPipelines(tx);
    const input = await withOffsetAccount(engine, tx, request);
    const problems = await problemsOf(engine, tx, input);
    const same = await tx.manager.findOneBy(StoredPipeline, { tenantId: tx.tenantId, name: input.name.trim() });
    if (same && problems.length === 0 && describes(same, input)) return done({ id: same.id });
    if (same) problems.push(nameTaken(input.name));
    if (problems.length > 0) return { ok: false, problems };
    const id = newId('pipe');
    await tx.manager.insert(StoredPipeline, {
      tenantId: tx.tenantId,
      id,
      createdAt: engine.clock.now(),
      ...requestOf(input),
    });
    if (input.enabled) await planKnownSpend(tx, id, caller.correlationId);
    await wakeMasterData(engine, tx, id, 'IF_CHANGED');
    recordFor(tx, caller, engine.clock.now(), {
      action: 'pipeline.created',
      subjectType: 'Pipeline',
      subjectId: id,
      summary: `The pipeline "${input.name.trim()}" was created.`,
      after: input,
    });
    return done({ id });
  });
}

export async function updatePipeline(
  engine: Engine,
  caller: Caller,
  id: string,
  input: Partial<PipelineRequest>,
): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    await lockPipelines(tx);
    const key = { tenantId: tx.tenantId, id };
    const row = await tx.manager.findOneBy(StoredPipeline, key);
    if (!row) return refused('NOT_FOUND', 'There is no such pipeline.', { path: ['id'] });
    const before = requestOf(row);
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    const after = await withOffsetAccount(engine, tx, {
      ...{ ...before, ...given },
      ...{ sourceId: row.sourceId, ledgerId: row.ledgerId },
    });
    const problems = await problemsOf(engine, tx, after);
    const isTaken = await tx.manager.existsBy(StoredPipeline, {
      tenantId: tx.tenantId,
      name: after.name.trim(),
      id: Not(id),
    });
    if (isTaken) problems.push(nameTaken(after.name));
    if (problems.length > 0) return { ok: false, problems };
    await tx.manager.update(StoredPipeline, key, requestOf(after));
    if (after.enabled && !before.enabled) await planKnownSpend(tx, id, caller.correlationId);
    else if (decidesMoney(before, requestOf(after))) await planWaiting(engine, tx, id, caller.correlationId);
    if (after.enabled && after.exportMasterData) await wakeMasterData(engine, tx, id, 'IF_CHANGED');
    else await settleMasterDataAlerts(tx, engine.clock.now(), { id, ...after }, caller.actor);
    recordFor(tx, caller, engine.clock.now(), {
      action: 'pipeline.changed',
      subjectType: 'Pipeline',
      subjectId: id,
      summary: `The pipeline "${after.name}" was changed: ${Object.keys(given).join(', ') || 'nothing'}.`,
      before,
      after,
    });
    return done({ id });
  });
}

/**
 * Adds a mapping version; earlier ones stay as they were. What waits because of a mapping is planned again by it.
 * Giving the rules that are in force already changes nothing. What the rules name and the ledger has lost is a warning and
 * no refusal: it may be made there tomorrow.
 */
export async function setMappingRules(
  engine: Engine,
  caller: Caller,
  input: MappingRequest,
): Promise<Outcome<{ id: string; warnings: readonly Problem[] }>> {
  const checked = checkedRules(input.rules);
  if (!checked.ok) return checked;
  const saved = await saveRules(engine, caller, input, checked.value);
  if (!saved.ok) return saved;
  const { id, ledgerId } = saved.value;
  return done({ id, warnings: await watchDrift(engine, caller.tenantId, ledgerId, input.pipelineId) });
}

function saveRules(
  engine: Engine,
  caller: Caller,
  input: MappingRequest,
  rules: readonly MappingRule[],
): Promise<Outcome<{ id: string; ledgerId: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    await lockPipelines(tx);
    const pipeline = await tx.manager.findOneBy(StoredPipeline, { tenantId: tx.tenantId, id: input.pipelineId });
    if (!pipeline) return refused('NOT_FOUND', 'There is no such pipeline.', { path: ['pipelineId'] });
    const now = engine.clock.now();
    const latest = await tx.manager.findOne(MappingVersionRow, {
      where: { tenantId: tx.tenantId, pipelineId: pipeline.id },
      order: { version: 'DESC' },
    });
    const isFirst = latest === null;
    const effectiveFrom = beginningOf(input.effectiveFrom, isFirst, dayIn(pipeline.timeZone, now));
    const isSame =
      latest !== null &&
      JSON.stringify(latest.rules.map(normalRule)) === JSON.stringify(rules) &&
      (input.effectiveFrom === undefined || latest.effectiveFrom === effectiveFrom);
    if (isSame) return done({ id: latest.id, ledgerId: pipeline.ledgerId });
    const id = newId('map');
    const version = (latest?.version ?? 0) + 1;
    await tx.manager.insert(MappingVersionRow, {
      tenantId: tx.tenantId,
      id,
      pipelineId: pipeline.id,
      version,
      effectiveFrom,
      note: input.note ?? null,
      rules,
      createdAt: now,
      createdBy: caller.actor,
    });
    recordFor(tx, caller, now, {
      action: 'mapping.changed',
      subjectType: 'MappingVersion',
      subjectId: id,
      summary: `Mapping version ${version} of "${pipeline.name}" holds from ${effectiveFrom}: ${rules.length} rules.`,
      before: latest ? { version: latest.version, rules: latest.rules } : null,
      after: { version, effectiveFrom, rules, note: input.note ?? null },
    });
    await tx.execute(
      `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
       select distinct $1, $2, ps.spend_record_id, 'mapping changed', $3
       from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
       where p.tenant_id = $1 and p.pipeline_id = $2 and p.status in ('HELD', 'AWAITING_APPROVAL')
       on conflict do nothing`,
      [tx.tenantId, pipeline.id, caller.correlationId],
    );
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: pipeline.id });
    return done({ id, ledgerId: pipeline.ledgerId });
  });
}

// ── inside ───────────────────────────────────────────────────────────────────────────────────

/** What the source has shown already, to other pipelines or while this one was off, is planned with its next run. */
async function planKnownSpend(tx: Tx, pipelineId: string, correlationId: string): Promise<void> {
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select $1, p.id, r.id, 'pipeline enabled', $3
     from pipelines p join spend_records r on r.tenant_id = p.tenant_id and r.source_id = p.source_id
     where p.tenant_id = $1 and p.id = $2
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, pipelineId, correlationId],
  );
}

/** Whether what tax or a rounding remainder becomes has changed. */
function decidesMoney(before: StoredRequest, after: StoredRequest): boolean {
  const money = ({ roundingAccount, taxCodes }: StoredRequest) => canonicalJson([roundingAccount, taxCodes]);
  return money(before) !== money(after);
}

/** What waits for a person is planned again: what changed may be what it waits for. */
async function planWaiting(engine: Engine, tx: Tx, pipelineId: string, correlationId: string): Promise<void> {
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select distinct $1, $2, ps.spend_record_id, 'pipeline changed', $3
     from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     join spend_records r on r.tenant_id = ps.tenant_id and r.id = ps.spend_record_id
     where p.tenant_id = $1 and p.pipeline_id = $2
       and (p.status in ('HELD', 'AWAITING_APPROVAL') or (p.status = 'POSTED' and r.waiting_reason is not null))
     on conflict do nothing`,
    [tx.tenantId, pipelineId, correlationId],
  );
  await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId });
}

function lockPipelines(tx: Tx): Promise<unknown> {
  return tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`pipelines:${tx.tenantId}`]);
}

function nameTaken(name: string): Problem {
  return {
    code: 'NAME_TAKEN',
    message: `There is already a pipeline named "${name.trim()}".`,
    path: ['input', 'name'],
    resolution: 'Choose another name, or change the existing pipeline with updatePipeline.',
  };
}

/** A pipeline that names no offset account takes the one that its ledger's settings name for card spend, for good. */
async function withOffsetAccount(engine: Engine, tx: Tx, input: PipelineRequest): Promise<PipelineRequest> {
  if (input.offsetAccount.trim() !== '') return input;
  const ledger = await tx.manager.findOneBy(SystemRow, { tenantId: tx.tenantId, id: input.ledgerId });
  const connector = ledger ? engine.connectors.find(ledger.kind) : undefined;
  if (!ledger || connector?.role !== 'LEDGER') return input;
  return { ...input, offsetAccount: connector.clearingAccountOf?.(ledger.settings) ?? '' };
}

async function problemsOf(engine: Engine, tx: Tx, input: PipelineRequest): Promise<Problem[]> {
  const problems: Problem[] = [];
  const say = (field: string, message: string, resolution: string | null = null, code = 'BAD_INPUT') =>
    problems.push({ code, message, path: ['input', field], resolution });

  if (input.name.trim() === '') say('name', 'A pipeline needs a name.');
  if (input.offsetAccount.trim() === '') say('offsetAccount', 'A pipeline needs an offset account for the other side.');
  if (input.schedule !== null && !cron.validate(input.schedule)) {
    say('schedule', `"${input.schedule}" is not a cron expression.`, 'For example "0 6 * * *" for every day at six.');
  }
  if (!isTimeZone(input.timeZone))
    say('timeZone', `"${input.timeZone}" is not an IANA time zone.`, 'For example "Europe/London".');
  if (!isUsableLinkBase(input.receiptLinkBase)) {
    say(
      'receiptLinkBase',
      'The address for links to receipts is no http(s) address without a login or a query.',
      'Give the address under which people reach this gateway, e.g. "https://ledgergate.example".',
    );
  }
  if (input.streams.length === 0) say('streams', 'A pipeline reads at least one stream.');
  if (input.unmatchedVendor === 'POST_WITHOUT_SUPPLIER' && input.documentType === 'SUPPLIER_INVOICE') {
    say(
      'unmatchedVendor',
      'A supplier invoice cannot be posted without a supplier.',
      'Choose HOLD, SKIP or CREATE_SUPPLIER.',
    );
  }
  if (input.unmatchedVendor === 'DEFAULT_ACCOUNT' && input.defaultAccount === null) {
    say('defaultAccount', 'The policy DEFAULT_ACCOUNT needs a default account.');
  }

  problems.push(...taxCodeProblems(input.taxCodes));
  if (!isWithin(input.duplicateDays, 0, 31)) say('duplicateDays', 'Give a whole number of days from 0 to 31.');
  if (!isWithin(input.duplicateImportDays, 1, 366)) {
    say('duplicateImportDays', 'Give a whole number of days from 1 to 366.');
  }

  const systems = await tx.query<{ id: string; kind: SystemKind }>(
    'select id, kind from systems where tenant_id = $1 and id = any($2)',
    [tx.tenantId, [input.sourceId, input.ledgerId]],
  );
  const connectorOf = (id: string) => {
    const system = systems.find((one) => one.id === id);
    return system ? engine.connectors.find(system.kind) : undefined;
  };
  const source = connectorOf(input.sourceId);
  const ledger = connectorOf(input.ledgerId);
  if (source?.role !== 'SPEND') say('sourceId', 'There is no such spend system.', null, 'NOT_FOUND');
  if (ledger?.role !== 'LEDGER') say('ledgerId', 'There is no such ledger.', null, 'NOT_FOUND');
  if (source?.role === 'SPEND') {
    const unknown = input.streams.filter((stream) => !source.streams.includes(stream));
    if (unknown.length > 0)
      say('streams', `${source.title} has no stream ${unknown.join(', ')}.`, `It has ${source.streams.join(', ')}.`);
  }
  if (ledger?.role === 'LEDGER' && !ledger.documentTypes.includes(input.documentType)) {
    say(
      'documentType',
      `${ledger.title} does not take ${input.documentType}.`,
      `It takes ${ledger.documentTypes.join(', ')}.`,
    );
  }
  if (
    input.exportMasterData &&
    source &&
    !engine.connectors.capabilitiesOf(source.kind).includes('receives:masterData')
  ) {
    say(
      'exportMasterData',
      `${source.title} cannot be given the ledger's master data by this installation.`,
      'Set it to false.',
      'NOT_SUPPORTED',
    );
  }
  if (input.exportMasterData && (await fillsFromElsewhere(tx, input))) {
    say(
      'exportMasterData',
      'Another pipeline fills the coding fields of this spend system from another ledger: each would retire what the other offers.',
      'Set it to false, or connect the spend system a second time with fields of its own.',
      'NOT_SUPPORTED',
    );
  }
  return problems;
}

/** Each names the tax code and the field of it that is wrong. */
function taxCodeProblems(taxCodes: unknown): Problem[] {
  const parsed = taxCodesSchema.safeParse(taxCodes ?? {});
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    code: 'BAD_INPUT',
    message: `${['taxCodes', ...issue.path].join('.')}: ${issue.message}`,
    path: ['input', 'taxCodes', ...issue.path.map(String)],
    resolution: 'For example {"V19": {"treatment": "PARTLY_RECOVERABLE", "recoverablePercent": "50"}}.',
  }));
}

async function fillsFromElsewhere(tx: Tx, { sourceId, ledgerId }: PipelineRequest): Promise<boolean> {
  return tx.manager.existsBy(StoredPipeline, {
    ...{ tenantId: tx.tenantId, sourceId, ledgerId: Not(ledgerId), exportMasterData: true, enabled: true },
  });
}

function isWithin(value: number | undefined, min: number, max: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= min && value <= max);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

type StoredRequest = { [K in keyof PipelineRequest]-?: Exclude<PipelineRequest[K], undefined> } & {
  readonly taxCodes: TaxCodes;
};

/** What a person says about a pipeline, as it is stored. @throws ZodError tax codes that `problemsOf` refuses. */
function requestOf(pipeline: PipelineRequest | StoredPipeline): StoredRequest {
  return {
    name: pipeline.name.trim(),
    sourceId: pipeline.sourceId,
    ledgerId: pipeline.ledgerId,
    streams: pipeline.streams,
    documentType: pipeline.documentType,
    grouping: pipeline.grouping,
    schedule: pipeline.schedule,
    timeZone: pipeline.timeZone,
    offsetAccount: pipeline.offsetAccount.trim(),
    defaultAccount: pipeline.defaultAccount,
    unmatchedVendor: pipeline.unmatchedVendor,
    postingDate: pipeline.postingDate,
    closedPeriod: pipeline.closedPeriod,
    coding: pipeline.coding,
    correction: pipeline.correction,
    requireApproval: pipeline.requireApproval,
    exportMasterData: pipeline.exportMasterData,
    enabled: pipeline.enabled,
    receiptLinkBase: receiptLinkBaseOf(pipeline.receiptLinkBase),
    roundingAccount: pipeline.roundingAccount?.trim() || null,
    taxCodes: taxCodesSchema.parse(pipeline.taxCodes ?? {}),
    duplicateCheck: pipeline.duplicateCheck ?? 'ACROSS_SOURCES',
    duplicateDays: pipeline.duplicateDays ?? 0,
    // Card purchases of one day are settled, and with that shown by every stream, within two days.
    duplicateImportDays: pipeline.duplicateImportDays ?? 2,
  };
}

function describes(row: StoredPipeline, input: PipelineRequest): boolean {
  return canonicalJson(requestOf(row)) === canonicalJson(requestOf(input));
}
