import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import {
  approvePosting,
  cancelPosting,
  replayPosting,
  replayPostings,
  reversePosting,
} from '../../../src/services/postings.js';
import { excludeSpendRecord, includeSpendRecord } from '../../../src/services/spendRecords.js';
import { resolveVendorMatch } from '../../../src/services/vendorMatches.js';
import { answered, person } from './asking.js';
import { EXPENSE_ACCOUNTS } from './ledgers.js';
import { CATEGORIES } from './purchase.js';
import { callerOf } from './workers.js';
import { rulesFor, type World } from './world.js';

/** What people decide about postings, purchases, suppliers and the set-up. */

interface PostingFacts {
  readonly id: string;
  readonly reference: string;
  readonly plan_hash: string;
}

async function anyPosting(world: World, statuses: readonly string[]): Promise<PostingFacts | null> {
  const found = await world.rows<PostingFacts>(
    'select id, reference, plan_hash from postings where tenant_id = $1 and status = any($2) order by id',
    statuses,
  );
  return found.length === 0 ? null : world.random.pick(found);
}

export async function exclude(world: World): Promise<string> {
  const found = await world.rows<{ id: string }>('select id from spend_records where tenant_id = $1 order by id');
  if (found.length === 0) return 'nothing there';
  const { id } = world.random.pick(found);
  const caller = person(world);
  return answered(
    world,
    'excluded by a person',
    await world.ask((engine) => excludeSpendRecord(engine, caller, id, 'Private.')),
  );
}

export async function include(world: World): Promise<string> {
  const found = await world.rows<{ id: string }>(
    `select id from spend_records where tenant_id = $1 and status = 'EXCLUDED' order by excluded_by is null, id limit 3`,
  );
  if (found.length === 0) return `nothing to include, so one is excluded: ${await exclude(world)}`;
  const { id } = world.random.pick(found);
  const caller = person(world);
  return answered(world, 'included again', await world.ask((engine) => includeSpendRecord(engine, caller, id)));
}

export async function approve(world: World): Promise<string> {
  const posting = await anyPosting(world, ['AWAITING_APPROVAL']);
  if (!posting) return 'nothing waits';
  const caller = person(world);
  return answered(
    world,
    'approved',
    await world.ask((engine) => approvePosting(engine, caller, posting.id, posting.plan_hash)),
  );
}

export async function cancel(world: World): Promise<string> {
  const posting = await anyPosting(world, ['HELD', 'READY', 'AWAITING_APPROVAL', 'REJECTED']);
  if (!posting) return 'nothing to cancel';
  const caller = person(world);
  return answered(
    world,
    'cancelled',
    await world.ask((engine) => cancelPosting(engine, caller, posting.id, 'Not ours.')),
  );
}

export async function reverse(world: World): Promise<string> {
  const posting = await anyPosting(world, ['POSTED']);
  if (!posting) return 'nothing is posted';
  const caller = person(world);
  return answered(
    world,
    'reversed by hand',
    await world.ask((engine) => reversePosting(engine, caller, posting.id, 'Wrong company.')),
  );
}

export async function replay(world: World): Promise<string> {
  const posting = await anyPosting(world, ['HELD', 'REJECTED', 'IN_DOUBT']);
  if (!posting) return 'nothing to replay';
  const caller = person(world);
  return answered(world, 'replayed', await world.ask((engine) => replayPosting(engine, caller, posting.id, null)));
}

export async function replayAll(world: World): Promise<string> {
  const caller = person(world);
  const filter = { pipelineId: world.pipelineId };
  return answered(world, 'replayed in bulk', await world.ask((engine) => replayPostings(engine, caller, filter, null)));
}

export async function resolveVendor(world: World): Promise<string> {
  const { random, tenantId, ledger } = world;
  const found = await world.rows<{ id: string }>('select id from vendor_matches where tenant_id = $1 order by id');
  if (found.length === 0) return 'nothing there';
  const { id } = random.pick(found);
  const supplierCode = random.pick(ledger.sandbox.suppliers()).code;
  const decision = random.pick(['CONFIRM', 'REJECT', 'ASSIGN'] as const);
  const input = { id, decision, ...(decision === 'ASSIGN' ? { supplierCode } : {}) };
  const caller = callerOf(tenantId, 'user:ana');
  return `${decision} ${answered(world, 'vendor decided', await world.ask((engine) => resolveVendorMatch(engine, caller, input)))}`;
}

export async function changeMapping(world: World): Promise<string> {
  const { random, tenantId, pipelineId } = world;
  const some = CATEGORIES.slice(0, random.int(1, 3));
  const rules = rulesFor(some, () => random.pick(EXPENSE_ACCOUNTS), random.chance(0.4));
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => setMappingRules(engine, caller, { pipelineId, rules }));
  return `${rules.map(({ category, glAccount }) => `${category} to ${glAccount}`).join(', ')}: ${answered(world, 'mapping changed', outcome)}`;
}

export async function changePolicy(world: World): Promise<string> {
  const { random, tenantId, pipelineId } = world;
  const change = random.pick([
    { closedPeriod: 'HOLD' },
    { closedPeriod: 'NEXT_OPEN_PERIOD' },
    { coding: 'FIRST' },
    { coding: 'RICHEST' },
    { correction: 'HOLD' },
    { correction: 'REVERSE_AND_REPLACE' },
    { requireApproval: true },
    { requireApproval: false },
  ] as const);
  const caller = callerOf(tenantId, 'user:ana');
  const outcome = await world.ask((engine) => updatePipeline(engine, caller, pipelineId, change));
  return `${JSON.stringify(change)}: ${answered(world, 'policy changed', outcome)}`;
}
