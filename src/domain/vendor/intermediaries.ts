/**
 * Companies that stand between card and business: payment services, booking portals, bank wrappers, petrol-station
 * brands and motorway services. Which side of them names the business, and how fuel and motorway sites show.
 */

import { editsBetween, similarity } from './text.js';

export interface Intermediary {
  readonly name: string;
  /** The folded text without the intermediary. */
  readonly business: string;
  /** Longest business text its field holds; 0 if it does not shorten. */
  readonly fieldLength: number;
}

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  readonly fieldLength?: number;
}

/** The business follows. */
const PREFIXES: readonly Rule[] = [
  { name: 'PayPal', pattern: /^(?:paypal|pay pal|pypl)\s*[*-]?\s+(?=\S)|^paypal\s*\*\s*/, fieldLength: 10 },
  { name: 'PayPal', pattern: /^pp\s*\*\s*/, fieldLength: 10 },
  { name: 'iZettle', pattern: /^(?:iz|izettle|i zettle|zettle|zettle_)\s*[*_ ]\s*(?=\S)/ },
  { name: 'SumUp', pattern: /^(?:sumup|sum up)\s*[*_ -]\s*(?=\S)/ },
  { name: 'Square', pattern: /^(?:sq|sqr|square)\s*\*\s*|^sq\s{1,2}(?=\S{3})/ },
  { name: 'Shopify', pattern: /^sp\s*\*\s*|^sp\s+(?=\S{3})/ },
  { name: 'Stripe', pattern: /^(?:stripe|str)\s*\*\s*/ },
  { name: 'Toast', pattern: /^tst\s*\*\s*/ },
  { name: 'Worldpay', pattern: /^(?:wp|worldpay)\s*[-*]\s*(?=\S)/ },
  { name: 'GoCardless', pattern: /^(?:gocardless|gc re)\s*[-*: ]\s*(?=\S)/ },
  { name: 'Klarna', pattern: /^klarna\s*[*: ]\s*(?=\S)/ },
  { name: '2Checkout', pattern: /^2co(?:com)?\s*\*\s*(?=\S)/ },
  { name: 'Google', pattern: /^google\s*\*\s*(?=\S)/ },
  { name: 'Paddle', pattern: /^paddle(?:\.net)?\s*\*\s*(?=\S)/ },
  { name: 'FastSpring', pattern: /^fs\s*\*\s*(?=\S)/ },
  { name: 'Digital River', pattern: /^(?:dri|digitalriver)\s*\*\s*(?=\S)/ },
  { name: 'Upay', pattern: /^upay(?: ltd| limited)?\s*[-*]?\s+(?=\S)/ },
  { name: 'unattended terminal', pattern: /^upt\s*[-/*]\s*(?=\S)/ },
  {
    name: 'card wrapper',
    pattern:
      /^(?:card payment to|card purchase|pos purchase|pos|visa purchase|contactless|debit card|bank card|purchase at|payment to|int'?l|direct debit payment to)\s+[-*:]?\s*(?=\S{3})/,
  },
];

/** The business stands in front. */
const SUFFIXES: readonly Rule[] = [
  { name: 'Upay', pattern: /\s+upay(?: l(?:td|imited)?)?$/ },
  { name: 'Verifone', pattern: /\s+by verifone$/ },
  { name: 'unattended terminal', pattern: /\s*[-/]\s*upt$|\/upt\b.*$/ },
  { name: 'virtual terminal', pattern: /\s*[-/ ]\s*(?:vt|v\/t|cnp|moto\/ecom)$/ },
  { name: 'CyberSource', pattern: /\s+(?:gbp\s+)?cybs?$/ },
  {
    name: 'internet sale',
    pattern: /\s*[-(/]\s*(?:internet|inet|web|website|online|ecomm?|e-comm?|mail order|moto|telephone)\s*\)?$/,
  },
  { name: 'bank currency note', pattern: /\s*\([a-z]{2,5}\s+(?:gbp|eur|usd)\)?$/ },
  { name: 'currency note', pattern: /(?<=\S{3})[ .](?:gbp|eur|usd)$/ },
];

/** The event or ticket is named, not a business: the portal itself was paid. */
const OWN_NAME: readonly { pattern: RegExp; business: string }[] = [
  { pattern: /^(?:eb|eventbrite)\s*[*-]?\s+.*$/, business: 'eventbrite' },
  { pattern: /^eventbrite.*$/, business: 'eventbrite' },
  { pattern: /^(?:facebk|facebook|fb)\s*\*?\s*[a-z0-9]{8,12}(?:\s.*)?$/, business: 'facebook' },
  { pattern: /^(?:fb\.me|facebk|facebook)\b.*$/, business: 'facebook' },
  { pattern: /^uber\b.*$/, business: 'uber' },
  { pattern: /^(?:msft|microsoft)\s*\*?\s*[a-z0-9]{8,}.*$/, business: 'microsoft' },
  { pattern: /^(?:amzn|amazon) mk(?:tp|tplace).*$/, business: 'amazon marketplace' },
];

/** `paypal` with a letter or two wrong in front of something else. */
function misspeltPayPal(folded: string): Intermediary | null {
  const glued = /^p ?a ?y ?p ?a ?l(?=[a-z0-9 ]{4})/.exec(folded);
  if (glued !== null) return { name: 'PayPal', business: folded.slice(glued[0].length).trim(), fieldLength: 10 };
  const first = /^([a-z]{5,8})[ *]+(?=\S)/.exec(folded);
  if (first === null || similarity(first[1] ?? '', 'paypal', 0.7) === 0) return null;
  return { name: 'PayPal', business: folded.slice(first[0].length), fieldLength: 10 };
}

/** Takes one layer of intermediary off; call again until it answers null. */
export function takeOffIntermediary(folded: string): Intermediary | null {
  const misspelt = misspeltPayPal(folded);
  if (misspelt !== null) return misspelt;
  for (const rule of PREFIXES) {
    const match = rule.pattern.exec(folded);
    if (match !== null && match[0].length < folded.length) {
      return { name: rule.name, business: folded.slice(match[0].length).trim(), fieldLength: rule.fieldLength ?? 0 };
    }
  }
  for (const rule of SUFFIXES) {
    const match = rule.pattern.exec(folded);
    if (match !== null && match.index > 1) {
      return { name: rule.name, business: folded.slice(0, match.index).trim(), fieldLength: 0 };
    }
  }
  return null;
}

/** The portal a descriptor was paid to if only the portal is a business, else null. */
export function portalOf(folded: string): string | null {
  return OWN_NAME.find((rule) => rule.pattern.test(folded))?.business ?? null;
}

const FORECOURT =
  /\b(?:f\/?stn|fstn|s\/?stn|sstn|sst|ss|pfs|s\/?serve|f\/?stat\w*|filling sta\w*|petrol(?: sta\w*)?|petro|service s(?:t\w*)?|services? station|serv sta\w*|servic|service|sf connect|south conne\w*|north conne\w*|connect|pay at pump|fuel|s stn)$|\bpfs\b|\bf\/stn\b|\bs\/stn\b|\bpay at pump\b|\bpetrol\b/;

/** Signs of a petrol station in a folded descriptor. */
export function forecourtSign(folded: string): string | null {
  return FORECOURT.exec(folded)?.[0] ?? null;
}

/** Spells a shortened `service station` out, so that a station under its own name equals its supplier. */
export function spellOutStation(folded: string): string {
  const spelt = folded.replace(
    /(?:^|\s)(?:s\/?stn|sstn|sst|serv(?:ice)? s(?:t|ta|tat|tati|tatio|tn)?|servi?c?e?|services station|filling station|filling stn|f\/?stn|ss)$/,
    ' service station',
  );
  if (spelt !== folded) return spelt;
  const last = folded.slice(folded.lastIndexOf(' ') + 1);
  const isStation =
    last.length < folded.length && last.includes('/') && STATIONS.some((sign) => editsBetween(last, sign, 1) <= 1);
  return isStation ? `${folded.slice(0, -last.length)}service station` : folded;
}

const STATIONS = ['s/stn', 'f/stn'];

/** The side of a motorway on which services lie, behind their place: `... n/e coffee`, `... s/w`. */
const MOTORWAY_SIDE =
  /\b(?:n\/b|s\/b|e\/b|w\/b|n\/e|n\/w|s\/e|s\/w|nth|sth|northbound|southbound|eastbound|westbound|msa)\b/;

export function motorwaySide(folded: string): string | null {
  return MOTORWAY_SIDE.exec(folded)?.[0] ?? null;
}
