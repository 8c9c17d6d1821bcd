import type { LocalDate } from '../../domain/localDate.js';
import { ConfigurationError } from '../../errors.js';
import type { KineticSettings } from './config.js';
import { JsonNumber } from './json.js';

/** Addresses, OData literals and context headers. Blanks are `%20`: the server does not take `+` for one. */

/** IIS cuts query strings at 2048 characters by default; longer questions are asked in parts. */
export const QUERY_MAX = 1900;

/** The path of a service's method or entity set, e.g. `Erp.BO.VendorSvc` and `Vendors`. */
export function servicePath(
  settings: Pick<KineticSettings, 'apiVersion' | 'company'>,
  service: string,
  name: string,
): string {
  const root = settings.apiVersion === 'v1' ? 'api/v1' : `api/v2/odata/${encodeURIComponent(settings.company)}`;
  return `${root}/${service}/${name}`;
}

export type QueryPart = readonly [name: string, value: string];

export function withQuery(path: string, parts: readonly QueryPart[]): string {
  const query = parts.map(([name, value]) => `${encodedName(name)}=${encoded(value)}`).join('&');
  return query === '' ? path : `${path}?${query}`;
}

function encodedName(name: string): string {
  return name.startsWith('$') ? name : encoded(name);
}

/** Percent-encoded, apostrophes too: some proxies stumble over bare ones. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27');
}

/** A string in a filter: in single quotes, inner ones doubled. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The start of a day in a filter. A quoted day is compared as text and refused with HTTP 400. */
export function dayLiteral(settings: Pick<KineticSettings, 'apiVersion'>, day: LocalDate): string {
  return settings.apiVersion === 'v1' ? `datetime'${day}'` : `${day}T00:00:00Z`;
}

/** `contains` in the dialect of the API version (OData 3 has `substringof`). */
export function containsText(settings: Pick<KineticSettings, 'apiVersion'>, column: string, text: string): string {
  return settings.apiVersion === 'v1'
    ? `substringof(${literal(text)},${column})`
    : `contains(${column},${literal(text)})`;
}

const LICENCES = {
  webService: '00000003-9439-4B30-A6F4-6D2FD4B9FD0F',
  webServiceShared: '00000003-231B-4E2B-9B47-13F87EA9A0A3',
} as const;

/** Headers whose values are JSON objects: company and site, and which licence the call claims. Calls have no session. */
export function contextHeaders(
  settings: Pick<KineticSettings, 'apiVersion' | 'company' | 'plant' | 'licenceType'>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (settings.apiVersion === 'v1' || settings.plant !== undefined) {
    const { company, plant } = settings;
    headers.callsettings = asciiJson({ Company: company, Plant: plant ?? '', Language: '', FormatCulture: '' });
  }
  if (settings.licenceType !== 'default') {
    headers.license = asciiJson({ ClaimedLicense: LICENCES[settings.licenceType] });
  }
  return headers;
}

/** A header value holds ASCII only. */
function asciiJson(value: Record<string, string>): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The path to follow for a nextLink, behind the base URL; credentials never go to another place.
 * @throws ConfigurationError it leads away from the base URL.
 */
export function followable(baseUrl: string, nextLink: string): string {
  const base = new URL(baseUrl.replace(/\/*$/, '/'));
  const url = URL.parse(nextLink, base.href);
  if (!url || url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) {
    throw new ConfigurationError('Epicor Kinetic named a next page outside of its own address; it was not followed.', {
      code: 'FOREIGN_NEXT_LINK',
    });
  }
  return url.pathname.slice(base.pathname.length) + url.search;
}

/** Parameters of a read method as query parts; strings stay bare, as the generated clients send them. */
export function parameterParts(parameters: Readonly<Record<string, unknown>>): QueryPart[] {
  return Object.entries(parameters).map(([name, value]): QueryPart => {
    if (value instanceof JsonNumber) return [name, value.text];
    return [name, typeof value === 'string' ? value : JSON.stringify(value)];
  });
}
