import { ROLES, type Role } from './vocabulary.js';

/** What the claims of a login token say about whoever shows it. The token itself was verified before. */

/** Where an installation's issuer puts what we need to know. */
export interface ClaimRules {
  /** Name of a claim, or a path to it such as `realm_access.roles`. Its value is the id of a tenant. */
  readonly tenantClaim: string;
  /** The same; its value is one word or a list of words. */
  readonly roleClaim: string;
  /** What the issuer's words mean; null = the words are our roles themselves. */
  readonly roles: ReadonlyMap<string, Role> | null;
}

export interface LoginFacts {
  readonly tenantId: string;
  readonly role: Role;
  /** For people: the address, where the issuer has verified it, else the subject. */
  readonly name: string;
  /** The issuer's own id of the person, which never changes. */
  readonly subject: string;
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

type Claims = Readonly<Record<string, unknown>>;

/** Goes into audit events as it is: nothing invisible, and no blanks that could feign more than one word. */
const NAME = /^[^\p{C}\s]{1,200}$/u;

/** @returns null when a claim is missing or says nothing that is known here; nothing is ever assumed. */
export function loginFacts(claims: Claims, rules: ClaimRules): LoginFacts | null {
  const tenantId = claimAt(claims, rules.tenantClaim);
  const role = highestRole(claimAt(claims, rules.roleClaim), rules.roles);
  const { sub, email, email_verified: isVerified } = claims;
  if (typeof tenantId !== 'string' || tenantId === '' || !role || typeof sub !== 'string' || !NAME.test(sub))
    return null;
  const hasAddress = isVerified === true && typeof email === 'string' && NAME.test(email);
  return { tenantId, role, name: hasAddress ? email : sub, subject: sub };
}

/** Plain HTTP may be read and changed on its way, except where there is none: to this very machine. */
export function isSafeAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

/** By its whole name first, because names such as `https://example.com/roles` have dots of their own. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((found, part) => {
    const isObject = typeof found === 'object' && found !== null && Object.hasOwn(found, part);
    return isObject ? (found as Claims)[part] : undefined;
  }, claims);
}

/** Of several groups the one that may do most counts. */
function highestRole(value: unknown, roles: ClaimRules['roles']): Role | null {
  const words: readonly unknown[] = Array.isArray(value) ? value : [value];
  const known = roles ?? new Map<string, Role>(ROLES.map((role) => [role, role]));
  const held = words.flatMap((word) => (typeof word === 'string' ? (known.get(word) ?? []) : []));
  return ROLES.findLast((role) => held.includes(role)) ?? null;
}
