import { z } from 'zod';
import type { BrexParts } from '../app.js';
import { notFound, ok, Refusal } from '../replies.js';
import { bodyOf, type Route } from '../routing.js';
import type { SeedIntegration } from '../seed.js';
import type { BrexSettings } from '../settings.js';

interface Integration extends SeedIntegration {
  status: 'ACTIVE' | 'DISABLED';
  createdAt: string;
}

/** The accounting integrations of the account: at most one is active. */
export class Integrations {
  private readonly all = new Map<string, Integration>();

  constructor(seed: SeedIntegration | null, at: string) {
    if (seed) this.all.set(seed.id, { ...seed, status: 'ACTIVE', createdAt: at });
  }

  active(): Integration | undefined {
    return [...this.all.values()].find((one) => one.status === 'ACTIVE');
  }

  /** @throws Refusal 404 */
  get(id: string): Integration {
    const found = this.all.get(id);
    if (!found) throw notFound('The requested integration was not found.');
    return found;
  }

  add(vendor: string, vendorAccountId: string, createdAt: string): Integration {
    const id = `int_sbx${String(this.all.size + 1)}`;
    const created: Integration = { id, vendor, vendorAccountId, status: 'ACTIVE', createdAt };
    this.all.set(id, created);
    return created;
  }
}

const CREATE = z.object({ vendor: z.string().min(1), vendor_account_id: z.string().min(1) });

/** Creating, disconnecting and reactivating an integration (§7.1). */
export function integrationRoutes({ store, integrations, settings }: BrexParts): Route[] {
  const base = '/v3/accounting/integration';
  const write = { method: 'POST', scopes: ['accounting.integration.write'] } as const;
  return [
    {
      ...{ ...write, pattern: base },
      handle: (call) => {
        const body = bodyOf(call, CREATE);
        const active = integrations.active();
        if (!active) {
          return ok(shape(integrations.add(body.vendor, body.vendor_account_id, store.nowText), settings));
        }
        if (active.vendor === body.vendor && active.vendorAccountId === body.vendor_account_id) {
          return ok(shape(active, settings));
        }
        throw active.vendor === body.vendor
          ? accountMismatch(active, body.vendor_account_id)
          : activeExists(active, body.vendor);
      },
    },
    {
      ...{ ...write, pattern: `${base}/:id/disconnect` },
      handle: (call) => {
        const found = integrations.get(call.params.id ?? '');
        if (found.status !== 'ACTIVE') {
          const details = { integration_id: found.id, current_status: found.status };
          throw new Refusal(409, 'INTEGRATION_NOT_ACTIVE', 'The integration is not active.', details);
        }
        found.status = 'DISABLED';
        return ok(shape(found, settings));
      },
    },
    {
      ...{ ...write, pattern: `${base}/:id/reactivate` },
      handle: (call) => {
        const found = integrations.get(call.params.id ?? '');
        const active = integrations.active();
        if (active) throw activeExists(active, found.vendor);
        found.status = 'ACTIVE';
        return ok(shape(found, settings));
      },
    },
  ];
}

function shape(one: Integration, settings: BrexSettings): unknown {
  const name = settings.integrationIdName;
  return {
    ...(name === 'id' ? {} : { integration_id: one.id }),
    ...(name === 'integration_id' ? {} : { id: one.id }),
    ...{ vendor: one.vendor, vendor_account_id: one.vendorAccountId, status: one.status, created_at: one.createdAt },
  };
}

function activeExists(active: Integration, requested: string): Refusal {
  return new Refusal(409, 'ACTIVE_INTEGRATION_EXISTS', 'An active integration already exists for this account.', {
    existing_integration_id: active.id,
    existing_vendor: active.vendor,
    requested_vendor: requested,
  });
}

function accountMismatch(active: Integration, requested: string): Refusal {
  const message = 'An active integration for this vendor already exists with a different vendor account ID.';
  return new Refusal(409, 'VENDOR_ACCOUNT_ID_MISMATCH', message, {
    existing_integration_id: active.id,
    existing_vendor_account_id: active.vendorAccountId,
    requested_vendor_account_id: requested,
  });
}
