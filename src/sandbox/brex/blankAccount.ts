import type { BrexSeed, SeedField } from './seed.js';

/** What to connect with to every account that `blankAccount` makes. None of it opens anything real. */
export const SANDBOX_ACCESS = {
  userToken: 'bxt_sandbox0000000000000000000000000001',
  clientId: 'sandbox-client',
  clientSecret: 'sandbox-client-secret',
  refreshToken: 'rt_sandbox-first',
  redirectUri: 'http://127.0.0.1:4000/oauth/brex/callback',
  webhookSecret: `whsec_${Buffer.from('ledgergate-sandbox-webhook-key-1').toString('base64')}`,
  companyId: 'cuacc_sbx0001',
  integrationVendor: 'LEDGERGATE',
  integrationId: 'int_sbx1',
} as const;

/** An account with its company, users, access and empty coding fields, and no spend yet. */
export function blankAccount(now: string, overrides: Partial<BrexSeed> = {}): BrexSeed {
  return {
    now,
    company: { id: SANDBOX_ACCESS.companyId, legalName: 'Halvorsen Pump Works Inc.', accountType: 'BREX_EMPOWER' },
    access: {
      userTokens: [{ token: SANDBOX_ACCESS.userToken, userId: 'cuuser_sbx1', scopes: null }],
      oauthClients: [
        {
          clientId: SANDBOX_ACCESS.clientId,
          clientSecret: SANDBOX_ACCESS.clientSecret,
          redirectUris: [SANDBOX_ACCESS.redirectUri],
          refreshTokens: [SANDBOX_ACCESS.refreshToken],
          userId: 'cuuser_sbx1',
          scopes: null,
        },
      ],
      webhookSecrets: [{ secret: SANDBOX_ACCESS.webhookSecret, status: 'ACTIVE' }],
    },
    users: [user(1, 'Ana', 'Ruiz', 'ACCOUNT_ADMIN')],
    departments: [{ id: 'dept_sbx1', name: 'Operations' }],
    locations: [{ id: 'loc_sbx1', name: 'Dayton' }],
    budgets: [{ id: 'budget_sbx1', name: 'General' }],
    legalEntities: [{ id: 'le_sbx1', name: 'Halvorsen Pump Works Inc.', currency: 'USD', isDefault: true }],
    fields: [
      field('gl_account', 'GL Account', []),
      field('cost_center', 'Cost center', []),
      field('project', 'Project', []),
    ],
    cashAccounts: [
      {
        ...{ id: 'dpacc_sbx1', name: 'Primary', isPrimary: true, balanceMinor: 84_213_377 },
        ...{ accountNumber: '000123456789', routingNumber: '021000021' },
      },
    ],
    vendors: [],
    merchants: [{ id: 'pmch_sbx1', name: 'Office Depot', mcc: '5943', country: 'USA' }],
    purchases: [],
    cashTransactions: [],
    plannedEdits: [],
    integration: null,
    ...overrides,
  };
}

export function user(
  number: number,
  firstName: string,
  lastName: string,
  role = 'EMPLOYEE',
): BrexSeed['users'][number] {
  return {
    ...{ id: `cuuser_sbx${number}`, firstName, lastName, role, departmentId: 'dept_sbx1', locationId: 'loc_sbx1' },
    email: `${firstName}.${lastName}@halvorsen.example`.toLowerCase(),
  };
}

/** A dropdown field whose values are addressed by code: `remote_id` and `value_id` are the code. */
export function field(remoteId: string, name: string, values: readonly [code: string, label: string][]): SeedField {
  return {
    ...{ brexId: `extended_field_${remoteId}`, name, group: 'ERP', remoteId },
    values: values.map(([code, label]) => ({
      ...{ brexId: `efo_${remoteId}_${code}`, value: label, valueId: code, remoteId: code, isDisabled: false },
    })),
  };
}
