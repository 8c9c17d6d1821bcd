/** Talks to the gateway: requests over HTTP, events over `graphql-transport-ws`. */

export class Refused extends Error {
  /** @param {string} message @param {string} code */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** @param {string} key @param {string} query @param {Record<string, unknown>} [variables] */
export async function ask(key, query, variables = {}) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  const [error] = body.errors ?? [];
  if (error) throw new Refused(error.message, error.extensions?.code ?? 'UNKNOWN');
  return body.data;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;

/**
 * Follows a subscription for as long as the page lives. After a break it goes on behind the last cursor seen, so that
 * nothing is missed and nothing comes twice.
 *
 * @param {{ key: string, query: string, cursorOf: (data: any) => string,
 *   onEvent: (data: any) => void, onState: (isOn: boolean) => void }} options
 * @returns {() => void} ends it
 */
export function follow({ key, query, cursorOf, onEvent, onState }) {
  let after = null;
  let waitMs = RETRY_FIRST_MS;
  let isEnded = false;
  let socket = null;
  let timer = null;

  const open = () => {
    const address = new URL('/graphql', location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    socket = new WebSocket(address, 'graphql-transport-ws');
    socket.onopen = () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: key } }));
    socket.onmessage = ({ data }) => receive(JSON.parse(data));
    socket.onclose = () => {
      onState(false);
      if (isEnded) return;
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
    };
  };

  const receive = (message) => {
    if (message.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
    if (message.type === 'connection_ack') {
      waitMs = RETRY_FIRST_MS;
      onState(true);
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { after } } }));
    }
    if (message.type === 'next' && message.payload.data) {
      after = cursorOf(message.payload.data);
      onEvent(message.payload.data);
    }
    if (message.type === 'error' || message.type === 'complete') socket.close();
  };

  open();
  return () => {
    isEnded = true;
    clearTimeout(timer);
    socket?.close();
  };
}
