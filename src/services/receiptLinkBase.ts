/** The public address of the gateway that links to receipts begin with, without a slash at its end; null = no links. */
export function receiptLinkBaseOf(text: string | null | undefined): string | null {
  return text?.trim().replace(/\/+$/, '') || null;
}

/** Whether people can be sent there: an http(s) address without a login, a query or a fragment. */
export function isUsableLinkBase(text: string | null | undefined): boolean {
  const base = receiptLinkBaseOf(text);
  if (base === null) return true;
  const url = URL.parse(base);
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  return isWeb && url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
