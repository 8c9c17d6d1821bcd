import type { LedgerConnection, LedgerSupplier } from '../connectors/contract.js';
import type { Hold } from '../domain/vocabulary.js';
import { ConfigurationError, ErpRejectedError, OutcomeUnknownError, UpstreamUnavailableError } from '../errors.js';
import type { Engine } from './engine.js';
import { type ClaimedPosting, move } from './ledgerWork.js';
import { noteSupplierCreated } from './vendorMatches.js';

/**
 * Makes the supplier that a posting needs, unless the ledger has it already.
 *
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
  try {
    const supplier = await findOrCreate(connection, wanted.name);
    await engine.db.tenant(tenantId, async (tx) => {
      await tx.execute(
        'update postings set supplier_code = $3, create_supplier = null where tenant_id = $1 and id = $2 and fence = $4',
        [tx.tenantId, posting.id, supplier.code, posting.fence],
      );
      await noteSupplierCreated(tx, engine.clock.now(), wanted.matchId, supplier, posting.correlation_id);
    });
    return { ...posting, supplier_code: supplier.code, create_supplier: null };
  } catch (error) {
    if (error instanceof ErpRejectedError || error instanceof ConfigurationError) {
      await hold(engine, tenantId, posting, wanted.name, error.userMessage);
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

async function findOrCreate(connection: LedgerConnection, name: string): Promise<LedgerSupplier> {
  const { suppliers } = connection;
  if (!suppliers)
    throw new ConfigurationError('This ledger takes no new suppliers from outside.', { code: 'NOT_SUPPORTED' });
  const code = suppliers.codeFor(name);
  return (await suppliers.find(code)) ?? (await suppliers.create({ code, name }));
}

async function hold(
  engine: Engine,
  tenantId: string,
  posting: ClaimedPosting,
  name: string,
  problem: string,
): Promise<void> {
  const reason: Hold = {
    code: 'VENDOR_UNMATCHED',
    message: `The supplier "${name}" could not be made in the ledger. ${problem}`,
    field: 'supplier',
    value: name,
    resolution:
      'Put right what the ledger names (often a default in the settings), or assign an existing supplier; then replay.',
  };
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
