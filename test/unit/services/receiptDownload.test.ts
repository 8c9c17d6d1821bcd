// A link comes from a stranger. What would surprise: a request into the company's own network, by an address, a name or a
// redirect; a file without end that fills the memory; a link in a reason that somebody logs.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { downloadReceipt, isPrivateAddress, publicLookup } from '../../../src/services/receiptDownload.js';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

const PDF = Buffer.from('%PDF-1.4 a receipt');
const SECRET = 'signature=do-not-show';

async function serve(answer: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('a link to the source itself', () => {
  it('is fetched, whatever the server calls the file', async () => {
    const { url } = await serve((_request, response) => {
      response.setHeader('content-type', 'text/html').end(PDF);
    });
    expect(await downloadReceipt(`${url}/r?${SECRET}`, { baseUrl: url })).toEqual({
      kind: 'DONE',
      content: PDF,
      contentType: 'application/pdf',
    });
  });

  it('that leads on within the source is followed, but not for ever', async () => {
    const { url, asked } = await serve((request, response) => {
      if (request.url === '/end') response.end(PDF);
      else response.writeHead(302, { location: request.url === '/start' ? '/end' : '/round' }).end();
    });
    expect((await downloadReceipt(`${url}/start`, { baseUrl: url })).kind).toBe('DONE');
    expect(await downloadReceipt(`${url}/round`, { baseUrl: url })).toMatchObject({ kind: 'REFUSED' });
    expect(asked.filter((path) => path === '/round')).toHaveLength(4);
  });

  it.each([
    [403, 'EXPIRED'],
    [404, 'EXPIRED'],
    [410, 'EXPIRED'],
    [429, 'AWAY'],
    [500, 'AWAY'],
    [204, 'AWAY'],
  ])('that answers %i is %s', async (status, kind) => {
    const { url } = await serve((_request, response) => void response.writeHead(status).end());
    expect((await downloadReceipt(`${url}/r?${SECRET}`, { baseUrl: url })).kind).toBe(kind);
  });

  it('that is a page or too large, announced or not, is refused', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/page') response.end('<!doctype html>Sign in');
      else if (request.url === '/announced') response.writeHead(200, { 'content-length': '1000000' }).write('%PDF-');
      else {
        response.write('%PDF-');
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(500)));
        };
        response.on('drain', more);
        more();
      }
    });
    for (const path of ['/page', '/announced', '/endless']) {
      const answer = await downloadReceipt(`${url}${path}`, { baseUrl: url, bytesMax: 10_000 });
      expect(answer.kind, path).toBe('REFUSED');
    }
  });

  it('that answers with nothing ends in time, and its reason shows no link', async () => {
    const { url } = await serve(() => undefined);
    const answer = await downloadReceipt(`${url}/r?${SECRET}`, { baseUrl: url, timeoutMs: 200 });
    expect(answer.kind).toBe('AWAY');
    expect(JSON.stringify(answer)).not.toContain('do-not-show');
  });
});

describe('a link into a private network', () => {
  const baseUrl = 'https://api.vendor.example';

  it.each([
    'https://127.0.0.1/r',
    'https://10.1.2.3/r',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/r',
    'https://[::ffff:10.0.0.1]/r',
    'https://[fd00::1]/r',
    'https://0x7f.1/r',
    'https://2130706433/r',
  ])('%s is not called', async (link) => {
    expect(await downloadReceipt(link, { baseUrl })).toMatchObject({
      kind: 'REFUSED',
      reason: expect.stringContaining('private'),
    });
  });

  it('by a name is not called', async () => {
    expect(await downloadReceipt('https://localhost:9/r', { baseUrl, timeoutMs: 5_000 })).toMatchObject({
      kind: 'REFUSED',
      reason: expect.stringContaining('private'),
    });
  });

  it.each([
    'http://files.vendor.example/r',
    'file:///etc/passwd',
    'https://user:secret@files.vendor.example/r',
    'no link',
    '',
  ])('%s is refused before anything is asked', async (link) => {
    expect((await downloadReceipt(link, { baseUrl })).kind).toBe('REFUSED');
  });

  it('is not reached by way of the source, though that is private itself', async () => {
    const inside = await serve((_request, response) => void response.end(PDF));
    const port = new URL(inside.url).port;
    const source = await serve((_request, response) => {
      response.writeHead(302, { location: `https://127.0.0.2:${port}/secret` }).end();
    });
    expect(await downloadReceipt(`${source.url}/r`, { baseUrl: source.url })).toMatchObject({
      kind: 'REFUSED',
      reason: expect.stringContaining('private'),
    });
    expect(inside.asked).toEqual([]);
  });
});

describe('an address', () => {
  it.each(['8.8.8.8', '52.216.1.1', '2600:1f18::1'])('%s is public', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });

  it.each(['127.9.9.9', '172.31.0.1', '100.64.0.1', '192.168.1.1', '0.0.0.0', '::', 'fe80::1', '2002:a00:1::', 'name'])(
    '%s is not',
    (address) => {
      expect(isPrivateAddress(address)).toBe(true);
    },
  );

  it('of a name is looked up and checked in one', async () => {
    const looked = await new Promise<unknown>((resolve) => {
      publicLookup('localhost', {}, (error) => resolve(error?.code));
    });
    expect(looked).toBe('LEDGERGATE_PRIVATE_ADDRESS');
  });
});
