import type { Tx } from '../entities/database.js';
import { raiseAlert } from './alerts.js';
import type { Caller, Engine } from './engine.js';
import { matchMerchants } from './vendorMatches.js';

/** Merchants decided again in one reading of the ledger; what is more is decided when a purchase needs it. */
const LOST_MAX = 2_000;
/** How many merchants an alert names. */
const NAMED_MAX = 3;

/**
 * Decides merchants again whose supplier was renamed away, merged or deactivated in the ledger, and those whose supplier is
 * back. What a person chose is kept as memory: such a merchant goes to review, and back to its supplier once that is active.
 * No ledger that we read tells which supplier took over a merged one, so a person says so.
 *
 * The suppliers that people chose have alerts of their own (`drift.ts`); one alert stands for all that the
 * program chose for merchants of purchases. Vendors of the spend system without a purchase are told of with their links.
 */
export async function decideLostMatches(engine: Engine, caller: Caller, tx: Tx, ledgerId: string): Promise<void> {
  const lost = await tx.query<{ merchant_key: string; merchant_name: string; is_program: boolean }>(
    `select m.merchant_key, m.merchant_name, m.status = 'AUTO_MATCHED' and exists (select from spend_records r
         where r.tenant_id = m.tenant_id and r.merchant_key = m.merchant_key) as is_program from vendor_matches m
     left join suppliers s on s.tenant_id = m.tenant_id and s.system_id = m.ledger_id
       and s.code = coalesce(m.supplier_code, m.alias_code)
     where m.tenant_id = $1 and m.ledger_id = $2
       and case when m.status in ('AUTO_MATCHED', 'CONFIRMED', 'CREATED') then s.active is not true
         else m.status = 'NEEDS_REVIEW' and m.alias_code is not null and s.active end
     order by m.merchant_key limit $3`,
    [tx.tenantId, ledgerId, LOST_MAX],
  );
  if (lost.length === 0) return;
  const merchants = new Map(lost.map((row) => [row.merchant_key, row.merchant_name]));
  const facts = await matchMerchants(engine, caller, tx, ledgerId, merchants);
  const asked = lost.filter((row) => row.is_program && facts.get(row.merchant_key)?.status === 'NEEDS_REVIEW');
  if (asked.length === 0) return;
  const named = asked.slice(0, NAMED_MAX).map((row) => `"${row.merchant_name}"`);
  const more = asked.length > NAMED_MAX ? ` and ${asked.length - NAMED_MAX} more` : '';
  await raiseAlert(tx, engine.clock.now(), {
    severity: 'WARNING',
    code: 'VENDOR_SUPPLIER_LOST',
    message: `The suppliers of ${named.join(', ')}${more} are no longer active in the ledger. Say with resolveVendorMatch which suppliers they are now, or activate the suppliers.`,
    systemId: ledgerId,
    pipelineId: null,
    dedupeKey: `VENDOR_SUPPLIER_LOST:${ledgerId}`,
  });
}
