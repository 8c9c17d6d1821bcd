import { Not } from 'typeorm';
import type { CheckResult, Connector } from '../connectors/contract.js';
import { canonicalJson } from '../domain/canonicalJson.js';
import { newId } from '../domain/ids.js';
import type { SystemRole, SystemStatus } from '../domain/vocabulary.js';
import { CredentialRow } from '../entities/credential.js';
import type { Tx } from '../entities/database.js';
import { LedgerSessionRow } from '../entities/ledgerSession.js';
import { SystemRow } from '../entities/system.js';
import { CredentialsError, LedgergateError } from '../errors.js';
import { raiseAlert, settleAlert } from './alerts.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { parseInput } from './inputProblems.js';
import { wakeMasterData } from './masterDataWake.js';
import { done, type Outcome, refused, refusedBy } from './outcome.js';
import { addressIn, checkInput, isHttpUrl } from './systemInput.js';
import type { ConnectSystemRequest } from './useCases.js';
import { bindingOf, openBundle, type Sealer, type SecretBundle } from './vault.js';

export interface SystemsParts extends Engine {
  readonly sealer: Sealer;
}

/**
 * Stores a system and its credential. Nothing is called yet: `testSystem` does.
 * Repeating the same call gives the same system back; another system of that name is refused.
 */
export async function connectSystem(
  engine: SystemsParts,
  caller: Caller,
  input: ConnectSystemRequest,
): Promise<Outcome<{ id: string }>> {
  const connector = engine.connectors.find(input.kind);
  if (!connector) {
    return refused('CONNECTOR_MISSING', `This installation has no connector for ${input.kind}.`, {
      path: ['input', 'kind'],
      resolution: 'Choose one of the kinds that `connectors` lists.',
    });
  }
  const checked = checkInput(connector, input.baseUrl, input.credentials, input.settings ?? {});
  if (!checked.ok) return checked;
  const name = input.name.trim();
  if (name === '') return refused('BAD_INPUT', 'A system needs a name.', { path: ['input', 'name'] });
  const { baseUrl, credential, settings } = checked.value;
  const [open, secret] = split(connector, settings);
  const bundle: SecretBundle = { credential, settings: secret };

  return engine.db.tenant(caller.tenantId, async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`systems:${caller.tenantId}`]);
    const same = await tx.manager.findOneBy(SystemRow, { tenantId: tx.tenantId, name });
    if (same) {
      const stored = await loadBundle(engine, tx, same.id);
      const isRepeat =
        same.kind === input.kind && same.baseUrl === baseUrl && equal(same.settings, open) && equal(stored, bundle);
      if (isRepeat) return done({ id: same.id });
      return refused('NAME_TAKEN', `There is already a system named "${name}".`, {
        path: ['input', 'name'],
        resolution: 'Choose another name, or change the existing system with updateSystem and updateCredentials.',
      });
    }
    const id = newId('sys');
    const now = engine.clock.now();
    await tx.manager.save(SystemRow, {
      tenantId: tx.tenantId,
      id,
      kind: connector.kind,
      role: connector.role,
      name,
      baseUrl,
      status: 'ACTIVE',
      settings: open,
      createdAt: now,
    });
    await storeCredential(engine, tx, connector, id, bundle);
    recordFor(tx, caller, now, {
      action: 'system.connected',
      subjectType: 'ConnectedSystem',
      subjectId: id,
      summary: `${connector.title} was connected as "${name}".`,
      after: { kind: connector.kind, name, baseUrl, settings: open },
    });
    return done({ id });
  });
}

/** Replaces the credential that the owner gave; the next call to the vendor uses it. */
export async function updateCredentials(
  engine: SystemsParts,
  caller: Caller,
  id: string,
  credentials: unknown,
): Promise<Outcome<{ id: string }>> {
  // The session that the old credential opened is ended by it; the new one may not be allowed to, or be another operator.
  const old = await openEither(engine, caller.tenantId, id).catch(() => null);
  await old?.connection.disconnect().catch((error: unknown) => {
    engine.logger.warn({ systemId: id, err: error }, 'the session of the old credential could not be ended');
  });
  return change(engine, caller, id, async (tx, system, connector) => {
    const parsed = parseInput(connector.credentialsSchema, credentials, ['credentials']);
    if (!parsed.ok) return parsed;
    const stored = await loadBundle(engine, tx, id);
    await storeCredential(engine, tx, connector, id, { ...stored, credential: parsed.value });
    // An address that was taken from the old credential goes with it; one that somebody named stays.
    const baseUrl = addressIn(connector, parsed.value);
    if (baseUrl !== null && system.baseUrl === addressIn(connector, stored.credential)) {
      await tx.manager.update(SystemRow, { tenantId: tx.tenantId, id }, { baseUrl });
    }
    await tx.manager.delete(LedgerSessionRow, { tenantId: tx.tenantId, systemId: id });
    if (system.status === 'NEEDS_REAUTHORISATION') await setStatus(tx, id, 'ACTIVE');
    const now = engine.clock.now();
    recordFor(tx, caller, now, {
      action: 'credential.changed',
      subjectType: 'ConnectedSystem',
      subjectId: id,
      summary: `The credential of "${system.name}" was entered anew.`,
    });
    await settleAlert(tx, now, `reauthorise:${id}`, caller.actor);
    await wakeWork(engine, tx, id);
    return done({ id });
  });
}

export async function updateSystem(
  engine: SystemsParts,
  caller: Caller,
  id: string,
  input: { name?: string | undefined; baseUrl?: string | undefined; settings?: unknown },
): Promise<Outcome<{ id: string }>> {
  return change(engine, caller, id, async (tx, system, connector) => {
    const stored = await loadBundle(engine, tx, id);
    // Settings given replace those stored; secret ones that are not given stay as they are.
    const [, keptSecrets] = split(connector, { ...stored.settings });
    const settings =
      input.settings === undefined ? { ...system.settings, ...keptSecrets } : withSecrets(input.settings, keptSecrets);
    const checked = checkInput(connector, input.baseUrl ?? system.baseUrl, stored.credential, settings, []);
    if (!checked.ok) return checked;
    const [open, secret] = split(connector, checked.value.settings);
    const name = input.name?.trim() ?? system.name;
    if (name === '') return refused('BAD_INPUT', 'A system needs a name.', { path: ['name'] });
    if (await tx.manager.existsBy(SystemRow, { tenantId: tx.tenantId, name, id: Not(id) })) {
      return refused('NAME_TAKEN', `There is already a system named "${name}".`, { path: ['name'] });
    }
    await tx.manager.save(SystemRow, {
      tenantId: tx.tenantId,
      id,
      name,
      baseUrl: checked.value.baseUrl,
      settings: open,
    });
    if (!equal(secret, stored.settings)) {
      await storeCredential(engine, tx, connector, id, { ...stored, settings: secret });
    }
    recordFor(tx, caller, engine.clock.now(), {
      action: 'system.changed',
      subjectType: 'ConnectedSystem',
      subjectId: id,
      summary: `The settings of "${name}" were changed.`,
      before: { name: system.name, baseUrl: system.baseUrl, settings: system.settings },
      after: { name, baseUrl: checked.value.baseUrl, settings: open },
    });
    await wakeWork(engine, tx, id);
    return done({ id });
  });
}

/** Stops all work with the system and ends the session it holds. What was posted stays as it is. */
export async function disableSystem(
  engine: SystemsParts,
  caller: Caller,
  id: string,
): Promise<Outcome<{ id: string }>> {
  const open = await openEither(engine, caller.tenantId, id).catch(() => null);
  const outcome = await change(engine, caller, id, async (tx, system) => {
    if (system.status === 'DISABLED') return done({ id });
    await setStatus(tx, id, 'DISABLED');
    recordFor(tx, caller, engine.clock.now(), {
      action: 'system.disabled',
      subjectType: 'ConnectedSystem',
      subjectId: id,
      summary: `"${system.name}" was disabled.`,
      before: { status: system.status },
      after: { status: 'DISABLED' },
    });
    return done({ id });
  });
  if (outcome.ok && open) {
    await open.connection.disconnect().catch((error: unknown) => {
      engine.logger.warn({ systemId: id, err: error }, 'the session of a disabled system could not be ended');
    });
  }
  return outcome;
}

/** Calls the real system step by step and says what to do about the step that fails. */
export async function testSystem(
  engine: SystemsParts,
  caller: Caller,
  id: string,
): Promise<Outcome<{ ok: boolean; checks: readonly CheckResult[] }>> {
  let checks: CheckResult[];
  let companyId: string | null = null;
  try {
    const open = await openEither(engine, caller.tenantId, id);
    checks = await open.connection.test();
    if (checks.every((check) => check.ok) && 'companyId' in open.connection)
      companyId = await open.connection.companyId();
  } catch (error) {
    if (!(error instanceof LedgergateError)) throw error;
    if (error.code === 'NOT_FOUND') return refusedBy(error);
    checks = [{ name: 'open', ok: false, detail: error.userMessage, latencyMs: null }];
  }
  const ok = checks.every((check) => check.ok);
  if (ok) await engine.connections.noteUse(caller.tenantId, id);
  const failed = checks.find((check) => !check.ok);
  await engine.db.tenant(caller.tenantId, async (tx) => {
    const now = engine.clock.now();
    await tx.execute(
      `update systems set last_checked_at = $3, company_id = coalesce($4, company_id),
         status = case when status = 'DISABLED' then status when $5 then 'ACTIVE' else status end
       where tenant_id = $1 and id = $2`,
      [caller.tenantId, id, now, companyId, ok],
    );
    recordFor(tx, caller, now, {
      action: ok ? 'system.tested' : 'system.testFailed',
      subjectType: 'ConnectedSystem',
      subjectId: id,
      summary: ok
        ? 'The connection test passed.'
        : `The connection test failed at "${failed?.name}": ${failed?.detail}`,
      after: { checks },
    });
    if (ok) {
      await settleAlert(tx, now, `reauthorise:${id}`, caller.actor);
      await settleAlert(tx, now, `unreachable:${id}`, caller.actor);
      await wakeWork(engine, tx, id);
    }
  });
  return done({ ok, checks });
}

/** Subscribes this gateway at the spend system and keeps the secrets that its deliveries are signed with. */
export async function registerWebhooks(
  engine: SystemsParts,
  caller: Caller,
  systemId: string,
  publicUrl: string,
): Promise<Outcome<{ id: string }>> {
  try {
    const { connector, connection } = await engine.connections.spend(caller.tenantId, systemId);
    if (!connection.webhookManagement || !connector.webhooks) {
      return refused('NOT_SUPPORTED', `${connector.title} does not push: it is polled.`, { path: ['systemId'] });
    }
    const address = webhookAddress(publicUrl, systemId);
    if (!address) return refused('BAD_INPUT', 'publicUrl is not an http(s) address.', { path: ['publicUrl'] });
    const registered = await connection.webhookManagement.register(address);
    const secrets = await connection.webhookManagement.secrets();
    const companyId = await connection.companyId();
    return await change(engine, caller, systemId, async (tx, system, current) => {
      const stored = await loadBundle(engine, tx, systemId);
      await storeCredential(engine, tx, current, systemId, {
        ...stored,
        settings: { ...stored.settings, webhookSecret: secrets },
      });
      await tx.manager.update(SystemRow, { tenantId: tx.tenantId, id: systemId }, { companyId });
      recordFor(tx, caller, engine.clock.now(), {
        action: 'webhooks.registered',
        subjectType: 'ConnectedSystem',
        subjectId: systemId,
        summary: `"${system.name}" now sends its events to this gateway.`,
        after: { address, subscription: registered.id, eventTypes: registered.eventTypes },
      });
      return done({ id: systemId });
    });
  } catch (error) {
    return refusedBy(error);
  }
}

/** Puts a system's status right after a call failed or worked again, with its alert. Used by the jobs. */
export async function noteReachability(
  engine: Engine,
  tenantId: string,
  systemId: string,
  error: unknown | null,
): Promise<void> {
  if (error === null) await engine.connections.noteUse(tenantId, systemId);
  await engine.db.tenant(tenantId, async (tx) => {
    const system = await tx.manager.findOne(SystemRow, {
      where: { tenantId: tx.tenantId, id: systemId },
      lock: { mode: 'pessimistic_write' },
    });
    if (!system || system.status === 'DISABLED') return;
    const now = engine.clock.now();
    if (error === null) {
      if (system.status === 'ACTIVE') return;
      await setStatus(tx, systemId, 'ACTIVE');
      await settleAlert(tx, now, `unreachable:${systemId}`, 'system:connections');
      await settleAlert(tx, now, `reauthorise:${systemId}`, 'system:connections');
      return;
    }
    const needsPerson = error instanceof CredentialsError;
    await setStatus(tx, systemId, needsPerson ? 'NEEDS_REAUTHORISATION' : 'UNREACHABLE');
    const what = error instanceof LedgergateError ? error.userMessage : 'An unexpected error; see the log.';
    await raiseAlert(tx, now, {
      severity: needsPerson ? 'CRITICAL' : 'WARNING',
      code: needsPerson ? 'NEEDS_REAUTHORISATION' : 'SYSTEM_UNREACHABLE',
      message: `"${system.name}": ${what}`,
      systemId,
      pipelineId: null,
      dedupeKey: needsPerson ? `reauthorise:${systemId}` : `unreachable:${systemId}`,
    });
  });
}

// ── inside ───────────────────────────────────────────────────────────────────────────────────

function webhookAddress(publicUrl: string, systemId: string): string | null {
  const base = publicUrl.trim().replace(/\/+$/, '');
  return isHttpUrl(base) ? `${base}/webhooks/${systemId}` : null;
}

/** Parts settings into those that may be shown and those that are kept sealed. */
function split(
  connector: Connector,
  settings: Record<string, unknown>,
): [open: Record<string, unknown>, secret: Record<string, unknown>] {
  const isSecret = (key: string) => connector.secretSettings.includes(key);
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return [
    Object.fromEntries(entries.filter(([key]) => !isSecret(key))),
    Object.fromEntries(entries.filter(([key]) => isSecret(key))),
  ];
}

function withSecrets(given: unknown, secrets: Record<string, unknown>): unknown {
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? { ...secrets, ...given } : given;
}

function equal(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

async function storeCredential(
  engine: SystemsParts,
  tx: Tx,
  connector: Connector,
  systemId: string,
  bundle: SecretBundle,
): Promise<void> {
  const now = engine.clock.now();
  const described = connector.describeCredential(bundle.credential, now);
  await tx.execute(
    `insert into credentials (tenant_id, system_id, kind, fingerprint, sealed, version, expires_at, renew_by, given_at, updated_at)
     values ($1, $2, $3, $4, $5, 1, $6, $7, $8, $8)
     on conflict (tenant_id, system_id) do update set kind = excluded.kind, fingerprint = excluded.fingerprint,
       sealed = excluded.sealed, version = credentials.version + 1, expires_at = excluded.expires_at,
       renew_by = excluded.renew_by, given_at = excluded.given_at, updated_at = excluded.updated_at`,
    [
      tx.tenantId,
      systemId,
      described.kind,
      engine.sealer.fingerprint(JSON.stringify(bundle.credential)),
      engine.sealer.seal(JSON.stringify(bundle), bindingOf(tx.tenantId, systemId)),
      described.expiresAt,
      described.renewBy,
      now,
    ],
  );
}

async function loadBundle(engine: SystemsParts, tx: Tx, systemId: string): Promise<SecretBundle> {
  const { sealed } = await tx.manager.findOneByOrFail(CredentialRow, { tenantId: tx.tenantId, systemId });
  return openBundle(engine.sealer, sealed, tx.tenantId, systemId);
}

async function change(
  engine: SystemsParts,
  caller: Caller,
  id: string,
  work: (tx: Tx, system: SystemRow, connector: Connector) => Promise<Outcome<{ id: string }>>,
): Promise<Outcome<{ id: string }>> {
  const outcome = await engine.db.tenant(caller.tenantId, async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`systems:${caller.tenantId}`]);
    const system = await tx.manager.findOneBy(SystemRow, { tenantId: tx.tenantId, id });
    if (!system) return refused('NOT_FOUND', 'There is no such system.', { path: ['id'] });
    return work(tx, system, engine.connectors.get(system.kind));
  });
  engine.connections.forget(caller.tenantId, id);
  return outcome;
}

async function setStatus(tx: Tx, id: string, status: SystemStatus): Promise<void> {
  await tx.manager.update(SystemRow, { tenantId: tx.tenantId, id }, { status });
}

async function openEither(engine: Engine, tenantId: string, id: string) {
  const role = await engine.db.tenant(tenantId, (tx) => roleOf(tx, id));
  return role === 'SPEND' ? engine.connections.spend(tenantId, id) : engine.connections.ledger(tenantId, id);
}

async function roleOf(tx: Tx, id: string): Promise<SystemRole | undefined> {
  return (await tx.manager.findOneBy(SystemRow, { tenantId: tx.tenantId, id }))?.role;
}

/** What waited for this system may be possible now. */
async function wakeWork(engine: Engine, tx: Tx, systemId: string): Promise<void> {
  await wakeMasterData(engine, tx, systemId, 'IF_FAILED');
  if ((await roleOf(tx, systemId)) === 'LEDGER') {
    await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: systemId });
  } else {
    await engine.jobs.send(tx, 'source.report', { tenantId: tx.tenantId, sourceId: systemId });
  }
}
