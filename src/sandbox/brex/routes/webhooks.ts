import { z } from 'zod';
import type { BrexParts } from '../app.js';
import { pageOfList } from '../paging.js';
import { badRequest, notFound, ok } from '../replies.js';
import { bodyOf, type Call, pageQuery, type Route } from '../routing.js';
import type { Subscription } from '../webhookSender.js';

const CREATE = z.object({
  url: z.string().min(1),
  event_types: z.array(z.string().min(1)).min(1),
  group_id: z.string().nullish(),
});
const REPLACE = CREATE.extend({ status: z.enum(['ACTIVE', 'INACTIVE']) });

/** Webhook subscriptions and their secrets (§11.1, §11.2). */
export function webhookRoutes(parts: BrexParts): Route[] {
  const { subscriptions, secrets } = parts.webhooks;
  const [all, one] = ['/v1/webhooks', '/v1/webhooks/:id'];
  // Managing webhooks needs no scope of its own.
  const route = (method: Route['method'], pattern: string, handle: Route['handle']): Route => {
    return { method, pattern, scopes: [], handle };
  };
  return [
    route('GET', all, (call) => {
      const page = pageOfList(pageQuery(call, 1000, parts.settings), [...subscriptions.values()]);
      return ok({ next_cursor: page.nextCursor, items: page.items });
    }),
    {
      ...route('POST', all, (call) => {
        const body = bodyOf(call, CREATE);
        requireTarget(call, body.url);
        if (subscriptions.size > 0) throw badRequest(call.path, 'Only one webhook endpoint can be registered');
        const created: Subscription = {
          ...{ id: `wsub_sbx${parts.fields.newId('n').slice(5)}`, group_id: body.group_id ?? null, url: body.url },
          ...{ event_types: body.event_types, status: 'ACTIVE' },
        };
        subscriptions.set(created.id, created);
        return ok(created);
      }),
      idempotency: 'required',
    },
    route('GET', '/v1/webhooks/secrets', () => ok(secrets.filter((secret) => secret.status !== 'REVOKED'))),
    route('GET', one, (call) => ok(find(parts, call))),
    route('PUT', one, (call) => {
      const body = bodyOf(call, REPLACE);
      requireTarget(call, body.url);
      const found = find(parts, call);
      Object.assign(found, { ...body, group_id: body.group_id ?? null });
      return ok(found);
    }),
    route('DELETE', one, (call) => {
      subscriptions.delete(find(parts, call).id);
      return ok();
    }),
  ];
}

function find(parts: BrexParts, call: Call): Subscription {
  const found = parts.webhooks.subscriptions.get(call.params.id ?? '');
  if (!found) throw notFound('Webhook subscription not found');
  return found;
}

/** HTTPS only, as Brex wants it; plain HTTP to this machine is the sandbox's own exception. */
function requireTarget(call: Call, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLoopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback)) {
    throw badRequest(call.path, 'url must be a valid HTTPS URL');
  }
}
