import type { LedgerConnection, LedgerSupplier } from '../connectors/contract.js';
import type { VendorFact } from '../domain/plan.js';
import type { Hold } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import {
  ConfigurationError,
  CredentialsError,
  ErpRejectedError,
  LedgergateError,
  OutcomeUnknownError,
  UpstreamUnavailableError,
} from '../errors.js';
import { record } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { type ClaimedPosting, move } from './ledgerWork.js';
import { matchMerchants, noteSupplierCreated } from './vendorMatches.js';

/**
 * Makes the supplier that a posting needs, unless the ledger has it already.
 *
 * A supplier of nearly the same name stops it: the posting is held for a person instead. What a person asked for is made.
 * Its code is made from its name, so a repeated creation meets the first one: two postings, a lost reply or a restart
 * all end with one supplier. It is always looked for before it is made.
 * @returns the posting with its supplier, or null when it was held because the ledger refused the supplier.
 * @throws UpstreamUnavailableError nobody knows yet whether it was made; the next try looks first.
 */
export async function ensureSupplier(
  engine: Engine,
  tenantId: string,
  connection: LedgerConnection,
  posting: ClaimedPosting,
): Promise<ClaimedPosting | null> {
  const wanted = posting.create_supplier;
  if (wanted === null) return posting;
  const known = await whatIsKnown(engine, tenantId, posting, wanted);
  if (known?.status === 'CREATED' && known.supplierCode !== null) {
    // Another posting made it meanwhile.
    const code = known.supplierCode;
    await engine.db.tenant(tenantId, (tx) => giveSupplier(tx, posting, code));
    return { ...posting, supplier_code: code, create_supplier: null };
  }
  if (known !== null && !isNew(known)) {
    await holdForTwin(engine, tenantId, posting, wanted.name, known);
    return null;
  }
  try {
    const supplier = await findOrCreate(connection, wanted.name);
    await engine.db.tenant(tenantId, async (tx) => {
      await giveSupplier(tx, posting, supplier.code);
      await noteSupplierCreated(engine, tx, wanted.matchId, supplier, posting.correlation_id);
    });
    return { ...posting, supplier_code: supplier.code, create_supplier: null };
  } catch (error) {
    if (error instanceof ErpRejectedError || error instanceof ConfigurationError) {
      await hold(engine, tenantId, posting, refusedCreation(wanted.name, error.userMessage));
      return null;
    }
    if (error instanceof OutcomeUnknownError) {
      throw new UpstreamUnavailableError(
        `Whether supplier "${wanted.name}" was made is not known yet. ${error.userMessage}`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

/**
 * Makes the suppliers that people asked for and that the vendor directory has a vendor for, without waiting for a posting
 * that needs them. Part of the ledger's one line of writes; looked for before they are made, like all others.
 * @throws LedgergateError the ledger cannot be used now, or the answer was lost; the next try looks first.
 */
export async function createDecidedSuppliers(
  engine: Engine,
  tenantId: string,
  ledgerId: string,
  connection: LedgerConnection,
): Promise<void> {
  const wanted = await engine.db.tenant(tenantId, (tx) =>
    tx.query<{ id: string; create_as: string }>(
      `select id, create_as from vendor_matches
       where tenant_id = $1 and ledger_id = $2 and create_now and create_as is not null order by id limit $3`,
      [tenantId, ledgerId, DECIDED_MAX],
    ),
  );
  for (const { id, create_as: name } of wanted) {
    const correlationId = `vendorMatch:${id}`;
    try {
      const supplier = await findOrCreate(connection, name);
      await engine.db.tenant(tenantId, (tx) => noteSupplierCreated(engine, tx, id, supplier, correlationId));
    } catch (error) {
      if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
      const isTrouble = error.decision === 'RETRY' || error.decision === 'PROBE' || error instanceof CredentialsError;
      await engine.db.tenant(tenantId, (tx) =>
        isTrouble ? comeBack(engine, tx, ledgerId) : noteRefused(engine, tx, { id, name }, error.userMessage),
      );
      if (isTrouble) throw error;
    }
  }
}

/** A drain without postings would not come back by itself. */
function comeBack(engine: Engine, tx: Tx, ledgerId: string): Promise<void> {
  const startAfter = new Date(engine.clock.now().getTime() + DECIDED_PAUSE_MS);
  return engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId }, { startAfter });
}

async function noteRefused(
  engine: Engine,
  tx: Tx,
  match: { id: string; name: string },
  problem: string,
): Promise<void> {
  const now = engine.clock.now();
  const summary = `The supplier "${match.name}" could not be made in the ledger. ${problem}`;
  await tx.execute(
    `update vendor_matches set create_now = false, explanation = $3, updated_at = $4
     where tenant_id = $1 and id = $2 and create_now`,
    [tx.tenantId, match.id, summary, now],
  );
  record(tx, now, {
    ...{ actor: 'system:posting', action: 'supplier.refused', subjectType: 'VendorMatch', subjectId: match.id },
    ...{ summary, after: { name: match.name }, correlationId: `vendorMatch:${match.id}` },
  });
}

const DECIDED_PAUSE_MS = 60_000;
/** A person decides them one by one; more than this are made with the next round. */
const DECIDED_MAX = 50;

async function findOrCreate(connection: LedgerConnection, name: string): Promise<LedgerSupplier> {
  const { suppliers } = connection;
  if (!suppliers)
    throw new ConfigurationError('This ledger takes no new suppliers from outside.', { code: 'NOT_SUPPORTED' });
  const code = suppliers.codeFor(name);
  return (await suppliers.find(code)) ?? (await suppliers.create({ code, name }));
}

async function giveSupplier(tx: Tx, posting: ClaimedPosting, code: string): Promise<void> {
  await tx.execute(
    'update postings set supplier_code = $3, create_supplier = null where tenant_id = $1 and id = $2 and fence = $4',
    [tx.tenantId, posting.id, code, posting.fence],
  );
}

/** What a person asked for is made; what the policy asks for only while the merchant still resembles no supplier. */
function isNew({ status, createAs }: VendorFact): boolean {
  return status === 'UNMATCHED' || (createAs ?? null) !== null;
}

/**
 * The merchant decided once more, against the suppliers as they are now: since the posting was planned, a supplier of nearly
 * the same name may have been made for another posting or in the ledger.
 */
async function whatIsKnown(
  engine: Engine,
  tenantId: string,
  posting: ClaimedPosting,
  wanted: { readonly matchId: string },
): Promise<VendorFact | null> {
  const caller: Caller = {
    ...{ tenantId, actor: 'system:posting', keyId: null, role: 'ADMIN' as const },
    correlationId: posting.correlation_id,
  };
  return engine.db.tenant(tenantId, async (tx) => {
    const [match] = await tx.query<{ merchant_key: string; merchant_name: string }>(
      'select merchant_key, merchant_name from vendor_matches where tenant_id = $1 and id = $2 and ledger_id = $3 for update',
      [tx.tenantId, wanted.matchId, posting.ledger_id],
    );
    if (!match) return null;
    const { merchant_key: key, merchant_name: name } = match;
    const facts = await matchMerchants(engine, caller, tx, posting.ledger_id, new Map([[key, name]]));
    return facts.get(key) ?? null;
  });
}

/** No supplier is made beside one that may be the same: the posting waits, and is planned again with what is known now. */
async function holdForTwin(
  engine: Engine,
  tenantId: string,
  posting: ClaimedPosting,
  name: string,
  known: VendorFact,
): Promise<void> {
  await hold(engine, tenantId, posting, {
    code: 'VENDOR_REVIEW',
    message: `No supplier "${name}" was made, because the ledger may have it already. ${known.explanation}`,
    field: 'supplier',
    value: name,
    resolution: 'Confirm the suggested supplier, or say with resolveVendorMatch (CREATE) that a new one is to be made.',
  });
  await engine.db.tenant(tenantId, async (tx) => {
    await tx.execute(
      `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
       select ps.tenant_id, $3, ps.spend_record_id, 'vendor decided', $4 from posting_spend ps
       where ps.tenant_id = $1 and ps.posting_id = $2
       on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
      [tx.tenantId, posting.id, posting.pipeline_id, posting.correlation_id],
    );
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId, pipelineId: posting.pipeline_id });
  });
}

function refusedCreation(name: string, problem: string): Hold {
  return {
    code: 'VENDOR_UNMATCHED',
    message: `The supplier "${name}" could not be made in the ledger. ${problem}`,
    field: 'supplier',
    value: name,
    resolution:
      'Put right what the ledger names (often a default in the settings), or assign an existing supplier; then replay.',
  };
}

async function hold(engine: Engine, tenantId: string, posting: ClaimedPosting, reason: Hold): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const isOurs = await move(tx, now, posting, {
      to: 'PLANNED',
      action: 'posting.planned',
      summary: `${posting.description}: taken back from sending.`,
    });
    if (!isOurs) return;
    await move(tx, now, posting, {
      to: 'HELD',
      action: 'posting.held',
      summary: `${posting.description}: ${reason.message}`,
      set: { holds: JSON.stringify([reason]), lease_owner: null, lease_until: null },
    });
    await tx.execute(
      `update spend_records r set status = 'HELD', updated_at = $3 from posting_spend ps
       where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id`,
      [tx.tenantId, posting.id, now],
    );
  });
}
