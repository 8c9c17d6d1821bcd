import { channel } from 'node:diagnostics_channel';
import type { SystemKind } from './domain/vocabulary.js';

/** One call of a connector, as figures and traces see it: no address, no header, no body. */
export interface VendorCall {
  readonly kind: SystemKind | undefined;
  /** null = no complete answer came back. */
  readonly status: number | null;
  readonly fault: string | null;
  readonly latencyMs: number;
}

/** Where connectors tell of their calls; whoever counts them listens. */
export class Telling<T> {
  private readonly channel;

  constructor(name: string) {
    this.channel = channel(name);
  }

  publish(message: T): void {
    if (this.channel.hasSubscribers) this.channel.publish(message);
  }

  /** @returns a way to stop listening. */
  subscribe(listen: (message: T) => void): () => void {
    const heard = (message: unknown) => listen(message as T);
    this.channel.subscribe(heard);
    return () => this.channel.unsubscribe(heard);
  }
}

export const vendorCalls = new Telling<VendorCall>('ledgergate:vendorCall');
