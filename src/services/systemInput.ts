import type { Connector } from '../connectors/contract.js';
import { parseInput } from './inputProblems.js';
import { done, type Outcome, type Problem } from './outcome.js';

/** What a caller gives to connect a system, checked at the border. */

function withoutSlash(address: string): string {
  return address.trim().replace(/\/+$/, '');
}

/** The address that a credential itself names; null where credentials of this kind name none. */
export function addressIn(connector: Connector, credential: unknown): string | null {
  const address = connector.baseUrlOf?.(credential);
  return address === undefined ? null : withoutSlash(address);
}

export function checkInput(
  connector: Connector,
  baseUrl: string | undefined,
  credentials: unknown,
  settings: unknown,
  under: readonly string[] = ['input'],
): Outcome<{ baseUrl: string; credential: unknown; settings: Record<string, unknown> }> {
  const problems: Problem[] = [];
  const credential = parseInput(connector.credentialsSchema, credentials, [...under, 'credentials']);
  const parsed = parseInput(connector.settingsSchema, settings, [...under, 'settings']);
  const ownAddress = credential.ok ? addressIn(connector, credential.value) : null;
  const address = withoutSlash(baseUrl ?? ownAddress ?? connector.defaultBaseUrl ?? '');
  // A credential that names the address itself and is refused is the only thing to correct.
  const isInCredential = baseUrl === undefined && connector.baseUrlOf !== undefined && !credential.ok;
  if (!isInCredential && !isHttpUrl(address)) {
    problems.push({
      code: 'BAD_INPUT',
      message:
        address === ''
          ? `${connector.title} needs a baseUrl.`
          : 'baseUrl is not an http(s) address without user, query and fragment.',
      path: [...under, 'baseUrl'],
      resolution: null,
    });
  }
  if (!credential.ok) problems.push(...credential.problems);
  if (!parsed.ok) problems.push(...parsed.problems);
  if (problems.length > 0 || !credential.ok || !parsed.ok) return { ok: false, problems };
  return done({ baseUrl: address, credential: credential.value, settings: parsed.value as Record<string, unknown> });
}

export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return (url.protocol === 'http:' || url.protocol === 'https:') && isPlain;
}
