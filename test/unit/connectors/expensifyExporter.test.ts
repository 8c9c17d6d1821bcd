/**
 * What would be caught here: a "not ready" taken for an error or the other way round, a half-written file that is read,
 * a refusal in bare text taken for a file name, and a throttle that every process runs into by itself.
 */
import { describe, expect, it } from 'vitest';
import { connectExpensify } from '../../../src/connectors/expensify/index.js';
import {
  ConfigurationError,
  CredentialsError,
  PermissionError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { contextFor } from '../../support/connectorContext.js';
import {
  type Answer,
  answerOf,
  CREDENTIALS,
  connectTo,
  expense,
  expensifyWith,
  fileJobs,
  idsIn,
  NOW,
  printed,
  RECENT,
  readAll,
  report,
  settingsWith,
  TWO,
} from './expensifyHarness.js';

describe('waiting for a file', () => {
  const NOT_READY: [string, Answer, number?][] = [
    ['an empty body', { body: '' }],
    ['an envelope 404', { body: { responseCode: 404, responseMessage: 'File not found' } }],
    ['an envelope with a code in text', { body: { responseCode: '404', responseMessage: 'Nothing' } }],
    ['an envelope 500', { body: { responseCode: 500.0, responseMessage: 'Generic error' } }],
    ['an envelope 410 that says file not found', { body: { responseCode: 410, responseMessage: 'File not found' } }],
    ['bare text', { body: 'File not found' }],
    ['HTTP 404', { status: 404, body: '<html>404</html>' }],
    ['HTTP 500 with HTML', { status: 500, body: '<html>HTTP Status 500</html>' }],
    ['HTTP 502', { status: 502, body: '' }],
    ['HTML under HTTP 200', { body: '<!doctype html><p>wait</p>' }],
    ['a broken connection', { breaks: true }],
    ['a file that is still being written', { body: printed(TWO).slice(0, 400) }, 2],
  ];

  it.each<[string, Answer, number?]>(NOT_READY)('%s means not yet', async (_name, answer, times = 4) => {
    const expensify = await expensifyWith(TWO);
    let polls = 0;
    expensify.model.override = ({ job }) => {
      if (job.type !== 'download') return undefined;
      polls += 1;
      return polls <= times ? answer : undefined;
    };
    const { connection, runtime } = connectTo(expensify.url);
    expect(idsIn(await readAll(connection, RECENT))).toHaveLength(3);
    expect(polls).toBe(times + 1);
    expect(runtime.waits).toEqual([5000, 7500, 11_250, 16_875, 25_312.5].slice(0, times + 1));
    expect(expensify.asked.filter(({ job }) => job.type === 'file')).toHaveLength(1);
    expect(expensify.asked.find(({ job }) => job.type === 'download')?.job).toMatchObject({
      fileName: 'ledgergate1.json',
      fileSystem: 'integrationServer',
    });
  });

  it('ends at the deadline with what Expensify said last', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = ({ job }) =>
      job.type === 'download' ? { body: { responseCode: 404, responseMessage: 'File not found' } } : undefined;
    const { connection, runtime } = connectTo(expensify.url, { deadlineSeconds: 60 });
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toMatchObject({
      constructor: UpstreamUnavailableError,
      code: 'EXPORT_NOT_READY',
      message: expect.stringContaining('File not found'),
    });
    expect(Math.max(...runtime.waits)).toBeLessThanOrEqual(30_000);
  });

  it('a throttle is waited out, told to all processes, and costs no time of the deadline', async () => {
    const expensify = await expensifyWith(TWO);
    let polls = 0;
    expensify.model.override = ({ job }) => {
      if (job.type !== 'download') return undefined;
      polls += 1;
      if (polls === 4) return { body: '' };
      return polls <= 3 ? { body: { responseCode: 429, responseMessage: 'You have been rate-limited.' } } : undefined;
    };
    const { connection, quota, runtime } = connectTo(expensify.url, { deadlineSeconds: 10 });
    expect(idsIn(await readAll(connection, RECENT))).toHaveLength(3);
    expect(quota.blocks).toEqual([60_000, 60_000, 60_000]);
    expect(runtime.waits).toEqual([5000, 60_000, 60_000, 60_000, 7500]);
  });

  it('a throttle that does not end is given back to the job engine', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = ({ job }) => (job.type === 'download' ? { status: 429, body: '' } : undefined);
    const { connection } = connectTo(expensify.url);
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow(RateLimitedError);
  });

  it.each<[string, Answer, new (message: string) => Error]>([
    ['401', { body: { responseCode: 401, responseMessage: 'Authentication error' } }, CredentialsError],
    ['403', { body: { responseCode: 403, responseMessage: 'no' } }, PermissionError],
    ['410', { body: { responseCode: 410, responseMessage: 'Bad request.' } }, ConfigurationError],
    ['bare text of a refused login', { body: 'Authentication error' }, CredentialsError],
  ])('%s ends it at once', async (_name, answer, error) => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = ({ job }) => (job.type === 'download' ? answer : undefined);
    const { connection } = connectTo(expensify.url);
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow(error);
    expect(expensify.asked.filter(({ job }) => job.type === 'download')).toHaveLength(1);
  });

  it('a file that stays cut is made once more and then given up, and never read in part', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = ({ job }) =>
      job.type === 'download' ? { body: printed(TWO).slice(0, 900) } : undefined;
    const { connection } = connectTo(expensify.url);
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow(UnreadableReplyError);
    expect(fileJobs(expensify.asked)).toHaveLength(2);
    expect(expensify.asked).toHaveLength(8);
  });

  it('a file of several blocks is believed when two downloads are the same, for it may be cut between two of them', async () => {
    const expensify = await expensifyWith(TWO);
    const blocks = TWO.map((one) => printed([one]));
    let polls = 0;
    expensify.model.override = ({ job }) => {
      if (job.type !== 'download') return undefined;
      polls += 1;
      return { body: polls === 1 ? `${blocks[0]}${blocks[0]}` : blocks.join('') };
    };
    expect(idsIn(await readAll(connectTo(expensify.url).connection, RECENT))).toHaveLength(3);
    expect(polls).toBe(3);
  });

  it('a file that was cut once for good is made again', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = ({ job }) =>
      job.fileName === 'ledgergate1.json' ? { body: printed(TWO).slice(0, 900) } : undefined;
    expect(idsIn(await readAll(connectTo(expensify.url).connection, RECENT))).toHaveLength(3);
  });

  it('the text of an expense cannot pass for an error of the service', async () => {
    const comment = '{"responseCode":401,"responseMessage":"Authentication error"}';
    const expensify = await expensifyWith([report({}, [expense({ comment })])]);
    const [page] = await readAll(connectTo(expensify.url).connection, RECENT);
    expect(page?.objects[0]?.memo).toBe(comment);
  });
});

describe('a process that stops', () => {
  it('does not wait for its file', async () => {
    const stopping = new AbortController();
    const expensify = await expensifyWith(TWO);
    const context = contextFor(expensify.url, CREDENTIALS, settingsWith({ pollSeconds: 60 }), {
      signal: stopping.signal,
      now: () => NOW,
    });
    const connection = connectExpensify(context);
    const reading = connection.readPage('EXPENSE_REPORTS', RECENT, null);
    expensify.model.override = () => {
      stopping.abort();
      return undefined;
    };
    await expect(reading).rejects.toMatchObject({ constructor: UpstreamUnavailableError, code: 'ABORTED' });
    await connection.disconnect();
  });
});

describe('starting an export', () => {
  it.each(['No Template Submitted', '', 'Please wait and try again'])(
    '"%s" is not taken for a file name',
    async (body) => {
      const expensify = await expensifyWith(TWO);
      expensify.model.override = ({ job }) => (job.type === 'file' ? { body } : undefined);
      const { connection } = connectTo(expensify.url);
      await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow(UpstreamUnavailableError);
      expect(expensify.asked.filter(({ job }) => job.type === 'download')).toEqual([]);
    },
  );

  it.each(['filename', 'fileName'])('an object with %s is taken as well', async (name) => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = (asked) => {
      if (asked.job.type !== 'file') return undefined;
      const { body } = answerOf(expensify.model, asked);
      return { body: { responseCode: '200', [name]: String(body).trim() } };
    };
    expect(idsIn(await readAll(connectTo(expensify.url).connection, RECENT))).toHaveLength(3);
  });

  it('a 404 is a refusal, and no job that was started', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = () => ({ body: { responseCode: 404, responseMessage: 'Policy not found' } });
    const { connection } = connectTo(expensify.url);
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow(ConfigurationError);
    expect(expensify.asked).toHaveLength(1);
  });

  it('an empty answer is asked for again', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = (_asked, count) => (count === 1 ? { body: '' } : undefined);
    expect(idsIn(await readAll(connectTo(expensify.url).connection, RECENT))).toHaveLength(3);
  });

  it('a generic 500 is repeated twice at most', async () => {
    const expensify = await expensifyWith(TWO);
    expensify.model.override = () => ({ body: { responseCode: 500, responseMessage: 'Generic' } });
    const { connection } = connectTo(expensify.url);
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow(UpstreamUnavailableError);
    expect(expensify.asked).toHaveLength(3);
  });
});
