import { json, type SandboxReply } from '../kit/index.js';

/** An answer before the HTTP layer puts it together. `body` undefined sends nothing at all. */
export interface BrexReply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

let traces = 5081295853325621927n;

/** Puts an answer on the wire form: JSON or nothing, and always a trace id. */
export function toWire(reply: BrexReply): SandboxReply {
  traces += 7919n;
  const headers = { 'x-brex-trace-id': traces.toString(), ...reply.headers };
  return reply.body === undefined ? { status: reply.status, headers } : json(reply.status, reply.body, headers);
}

export function ok(body?: unknown): BrexReply {
  return { status: 200, body };
}

/** A refusal in one of Brex's two error families, decided by the path. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** `type` in family A, `error_code` in family B. */
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> | null = null,
    /** Forces a family where the edge answers before the API is reached. */
    readonly family: 'A' | 'B' | null = null,
  ) {
    super(message);
  }

  reply(path: string): BrexReply {
    const family = this.family ?? (path.startsWith('/v3/') ? 'B' : 'A');
    const body =
      family === 'B'
        ? { error_code: this.code, message: this.message, ...(this.details ? { details: this.details } : {}) }
        : { type: this.code, message: this.message };
    return { status: this.status, body };
  }
}

export function badRequest(path: string, message: string): Refusal {
  return new Refusal(400, path.startsWith('/v3/') ? 'INVALID_REQUEST' : 'BAD_REQUEST', message);
}

export function notFound(message = 'Not Found'): Refusal {
  return new Refusal(404, 'NOT_FOUND', message);
}
