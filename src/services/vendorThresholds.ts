import { z } from 'zod';
import { addDays, dayIn } from '../domain/localDate.js';
import { type MatchDecision, matchVendors, type VendorThresholds } from '../domain/vendor/index.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { done, type Outcome, refused } from './outcome.js';
import { loadThresholds, supplierIndex } from './vendorIndex.js';

/** A merchant about which the thresholds and a person say different things. */
export interface ThresholdDisagreement {
  readonly merchantName: string;
  /** What would be posted to without a person. */
  readonly wouldMatch: string;
  /** What the person chose; null = a person rejected the proposal. */
  readonly personChose: string | null;
  readonly purchases: number;
}

/** What thresholds would have done to the merchants of the last year, with no earlier decision to help them. */
export interface ThresholdPreview {
  readonly thresholds: VendorThresholds;
  readonly merchants: number;
  readonly purchases: number;
  /** Merchants that would be matched without a person, would wait for one, and would have no supplier. */
  readonly automatic: number;
  readonly review: number;
  readonly none: number;
  /** Of the automatic ones that a person decided too: those on which both say the same. */
  readonly agreements: number;
  readonly disagreements: number;
  /** The disagreements with the most purchases, at most twenty. */
  readonly examples: readonly ThresholdDisagreement[];
}

const DAYS_BACK = 365;
/** Of the merchants with the most purchases; a preview is no place for a million. */
const MERCHANTS_MAX = 20_000;
/** Matched between two turns of the event loop, so that other requests are answered meanwhile. */
const BATCH = 250;
const EXAMPLES_MAX = 20;

const share = z.number().min(0, 'must be at least 0').max(1, 'must be at most 1');
const thresholdsSchema = z
  .object({ autoScore: share, autoMargin: share, reviewScore: share })
  .refine(({ autoScore, reviewScore }) => reviewScore <= autoScore, {
    path: ['reviewScore'],
    message: 'must not be above autoScore',
  });

/** The ledger's own thresholds, or those that come with the program. */
export function readThresholds(engine: Engine, caller: Caller, ledgerId: string): Promise<VendorThresholds> {
  return engine.db.tenant(caller.tenantId, (tx) => loadThresholds(tx, ledgerId));
}

/** Reads only. */
export async function previewThresholds(
  engine: Engine,
  caller: Caller,
  ledgerId: string,
  thresholds: VendorThresholds,
): Promise<Outcome<ThresholdPreview>> {
  const checked = checkedThresholds(thresholds);
  if (!checked.ok) return checked;
  const read = await engine.db.tenant(caller.tenantId, async (tx) => {
    if (!(await isLedger(tx, ledgerId))) return null;
    const since = addDays(dayIn('UTC', engine.clock.now()), -DAYS_BACK);
    return { index: await supplierIndex(tx, ledgerId), merchants: await merchantsSince(tx, ledgerId, since) };
  });
  if (!read) return noLedger();
  const { index, merchants } = read;
  const tally = new Tally(checked.value);
  for (let start = 0; start < merchants.length; start += BATCH) {
    const batch = merchants.slice(start, start + BATCH);
    const names = batch.map(({ name }) => name);
    const decisions = matchVendors(names, index, undefined, checked.value);
    batch.forEach((merchant, place) => {
      tally.count(merchant, decisions[place] as MatchDecision);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return done(tally.preview());
}

export interface SetThresholds {
  readonly ledgerId: string;
  readonly thresholds: VendorThresholds;
  /** A person has seen that the thresholds disagree with people's decisions and wants them all the same. */
  readonly acceptDisagreements: boolean;
}

/** Saves a ledger's thresholds once it is shown what they would have done; refused while they disagree with people unseen. */
export async function setThresholds(
  engine: Engine,
  caller: Caller,
  { ledgerId, thresholds, acceptDisagreements }: SetThresholds,
): Promise<Outcome<ThresholdPreview>> {
  const shown = await previewThresholds(engine, caller, ledgerId, thresholds);
  if (!shown.ok) return shown;
  const preview = shown.value;
  if (preview.disagreements > 0 && !acceptDisagreements) {
    const [worst] = preview.examples;
    return refused(
      'THRESHOLDS_DISAGREE',
      `These thresholds would have decided ${preview.disagreements} merchants of the last year otherwise than people did${worst ? `, for example "${worst.merchantName}" (${worst.wouldMatch})` : ''}.`,
      {
        path: ['input', 'autoScore'],
        resolution: 'Choose higher thresholds, or look at previewVendorThresholds and set acceptDisagreements.',
      },
    );
  }
  await engine.db.tenant(caller.tenantId, async (tx) => {
    const before = await loadThresholds(tx, ledgerId);
    const now = engine.clock.now();
    const { autoScore, autoMargin, reviewScore } = preview.thresholds;
    await tx.execute(
      `insert into vendor_thresholds (tenant_id, ledger_id, auto_score, auto_margin, review_score, updated_by, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (tenant_id, ledger_id) do update set auto_score = excluded.auto_score,
         auto_margin = excluded.auto_margin, review_score = excluded.review_score, updated_by = excluded.updated_by,
         updated_at = excluded.updated_at`,
      [tx.tenantId, ledgerId, autoScore, autoMargin, reviewScore, caller.actor, now],
    );
    recordFor(tx, caller, now, {
      action: 'vendorThresholds.changed',
      subjectType: 'ConnectedSystem',
      subjectId: ledgerId,
      summary: `Merchants are matched without a person from score ${autoScore} and margin ${autoMargin}, and shown to one from ${reviewScore}: of the last year's ${preview.merchants} merchants ${preview.automatic} would match, ${preview.review} wait and ${preview.none} have no supplier.`,
      before: { ...before },
      after: { ...preview.thresholds, agreements: preview.agreements, disagreements: preview.disagreements },
    });
  });
  return shown;
}

function checkedThresholds(thresholds: VendorThresholds): Outcome<VendorThresholds> {
  const parsed = thresholdsSchema.safeParse(thresholds);
  if (parsed.success) return done(parsed.data);
  const [issue] = parsed.error.issues;
  const field = String(issue?.path[0] ?? 'autoScore');
  return refused('BAD_INPUT', `${field} ${issue?.message ?? 'is not usable'}.`, { path: ['input', field] });
}

async function isLedger(tx: Tx, ledgerId: string): Promise<boolean> {
  const rows = await tx.query(`select 1 from systems where tenant_id = $1 and id = $2 and role = 'LEDGER'`, [
    tx.tenantId,
    ledgerId,
  ]);
  return rows.length > 0;
}

function noLedger(): Outcome<never> {
  return refused('NOT_FOUND', 'There is no such ledger.', { path: ['input', 'ledgerId'] });
}

interface Merchant {
  readonly name: string;
  readonly purchases: number;
  /** A person chose this supplier. */
  readonly chosen: string | null;
  readonly rejected: readonly string[];
}

function merchantsSince(tx: Tx, ledgerId: string, since: string): Promise<Merchant[]> {
  return tx.query<Merchant>(
    `with bought as (
       select r.merchant_key, count(*)::int as purchases from spend_records r
       where r.tenant_id = $1 and r.merchant_key is not null and r.transaction_date >= $3
         and r.source_id in (select source_id from pipelines where tenant_id = $1 and ledger_id = $2)
       group by r.merchant_key
     )
     select m.merchant_name as name, b.purchases, m.rejected_codes as rejected,
       case when m.status = 'CONFIRMED' and m.decided_by is not null then m.alias_code end as chosen
     from bought b join vendor_matches m on m.tenant_id = $1 and m.ledger_id = $2 and m.merchant_key = b.merchant_key
     order by b.purchases desc, m.merchant_key limit $4`,
    [tx.tenantId, ledgerId, since, MERCHANTS_MAX],
  );
}

class Tally {
  private merchants = 0;
  private purchases = 0;
  private agreements = 0;
  private disagreements = 0;
  private readonly decided = { auto: 0, review: 0, none: 0 };
  private readonly examples: ThresholdDisagreement[] = [];

  constructor(private readonly thresholds: VendorThresholds) {}

  /** Merchants come with those of the most purchases first. */
  count(merchant: Merchant, { decision, supplierCode }: MatchDecision): void {
    this.merchants += 1;
    this.purchases += merchant.purchases;
    this.decided[decision] += 1;
    if (decision !== 'auto' || supplierCode === null) return;
    const isRejected = merchant.rejected.includes(supplierCode);
    if (merchant.chosen === supplierCode) this.agreements += 1;
    else if (merchant.chosen !== null || isRejected) {
      this.disagreements += 1;
      if (this.examples.length >= EXAMPLES_MAX) return;
      const { name: merchantName, purchases, chosen: personChose } = merchant;
      this.examples.push({ merchantName, purchases, personChose, wouldMatch: supplierCode });
    }
  }

  preview(): ThresholdPreview {
    const { thresholds, merchants, purchases, agreements, disagreements, examples } = this;
    const { auto: automatic, review, none } = this.decided;
    return { thresholds, merchants, purchases, automatic, review, none, agreements, disagreements, examples };
  }
}
