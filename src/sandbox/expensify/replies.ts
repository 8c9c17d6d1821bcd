import { htmlPage, type SandboxReply } from '../kit/index.js';
import type { ExpensifySettings } from './settings.js';

export const PLAIN = 'text/plain;charset=utf-8';
export const JSON_TYPE = 'application/json';

/** An error in the vendor's envelope; it travels under HTTP 200. */
export class Refusal extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** 410: a parameter is missing or unusable. */
export function invalid(message: string): Refusal {
  return new Refusal(410, message);
}

export function malformed(name: string): Refusal {
  return invalid(`Argument '${name}' is missing or malformed`);
}

/** Puts answers on the wire, with `responseCode` in the form that the settings ask for. */
export class Replies {
  constructor(private readonly settings: ExpensifySettings) {}

  ok(body: Record<string, unknown>, type: string = JSON_TYPE): SandboxReply {
    return this.envelope(200, body, 200, type);
  }

  refusal(code: number, message: string, status = 200): SandboxReply {
    return this.envelope(code, { responseMessage: message }, status, PLAIN);
  }

  /** The vendor's servlet container shows its own page when the service fails. */
  page(message: string): SandboxReply {
    return htmlPage(500, `HTTP Status 500 - ${message}`);
  }

  text(body: string | Buffer, status = 200): SandboxReply {
    return { status, headers: { 'content-type': PLAIN }, body };
  }

  private envelope(code: number, body: Record<string, unknown>, status: number, type: string): SandboxReply {
    const { responseCodeAs } = this.settings;
    // JSON.stringify writes no "200.0", but a lenient JSON writer may.
    const shown = responseCodeAs === 'text' ? `"${code}"` : responseCodeAs === 'decimal' ? `${code}.0` : String(code);
    const rest = JSON.stringify(body).slice(1);
    const text = rest === '}' ? `{"responseCode":${shown}}` : `{"responseCode":${shown},${rest}`;
    return { status, headers: { 'content-type': type }, body: text };
  }
}
