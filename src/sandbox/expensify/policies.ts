import { z } from 'zod';
import { invalid, malformed, Refusal } from './replies.js';
import type { Policy } from './seed.js';
import type { ExpensifyStore } from './store.js';

const SECTIONS = ['categories', 'tags', 'reportFields', 'tax', 'employees'] as const;
type Section = (typeof SECTIONS)[number];
const ADMIN_ONLY: readonly Section[] = ['tax', 'employees'];

const listSchema = z.looseObject({ adminOnly: z.boolean().default(false) });
const getSchema = z.looseObject({ policyIDList: z.unknown().optional(), fields: z.unknown().optional() });
const idsSchema = z.array(z.string().min(1)).min(1);
const fieldsSchema = z.array(z.enum(SECTIONS)).min(1);

/** Answers `get policyList`. @throws Refusal */
export function policyList(store: ExpensifyStore, inputSettings: unknown): Record<string, unknown> {
  const parsed = listSchema.safeParse(inputSettings);
  if (!parsed.success) throw malformed('adminOnly');
  const policies = [...store.policies.values()].filter(({ role }) => !parsed.data.adminOnly || role === 'admin');
  return {
    policyList: policies.map(({ id, name, outputCurrency, owner, role, type }) => ({
      outputCurrency,
      owner,
      role,
      name,
      id,
      type,
    })),
  };
}

/** Answers `get policy`. The ids are a JSON array here. @throws Refusal */
export function policyDetails(store: ExpensifyStore, inputSettings: unknown): Record<string, unknown> {
  const { fields, policyIDList } = getSchema.parse(inputSettings);
  if (policyIDList === undefined) throw invalid("Required parameter 'policyIDList' is missing");
  const ids = idsSchema.safeParse(policyIDList);
  if (!ids.success) throw malformed('policyIDList');
  const sections = fieldsSchema.safeParse(fields);
  if (!sections.success) throw malformed('fields');
  const found = ids.data.map((id) => {
    const policy = store.policies.get(id);
    if (!policy) throw new Refusal(404, `Policy '${id}' was not found`);
    if (policy.role !== 'admin' && sections.data.some((section) => ADMIN_ONLY.includes(section))) {
      throw new Refusal(403, 'Only an admin of the policy may read these fields');
    }
    return [id, Object.fromEntries(sections.data.map((section) => [section, sectionOf(store, policy, section)]))];
  });
  return { policyInfo: Object.fromEntries(found) };
}

function sectionOf(store: ExpensifyStore, policy: Policy, section: Section): unknown {
  switch (section) {
    case 'categories':
      // A code that nobody has given is absent in the seed and absent on the wire; an empty one stays empty.
      return policy.categories.map((category) => ({ ...category }));
    case 'tags':
      return policy.tags.shape === 'flat' ? policy.tags.tags : policy.tags.levels;
    case 'reportFields':
      return policy.reportFields;
    case 'tax':
      return taxOf(policy);
    case 'employees':
      return [...store.employees.values()]
        .filter(({ policyIDs }) => policyIDs === undefined || policyIDs.includes(policy.id))
        .map(({ customField1, customField2, email, employeeID, role, submitsTo }) => ({
          ...{ email, role, submitsTo, employeeID, customField1, customField2 },
        }));
  }
}

function taxOf({ tax }: Policy): unknown {
  if (tax === null) return {};
  const rates = tax.rates.map(({ name, rate, rateID }) => ({ name, rate: Number(rate), rateID }));
  return { name: tax.name, default: tax.default, rates };
}
