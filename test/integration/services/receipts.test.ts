// Receipts are fetched while their links live, kept once by content, and never in a posting's way. What would surprise: a
// posting that waits for a receipt or fails with it, a link in the database, a receipt that is kept or attached twice, one
// that another tenant can read, one that is given up without anybody being told.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamUnavailableError } from '../../../src/errors.js';
import { updatePipeline } from '../../../src/services/pipelines.js';
import { receiptContent } from '../../../src/services/receiptContent.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
let server: Server;
let base: string;
/** What the storage has, by path; what is not here answers 403, as a link that has ended. */
const files = new Map<string, Buffer>();
let fetched: string[];

beforeEach(async () => {
  files.clear();
  fetched = [];
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://storage').pathname;
    fetched.push(path);
    const content = files.get(path);
    response.writeHead(content ? 200 : 403).end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  engine = await makeTestEngine({ tenants: ['other'] });
  company = await makeCompany(engine, {}, 'default', { baseUrl: base });
});
afterEach(async () => {
  await engine.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const pdf = (text: string) => Buffer.from(`%PDF-1.4 ${text}`);

/** A purchase with receipts; its record and its expense both show them, as Brex does. */
function show(id: string, receipts: readonly string[], over: object = {}): void {
  const refs = receipts.map((key) => ({ key, fileName: `${key}.jpeg`, lastingUrl: null }));
  const { record, expense } = views(id, '10.00', { receipts: refs, ...over });
  engine.source.put(record, expense);
  for (const object of [record, expense]) {
    const links = receipts.map((key) => ({
      key,
      fileName: null,
      url: `${base}/${key}?signature=of-${object.externalId}`,
    }));
    engine.source.receiptLinks.set(object.externalId, links);
  }
}

function links() {
  return engine.rows<{
    state: string;
    receipt_key: string;
    sha256: string | null;
    note: string | null;
    attempts: number;
  }>('select state, receipt_key, sha256, note, attempts from receipt_links order by receipt_key, stream');
}

const stored = () => engine.rows<{ id: string; size: number }>('select id, size from receipts order by sha256');
const alerts = () =>
  engine.rows<{ code: string; severity: string; resolved_at: Date | null }>(
    `select code, severity, resolved_at from alerts where code like 'RECEIPT%'`,
  );

describe('the receipts of a purchase', () => {
  it('are fetched right after it was read, once for all objects that show them, and no link is kept', async () => {
    files.set('/r1', pdf('one'));
    show('1', ['r1']);
    await sync(engine, company);
    expect(await links()).toMatchObject([{ state: 'STORED' }, { state: 'STORED' }]);
    expect(fetched).toEqual(['/r1']);
    expect(await stored()).toMatchObject([{ size: pdf('one').length }]);
    const everything = await engine.rows(
      `select (select jsonb_agg(l) from receipt_links l)::text || (select jsonb_agg(o) from source_objects o)::text ||
         (select jsonb_agg(a) from audit_events a)::text as text`,
    );
    expect(JSON.stringify(everything)).not.toContain('signature');
    expect((await postings(engine)).map((one) => one.status)).toEqual(['POSTED']);
  });

  it('of the same content are kept once, for purchases of the same tenant and of others', async () => {
    files.set('/r1', pdf('same'));
    files.set('/r2', pdf('same'));
    files.set('/r3', pdf('another'));
    show('1', ['r1', 'r3']);
    show('2', ['r2']);
    await sync(engine, company);
    expect(await stored()).toHaveLength(2);
    const [link] = (await links()).filter((one) => one.receipt_key === 'r1');
    const id = `receipt_${link?.sha256?.slice(0, 32)}`;
    expect((await receiptContent(engine.db, 'default', id))?.content).toEqual(pdf('same'));
    expect(await receiptContent(engine.db, 'other', id)).toBeNull();
  });

  it('of several files are all kept', async () => {
    files.set('/r1', pdf('front'));
    files.set('/r1b', pdf('back'));
    show('1', ['r1']);
    engine.source.receiptLinks.set('record_1', [
      { key: 'r1', fileName: null, url: `${base}/r1` },
      { key: 'r1#2', fileName: null, url: `${base}/r1b` },
    ]);
    await sync(engine, company);
    expect(await stored()).toHaveLength(2);
  });

  it('neither delay nor fail its posting, and a person is told when they cannot be had', async () => {
    show('1', ['r1']);
    await sync(engine, company);
    expect((await postings(engine)).map((one) => one.status)).toEqual(['POSTED']);
    expect((await links()).map((one) => one.state)).toEqual(['MISSING', 'MISSING']);
    expect(await alerts()).toMatchObject([{ code: 'RECEIPT_MISSING', severity: 'INFO', resolved_at: null }]);
    // Asked for anew each time, because a link lives for minutes.
    expect(engine.source.linksAsked.length).toBe(12);
  });

  it('are fetched by a new link when the first one had ended', async () => {
    show('1', ['r1']);
    const soon = new Date(engine.clock.now().getTime() + 30_000);
    await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false });
    await engine.runJobs({ until: soon });
    expect((await links())[0]).toMatchObject({ state: 'PENDING', attempts: 1, note: expect.stringContaining('403') });
    files.set('/r1', pdf('late'));
    await engine.runJobs();
    expect((await links()).map((one) => one.state)).toEqual(['STORED', 'STORED']);
    expect(await alerts()).toEqual([]);
  });

  it('that had been given up are tried again when the purchase changes, and the alert ends', async () => {
    show('1', ['r1']);
    await sync(engine, company);
    files.set('/r1', pdf('found'));
    show('1', ['r1'], { memo: 'receipt uploaded again' });
    await sync(engine, company);
    expect((await links()).map((one) => one.state)).toEqual(['STORED', 'STORED']);
    expect((await alerts()).every((one) => one.resolved_at !== null)).toBe(true);
  });

  it('that are no receipts are refused at once', async () => {
    files.set('/r1', Buffer.from('<!doctype html><title>Sign in</title>'));
    show('1', ['r1']);
    await sync(engine, company);
    expect((await links())[0]).toMatchObject({ state: 'REFUSED', note: expect.stringContaining('neither a PDF') });
    expect(await stored()).toEqual([]);
    expect(fetched).toHaveLength(2);
  });

  it('that the source shows no longer are not waited for, and what was kept stays', async () => {
    files.set('/r1', pdf('one'));
    show('1', ['r1', 'r2']);
    await sync(engine, company);
    show('1', []);
    await sync(engine, company);
    expect((await links()).map((one) => one.state)).toEqual(['STORED', 'STORED', 'GONE', 'GONE']);
    expect(await stored()).toHaveLength(1);
  });

  it('wait while the source is away, without counting that against them', async () => {
    files.set('/r1', pdf('one'));
    show('1', ['r1']);
    engine.source.failures.push({ on: 'links', error: new UpstreamUnavailableError('Away.') });
    await sync(engine, company);
    expect((await links()).map((one) => one.state)).toEqual(['STORED', 'STORED']);
    expect(await alerts()).toEqual([]);
  });

  it('are fetched again, and kept once, by a process that took over from one that lives', async () => {
    files.set('/r1', pdf('one'));
    show('1', ['r1']);
    await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false });
    for (let job = engine.jobs.take(); job; job = engine.jobs.take()) {
      if (job.name !== 'source.receipts') await engine.runJob(job);
      // Taken for dead while it lived: both work on the same receipts.
      else await Promise.allSettled([engine.runJob(job), engine.runJob(job)]);
    }
    expect(await stored()).toHaveLength(1);
    expect((await links()).map((one) => one.state)).toEqual(['STORED', 'STORED']);
  });

  it('are not fetched by a dry run', async () => {
    show('1', ['r1']);
    await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: true });
    await engine.runJobs();
    expect(await links()).toEqual([]);
    expect(fetched).toEqual([]);
  });
});

describe('a ledger that takes attachments', () => {
  beforeEach(() => {
    engine.ledger.takesAttachments = true;
    files.set('/r1', pdf('one'));
    show('1', ['r1']);
  });

  const attachments = () =>
    engine.rows<{ state: string; note: string | null }>('select state, note from receipt_attachments');

  it('gets each receipt once with its document, also when it comes long after that', async () => {
    files.delete('/r1');
    await sync(engine, company);
    expect(engine.ledger.attached).toEqual([]);
    files.set('/r1', pdf('one'));
    show('1', ['r1'], { memo: 'again' });
    await sync(engine, company);
    await sync(engine, company);
    const [posting] = await postings(engine);
    expect(engine.ledger.attached).toMatchObject([
      {
        ledgerDocumentId: posting?.ledger_document_id,
        content: pdf('one'),
        fileName: expect.stringMatching(/^r1-.*\.pdf$/),
      },
    ]);
  });

  it.each(['LOST_BEFORE', 'LOST_AFTER'] as const)(
    'is asked before it is given a file again whose answer was %s',
    async (fault) => {
      engine.ledger.attachFaults.push(fault);
      await sync(engine, company);
      expect(engine.ledger.attached).toHaveLength(1);
      expect(await attachments()).toMatchObject([{ state: 'DONE' }]);
      expect((await postings(engine)).map((one) => one.status)).toEqual(['POSTED']);
    },
  );

  it('that will not have a file leaves the posting as it is, and a person is told', async () => {
    engine.ledger.attachFaults.push('REFUSED');
    await sync(engine, company);
    expect(await attachments()).toMatchObject([{ state: 'REFUSED', note: expect.stringContaining('no such file') }]);
    expect((await postings(engine)).map((one) => one.status)).toEqual(['POSTED']);
    expect((await alerts()).map((one) => one.code)).toEqual(['RECEIPT_NOT_ATTACHED']);
  });
});

describe('a pipeline with an address for links', () => {
  const change = (receiptLinkBase: string | null) =>
    updatePipeline(engine, company.caller, company.pipelineId, { receiptLinkBase });

  it('posts documents that lead to their receipts, from the first moment on', async () => {
    done(await change('https://ledger.gate/ '));
    // The storage has none yet: the link is the same whether or not it was fetched.
    show('1', ['r1']);
    show('2', []);
    await sync(engine, company);
    const memos = engine.ledger.documents.map(({ reference, lines }) => ({ reference, memo: lines[0]?.memo ?? '' }));
    const linked = memos.filter(({ reference, memo }) => memo.endsWith(`https://ledger.gate/receipts/${reference}`));
    expect(linked).toHaveLength(1);
    expect(memos).toHaveLength(2);
    // A receipt that comes after the posting reverses nothing.
    show('2', ['r2']);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
  });

  it.each(['ftp://x', 'no address', 'https://a:b@x', 'https://x?y=1'])('takes no %s for one', async (text) => {
    expect(await change(text)).toMatchObject({
      problems: [{ code: 'BAD_INPUT', path: ['input', 'receiptLinkBase'] }],
    });
  });

  it('posts without links again once that is cleared', async () => {
    done(await change('https://ledger.gate'));
    done(await change(null));
    show('1', ['r1']);
    await sync(engine, company);
    expect(engine.ledger.documents[0]?.lines[0]?.memo).not.toContain('ledger.gate');
  });
});
