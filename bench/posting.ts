import { Agent, request } from 'undici';
import type { LedgerDocument } from '../src/connectors/contract.js';
import type * as SysproConfig from '../src/connectors/syspro/config.js';
import type * as SysproMapper from '../src/connectors/syspro/mapper.js';
import type * as SysproXml from '../src/connectors/syspro/xml.js';
import type * as Drain from '../src/services/drain.js';
import type * as LedgerWork from '../src/services/ledgerWork.js';
import type { BenchGround } from './ground.js';
import { type Comparison, inTurns } from './measure.js';
import { Profile } from './profile.js';
import { copyPostings, TENANT } from './rows.js';

const ROUNDS = 5;
/** More than any machine sends in a window, so that no window ends for want of work. */
const READY_PER_SECOND = 600;

/** Posting life cycles against a loop that only sends the same documents and writes one row each. */
export async function benchPosting(
  ground: BenchGround,
  seconds: number,
  profiled: boolean,
): Promise<{ comparison: Comparison; profile: string | null }> {
  const { drainLedger } = await ground.load<typeof Drain>('services/drain.js');
  const count = Math.ceil(READY_PER_SECOND * seconds * (ROUNDS + 1));
  await copyPostings(ground, 'R', count, 'READY');
  const bare = await bareLoop(ground, count);
  const profile = profiled ? new Profile() : null;
  const { sysproId } = ground.flow;
  const { statements } = ground.app.db;
  const costs = { ours: { cpuMs: 0, documents: 0, statements: 0 }, bare: { cpuMs: 0, documents: 0 } };

  const drain = async (): Promise<number> => {
    const before = await posted(ground);
    await profile?.start();
    const startedAt = performance.now();
    const [cpu, sent] = [process.cpuUsage(), statements.count];
    await drainLedger(ground.app.engine, TENANT, sysproId, {
      isStopping: () => performance.now() - startedAt > seconds * 1_000,
    });
    const took = performance.now() - startedAt;
    costs.ours.cpuMs += cpuMs(cpu);
    costs.ours.statements += statements.count - sent;
    await profile?.stop();
    const documents = (await posted(ground)) - before;
    costs.ours.documents += documents;
    return documents / (took / 1_000);
  };
  const loop = async (): Promise<number> => {
    const cpu = process.cpuUsage();
    const { documents, tookMs } = await bare.run(seconds);
    costs.bare.cpuMs += cpuMs(cpu);
    costs.bare.documents += documents;
    return documents / (tookMs / 1_000);
  };
  const measured = await inTurns(ROUNDS, drain, loop);
  await bare.close();
  const how =
    `${ROUNDS} rounds of ${seconds} s each, in turns, one document at a time on both sides. Gateway: claim, look-up by reference, ` +
    'durable note, send, settle with audit event and results owed. Bare: undici sends the same XML to a second simulated ' +
    'SYSPRO and pg inserts one row. Durable embedded PostgreSQL; the simulated systems in a process of their own.\n' +
    `  A document costs the gateway ${each(costs.ours.cpuMs, costs.ours.documents)} ms of processor time and ` +
    `${each(costs.ours.statements, costs.ours.documents)} statements, the bare loop ` +
    `${each(costs.bare.cpuMs, costs.bare.documents)} ms and 1 statement.`;
  return {
    comparison: { name: 'Posting life cycles', unit: 'documents/s', ...measured, how },
    profile: profile?.summary() ?? null,
  };
}

async function posted(ground: BenchGround): Promise<number> {
  const { rows } = await ground.pool.query<{ count: number }>(
    "select count(*)::int as count from postings where status = 'POSTED'",
  );
  return rows[0]?.count ?? 0;
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

function each(sum: number, count: number): string {
  return count === 0 ? '?' : (sum / count).toFixed(1);
}

interface BareLoop {
  run(seconds: number): Promise<{ documents: number; tookMs: number }>;
  close(): Promise<void>;
}

async function bareLoop(ground: BenchGround, count: number): Promise<BareLoop> {
  const documents = await documentsOf(ground, count);
  const { journalCall } = await ground.load<typeof SysproMapper>('connectors/syspro/mapper.js');
  const { documentOf } = await ground.load<typeof SysproXml>('connectors/syspro/xml.js');
  const { settingsSchema } = await ground.load<typeof SysproConfig>('connectors/syspro/config.js');
  const settings = settingsSchema.parse({ accountTemplate: '{costCentre}-{glAccount}' });
  const urls = documents.map((document) => {
    const { call } = journalCall(document, settings);
    return new URLSearchParams({
      BusinessObject: call.businessObject,
      XmlParameters: documentOf(call.parameters),
      XmlIn: documentOf(call.items),
    }).toString();
  });
  const agent = new Agent({ connections: 1 });
  const { bare } = ground.access;
  const call = async (path: string, query: string): Promise<string> => {
    const reply = await request(`${bare.baseUrl}/${path}?${query}`, { dispatcher: agent });
    return reply.body.text();
  };
  const token = await call(
    'Logon',
    new URLSearchParams({
      Operator: bare.operator,
      OperatorPassword: bare.password,
      CompanyId: bare.companyId,
      CompanyPassword: '',
    }).toString(),
  );
  await ground.pool.query('create table bare_documents (id bigserial primary key, reference text, answer text)');
  let next = 0;
  return {
    async run(seconds) {
      const startedAt = performance.now();
      const from = next;
      while (performance.now() - startedAt < seconds * 1_000) {
        const url = urls[next % urls.length] ?? '';
        const answer = await call('Transaction/Post', `UserId=${encodeURIComponent(token.trim())}&${url}`);
        if (!answer.includes('<JournalsProcessed>'))
          throw new Error(`The bare loop was refused: ${answer.slice(0, 300)}`);
        await ground.pool.query('insert into bare_documents (reference, answer) values ($1, $2)', [
          documents[next % documents.length]?.reference,
          answer,
        ]);
        next += 1;
      }
      return { documents: next - from, tookMs: performance.now() - startedAt };
    },
    close: () => agent.close(),
  };
}

const DOCUMENTS_MAX = 2_000;

/** As the gateway would send them; nothing is claimed for good. */
async function documentsOf(ground: BenchGround, count: number): Promise<LedgerDocument[]> {
  const { claimReady, loadDocuments } = await ground.load<typeof LedgerWork>('services/ledgerWork.js');
  const { db } = ground.app.engine;
  const now = new Date();
  const take = Math.min(count, DOCUMENTS_MAX);
  return db.tenant(TENANT, async (tx) => {
    const claimed = await claimReady(tx, ground.flow.sysproId, 'bench', now, now, take, []);
    return [...(await loadDocuments(tx, claimed)).values()];
  });
}
