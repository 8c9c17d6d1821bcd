import type { ExportReport, SpendConnector } from '../../../src/connectors/contract.js';
import type { SpendStream, SystemKind } from '../../../src/domain/vocabulary.js';
import type { Purchase, View } from './purchase.js';
import type { VendorFaults } from './vendorFaults.js';

export const SOURCE_KINDS = ['MEMORY', 'BREX', 'EXPENSIFY'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** What the source was told of one of its objects, the last word last. */
export type Told = ReadonlyMap<string, readonly ExportReport['outcome'][]>;

export interface Delivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Buffer;
}

/** How a source is connected. */
export interface SourceAccess {
  readonly kind: SystemKind;
  readonly baseUrl?: string;
  readonly credentials: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * A spend system of which the simulation knows to the cent what it says at each moment. The changes below are made by the
 * source's own people; one that the source has no way for answers false and changes nothing.
 */
export abstract class SpendSource {
  abstract readonly kind: SourceKind;
  // biome-ignore lint/suspicious/noExplicitAny: the simulation treats credentials and settings of all connectors alike
  abstract readonly connector: SpendConnector<any, any>;
  abstract readonly streams: readonly SpendStream[];
  abstract readonly told: Told;
  readonly purchases: Purchase[] = [];

  abstract get access(): SourceAccess;
  abstract standUnder(faults: VendorFaults): void;

  add(purchase: Purchase): void {
    purchase.amounts.add(purchase.minor);
    this.purchases.push(purchase);
  }

  /** One more stream shows it, and its record is finished. */
  abstract show(purchase: Purchase, view: View): boolean;

  /** @param late a stream that does not show the new amount yet. */
  changeAmount(purchase: Purchase, minor: bigint, late: View | null): boolean {
    purchase.version += 1;
    purchase.before = late === null ? null : { minor: purchase.minor, view: late };
    purchase.minor = minor;
    purchase.amounts.add(minor);
    purchase.parts = [];
    return true;
  }

  recode(purchase: Purchase, category: string): boolean {
    purchase.version += 1;
    purchase.category = category;
    return true;
  }

  rename(purchase: Purchase, merchant: string): boolean {
    purchase.version += 1;
    purchase.merchant = merchant;
    return true;
  }

  split(purchase: Purchase, parts: bigint[]): boolean {
    purchase.parts = parts;
    purchase.before = null;
    purchase.version += 1;
    return true;
  }

  /** Takes it back, or puts it back. */
  withdraw(purchase: Purchase): boolean {
    purchase.isWithdrawn = !purchase.isWithdrawn;
    purchase.version += 1;
    return true;
  }

  /** All streams show the last change. */
  catchUp(): void {
    for (const purchase of this.purchases) purchase.before = null;
  }

  /** Ids of the objects that show it. */
  abstract idsOf(purchase: Purchase): readonly string[];

  purchasesBehind(externalIds: readonly string[]): Purchase[] {
    return this.purchases.filter((purchase) => this.idsOf(purchase).some((id) => externalIds.includes(id)));
  }

  /** What the books should hold of it. */
  dueOf(purchase: Purchase): bigint {
    return purchase.isWithdrawn ? 0n : purchase.minor;
  }

  /** A genuine message about it; null where the source does not push. */
  abstract delivery(id: string, purchase: Purchase, view: View): Delivery | null;

  /** What was entered does not work any more. @returns false when this source has only one credential. */
  changeCredential(): boolean {
    return false;
  }

  /** What a person enters who looks up the right one. */
  credentialToEnter(): unknown {
    return this.access.credentials;
  }

  /**
   * Signs with another secret from now on.
   * @returns the settings to be entered; null where the source does not push.
   */
  changeWebhookSecret(): SourceAccess['settings'] | null {
    return null;
  }

  async close(): Promise<void> {
    // Nothing to close in memory.
  }
}
