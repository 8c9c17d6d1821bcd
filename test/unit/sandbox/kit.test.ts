// A surprise here means that a sandbox does something else than its fault dial says: every test of a lost reply, a late
// commit or a throttle above it would prove nothing.
import { connect } from 'node:net';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  FaultDial,
  type RunningHttp,
  seededRandom,
  startHttp,
  startSandboxServer,
  text,
} from '../../../src/sandbox/kit/index.js';

let server: RunningHttp;
let faults: FaultDial;
let committed: number;
let sessionEnds: number;

beforeEach(async () => {
  committed = 0;
  sessionEnds = 0;
  faults = new FaultDial({ seed: 7 });
  server = await startSandboxServer({
    faults,
    exchange: (incoming) => ({
      operation: `Write ${incoming.query.get('name') ?? ''}`,
      commit: () => {
        committed += 1;
        return text(200, `done ${committed}`);
      },
      expireSession: () => {
        sessionEnds += 1;
      },
    }),
  });
});

afterEach(() => server.close());

async function call(path = '/api/write?name=GENTJL'): Promise<{ status: number; body: string; type: string }> {
  const { statusCode, body, headers } = await request(`${server.url}${path}`, { headersTimeout: 5000 });
  return { status: statusCode, body: await body.text(), type: String(headers['content-type'] ?? '') };
}

async function post(path: string, value: unknown): Promise<{ status: number; body: unknown }> {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  const reply = await request(`${server.url}${path}`, { method: 'POST', body });
  return { status: reply.statusCode, body: await reply.body.json() };
}

describe('the fault dial', () => {
  it('lets requests pass when it has no rule', async () => {
    expect(await call()).toMatchObject({ status: 200, body: 'done 1' });
  });

  it('cuts the connection before the commit and nothing is done', async () => {
    faults.set([{ match: 'api/write', kind: 'LOSE_REPLY_BEFORE_COMMIT' }]);
    await expect(call()).rejects.toThrow();
    expect(committed).toBe(0);
  });

  it('cuts the connection after the commit and the change is done once', async () => {
    faults.set([{ match: 'gentjl', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(call()).rejects.toThrow();
    expect(committed).toBe(1);
    expect(await call()).toMatchObject({ status: 200, body: 'done 2' });
  });

  it('applies a late commit after the connection was cut', async () => {
    faults.set([{ match: '*', kind: 'COMMIT_LATE', delayMs: 20, times: 1 }]);
    await expect(call()).rejects.toThrow();
    await faults.whenLateCommitsApplied();
    expect(committed).toBe(1);
  });

  it('reports a late commit that fails', async () => {
    const failing = { operation: 'x', commit: () => Promise.reject(new Error('late trouble')) };
    faults.set([{ match: '*', kind: 'COMMIT_LATE' }]);
    await faults.run('/x', failing);
    await expect(faults.whenLateCommitsApplied()).rejects.toThrow('late trouble');
  });

  it('does nothing on a throttle, a server error, an HTML page or an empty answer', async () => {
    faults.set([
      { match: '*', kind: 'RATE_LIMIT', times: 1 },
      { match: '*', kind: 'SERVER_ERROR', times: 1 },
      { match: '*', kind: 'HTML', times: 1 },
      { match: '*', kind: 'HTML', status: 200, times: 1 },
      { match: '*', kind: 'EMPTY', times: 1 },
    ]);
    const replies = [await call(), await call(), await call(), await call(), await call()];
    expect(replies.map((reply) => reply.status)).toEqual([429, 500, 503, 200, 200]);
    expect(replies[2]?.type).toContain('text/html');
    expect(replies[3]?.body).toContain('<html>');
    expect(replies[4]?.body).toBe('');
    expect(committed).toBe(0);
    expect(faults.list().map((rule) => rule.fired)).toEqual([1, 1, 1, 1, 1]);
  });

  it('commits before an HTML page or a slow answer where the rule says so', async () => {
    faults.set([
      { match: '*', kind: 'HTML_AFTER_COMMIT', times: 1 },
      { match: '*', kind: 'SLOW', delayMs: 5, times: 1 },
    ]);
    expect((await call()).status).toBe(503);
    expect(await call()).toMatchObject({ status: 200, body: 'done 2' });
  });

  it('ends the session first and then lets the vendor answer', async () => {
    faults.set([{ match: '*', kind: 'EXPIRE_SESSION', times: 1 }]);
    await call();
    expect([sessionEnds, committed]).toEqual([1, 1]);
  });

  it('leaves requests alone that a rule does not match', async () => {
    faults.set([{ match: 'Transaction/Post', kind: 'SERVER_ERROR' }]);
    expect((await call()).status).toBe(200);
  });

  it('fires the same way again for the same seed', async () => {
    const run = async (): Promise<string> => {
      faults.set([{ match: '*', kind: 'RATE_LIMIT', probability: 0.5 }], 42);
      let pattern = '';
      for (let index = 0; index < 24; index += 1) pattern += (await call()).status === 429 ? 'x' : '.';
      return pattern;
    };
    const first = await run();
    expect(await run()).toBe(first);
    expect(first).toMatch(/x/);
    expect(first).toMatch(/\./);
  });
});

describe('the dial over HTTP', () => {
  it('takes, shows and clears rules', async () => {
    const rule = { match: 'write', kind: 'RATE_LIMIT', times: 2 };
    expect((await post('/_sandbox/faults', { rules: [rule] })).status).toBe(200);
    await call();
    const shown: unknown = JSON.parse((await call('/_sandbox/faults')).body);
    expect(shown).toMatchObject({ rules: [{ ...rule, fired: 1, probability: 1 }] });
    await (await request(`${server.url}/_sandbox/faults`, { method: 'DELETE' })).body.dump();
    expect((await call()).status).toBe(200);
  });

  it('names the field of an unusable rule and keeps the old rules', async () => {
    faults.set([{ match: 'x', kind: 'EMPTY' }]);
    const wrongKind = await post('/_sandbox/faults', { rules: [{ match: '*', kind: 'EXPLODE' }] });
    expect(wrongKind).toMatchObject({ status: 400, body: { field: 'rules.0.kind' } });
    const misspelt = await post('/_sandbox/faults', { rules: [{ match: '*', kind: 'EMPTY', tmies: 1 }] });
    expect(misspelt).toMatchObject({ status: 400, body: { field: 'rules.0.tmies' } });
    expect((await post('/_sandbox/faults', '{')).status).toBe(400);
    expect(faults.list()).toHaveLength(1);
  });

  it('is never disturbed by its own rules', async () => {
    faults.set([{ match: '*', kind: 'LOSE_REPLY_BEFORE_COMMIT' }]);
    expect((await call('/_sandbox/faults')).status).toBe(200);
  });

  it('answers 404 for a control that does not exist', async () => {
    expect((await call('/_sandbox/nothing')).status).toBe(404);
  });
});

describe('the HTTP server', () => {
  it('closes although a client hangs and a slow answer is outstanding', async () => {
    faults.set([{ match: '*', kind: 'SLOW', delayMs: 600_000 }]);
    const hanging = call().then(
      () => 'answered',
      () => 'cut',
    );
    const idle = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => undefined);
    // The slow request must have arrived, or there is nothing to cut.
    await expect.poll(() => committed).toBe(1);
    await server.close();
    expect(await hanging).toBe('cut');
    idle.destroy();
  });

  it('refuses a body above the limit with 413', async () => {
    const small = await startHttp(() => text(200, 'ok'), { bodyLimitBytes: 10 });
    const reply = await request(small.url, { method: 'POST', body: 'x'.repeat(5000) });
    await reply.body.dump();
    expect(reply.statusCode).toBe(413);
    await small.close();
  });

  it('repeats its random numbers for a seed', () => {
    const first = seededRandom(99);
    const second = seededRandom(99);
    const numbers = [first(), first(), first()];
    expect([second(), second(), second()]).toEqual(numbers);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(seededRandom(100)()).not.toBe(numbers[0]);
  });
});
