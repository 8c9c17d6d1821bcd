/**
 * Web addresses in card descriptors: whole, cut off at the edge of the field, with blanks for dots, or glued together.
 */

export interface WebAddress {
  /** The address as it stands in the descriptor. */
  readonly text: string;
  /** The label that names the business, without `www`, shop subdomain, hosting platform and top-level domain. */
  readonly label: string;
  /** Words in front of the address. */
  readonly before: string;
  /** The label itself is cut off by the field. */
  readonly cut: boolean;
}

const TOP_LEVEL = new Set(
  'com co uk org net gov ac sch nhs police mod eu io info biz ltd plc me tv de fr ie it es nl be ch at dk se no pl cz pt us ca au nz in edu shop store app dev london scot wales bill'.split(
    ' ',
  ),
);
const SUBDOMAINS = new Set(
  'www ww w wwww m en uk gb shop shops store stores online secure secureshop pay payments checkout my web mail info order orders buy tickets booking bookings app'.split(
    ' ',
  ),
);
/** `www` with a letter wrong. */
const MAYBE_WWW = /^(?=.*w.*w)[a-z]{2,5}$/;
/** An address without `www`, whose ending may have a letter wrong. */
const LONE_ADDRESS = /^[a-z0-9-]{4,}(?:\.[a-z]{1,4}){1,2}\.?$/;
/** Hosts that rent their name to others: the business is the label in front. */
const PLATFORMS = new Set(
  'csod myshopify shopify wordpress wixsite squarespace salesforce force zendesk bigcartel ecwid sharepoint blogspot weebly godaddysites moodlecloud learnupon litmos freshdesk bandcamp'.split(
    ' ',
  ),
);

const CANDIDATE =
  /(?:https?:\/\/)?(?:w{2,4}[ .]+)?[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]*)+(?:\/\S*)?|(?:https?:\/\/)?w{3}[ .]?[a-z0-9][a-z0-9 -]*/;
/** `name com`, `namecouk`, `name.couk`: the dots got lost. */
const GLUED = /^([a-z0-9-]{4,}?)(?:[ .](?:com|co uk|couk|org|net|org uk|orguk)|couk|orguk)$/;

function labelOf(host: string, isCut: boolean): { label: string; cut: boolean } {
  const labels = host
    .replace(/\/.*$/, '')
    .split('.')
    .filter((label) => label !== '');
  const endedInDot = host.endsWith('.');
  while (labels.length > 1 && (SUBDOMAINS.has(labels[0] ?? '') || MAYBE_WWW.test(labels[0] ?? ''))) labels.shift();
  let removed = endedInDot && labels.length >= 1;
  const last = labels.at(-1) ?? '';
  // A cut field leaves the beginning of the domain ending (`.co`, `.g`); one letter of it is enough to know.
  if (isCut && labels.length > 1 && last.length <= 3 && [...TOP_LEVEL].some((end) => end.startsWith(last))) {
    labels.pop();
    removed = true;
  }
  while (labels.length > 1 && (TOP_LEVEL.has(labels.at(-1) ?? '') || /^(?:couk|orguk)$/.test(labels.at(-1) ?? ''))) {
    labels.pop();
    removed = true;
  }
  // Endings with a letter wrong: whatever is left behind the longest label and too short for a name.
  const longest = Math.max(...labels.map((label) => label.length));
  while (
    labels.length > 1 &&
    longest >= 5 &&
    (labels.at(-1) ?? '').length <= Math.min(longest >= 8 ? 5 : 4, longest - 1)
  ) {
    labels.pop();
    removed = true;
  }
  if (labels.length > 1 && PLATFORMS.has(labels.at(-1) ?? '')) labels.pop();
  return { label: labels.at(-1) ?? '', cut: isCut && !removed };
}

/**
 * The web address in a folded descriptor, or null.
 * @param isCut the field is as long as fields of this kind get, so its end may be missing.
 */
export function findWebAddress(folded: string, isCut: boolean): WebAddress | null {
  const glued = GLUED.exec(folded);
  if (glued !== null && !/^w{2,3}[ .]/.test(folded)) {
    const label = (glued[1] ?? '').replace(/^www/, '');
    return label === '' ? null : { text: folded, label, before: '', cut: false };
  }
  const spaced = /^(?:https?:\/\/)?w{2,3}[ .]+(.+)$/.exec(folded);
  if (spaced !== null && !/\.[a-z]/.test(spaced[1] ?? '')) {
    const words = (spaced[1] ?? '').replace(/[ .]*$/, '').split(/[ .]+/);
    const ends = words.findIndex((word, i) => i > 0 && /^(?:com|co|org|net|couk|gov)$/.test(word));
    const kept = ends < 0 ? words : words.slice(0, ends);
    const cut = isCut && ends < 0 && !folded.endsWith('.');
    return { text: folded, label: kept.join(' '), before: '', cut };
  }
  const match = CANDIDATE.exec(folded);
  if (match === null) return null;
  const text = match[0].trim();
  const isWhole =
    /^(?:https?:\/\/|w{2,3})/.test(text) || LONE_ADDRESS.test(folded) || MAYBE_WWW.test(text.split('.')[0] ?? '');
  const ending = text.replace(/\/.*$/, '').split('.').at(-1) ?? '';
  const known = TOP_LEVEL.has(ending) || ending === 'couk';
  const reachesEnd = match.index + match[0].length >= folded.length;
  if (!isWhole && !(known || (isCut && reachesEnd && ending.length <= 2 && /\.[a-z]*$/.test(text)))) return null;
  // `s.a.r.l` or `j.smith ltd` have dots too: an address has a name of at least three letters.
  const host = text.replace(/^https?:\/\//, '').replace(/^w{3}(?=[a-z0-9])/, '');
  const { label, cut } = labelOf(host.replace(/^w{2,4}[ .]+/, ''), isCut && reachesEnd);
  if (label.length < 2 || (!isWhole && label.length < 3)) return null;
  return { text, label, before: folded.slice(0, match.index).trim(), cut };
}
