import { LRUCache } from 'lru-cache';
import { LedgergateError } from '../../errors.js';
import type { ExpensifyClient } from './client.js';
import { codesOf, type PolicyCodes } from './coding.js';

/** GL codes of a policy; `codes: null` = Expensify does not know it; `fault` = it may not be read, and why. */
export type PolicyLookup = { readonly codes: PolicyCodes | null } | { readonly fault: string };

/** A right that somebody grants is seen this soon; until then a refusal is not asked for again by every report. */
const REFUSAL_MS = 60_000;

/** Categories and tags of policies, remembered for a while: each look costs one of twenty calls a minute. */
export class Policies {
  private readonly known: LRUCache<string, PolicyLookup>;

  constructor(
    private readonly client: ExpensifyClient,
    cacheMinutes: number,
  ) {
    this.known = new LRUCache({ max: 1000, ttl: cacheMinutes * 60_000 });
  }

  /**
   * A policy that may not be read is an answer and not an error: only the expenses that need its codes are held up.
   * @throws what is worth a retry, or ends the whole read: CredentialsError, RateLimitedError, UpstreamUnavailableError.
   */
  async lookUp(policyID: string): Promise<PolicyLookup> {
    if (policyID === '') return { codes: null };
    const known = this.known.get(policyID);
    if (known) return known;
    try {
      const policy = await this.client.policy(policyID);
      const found = { codes: policy === null ? null : codesOf(policy) };
      this.known.set(policyID, found);
      return found;
    } catch (error) {
      if (!(error instanceof LedgergateError) || error.decision !== 'HOLD') throw error;
      const refused = { fault: error.userMessage };
      this.known.set(policyID, refused, { ttl: REFUSAL_MS });
      return refused;
    }
  }
}
