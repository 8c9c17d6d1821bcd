// Two companies on one installation, with the same source, the same ledger and the same purchases. What would surprise: a
// purchase of one that the other is taken to have posted already, a job that works on both, a number in the trail that is left
// out because the other took it, anything of the one that the other can reach by its id.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyAuditChain } from '../../../src/services/audit.js';
import { cancelPosting } from '../../../src/services/postings.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  reconciled,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

const TENANTS = ['north', 'south'] as const;
let engine: TestEngine;
let companies: Company[];

beforeEach(async () => {
  engine = await makeTestEngine({ tenants: TENANTS });
  companies = [];
  for (const tenant of TENANTS) companies.push(await makeCompany(engine, {}, tenant));
});
afterEach(() => engine.close());

describe('two companies with the same purchases', () => {
  it('each post them once, with a trail of their own without gaps', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.source.put(views('2', '25.00').record);
    for (const company of companies)
      done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs();
    for (const company of [...companies, ...companies]) await sync(engine, company);

    const references: string[] = [];
    for (const company of companies) {
      const { tenantId } = company.caller;
      const posted = await postings(engine, tenantId);
      expect(
        posted.map(({ status }) => status),
        tenantId,
      ).toEqual(['POSTED', 'POSTED']);
      references.push(...posted.map(({ reference }) => reference));
      const { totals } = await reconciled(engine, company);
      expect(totals, tenantId).toMatchObject([{ source: '125.00', posted: '125.00', difference: '0.00' }]);
      expect(await verifyAuditChain(engine.db, tenantId)).toMatchObject({ ok: true, firstBrokenSequence: null });
      const [trail] = await engine.rows<{ events: string; last: string }>(
        'select count(*) as events, max(sequence) as last from audit_events where tenant_id = $1',
        [tenantId],
      );
      expect(trail?.events).toBe(trail?.last);
    }
    expect(new Set(references).size).toBe(4);
    expect(engine.ledger.documents.map(({ reference }) => reference).sort()).toEqual([...references].sort());
    expect(await postings(engine)).toEqual([]);
  });

  it('reach nothing of each other by its id', async () => {
    engine.source.put(views('1', '100.00').record);
    const [north, south] = companies;
    if (!north || !south) throw new Error('Two companies are needed.');
    await sync(engine, north);
    const [posting] = await postings(engine, 'north');
    const refused = { ok: false, problems: [{ code: 'NOT_FOUND' }] };
    expect(await cancelPosting(engine, south.caller, posting?.id ?? '', 'Not mine.')).toMatchObject(refused);
    const foreign = { pipelineId: north.pipelineId, dryRun: false };
    expect(await triggerSync(engine, south.caller, foreign)).toMatchObject(refused);
    expect(await postings(engine, 'south')).toEqual([]);
  });
});

describe('the tenant `default`', () => {
  it('is named only where an installation begins: at the start, by the bootstrap key, by the command line', () => {
    const src = resolve(import.meta.dirname, '../../../src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(300);
    const naming = files.filter((name) => {
      if (/^(sandbox|connectors)\//.test(name)) return false;
      return /(['"`])default\1/.test(readFileSync(join(src, name), 'utf8'));
    });
    expect(naming.map((name) => relative('.', name)).sort()).toEqual([
      'app.ts',
      'cli/program.ts',
      'services/apiKeys.ts',
    ]);
  });
});
