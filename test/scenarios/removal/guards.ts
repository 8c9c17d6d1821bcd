import type { Guard } from './guard.js';

const POSTING_ONCE = 'test/integration/services/postingOnce.test.ts';
const GUARDS_TEST = 'test/integration/services/guards.test.ts';
const ADOPTION = 'test/scenarios/restore/adoption.test.ts';

/** In the order of the promises: once, nothing lost, never a guess, only clean postings, explained, secret. */
export const GUARDS: readonly Guard[] = [
  {
    name: 'fencing, before a document is begun',
    file: 'src/services/ledgerWork.ts',
    code: `where tenant_id = $1 and id = $2 and fence = $3 and status = 'READY' returning id)`,
    replacement: `where tenant_id = $1 and id = $2 and status = 'READY' returning id)`,
    caughtBy: { file: POSTING_ONCE, title: 'goes out as it was planned last, when it is planned again meanwhile' },
  },
  {
    name: 'fencing, before a result is stored',
    file: 'src/services/settle.ts',
    code: 'where tenant_id = $1 and id = $2 and fence = $3 and status = $6 returning id',
    replacement: 'where tenant_id = $1 and id = $2 and $3::bigint is not null and $6::text is not null returning id',
    caughtBy: {
      file: POSTING_ONCE,
      title: 'stays one document when a paused process comes back after another one took its posting over',
    },
  },
  {
    name: 'a document is left to the process that is sending it',
    file: 'src/services/ledgerWork.ts',
    code: 'and (lease_until <= $3 or lease_owner = any($4)) for update skip locked',
    replacement: 'and $3::timestamptz is not null and $4::text[] is not null for update skip locked',
    caughtBy: { file: GUARDS_TEST, title: 'is left in its hands by another process that works on the same ledger' },
  },
  {
    name: 'a process that was paused too long does not send',
    file: 'src/services/drain.ts',
    code: 'if (now.getTime() - begunAt.getTime() > START_GRACE_MS) {',
    replacement: 'if (begunAt.getTime() < 0) {',
    caughtBy: { file: POSTING_ONCE, title: 'sends nothing when it comes back after it was held for dead' },
  },
  {
    name: 'a document is looked for before it is sent for the first time',
    file: 'src/services/drain.ts',
    code: 'result = found.get(posting.id) ?? (await this.submit(posting, document, begunAt));',
    replacement: 'result = await this.submit(posting, document, begunAt);',
    caughtBy: { file: ADOPTION, title: 'is adopted under its name, and the source is told again' },
  },
  {
    name: 'a document that is found is asked after further: it may have been taken back',
    file: 'src/services/takenBack.ts',
    code: 'if (reversal === null && next === null) return STANDS;',
    replacement: 'if (original.isPosted) return STANDS;',
    caughtBy: {
      file: ADOPTION,
      title: 'and coded anew since, for the same amount, is not taken for what it was before',
    },
  },
  {
    name: 'what waits for a person is looked for in the ledger',
    file: 'src/services/drain.ts',
    code: 'await adoptWaiting(this.adoption());',
    replacement: '',
    caughtBy: { file: ADOPTION, title: 'and was approved and posted since is adopted' },
  },
  {
    name: 'an unclear answer is a doubt',
    file: 'src/services/drain.ts',
    code: `return { kind: 'UNKNOWN', error, overAt: engine.clock.now() };`,
    replacement: `return { kind: 'NOT_STARTED', error: new UpstreamUnavailableError('Away.'), againAt: engine.clock.now() };`,
    caughtBy: { file: POSTING_ONCE, title: 'is in doubt, and unknown to the report, while nobody knows' },
  },
  {
    name: 'absence is proven only after the settling time',
    file: 'src/services/settle.ts',
    code: 'const isProven = now >= settledAt && posting.absent_count >= 1;',
    replacement: 'const isProven = true;',
    caughtBy: { file: POSTING_ONCE, title: 'is in the ledger once although the ledger writes it late' },
  },
  {
    name: 'what is found under our reference is compared with what we would have there',
    file: 'src/services/ledgerWork.ts',
    code: 'if (!sameAmount(found.totalDebit, posting.total) || !sameAmount(found.totalCredit, posting.total)) {',
    replacement: 'if (found.totalDebit === null) {',
    caughtBy: { file: POSTING_ONCE, title: 'is held for a person when the document under its name has another total' },
  },
  {
    name: 'what is found under our reference counts only when it is posted there',
    file: 'src/services/ledgerWork.ts',
    code: `if (!found.isPosted) return 'the ledger has the document but has not posted it';`,
    replacement: '',
    caughtBy: {
      file: POSTING_ONCE,
      title: 'is held for a person when the document under its name is not posted there',
    },
  },
  {
    name: 'idempotency key of a trigger: the same request',
    file: 'src/services/syncs.ts',
    code: 'if (repeat) return repeat;',
    replacement: 'if (repeat && input.dryRun) return repeat;',
    caughtBy: { file: GUARDS_TEST, title: 'gives the run that it started, also after that has ended' },
  },
  {
    name: 'idempotency key of a trigger: another request',
    file: 'src/services/syncs.ts',
    code: 'if (run.request_hash === requestHash(input)) return done({ id: run.id });',
    replacement: 'return done({ id: run.id });',
    caughtBy: { file: GUARDS_TEST, title: 'of another request is refused' },
  },
  {
    name: 'idempotency key of a POST to Brex',
    file: 'src/connectors/brex/transport.ts',
    code: `...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),`,
    replacement: `'idempotency-key': String(performance.now()),`,
    caughtBy: {
      file: 'test/unit/connectors/brexWebhooks.test.ts',
      title: 'creates one under a repeatable key when there is none',
    },
  },
  {
    name: 'quota of calls',
    file: 'src/services/quota.ts',
    code: 'if (waitMs > 0) return waitMs;',
    replacement: '',
    caughtBy: { file: 'test/integration/services/quota.test.ts', title: 'are shared by all processes' },
  },
  {
    name: 'a source is told of a success only while the document is in the ledger',
    file: 'src/services/exports.ts',
    code: `and p.status = case e.outcome when 'SUCCESS' then 'POSTED' else 'CANCELLED' end)`,
    replacement: ')',
    caughtBy: {
      file: 'test/integration/services/exports.test.ts',
      title: 'is withdrawn unsent when the document was reversed before it went out',
    },
  },
  {
    name: 'money between purchases and documents is conserved',
    file: 'src/domain/planDocument.ts',
    code: 'if (debit !== credit) {',
    replacement: 'if (debit < 0n) {',
    caughtBy: { file: 'test/unit/domain/reversal.test.ts', title: 'on its sides is never made' },
  },
  {
    name: 'the period must be open',
    file: 'src/domain/planChecks.ts',
    code: 'const open = containing.find((period) => period.open);',
    replacement: 'const open = containing[0];',
    caughtBy: {
      file: 'test/unit/domain/planner.test.ts',
      title: 'in a closed or unknown period holds the document',
    },
  },
  {
    name: 'the account must be open to postings',
    file: 'src/domain/planChecks.ts',
    code: 'if (account.blockedReason !== null) return [accountInactive(code, account.name, account.blockedReason)];',
    replacement: '',
    caughtBy: {
      file: 'test/unit/domain/planner.test.ts',
      title: 'is the account: there, active and open to postings',
    },
  },
  {
    name: 'moves of a posting are on the list',
    file: 'src/domain/postingState.ts',
    code: 'return MOVES[from].includes(to);',
    replacement: 'return MOVES[from].includes(to) || to !== from;',
    caughtBy: { file: 'test/unit/domain/postingState.test.ts', title: 'IN_DOUBT' },
  },
  {
    name: 'an approval is bound to the plan that was shown',
    file: 'src/services/approvals.ts',
    code: `if (posting.plan_hash !== planHash) return planChanged('The plan changed since it was shown.');`,
    replacement: '',
    caughtBy: { file: GUARDS_TEST, title: 'of a plan that changed since it was shown releases nothing' },
  },
  {
    name: 'an approval comes from another key than the request',
    file: 'src/services/approvals.ts',
    code: 'const objection = (await keyObjection(tx, engine, caller)) ?? (await handObjection(tx, caller, posting));',
    replacement: 'const objection = await keyObjection(tx, engine, caller);',
    caughtBy: { file: GUARDS_TEST, title: 'by the key that asked for the posting releases nothing' },
  },
  {
    name: 'hashes of the audit chain',
    file: 'src/services/audit.ts',
    code: 'hash === hashEvent(tenantId, number, stored, previousHash);',
    replacement: 'hash.length > 0;',
    caughtBy: { file: 'test/integration/services/auditTrail.test.ts', title: 'summary' },
  },
  {
    name: 'tenant filter: row-level security',
    file: 'src/entities/database.ts',
    code: `select set_config('role', 'ledgergate_app', true),`,
    replacement: `select set_config('role', 'none', true),`,
    caughtBy: {
      file: 'test/integration/entities.test.ts',
      title: 'a tenant finds its own rows of every table without any filter, and no other',
    },
  },
  {
    name: 'roles',
    file: 'src/resolvers/authorise.ts',
    code: 'if (ROLES.indexOf(context.caller.role) >= ROLES.indexOf(needed)) return;',
    replacement: 'if (ROLES.includes(context.caller.role)) return;',
    caughtBy: { file: 'test/integration/graphql/mutations.test.ts', title: 'never reach a use case without the role' },
  },
  {
    name: 'signature of a webhook',
    file: 'src/connectors/brex/webhooks.ts',
    code: 'return isSigned ? id : null;',
    replacement: 'return isSigned || id ? id : null;',
    caughtBy: { file: 'test/unit/connectors/brexWebhooks.test.ts', title: 'an altered body does not' },
  },
  {
    name: 'age of a webhook',
    file: 'src/connectors/brex/webhooks.ts',
    code: '|| !isFresh(timestamp, now) ||',
    replacement: '||',
    caughtBy: {
      file: 'test/unit/connectors/brexWebhooks.test.ts',
      title: 'five minutes either way are accepted, more is stale',
    },
  },
  {
    name: 'size of a webhook',
    file: 'src/services/webhooks.ts',
    code: 'if (request.rawBody.length > BODY_MAX_BYTES) return TOO_LARGE;',
    replacement: '',
    caughtBy: { file: 'test/integration/services/webhooks.test.ts', title: 'over 1 MiB is 413' },
  },
  {
    name: 'bugs stay in the log',
    file: 'src/http/formatError.ts',
    code: `message: \`Something went wrong here. The log has it under \${traceId}.\`,`,
    replacement: 'message: formatted.message,',
    caughtBy: { file: 'test/unit/http/formatError.test.ts', title: 'to the log, under a number that the caller gets' },
  },
];
