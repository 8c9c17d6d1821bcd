import { z } from 'zod';
import type { FaultDial } from './faults.js';

/**
 * What every simulated ledger has in common, so that the demo, the crash test and the conformance suite drive all of them
 * with the same hand: one description of a company to start from, and one view of what was written.
 * Nothing of it exists at a real vendor.
 */

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date yyyy-mm-dd');
const code = z.string().trim().min(1);

/** A company in words that hold for every ledger; each sandbox makes its own set-up from it. */
export const companySeedSchema = z.strictObject({
  name: z.string().default('Sandbox company'),
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
  /** Further currencies that documents may have, with units of the company's currency for one of theirs, exact decimal text. */
  rates: z.record(z.string(), z.string()).default({}),
  accounts: z
    .array(
      z.strictObject({
        /** The natural account alone; the cost centre is a code of its own. */
        code,
        name: z.string(),
        kind: z.enum(['ASSET', 'LIABILITY', 'CAPITAL', 'REVENUE', 'EXPENSE']),
        active: z.boolean().default(true),
        /** Belongs to a sub-ledger: journals may not use it. */
        control: z.boolean().default(false),
        /** A line without a cost centre is refused. */
        needsCostCentre: z.boolean().default(false),
      }),
    )
    .min(1),
  costCentres: z.array(z.strictObject({ code, name: z.string(), active: z.boolean().default(true) })).default([]),
  suppliers: z
    .array(
      z.strictObject({
        code,
        name: z.string(),
        active: z.boolean().default(true),
        currency: z.string().optional(),
      }),
    )
    .default([]),
  periods: z.array(z.strictObject({ startsOn: day, endsOn: day, open: z.boolean() })).min(1),
  /** Where payables are credited, and where input tax is debited. */
  payablesAccount: code,
  taxAccount: code,
  taxCodes: z.array(z.strictObject({ code, name: z.string(), percent: z.string() })).default([]),
});

export type CompanySeed = z.input<typeof companySeedSchema>;
export type ParsedCompanySeed = z.output<typeof companySeedSchema>;

/** One line as the ledger keeps it. Amounts are decimal text; one of the two is zero. */
export interface LedgerLineView {
  readonly account: string;
  readonly costCentre: string | null;
  /** Further analysis codes by their name in this ledger. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly debit: string;
  readonly credit: string;
  readonly text: string;
}

/** One journal or invoice as the ledger keeps it. */
export interface LedgerDocumentView {
  readonly type: 'JOURNAL' | 'SUPPLIER_INVOICE';
  /** What the caller gave to find it again by. */
  readonly reference: string;
  /** The ledger's own number. */
  readonly number: string;
  readonly supplier: string | null;
  readonly date: string;
  readonly currency: string;
  readonly debit: string;
  readonly credit: string;
  /** false = entered, but not in the books: a batch that nobody posted, an invoice that failed its checks. */
  readonly posted: boolean;
  readonly lines: readonly LedgerLineView[];
}

export interface LedgerSummary {
  readonly journals: number;
  readonly invoices: number;
  /** Documents of both types that are in the books. */
  readonly posted: number;
  readonly unbalanced: number;
  /** References that more than one document carries. */
  readonly duplicates: readonly string[];
  readonly suppliers: number;
  /** How often each operation was called. */
  readonly requests: Readonly<Record<string, number>>;
}

/** A running simulated ledger. The same is below `/_sandbox/` over HTTP, see `ledgerControls.ts`. */
export interface LedgerSandbox {
  readonly url: string;
  /** What a connection to it is configured with. */
  readonly baseUrl: string;
  readonly faults: FaultDial;
  /** All documents in the order they were written, or those with exactly that reference. */
  documents(reference?: string): LedgerDocumentView[];
  summary(): LedgerSummary;
  suppliers(): { code: string; name: string; active: boolean }[];
  /** Opens or closes the period that holds the day. @throws InputError no period holds it. */
  setPeriodOpen(day: string, open: boolean): void;
  /** @throws InputError the ledger has no such account. */
  setAccountActive(code: string, active: boolean): void;
  /** @throws InputError the ledger has no such supplier. */
  setSupplierActive(code: string, active: boolean): void;
  /** Ends all sessions and access tokens. @returns how many there were. */
  expireSessions(): number;
  /** Back to the seed. Settings and faults stay. */
  reset(): void;
  close(): Promise<void>;
}
