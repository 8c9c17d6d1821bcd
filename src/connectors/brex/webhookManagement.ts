import { createHash } from 'node:crypto';
import { ConfigurationError } from '../../errors.js';
import type { ManagesWebhooks } from '../contract.js';
import type { BrexClient } from './client.js';

/**
 * Brex takes one endpoint for each customer or partner app, so one that exists is updated rather than a second one made
 * (what a second registration does is not documented). Secrets belong to the token's customer, not to a subscription.
 */
export function createWebhookManagement(client: BrexClient, eventTypes: readonly string[]): ManagesWebhooks {
  return {
    async register(url) {
      if (!isDeliverable(url)) {
        throw new ConfigurationError('Brex delivers webhooks to https addresses only.', { code: 'WEBHOOK_URL' });
      }
      const existing = await client.webhooks();
      const found = existing.find((subscription) => subscription.url === url) ?? existing[0];
      if (!found) {
        const made = await client.createWebhook(url, eventTypes, subscriptionKey(url, eventTypes));
        return { id: made.id, eventTypes: made.event_types };
      }
      const wanted = [...new Set([...found.event_types, ...eventTypes])];
      const isThere = found.url === url && found.status === 'ACTIVE' && wanted.length === found.event_types.length;
      if (isThere) return { id: found.id, eventTypes: found.event_types };
      const replaced = await client.replaceWebhook({ ...found, url, event_types: wanted });
      return { id: replaced.id, eventTypes: replaced.event_types };
    },
    async secrets() {
      const listed = await client.webhookSecrets();
      return listed.filter((entry) => entry.status !== 'REVOKED').map((entry) => entry.secret);
    },
  };
}

/** Brex takes https only. A gateway and a simulated Brex on one machine talk to each other without certificates. */
function isDeliverable(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
}

/** The same subscription always travels under the same key, so that a repeat after a lost answer makes no second one. */
function subscriptionKey(url: string, eventTypes: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify([url, [...eventTypes].sort()]));
  return `ledgergate-webhook-${digest.digest('hex').slice(0, 32)}`;
}
