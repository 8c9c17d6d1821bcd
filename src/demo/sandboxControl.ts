import { request } from 'undici';

const TIMEOUT_MS = 60_000;

/** The hand on the simulated systems: below `/_sandbox/` of each. A real vendor has no such thing. */
export class SandboxControl {
  constructor(private readonly url: string) {}

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.call<T>('POST', path, body);
  }

  private async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await request(`${this.url}/${path}`, {
      method,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300)
      throw new Error(`The sandbox answered ${response.statusCode}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  }
}

/** What every simulated ledger says of itself. */
export interface LedgerTotals {
  readonly journals: number;
  readonly invoices: number;
  /** Documents of both kinds that are in the books. */
  readonly posted: number;
  readonly unbalanced: number;
  /** References that occur more than once. */
  readonly duplicates: readonly unknown[];
}

export interface LedgerDocuments {
  readonly total: number;
  readonly documents: readonly { date: string; reference: string }[];
}
