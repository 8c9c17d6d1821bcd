import { lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { RECEIPT_BYTES_MAX, receiptTypeOf } from '../domain/receiptType.js';

/** What became of one download. No reason holds a link: whoever has one can open the receipt. */
export type Download =
  | { readonly kind: 'DONE'; readonly content: Buffer; readonly contentType: string }
  /** Asking again will not help: too large, no kind of file that is kept, an address that must not be called. */
  | { readonly kind: 'REFUSED'; readonly reason: string }
  /** The link has ended or was not there yet. */
  | { readonly kind: 'EXPIRED'; readonly reason: string }
  /** No answer, or a fault at the other side. */
  | { readonly kind: 'AWAY'; readonly reason: string };

export interface DownloadOptions {
  /** The configured address of the source. Its own host is trusted, wherever that is; every other one must be public. */
  readonly baseUrl: string;
  readonly timeoutMs?: number;
  readonly bytesMax?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 60_000;
const REDIRECTS_MAX = 3;

/**
 * Fetches a receipt from a link that a source gave. The link is a stranger's word: only https is called (the source's own
 * host also as it is configured), never an address inside a private network, also not by way of a redirect or of a name
 * that resolves to one, because the address that was checked is the one that is connected to.
 */
export async function downloadReceipt(link: string, options: DownloadOptions): Promise<Download> {
  const signals = [AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS), options.signal].filter((one) => !!one);
  const signal = AbortSignal.any(signals);
  let url = URL.parse(link);
  for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
    const refusal = url ? refusalOf(url, options.baseUrl) : 'The link is no address.';
    if (!url || refusal !== null) return { kind: 'REFUSED', reason: refusal ?? '' };
    const step = await fetchOnce(url, options, signal);
    if ('kind' in step) return step;
    url = URL.parse(step.location, url.href);
  }
  return { kind: 'REFUSED', reason: `The link leads on more than ${REDIRECTS_MAX} times.` };
}

async function fetchOnce(
  url: URL,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Download | { readonly location: string }> {
  const agent = agentFor(url, options.baseUrl);
  try {
    const reply = await request(url, { dispatcher: agent, method: 'GET', signal, headers: { accept: '*/*' } });
    const location = reply.headers.location;
    if (reply.statusCode >= 300 && reply.statusCode < 400 && typeof location === 'string') return { location };
    return await readReply(reply, url.host, options.bytesMax ?? RECEIPT_BYTES_MAX);
  } catch (error) {
    return faultOf(error, url.host);
  } finally {
    await agent.destroy();
  }
}

async function readReply(reply: Dispatcher.ResponseData, host: string, bytesMax: number): Promise<Download> {
  const { statusCode: status } = reply;
  if (status === 401 || status === 403 || status === 404 || status === 410) {
    return { kind: 'EXPIRED', reason: `${host} says ${status}: the link has ended, or the receipt is not there.` };
  }
  if (status !== 200) return { kind: 'AWAY', reason: `${host} answered ${status}.` };
  const tooLarge: Download = { kind: 'REFUSED', reason: `It has more than ${bytesMax} bytes.` };
  if (Number(reply.headers['content-length'] ?? 0) > bytesMax) return tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of reply.body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) return tooLarge;
    chunks.push(chunk);
  }
  const content = Buffer.concat(chunks);
  const type = receiptTypeOf(content);
  if (!type) return { kind: 'REFUSED', reason: 'It is neither a PDF nor an image of a kind that is kept.' };
  return { kind: 'DONE', content, contentType: type.contentType };
}

// ── addresses ────────────────────────────────────────────────────────────────────────────────

/** Networks that no stranger's link may lead into (IANA's special-purpose registries). */
const PRIVATE_4 = networks(
  'ipv4',
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
   192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`,
);
/** Those that carry an IPv4 address inside are refused as a whole: nobody serves receipts from them. */
const PRIVATE_6 = networks(
  'ipv6',
  `::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 fc00::/7 fe80::/10 fec0::/10
   ff00::/8`,
);

/** A list for each family: one for both would take every IPv4 address for a mapped one. */
function networks(family: 'ipv4' | 'ipv6', text: string): BlockList {
  const list = new BlockList();
  for (const network of text.split(/\s+/)) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** Whether an address lies inside a private or special network, or is none at all. */
export function isPrivateAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return PRIVATE_4.check(address, 'ipv4');
    case 6:
      return PRIVATE_6.check(address, 'ipv6');
    default:
      return true;
  }
}

function isOwnHost(url: URL, baseUrl: string): boolean {
  return URL.parse(baseUrl)?.hostname === url.hostname;
}

/** What forbids this address before any name is looked up; null = nothing. */
function refusalOf(url: URL, baseUrl: string): string | null {
  const own = isOwnHost(url, baseUrl);
  const isAllowed = url.protocol === 'https:' || (own && url.protocol === URL.parse(baseUrl)?.protocol);
  if (!isAllowed) return 'The link is not https.';
  if (url.username !== '' || url.password !== '') return 'The link carries a login.';
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (!own && isIP(literal) !== 0 && isPrivateAddress(literal)) return PRIVATE_REFUSAL;
  return null;
}

const PRIVATE_REFUSAL = 'The link leads into a private network.';
const PRIVATE_CODE = 'LEDGERGATE_PRIVATE_ADDRESS';

/** Names are resolved once, and what was checked is what is connected to. */
function agentFor(url: URL, baseUrl: string): Agent {
  const lookup = isOwnHost(url, baseUrl) ? undefined : publicLookup;
  const connect = buildConnector({ timeout: 10_000, ...(lookup ? { lookup } : {}) });
  return new Agent({ connect, pipelining: 0 });
}

export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const [first] = addresses;
    if (!first || addresses.some(({ address }) => isPrivateAddress(address))) {
      return callback(Object.assign(new Error('a private address'), { code: PRIVATE_CODE }), '');
    }
    if (options.all) return callback(null, addresses);
    return callback(null, first.address, first.family);
  });
};

function faultOf(error: unknown, host: string): Download {
  const code = codeOf(error);
  if (code === PRIVATE_CODE) return { kind: 'REFUSED', reason: PRIVATE_REFUSAL };
  return { kind: 'AWAY', reason: `${host} gave no complete answer (${code ?? 'timeout'}).` };
}

/** The code only: messages of lower layers may quote what was called. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}
